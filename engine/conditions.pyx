# SPDX-License-Identifier: LGPL-2.1-or-later
"""`where` conditions over a batch of ended flows: which hits stand.

A condition is about the flow as a whole, so it waits until the flow has ended. Then all flows that wait for a report
are asked at once, condition by condition: their values are laid out as columns, and engine.where runs each operation
over a column. Flows that lose all their hits here never become Python objects.
"""

from libc.math cimport NAN
from libc.stdlib cimport calloc, free, malloc, qsort
from libc.string cimport memset

from engine.arrays cimport copy_f64, copy_u8, copy_u32
from engine.core cimport Asked, Conditions, Core, HitNode, hit_at, pool_give
from engine.counters cimport WHERE_REFUSED, bump
from engine.flow cimport NO_RTT, Flow, Side, client_of
from engine.record cimport u8, u32, u64
from engine.table cimport flow_at
from engine.where cimport WHERE_BLOCK, where_depth, where_run

from sigdb.where import VARIABLES

cdef enum:
    BATCH = 1024            # hits asked about at once
    # rows of the columns, in the order of sigdb.where.VARIABLES: flow, client, server of each
    BYTES = 0
    PACKETS = 3
    TURNS = 6
    DURATION = 9
    RTT = 12
    ROWS = 15

cdef extern from *:
    """
    static int ft_compare_asked(const void *a, const void *b) {
        unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
        return (x > y) - (x < y);
    }
    """
    int ft_compare_asked(const void *, const void *) noexcept nogil


cdef int conditions_init(Conditions *w, object program) except -1:
    """Read a program's conditions. Raises ValueError for a malformed one, MemoryError; the caller frees."""
    cdef Py_ssize_t depth, deepest = 1
    cdef u32 i
    memset(w, 0, sizeof(Conditions))
    names = tuple(side + name for name in ("bytes", "packets", "turns", "duration", "rtt") for side in ("", "c.", "s."))
    if names != VARIABLES:
        raise ValueError(f"conditions are evaluated over {names}, but were compiled for {VARIABLES}")
    w.start = copy_u32(program.where_start)
    w.ops = copy_u8(program.where_ops)
    w.args = copy_f64(program.where_args)
    for i in range(len(program.signatures)):
        if w.start[i] != w.start[i + 1]:
            w.any = True
            depth = where_depth(w.ops + w.start[i], w.args + w.start[i], w.start[i + 1] - w.start[i], ROWS)
            if depth == 0:
                raise ValueError(f"the condition of signature {i} is malformed")
            deepest = max(deepest, depth)
    w.asked = <Asked *>calloc(BATCH, sizeof(Asked))
    w.columns = <double *>malloc(ROWS * BATCH * sizeof(double))
    w.stack = <double *>malloc(deepest * WHERE_BLOCK * sizeof(double))
    w.holds = <u8 *>malloc(BATCH)
    if not (w.asked and w.columns and w.stack and w.holds):
        raise MemoryError()
    return 0


cdef void conditions_free(Conditions *w) noexcept nogil:
    free(w.start)
    free(w.ops)
    free(w.args)
    free(w.asked)
    free(w.columns)
    free(w.stack)
    free(w.holds)
    memset(w, 0, sizeof(Conditions))


cdef void apply_conditions(Core *c) noexcept nogil:
    """Take from the flows that wait for a report the hits whose condition does not hold."""
    cdef Conditions *w = &c.conditions
    cdef u32 i, n, count = 0
    cdef HitNode *hit
    if not w.any:
        return
    for i in range(c.ended_count):
        n = flow_at(&c.table, c.ended[i]).hits
        while n:
            hit = hit_at(c, n)
            if w.start[hit.signature] != w.start[hit.signature + 1]:
                w.asked[count].signature = hit.signature
                w.asked[count].slot = c.ended[i]
                w.asked[count].hit = n
                count += 1
                if count == BATCH:
                    settle(c, count)
                    count = 0
            n = hit.next
    settle(c, count)
    for i in range(c.ended_count):
        remove_refused(c, flow_at(&c.table, c.ended[i]))


cdef void settle(Core *c, u32 count) noexcept nogil:
    """Ask each condition once about all of its flows among the asked ones; a refused hit gets the count 0."""
    cdef Conditions *w = &c.conditions
    cdef u32 begin = 0, end, i, signature
    qsort(w.asked, count, sizeof(Asked), ft_compare_asked)
    while begin < count:
        signature = w.asked[begin].signature
        end = begin
        while end < count and w.asked[end].signature == signature:
            fill_columns(w.columns + end - begin, flow_at(&c.table, w.asked[end].slot))
            end += 1
        where_run(w.ops + w.start[signature], w.args + w.start[signature],
                  w.start[signature + 1] - w.start[signature], w.columns, BATCH, end - begin, w.stack, w.holds)
        for i in range(begin, end):
            if not w.holds[i - begin]:
                hit_at(c, w.asked[i].hit).count = 0
                bump(c.counters, WHERE_REFUSED)
        begin = end


cdef void fill_columns(double *column, const Flow *f) noexcept nogil:
    """One flow's values, BATCH apart: sizes in bytes, times in seconds, NaN for what was not measured."""
    cdef u32 client = client_of(f)
    cdef u32 side, endpoint
    cdef const Side *s
    cdef u64 end = f.previous if f.packets else f.last
    for side in range(2):
        endpoint = client ^ side
        s = &f.side[endpoint]
        column[(BYTES + 1 + side) * BATCH] = <double>s.bytes
        column[(PACKETS + 1 + side) * BATCH] = s.packets
        column[(TURNS + 1 + side) * BATCH] = s.turns
        column[(DURATION + 1 + side) * BATCH] = (f.last_ms[endpoint] - f.first_ms[endpoint]) / 1e3
        column[(RTT + 1 + side) * BATCH] = NAN if s.rtt == NO_RTT else s.rtt / 1e6
    column[BYTES * BATCH] = <double>(f.side[0].bytes + f.side[1].bytes)
    column[PACKETS * BATCH] = <double>f.packets
    column[TURNS * BATCH] = <double>f.turns
    column[DURATION * BATCH] = (end - f.start) / 1e9 if end > f.start else 0.0
    column[RTT * BATCH] = column[(RTT + 1) * BATCH] + column[(RTT + 2) * BATCH]


cdef void remove_refused(Core *c, Flow *f) noexcept nogil:
    cdef u32 *link = &f.hits
    cdef u32 n
    while link[0]:
        n = link[0]
        if hit_at(c, n).count:
            link = &hit_at(c, n).next
        else:
            link[0] = hit_at(c, n).next
            pool_give(&c.hits, n)
