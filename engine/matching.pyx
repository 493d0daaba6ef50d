# SPDX-License-Identifier: LGPL-2.1-or-later
"""One packet of a flow's shape: its think time, its turn, one step of each automaton, its hits.

Packets arrive here in order, expanded to what was on the wire, without retransmissions. What must hold:

- The history is written before the automaton steps, so that a hit finds its own packet there.
- A flow's state is stored at every step, so that a reset in the middle of anything can move it.
- Think time is the gap since the newest packet less, where the sides differ, the round trip to the answering side
  (never below zero). The gap of a real answer bounds that round trip from above and lowers it; a packet that merely
  crossed the peer's does not.
"""

from engine.automaton cimport (
    ACTS, LOST, NEED_RESET, STATE, Automaton, State, automaton_build, automaton_move, automaton_reset_begin,
    automaton_reset_end, automaton_start, automaton_step, symbol_of,
)
from engine.core cimport NEWS_ROOM, WORDS_HERE, Core, HitNode, hit_at, more_at, pool_take
from engine.counters cimport (
    HISTORY_SHORT, HITS, HITS_DROPPED, SHAPE_BYTES, SHAPE_PACKETS, STATES_LOST, STATES_REFOUND, VERIFIED,
    VERIFIED_AWAY, VERIFY_GAVE_UP, bump,
)
from engine.exact cimport MAX_STEPS, NO_MATCH, WORDS, Exact, Item, exact_evidence, exact_match, item_at, look_at
from engine.flow cimport (
    F_ACKED, F_BEGUN, F_CLIENT1, F_CLOSED, F_LAST1, F_NEWS, F_NOT_FOLLOWED, F_STARTED, F_SYNACK, F_THREADS,
    F_TURN, F_TURN1, F_UNLINKED, F_USED, NO_RTT, Flow, Side, client_of, turns_of,
)
from engine.record cimport ICMP, ICMPV6, TCP, UDP, i64, likely, u8, u16, u32, u64, unlikely
from engine.table cimport Table, flow_at, history_place, packet_history, turn_history
from engine.think cimport think_code
from engine.threads cimport threads_begin, threads_early, threads_know, threads_or_history, threads_step

cdef enum:
    TURN_BYTES_MAX = 0x7FFFFFFF
    COUNT_MAX = 0xFFFFFFFF
    COUNT_WRAPS = 0x80000000
    PACKET_MAX = 65535      # a merged segment of unknown parts may claim more; no packet on a wire is larger


cdef void deliver(Core *c, Flow *f, u32 endpoint, u32 size, u64 ts, bint replied) noexcept nogil:
    """Take the next packet of a flow; `replied`: it acknowledges all that the other endpoint has sent."""
    cdef u32 server = endpoint ^ client_of(f)
    cdef u32 n = f.packets
    cdef Side *side = &f.side[endpoint]
    cdef u32 code = think_of(f, endpoint, ts, replied)
    cdef u64 ms = (ts - f.start) // 1_000_000 if ts > f.start else 0
    cdef Item item
    if unlikely(not f.flags & F_STARTED):
        start(c, f)
    if side.packets == 0:
        f.first_ms[endpoint] = f.last_ms[endpoint] = <u32>ms
    elif ms > f.last_ms[endpoint]:
        f.last_ms[endpoint] = <u32>ms
    if ts > f.previous:
        f.previous = ts
    f.flags = (f.flags & ~<u32>F_LAST1) | (F_LAST1 if endpoint else 0)
    side.packets += side.packets != COUNT_MAX
    side.bytes += size
    bump(c.counters, SHAPE_PACKETS)
    bump(c.counters, SHAPE_BYTES, size)
    take_turn(c, f, endpoint, size, code, ts)
    if unlikely(size > PACKET_MAX):
        size = PACKET_MAX
    if unlikely(n == c.table.first + c.table.ring) and c.following.any:
        f.flags &= ~<u32>F_NOT_FOLLOWED     # what was too much among the first packets may have become less
        threads_begin(c, f)
    packet_history(&c.table, f)[history_place(n, c.table.first, c.table.ring)] = size | code << 16 | server << 31
    f.packets = n + 1 if likely(n != COUNT_MAX) else COUNT_WRAPS
    if unlikely(f.flags & F_THREADS):
        item.size, item.code, item.kind = size, <u16>code, <u8>server
        threads_step(c, f, item)
    if c.active[0]:
        f.packet_state = step(c, f, 0, f.packet_state, symbol_of(&c.automaton[0], server, size, code), ts)


