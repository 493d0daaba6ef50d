# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program's place in an engine: loading, freeing, and exchanging it under flows that live on.

The new program is loaded beside the old one, so that whatever is wrong with it is found before anything changes. Then
the hits of all flows are numbered anew, by the ids of their signatures, and no flow's state is known any more: each
finds it from its history when its next packet comes, as after an automaton has spent its memory. Threads end: a flow that
is longer than its history has nothing to begin them anew from.
"""

from libc.stdlib cimport calloc, free, malloc

from engine.arrays cimport copy_u8, copy_u16
from engine.automaton cimport LOST, automaton_free, automaton_init
from engine.conditions cimport conditions_free, conditions_init
from engine.core cimport Core, HitNode, hit_at, hit_give, pool_give
from engine.exact cimport exact_free, exact_init
from engine.flow cimport F_CLOSED, F_STARTED, F_USED, Flow
from engine.record cimport u8, u32, u64
from engine.table cimport flow_at
from engine.threads cimport threads_end, threads_free, threads_load

cdef enum:
    GONE = 0xFFFFFFFF


cdef int load_program(Core *c, object program, object limits, u64 *counters) except -1:
    """Fill a zeroed core's part that is the program's. Raises ValueError, MemoryError; free_program frees then too."""
    cdef int stream
    if len(program.port_class) != 3 * 65536:
        raise ValueError(f"a program has {3 * 65536} port classes, not {len(program.port_class)}")
    for stream in range(2):
        part = program.turns if stream else program.packets
        kept = (limits.turn_first, limits.turn_ring) if stream else (limits.first, limits.ring)
        automaton_init(&c.automaton[stream], part, program, limits.state_memory, counters)
        exact_init(&c.exact[stream], part, program, kept[0], kept[1])
        c.active[stream] = len(part.signature) > 0
    threads_load(c, program)
    conditions_init(&c.conditions, program)
    c.program_stream = copy_u8(program.stream)
    c.port_class = copy_u16(program.port_class)
    c.pause_code = program.threshold
    return 0


cdef void free_program(Core *c) noexcept nogil:
    cdef int stream
    for stream in range(2):
        automaton_free(&c.automaton[stream])
        exact_free(&c.exact[stream])
    threads_free(c)
    conditions_free(&c.conditions)
    free(c.port_class)
    free(c.program_stream)


cdef int exchange_program(Core *c, object before, object after, object limits) except -1:
    """Put `after` in the place of `before`. Raises ValueError or MemoryError, and nothing has changed then."""
    cdef Core *fresh = <Core *>calloc(1, sizeof(Core))
    cdef u32 *number = <u32 *>malloc(4 * (len(before.signatures) + 1))
    cdef u8 *same = <u8 *>calloc(len(before.signatures) + 1, 1)
    cdef int stream
    try:
        if not (fresh and number and same):
            raise MemoryError()
        load_program(fresh, after, limits, c.counters)
        if fresh.active[1] and not c.keep_turns:
            raise ValueError("signatures over turns, for an engine that was not told to keep turns for them")
        compare(before, after, number, same)
        with nogil:
            free_program(c)
            for stream in range(2):
                c.automaton[stream] = fresh.automaton[stream]
                c.exact[stream] = fresh.exact[stream]
                c.active[stream] = fresh.active[stream]
            c.following = fresh.following
            c.conditions = fresh.conditions
            c.program_stream = fresh.program_stream
            c.port_class = fresh.port_class
            c.pause_code = fresh.pause_code
            renumber(c, number, same)
            free(fresh)
            fresh = NULL
    finally:
        if fresh:
            free_program(fresh)
        free(fresh)
        free(number)
        free(same)
    return 0


cdef int compare(object before, object after, u32 *number, u8 *same) except -1:
    """What number each signature gets (or GONE), and whether it says the same as before."""
    numbers = {signature.id: i for i, signature in enumerate(after.signatures)}
    rules = before.fuzz_bytes, before.fuzz_percent, before.threshold
    cdef bint alike = rules == (after.fuzz_bytes, after.fuzz_percent, after.threshold)
    for i, signature in enumerate(before.signatures):
        other = numbers.get(signature.id)
        number[<u32>i] = GONE if other is None else other
        same[<u32>i] = other is not None and alike and after.meaning[other] == before.meaning[i]
    return 0


cdef void renumber(Core *c, const u32 *number, const u8 *same) noexcept nogil:
    """Go through all flows, those that wait to be reported too."""
    cdef u32 slot
    cdef Flow *f
    for slot in range(c.table.top):
        f = flow_at(&c.table, slot)
        if not f.flags & F_USED:
            continue
        if f.hits:
            renumber_hits(c, f, number, same)
        threads_end(c, f)
        if f.flags & (F_STARTED | F_CLOSED) == F_STARTED:
            f.packet_state = f.turn_state = LOST


cdef void renumber_hits(Core *c, Flow *f, const u32 *number, const u8 *same) noexcept nogil:
    """Number a flow's hits anew, ascending again. The evidence of a text that has changed shows nothing any more."""
    cdef u32 n = f.hits
    cdef u32 after
    cdef u32 newest = 0
    cdef u32 *link
    cdef HitNode *hit
    f.hits = 0
    while n:
        hit = hit_at(c, n)
        after = hit.next
        if number[hit.signature] == GONE:
            hit_give(c, n)
            n = after
            continue
        if not same[hit.signature]:
            if hit.more:
                pool_give(&c.hits, hit.more)
            hit.more = hit.words = hit.seen = 0
        hit.signature = number[hit.signature]
        # most keep their order: what comes next belongs behind what came last
        link = &f.hits
        if newest and hit_at(c, newest).signature < hit.signature:
            link = &hit_at(c, newest).next
        while link[0] and hit_at(c, link[0]).signature < hit.signature:
            link = &hit_at(c, link[0]).next
        hit.next = link[0]
        link[0] = newest = n
        n = after
