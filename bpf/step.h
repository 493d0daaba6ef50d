/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * What the parser's steps share: the kinds of header, where the parser stands, and which header each protocol number
 * announces.
 */
#ifndef FLOWTAP_STEP_H
#define FLOWTAP_STEP_H

#include "load.h"

#define FT_MAX_STEPS 24  /* headers of one packet, all layers and tunnels together */
#define FT_MAX_TUNNELS 4 /* tunnels inside one another */

/* What header stands at the offset. FT_END(verdict) lies above them all. */
enum ft_step {
	FT_STEP_ETHERNET,
	FT_STEP_IP,
	FT_STEP_IPV4,
	FT_STEP_IPV6,
	FT_STEP_TCP,
	FT_STEP_UDP,
	FT_STEP_ICMP,
	FT_STEP_EXTENSION,
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

struct ft_cursor {
	ft_u32 offset;
	ft_u32 end;      /* end of the innermost IP packet, at first of the frame */
	ft_u32 version;  /* of the innermost IP header: 4 or 6 */
	ft_u32 protocol; /* of the extension header at the offset */
	ft_u32 jumbo;    /* the IPv6 payload length was 0 */
	ft_u32 tags;     /* VLAN tags seen */
	ft_u32 tunnels;
	ft_u32 decap;    /* open tunnels */
	ft_u32 flags;    /* FT_F_* */
};

FT_INLINE ft_u32 ft_enter_tunnel(struct ft_cursor *c, ft_u32 step)
{
	c->flags |= FT_F_TUNNEL;
	return ++c->tunnels > FT_MAX_TUNNELS ? FT_END(TOO_DEEP) : step;
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

FT_INLINE ft_u32 ft_by_protocol(struct ft_cursor *c, ft_u32 protocol)
{
	switch (protocol) {
	case 6:
		return FT_STEP_TCP;
	case 17:
		return FT_STEP_UDP;
	case 1:
		return c->version == 4 ? FT_STEP_ICMP : FT_END(OTHER_PROTOCOL);
	case 58:
		return c->version == 6 ? FT_STEP_ICMP : FT_END(OTHER_PROTOCOL);
	case 0:   /* hop-by-hop options */
	case 43:  /* routing */
	case 44:  /* fragment */
	case 60:  /* destination options */
	case 135: /* mobility */
	case 139: /* host identity */
	case 140: /* shim6 */
		if (c->version != 6)
			return FT_END(OTHER_PROTOCOL);
		c->protocol = protocol;
		return FT_STEP_EXTENSION;
	case 51: /* authentication header: in IPv4 too */
		c->protocol = protocol;
		return FT_STEP_EXTENSION;
	case 4:
		return c->decap ? ft_enter_tunnel(c, FT_STEP_IPV4) : FT_END(OTHER_PROTOCOL);
	case 41:
		return c->decap ? ft_enter_tunnel(c, FT_STEP_IPV6) : FT_END(OTHER_PROTOCOL);
	case 47:
		return c->decap ? ft_enter_tunnel(c, FT_STEP_GRE) : FT_END(OTHER_PROTOCOL);
	}
	return FT_END(OTHER_PROTOCOL);
}

#endif
