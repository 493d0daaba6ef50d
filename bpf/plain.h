/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * The short way of the packets that nearly all are: Ethernet, IPv4 without options and fragments, UDP or TCP with
 * payload that neither begins nor ends a connection.
 *
 * packet.h is the definition: whatever is not plain in this sense is left to it, and for what is plain both make the
 * same record (tests/test_ebpf.py). This one reads each field once, at its fixed place, and keeps it in a register
 * until it is written to where the record stays.
 */
#ifndef FLOWTAP_PLAIN_H
#define FLOWTAP_PLAIN_H

#include "load.h"
#include "hash.h"

#define FT_PLAIN 54 /* bytes of Ethernet, IPv4 and TCP headers */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ft_net16(at) __builtin_bswap16(*(const ft_alias16 *)(at))
#define ft_net32(at) __builtin_bswap32(*(const ft_alias32 *)(at))
#else
#define ft_net16(at) (*(const ft_alias16 *)(at))
#define ft_net32(at) (*(const ft_alias32 *)(at))
#endif

/* Whether the packet of `wire` bytes whose first FT_PLAIN are at `d` is plain. */
FT_INLINE int ft_is_plain(const ft_u8 *d, ft_u32 wire, ft_u32 decap)
{
	ft_u32 total = ft_net16(d + 16), header;

	if (ft_net16(d + 12) != 0x0800 || d[14] != 0x45 || (ft_net16(d + 20) & 0x3fff) || total + 14 > wire)
		return 0;
	if (d[23] == 6) {
		header = (d[46] >> 4) * 4;
		return header >= 20 && 20 + header < total && !(d[47] & 7);
	}
	if (d[23] != 17 || ft_net16(d + 38) < 8 || 20 + ft_net16(d + 38) > total)
		return 0;
	return !decap || (ft_net16(d + 36) != 4789 && ft_net16(d + 36) != 8472 && ft_net16(d + 36) != 6081);
}

/* The hash of a plain packet. */
FT_INLINE ft_u32 ft_hash_plain(const ft_u8 *d, const struct ft_key *key)
{
	return ft_hash_mapped(key, *(const ft_alias32 *)(d + 26), ft_net16(d + 34), *(const ft_alias32 *)(d + 30),
			      ft_net16(d + 36), d[23]);
}

/* Writes what the record of a plain packet holds beside time, hash, segment size and flags. */
FT_INLINE void ft_write_plain(const ft_u8 *d, struct ft_record *r)
{
	*(ft_alias64 *)r->src = 0;
	*(ft_alias32 *)(r->src + 8) = ft_mapped;
	*(ft_alias32 *)(r->src + 12) = *(const ft_alias32 *)(d + 26);
	*(ft_alias64 *)r->dst = 0;
	*(ft_alias32 *)(r->dst + 8) = ft_mapped;
	*(ft_alias32 *)(r->dst + 12) = *(const ft_alias32 *)(d + 30);
	r->sport = ft_net16(d + 34);
	r->dport = ft_net16(d + 36);
	r->ttl = d[22];
	if (d[23] == 6) {
		r->seq = ft_net32(d + 38);
		r->len = ft_net16(d + 16) - 20 - (d[46] >> 4) * 4;
		r->ack = ft_net16(d + 44);
		r->proto = 6;
		r->tcpflags = d[47];
	} else {
		r->seq = 0;
		r->len = ft_net16(d + 38) - 8;
		r->ack = 0;
		r->proto = 17;
		r->tcpflags = 0;
	}
}

#endif
