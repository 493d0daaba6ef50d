# SPDX-License-Identifier: LGPL-2.1-or-later
"""How flows begin, end, make room and are forgotten.

Idle flows are found in two ways that agree: when a record comes for one (`flow_for`), and by a sweep over the pool that
goes a little way after each batch. So what a flow is does not depend on when the sweep passes, and no packet pays for
a queue ordered by time. The sweep's clock is the time of the batch before: a single packet with a mad timestamp does
not end the flows of others.

Ended TCP flows stay in the index for a while, so that a late FIN or RST does not begin a flow of its own. Flows that
are to be reported stay in the pool until they are.
"""

from engine.core cimport ENDED_ROOM, NEWS_ROOM, Core, HitNode, hit_at, hit_give
from engine.counters cimport (
    AFTER_CLOSE, ENDED_EVICTED, ENDED_FIN, ENDED_HALF_OPEN, ENDED_OPEN, ENDED_REUSE, ENDED_RST, ENDED_TIMEOUT, FLOWS,
    MIDSTREAM, STRAY, bump,
)
from engine.flow cimport (
    END_EVICTED, END_FIN, END_HALF_OPEN, END_OPEN, END_REUSE, END_RST, END_TIMEOUT, F_BEGUN, F_CLIENT1, F_CLOSED,
    F_FIN0, F_FIN1, F_HAVE_SYN, F_HOLDING, F_ICMP, F_NEWS, F_OPEN, F_PORT_GUESS, F_QUEUED, F_RESET, F_RESETTING,
    F_SYNACK, F_UDP, F_UNLINKED, F_USED, NO_RTT, Cold, Flow,
)
from engine.matching cimport end_matching
from engine.record cimport (
    ICMP, ICMPV6, TCP, TH_ACK, TH_FIN, TH_RST, TH_SYN, UDP, ft_record, ft_tag, likely, prefetch, u16, u32, u64,
)
from engine.table cimport (
    NOT_FOUND, cold_of, flow_at, table_born, table_find, table_new, table_oldest_half_open, table_release,
    table_unlink, table_victim,
)
from engine.tcp cimport flush_held, is_original, release_late
from engine.threads cimport threads_end

cdef enum:
    WELL_KNOWN = 1024       # ports below it belong to servers


cdef inline u64 patience(Core *c, const Flow *f) noexcept nogil:
    """Nanoseconds that a flow may be idle."""
    if f.flags & (F_CLOSED | F_RESETTING | F_UDP | F_ICMP):
        return c.idle_udp if f.flags & F_UDP else c.idle_icmp if f.flags & F_ICMP else c.linger
    return c.idle_tcp if f.flags & F_OPEN or f.packets else c.idle_half_open


cdef u32 flow_for(Core *c, const ft_record *r, const ft_tag *tag, u32 *endpoint) noexcept nogil:
    """The slot of the record's flow, begun if need be; NOT_FOUND when the record belongs to none, or FULL."""
    cdef u32 slot = table_find(&c.table, r, endpoint)
    cdef Flow *f
    cdef bint bare_syn
    if likely(slot != NOT_FOUND):
        f = flow_at(&c.table, slot)
        if likely(r.ts <= f.last + patience(c, f)):
            if likely(not f.flags & F_CLOSED):
                return slot
            bare_syn = r.tcpflags & (TH_SYN | TH_ACK) == TH_SYN
            if not bare_syn or is_original(f, endpoint[0], r.seq + 1):
                bump(c.counters, AFTER_CLOSE)
                return NOT_FOUND
        end_flow(c, slot, END_TIMEOUT)
        forget_flow(c, slot)
    if r.proto == TCP and r.len == 0 and not r.tcpflags & TH_SYN:
        bump(c.counters, STRAY)
        return NOT_FOUND
    endpoint[0] = 0
    return begin_flow(c, r, tag)


cdef u32 begin_flow(Core *c, const ft_record *r, const ft_tag *tag) noexcept nogil:
    """A new flow whose endpoint 0 is the record's source; FULL when there is no room yet."""
    cdef u32 slot = table_new(&c.table, r)
    cdef Flow *f
    cdef Cold *cold
    if slot == NOT_FOUND:
        # what waits to be reported makes room without costing a flow, however often take() is called
        if c.ended_count or not make_room(c):
            return FULL
        slot = table_new(&c.table, r)
        if slot == NOT_FOUND:
            return FULL
    f = flow_at(&c.table, slot)
    f.start = f.last = f.previous = r.ts
    cold = cold_of(&c.table, f)
    cold.iface = tag.iface
    cold.vlan = tag.vlan
    cold.vlan2 = tag.vlan2
    f.side[0].rtt = f.side[1].rtt = NO_RTT
    bump(c.counters, FLOWS)
    if r.proto != TCP:
        f.flags |= F_UDP if r.proto == UDP else F_ICMP
        guess_client(f)
        # a first datagram from what must be the server is an answer to one that was not seen
        if not f.flags & F_CLIENT1:
            f.flags |= F_BEGUN
    elif r.tcpflags & (TH_SYN | TH_ACK) == TH_SYN:
        f.flags |= F_HAVE_SYN | F_BEGUN
    elif r.tcpflags & TH_SYN:
        f.flags |= F_CLIENT1 | F_SYNACK
        bump(c.counters, MIDSTREAM)
    else:
        guess_client(f)
        bump(c.counters, MIDSTREAM)
    table_born(&c.table, slot)
    return slot


