# SPDX-License-Identifier: LGPL-2.1-or-later
"""The exact matcher's C interface; exact.pyx has the idea behind it."""

from engine.record cimport i32, u8, u16, u32

# One packet or turn of the history, or the place where some are missing.
cdef struct Item:
    u32 size
    u16 code            # think code
    u8 kind             # 0 client, 1 server, HOLE

cdef struct Exact:
    u32 position_count
    u32 *signature
    u16 *element
    u8 *side
    u8 *flags
    u32 *low
    u32 *high
    u16 *pause_low
    u16 *pause_high
    u16 *reference
    i32 *plus
    i32 *tolerance
    u32 *follow_start
    u32 *follow
    u32 *sig_first      # per signature: its first position; its last is before the next one's first
    u8 *sig_begin
    u32 fuzz_bytes
    u32 fuzz_percent
    # one comparison
    Item *item
    u32 items
    u32 bound[256]      # by element: the size bound on the path taken
    u32 steps
    bint hole_refused   # a hole was in the way of something other than `...`

cdef enum:
    HOLE = 2
    NO_MATCH = 0xFFFFFFFF
    MAX_STEPS = 50_000

cdef int exact_init(Exact *x, object stream, object program, u32 history) except -1
cdef void exact_free(Exact *x) noexcept nogil
cdef u32 exact_match(Exact *x, u32 signature, bint begun) noexcept nogil
