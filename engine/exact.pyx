# SPDX-License-Identifier: LGPL-2.1-or-later
"""The exact matcher: compares one signature, references included, with the history of one flow.

It is asked where the automaton says "maybe", and where evidence of a match is wanted: it walks the signature's
positions through the history by backtracking and says where the match begins. The latest beginning is tried first, so
the evidence is the shortest match.

What has left the history is one item, a hole. Only `...` may pass over it: anything else there is not known to match,
and unknown is no match (x.hole_refused says so). Backtracking is bounded by MAX_STEPS.
"""

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from engine.automaton cimport POSITION_ANY, POSITION_FIRST, POSITION_LAST, copy_u8, copy_u16, copy_u32
from engine.record cimport i32, i64, u8, u16, u32, u64


cdef int exact_init(Exact *x, object stream, object program, u32 history) except -1:
    """Read a stream of a program, for histories of at most `history` items. Raises MemoryError; the caller frees."""
    cdef u32 i, n = len(stream.signature)
    cdef u32 signatures = len(program.signatures)
    memset(x, 0, sizeof(Exact))
    x.position_count = n
    x.signature = copy_u32(stream.signature)
    x.element = copy_u16(stream.element)
    x.side = copy_u8(stream.side)
    x.flags = copy_u8(stream.flags)
    x.low = copy_u32(stream.low)
    x.high = copy_u32(stream.high)
    x.pause_low = copy_u16(stream.pause_low)
    x.pause_high = copy_u16(stream.pause_high)
    x.reference = copy_u16(stream.reference)
    x.plus = copy_i32(stream.plus)
    x.tolerance = copy_i32(stream.tolerance)
    x.follow_start = copy_u32(stream.follow_start)
    x.follow = copy_u32(stream.follow)
    x.sig_begin = copy_u8(program.begin)
    x.fuzz_bytes = program.fuzz_bytes
    x.fuzz_percent = program.fuzz_percent
    x.sig_first = <u32 *>calloc(signatures + 1, 4)
    x.item = <Item *>malloc((history + 2) * sizeof(Item))
    if not x.sig_first or not x.item:
        raise MemoryError()
    for i in range(n):
        x.sig_first[x.signature[i] + 1] = i + 1
    for i in range(signatures):
        if x.sig_first[i + 1] == 0:
            x.sig_first[i + 1] = x.sig_first[i]
    return 0


cdef i32 *copy_i32(object values) except? NULL:
    cdef u32 i, n = len(values)
    cdef i32 *out = <i32 *>malloc(4 * (n + 1))
    cdef const int[::1] view
    if not out:
        raise MemoryError()
    if n:
        view = values
        for i in range(n):
            out[i] = view[i]
    return out


cdef void exact_free(Exact *x) noexcept nogil:
    free(x.signature)
    free(x.element)
    free(x.side)
    free(x.flags)
    free(x.low)
    free(x.high)
    free(x.pause_low)
    free(x.pause_high)
    free(x.reference)
    free(x.plus)
    free(x.tolerance)
    free(x.follow_start)
    free(x.follow)
    free(x.sig_first)
    free(x.sig_begin)
    free(x.item)
    memset(x, 0, sizeof(Exact))


cdef inline bint accepts(Exact *x, u32 p, const Item *item) noexcept nogil:
    cdef i64 want, slack
    if not x.side[p] & (1 << item.kind) or item.code < x.pause_low[p] or item.code > x.pause_high[p]:
        return False
    if x.reference[p] == 0:
        return x.low[p] <= item.size <= x.high[p]
    want = <i64>x.bound[x.reference[p]] + x.plus[p]
    slack = x.tolerance[p]
    if slack < 0:
        slack = max(<i64>x.fuzz_bytes, want * x.fuzz_percent // 100)
    return want - slack <= item.size <= want + slack


cdef bint walk(Exact *x, u32 p, u32 at) noexcept nogil:
    """Whether a match that has taken item `at` at position `p` can end exactly at the last item."""
    cdef u32 k, q, element, before
    cdef Item *item
    if at + 1 == x.items:
        return x.flags[p] & POSITION_LAST
    x.steps += 1
    if x.steps > MAX_STEPS:
        return False
    item = &x.item[at + 1]
    for k in range(x.follow_start[p], x.follow_start[p + 1]):
        q = x.follow[k]
        if item.kind == HOLE:
            if x.flags[q] & POSITION_ANY:
                if walk(x, q, at + 1):
                    return True
            else:
                x.hole_refused = True
            continue
        if not accepts(x, q, item):
            continue
        element = x.element[q]
        before = x.bound[element]
        x.bound[element] = item.size
        if walk(x, q, at + 1):
            return True
        x.bound[element] = before
    return False


cdef u32 exact_match(Exact *x, u32 signature, bint begun) noexcept nogil:
    """The item at which the shortest match that ends at the last item begins, or NO_MATCH.

    The caller has filled x.item and x.items; `begun` says that item 0 is the flow's first.
    """
    cdef u32 at = x.items
    cdef u32 p
    cdef bint anchored = x.sig_begin[signature]
    x.steps = 0
    x.hole_refused = False
    while at > 0:
        at -= 1
        if anchored:
            if not begun:
                return NO_MATCH
            at = 0
        if x.item[at].kind == HOLE:
            x.hole_refused = True
            continue
        for p in range(x.sig_first[signature], x.sig_first[signature + 1]):
            if not x.flags[p] & POSITION_FIRST or not accepts(x, p, &x.item[at]):
                continue
            x.bound[x.element[p]] = x.item[at].size
            if walk(x, p, at):
                return at
            if x.steps > MAX_STEPS:
                return NO_MATCH
    return NO_MATCH
