/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * The packets of the benchmarks' flood: packet number n of so many flows, the same from the eBPF program that injects
 * them and from the Cython loop that sends them.
 *
 * Packets go round the flows. Both sides of a flow speak in turn, with sequence numbers that go on, so that each
 * packet is new to whoever follows the flow. All is computed from the number of flow and round; a frame is a template
 * whose fields are written over, of one length for all packets of a flood: what the IP header does not count is
 * padding. Checksums of TCP and UDP are not filled in: no receiver is meant to take the packets.
 */
#ifndef FLOWTAP_FLOOD_H
#define FLOWTAP_FLOOD_H

#include "load.h"

#define FT_FLOOD_TCP 0
#define FT_FLOOD_UDP 1
#define FT_FLOOD_SYN 2 /* each flow is SYN after SYN; flows differ in address */

#define FT_FLOOD_HEADERS (14 + 20 + 40) /* bytes of a frame at most before its payload */

struct ft_flood {
	ft_u32 kind;      /* FT_FLOOD_* */
	ft_u32 flows;     /* at least 1 */
	ft_u32 payload;   /* bytes */
	ft_u32 handshake; /* TCP: rounds before data, 3 (SYN, SYN+ACK, ACK) or 0 */
	ft_u32 client;    /* address of the first flow's client, host byte order; the next flow's is one more */
	ft_u32 server;
	ft_u32 port;      /* of the server */
	ft_u32 sum;       /* of the 16-bit words of the IP header that do not change */
	ft_u32 flow;      /* of the next packet */
	ft_u32 round;
	ft_u32 action;    /* eBPF: what becomes of the frame, XDP_* */
	ft_u32 interface; /* eBPF: index, for XDP_REDIRECT */
};

FT_INLINE void ft_put16(ft_u8 *to, ft_u32 value)
{
	ft_u16 v = __builtin_bswap16((ft_u16)value);

	__builtin_memcpy(to, &v, 2);
}

FT_INLINE void ft_put32(ft_u8 *to, ft_u32 value)
{
	ft_u32 v = __builtin_bswap32(value);

	__builtin_memcpy(to, &v, 4);
}

/* Addresses, ports, length and checksum of one direction; `length` is what follows the IP header. */
FT_INLINE void ft_flood_ip(ft_u8 *frame, const struct ft_flood *f, ft_u32 server_speaks, ft_u32 length)
{
	ft_u32 client = f->client + f->flow, port = 1024 + f->flow % 60000, sum;
	ft_u8 *ip = frame + 14;

	sum = f->sum + (client >> 16) + (client & 0xffff) + (f->server >> 16) + (f->server & 0xffff) + 20 + length;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ft_put16(ip + 2, 20 + length);
	ft_put16(ip + 10, ~sum);
	ft_put32(ip + 12, server_speaks ? f->server : client);
	ft_put32(ip + 16, server_speaks ? client : f->server);
	ft_put16(ip + 20, server_speaks ? f->port : port);
	ft_put16(ip + 22, server_speaks ? port : f->port);
}

/* Writes what the next packet differs in, and moves on. `frame` begins with Ethernet and has its template's length. */
FT_INLINE void ft_flood_next(ft_u8 *frame, struct ft_flood *f)
{
	ft_u32 client = f->flow * 2654435761u, server = ~client, flags = 0x18, length = f->payload, round = f->round;
	ft_u32 server_speaks, turn;

	if (f->kind == FT_FLOOD_UDP) {
		ft_flood_ip(frame, f, round & 1, 8 + length);
		ft_put16(frame + 38, 8 + length);
	} else if (f->kind == FT_FLOOD_SYN) {
		ft_flood_ip(frame, f, 0, 40);
		ft_put32(frame + 38, client);
	} else {
		server_speaks = round & 1;
		if (round < f->handshake) {
			flags = round == 0 ? 2 : round == 1 ? 0x12 : 0x10;
			length = 0;
			client += round > 1;
			server_speaks = round == 1;
		} else {
			turn = (round - f->handshake) >> 1;
			server_speaks = (round - f->handshake) & 1;
			client += 1 + (turn + server_speaks) * length;
			server += 1 + turn * length;
		}
		server += round == 2 && f->handshake;
		ft_flood_ip(frame, f, server_speaks, 20 + length);
		ft_put32(frame + 38, server_speaks ? server : client);
		ft_put32(frame + 42, flags == 2 ? 0 : server_speaks ? client + (round == 1 && f->handshake) : server);
		frame[47] = flags;
	}
	if (++f->flow == f->flows) {
		f->flow = 0;
		f->round++;
	}
}

#endif
