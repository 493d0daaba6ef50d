# SPDX-License-Identifier: LGPL-2.1-or-later
"""A flow as the hot loop sees it.

The order is the order of use, in cache lines of 64 bytes: line 0 is compared and changed by every packet, line 1 by
every TCP segment, the first half of line 2 by every packet of the shape. Behind it follow, at offsets that the table
knows because their lengths are settings, the history of turns (its beginning shares line 2), the history of packets,
and what is rarely used (Cold):

    turns     first f, then a ring of the last l    u64: size | think code << 32 | side << 63
    packets   first F, then a ring of the last L    u32: size | think code << 16 | side << 31

A slot is a whole number of cache lines. An endpoint is 0 (the source of the first record seen) or 1. Which of them is
the client is a flag, so that a guess can be mended without moving anything.
"""

from engine.record cimport u8, u16, u32, u64

cdef struct Side:
    u64 bytes           # payload bytes of the shape
    u32 packets         # packets of the shape, saturating
    u32 turns           # turns completed
    u32 next            # sequence number expected next; valid with F_KNOWN0/1
    u32 rtt             # microseconds between the tap and this endpoint; NO_RTT until measured

cdef struct Flow:
    # line 0
    u8 addr0[16]
    u8 addr1[16]
    u16 port0
    u16 port1
    u32 hash
    u64 last            # ns, newest record of any kind: idle time counts from here
    u32 packet_state    # automaton over packets: state number
    u32 turn_state      # automaton over turns: state number
    u32 flags           # F_*
    u32 packets         # packets of the shape, both sides; after 2^32-1 comes 2^31, which is at the same place of a ring
    # line 1
    Side side[2]
    u64 previous        # ns, newest packet of the shape, or of the handshake before there is one
    u32 held            # first held-back segment (pool index + 1), 0 none; in a free slot the next free one
    u32 hits            # first hit (pool index + 1), 0 none
    # line 2, first half
    u64 start           # ns
    u32 first_ms[2]     # ms from start to each side's first packet
    u32 last_ms[2]      # ms from start to each side's newest packet
    u32 turn_bytes      # bytes of the turn under way, saturating
    u16 turn_think      # think code before its first packet
    u8 proto
    u8 reason           # END_*, once ended

cdef struct Cold:
    u64 resyn_ts        # ns, a SYN that may be a new connection on this flow's addresses and ports
    u32 resyn_seq       # its sequence number + 1; valid with F_RESYN0/1
    u32 birth           # place in the queue of half-open flows
    u32 iface
    u16 vlan
    u16 vlan2
    u32 threads         # pool index + 1; valid with F_THREADS

cdef enum:
    NO_RTT = 0xFFFFFFFF

cdef enum:
    F_USED = 1 << 0         # the slot holds a flow
    F_CLIENT1 = 1 << 1      # endpoint 1 is the client
    F_LAST1 = 1 << 2        # the newest packet of the shape or handshake came from endpoint 1
    F_KNOWN0 = 1 << 3       # side[0].next is known
    F_KNOWN1 = 1 << 4
    F_FIN0 = 1 << 5         # endpoint 0 has sent all it will send
    F_FIN1 = 1 << 6
    F_BEGUN = 1 << 7        # the beginning was seen: `<` may match
    F_SYNACK = 1 << 8       # answered by SYN+ACK
    F_OPEN = 1 << 9         # answered: the handshake is complete, or both sides have spoken
    F_GAP = 1 << 10         # something of this flow was not seen
    F_CLOSED = 1 << 11      # ended; kept a while for what comes late
    F_QUEUED = 1 << 12      # waits to be reported
    F_UNLINKED = 1 << 13    # no longer in the index
    F_RESYN0 = 1 << 14      # endpoint 0 sent a SYN that does not belong to this connection
    F_RESYN1 = 1 << 15
    F_TURN = 1 << 16        # a turn is under way
    F_TURN1 = 1 << 17       # by endpoint 1
    F_ACKED = 1 << 18       # the handshake's last ACK was seen
    F_HAVE_SYN = 1 << 19    # a SYN without ACK was seen
    F_PORT_GUESS = 1 << 20  # the client was guessed from a port
    F_STARTED = 1 << 21     # the automata have been put in their first state
    F_RESETTING = 1 << 22   # a RST waits for what is missing before it
    F_RESET = 1 << 23       # a RST has ended it
    F_UDP = 1 << 24         # the protocol once more, so that the sweep reads line 0 alone
    F_ICMP = 1 << 25
    F_HOLDING = 1 << 26     # segments were held; the sweep looks whether they have waited long enough
    F_NEWS = 1 << 27        # has hits that wait to be told while it is open
    F_FOLLOWED = 1 << 28    # what signatures with references that begin with the flow match is read from threads
    F_THREADS = 1 << 29     # there are some, or else none of these matches any more
    F_NOT_FOLLOWED = 1 << 30    # a bound was met: the history is all that is known

cdef enum:
    END_FIN = 1
    END_RST = 2
    END_TIMEOUT = 3
    END_REUSE = 4
    END_OPEN = 5
    END_EVICTED = 6
    END_HALF_OPEN = 7

cdef inline u32 client_of(const Flow *flow) noexcept nogil:
    return 1 if flow.flags & F_CLIENT1 else 0

cdef inline void opened(Flow *flow) noexcept nogil:
    """Both sides have been heard: the flow is no longer the first to make room."""
    flow.flags |= F_OPEN

cdef inline u32 turns_of(const Flow *flow) noexcept nogil:
    """Turns completed by both sides."""
    return flow.side[0].turns + flow.side[1].turns
