# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine's main path: a batch of records in, ended flows and news of open ones out.

The loop over a batch does one thing: fetch ahead, find the flow, hand the record on. A million flows do not fit in any
cache, so a record's index entry is fetched some records ahead, then its flow, then the place in the history that it
will write; by the time its turn comes nothing has to be waited for.

An Engine belongs to one thread. It never blocks and allocates nothing per packet.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memset

from engine.arrays cimport give_back, reserve
from engine.conditions cimport apply_conditions
from engine.core cimport ENDED_ROOM, NEWS_ROOM, Core, Held, HitNode, Pool, Threads
from engine.counters cimport MIDSTREAM, NO_ROOM, RECORDS, bump
from engine.counters import NAMES
from engine.flow cimport (
    END_REUSE, F_BEGUN, F_CLIENT1, F_CLOSED, F_HAVE_SYN, F_KNOWN0, F_KNOWN1, F_NEWS, F_OPEN, F_PORT_GUESS, F_SYNACK, Flow, opened,
    turns_of,
)
from engine.lifecycle cimport (
    FULL, begin_flow, end_flow, finish, flow_for, forget_flow, release_reported, room_beside, sweep,
)
from engine.loading cimport exchange_program, free_program, load_program
from engine.losses cimport lost_between
from engine.matching cimport deliver
from engine.record cimport TCP, TH_SYN, ft_record, ft_tag, likely, prefetch, u8, u16, u32, u64, unlikely
from engine.report cimport flow_object
from engine.results import Limits
from engine.table cimport (
    NOT_FOUND, cold_of, flow_at, history_place, packet_history, peek, prefetch_index, table_clear, table_free,
    table_init, turn_history,
)
from engine.tcp cimport GOES_ON, PIECES_MAX, REPLACED, cut_short, tcp_record
from engine.think cimport think_code

cdef enum:
    INDEX_AHEAD = 16        # records between fetching an index entry and using it
    FLOW_AHEAD = 10         # ... a flow
    HISTORY_AHEAD = 4       # ... the places in its history
    ENDED_BY_ONE = 8        # more flows than one record can end, or make news of
    PART = 16               # advance() looks at such a part of the table ...
    LEAST_PART = 4096       # ... or at so many flows


