# SPDX-License-Identifier: LGPL-2.1-or-later
"""`where` conditions over a batch of ended flows: which hits stand.

A condition is about the flow as a whole, so it waits until the flow has ended. Then all flows that wait for a report
are asked at once, condition by condition: their values are laid out as columns, and engine.where runs each operation
over a column. Flows that lose all their hits here never become Python objects.
"""

from libc.math cimport NAN
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from engine.arrays cimport copy_f64, copy_u8, copy_u32
from engine.core cimport Asked, Conditions, Core, HitNode, hit_at, hit_give
from engine.counters cimport WHERE_REFUSED, bump
from engine.flow cimport NO_RTT, Flow, Side, client_of, turns_of
from engine.record cimport u8, u32, u64
from engine.table cimport flow_at
from engine.where cimport VAR, WHERE_BLOCK, where_depth, where_run

from sigdb.where import VARIABLES

cdef enum:
    BATCH = 1024            # hits asked about at once
    STRIDE = BATCH + 8      # of the columns; a power of two would put all values of a flow into one set of the cache
    # rows of the columns, in the order of sigdb.where.VARIABLES: of the flow, the client, the server
    BYTES = 0
    PACKETS = 3
    TURNS = 6
    DURATION = 9
    RTT = 12
    ROWS = 15

cdef int conditions_init(Conditions *w, object program) except -1:
    """Read a program's conditions. Raises ValueError for a malformed one, MemoryError; the caller frees."""
    cdef Py_ssize_t depth, deepest = 1
    cdef u32 i, k
    memset(w, 0, sizeof(Conditions))
    names = tuple(side + name for name in ("bytes", "packets", "turns", "duration", "rtt") for side in ("", "c.", "s."))
    if names != VARIABLES:
        raise ValueError(f"conditions are evaluated over {names}, but were compiled for {VARIABLES}")
    w.start = copy_u32(program.where_start)
    w.ops = copy_u8(program.where_ops)
    w.args = copy_f64(program.where_args)
    w.used = <u32 *>calloc(len(program.signatures) + 1, sizeof(u32))
    w.chain = <u32 *>calloc(len(program.signatures) + 1, sizeof(u32))
    if not (w.used and w.chain):
        raise MemoryError()
    for i in range(len(program.signatures)):
        if w.start[i] != w.start[i + 1]:
            w.any = True
            depth = where_depth(w.ops + w.start[i], w.args + w.start[i], w.start[i + 1] - w.start[i], ROWS)
            for k in range(w.start[i], w.start[i + 1]):
                if w.ops[k] == VAR:
                    w.used[i] |= 1 << <u32>w.args[k]
            if depth == 0:
                raise ValueError(f"the condition of signature {i} is malformed")
            deepest = max(deepest, depth)
    w.asked = <Asked *>calloc(BATCH, sizeof(Asked))
    w.touched = <u32 *>calloc(BATCH, sizeof(u32))
    w.columns = <double *>malloc(ROWS * STRIDE * sizeof(double))
    w.stack = <double *>malloc(deepest * WHERE_BLOCK * sizeof(double))
    w.holds = <u8 *>malloc(BATCH)
    if not (w.asked and w.touched and w.columns and w.stack and w.holds):
        raise MemoryError()
    return 0


cdef void conditions_free(Conditions *w) noexcept nogil:
    free(w.start)
    free(w.ops)
    free(w.args)
    free(w.used)
    free(w.chain)
    free(w.touched)
    free(w.asked)
    free(w.columns)
    free(w.stack)
    free(w.holds)
    memset(w, 0, sizeof(Conditions))


cdef void apply_conditions(Core *c) noexcept nogil:
    """Take from the flows that wait for a report the hits whose condition does not hold."""
    cdef Conditions *w = &c.conditions
    cdef u32 i, n, count = 0, touched = 0
    cdef HitNode *hit
    if not w.any:
        return
    for i in range(c.ended_count):
        n = flow_at(&c.table, c.ended[i]).hits
        while n:
            hit = hit_at(c, n)
            if w.start[hit.signature] != w.start[hit.signature + 1]:
                if w.chain[hit.signature] == 0:
                    w.touched[touched] = hit.signature
                    touched += 1
                w.asked[count].slot = c.ended[i]
                w.asked[count].hit = n
                w.asked[count].next = w.chain[hit.signature]
                count += 1
                w.chain[hit.signature] = count
                if count == BATCH:
                    settle(c, touched)
                    count = touched = 0
            n = hit.next
    settle(c, touched)
    for i in range(c.ended_count):
        remove_refused(c, flow_at(&c.table, c.ended[i]))


cdef void settle(Core *c, u32 touched) noexcept nogil:
    """Ask each condition once about all of its flows among the asked ones; a refused hit gets the count 0."""
    cdef Conditions *w = &c.conditions
    cdef u32 i, k, n, signature
    for i in range(touched):
        signature = w.touched[i]
        n = 0
        k = w.chain[signature]
        while k:
            fill_columns(w.columns + n, w.used[signature], flow_at(&c.table, w.asked[k - 1].slot))
            n += 1
            k = w.asked[k - 1].next
        where_run(w.ops + w.start[signature], w.args + w.start[signature],
                  w.start[signature + 1] - w.start[signature], w.columns, STRIDE, n, w.stack, w.holds)
        n = 0
        k = w.chain[signature]
        while k:
            if not w.holds[n]:
                hit_at(c, w.asked[k - 1].hit).count = 0
                bump(c.counters, WHERE_REFUSED)
            n += 1
            k = w.asked[k - 1].next
        w.chain[signature] = 0


cdef void fill_columns(double *column, u32 used, const Flow *f) noexcept nogil:
    """The values of one flow that are used, STRIDE apart: bytes, seconds, NaN for what was not measured."""
    cdef u32 row = 0
    while used:
        if used & 1:
            column[row * STRIDE] = value_of(f, row)
        used >>= 1
        row += 1


cdef double value_of(const Flow *f, u32 row) noexcept nogil:
    cdef u32 which = row % 3
    cdef u32 endpoint = client_of(f) ^ (1 if which == 2 else 0)
    cdef const Side *s = &f.side[endpoint]
    cdef u64 end = f.previous if f.packets else f.last
    row -= which
    if row == BYTES:
        return <double>(s.bytes if which else f.side[0].bytes + f.side[1].bytes)
    if row == PACKETS:
        return s.packets if which else f.packets
    if row == TURNS:
        return s.turns if which else turns_of(f)
    if row == DURATION:
        if which:
            return (f.last_ms[endpoint] - f.first_ms[endpoint]) / 1e3
        return (end - f.start) / 1e9 if end > f.start else 0.0
    if which:
        return NAN if s.rtt == NO_RTT else s.rtt / 1e6
    return value_of(f, RTT + 1) + value_of(f, RTT + 2)


cdef void remove_refused(Core *c, Flow *f) noexcept nogil:
    cdef u32 *link = &f.hits
    cdef u32 n
    while link[0]:
        n = link[0]
        if hit_at(c, n).count:
            link = &hit_at(c, n).next
        else:
            link[0] = hit_at(c, n).next
            hit_give(c, n)
