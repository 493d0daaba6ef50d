# SPDX-License-Identifier: LGPL-2.1-or-later
"""The automaton's two kinds of hash table: the C interface, and the look-up that every packet makes."""

from engine.record cimport likely, u32, u64

# (a, b) -> value in 8 bytes an entry: a << shift | b in the upper 40 bits, the value in the lower 24.
cdef struct Pairs:
    u64 *entry
    u32 mask
    u32 count
    u32 shift           # bits of b

# Numbers by the hash of what they number, which the owner compares: number + 1, or 0.
cdef struct Numbers:
    u32 *entry
    u32 mask
    u32 count

cdef enum:
    PAIR_BITS = 40
    VALUE_BITS = 24
    VALUE = 0xFFFFFF
    ABSENT = 0xFFFFFFFF

cdef bint pairs_clear(Pairs *t) noexcept nogil
cdef bint pairs_ready(Pairs *t) noexcept nogil
cdef void pairs_put(Pairs *t, u32 a, u32 b, u32 value) noexcept nogil
cdef bint numbers_clear(Numbers *t) noexcept nogil
cdef bint numbers_ready(Numbers *t, const u32 *hashes, u32 stride) noexcept nogil

cdef inline u32 mix(u32 a, u32 b) noexcept nogil:
    cdef u64 h = (<u64>a << 32 | b) * <u64>0x9E3779B97F4A7C15
    return <u32>(h >> 32) ^ <u32>(h >> 7)

cdef inline u32 spread(u64 key) noexcept nogil:
    cdef u64 h = key * <u64>0x9E3779B97F4A7C15
    return <u32>(h >> 32) ^ <u32>(h >> 17)

cdef inline u32 pairs_home(const Pairs *t, u64 key) noexcept nogil:
    """The first of the two neighbouring places that a key belongs to."""
    return spread(key) & t.mask & ~<u32>1

cdef inline u32 pairs_get(const Pairs *t, u32 a, u32 b) noexcept nogil:
    """The value of a pair, or ABSENT.

    Both places of a bucket are read and chosen from without a branch: which of the two holds the key is a coin toss
    that no branch predictor wins.
    """
    cdef u64 key = <u64>a << t.shift | b
    cdef u32 i = pairs_home(t, key)
    cdef u64 entry
    while True:
        entry = t.entry[i] if t.entry[i] >> VALUE_BITS == key else t.entry[i + 1]
        if likely(entry >> VALUE_BITS == key):
            return <u32>entry & VALUE
        if entry == <u64>-1:
            return ABSENT
        i = (i + 2) & t.mask
