# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lazy automaton: however many signatures there are, a packet costs one look-up of (state, symbol).

A program's positions (sigdb.program.Stream) are a nondeterministic automaton. Its deterministic form is built state
by state as traffic needs it and kept in a hash table of transitions within a budget of memory.

Complications, and where they are solved:

1. Unanchored signatures may begin at every packet, so a state would hold thousands of positions that depend on the
   newest packet only. They are kept apart: a state is a *start list* (what begins at this symbol; shared by all states,
   found once per symbol) and the few *deep* positions that were reached from earlier packets (`automaton_build`).
2. References are read as any size that they may have. A state then reports a signature to verify (`fill_reports`).
3. Server ports choose among signatures before the first packet: each class of ports has its own first states
   (`automaton_start`), so the others' positions are never in its states.
4. When the budget is spent everything goes. The owner walks its flows and moves the states that they are in into the
   new automaton (`automaton_move`), which is exact. Where even those take more than half of the budget, a flow is
   told LOST and must find its state from its history; the owner counts that.
5. No allocation can fail on the way: states and lists are reserved at start and touched as they fill, and the hash
   tables are asked for room before a build begins (`has_room`). When they have none, it counts as a spent budget.
"""

from libc.stdlib cimport calloc, free, malloc, qsort
from libc.string cimport memcmp, memcpy, memset

from engine.arrays cimport give_back, try_reserve
from engine.counters cimport AUTOMATON_RESETS, STATES_BUILT, STATES_MOVED, TRANSITIONS_BUILT, bump
from engine.lookup cimport (
    ABSENT, PAIR_BITS, Numbers, mix, numbers_clear, numbers_ready, pairs_clear, pairs_get, pairs_put, pairs_ready,
)
from engine.positions cimport free_positions, load_positions
from engine.record cimport likely, u8, u16, u32, u64, unlikely

cdef extern from *:
    """
    static int ft_compare_u32(const void *a, const void *b) {
        unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
        return (x > y) - (x < y);
    }
    """
    int ft_compare_u32(const void *, const void *) noexcept nogil

cdef enum:
    FEW_STATES = 8          # below this many the budget is not asked
    NONE = 0xFFFFFFFF


cdef int automaton_init(Automaton *a, object stream, object program, u64 budget, u64 *counters) except -1:
    """Read a stream of a program. Raises MemoryError, or ValueError for too many classes; the caller frees then too."""
    memset(a, 0, sizeof(Automaton))
    a.counters = counters
    a.budget = budget
    load_positions(a, stream, program)
    a.transitions.shift = a.start_of.shift = bits(<u64>a.size_classes * a.pause_classes * 2)
    if a.transitions.shift + bits(max(<u64>a.class_count * 4, 1 << 16)) > PAIR_BITS:
        raise ValueError(f"{a.size_classes} classes of sizes times {a.pause_classes} of pauses are too many")
    a.state_room = min(<u64>STATE, (<u64>1 << (PAIR_BITS - a.transitions.shift)) - 1,
                       64 + budget // sizeof(StartList) + <u64>a.class_count * 2)
    a.state_limit = a.state_room - a.class_count * 2
    a.arena_room = budget // 4 + 64 * <u64>a.position_count + 65536
    a.stamp = <u32 *>calloc(a.position_count + 1, 4)
    a.deep = <u32 *>malloc(4 * (a.position_count + 1))
    a.reports = <u32 *>malloc(4 * (a.position_count + 1))
    a.initial = <u32 *>calloc(a.class_count * 2 + 1, 4)
    if not (a.stamp and a.deep and a.reports and a.initial and built_init(a, &a.built) and begin_empty(a)):
        raise MemoryError()
    return 0


cdef u32 bits(u64 values):
    """How many bits tell so many values apart."""
    return (<object>values - 1).bit_length()


cdef bint built_init(Automaton *a, Built *b) noexcept nogil:
    memset(b, 0, sizeof(Built))
    b.states = <State *>try_reserve(a.state_room * sizeof(State))
    b.starts = <StartList *>try_reserve(a.state_room * sizeof(StartList))
    b.arena = <u32 *>try_reserve(a.arena_room * 4)
    return b.states != NULL and b.starts != NULL and b.arena != NULL


cdef void built_free(Automaton *a, Built *b) noexcept nogil:
    give_back(b.states, a.state_room * sizeof(State))
    give_back(b.starts, a.state_room * sizeof(StartList))
    give_back(b.arena, a.arena_room * 4)
    memset(b, 0, sizeof(Built))


cdef void automaton_free(Automaton *a) noexcept nogil:
    free_positions(a)
    free(a.transitions.entry)
    free(a.start_of.entry)
    free(a.state_numbers.entry)
    free(a.start_numbers.entry)
    free(a.stamp)
    free(a.deep)
    free(a.reports)
    free(a.initial)
    built_free(a, &a.built)
    built_free(a, &a.old)
    memset(a, 0, sizeof(Automaton))


cdef bint begin_empty(Automaton *a) noexcept nogil:
    """The tables of an automaton without states; list 0 is the empty start list. False without memory."""
    memset(a.initial, 0, 4 * a.class_count * 2)
    a.forgiving = True
    if not (pairs_clear(&a.transitions) and pairs_clear(&a.start_of) and numbers_clear(&a.state_numbers)
            and numbers_clear(&a.start_numbers)):
        return False
    intern_starts(a, NULL, 0)
    return True


cdef u64 spent(Automaton *a) noexcept nogil:
    """Bytes in use of what the budget bounds."""
    return (<u64>a.built.state_count * (sizeof(State) + 8) + <u64>a.built.start_count * (sizeof(StartList) + 8)
            + a.built.arena_used * 4 + (<u64>a.transitions.mask + a.start_of.mask) * sizeof(u64))


cdef inline bint is_spent(Automaton *a, u64 budget) noexcept nogil:
    if a.built.state_count + 2 >= a.state_limit or a.built.start_count + 2 >= a.state_limit:
        return True
    return not a.forgiving and a.built.state_count >= FEW_STATES and spent(a) > budget


cdef bint has_room(Automaton *a) noexcept nogil:
    """Make room in the tables for one more of each; False without memory."""
    return (pairs_ready(&a.transitions) and pairs_ready(&a.start_of)
            and numbers_ready(&a.state_numbers, &a.built.states[0].hash, sizeof(State))
            and numbers_ready(&a.start_numbers, &a.built.starts[0].hash, sizeof(StartList)))


cdef inline u32 hash_list(const u32 *values, u32 n, u32 seed) noexcept nogil:
    cdef u32 i, h = seed
    for i in range(n):
        h = mix(h, values[i])
    return h


cdef u32 intern_starts(Automaton *a, const u32 *values, u32 n) noexcept nogil:
    """The number of the start list with these positions, made if it is new."""
    cdef Built *b = &a.built
    cdef u32 h = hash_list(values, n, n)
    cdef Numbers *t = &a.start_numbers
    cdef u32 i = h & t.mask
    cdef StartList *s
    while t.entry[i]:
        s = &b.starts[t.entry[i] - 1]
        if s.hash == h and s.count == n and (n == 0 or memcmp(b.arena + s.list, values, 4 * n) == 0):
            return t.entry[i] - 1
        i = (i + 1) & t.mask
    s = &b.starts[b.start_count]
    b.start_count += 1
    t.entry[i] = b.start_count
    t.count = b.start_count
    s.list = b.arena_used
    s.count = n
    s.hash = h
    if n:
        memcpy(b.arena + b.arena_used, values, 4 * n)
        b.arena_used += n
    return b.start_count - 1


cdef u32 intern_state(Automaton *a, u32 port_class, bint begin, u32 starts, const u32 *deep, u32 n) noexcept nogil:
    """The number of the state with this content (deep positions ascending), made if it is new."""
    cdef Built *b = &a.built
    cdef u32 h = hash_list(deep, n, mix(starts * 2 + begin, port_class))
    cdef Numbers *t = &a.state_numbers
    cdef u32 i = h & t.mask
    cdef State *s
    while t.entry[i]:
        s = &b.states[t.entry[i] - 1]
        if (s.hash == h and s.count == n and s.starts == starts and s.port_class == port_class
                and s.begin == begin and (n == 0 or memcmp(b.arena + s.list, deep, 4 * n) == 0)):
            return t.entry[i] - 1
        i = (i + 1) & t.mask
    s = &b.states[b.state_count]
    b.state_count += 1
    t.entry[i] = b.state_count
    t.count = b.state_count
    memset(s, 0, sizeof(State))
    s.list = b.arena_used
    s.count = n
    s.starts = starts
    s.hash = h
    s.port_class = port_class
    s.begin = begin
    if n:
        memcpy(b.arena + b.arena_used, deep, 4 * n)
        b.arena_used += n
    fill_reports(a, s)
    bump(a.counters, STATES_BUILT)
    return b.state_count - 1


cdef void fill_reports(Automaton *a, State *s) noexcept nogil:
    """Append to the state's list the signatures whose last position it holds: exact, to verify, at the flow's end.

    What matches here without comparison does so at the flow's end too and is not listed there once more.
    """
    cdef Built *b = &a.built
    cdef u32 n = 0
    cdef u32 i, p, sig, kind, wanted, previous, matched
    cdef u32 *list_
    for kind in range(2):
        list_ = b.arena + (s.list if kind else b.starts[s.starts].list)
        for i in range(s.count if kind else b.starts[s.starts].count):
            p = list_[i]
            if a.position[p].flags & (POSITION_LAST | POSITION_END):
                a.reports[n] = a.position[p].signature * 2 + (a.position[p].flags & POSITION_LAST == 0)
                n += 1
    if n == 0:
        return
    qsort(a.reports, n, 4, ft_compare_u32)
    for wanted in range(3):
        previous = matched = NONE
        for i in range(n):
            sig = a.reports[i] >> 1
            kind = 2 if a.sig_end[sig] or a.reports[i] & 1 else 1 if a.sig_references[sig] else 0
            if kind == 0:
                matched = sig
            if kind != wanted or sig == previous or sig == matched and wanted:
                continue
            previous = sig
            if s.exact + s.verify + s.end == 0:
                s.report = sig
            b.arena[b.arena_used] = sig
            b.arena_used += 1
            if kind == 0:
                s.exact += 1
            elif kind == 1:
                s.verify += 1
            else:
                s.end += 1


cdef u32 automaton_start(Automaton *a, u32 port_class, bint begin) noexcept nogil:
    """The state of a flow of this class before its first symbol."""
    cdef u32 key = port_class * 2 + begin
    if a.initial[key] == 0:
        # many flows may start before anything is built; without memory the half that is empty must do
        numbers_ready(&a.state_numbers, &a.built.states[0].hash, sizeof(State))
        a.initial[key] = intern_state(a, port_class, begin, 0, NULL, 0) + 1
    return a.initial[key] - 1


cdef u32 automaton_large_class(Automaton *a, u32 size) noexcept nogil:
    """The class of a size that the table does not cover (turns), by bisection."""
    cdef u32 low = 0
    cdef u32 high = a.size_classes
    cdef u32 middle
    while high - low > 1:
        middle = (low + high) // 2
        if a.size_cuts[middle] <= size:
            low = middle
        else:
            high = middle
    return low


cdef inline bint accepts(const Automaton *a, const Position *p, u32 side, u32 size_class,
                         u32 pause_class) noexcept nogil:
    return ((p.side & side) != 0 and p.size_first <= size_class <= p.size_last
            and p.pause_first <= pause_class <= p.pause_last
            and (p.range_count == 0 or in_ranges(a, p, size_class)))


cdef bint in_ranges(const Automaton *a, const Position *p, u32 size_class) noexcept nogil:
    cdef u32 k
    for k in range(p.ranges, p.ranges + p.range_count):
        if a.range_first[k] <= size_class <= a.range_last[k]:
            return True
    return False


cdef u32 start_list(Automaton *a, u32 key, u32 symbol) noexcept nogil:
    """What begins at this symbol in a flow of class and begin `key`."""
    cdef u32 found = pairs_get(&a.start_of, key, symbol)
    cdef u32 n = 0
    cdef u32 k, p
    cdef u32 side = 1 << (symbol & 1)
    cdef u32 pause_class = (symbol >> 1) % a.pause_classes
    cdef u32 size_class = (symbol >> 1) // a.pause_classes
    if found != ABSENT:
        return found
    for k in range(a.class_start[key >> 1], a.class_start[(key >> 1) + 1]):
        p = a.class_list[k]
        if accepts(a, &a.position[p], side, size_class, pause_class):
            if key & 1 or not a.sig_begin[a.position[p].signature]:
                a.deep[n] = p
                n += 1
    found = intern_starts(a, a.deep, n)
    pairs_put(&a.start_of, key, symbol, found)
    return found


cdef u32 automaton_build(Automaton *a, u32 state, u32 symbol) noexcept nogil:
    """Make the transition that automaton_step did not find; NEED_RESET when the budget is spent."""
    if is_spent(a, a.budget) or not has_room(a):
        return NEED_RESET
    cdef Built *b = &a.built
    cdef State *s = &b.states[state]
    cdef u32 side = 1 << (symbol & 1)
    cdef u32 pause_class = (symbol >> 1) % a.pause_classes
    cdef u32 size_class = (symbol >> 1) // a.pause_classes
    cdef u32 port_class = s.port_class
    cdef u32 starts = start_list(a, port_class * 2 + s.begin, symbol)
    cdef u32 n = 0
    cdef u32 i, k, q, part, next_state
    cdef const u32 *list_
    cdef Position *p
    a.now += 1
    if unlikely(a.now == 0):
        memset(a.stamp, 0, 4 * a.position_count)
        a.now = 1
    list_ = b.arena + b.starts[starts].list
    for i in range(b.starts[starts].count):
        a.stamp[list_[i]] = a.now
    for part in range(2):
        list_ = b.arena + (s.list if part else b.starts[s.starts].list)
        for i in range(s.count if part else b.starts[s.starts].count):
            p = &a.position[list_[i]]
            for k in range(p.follow, p.follow_end):
                q = a.follow[k]
                if a.stamp[q] != a.now and accepts(a, &a.position[q], side, size_class, pause_class):
                    a.stamp[q] = a.now
                    a.deep[n] = q
                    n += 1
    if n > 1:
        qsort(a.deep, n, 4, ft_compare_u32)
    next_state = intern_state(a, port_class, False, starts, a.deep, n)
    if b.states[next_state].exact + b.states[next_state].verify:
        next_state |= ACTS
    pairs_put(&a.transitions, state, symbol, next_state)
    bump(a.counters, TRANSITIONS_BUILT)
    a.forgiving = False
    return next_state


cdef void automaton_reset_begin(Automaton *a) noexcept nogil:
    """Set what was built aside and begin anew; then each state in use is moved, then automaton_reset_end."""
    bump(a.counters, AUTOMATON_RESETS)
    a.old = a.built
    if not built_init(a, &a.built):
        # no second set of tables to be had: begin anew in place, and whoever asks for its state is told LOST
        built_free(a, &a.built)
        a.built = a.old
        memset(&a.old, 0, sizeof(Built))
        a.built.state_count = a.built.start_count = 0
        a.built.arena_used = 0
    begin_empty(a)


cdef u32 automaton_move(Automaton *a, u32 state) noexcept nogil:
    """The number that a state of the old automaton has in the new one, or LOST when there is no room for it."""
    cdef State *s
    cdef StartList *starts
    if a.old.states == NULL or state == LOST:
        return LOST
    s = &a.old.states[state]
    if s.moved:
        return s.moved - 1
    if (a.built.state_count >= FEW_STATES and (spent(a) * 2 > a.budget or a.built.state_count * 2 > a.state_limit)
            or not has_room(a)):
        return LOST
    starts = &a.old.starts[s.starts]
    s.moved = intern_state(a, s.port_class, s.begin, intern_starts(a, a.old.arena + starts.list, starts.count),
                           a.old.arena + s.list, s.count) + 1
    bump(a.counters, STATES_MOVED)
    return s.moved - 1


cdef void automaton_reset_end(Automaton *a) noexcept nogil:
    built_free(a, &a.old)
