# SPDX-License-Identifier: LGPL-2.1-or-later
"""The flow table's C interface; table.pyx has the idea behind it."""

from engine.flow cimport Cold, Flow
from engine.record cimport ft_record, prefetch, u8, u16, u32, u64

cdef struct Table:
    u64 *index          # hash << 32 | slot + 1; 0 is empty
    u32 mask            # index entries - 1
    u8 *pool            # slots of `stride` bytes
    u32 stride
    u32 capacity
    u32 used            # slots in use
    u32 top             # slots ever used: the pool is untouched from here on
    u32 free_head       # slot + 1 of the first free slot below top
    u32 *births         # ring of slots in the order of their birth, half-open ones among them
    u32 births_mask
    u32 births_head     # next number to give
    u32 births_tail     # oldest number not yet looked at
    u32 hand            # where the search for a flow to evict goes on
    u32 sweep           # where the search for idle flows goes on
    u32 first           # packets kept from the beginning of a flow
    u32 ring            # packets kept from its end; a power of two
    u32 turn_first      # turns, likewise
    u32 turn_ring
    u32 packets_at      # offset of the history of packets in a slot
    u32 cold_at         # offset of Cold in a slot
    u64 index_bytes
    u64 pool_bytes
    u64 births_bytes

cdef enum:
    NOT_FOUND = 0xFFFFFFFF
    TURNS_AT = 160          # sizeof(Flow); table_init checks it
    LINE = 64

cdef int table_init(Table *t, u32 capacity, u32 first, u32 ring, u32 turn_first, u32 turn_ring) except -1
cdef void table_free(Table *t) noexcept nogil
cdef void table_clear(Table *t) noexcept nogil
cdef u32 table_find(Table *t, const ft_record *r, u32 *endpoint) noexcept nogil
cdef u32 table_new(Table *t, const ft_record *r) noexcept nogil
cdef void table_link(Table *t, u32 slot) noexcept nogil
cdef void table_unlink(Table *t, u32 slot) noexcept nogil
cdef void table_release(Table *t, u32 slot) noexcept nogil
cdef void table_born(Table *t, u32 slot) noexcept nogil
cdef u32 table_oldest_half_open(Table *t) noexcept nogil
cdef u32 table_victim(Table *t) noexcept nogil

cdef inline Flow *flow_at(Table *t, u32 slot) noexcept nogil:
    return <Flow *>(t.pool + <u64>slot * t.stride)

cdef inline u32 *packet_history(const Table *t, Flow *flow) noexcept nogil:
    return <u32 *>(<u8 *>flow + t.packets_at)

cdef inline u64 *turn_history(Flow *flow) noexcept nogil:
    return <u64 *>(<u8 *>flow + TURNS_AT)

cdef inline Cold *cold_of(const Table *t, Flow *flow) noexcept nogil:
    return <Cold *>(<u8 *>flow + t.cold_at)

cdef inline u32 history_place(u32 n, u32 first, u32 ring) noexcept nogil:
    """Where item n (from 0) of a history of `first` kept items and a ring of `ring` stands."""
    return n if n < first else first + ((n - first) & (ring - 1))

cdef inline void prefetch_index(Table *t, u32 hash) noexcept nogil:
    prefetch(&t.index[hash & t.mask])

cdef inline u32 peek(Table *t, u32 hash) noexcept nogil:
    """The slot that a flow of this hash most likely has, to prefetch it; NOT_FOUND when its bucket is empty."""
    cdef u64 entry = t.index[hash & t.mask]
    cdef u32 i = hash
    cdef int tries
    for tries in range(4):
        entry = t.index[i & t.mask]
        if entry == 0:
            return NOT_FOUND
        if <u32>(entry >> 32) == hash:
            return <u32>entry - 1
        i += 1
    return NOT_FOUND
