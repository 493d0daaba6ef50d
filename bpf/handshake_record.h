/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * The handshake record: all of a SYN or SYN+ACK that tells one TCP stack from another (the fields p0f v3 looks at).
 *
 * It is rare and goes its own way, so that the common record stays one cache line. Options are kept as they were
 * sent; what they mean is worked out in userspace.
 */
#ifndef FLOWTAP_HANDSHAKE_RECORD_H
#define FLOWTAP_HANDSHAKE_RECORD_H

#include "record.h"

/* X(C type, numpy code, name, elements, meaning), as in record.h; host byte order except addresses and options. */
#define FT_HANDSHAKE_FIELDS(X)                                                                                      \
	X(ft_u64, u8, ts, 1, "as in the record")                                                                       \
	X(ft_u8, u1, src, 16, "as in the record")                                                                      \
	X(ft_u8, u1, dst, 16, "as in the record")                                                                      \
	X(ft_u32, u4, hash, 1, "as in the record")                                                                     \
	X(ft_u32, u4, seq, 1, "TCP sequence number")                                                                   \
	X(ft_u32, u4, ack, 1, "TCP acknowledgement number, also without the ACK flag")                                 \
	X(ft_u32, u4, len, 1, "payload bytes")                                                                         \
	X(ft_u32, u4, iface, 1, "as in the tag")                                                                       \
	X(ft_u32, u4, flow_label, 1, "IPv6 flow label; IPv4: 0")                                                       \
	X(ft_u16, u2, sport, 1, "source port")                                                                         \
	X(ft_u16, u2, dport, 1, "destination port")                                                                    \
	X(ft_u16, u2, vlan, 1, "as in the tag")                                                                        \
	X(ft_u16, u2, window, 1, "TCP window, not scaled")                                                             \
	X(ft_u16, u2, urgent, 1, "TCP urgent pointer, also without the URG flag")                                      \
	X(ft_u16, u2, id, 1, "IPv4 identification; IPv6: 0")                                                           \
	X(ft_u16, u2, fragment, 1, "IPv4 flags and fragment offset: 0x8000 must be 0, 0x4000 DF, 0x2000 MF")           \
	X(ft_u16, u2, ip_options, 1, "bytes of IPv4 options or IPv6 extension headers")                                \
	X(ft_u8, u1, tcp_offset, 1, "13th byte of the TCP header: data offset, reserved bits, NS")                     \
	X(ft_u8, u1, tcpflags, 1, "14th byte, as in the record")                                                       \
	X(ft_u8, u1, ttl, 1, "as in the record")                                                                       \
	X(ft_u8, u1, version, 1, "IP version, 4 or 6")                                                                 \
	X(ft_u8, u1, tos, 1, "IPv4 TOS or IPv6 traffic class: the ECN bits are the low two")                           \
	X(ft_u8, u1, flags, 1, "FT_F_* bits, as in the record")                                                        \
	X(ft_u8, u1, options_len, 1, "bytes of TCP options, 0 to 40")                                                  \
	X(ft_u8, u1, reserved, 1, "0")                                                                                 \
	X(ft_u8, u1, options, 40, "TCP options as they were sent; 0 behind options_len")

#define FT_FIELD_40(ctype, name) ctype name[40]

struct ft_handshake_record {
	FT_HANDSHAKE_FIELDS(FT_FIELD_STRUCT)
};

_Static_assert(sizeof(struct ft_handshake_record) == 128, "a handshake record is two cache lines");

#ifndef __KERNEL__
static const char ft_handshake_text[] = FT_HANDSHAKE_FIELDS(FT_FIELD_TEXT);
#endif

#endif