cdef inline u32 think_of(Flow *f, u32 endpoint, u64 ts, bint replied) noexcept nogil:
    """The think code of a packet, and what it teaches of the round trip."""
    cdef u64 us = (ts - f.previous) // 1000 if ts > f.previous else 0
    cdef u32 last = 1 if f.flags & F_LAST1 else 0
    cdef Side *side = &f.side[endpoint]
    cdef u32 client
    if unlikely(f.packets == 0) and not f.flags & F_ACKED:
        # the handshake's end was not seen: it came between the SYN+ACK and this packet
        client = client_of(f)
        if f.flags & F_SYNACK and us < f.side[client].rtt:
            f.side[client].rtt = <u32>us
        return 0
    if endpoint == last or side.rtt == NO_RTT:
        return think_code(us)
    if replied and us < side.rtt:
        side.rtt = <u32>us
    return think_code(us - side.rtt if us > side.rtt else 0)


cdef void start(Core *c, Flow *f) noexcept nogil:
    """Put the automata in their first state, which the server's port chooses."""
    cdef u32 client = client_of(f)
    cdef u32 port = f.port0 if client else f.port1
    cdef u32 protocol = 0 if f.proto == TCP else 1 if f.proto == UDP else 2
    cdef u32 port_class = c.port_class[(protocol << 16) + port]
    cdef bint begun = (f.flags & F_BEGUN) != 0
    f.flags |= F_STARTED
    if c.active[0]:
        f.packet_state = automaton_start(&c.automaton[0], port_class, begun)
    if c.active[1]:
        f.turn_state = automaton_start(&c.automaton[1], port_class, begun)


cdef inline void take_turn(Core *c, Flow *f, u32 endpoint, u32 size, u32 code, u64 ts) noexcept nogil:
    """Add a packet to the turn under way, or end that turn and begin one."""
    cdef u32 speaker = 1 if f.flags & F_TURN1 else 0
    if f.flags & F_TURN:
        if endpoint == speaker and code < c.pause_code:
            f.turn_bytes = f.turn_bytes + size if size < TURN_BYTES_MAX - f.turn_bytes else TURN_BYTES_MAX
            return
        end_turn(c, f, ts)
    f.flags = (f.flags & ~<u32>F_TURN1) | F_TURN | (F_TURN1 if endpoint else 0)
    f.turn_bytes = min(size, <u32>TURN_BYTES_MAX)
    f.turn_think = <u16>code


cdef void end_turn(Core *c, Flow *f, u64 ts) noexcept nogil:
    cdef u32 endpoint = 1 if f.flags & F_TURN1 else 0
    cdef u64 server = endpoint ^ client_of(f)
    cdef u32 n = turns_of(f)
    f.flags &= ~<u32>F_TURN
    f.side[endpoint].turns += 1
    if not c.keep_turns:
        return
    turn_history(f)[history_place(n, c.table.turn_first, c.table.turn_ring)] = (
        f.turn_bytes | <u64>f.turn_think << 32 | server << 63)
    if not c.active[1]:
        return
    f.turn_state = step(c, f, 1, f.turn_state,
                        symbol_of(&c.automaton[1], <u32>server, f.turn_bytes, f.turn_think), ts)


cdef inline u32 step(Core *c, Flow *f, int stream, u32 state, u32 symbol, u64 ts) noexcept nogil:
    """One step of an automaton; the state's reports become hits. Returns the new state's number."""
    cdef u32 after
    if unlikely(state == LOST):
        state = find_state(c, f, stream)
    after = automaton_step(&c.automaton[stream], state, symbol)
    if unlikely(after == NEED_RESET):
        store(f, stream, state)
        reset(c, f, stream)
        after = automaton_build(&c.automaton[stream], f.turn_state if stream else f.packet_state, symbol)
    if after & ACTS:
        after &= STATE
        store(f, stream, after)
        report(c, f, stream, &c.automaton[stream].built.states[after], ts)
    return after


cdef inline void store(Flow *f, int stream, u32 state) noexcept nogil:
    if stream:
        f.turn_state = state
    else:
        f.packet_state = state


