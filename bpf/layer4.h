/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* The parser's steps that complete a record: TCP, UDP, ICMP and ICMPv6. */
#ifndef FLOWTAP_LAYER4_H
#define FLOWTAP_LAYER4_H

#include "step.h"

FT_INLINE ft_u32 ft_tcp(const struct ft_packet *p, struct ft_cursor *c)
{
	ft_u32 header, room = c->end - c->offset;
	struct ft_record *r = c->record;
	FT_HEADER(h, 14);

	if (room < 20)
		return FT_END(BAD_HEADER);
	if (ft_load(p, c->offset, h, 14))
		return FT_END(SHORT);
	header = (h[12] >> 4) * 4;
	if (header < 20 || header > room)
		return FT_END(BAD_HEADER);
	c->at->tcp = c->offset;
	r->sport = ft_be16(h);
	r->dport = ft_be16(h + 2);
	r->seq = ft_be32(h + 4);
	r->ack = ft_be16(h + 10);
	r->tcpflags = h[13];
	r->len = room - header;
	r->proto = 6;
	return r->len == 0 && !(h[13] & 7) ? FT_END(NO_PAYLOAD) : FT_END(RECORD);
}

FT_INLINE ft_u32 ft_udp(const struct ft_packet *p, struct ft_cursor *c)
{
	ft_u32 length, room = c->end - c->offset;
	struct ft_record *r = c->record;
	FT_HEADER(h, 8);

	if (room < 8)
		return FT_END(BAD_HEADER);
	if (ft_load(p, c->offset, h, 8))
		return FT_END(SHORT);
	length = ft_be16(h + 4);
	if (length == 0)
		length = room;
	/* a first fragment carries the length of the whole datagram, and that is what was sent */
	if (length > room && !(r->flags & FT_F_FRAGMENT))
		return FT_END(BAD_LENGTH);
	if (length < 8)
		return FT_END(BAD_HEADER);
	r->sport = ft_be16(h);
	r->dport = ft_be16(h + 2);
	r->seq = 0;
	r->ack = 0;
	r->tcpflags = 0;
	r->len = length - 8;
	r->proto = 17;
	if (!c->decap)
		return FT_END(RECORD);
	/* what a tunnel holds is judged by the bytes that are here */
	c->end = c->offset + (length < room ? length : room);
	c->offset += 8;
	if (r->dport == 4789 || r->dport == 8472)
		return FT_STEP_VXLAN;
	return r->dport == 6081 ? FT_STEP_GENEVE : FT_END(RECORD);
}

/* Whether the type has an identifier: echo, timestamp, information, mask, extended echo (RFC 8335, section 2). */
FT_INLINE int ft_icmp_has_identifier(ft_u32 version, ft_u8 type)
{
	if (version == 6)
		return type == 128 || type == 129 || type == 160 || type == 161;
	return type == 0 || type == 8 || (type >= 13 && type <= 18) || type == 42 || type == 43;
}

FT_INLINE ft_u32 ft_icmp(const struct ft_packet *p, struct ft_cursor *c, ft_u32 version)
{
	ft_u32 room = c->end - c->offset;
	struct ft_record *r = c->record;
	ft_u16 identifier;
	FT_HEADER(h, 8);

	if (room < 8)
		return FT_END(BAD_HEADER);
	if (ft_load(p, c->offset, h, 8))
		return FT_END(SHORT);
	identifier = ft_icmp_has_identifier(version, h[0]) ? ft_be16(h + 4) : 0;
	r->sport = identifier;
	r->dport = identifier;
	r->seq = 0;
	r->ack = 0;
	r->tcpflags = 0;
	r->len = room - 8;
	r->proto = version == 6 ? 58 : 1;
	return FT_END(RECORD);
}

#endif
