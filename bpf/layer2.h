/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* The parser's steps below IP: Ethernet, LLC, VLAN tags, MPLS, PPPoE. */
#ifndef FLOWTAP_LAYER2_H
#define FLOWTAP_LAYER2_H

#include "step.h"

FT_INLINE ft_u32 ft_ethernet(const struct ft_packet *p, struct ft_cursor *c)
{
	FT_HEADER(h, 2);

	if (ft_load(p, c->offset + 12, h, 2))
		return FT_END(SHORT);
	c->offset += 14;
	return ft_by_ethertype(ft_be16(h));
}

/* IEEE 802.2: SNAP (RFC 1042), or the SAP of IP */
FT_INLINE ft_u32 ft_llc(const struct ft_packet *p, struct ft_cursor *c)
{
	FT_HEADER(h, 8);

	if (ft_load(p, c->offset, h, 3))
		return FT_END(SHORT);
	if (h[0] == 0x06 && h[1] == 0x06 && h[2] == 3) {
		c->offset += 3;
		return FT_STEP_IPV4;
	}
	if (h[0] != 0xaa || h[1] != 0xaa || h[2] != 3)
		return FT_END(NOT_IP);
	if (ft_load(p, c->offset, h, 8))
		return FT_END(SHORT);
	c->offset += 8;
	return ft_be16(h + 6) > 1500 ? ft_by_ethertype(ft_be16(h + 6)) : FT_END(NOT_IP);
}

FT_INLINE ft_u32 ft_vlan(const struct ft_packet *p, struct ft_cursor *c)
{
	FT_HEADER(h, 4);

	if (ft_load(p, c->offset, h, 4))
		return FT_END(SHORT);
	c->offset += 4;
	if (!(c->record->flags & FT_F_VLAN))
		c->tag->vlan = ft_be16(h) & 0xfff;
	else if (c->tag->vlan2 == 0)
		c->tag->vlan2 = ft_be16(h) & 0xfff;
	c->record->flags |= FT_F_VLAN;
	return ft_by_ethertype(ft_be16(h + 2));
}

/* RFC 3032: the label stack does not say what follows it; the version nibble does. */
FT_INLINE ft_u32 ft_mpls(const struct ft_packet *p, struct ft_cursor *c)
{
	FT_HEADER(h, 4);

	if (ft_load(p, c->offset, h, 4))
		return FT_END(SHORT);
	c->offset += 4;
	return h[2] & 1 ? FT_STEP_IP : FT_STEP_MPLS;
}

/* RFC 2516 */
FT_INLINE ft_u32 ft_pppoe(const struct ft_packet *p, struct ft_cursor *c)
{
	FT_HEADER(h, 8);

	if (ft_load(p, c->offset, h, 8))
		return FT_END(SHORT);
	if (h[0] != 0x11)
		return FT_END(BAD_HEADER);
	if (h[1] != 0)
		return FT_END(NOT_IP);
	c->offset += 8;
	return ft_by_ppp(ft_be16(h + 6));
}

#endif
