/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * Where parsing starts for each link type of a capture file (userspace only: the kernel sees one link type).
 *
 * Numbers are those of the file formats (https://www.tcpdump.org/linktypes.html), with libpcap's own numbers for raw
 * IP, which files carry as well.
 */
#ifndef FLOWTAP_LINK_H
#define FLOWTAP_LINK_H

#include "packet.h"

#define FT_LINKS(X)                                                                                                 \
	X(0, ft_link_null)        /* BSD loopback: address family, byte order of the writing machine */                \
	X(1, ft_link_ethernet)                                                                                         \
	X(9, ft_link_ppp)         /* PPP, with or without address and control */                                       \
	X(12, ft_link_raw)                                                                                             \
	X(14, ft_link_raw)                                                                                             \
	X(50, ft_link_ppp)        /* PPP in HDLC-like framing, or Cisco HDLC */                                        \
	X(51, ft_link_pppoe)                                                                                           \
	X(101, ft_link_raw)                                                                                            \
	X(104, ft_link_chdlc)                                                                                          \
	X(108, ft_link_null)      /* OpenBSD loopback: the same in network byte order */                               \
	X(113, ft_link_cooked)                                                                                         \
	X(166, ft_link_pppd)      /* PPP with a direction byte in place of the address */                              \
	X(228, ft_link_ipv4)                                                                                           \
	X(229, ft_link_ipv6)                                                                                           \
	X(276, ft_link_cooked2)

FT_INLINE ft_u32 ft_link_ethernet(const struct ft_packet *p, ft_u32 *offset)
{
	return FT_STEP_ETHERNET;
}

FT_INLINE ft_u32 ft_link_raw(const struct ft_packet *p, ft_u32 *offset)
{
	return FT_STEP_IP;
}

FT_INLINE ft_u32 ft_link_ipv4(const struct ft_packet *p, ft_u32 *offset)
{
	return FT_STEP_IPV4;
}

FT_INLINE ft_u32 ft_link_ipv6(const struct ft_packet *p, ft_u32 *offset)
{
	return FT_STEP_IPV6;
}

FT_INLINE ft_u32 ft_link_pppoe(const struct ft_packet *p, ft_u32 *offset)
{
	return FT_STEP_PPPOE;
}

/* AF_INET is 2 everywhere; AF_INET6 is 10 (Linux), 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (Darwin). */
FT_INLINE ft_u32 ft_link_null(const struct ft_packet *p, ft_u32 *offset)
{
	ft_u32 family;
	ft_u8 h[4];

	if (ft_load(p, 0, h, 4))
		return FT_END(SHORT);
	*offset = 4;
	family = ft_be32(h);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	if (family == 2)
		return FT_STEP_IPV4;
	return family == 10 || family == 24 || family == 28 || family == 30 ? FT_STEP_IPV6 : FT_END(NOT_IP);
}

/* RFC 1661 lets the first byte of the protocol number be left out when it is 0: the last byte is odd, no first is. */
FT_INLINE ft_u32 ft_ppp_protocol(const struct ft_packet *p, ft_u32 *offset)
{
	ft_u8 h[2];

	if (ft_load(p, *offset, h, 1))
		return FT_END(SHORT);
	if (h[0] & 1) {
		*offset += 1;
		return ft_by_ppp(h[0]);
	}
	if (ft_load(p, *offset, h, 2))
		return FT_END(SHORT);
	*offset += 2;
	return ft_by_ppp(ft_be16(h));
}

FT_INLINE ft_u32 ft_link_chdlc(const struct ft_packet *p, ft_u32 *offset)
{
	ft_u8 h[4];

	if (ft_load(p, 0, h, 4))
		return FT_END(SHORT);
	*offset = 4;
	return ft_be16(h + 2) > 1500 ? ft_by_ethertype(ft_be16(h + 2)) : FT_END(NOT_IP);
}

FT_INLINE ft_u32 ft_link_ppp(const struct ft_packet *p, ft_u32 *offset)
{
	ft_u8 h[2];

	if (ft_load(p, 0, h, 2))
		return FT_END(SHORT);
	if (h[0] == 0xff && h[1] == 3)
		*offset = 2;
	else if ((h[0] == 0x0f || h[0] == 0x8f) && h[1] == 0)
		return ft_link_chdlc(p, offset);
	return ft_ppp_protocol(p, offset);
}

FT_INLINE ft_u32 ft_link_pppd(const struct ft_packet *p, ft_u32 *offset)
{
	ft_u8 h[2];

	if (ft_load(p, 0, h, 2))
		return FT_END(SHORT);
	*offset = h[1] == 3 ? 2 : 1;
	return ft_ppp_protocol(p, offset);
}

/* Linux cooked, version 1: 4 is an 802.2 frame, other small numbers are no EtherTypes. */
FT_INLINE ft_u32 ft_by_cooked(ft_u16 type)
{
	if (type == 4)
		return FT_STEP_LLC;
	return type > 1500 ? ft_by_ethertype(type) : FT_END(NOT_IP);
}

FT_INLINE ft_u32 ft_link_cooked(const struct ft_packet *p, ft_u32 *offset)
{
	ft_u8 h[2];

	if (ft_load(p, 14, h, 2))
		return FT_END(SHORT);
	*offset = 16;
	return ft_by_cooked(ft_be16(h));
}

FT_INLINE ft_u32 ft_link_cooked2(const struct ft_packet *p, ft_u32 *offset)
{
	ft_u8 h[20];

	if (ft_load(p, 0, h, 20))
		return FT_END(SHORT);
	*offset = 20;
	return ft_by_cooked(ft_be16(h));
}

#define FT_LINK_KNOWN(number, start) case number:
#define FT_LINK_START(number, start)                                                                                \
	case number:                                                                                                   \
		step = start(p, &offset);                                                                              \
		break;

static inline int ft_link_known(ft_u32 link)
{
	switch (link) {
		FT_LINKS(FT_LINK_KNOWN)
		return 1;
	}
	return 0;
}

/* ft_parse of a packet of this link type. */
static inline enum ft_verdict ft_parse_link(ft_u32 link, const struct ft_packet *p, ft_u32 decap,
					    const struct ft_key *key, struct ft_record *r, struct ft_tag *tag,
					    struct ft_headers *at)
{
	ft_u32 offset = 0, step;

	switch (link) {
		FT_LINKS(FT_LINK_START)
	default:
		return FT_OTHER_LINK;
	}
	return ft_parse(p, offset, step, decap, key, r, tag, at);
}

#endif
