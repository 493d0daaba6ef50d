/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * How the parser reaches the bytes of a packet: the only part of it that differs between kernel and userspace.
 *
 * bpf_skb_load_bytes reads all of a packet, also its paged part, and the verifier need not follow the offset. But each
 * call costs 15 ns, and direct access 1. So the kernel side reads directly what lies near the beginning and in the
 * linear part, where a packet is said to be `near`, and calls for all else.
 */
#ifndef FLOWTAP_LOAD_H
#define FLOWTAP_LOAD_H

#include "copy.h"

#define FT_HEADER(name, size) ft_u8 name[size] __attribute__((aligned(8))) /* a header that was loaded */

#ifdef __KERNEL__
struct ft_packet {
	struct __sk_buff *skb;
	const ft_u8 *near; /* skb->data, or 0: only calls */
	const ft_u8 *end;  /* skb->data_end */
	ft_u32 caplen;     /* skb->len */
	ft_u32 wire;       /* skb->len */
};

#define FT_NEAR 128 /* bytes */

/* The compiler must use the value as it is here, and so compare and add as it is written: the verifier reads that. */
#define ft_opaque(value) asm volatile("" : "+r"(value))

FT_INLINE int ft_load(const struct ft_packet *packet, ft_u32 offset, void *to, ft_u32 size)
{
	const ft_u8 *from;
	ft_u64 at = offset;

	if (packet->near) {
		ft_opaque(at);
		if (at <= FT_NEAR) {
			from = packet->near + at;
			if (from + size <= packet->end) {
				ft_copy(to, from, size);
				return 0;
			}
		}
	}
	return bpf_skb_load_bytes(packet->skb, offset, to, size);
}

/* The same packet, to be read by calls alone: what the verifier follows in each of many rounds. */
FT_INLINE struct ft_packet ft_far(const struct ft_packet *packet)
{
	struct ft_packet far = {.skb = packet->skb, .caplen = packet->caplen, .wire = packet->wire};

	return far;
}
#else
#define ft_far(packet) (*(packet))

struct ft_packet {
	const ft_u8 *data;
	ft_u32 caplen; /* bytes at data */
	ft_u32 wire;   /* bytes the packet had on the wire, >= caplen */
};

/* 0, or -1 when the packet has no `size` bytes at `offset`. `size` must be a constant. */
FT_INLINE int ft_load(const struct ft_packet *packet, ft_u32 offset, void *to, ft_u32 size)
{
	if (offset > packet->caplen || packet->caplen - offset < size)
		return -1;
	__builtin_memcpy(to, packet->data + offset, size);
	return 0;
}
#endif

FT_INLINE ft_u16 ft_be16(const ft_u8 *p)
{
	return (ft_u16)(p[0] << 8 | p[1]);
}

FT_INLINE ft_u32 ft_be32(const ft_u8 *p)
{
	return (ft_u32)p[0] << 24 | (ft_u32)p[1] << 16 | (ft_u32)p[2] << 8 | p[3];
}

#endif
