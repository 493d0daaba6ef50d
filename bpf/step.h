/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * What the parser's steps share: the kinds of header, where the parser stands, and which header each protocol number
 * announces.
 */
#ifndef FLOWTAP_STEP_H
#define FLOWTAP_STEP_H

#include "load.h"

#define FT_MAX_STEPS 24 /* headers of one packet behind the first three, all layers and tunnels together */

/* What header stands at the offset. FT_END(verdict) lies above them all. */
enum ft_step {
	FT_STEP_ETHERNET,
	FT_STEP_IP,
	FT_STEP_IPV4,
	FT_STEP_IPV6,
	FT_STEP_TCP,
	FT_STEP_UDP,
	FT_STEP_ICMP,
	FT_STEP_ICMPV6,
	FT_STEP_OPTIONS,
	FT_STEP_FRAGMENT,
	FT_STEP_AH_IPV4,
	FT_STEP_AH_IPV6,
	FT_STEP_VLAN,
	FT_STEP_MPLS,
	FT_STEP_PPPOE,
	FT_STEP_LLC,
	FT_STEP_GRE,
	FT_STEP_VXLAN,
	FT_STEP_GENEVE,
	FT_STEP_END
};

#define FT_END(verdict) (FT_STEP_END + FT_##verdict)

/* Where the innermost IP header and the TCP header stand; in map memory, like all that one step tells a later one. */
struct ft_headers {
	ft_u32 ip;
	ft_u32 tcp; /* means something only where the record is of TCP */
};

struct ft_cursor {
	ft_u32 offset;
	ft_u32 end;   /* end of the innermost IP packet, at first of the frame */
	ft_u32 decap; /* open tunnels */
	struct ft_record *record;
	struct ft_tag *tag;
	struct ft_headers *at;
};

FT_INLINE ft_u32 ft_enter_tunnel(struct ft_cursor *c, ft_u32 step)
{
	c->record->flags |= FT_F_TUNNEL;
	return step;
}

FT_INLINE ft_u32 ft_by_ethertype(ft_u16 type)
{
	switch (type) {
	case 0x0800:
		return FT_STEP_IPV4;
	case 0x86dd:
		return FT_STEP_IPV6;
	case 0x8100: /* 802.1Q */
	case 0x88a8: /* 802.1ad */
	case 0x9100: /* QinQ before 802.1ad */
	case 0x9200:
		return FT_STEP_VLAN;
	case 0x8847:
	case 0x8848:
		return FT_STEP_MPLS;
	case 0x8864:
		return FT_STEP_PPPOE;
	case 0x6558: /* transparent Ethernet bridging: GRE, Geneve */
		return FT_STEP_ETHERNET;
	}
	return type <= 1500 ? FT_STEP_LLC : FT_END(NOT_IP);
}

/* PPP protocol numbers (RFC 1332, RFC 5072, RFC 3032 section 4.3) */
FT_INLINE ft_u32 ft_by_ppp(ft_u16 protocol)
{
	switch (protocol) {
	case 0x0021:
		return FT_STEP_IPV4;
	case 0x0057:
		return FT_STEP_IPV6;
	case 0x0281:
	case 0x0283:
		return FT_STEP_MPLS;
	}
	return FT_END(NOT_IP);
}

/* What both versions of IP carry alike. */
FT_INLINE ft_u32 ft_by_shared_protocol(struct ft_cursor *c, ft_u8 protocol)
{
	switch (protocol) {
	case 6:
		return FT_STEP_TCP;
	case 17:
		return FT_STEP_UDP;
	}
	if (!c->decap)
		return FT_END(OTHER_PROTOCOL);
	switch (protocol) {
	case 4:
		return ft_enter_tunnel(c, FT_STEP_IPV4);
	case 41:
		return ft_enter_tunnel(c, FT_STEP_IPV6);
	case 47:
		return ft_enter_tunnel(c, FT_STEP_GRE);
	}
	return FT_END(OTHER_PROTOCOL);
}

FT_INLINE ft_u32 ft_by_ipv4_protocol(struct ft_cursor *c, ft_u8 protocol)
{
	if (protocol == 1)
		return FT_STEP_ICMP;
	return protocol == 51 ? FT_STEP_AH_IPV4 : ft_by_shared_protocol(c, protocol);
}

FT_INLINE ft_u32 ft_by_ipv6_protocol(struct ft_cursor *c, ft_u8 protocol)
{
	switch (protocol) {
	case 58:
		return FT_STEP_ICMPV6;
	case 0:   /* hop-by-hop options */
	case 43:  /* routing */
	case 60:  /* destination options */
	case 135: /* mobility */
	case 139: /* host identity */
	case 140: /* shim6 */
		return FT_STEP_OPTIONS;
	case 44:
		return FT_STEP_FRAGMENT;
	case 51:
		return FT_STEP_AH_IPV6;
	}
	return ft_by_shared_protocol(c, protocol);
}

#endif
