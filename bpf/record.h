/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * The one list of what flowtap keeps of a packet: the record, the tag beside it, and the verdicts of the parser.
 *
 * The same list is expanded four times and written once: to the C structs (eBPF program, Cython), to the text from
 * which capture/record.py builds the userspace dtype, to the enum of verdicts, and to the names of their counters.
 * A second, hand-written list in Python is what this file exists to prevent.
 *
 * The record is one cache line because the engine reads a million flows' worth of them per tenth of a second. Two
 * wishes did not fit and were decided like this:
 *
 *  1. No segment count. It is ceil(len / seg) by definition (gso_segs may be 0 and lies after a trim), so storing
 *     it would be a second home of one fact. The two bytes hold the low half of the TCP acknowledgement number,
 *     which tells a reply from a packet that merely crossed the peer's: without it a crossing packet looks like a
 *     round trip of nothing, and every later reply over a satellite looks like a person thinking.
 *  2. Interface and VLAN identifiers are read once per flow, not once per packet: they live in a tag beside the
 *     record, in an array of its own, and never enter the cache of the hot loop.
 */
#ifndef FLOWTAP_RECORD_H
#define FLOWTAP_RECORD_H

#ifdef __KERNEL__
#include <linux/types.h>
typedef __u8 ft_u8;
typedef __u16 ft_u16;
typedef __u32 ft_u32;
typedef __u64 ft_u64;
#else
#include <stdint.h>
typedef uint8_t ft_u8;
typedef uint16_t ft_u16;
typedef uint32_t ft_u32;
typedef uint64_t ft_u64;
#endif

/* X(C type, numpy code, name, elements, meaning): all in host byte order except the addresses. */
#define FT_RECORD_FIELDS(X)                                                                                         \
	X(ft_u64, u8, ts, 1, "nanoseconds since 1970-01-01 UTC in files; CLOCK_MONOTONIC in the kernel")               \
	X(ft_u8, u1, src, 16, "source address, network byte order; IPv4 as ::ffff:a.b.c.d")                            \
	X(ft_u8, u1, dst, 16, "destination address, like src")                                                         \
	X(ft_u32, u4, hash, 1, "keyed symmetric flow hash: both directions equal, another key at each start")          \
	X(ft_u32, u4, seq, 1, "TCP sequence number of the first byte (of the SYN where there is one); else 0")         \
	X(ft_u32, u4, len, 1, "L4 payload bytes by the IP header, all merged segments together")                       \
	X(ft_u16, u2, sport, 1, "source port; ICMP: the identifier where the type has one, else 0")                    \
	X(ft_u16, u2, dport, 1, "destination port; ICMP: the same identifier")                                         \
	X(ft_u16, u2, seg, 1, "payload bytes per packet on the wire where GRO/TSO merged several, else 0")             \
	X(ft_u16, u2, ack, 1, "low 16 bits of the TCP acknowledgement number; meaningless without the ACK flag")       \
	X(ft_u8, u1, proto, 1, "6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6")                                                     \
	X(ft_u8, u1, tcpflags, 1, "the TCP flags byte: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128")   \
	X(ft_u8, u1, ttl, 1, "IPv4 TTL or IPv6 hop limit")                                                             \
	X(ft_u8, u1, flags, 1, "FT_F_* bits")

/* What is read once per flow. */
#define FT_TAG_FIELDS(X)                                                                                            \
	X(ft_u32, u4, iface, 1, "live: ifindex; files: number of the interface in the reader's list")                  \
	X(ft_u16, u2, vlan, 1, "outermost VLAN identifier, 0 when untagged")                                           \
	X(ft_u16, u2, vlan2, 1, "the next VLAN identifier inside it, 0 when there is none")

#define FT_F_FRAGMENT 1  /* first fragment of several: len is the datagram's by the UDP header, else this fragment's */
#define FT_F_TUNNEL 2    /* found inside GRE, IPIP, 6in4, VXLAN or Geneve */
#define FT_F_VLAN 4      /* carried a VLAN tag, in the frame or stripped into metadata */
#define FT_F_TRUNCATED 8 /* the capture holds less of the packet than was on the wire */
#define FT_F_EGRESS 16   /* live: seen leaving the interface */

/* X(name, meaning): how the parser ends. The first makes a record; each other one is a counter. */
#define FT_VERDICTS(X)                                                                                              \
	X(RECORD, "became a record")                                                                                   \
	X(NO_PAYLOAD, "TCP segment without payload, SYN, FIN or RST that completes no handshake")                                       \
	X(NOT_IP, "neither IPv4 nor IPv6")                                                                             \
	X(OTHER_PROTOCOL, "IP, but not TCP, UDP, ICMP or ICMPv6")                                                      \
	X(FRAGMENT, "later fragment: it has no ports")                                                                 \
	X(SHORT, "the capture ends before the end of a header")                                                        \
	X(BAD_HEADER, "a header contradicts itself (version, header length, offset)")                                  \
	X(BAD_LENGTH, "the IP header promises more bytes than were on the wire")                                       \
	X(TOO_DEEP, "more tags, labels, extension headers or tunnels than the parser follows")                         \
	X(OTHER_LINK, "a link type that flowtap does not read")

#define FT_FIELD_STRUCT(ctype, np, name, n, text) FT_FIELD_##n(ctype, name);
#define FT_FIELD_1(ctype, name) ctype name
#define FT_FIELD_16(ctype, name) ctype name[16]

struct ft_record {
	FT_RECORD_FIELDS(FT_FIELD_STRUCT)
};

struct ft_tag {
	FT_TAG_FIELDS(FT_FIELD_STRUCT)
};

#define FT_VERDICT_ENUM(name, text) FT_##name,
enum ft_verdict { FT_VERDICTS(FT_VERDICT_ENUM) FT_VERDICT_COUNT };

_Static_assert(sizeof(struct ft_record) == 64, "a record is one cache line");
_Static_assert(sizeof(struct ft_tag) == 8, "a tag is 8 bytes");

#ifndef __KERNEL__
/* "name code elements meaning" lines: capture/record.py builds the dtypes and the counter names from these. */
#define FT_FIELD_TEXT(ctype, np, name, n, text) #name "\t" #np "\t" #n "\t" text "\n"
#define FT_VERDICT_TEXT(name, text) #name "\t" text "\n"
static const char ft_record_text[] = FT_RECORD_FIELDS(FT_FIELD_TEXT);
static const char ft_tag_text[] = FT_TAG_FIELDS(FT_FIELD_TEXT);
static const char ft_verdict_text[] = FT_VERDICTS(FT_VERDICT_TEXT);
#endif

#endif
