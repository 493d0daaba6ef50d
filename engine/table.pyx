# SPDX-License-Identifier: LGPL-2.1-or-later
"""The flow table: an open-addressed index of 8-byte entries over a pool of flow slots, all memory bounded at start.

Complications, and where they are solved:

1. Flows in the index itself would move half a kilobyte at each insertion and leave half of it empty. So the index
   holds the keyed hash and a slot number; a wrong flow is told from the hash without touching its slot (`table_find`).
2. Deletion shifts later entries back instead of leaving tombstones: a table that has run for a year probes like a new
   one (`table_unlink`).
3. The pool is reserved, not touched: memory is used as flows come, and freed slots are used again first.
4. A flood of half-open flows must not cost a single open session. Flows are born into a queue; when the pool is
   full the oldest one that is still half-open goes (`table_oldest_half_open`). Only when there is none does a complete
   connection go: the one idle longest among a sample (`table_victim`).

The table knows nothing of TCP: the engine says which flows are open and what ending one means.
"""

from libc.string cimport memcpy, memset

from engine.arrays cimport give_back, reserve
from engine.flow cimport F_OPEN, F_QUEUED, F_UNLINKED, F_USED, F_CLOSED, Cold, Flow
from engine.record cimport ft_record, likely, prefetch, u8, u16, u32, u64

cdef extern from *:
    """
    #include <sys/mman.h>
    /* One TLB entry for 2 MiB: without it a random slot costs a page walk more than its cache misses. */
    static void ft_in_huge_pages(void *p, size_t size) { madvise(p, size, MADV_HUGEPAGE); }
    static void ft_forget(void *p, size_t size) { madvise(p, size, MADV_DONTNEED); }
    """
    void ft_in_huge_pages(void *, size_t) nogil
    void ft_forget(void *, size_t) nogil

cdef enum:
    SAMPLE = 64     # slots looked at to find one to evict


cdef u32 power_of_two(u32 n) noexcept nogil:
    cdef u32 p = 1
    while p < n:
        p <<= 1
    return p


