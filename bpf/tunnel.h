/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* The parser's steps into tunnels, taken on request only: GRE with ERSPAN, VXLAN, Geneve. (IPIP needs none.) */
#ifndef FLOWTAP_TUNNEL_H
#define FLOWTAP_TUNNEL_H

#include "step.h"

/* GRE version 0 (RFC 2784, RFC 2890). Version 1 (PPTP) carries compressed or encrypted PPP and stays closed. */
FT_INLINE ft_u32 ft_gre(const struct ft_packet *p, struct ft_cursor *c)
{
	ft_u16 type;
	FT_HEADER(h, 4);

	if (ft_load(p, c->offset, h, 4))
		return FT_END(SHORT);
	if ((h[1] & 7) || (h[0] & 0x40))
		return FT_END(OTHER_PROTOCOL);
	c->offset += 4 + (h[0] & 0x80 ? 4 : 0) + (h[0] & 0x20 ? 4 : 0) + (h[0] & 0x10 ? 4 : 0);
	type = ft_be16(h + 2);
	if (type == 0x88be) { /* ERSPAN: type I has neither sequence number nor header of its own, type II has both */
		c->offset += h[0] & 0x10 ? 8 : 0;
		return FT_STEP_ETHERNET;
	}
	if (type == 0x22eb) { /* ERSPAN type III: 12 bytes, its last bit announces 8 more */
		if (ft_load(p, c->offset + 8, h, 4))
			return FT_END(SHORT);
		c->offset += 12 + (h[3] & 1) * 8;
		return FT_STEP_ETHERNET;
	}
	return type > 1500 ? ft_by_ethertype(type) : FT_END(NOT_IP);
}

/* RFC 7348: the flag says that the network identifier is valid; other bits are to be ignored. */
FT_INLINE ft_u32 ft_vxlan(const struct ft_packet *p, struct ft_cursor *c)
{
	FT_HEADER(h, 8);

	if (c->end - c->offset < 8 + 14 || ft_load(p, c->offset, h, 8) || !(h[0] & 8))
		return FT_END(RECORD);
	c->offset += 8;
	return ft_enter_tunnel(c, FT_STEP_ETHERNET);
}

/* RFC 8926 */
FT_INLINE ft_u32 ft_geneve(const struct ft_packet *p, struct ft_cursor *c)
{
	ft_u32 header;
	FT_HEADER(h, 8);

	if (c->end - c->offset < 8 || ft_load(p, c->offset, h, 8) || h[0] >> 6)
		return FT_END(RECORD);
	header = 8 + (h[0] & 63) * 4;
	if (header > c->end - c->offset || ft_be16(h + 2) <= 1500)
		return FT_END(RECORD);
	c->offset += header;
	return ft_enter_tunnel(c, ft_by_ethertype(ft_be16(h + 2)));
}

#endif
