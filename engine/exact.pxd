# SPDX-License-Identifier: LGPL-2.1-or-later
"""The exact matcher's C interface; exact.pyx has the idea behind it."""

from engine.record cimport i32, u8, u16, u32, u64
from engine.table cimport history_place

cdef enum:
    SLOTS = 4096            # one more than a signature may have elements

# One packet or turn of the history, or the place where some are missing.
cdef struct Item:
    u32 size
    u16 code            # think code
    u8 kind             # 0 client, 1 server, HOLE

# What a position wants, in the words of the signature; the automaton has it in classes.
cdef struct Want:
    u32 low
    u32 high
    u32 follow          # its successors: from here in the list of successors ...
    u32 follow_end      # ... to here
    u32 tests           # of several sizes: from here in the list of tests ...
    u32 tests_end       # ... to here; none: low, high and the reference say it all
    i32 plus
    i32 tolerance
    u16 pause_low
    u16 pause_high
    u16 reference
    u16 slot            # where its size is bound
    u8 side
    u8 flags

# One of several sizes that a position asks for, or excludes.
cdef struct Test:
    u32 low
    u32 high
    i32 plus
    i32 tolerance
    u16 reference
    u8 excluded

# One reference of a chain, by places in the chain.
cdef struct Check:
    u16 place
    u16 target
    i32 plus
    i32 tolerance

# How long the matches of a signature are, and whether there is only one way to lay it over its packets. The first
# reference of a chain is kept here: most have no other, and then this is all that is read of the signature.
cdef struct Extent:
    u32 first           # its first position; the last is before the next signature's first
    u32 least           # packets or turns
    u32 most            # 0: no bound
    u32 more            # of a chain: its other references, from here in the list of checks ...
    u16 check_count     # ... so many and the one here
    u16 referenced      # how many slots are referred to, in the list of referenced ones from ...
    u32 referenced_at
    bint chain          # position after position, without a choice
    Check check

cdef struct Exact:
    u32 position_count
    Want *want
    Test *test
    u32 *follow
    Extent *extent      # per signature, and one more
    Check *more
    u16 *referenced
    u8 *sig_begin
    u32 fuzz_bytes
    u32 fuzz_percent
    # the history that is looked at
    const u32 *packets  # one of these two
    const u64 *turns
    u32 first
    u32 ring
    u32 count           # packets or turns of the flow
    u32 items           # of these in the history, the hole counted as one
    # one comparison
    u32 bound[SLOTS]    # the size last bound on the path taken
    bint ending         # the flow has ended with the last item
    u32 steps
    const Extent *extent_now
    u64 *failed         # what was found to lead nowhere: position, item, bounds, hashed; 0 is empty
    bint hole_refused   # a hole was in the way of something other than `...`

cdef enum:
    HOLE = 2
    NO_MATCH = 0xFFFFFFFF
    WORDS = 24              # of evidence: one for a packet, two for a turn
    HOLE_WORD = 0xFFFFFFFF
    MAX_STEPS = 20_000
    MEMO = 4096             # a power of two
    MEMO_FROM = 256         # steps before anything is remembered

cdef int exact_init(Exact *x, object stream, object program, u32 first, u32 ring) except -1
cdef void exact_free(Exact *x) noexcept nogil
cdef u32 exact_match(Exact *x, u32 signature, bint begun) noexcept nogil
cdef u32 exact_evidence(const Exact *x, u32 at, int stream, u32 *word) noexcept nogil
cdef bint accepts(const Exact *x, const Want *w, Item item) noexcept nogil

cdef inline void look_at(Exact *x, const u32 *packets, const u64 *turns, u32 count) noexcept nogil:
    """Choose the history that is asked about next."""
    x.packets = packets
    x.turns = turns
    x.count = count
    x.items = count if count <= x.first + x.ring else x.first + x.ring + 1

cdef inline Item item_at(const Exact *x, u32 i) noexcept nogil:
    """Item `i` of the history, from 0; the newest is x.items - 1."""
    cdef Item item
    cdef u64 turn
    cdef u32 packet, place
    if x.count > x.first + x.ring:
        if i == x.first:
            item.size = 0
            item.code = 0
            item.kind = HOLE
            return item
        if i > x.first:
            i += x.count - x.items
    place = history_place(i, x.first, x.ring)
    if x.packets:
        packet = x.packets[place]
        item.size = packet & 0xFFFF
        item.code = (packet >> 16) & 0x7FFF
        item.kind = packet >> 31
    else:
        turn = x.turns[place]
        item.size = <u32>turn
        item.code = (turn >> 32) & 0x7FFF
        item.kind = <u8>(turn >> 63)
    return item
