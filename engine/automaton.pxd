# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lazy automaton's C interface; automaton.pyx has the idea behind it."""

from engine.lookup cimport ABSENT, Numbers, Pairs, pairs_get
from engine.record cimport likely, u8, u16, u32, u64

cdef struct Position:
    u32 signature
    u32 follow          # its successors: from here in the list of successors ...
    u32 follow_end      # ... to here
    u16 size_first      # classes that it accepts, inclusive
    u16 size_last
    u16 pause_first
    u16 pause_last
    u32 ranges          # of several ranges of sizes: from here in the list of ranges ...
    u16 range_count     # ... so many; 0: size_first to size_last is the only one
    u8 side             # bit 0 client, bit 1 server
    u8 flags            # POSITION_*

cdef struct State:
    u64 list            # arena offset of the deep positions, then of what the state reports
    u32 report          # the first signature that it reports, which is mostly the only one
    u32 count           # deep positions
    u32 exact           # signatures that match here
    u32 verify          # signatures that match here if the exact comparison agrees
    u32 end             # signatures that match if the flow ends here
    u32 starts          # start list: positions at which a match has just begun
    u32 moved           # during a reset: number in the new automaton + 1
    u32 hash
    u16 port_class
    u8 begin            # nothing was seen yet and the flow's beginning is known

cdef struct StartList:
    u64 list            # arena offset
    u32 count
    u32 hash

# What a reset sets aside until every flow has moved out of it.
cdef struct Built:
    State *states
    StartList *starts
    u32 *arena
    u32 state_count
    u32 start_count
    u64 arena_used      # in u32

cdef struct Automaton:
    # the program, read-only
    u32 position_count
    Position *position
    u32 *follow
    u16 *range_first    # size classes
    u16 *range_last
    u8 *sig_begin
    u8 *sig_end
    u8 *sig_references
    u32 class_count
    u32 *class_start    # per port class: where in class_list its positions that may begin a match stand
    u32 *class_list
    u32 size_classes
    u32 pause_classes
    u32 *size_cuts
    u16 *size_class     # of sizes below 65536
    u16 *pause_cuts
    # what is built, within the budget
    u64 budget          # bytes
    Built built
    Built old           # before a reset, while flows move out of it
    u32 state_room
    u32 state_limit     # building stops here: what is beyond is for the first states of port classes
    u64 arena_room
    Pairs transitions   # (state, symbol) -> state, with ACTS
    Pairs start_of      # (port class * 2 + begin, symbol) -> start list
    Numbers state_numbers
    Numbers start_numbers
    u32 *initial        # per port class * 2 + begin: state number + 1
    bint forgiving      # the first build after a reset may pass the budget: there is always progress
    # scratch of one build
    u32 *stamp          # per position: the build that last took it
    u32 now
    u32 *deep
    u32 *reports        # signature * 2, and 1 where it matches only if the flow ends
    u64 *counters

cdef enum:
    POSITION_FIRST = 1
    POSITION_LAST = 2
    POSITION_ANY = 4
    POSITION_END = 8        # a match ends here if the flow does

cdef enum:
    NEED_RESET = 0xFFFFFFFE
    LOST = 0xFFFFFFFD
    ACTS = 0x800000         # set in the number of a state that has something to report
    STATE = 0x7FFFFF

cdef int automaton_init(Automaton *a, object stream, object program, u64 budget, u64 *counters) except -1
cdef void automaton_free(Automaton *a) noexcept nogil
cdef u32 automaton_start(Automaton *a, u32 port_class, bint begin) noexcept nogil
cdef u32 automaton_build(Automaton *a, u32 state, u32 symbol) noexcept nogil
cdef void automaton_reset_begin(Automaton *a) noexcept nogil
cdef u32 automaton_move(Automaton *a, u32 state) noexcept nogil
cdef void automaton_reset_end(Automaton *a) noexcept nogil
cdef u32 automaton_large_class(Automaton *a, u32 size) noexcept nogil

cdef inline u32 pause_class_of(const Automaton *a, u32 code) noexcept nogil:
    """The class of a think code; most are in the first, and few databases have more than a handful."""
    cdef u32 k = 1
    while k < a.pause_classes and code >= a.pause_cuts[k]:
        k += 1
    return k - 1

cdef inline u32 symbol_of(Automaton *a, u32 endpoint, u32 size, u32 code) noexcept nogil:
    """The symbol class of a packet or turn: `endpoint` 0 client, 1 server."""
    cdef u32 size_class = a.size_class[size] if likely(size < 65536) else automaton_large_class(a, size)
    return (size_class * a.pause_classes + pause_class_of(a, code)) * 2 + endpoint

cdef inline u32 automaton_step(Automaton *a, u32 state, u32 symbol) noexcept nogil:
    """The state after one more symbol, with ACTS where it has something to report, or NEED_RESET."""
    cdef u32 after = pairs_get(&a.transitions, state, symbol)
    return after if likely(after != ABSENT) else automaton_build(a, state, symbol)