cdef void guess_client(Flow *f) noexcept nogil:
    """Without a SYN: a well-known port, else for TCP the lower one, is the server; else the first speaker is client."""
    cdef bint known0 = f.port0 < WELL_KNOWN
    cdef bint known1 = f.port1 < WELL_KNOWN
    if f.proto == ICMP or f.proto == ICMPV6 or f.port0 == f.port1:
        return
    if known0 != known1:
        f.flags |= F_PORT_GUESS | (F_CLIENT1 if known0 else 0)
    elif f.proto == TCP:
        f.flags |= F_PORT_GUESS | (F_CLIENT1 if f.port0 < f.port1 else 0)


cdef bint make_room(Core *c) noexcept nogil:
    """End one flow before its time: the oldest half-open one, else one that is closed or long idle."""
    cdef u32 slot = table_oldest_half_open(&c.table)
    if slot != NOT_FOUND:
        end_flow(c, slot, END_HALF_OPEN)
        forget_flow(c, slot)
        return True
    slot = table_victim(&c.table)
    if slot == NOT_FOUND:
        return False
    end_flow(c, slot, END_EVICTED)
    forget_flow(c, slot)
    return True


cdef bint room_beside(Core *c, u32 slot) noexcept nogil:
    """Make sure that a flow can begin while the one in `slot` stays; False when ended flows must be taken first."""
    cdef Flow *f = flow_at(&c.table, slot)
    if c.table.free_head or c.table.top < c.table.capacity:
        return True
    if c.ended_count:
        return False
    f.flags |= F_UNLINKED   # so that it is not the one that goes
    make_room(c)
    f.flags &= ~<u32>F_UNLINKED
    return c.ended_count == 0


cdef void end_flow(Core *c, u32 slot, u32 reason) noexcept nogil:
    """End a flow once; what it still holds is delivered and its last matches are made. Nothing if it has ended."""
    cdef Flow *f = flow_at(&c.table, slot)
    if f.flags & F_CLOSED:
        return
    if f.held:
        flush_held(c, f)
    if f.flags & F_RESET:
        reason = END_RST
    if reason == END_OPEN and f.flags & (F_FIN0 | F_FIN1):
        reason = END_FIN
    # both had been held behind a hole
    if reason == END_TIMEOUT and f.flags & (F_FIN0 | F_FIN1) == F_FIN0 | F_FIN1:
        reason = END_FIN
    f.reason = <unsigned char>reason
    f.flags |= F_CLOSED
    end_matching(c, f, reason == END_FIN or reason == END_RST or reason == END_TIMEOUT)
    threads_end(c, f)
    if reason == END_FIN:
        bump(c.counters, ENDED_FIN)
    elif reason == END_RST:
        bump(c.counters, ENDED_RST)
    elif reason == END_TIMEOUT:
        bump(c.counters, ENDED_TIMEOUT)
    elif reason == END_REUSE:
        bump(c.counters, ENDED_REUSE)
    elif reason == END_OPEN:
        bump(c.counters, ENDED_OPEN)
    elif reason == END_EVICTED:
        bump(c.counters, ENDED_EVICTED)
    else:
        bump(c.counters, ENDED_HALF_OPEN)
    if c.report_all or f.hits:
        f.flags |= F_QUEUED
        c.ended[c.ended_count] = slot
        c.ended_count += 1


cdef void forget_flow(Core *c, u32 slot) noexcept nogil:
    """Take an ended flow out of the index; its slot is free once it is reported."""
    cdef Flow *f = flow_at(&c.table, slot)
    if f.flags & F_UNLINKED:
        return
    table_unlink(&c.table, slot)
    if not f.flags & F_QUEUED:
        table_release(&c.table, slot)


cdef void release_reported(Core *c, u32 slot) noexcept nogil:
    """Free what an ended flow kept for its report."""
    cdef Flow *f = flow_at(&c.table, slot)
    cdef u32 n = f.hits
    cdef u32 after
    while n:
        after = hit_at(c, n).next
        hit_give(c, n)
        n = after
    f.hits = 0
    f.flags &= ~<u32>(F_QUEUED | F_NEWS)
    if f.flags & F_UNLINKED:
        table_release(&c.table, slot)


cdef u32 sweep(Core *c, u32 slots) noexcept nogil:
    """Look at some slots, going round the pool: release what was held, end or forget what was idle, for too long.

    Returns how many: less than were asked for when what has ended or is news must be taken first.
    """
    cdef u32 i, slot
    cdef u32 most = min(slots, c.table.top)
    cdef Flow *f
    for i in range(most):
        if c.ended_count + 2 > ENDED_ROOM // 2 or c.news_count > NEWS_ROOM // 2:
            return i
        slot = c.table.sweep
        c.table.sweep += 1
        if c.table.sweep >= c.table.top:
            c.table.sweep = 0
        f = flow_at(&c.table, slot)
        prefetch(<char *>f + 4 * c.table.stride)
        if f.flags & (F_USED | F_UNLINKED) != F_USED:
            continue
        if f.flags & (F_HOLDING | F_CLOSED) == F_HOLDING:
            release_late(c, f)
            if f.flags & F_RESET or f.flags & (F_FIN0 | F_FIN1) == F_FIN0 | F_FIN1:
                end_flow(c, slot, END_FIN)
        if c.clock > f.last + patience(c, f):
            end_flow(c, slot, END_TIMEOUT)
            forget_flow(c, slot)
    return slots


cdef bint finish(Core *c) noexcept nogil:
    """End all flows because there is nothing more to read; False when some must be reported first."""
    cdef u32 slot
    cdef Flow *f
    while c.finish_hand < c.table.top:
        if c.ended_count == ENDED_ROOM:
            return False
        slot = c.finish_hand
        c.finish_hand += 1
        f = flow_at(&c.table, slot)
        if f.flags & (F_USED | F_UNLINKED) == F_USED:
            end_flow(c, slot, END_TIMEOUT if c.clock_next > f.last + patience(c, f) else END_OPEN)
            forget_flow(c, slot)
    c.finish_hand = 0
    return True
