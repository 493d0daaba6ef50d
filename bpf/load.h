/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * How the parser reaches the bytes of a packet: the only part of it that differs between kernel and userspace.
 *
 * The kernel side goes through bpf_skb_load_bytes and not through direct packet access: it also reads the paged part
 * of a merged (GRO) packet, and the verifier need not follow the offset, which variable header lengths make opaque.
 */
#ifndef FLOWTAP_LOAD_H
#define FLOWTAP_LOAD_H

#include "record.h"

#define FT_INLINE static inline __attribute__((always_inline))

#ifdef __KERNEL__
struct ft_packet {
	struct __sk_buff *skb;
	ft_u32 caplen; /* skb->len */
	ft_u32 wire;   /* skb->len */
};

#define ft_load(packet, offset, to, size) bpf_skb_load_bytes((packet)->skb, offset, to, size)
#else
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
