# SPDX-License-Identifier: LGPL-2.1-or-later
"""TCP sequence tracking: from segments as they pass to the packets of the shape, each byte once and in order.

Only new sequence space advances a flow (RFC 9293, section 3.4: all comparisons modulo 2^32). Complications:

1. A merged super-segment (GRO/TSO) is cut into the packets that were on the wire before anything else is decided, so
   a shape does not depend on offloads (`take`).
2. A segment behind a hole is held, and so is everything that follows it in either direction: when the hole fills, the
   packets come out as they would have without the loss (`hold`, `drain`). Letting the other side pass would put an
   answer before its question. A filler takes the time of the first held segment: its bytes were sent before those.
   An acknowledgement of bytes that were not seen is the same evidence of a hole as a gap in the numbers (`awaited`).
3. A hole that does not fill (lost before the tap, or on it) must not hold a flow for long: there is a deadline, a short
   one once the peer has acknowledged what is missing, and a bound on their number. Then the flow is marked (`give_up`).
4. A forged segment far ahead must not make the real ones look old: if its side went on without it, it is dropped
   instead of followed (`give_up`).
5. RST counts only when its sequence number is in the window (RFC 5961, section 3.2), or refuses our SYN by number.
6. A SYN on an open flow may be old, forged, or a new connection on the same ports: only the answer tells (`syn_ack`).
"""

from engine.core cimport Core, Held, held_at, pool_give, pool_take
from engine.counters cimport (
    CUT, GAPS, HELD_FULL, KEEPALIVES, OUT_OF_WINDOW, REORDERED, RETRANSMITTED, RST_IGNORED, bump,
)
from engine.flow cimport (
    END_FIN, END_RST, F_ACKED, F_BEGUN, F_CLIENT1, F_FIN0, F_GAP, F_HAVE_SYN, F_HOLDING, F_KNOWN0, F_LAST1, F_OPEN,
    F_PORT_GUESS, F_RESET, F_RESETTING, F_RESYN0, F_RESYN1, F_SYNACK, NO_RTT, Flow, Side, client_of, opened,
)
from engine.matching cimport deliver
from engine.record cimport TH_ACK, TH_FIN, TH_RST, TH_SYN, ft_record, i32, likely, u8, u16, u32, u64, unlikely
from engine.table cimport cold_of

cdef enum:
    MAX_HELD = 32               # segments held per flow
    RST_WINDOW = 65536          # how far ahead a RST may be: the window without scaling
    MAX_AHEAD = 1 << 30         # the largest window there is (RFC 7323, section 2.3)
    NOBODY = 2
    FAR_AHEAD = 1 << 20         # beyond this a hole is not believed if the flow goes on without it


cdef u32 tcp_record(Core *c, Flow *f, u32 endpoint, const ft_record *r) noexcept nogil:
    """Take a record of an open flow; returns GOES_ON, REPLACED, END_FIN or END_RST."""
    cdef u32 flags = r.tcpflags
    cdef Held s
    if unlikely(flags & TH_SYN):
        if flags & TH_ACK:
            if not syn_ack(c, f, endpoint, r):
                return REPLACED
        else:
            syn(c, f, endpoint, r)
        if r.len == 0 or not f.flags & (F_KNOWN0 << endpoint) or f.side[endpoint].next != r.seq + 1:
            return GOES_ON
    elif unlikely(flags & TH_RST):
        if not rst_counts(c, f, endpoint, r):
            return GOES_ON
    elif r.len == 0 and not flags & TH_FIN:
        handshake_ack(c, f, endpoint, r)
        return GOES_ON
    if unlikely(f.flags & (F_RESYN0 << endpoint)) and r.seq == cold_of(&c.table, f).resyn_seq:
        return REPLACED
    s.ts = r.ts
    s.seq = r.seq + 1 if flags & TH_SYN else r.seq
    s.len = 0 if flags & TH_RST else r.len
    s.seg = r.seg
    s.ack = r.ack
    s.next = 0
    s.tcpflags = <u8>flags
    s.endpoint = <u8>endpoint
    if unlikely(flags & TH_RST):
        reset_by(c, f, &s)
    else:
        segment(c, f, &s)
    if not f.flags & F_OPEN:
        if (f.side[0].packets and f.side[1].packets) or (f.flags & F_SYNACK and endpoint == client_of(f)):
            opened(f)
    if unlikely(f.flags & F_RESET):
        return END_RST
    if unlikely(f.flags & (F_FIN0 * 3) == F_FIN0 * 3):
        return END_FIN
    return GOES_ON