cdef class Engine:
    """Flows, their shapes and their matches, from records. See loop.pyi."""

    cdef Core *core
    cdef readonly object program
    cdef readonly object limits

    def __cinit__(self, program, limits=None, *, bint report_all=False, bint early=False, bint live=False):
        cdef Core *c
        limits = limits or Limits()
        limits.check()
        self.program = program
        self.limits = limits
        c = self.core = <Core *>calloc(1, sizeof(Core))
        if not c:
            raise MemoryError()
        table_init(&c.table, limits.flows, limits.first, limits.ring, limits.turn_first, limits.turn_ring)
        pool_init(&c.held, sizeof(Held), link_in_held(), limits.held)
        pool_init(&c.hits, sizeof(HitNode), link_in_hit(), limits.hits)
        pool_init(&c.threads, sizeof(Threads), 0, limits.threads)
        load_program(c, program, limits, c.counters)
        c.report_all = report_all
        c.early = early
        c.keep_turns = live or c.active[1]
        c.idle_tcp = nanoseconds(limits.idle_tcp)
        c.idle_udp = nanoseconds(limits.idle_udp)
        c.idle_icmp = nanoseconds(limits.idle_icmp)
        c.idle_half_open = nanoseconds(limits.idle_half_open)
        c.linger = nanoseconds(limits.linger)
        c.hold = nanoseconds(limits.hold)
        c.hold_covered = nanoseconds(limits.hold_covered)

    def __dealloc__(self):
        cdef Core *c = self.core
        if not c:
            return
        table_free(&c.table)
        give_back(c.held.items, <u64>c.held.capacity * c.held.size)
        give_back(c.hits.items, <u64>c.hits.capacity * c.hits.size)
        give_back(c.threads.items, <u64>c.threads.capacity * c.threads.size)
        free_program(c)
        free(c)

    def process(self, const unsigned char[::1] records, const unsigned char[::1] tags, u32 start, u32 count):
        cdef u32 done
        if <u64>records.shape[0] < (<u64>start + count) * sizeof(ft_record):
            raise ValueError(f"{count} records from {start} on do not fit in {records.shape[0]} bytes")
        if <u64>tags.shape[0] < (<u64>start + count) * sizeof(ft_tag):
            raise ValueError(f"{count} tags from {start} on do not fit in {tags.shape[0]} bytes")
        if count == 0:
            return 0
        with nogil:
            done = process(self.core, <const ft_record *>&records[0] + start, <const ft_tag *>&tags[0] + start, count)
        return done

    def advance(self, u64 now_ns, u32 slots=0):
        cdef Core *c = self.core
        cdef u32 looked
        with nogil:
            c.clock = max(c.clock, now_ns)
            c.clock_next = max(c.clock_next, now_ns)
            if slots == 0:
                slots = max(c.table.top // PART, <u32>LEAST_PART)
            looked = sweep(c, slots)
        return looked == slots

    def lost(self, u64 from_ns, u64 to_ns):
        lost_between(self.core, from_ns, to_ns)

    def swap(self, program):
        if program == self.program:
            return
        exchange_program(self.core, self.program, program, self.limits)
        self.program = program

    def finish(self):
        cdef bint done
        with nogil:
            done = finish(self.core)
        return done

    def take(self):
        cdef Core *c = self.core
        cdef Flow *f
        cdef u32 i
        cdef list flows = []
        with nogil:
            apply_conditions(c)
        for i in range(c.ended_count):
            f = flow_at(&c.table, c.ended[i])
            if c.report_all or f.hits:
                flows.append(flow_object(c, f, False))
            release_reported(c, c.ended[i])
        c.ended_count = 0
        return flows

    def news(self):
        cdef Core *c = self.core
        cdef Flow *f
        cdef u32 i
        cdef list flows = []
        for i in range(c.news_count):
            f = flow_at(&c.table, c.news[i])
            # the slot may be another flow's by now, which has no news or has been entered itself
            if f.flags & (F_NEWS | F_CLOSED) == F_NEWS:
                flow = flow_object(c, f, True)
                if flow.hits:
                    flows.append(flow)
            f.flags &= ~<u32>F_NEWS
        c.news_count = 0
        return flows

    @property
    def waiting(self):
        return self.core.ended_count

    def reset(self):
        cdef Core *c = self.core
        c.ended_count = c.news_count = c.lost_count = 0
        c.finish_hand = 0
        c.clock = c.clock_next = 0
        c.held.top = c.held.free_head = 0
        c.hits.top = c.hits.free_head = 0
        c.threads.top = c.threads.free_head = c.threads_used = 0
        table_clear(&c.table)

    def counters(self):
        return {name: self.core.counters[i] for i, name in enumerate(NAMES)}

    def memory(self):
        cdef Core *c = self.core
        return {
            "flows": c.table.used,
            "flow_bytes": c.table.stride,
            "index_bytes": c.table.index_bytes,
            "packet_states": c.automaton[0].built.state_count,
            "turn_states": c.automaton[1].built.state_count,
        }


def encode_think(u64 microseconds):
    """The think code that the engine gives to a time; for the test that holds it to sigdb.think."""
    return think_code(microseconds)


cdef u32 link_in_held() noexcept:
    cdef Held h
    return <u32>(<char *>&h.next - <char *>&h)


cdef u32 link_in_hit() noexcept:
    cdef HitNode h
    return <u32>(<char *>&h.next - <char *>&h)


cdef u64 nanoseconds(double seconds) except? 0:
    # a century is for ever, and added to a time of our days it does not wrap
    return <u64>(min(seconds, 3e9) * 1e9)


cdef int pool_init(Pool *p, u32 size, u32 link, u32 capacity) except -1:
    memset(p, 0, sizeof(Pool))
    p.size = size
    p.link = link
    p.capacity = capacity
    p.items = <u8 *>reserve(<u64>capacity * size)
    return 0


cdef u32 process(Core *c, const ft_record *records, const ft_tag *tags, u32 count) noexcept nogil:
    """Take records until all are done or ended flows must be reported first; returns how many."""
    cdef u32 ahead[16]
    cdef u32 i, slot
    cdef Flow *f
    # new flows may take slots that an unfinished finish() has passed
    c.finish_hand = 0
    for i in range(min(count, INDEX_AHEAD)):
        prefetch_index(&c.table, records[i].hash)
    for i in range(min(count, FLOW_AHEAD)):
        ahead[i & 15] = fetch_flow(c, &records[i])
    i = 0
    while i < count and c.ended_count + ENDED_BY_ONE <= ENDED_ROOM and c.news_count + ENDED_BY_ONE <= NEWS_ROOM:
        if i + INDEX_AHEAD < count:
            prefetch_index(&c.table, records[i + INDEX_AHEAD].hash)
        if i + FLOW_AHEAD < count:
            ahead[(i + FLOW_AHEAD) & 15] = fetch_flow(c, &records[i + FLOW_AHEAD])
        if i + HISTORY_AHEAD < count:
            slot = ahead[(i + HISTORY_AHEAD) & 15]
            if slot != NOT_FOUND:
                fetch_history(c, flow_at(&c.table, slot))
        if not take_record(c, &records[i], &tags[i]):
            if c.ended_count:
                break
            bump(c.counters, NO_ROOM)
        i += 1
    bump(c.counters, RECORDS, i)
    if i:
        c.clock = min(c.clock_next, records[i - 1].ts) if c.clock_next else records[i - 1].ts
        c.clock_next = records[i - 1].ts
        sweep(c, i // 8 + 1)
    return i


cdef inline void fetch_history(Core *c, Flow *f) noexcept nogil:
    """Fetch where a flow's next packet and turn will be written.

    The same for the automaton's transition was tried: computing the symbol twice costs more than the miss.
    """
    prefetch(packet_history(&c.table, f) + history_place(f.packets, c.table.first, c.table.ring))
    if c.active[1]:
        prefetch(turn_history(f) + history_place(turns_of(f), c.table.turn_first, c.table.turn_ring))


cdef inline u32 fetch_flow(Core *c, const ft_record *r) noexcept nogil:
    cdef u32 slot = peek(&c.table, r.hash)
    cdef Flow *f
    if slot != NOT_FOUND:
        f = flow_at(&c.table, slot)
        prefetch(f)
        prefetch(<char *>f + 64)
        prefetch(<char *>f + 128)
    return slot


cdef inline bint take_record(Core *c, const ft_record *r, const ft_tag *tag) noexcept nogil:
    """One record into its flow; False when there is no room for a new flow."""
    cdef u32 endpoint = 0
    cdef u32 outcome
    cdef u32 slot = flow_for(c, r, tag, &endpoint)
    cdef Flow *f
    if unlikely(slot >= FULL):
        return slot == NOT_FOUND
    f = flow_at(&c.table, slot)
    if r.ts > f.last:
        f.last = r.ts
    if r.proto != TCP:
        datagrams(c, f, endpoint, r)
        return True
    outcome = tcp_record(c, f, endpoint, r)
    if likely(outcome == GOES_ON):
        return True
    if outcome != REPLACED:
        end_flow(c, slot, outcome)
        return True
    return replace(c, slot, r, tag)


cdef void datagrams(Core *c, Flow *f, u32 endpoint, const ft_record *r) noexcept nogil:
    """A UDP or ICMP record: one datagram, or the ones that GRO/GSO had merged."""
    cdef u32 left = r.len
    cdef u32 pieces = 1
    if r.seg and r.seg < r.len:
        while left > r.seg:
            pieces += 1
            if unlikely(pieces > PIECES_MAX):
                cut_short(c, f)
                break
            deliver(c, f, endpoint, r.seg, r.ts, False)
            left -= r.seg
    deliver(c, f, endpoint, min(left, <u32>65535), r.ts, False)
    if not f.flags & F_OPEN and f.side[0].packets and f.side[1].packets:
        opened(f)


cdef bint replace(Core *c, u32 slot, const ft_record *r, const ft_tag *tag) noexcept nogil:
    """The answer to a newer SYN on the flow's addresses and ports, or the first data behind that SYN: end that flow,
    begin the new one."""
    cdef Flow *f = flow_at(&c.table, slot)
    cdef u32 first = cold_of(&c.table, f).resyn_seq
    cdef u64 ts = cold_of(&c.table, f).resyn_ts
    cdef u32 client = 1 if r.tcpflags & TH_SYN else 0
    if not room_beside(c, slot):
        return False
    end_flow(c, slot, END_REUSE)
    forget_flow(c, slot)
    slot = begin_flow(c, r, tag)
    if slot == FULL:
        return False
    f = flow_at(&c.table, slot)
    # endpoint 0 is now the sender of the record; begin_flow took it for a flow whose SYN was not seen
    f.flags &= ~<u32>(F_SYNACK | F_CLIENT1 | F_PORT_GUESS)
    f.flags |= F_HAVE_SYN | F_BEGUN | (F_CLIENT1 | F_KNOWN1 if client else F_KNOWN0)
    bump(c.counters, MIDSTREAM, -1)
    f.side[client].next = first
    f.start = f.previous = ts
    tcp_record(c, f, 0, r)
    return True
