/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* The parser's steps through IPv4, IPv6 and its extension headers: they set where the packet ends. */
#ifndef FLOWTAP_LAYER3_H
#define FLOWTAP_LAYER3_H

#include "step.h"

FT_INLINE ft_u32 ft_ip(const struct ft_packet *p, struct ft_cursor *c)
{
	FT_HEADER(h, 1);

	if (ft_load(p, c->offset, h, 1))
		return FT_END(SHORT);
	if (h[0] >> 4 == 4)
		return FT_STEP_IPV4;
	return h[0] >> 4 == 6 ? FT_STEP_IPV6 : FT_END(NOT_IP);
}

/*
 * Sets where the IP packet ends: `length` bytes from the offset, 0 meaning "as far as there is". An outer packet that
 * is a first fragment rightly holds less than its inner packet promises.
 */
FT_INLINE ft_u32 ft_set_end(struct ft_cursor *c, ft_u32 length, ft_u32 header)
{
	ft_u32 room = c->end > c->offset ? c->end - c->offset : 0;

	if (room < header)
		return FT_END(BAD_LENGTH);
	if (length == 0 || (length > room && (c->record->flags & FT_F_FRAGMENT)))
		length = room;
	if (length > room)
		return FT_END(BAD_LENGTH);
	if (length < header)
		return FT_END(BAD_HEADER);
	c->end = c->offset + length;
	return 0;
}

FT_INLINE ft_u32 ft_ipv4(const struct ft_packet *p, struct ft_cursor *c)
{
	static const ft_u8 mapped[12] __attribute__((aligned(8))) = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	struct ft_record *r = c->record;
	ft_u32 header, stop;
	FT_HEADER(h, 20);

	if (ft_load(p, c->offset, h, 20))
		return FT_END(SHORT);
	header = (h[0] & 15) * 4;
	if (h[0] >> 4 != 4 || header < 20)
		return FT_END(BAD_HEADER);
	stop = ft_set_end(c, ft_be16(h + 2), header);
	if (stop)
		return stop;
	c->at->ip = c->offset;
	if (ft_be16(h + 6) & 0x1fff)
		return FT_END(FRAGMENT);
	if (h[6] & 0x20)
		r->flags |= FT_F_FRAGMENT;
	c->offset += header;
	r->ttl = h[8];
	ft_copy(r->src, mapped, 12);
	ft_copy(r->src + 12, h + 12, 4);
	ft_copy(r->dst, mapped, 12);
	ft_copy(r->dst + 12, h + 16, 4);
	return ft_by_ipv4_protocol(c, h[9]);
}

FT_INLINE ft_u32 ft_ipv6(const struct ft_packet *p, struct ft_cursor *c)
{
	struct ft_record *r = c->record;
	ft_u32 length, stop;
	FT_HEADER(h, 8);
	FT_HEADER(option, 8);

	if (ft_load(p, c->offset, h, 8) || ft_load(p, c->offset + 8, r->src, 16) ||
	    ft_load(p, c->offset + 24, r->dst, 16))
		return FT_END(SHORT);
	if (h[0] >> 4 != 6)
		return FT_END(BAD_HEADER);
	length = ft_be16(h + 4);
	/* A jumbogram (RFC 2675) says its length in a hop-by-hop option, which comes first wherever it was seen. */
	if (length == 0 && h[6] == 0 && !ft_load(p, c->offset + 40, option, 8) && option[2] == 0xc2 && option[3] == 4) {
		length = ft_be32(option + 4);
		if (length > 0xffffffff - 40)
			return FT_END(BAD_LENGTH);
	}
	stop = ft_set_end(c, length ? length + 40 : 0, 40);
	if (stop)
		return stop;
	c->at->ip = c->offset;
	c->offset += 40;
	r->ttl = h[7];
	return ft_by_ipv6_protocol(c, h[6]);
}

/* Moves behind a header inside the IP packet; 0, or the step that ends it all. */
FT_INLINE ft_u32 ft_skip(struct ft_cursor *c, ft_u32 length)
{
	if (length > c->end - c->offset)
		return FT_END(BAD_HEADER);
	c->offset += length;
	return 0;
}

/* The IPv6 extension headers that share one layout: RFC 8200 section 4, RFC 6275, RFC 7401, RFC 5533. */
FT_INLINE ft_u32 ft_options(const struct ft_packet *p, struct ft_cursor *c)
{
	ft_u32 stop;
	FT_HEADER(h, 2);

	if (ft_load(p, c->offset, h, 2))
		return FT_END(SHORT);
	stop = ft_skip(c, (h[1] + 1) * 8);
	return stop ? stop : ft_by_ipv6_protocol(c, h[0]);
}

FT_INLINE ft_u32 ft_fragment(const struct ft_packet *p, struct ft_cursor *c)
{
	ft_u32 stop;
	FT_HEADER(h, 4);

	if (ft_load(p, c->offset, h, 4))
		return FT_END(SHORT);
	if (ft_be16(h + 2) & 0xfff8)
		return FT_END(FRAGMENT);
	if (h[3] & 1)
		c->record->flags |= FT_F_FRAGMENT;
	stop = ft_skip(c, 8);
	return stop ? stop : ft_by_ipv6_protocol(c, h[0]);
}

/* The authentication header counts its length in another unit than its neighbours: RFC 4302 section 2.2. */
FT_INLINE ft_u32 ft_authentication(const struct ft_packet *p, struct ft_cursor *c, ft_u32 version)
{
	ft_u32 stop;
	FT_HEADER(h, 2);

	if (ft_load(p, c->offset, h, 2))
		return FT_END(SHORT);
	stop = ft_skip(c, (h[1] + 2) * 4);
	if (stop)
		return stop;
	return version == 4 ? ft_by_ipv4_protocol(c, h[0]) : ft_by_ipv6_protocol(c, h[0]);
}

#endif
