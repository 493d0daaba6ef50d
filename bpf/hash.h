/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * The flow hash: keyed, equal for both directions of a flow, the same number in the kernel and in userspace.
 *
 * Whoever sends packets chooses addresses and ports, so an unkeyed hash lets him fill one bucket of the flow table.
 * SipHash is safe but needs two dozen dependent rounds per packet in eBPF. NH, the inner hash of UMAC (RFC 4418,
 * section 5.2), is one multiplication per two words, and two different endpoints collide under a random key with a
 * probability of about 2^-32. Its output shows linear traces of its input, so each endpoint is finalized
 * (xor-shift, multiplication by a secret odd number) before the two are added. Addition makes both directions equal.
 */
#ifndef FLOWTAP_HASH_H
#define FLOWTAP_HASH_H

#include "copy.h"

/* 64 random bytes, new at each start; all processes that exchange records must share them. */
struct ft_key {
	ft_u32 word[4];    /* one for each word of the address */
	ft_u32 port;
	ft_u32 proto;
	ft_u64 port_factor;
	ft_u64 endpoint;   /* finalizer of one endpoint */
	ft_u64 flow[3];    /* finalizer of both */
};

_Static_assert(sizeof(struct ft_key) == 64, "the key is 64 bytes");

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ft_mapped 0xffff0000u /* the third word of an IPv4 address in a record, ::ffff:0:0, as it is read */
#else
#define ft_mapped 0x0000ffffu
#endif

/* Of an endpoint whose address is these four words, as they are read. */
FT_INLINE ft_u64 ft_hash_words(const struct ft_key *key, ft_u32 x0, ft_u32 x1, ft_u32 x2, ft_u32 x3, ft_u16 port)
{
	ft_u64 h = (ft_u64)(ft_u32)(key->word[0] + x0) * (ft_u32)(key->word[1] + x1);

	h += (ft_u64)(ft_u32)(key->word[2] + x2) * (ft_u32)(key->word[3] + x3);
	h += (ft_u64)(ft_u32)(key->port + port) * key->port_factor;
	h ^= h >> 32;
	h *= key->endpoint | 1;
	return h ^ (h >> 29);
}

/* Of both endpoints, whose hashes were added. */
FT_INLINE ft_u32 ft_hash_both(const struct ft_key *key, ft_u64 h, ft_u8 proto)
{
	h += (ft_u64)(ft_u32)(key->proto + proto) * key->flow[0];
	h ^= h >> 31;
	h *= key->flow[1] | 1;
	h ^= h >> 33;
	h *= key->flow[2] | 1;
	return (ft_u32)(h >> 32);
}

FT_INLINE ft_u64 ft_hash_endpoint(const struct ft_key *key, const ft_u8 *address, ft_u16 port)
{
	ft_alias32 x[4] __attribute__((aligned(8)));

	ft_copy((ft_u8 *)x, address, 16);
	return ft_hash_words(key, x[0], x[1], x[2], x[3], port);
}

FT_INLINE ft_u32 ft_hash(const struct ft_key *key, const struct ft_record *r)
{
	return ft_hash_both(key, ft_hash_endpoint(key, r->src, r->sport) + ft_hash_endpoint(key, r->dst, r->dport),
			    r->proto);
}

/* The same of two IPv4 addresses, as they are read. */
FT_INLINE ft_u32 ft_hash_mapped(const struct ft_key *key, ft_u32 src, ft_u16 sport, ft_u32 dst, ft_u16 dport,
				ft_u8 proto)
{
	return ft_hash_both(key,
			    ft_hash_words(key, 0, 0, ft_mapped, src, sport) + ft_hash_words(key, 0, 0, ft_mapped, dst, dport),
			    proto);
}

#endif
