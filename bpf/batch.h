/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * What leaves the kernel, or the AF_PACKET reader, and travels as it is to the workers: the message, what the tap is
 * told, what it counts.
 *
 * A message is one header and what it announces by its kind:
 *
 *  records     FT_BATCH tags (only the first `count` mean something), then `count` records. The tags have a fixed
 *              size so that the records stay contiguous and a half-full message is short.
 *  handshakes  `count` handshake records (bpf/handshake_record.h).
 *  watermark   one 64-bit word for each stream of the sender: how many records it has sent or tried to send in it.
 *
 * A stream is the messages of records of one sender, one CPU (AF_PACKET: one ring) and one shard. Whoever receives it
 * knows from `first` exactly how many records of it were lost on the way, and from a watermark that nothing older
 * than its `ts` will come and that nothing is missing at the end. What was lost before anybody knew its shard (a full
 * ring of AF_PACKET, a packet that met the tap at work) is told to all of them, as a time.
 */
#ifndef FLOWTAP_BATCH_H
#define FLOWTAP_BATCH_H

#include "record.h"
#include "hash.h"

#define FT_BATCH 256          /* records in a message at most: fewer cost more wake-ups per record */
#define FT_HANDSHAKE_BATCH 64 /* handshake records in a message at most */
#define FT_MAX_SHARDS 64
#define FT_MESSAGE_VERSION 1

#define FT_KIND_RECORDS 1
#define FT_KIND_HANDSHAKES 2
#define FT_KIND_WATERMARK 3

/* X(C type, numpy code, name, elements, meaning), as in record.h. */
#define FT_MESSAGE_FIELDS(X)                                                                                        \
	X(ft_u64, u8, sender, 1, "random number of the capture process, new at each start")                           \
	X(ft_u64, u8, seq, 1, "number of this message in its stream, from 0 on")                                       \
	X(ft_u64, u8, first, 1, "records of the stream before this message")                                           \
	X(ft_u64, u8, ts, 1, "CLOCK_MONOTONIC: newest record; watermark: nothing as old as this will follow")          \
	X(ft_u32, u4, count, 1, "records, handshake records or words")                                                 \
	X(ft_u16, u2, cpu, 1, "CPU or ring; watermark: 0")                                                             \
	X(ft_u16, u2, shard, 1, "worker it is for")                                                                    \
	X(ft_u8, u1, kind, 1, "FT_KIND_*")                                                                             \
	X(ft_u8, u1, version, 1, "FT_MESSAGE_VERSION")                                                                 \
	X(ft_u16, u2, reserved, 1, "0")                                                                                \
	X(ft_u32, u4, reserved2, 1, "0")                                                                               \
	X(ft_u64, u8, began, 1, "CLOCK_MONOTONIC; records: the oldest; watermark: when it was written, or 0")          \
	X(ft_u64, u8, lost_since, 1, "watermark: from then until `began` packets were lost that nobody looked at; 0 none")

struct ft_message {
	FT_MESSAGE_FIELDS(FT_FIELD_STRUCT)
};

_Static_assert(sizeof(struct ft_message) == 64, "a message header is one cache line");

/* What the tap is told before it is attached; kept in a map, or in the AF_PACKET reader. */
struct ft_settings {
	struct ft_key key;
	ft_u64 sender;
	ft_u32 shards;  /* 1 to FT_MAX_SHARDS */
	ft_u32 decap;   /* open tunnels */
	ft_u32 cutoff;  /* records of a flow after which only SYN, FIN and RST make further ones; 0 never */
	ft_u32 ports;   /* 0 all; 1 only those of the port set; 2 all but those */
};

/* The shard of a flow: equal parts of the range of hashes. */
#define ft_shard(hash, shards) ((ft_u32)(((ft_u64)(hash) * (shards)) >> 32))

/* X(name, meaning): what the tap counts per CPU beside the parser's verdicts, each packet in exactly one place:
 * seen = verdicts other than RECORD + the reasons here + batched. */
#define FT_TAP_REASONS(X)                                                                                           \
	X(FORWARDED, "leaves by one interface, was counted when it came in by another")                                \
	X(PORT, "not among the ports that are watched")                                                                \
	X(CUTOFF, "further packet of a flow beyond its cut-off")                                                       \
	X(BUSY, "met the tap at work on the same CPU")                                                                 \
	X(RING_FULL, "AF_PACKET: the kernel's ring had no room; which worker's it was is not known")

#define FT_TAP_REASON_ENUM(name, text) FT_TAP_##name,
enum ft_tap_reason { FT_TAP_REASONS(FT_TAP_REASON_ENUM) FT_TAP_REASON_COUNT };

/* X(name, meaning): what the tap counts per CPU and shard; batched = forwarded + lost + what waits in the batch. */
#define FT_STREAM_COUNTERS(X)                                                                                       \
	X(BATCHED, "records put into batches")                                                                         \
	X(FORWARDED, "records handed to the capture process")                                                          \
	X(LOST, "records the ring had no room for")                                                                    \
	X(HANDSHAKES, "handshake records put into batches")                                                            \
	X(HANDSHAKES_FORWARDED, "handshake records handed to the capture process")                                     \
	X(HANDSHAKES_LOST, "handshake records the ring had no room for")

#define FT_STREAM_ENUM(name, text) FT_STREAM_##name,
enum ft_stream_counter { FT_STREAM_COUNTERS(FT_STREAM_ENUM) FT_STREAM_COUNTER_COUNT };

#ifndef __KERNEL__
static const char ft_message_text[] = FT_MESSAGE_FIELDS(FT_FIELD_TEXT);
static const char ft_tap_reason_text[] = FT_TAP_REASONS(FT_VERDICT_TEXT);
static const char ft_stream_text[] = FT_STREAM_COUNTERS(FT_VERDICT_TEXT);
#endif

#endif