cdef inline void heard(Flow *f, u32 endpoint, u64 ts) noexcept nogil:
    """A packet of the handshake is what the next gap counts from."""
    f.previous = ts
    f.flags = (f.flags & ~<u32>F_LAST1) | (F_LAST1 if endpoint else 0)


cdef void syn(Core *c, Flow *f, u32 endpoint, const ft_record *r) noexcept nogil:
    cdef u32 first = r.seq + 1
    cdef Side *side = &f.side[endpoint]
    if not known(f, endpoint):
        if f.packets:
            bump(c.counters, OUT_OF_WINDOW)
            return
        side.next = first
        f.flags |= F_KNOWN0 << endpoint
        if not f.flags & F_HAVE_SYN:
            # the SYN+ACK was seen before it: the beginning is known after all
            f.flags &= ~<u32>(F_CLIENT1 | F_PORT_GUESS)
            f.flags |= F_HAVE_SYN | F_BEGUN | (F_CLIENT1 if endpoint else 0)
        elif not f.flags & F_SYNACK:
            heard(f, endpoint, r.ts)
    elif is_original(f, endpoint, first):
        bump(c.counters, RETRANSMITTED)
        if not f.flags & F_SYNACK and f.packets == 0:
            # the answer to a retransmitted SYN is timed from its newest copy, else the wait would count as distance
            heard(f, endpoint, r.ts)
    elif not f.flags & F_SYNACK and f.packets == 0:
        side.next = first
        heard(f, endpoint, r.ts)
    else:
        bump(c.counters, OUT_OF_WINDOW)
        f.flags = (f.flags & ~<u32>(F_RESYN0 | F_RESYN1)) | (F_RESYN0 << endpoint)
        cold_of(&c.table, f).resyn_seq = first
        cold_of(&c.table, f).resyn_ts = r.ts


cdef bint syn_ack(Core *c, Flow *f, u32 endpoint, const ft_record *r) noexcept nogil:
    """False when it answers the SYN of a new connection on this flow's addresses and ports."""
    cdef u32 other = endpoint ^ 1
    cdef u32 first = r.seq + 1
    cdef Side *side = &f.side[endpoint]
    cdef u64 us
    if f.flags & (F_RESYN0 << other) and r.ack == <u16>cold_of(&c.table, f).resyn_seq:
        return False
    if known(f, endpoint):
        if is_original(f, endpoint, first):
            bump(c.counters, RETRANSMITTED)
            if not f.flags & F_ACKED and f.packets == 0:
                heard(f, endpoint, r.ts)
        else:
            bump(c.counters, OUT_OF_WINDOW)
        return True
    if known(f, other) and <u16>(<u16>f.side[other].next - r.ack) > <u16>f.side[other].bytes:
        bump(c.counters, OUT_OF_WINDOW)
        return True
    side.next = first
    f.flags |= F_KNOWN0 << endpoint | F_SYNACK
    if f.flags & F_HAVE_SYN and r.ts >= f.previous:
        us = (r.ts - f.previous) // 1000
        side.rtt = <u32>us if us < NO_RTT else NO_RTT - 1
    heard(f, endpoint, r.ts)
    return True


cdef void handshake_ack(Core *c, Flow *f, u32 endpoint, const ft_record *r) noexcept nogil:
    """The ACK that completes a handshake: it gives the round trip to the client."""
    cdef u64 us
    if (f.flags & (F_SYNACK | F_ACKED) != F_SYNACK or f.packets or endpoint != client_of(f)
            or known(f, endpoint ^ 1) and r.ack != <u16>f.side[endpoint ^ 1].next):
        return
    us = (r.ts - f.previous) // 1000 if r.ts > f.previous else 0
    f.side[endpoint].rtt = <u32>us if us < NO_RTT else NO_RTT - 1
    f.flags |= F_ACKED
    heard(f, endpoint, r.ts)
    opened(f)


cdef bint rst_counts(Core *c, Flow *f, u32 endpoint, const ft_record *r) noexcept nogil:
    cdef u32 other = endpoint ^ 1
    cdef i32 ahead
    if known(f, endpoint):
        ahead = <i32>(r.seq - f.side[endpoint].next)
        if 0 <= ahead < RST_WINDOW:
            return True
    elif r.tcpflags & TH_ACK and known(f, other) and r.ack == <u16>f.side[other].next:
        return True
    bump(c.counters, RST_IGNORED)
    return False


