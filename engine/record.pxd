# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Cython sees of bpf/record.h: a view for the C compiler to check, not a second list of fields.

A member named wrongly here does not compile, and the widths that count are those of the header.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef uint8_t u8
ctypedef uint16_t u16
ctypedef uint32_t u32
ctypedef uint64_t u64
ctypedef int32_t i32
ctypedef int64_t i64

cdef extern from "record.h" nogil:
    struct ft_record:
        u64 ts
        u8 src[16]
        u8 dst[16]
        u32 hash
        u32 seq
        u32 len
        u16 sport
        u16 dport
        u16 seg
        u16 ack
        u8 proto
        u8 tcpflags
        u8 ttl
        u8 flags

    struct ft_tag:
        u32 iface
        u16 vlan
        u16 vlan2

cdef extern from *:
    """
    #define FT_PREFETCH(p) __builtin_prefetch((const void *)(p), 1, 3)
    #define FT_LIKELY(x) __builtin_expect(!!(x), 1)
    #define FT_UNLIKELY(x) __builtin_expect(!!(x), 0)
    """
    void prefetch "FT_PREFETCH"(const void *) noexcept nogil
    bint likely "FT_LIKELY"(bint) noexcept nogil
    bint unlikely "FT_UNLIKELY"(bint) noexcept nogil

cdef enum:
    TCP = 6
    UDP = 17
    ICMP = 1
    ICMPV6 = 58

    TH_FIN = 1
    TH_SYN = 2
    TH_RST = 4
    TH_ACK = 16
