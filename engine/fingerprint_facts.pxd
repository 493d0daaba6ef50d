# SPDX-License-Identifier: LGPL-2.1-or-later
# What tells one TCP stack from another in a SYN or SYN+ACK: the C interface.

from engine.record cimport u8, u16, u32, u64
from engine.handshake_record cimport ft_handshake_record

# Places of sigdb.tcp_nodes.QUIRKS; a test compares them.
cdef enum:
    Q_DF = 1 << 0
    Q_ID_SET = 1 << 1
    Q_ID_ZERO = 1 << 2
    Q_ECN = 1 << 3
    Q_MBZ = 1 << 4
    Q_FLOW = 1 << 5
    Q_SEQ_ZERO = 1 << 6
    Q_ACK_SET = 1 << 7
    Q_ACK_ZERO = 1 << 8
    Q_URGENT_SET = 1 << 9
    Q_URG = 1 << 10
    Q_PUSH = 1 << 11
    Q_TS1_ZERO = 1 << 12
    Q_TS2_SET = 1 << 13
    Q_OPT_SET = 1 << 14
    Q_EXWS = 1 << 15
    Q_BAD = 1 << 16

cdef enum:
    LAYOUT = 24     # options that are kept, as p0f does

# No holes: it is hashed and compared as bytes.
cdef packed struct Facts:
    u32 quirks
    u16 window
    u16 mss
    u16 syn_mss     # of the SYN that a SYN+ACK answers; 0: none or not seen
    u16 olen
    u16 headers     # bytes of the IP and the TCP header
    u8 scale
    u8 ttl
    u8 version
    u8 response     # 1: SYN+ACK
    u8 payload
    u8 stamped      # whether the own timestamp is there and not 0
    u8 eol_pad
    u8 tos          # without the ECN bits
    u8 count        # options in layout
    u8 reserved
    u8 layout[LAYOUT]

# ts1, ts2: the timestamps, 0 without.
cdef void facts_of(const ft_handshake_record *h, Facts *f, u32 *ts1, u32 *ts2) noexcept nogil

# How the window is a multiple: the factor, and whether of the MTU rather than the MSS; at most 0: it is none.
cdef int window_multiple(const Facts *f, bint *mtu) noexcept nogil
