# SPDX-License-Identifier: LGPL-2.1-or-later
# The handshake record as the engine reads it: the C interface of bpf/handshake_record.h.

from engine.record cimport u8, u16, u32, u64

cdef extern from "handshake_record.h" nogil:
    struct ft_handshake_record:
        u64 ts
        u8 src[16]
        u8 dst[16]
        u32 hash
        u32 seq
        u32 ack
        u32 len
        u32 flow_label
        u16 sport
        u16 dport
        u16 window
        u16 urgent
        u16 id
        u16 fragment
        u16 ip_options
        u8 tcp_offset
        u8 tcpflags
        u8 ttl
        u8 version
        u8 tos
        u8 options_len
        u8 options[40]
