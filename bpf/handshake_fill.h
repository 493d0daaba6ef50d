/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * Fills the handshake record of a SYN or SYN+ACK, in the kernel and in userspace alike.
 *
 * It reads the headers a second time, from where the parser found them: few packets need it, so the parser need not
 * carry what only they have.
 */
#ifndef FLOWTAP_HANDSHAKE_FILL_H
#define FLOWTAP_HANDSHAKE_FILL_H

#include "handshake_record.h"
#include "packet.h"

/* Whether a packet that became a record makes a handshake record too. SYN with FIN or RST is no way to begin. */
FT_INLINE int ft_is_handshake(const struct ft_record *r)
{
	return r->proto == 6 && (r->tcpflags & 7) == 2;
}

/* 0, or -1 when the packet ends before the end of the header. `length` is 4 to 40; the packet is no near one. */
FT_INLINE int ft_fill_options(const struct ft_packet *p, ft_u32 offset, ft_u32 length, struct ft_handshake_record *h)
{
	if (ft_load(p, offset, h->options, length))
		return -1;
	h->options_len = length;
	return 0;
}

/*
 * Fills all fields of `h` (map memory in the kernel) from a packet that ft_parse made record, tag and `at` of.
 *
 * 0, or -1 when the capture does not hold the whole TCP header: half of the options would look like another system.
 */
FT_INLINE int ft_fill_handshake(const struct ft_packet *p, const struct ft_headers *at, const struct ft_record *r,
				const struct ft_tag *tag, struct ft_handshake_record *h)
{
	FT_HEADER(ip, 8);
	FT_HEADER(tcp, 20);
	ft_u32 header;

	if (ft_load(p, at->ip, ip, 8) || ft_load(p, at->tcp, tcp, 20))
		return -1;
	__builtin_memset(h, 0, sizeof(*h));
	header = (tcp[12] >> 4) * 4;
	if (header > 20 && ft_fill_options(p, at->tcp + 20, header - 20, h))
		return -1;
	h->ts = r->ts;
	ft_copy(h->src, r->src, 16);
	ft_copy(h->dst, r->dst, 16);
	h->hash = r->hash;
	h->seq = r->seq;
	h->ack = ft_be32(tcp + 8);
	h->len = r->len;
	h->iface = tag->iface;
	h->sport = r->sport;
	h->dport = r->dport;
	h->vlan = tag->vlan;
	h->window = ft_be16(tcp + 14);
	h->urgent = ft_be16(tcp + 18);
	h->tcp_offset = tcp[12];
	h->tcpflags = r->tcpflags;
	h->ttl = r->ttl;
	h->flags = r->flags;
	h->version = ip[0] >> 4;
	if (h->version == 4) {
		h->tos = ip[1];
		h->id = ft_be16(ip + 4);
		h->fragment = ft_be16(ip + 6);
		h->ip_options = (ip[0] & 15) * 4 - 20;
	} else {
		h->tos = (ft_u8)(ip[0] << 4 | ip[1] >> 4);
		h->flow_label = ft_be32(ip) & 0xfffff;
		h->ip_options = (ft_u16)(at->tcp - at->ip - 40);
	}
	return 0;
}

#endif