cdef void reset_by(Core *c, Flow *f, const Held *s) noexcept nogil:
    """A RST ends the flow once what was sent before it has been seen, or has been given up."""
    if f.held == 0 and unseen(f, s) == 0 and (not known(f, s.endpoint) or s.seq == f.side[s.endpoint].next):
        f.flags |= F_RESET
    else:
        f.flags |= F_RESETTING
        hold(c, f, s)


cdef void segment(Core *c, Flow *f, Held *s) noexcept nogil:
    """Take a segment with payload or FIN: deliver what is new and in order, hold what is behind a hole."""
    cdef u32 e = s.endpoint
    cdef i32 ahead
    if unlikely(not known(f, e)):
        f.side[e].next = s.seq
        f.flags |= F_KNOWN0 << e
        if f.flags & F_HAVE_SYN:
            f.flags |= F_GAP
    if unlikely(f.held):
        while f.held and s.ts > held_at(c, f.held).deadline:
            give_up(c, f)
    ahead = <i32>(s.seq - f.side[e].next)
    if likely(f.held == 0 and ahead == 0 and unseen(f, s) == 0):
        take(c, f, s)
    elif ahead <= 0 and f.side[e].next - s.seq >= s.len + (s.tcpflags & TH_FIN):
        if s.len <= 1 and ahead == -1 and not s.tcpflags & TH_FIN:
            bump(c.counters, KEEPALIVES)
        else:
            bump(c.counters, RETRANSMITTED)
    elif ahead > MAX_AHEAD or f.flags & (F_FIN0 << e):
        bump(c.counters, OUT_OF_WINDOW)
    elif ahead <= 0 and f.held and awaited(f, held_at(c, f.held)) == e:
        fill(c, f, s)
    elif ahead <= 0 and f.held == 0 and unseen(f, s) == 0:
        take(c, f, s)
    else:
        hold(c, f, s)


cdef inline u32 unseen(const Flow *f, const Held *s) noexcept nogil:
    """How many bytes of the other side a segment acknowledges that were not seen; 0 when there are none."""
    cdef u32 other = s.endpoint ^ 1
    cdef u16 beyond
    if not s.tcpflags & TH_ACK or not known(f, other):
        return 0
    beyond = <u16>(s.ack - <u16>f.side[other].next)
    return beyond if beyond < 32768 else 0


cdef inline u32 awaited(const Flow *f, const Held *s) noexcept nogil:
    """The endpoint whose missing bytes a segment waits for, or NOBODY."""
    if <i32>(s.seq - f.side[s.endpoint].next) > 0:
        return s.endpoint
    return s.endpoint ^ 1 if unseen(f, s) else NOBODY


cdef void fill(Core *c, Flow *f, Held *s) noexcept nogil:
    """Take a segment that fills a hole, and what was held behind it."""
    cdef u64 arrived = s.ts
    cdef u32 before
    if held_at(c, f.held).ts < s.ts:
        s.ts = held_at(c, f.held).ts
    # again and again, for what follows each held part of the same bytes
    while True:
        before = f.side[s.endpoint].next
        take(c, f, s)
        drain(c, f)
        if f.side[s.endpoint].next == before:
            break
    # the receiver had nothing to answer before the hole was filled
    if arrived > f.previous:
        f.previous = arrived


cdef void take(Core *c, Flow *f, const Held *s) noexcept nogil:
    """Deliver what of a segment is new, as packets on the wire, up to the first held segment of its side."""
    cdef u32 e = s.endpoint
    cdef Side *side = &f.side[e]
    cdef u32 skip = side.next - s.seq
    cdef u32 end = s.len
    cdef u32 at, piece, n, gap
    cdef bint replied
    cdef Held *h
    if s.tcpflags & TH_RST:
        f.flags |= F_RESET
    if f.flags & (F_FIN0 << e | F_RESET):
        return
    if skip <= s.len:
        # segments held after this one are copies: only what came before it has a say in where packets end
        n = f.held
        while n and n != s.next:
            h = held_at(c, n)
            gap = h.seq - s.seq
            if h.endpoint == e and h.len and skip < gap < end:
                end = gap
            n = h.next
        replied = s.tcpflags & TH_ACK and known(f, e ^ 1) and s.ack == <u16>f.side[e ^ 1].next
        if s.seg == 0 or s.seg >= s.len:
            if skip < end:
                side.next += end - skip
                deliver(c, f, e, end - skip, s.ts, replied)
        else:
            at = skip
            n = 0
            while at < end:
                piece = min(s.seg - at % s.seg, end - at)
                n += 1
                if unlikely(n == PIECES_MAX):
                    cut_short(c, f)
                    piece = end - at
                side.next += piece
                deliver(c, f, e, piece, s.ts, replied)
                at += piece
    if s.tcpflags & TH_FIN and side.next == s.seq + s.len:
        side.next += 1
        f.flags |= F_FIN0 << e


