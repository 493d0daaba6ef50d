/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libFuzzer target of the packet parser (bpf/link.h, bpf/packet.h).
 *
 * Input: link type (index), options, by how much the wire was longer (2 bytes), then the captured bytes, which are
 * copied so that the sanitizer sees each byte read too many. Besides memory, it checks what the engine relies on.
 */
#include <stdlib.h>
#include <string.h>

#include "handshake_fill.h"
#include "link.h"

#define NUMBER(number, start) number,
static const ft_u32 links[] = {FT_LINKS(NUMBER) 127};

static void demand(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static const struct ft_key key = {{1, 2, 3, 4}, 5, 6, 7, 8, {9, 10, 11}};
	struct ft_record record, turned;
	struct ft_handshake_record handshake;
	struct ft_headers at;
	struct ft_tag tag = {0};
	struct ft_packet packet;
	enum ft_verdict verdict;
	ft_u8 *copy;

	if (size < 4)
		return 0;
	packet.caplen = (ft_u32)size - 4;
	packet.wire = packet.caplen + (input[2] | input[3] << 8);
	copy = malloc(packet.caplen ? packet.caplen : 1);
	memcpy(copy, input + 4, packet.caplen);
	packet.data = copy;
	memset(&record, 0xff, sizeof(record)); /* what the parser forgets to write is found below */
	record.ts = 0;
	record.seg = 0;
	record.flags = input[1] & 2 ? FT_F_VLAN : 0;
	verdict = ft_parse_link(links[input[0] % (sizeof(links) / sizeof(*links))], &packet, input[1] & 1, &key, &record,
				&tag, &at);
	memset(&handshake, 0xff, sizeof(handshake));
	if (verdict == FT_RECORD && ft_is_handshake(&record) &&
	    !ft_fill_handshake(&packet, &at, &record, &tag, &handshake)) {
		demand(handshake.options_len <= 40 && handshake.options_len == (handshake.tcp_offset >> 4) * 4 - 20);
		demand(handshake.version == 4 || handshake.version == 6);
		demand(handshake.reserved == 0 && handshake.tcpflags == record.tcpflags);
		demand(at.ip < at.tcp && at.tcp + 20 <= packet.caplen);
	}
	free(copy);
	demand(verdict >= 0 && verdict < FT_VERDICT_COUNT);
	if (verdict != FT_RECORD)
		return 0;
	/* only the first fragment of a datagram may tell of more than there is: UDP's length is of the whole */
	if (record.proto == 17 && record.flags & FT_F_FRAGMENT)
		demand(record.len <= 65535 - 8);
	else
		demand(record.len <= packet.wire);
	demand(record.proto == 6 || record.proto == 17 || record.proto == 1 || record.proto == 58);
	demand((record.flags & ~(FT_F_FRAGMENT | FT_F_TUNNEL | FT_F_VLAN | FT_F_TRUNCATED)) == 0);
	demand(!(record.flags & FT_F_TUNNEL) || (input[1] & 1));
	demand(!(record.flags & FT_F_TRUNCATED) == (packet.caplen == packet.wire));
	demand(record.proto == 6 || (record.seq == 0 && record.tcpflags == 0));
	demand(tag.vlan < 4096 && tag.vlan2 < 4096);
	turned = record;
	memcpy(turned.src, record.dst, 16);
	memcpy(turned.dst, record.src, 16);
	turned.sport = record.dport;
	turned.dport = record.sport;
	demand(ft_hash(&key, &turned) == record.hash);
	return 0;
}
