/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * The ACK that completes a TCP handshake: the one segment without payload, SYN, FIN or RST that becomes a record.
 *
 * Only it gives the round trip between the tap and the client. Without it a person who waits before the first word
 * cannot be told from a client far away, and the pauses of one of the two come out wrong. A segment alone does not
 * show that it is this ACK, so a SYN+ACK leaves its flow's hash in a small table, and the next bare ACK of that flow
 * takes it out again. One word per entry, no lock: a collision, or a race between two CPUs, costs a measurement of
 * the round trip, never more.
 */
#ifndef FLOWTAP_HANDSHAKE_H
#define FLOWTAP_HANDSHAKE_H

#include "record.h"

#define FT_HANDSHAKES 65536 /* entries; a power of two */

/* Whether the verdict on this packet needs the table: asked first, so that other packets do not touch it. */
static inline __attribute__((always_inline)) int ft_in_handshake(enum ft_verdict verdict, const struct ft_record *r)
{
	if (verdict == FT_NO_PAYLOAD)
		return 1;
	return verdict == FT_RECORD && r->proto == 6 && (r->tcpflags & 18) == 18;
}

/* The verdict in the light of the flow's entry, which stands at r->hash modulo FT_HANDSHAKES. */
static inline __attribute__((always_inline)) enum ft_verdict ft_handshake(enum ft_verdict verdict,
									  const struct ft_record *r, ft_u32 *entry)
{
	if (verdict == FT_RECORD) {
		*entry = r->hash;
		return FT_RECORD;
	}
	if (*entry != r->hash || r->hash == 0)
		return verdict;
	*entry = 0;
	return FT_RECORD;
}

#endif