cdef void hold(Core *c, Flow *f, const Held *s) noexcept nogil:
    """Keep a segment until the hole before it, or before another one that is held, has filled."""
    cdef u32 n = pool_take(&c.held)
    cdef u32 held = 0
    cdef u32 *link = &f.held
    cdef Held *h
    cdef Held *head
    if n == 0:
        bump(c.counters, HELD_FULL)
        flush_held(c, f)
        mark_gap(c, f)
        if <i32>(s.seq - f.side[s.endpoint].next) > 0:
            f.side[s.endpoint].next = s.seq
        take(c, f, s)
        return
    f.flags |= F_HOLDING
    while link[0]:
        link = &held_at(c, link[0]).next
        held += 1
    link[0] = n
    h = held_at(c, n)
    h[0] = s[0]
    h.next = 0
    h.next_then = f.side[s.endpoint].next
    h.deadline = s.ts + (c.hold if <i32>(s.seq - f.side[s.endpoint].next) > 0 else c.hold_covered)
    head = held_at(c, f.held)
    if h != head and s.endpoint != head.endpoint and unseen(f, s):
        head.deadline = min(head.deadline, s.ts + c.hold_covered)
    if held + 1 >= MAX_HELD:
        give_up(c, f)


cdef void drain(Core *c, Flow *f) noexcept nogil:
    """Deliver held segments as long as the first one waits for nothing, or another one is what it waits for."""
    cdef u32 n, wanted, before
    cdef u32 *link
    cdef Held s
    cdef Held *h
    while f.held:
        link = &f.held
        wanted = awaited(f, held_at(c, f.held))
        if wanted != NOBODY:
            while link[0]:
                h = held_at(c, link[0])
                if h.endpoint == wanted and <i32>(h.seq - f.side[wanted].next) <= 0:
                    break
                link = &h.next
            if not link[0]:
                return
        n = link[0]
        h = held_at(c, n)
        s = h[0]
        before = f.side[s.endpoint].next
        if (<i32>(s.seq + s.len + (s.tcpflags & TH_FIN) - f.side[s.endpoint].next) <= 0
                and not s.tcpflags & TH_RST):
            bump(c.counters, RETRANSMITTED)
        else:
            bump(c.counters, REORDERED)
            # its time says nothing of the round trip any more
            s.tcpflags &= ~<u32>TH_ACK
            take(c, f, &s)
            if (f.side[s.endpoint].next != before and not f.flags & (F_FIN0 << s.endpoint | F_RESET)
                    and <i32>(s.seq + s.len - f.side[s.endpoint].next) > 0):
                # the rest of it follows a segment that was held before it
                h.tcpflags = s.tcpflags
                continue
        link[0] = h.next
        pool_give(&c.held, n)


cdef void cut_short(Core *c, Flow *f) noexcept nogil:
    """Something claims to be more packets than can have been merged: the rest of it counts as one."""
    f.flags |= F_GAP
    bump(c.counters, CUT)


cdef inline void mark_gap(Core *c, Flow *f) noexcept nogil:
    f.flags |= F_GAP
    bump(c.counters, GAPS)


cdef void give_up(Core *c, Flow *f) noexcept nogil:
    """The hole before the first held segment will not fill: go on behind it."""
    cdef u32 n = f.held
    cdef Held *h = held_at(c, n)
    cdef Side *side = &f.side[h.endpoint]
    mark_gap(c, f)
    if <i32>(h.seq - side.next) <= 0:
        f.side[h.endpoint ^ 1].next += unseen(f, h)
    elif h.seq - side.next > FAR_AHEAD and side.next != h.next_then:
        bump(c.counters, OUT_OF_WINDOW)
        f.held = h.next
        pool_give(&c.held, n)
    else:
        side.next = h.seq
    drain(c, f)


cdef void release_late(Core *c, Flow *f) noexcept nogil:
    """Give up what has waited past its deadline though no further segment came; the sweep's part."""
    while f.held and c.clock > held_at(c, f.held).deadline:
        give_up(c, f)
    if f.held == 0:
        f.flags &= ~<u32>F_HOLDING


cdef void flush_held(Core *c, Flow *f) noexcept nogil:
    """Deliver all that is held, with a gap where something is missing."""
    while f.held:
        give_up(c, f)