cdef void reset(Core *c, Flow *urgent, int stream) noexcept nogil:
    """Begin an automaton anew and move the states of all flows; the urgent one first, as it must not be LOST."""
    cdef Automaton *a = &c.automaton[stream]
    cdef Table *t = &c.table
    cdef Flow *f
    cdef u32 slot, moved
    automaton_reset_begin(a)
    moved = automaton_move(a, urgent.turn_state if stream else urgent.packet_state)
    for slot in range(t.top):
        f = flow_at(t, slot)
        if f != urgent and f.flags & (F_USED | F_STARTED | F_CLOSED) == F_USED | F_STARTED:
            store(f, stream, automaton_move(a, f.turn_state if stream else f.packet_state))
    if moved == LOST:
        # only without memory for a second set of tables: the state is found from the history like any other
        automaton_reset_end(a)
        moved = find_state(c, urgent, stream)
    store(urgent, stream, moved)
    automaton_reset_end(a)


cdef u32 find_state(Core *c, Flow *f, int stream) noexcept nogil:
    """The state before the newest item of a flow, from its history."""
    cdef Automaton *a = &c.automaton[stream]
    cdef Exact *x = &c.exact[stream]
    cdef u32 n = turns_of(f) if stream else f.packets
    cdef u32 kept = (c.table.turn_first + c.table.turn_ring) if stream else (c.table.first + c.table.ring)
    cdef u32 protocol = 0 if f.proto == TCP else 1 if f.proto == UDP else 2
    cdef u32 port = f.port0 if client_of(f) else f.port1
    cdef u32 port_class = c.port_class[(protocol << 16) + port]
    cdef bint whole = n <= kept
    cdef u32 i, after, state
    cdef Item item
    look(c, f, stream)
    bump(c.counters, STATES_REFOUND)
    if not whole:
        bump(c.counters, STATES_LOST)
    state = automaton_start(a, port_class, whole and (f.flags & F_BEGUN) != 0)
    # items after the hole alone when there is one: what crosses it is not known
    for i in range(0 if whole else (c.table.turn_first if stream else c.table.first) + 1, x.items - 1):
        item = item_at(x, i)
        after = automaton_step(a, state, symbol_of(a, item.kind, item.size, item.code))
        if after == NEED_RESET:
            store(f, stream, state)
            reset(c, f, stream)
            after = automaton_build(a, f.turn_state if stream else f.packet_state,
                                    symbol_of(a, item.kind, item.size, item.code))
        state = after & STATE
    return state


cdef void look(Core *c, Flow *f, int stream) noexcept nogil:
    """Give the exact matcher a flow's history to look at."""
    if stream:
        look_at(&c.exact[1], NULL, turn_history(f), turns_of(f))
    else:
        look_at(&c.exact[0], packet_history(&c.table, f), NULL, f.packets)


cdef void report(Core *c, Flow *f, int stream, State *s, u64 ts) noexcept nogil:
    """Turn what a state reports at a packet or turn into hits."""
    cdef u32 exact = s.exact
    cdef const u32 *signature = &s.report
    if exact + s.verify > 1:
        signature = c.automaton[stream].built.arena + s.list + s.count
    look(c, f, stream)
    settle(c, f, stream, signature, exact, False, ts)
    settle(c, f, stream, signature + exact, s.verify, True, ts)


cdef void settle(Core *c, Flow *f, int stream, const u32 *signature, u32 count, bint verify, u64 ts) noexcept nogil:
    """Count the hits of some signatures, ascending, or begin to.

    A flow's hits are ascending too, so that both are walked once: thousands of signatures may hit one flow.
    """
    cdef u32 *link = &f.hits
    cdef Exact *x = &c.exact[stream]
    cdef u32 i, at
    for i in range(count):
        while link[0] and hit_at(c, link[0]).signature < signature[i]:
            link = &hit_at(c, link[0]).next
        if link[0] and hit_at(c, link[0]).signature == signature[i]:
            if not verify or verified(c, x, signature[i], f) != NO_MATCH:
                hit_at(c, link[0]).count += 1
                bump(c.counters, HITS)
            continue
        if verify:
            at = verified(c, x, signature[i], f)
            if at == NO_MATCH:
                continue
        elif x.count > x.first:
            # the exact matcher says where a match begins, for evidence, even where the automaton alone decides
            at = exact_match(x, signature[i], begun(f))
        else:
            at = 0
        keep_hit(c, link, stream, signature[i], ts, at)
        if c.early:
            announce(c, f, signature[i])


