# SPDX-License-Identifier: LGPL-2.1-or-later
"""The automaton's two kinds of hash table: open addressing, grown while at most half full, never shrunk but by clear.

They begin small on purpose: a table sized for its budget from the start has one entry in each page that it touches, so
a few thousand entries would cost a few thousand pages, and as many misses in the TLB. Growing may fail for want of
memory; the owner asks for room before it begins anything (`*_ready`), so that nothing fails half-way.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memset

from engine.record cimport u8, u32, u64

cdef enum:
    SMALLEST = 64


cdef bint pairs_clear(Pairs *t) noexcept nogil:
    """Empty a table (or make it, from zeroed memory; the owner has set `shift`); False without memory."""
    cdef u64 *small = <u64 *>malloc(SMALLEST * sizeof(u64))
    if small:
        free(t.entry)
        t.entry = small
        t.mask = SMALLEST - 1
    elif not t.entry:
        return False
    memset(t.entry, 0xFF, (<u64>t.mask + 1) * sizeof(u64))
    t.count = 0
    return True


cdef bint pairs_ready(Pairs *t) noexcept nogil:
    """Make room for one more pair; False without memory."""
    cdef u64 *before = t.entry
    cdef u32 room = t.mask + 1
    cdef u32 i, at
    if (t.count + 1) * 2 <= room:
        return True
    t.entry = <u64 *>malloc(<u64>room * 2 * sizeof(u64))
    if not t.entry:
        t.entry = before
        return False
    memset(t.entry, 0xFF, <u64>room * 2 * sizeof(u64))
    t.mask = room * 2 - 1
    for i in range(room):
        if before[i] != <u64>-1:
            at = pairs_home(t, before[i] >> VALUE_BITS)
            while t.entry[at] != <u64>-1:
                at = (at + 1) & t.mask
            t.entry[at] = before[i]
    free(before)
    return True


cdef void pairs_put(Pairs *t, u32 a, u32 b, u32 value) noexcept nogil:
    """Enter a pair that is not there; there is room."""
    cdef u64 key = <u64>a << t.shift | b
    cdef u32 at = pairs_home(t, key)
    while t.entry[at] != <u64>-1:
        at = (at + 1) & t.mask
    t.entry[at] = key << VALUE_BITS | value
    t.count += 1


cdef bint numbers_clear(Numbers *t) noexcept nogil:
    """Empty a table, or make it from zeroed memory; False without memory."""
    cdef u32 *small = <u32 *>malloc(SMALLEST * sizeof(u32))
    if small:
        free(t.entry)
        t.entry = small
        t.mask = SMALLEST - 1
    elif not t.entry:
        return False
    memset(t.entry, 0, (<u64>t.mask + 1) * sizeof(u32))
    t.count = 0
    return True


cdef bint numbers_ready(Numbers *t, const u32 *hashes, u32 stride) noexcept nogil:
    """Make room for one more number; number n's hash is at `hashes` + n * stride bytes. False without memory."""
    cdef u32 *before = t.entry
    cdef u32 room = t.mask + 1
    cdef u32 number, at
    if (t.count + 1) * 2 <= room:
        return True
    t.entry = <u32 *>malloc(<u64>room * 2 * sizeof(u32))
    if not t.entry:
        t.entry = before
        return False
    memset(t.entry, 0, <u64>room * 2 * sizeof(u32))
    t.mask = room * 2 - 1
    for number in range(t.count):
        at = (<const u32 *>(<const u8 *>hashes + <u64>number * stride))[0] & t.mask
        while t.entry[at]:
            at = (at + 1) & t.mask
        t.entry[at] = number + 1
    free(before)
    return True
