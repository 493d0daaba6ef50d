# SPDX-License-Identifier: LGPL-2.1-or-later
"""TCP sequence tracking: the C interface."""

from engine.core cimport Core
from engine.flow cimport F_FIN0, F_KNOWN0, Flow
from engine.record cimport ft_record, u32, u64

cdef enum:
    GOES_ON = 0
    PIECES_MAX = 8192       # packets that one record becomes: 512 KiB in segments of 64 bytes
    REPLACED = 0xFF         # the record begins a new connection on the same addresses and ports

cdef u32 tcp_record(Core *c, Flow *f, u32 endpoint, const ft_record *r) noexcept nogil
cdef void cut_short(Core *c, Flow *f) noexcept nogil
cdef void flush_held(Core *c, Flow *f) noexcept nogil
cdef void release_late(Core *c, Flow *f) noexcept nogil

cdef inline bint known(const Flow *f, u32 endpoint) noexcept nogil:
    """Whether the sequence number that this endpoint sends next is known."""
    return (f.flags & (F_KNOWN0 << endpoint)) != 0

cdef inline bint is_original(const Flow *f, u32 endpoint, u32 first) noexcept nogil:
    """Whether `first` is where this endpoint's bytes began: a late copy of the SYN has it."""
    cdef u32 sent = <u32>f.side[endpoint].bytes + (f.flags & (F_FIN0 << endpoint) != 0)
    return known(f, endpoint) and f.side[endpoint].next - sent == first