cdef void announce(Core *c, Flow *f, u32 signature) noexcept nogil:
    """Remember that an open flow has a first hit that stands as it is: not one whose condition waits for the end."""
    if c.conditions.start[signature] != c.conditions.start[signature + 1]:
        return
    if f.flags & (F_NEWS | F_CLOSED) or c.news_count == NEWS_ROOM:
        return
    f.flags |= F_NEWS
    c.news[c.news_count] = <u32>((<u8 *>f - c.table.pool) // c.table.stride)
    c.news_count += 1


cdef inline bint begun(Flow *f) noexcept nogil:
    return (f.flags & F_BEGUN) != 0


cdef u32 verified(Core *c, Exact *x, u32 signature, Flow *f) noexcept nogil:
    """The item at which a match that ends at the newest one begins, or NO_MATCH; counted."""
    cdef u32 at
    threads_early(c, x, signature, f)
    at = threads_or_history(c, x, signature, f)
    bump(c.counters, VERIFIED)
    if at == NO_MATCH:
        bump(c.counters, VERIFIED_AWAY)
        if threads_know(c, x, signature, f):
            return NO_MATCH
        if x.steps > MAX_STEPS:
            bump(c.counters, VERIFY_GAVE_UP)
        elif x.hole_refused:
            bump(c.counters, HISTORY_SHORT)
    return at


cdef void keep_hit(Core *c, u32 *link, int stream, u32 signature, u64 ts, u32 at) noexcept nogil:
    """Insert a signature's first hit with its evidence: the items from `at` on (NO_MATCH: none to show).

    What stays in the first part of the history is looked up only if the hit is reported: most hits of a broad signature
    with a condition are not.
    """
    cdef u32 n = pool_take(&c.hits)
    cdef HitNode *hit
    cdef u32 word[WORDS + 2]
    cdef u32 i
    bump(c.counters, HITS)
    if n == 0:
        bump(c.counters, HITS_DROPPED)
        return
    hit = hit_at(c, n)
    hit.ts = ts
    hit.next = link[0]
    hit.signature = signature
    hit.count = 1
    hit.more = 0
    hit.seen = 0
    hit.told = 0
    link[0] = n
    if c.exact[stream].count <= c.exact[stream].first:
        hit.words = 0
        hit.seen = <u16>c.exact[stream].count
        return
    hit.words = <u8>exact_evidence(&c.exact[stream], at, stream, word) if at != NO_MATCH else 0
    for i in range(min(<u32>hit.words, <u32>WORDS_HERE)):
        hit.word[i] = word[i]
    if hit.words > WORDS_HERE:
        hit.more = pool_take(&c.hits)
        if hit.more == 0:
            hit.words = 0
            return
        for i in range(WORDS_HERE, hit.words):
            more_at(c, hit.more).word[i - WORDS_HERE] = word[i]


cdef void end_matching(Core *c, Flow *f, bint ended) noexcept nogil:
    """The last turn, and what matches because the flow ends here (`ended`: FIN, RST or idle, not for want of more)."""
    cdef int stream
    cdef u32 i, k, state
    cdef State *s
    cdef Exact *x
    cdef const u32 *verify
    cdef const u32 *signature
    if f.flags & F_TURN:
        end_turn(c, f, f.previous)
    if not ended or not f.flags & F_STARTED:
        return
    for stream in range(2):
        state = f.turn_state if stream else f.packet_state
        if not c.active[stream]:
            continue
        if state == LOST:
            state = find_final_state(c, f, stream)
        s = &c.automaton[stream].built.states[state]
        if s.end == 0:
            continue
        look(c, f, stream)
        x = &c.exact[stream]
        verify = c.automaton[stream].built.arena + s.list + s.count + s.exact
        signature = verify + s.verify
        for i in range(s.end):
            for k in range(s.verify):
                # what has matched at this packet, wherever it may end, is not counted again for the flow's end
                if verify[k] == signature[i] and threads_or_history(c, x, signature[i], f) != NO_MATCH:
                    break
            else:
                x.ending = True
                settle(c, f, stream, &signature[i], 1, c.automaton[stream].sig_references[signature[i]], f.previous)
                x.ending = False


cdef u32 find_final_state(Core *c, Flow *f, int stream) noexcept nogil:
    """find_state, and the newest item too: the hits on the way there have been counted before."""
    cdef Exact *x = &c.exact[stream]
    cdef Item newest
    cdef u32 state = find_state(c, f, stream)
    cdef u32 after, symbol
    newest = item_at(x, x.items - 1)
    symbol = symbol_of(&c.automaton[stream], newest.kind, newest.size, newest.code)
    after = automaton_step(&c.automaton[stream], state, symbol)
    if after == NEED_RESET:
        store(f, stream, state)
        reset(c, f, stream)
        after = automaton_build(&c.automaton[stream], f.turn_state if stream else f.packet_state, symbol)
    return after & STATE
