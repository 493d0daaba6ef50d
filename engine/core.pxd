# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hot modules of one engine share: the tables, the automata, two pools, the limits, the counters.

Everything is owned by one thread; nothing here is locked.
"""

from engine.automaton cimport Automaton
from engine.counters cimport COUNTERS
from engine.exact cimport WORDS, Exact
from engine.record cimport u8, u16, u32, u64
from engine.table cimport Table

cdef enum:
    WORDS_HERE = 9      # words of evidence in the hit itself; the others are in a HitMore
    ENDED_ROOM = 4096   # ended flows that may wait to be reported
    NEWS_ROOM = 4096    # open flows whose first hits may wait to be told
    LOST_ROOM = 64      # intervals of losses kept
    THREADS = 256       # of one flow
    VALUES = 4          # sizes that one thread keeps

# A TCP segment behind a hole, or one of the other side that came after such a segment.
cdef struct Held:
    u64 ts
    u64 deadline        # ns, packet time: until then the hole may fill
    u32 seq
    u32 len
    u32 next            # pool index + 1
    u32 next_then       # sequence number that its side expected when it was held
    u16 seg
    u16 ack
    u8 tcpflags
    u8 endpoint

# The hits of one signature in one flow, with the evidence of the first: packets as size | think code << 16 |
# side << 31, turns as size, then think code | kind << 16; HOLE_WORD where some are left out. One cache line, as a
# broad signature with a narrow condition hits many flows.
cdef struct HitNode:
    u64 ts              # ns, the first hit
    u32 next            # pool index + 1
    u32 signature
    u32 count
    u32 more            # pool index + 1 of the rest of the evidence, 0 none
    u8 words
    u8 told             # it was told while the flow was open
    u16 seen            # not 0: no words are kept, the evidence is among the flow's first so many packets or turns
    u32 word[WORDS_HERE]

cdef struct HitMore:
    u32 next
    u32 word[WORDS - WORDS_HERE]

# A thread of threads.pyx: a position that the newest packet took, and the sizes that later references want.
cdef struct Thread:
    u32 position
    u32 value[VALUES]

# The threads of a flow.
cdef struct Threads:
    u32 next
    u32 count
    u32 key             # the newest packet: size, class of its pause, side
    bint steady         # it changed nothing, so another one like it does not either
    Thread thread[THREADS]

# Per position: the slots whose sizes are referred to later.
cdef struct Live:
    u16 slot[VALUES]
    u16 count

# Which signatures of a program are followed past the history, and room to begin.
cdef struct Following:
    bint any
    Live *live
    u8 *followed        # per signature
    Thread *seed[2]

# A time in which records were lost.
cdef struct Lost:
    u64 begin
    u64 end

# Fixed-size items, reserved at start; freed ones are used first. Items are chained by a u32 at `link`.
cdef struct Pool:
    u8 *items
    u32 size
    u32 link
    u32 capacity
    u32 top
    u32 free_head

cdef struct Asked:
    u32 slot
    u32 hit             # pool index + 1
    u32 next            # place + 1 of the next one asked about the same signature

# The `where` conditions of a program, and room to evaluate them over a batch of hits.
cdef struct Conditions:
    bint any
    u32 *start          # per signature, and one more: its slice of ops and args
    u8 *ops
    double *args
    u32 *used           # per signature: a bit for each variable that it asks for
    Asked *asked
    u32 *chain          # per signature: place + 1 of the newest one asked
    u32 *touched        # the signatures that were asked about
    double *columns
    double *stack
    u8 *holds

cdef struct Core:
    Table table
    Automaton automaton[2]      # packets, turns
    Exact exact[2]
    Conditions conditions
    Following following
    bint active[2]              # whether there are signatures over this stream
    Pool held
    Pool hits
    Pool threads
    u32 threads_used
    u8 *program_stream          # per signature: 0 packets, 1 turns
    u16 *port_class             # tcp, udp, icmp by server port
    u16 pause_code              # think code from which a gap is a pause
    bint report_all
    bint early          # first hits are told at once
    bint keep_turns     # the history of turns is kept though nothing is compared with it: the program may change
    u64 idle_tcp                # ns without a record after which a flow has ended ...
    u64 idle_udp
    u64 idle_icmp
    u64 idle_half_open
    u64 linger                  # ... or an ended one is forgotten
    u64 hold                    # ns that a segment waits for the hole before it to fill
    u64 hold_covered            # the same once the peer acknowledged past the hole
    u64 clock                   # ns, packet time as of the batch before
    u64 clock_next
    u32 finish_hand
    u32 ended[ENDED_ROOM]
    u32 ended_count
    u32 news[NEWS_ROOM]         # slots; the flow has F_NEWS
    u32 news_count
    Lost lost[LOST_ROOM]        # ascending, apart from one another
    u32 lost_count
    u64 counters[COUNTERS]

cdef inline u32 pool_take(Pool *p) noexcept nogil:
    """An item's number + 1, or 0 when the pool is used up."""
    cdef u32 n
    if p.free_head:
        n = p.free_head
        p.free_head = (<u32 *>(p.items + <u64>(n - 1) * p.size + p.link))[0]
        return n
    if p.top == p.capacity:
        return 0
    p.top += 1
    return p.top

cdef inline void pool_give(Pool *p, u32 n) noexcept nogil:
    (<u32 *>(p.items + <u64>(n - 1) * p.size + p.link))[0] = p.free_head
    p.free_head = n

cdef inline Held *held_at(Core *c, u32 n) noexcept nogil:
    return <Held *>(c.held.items + <u64>(n - 1) * sizeof(Held))

cdef inline HitNode *hit_at(Core *c, u32 n) noexcept nogil:
    return <HitNode *>(c.hits.items + <u64>(n - 1) * sizeof(HitNode))

cdef inline HitMore *more_at(Core *c, u32 n) noexcept nogil:
    return <HitMore *>(c.hits.items + <u64>(n - 1) * sizeof(HitNode))

cdef inline Threads *threads_at(Core *c, u32 n) noexcept nogil:
    return <Threads *>(c.threads.items + <u64>(n - 1) * sizeof(Threads))

cdef inline void hit_give(Core *c, u32 n) noexcept nogil:
    """Free a hit and the rest of its evidence."""
    if hit_at(c, n).more:
        pool_give(&c.hits, hit_at(c, n).more)
    pool_give(&c.hits, n)