cdef int table_init(Table *t, u32 capacity, u32 first, u32 ring, u32 turn_first, u32 turn_ring) except -1:
    """Reserve a table; `ring` and `turn_ring` must be powers of two. Raises MemoryError."""
    memset(t, 0, sizeof(Table))
    t.capacity = capacity
    t.first, t.ring = first, ring
    t.turn_first, t.turn_ring = turn_first, turn_ring
    if sizeof(Flow) != TURNS_AT:
        raise RuntimeError(f"a flow has {sizeof(Flow)} bytes before its history, not {TURNS_AT}")
    t.packets_at = TURNS_AT + 8 * (turn_first + turn_ring)
    t.cold_at = t.packets_at + (4 * (first + ring) + 7) // 8 * 8
    t.stride = (t.cold_at + sizeof(Cold) + LINE - 1) // LINE * LINE
    cdef u32 entries = power_of_two(capacity + (capacity + 1) // 2)     # at most two thirds full: one is always empty
    t.mask = entries - 1
    t.index_bytes = <u64>entries * 8
    t.pool_bytes = <u64>capacity * t.stride
    t.births_mask = entries - 1
    t.births_bytes = <u64>entries * 4
    t.births_head = t.births_tail = 1   # 0 is the birth of a flow that was never queued
    t.index = <u64 *>reserve(t.index_bytes)
    t.pool = <u8 *>reserve(t.pool_bytes)
    t.births = <u32 *>reserve(t.births_bytes)
    ft_in_huge_pages(t.pool, t.pool_bytes)
    return 0


cdef void table_free(Table *t) noexcept nogil:
    give_back(t.index, t.index_bytes)
    give_back(t.pool, t.pool_bytes)
    give_back(t.births, t.births_bytes)
    t.index = NULL
    t.pool = NULL
    t.births = NULL


cdef void table_clear(Table *t) noexcept nogil:
    """Forget all flows. The memory that they used stays: the next capture's flows are likely to want it."""
    if t.top > t.capacity // 16:
        memset(t.index, 0, t.index_bytes)
    else:
        ft_forget(t.index, t.index_bytes)
    t.used = t.top = t.free_head = t.hand = t.sweep = 0
    t.births_head = t.births_tail = 1


cdef inline bint same(const u8 *a, const u8 *b) noexcept nogil:
    cdef const u64 *x = <const u64 *>a
    cdef const u64 *y = <const u64 *>b
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0


cdef u32 table_find(Table *t, const ft_record *r, u32 *endpoint) noexcept nogil:
    """The slot of the record's flow and which endpoint sent the record, or NOT_FOUND."""
    cdef u32 i = r.hash & t.mask
    cdef u64 entry
    cdef Flow *f
    while True:
        entry = t.index[i]
        if entry == 0:
            return NOT_FOUND
        if <u32>(entry >> 32) == r.hash:
            f = flow_at(t, <u32>entry - 1)
            if f.proto == r.proto:
                if (f.port0 == r.sport and f.port1 == r.dport and same(f.addr0, r.src) and same(f.addr1, r.dst)):
                    endpoint[0] = 0
                    return <u32>entry - 1
                if (f.port0 == r.dport and f.port1 == r.sport and same(f.addr0, r.dst) and same(f.addr1, r.src)):
                    endpoint[0] = 1
                    return <u32>entry - 1
        i = (i + 1) & t.mask


cdef u32 table_new(Table *t, const ft_record *r) noexcept nogil:
    """A cleared slot with the record's addresses, linked into the index; NOT_FOUND when the pool is full."""
    cdef u32 slot
    cdef Flow *f
    if t.free_head:
        slot = t.free_head - 1
        f = flow_at(t, slot)
        t.free_head = f.held
    elif t.top < t.capacity:
        slot = t.top
        t.top += 1
        f = flow_at(t, slot)
    else:
        return NOT_FOUND
    t.used += 1
    memset(f, 0, sizeof(Flow))
    memset(cold_of(t, f), 0, sizeof(Cold))
    memcpy(f.addr0, r.src, 16)
    memcpy(f.addr1, r.dst, 16)
    f.port0 = r.sport
    f.port1 = r.dport
    f.hash = r.hash
    f.proto = r.proto
    f.flags = F_USED
    table_link(t, slot)
    return slot


cdef void table_link(Table *t, u32 slot) noexcept nogil:
    cdef u32 hash = flow_at(t, slot).hash
    cdef u32 i = hash & t.mask
    while t.index[i]:
        i = (i + 1) & t.mask
    t.index[i] = <u64>hash << 32 | (slot + 1)


cdef void table_unlink(Table *t, u32 slot) noexcept nogil:
    """Take a slot out of the index; it stays in use until released."""
    cdef Flow *f = flow_at(t, slot)
    cdef u32 i = f.hash & t.mask
    cdef u32 j, home
    while <u32>t.index[i] != slot + 1:
        i = (i + 1) & t.mask
    f.flags |= F_UNLINKED
    j = i
    while True:
        j = (j + 1) & t.mask
        if t.index[j] == 0:
            break
        home = <u32>(t.index[j] >> 32) & t.mask
        # an entry may move back only if its home is not between the hole and itself
        if ((j - home) & t.mask) >= ((j - i) & t.mask):
            t.index[i] = t.index[j]
            i = j
    t.index[i] = 0


cdef void table_release(Table *t, u32 slot) noexcept nogil:
    """Give an unlinked slot back."""
    cdef Flow *f = flow_at(t, slot)
    f.flags = 0
    f.held = t.free_head
    t.free_head = slot + 1
    t.used -= 1


cdef void table_born(Table *t, u32 slot) noexcept nogil:
    """Enter a half-open flow at the end of the queue of births."""
    if t.births_head - t.births_tail > t.births_mask:
        drop_stale(t)
    t.births[t.births_head & t.births_mask] = slot
    cold_of(t, flow_at(t, slot)).birth = t.births_head
    t.births_head += 1


cdef inline bint is_half_open(Table *t, u32 number) noexcept nogil:
    """Whether the slot queued under this number still holds the flow that was born then, half-open."""
    # the slot may hold another flow by now, born later or never queued
    cdef Flow *f = flow_at(t, t.births[number & t.births_mask])
    return cold_of(t, f).birth == number and (f.flags & (F_USED | F_OPEN | F_CLOSED | F_UNLINKED)) == F_USED


cdef void drop_stale(Table *t) noexcept nogil:
    """Close the gaps in the queue of births. It is half as large again as the pool, so a third of a full one goes."""
    cdef u32 kept = t.births_tail
    cdef u32 number = t.births_tail
    cdef u32 slot
    while number != t.births_head:
        if is_half_open(t, number):
            slot = t.births[number & t.births_mask]
            t.births[kept & t.births_mask] = slot
            cold_of(t, flow_at(t, slot)).birth = kept
            kept += 1
        number += 1
    t.births_head = kept


cdef u32 table_oldest_half_open(Table *t) noexcept nogil:
    """The half-open flow born first, taken from the queue; NOT_FOUND when there is none."""
    while t.births_tail != t.births_head:
        t.births_tail += 1
        if is_half_open(t, t.births_tail - 1):
            return t.births[(t.births_tail - 1) & t.births_mask]
    return NOT_FOUND


cdef u32 table_victim(Table *t) noexcept nogil:
    """Of some slots after the hand, the closed or else the longest idle flow; NOT_FOUND when all wait for a report."""
    cdef u32 best = NOT_FOUND
    cdef u64 oldest = <u64>-1
    cdef u32 looked, slot
    cdef Flow *f
    for looked in range(min(t.top, SAMPLE)):
        slot = t.hand
        t.hand += 1
        if t.hand >= t.top:
            t.hand = 0
        f = flow_at(t, slot)
        if not f.flags & F_USED or f.flags & (F_QUEUED | F_UNLINKED):
            continue
        if f.flags & F_CLOSED:
            return slot
        if f.last < oldest:
            oldest = f.last
            best = slot
    return best
