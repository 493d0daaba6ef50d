# SPDX-License-Identifier: LGPL-2.1-or-later
"""TCP sequence tracking: the C interface."""

from engine.core cimport Core
from engine.flow cimport Flow
from engine.record cimport ft_record, u32, u64

cdef enum:
    GOES_ON = 0
    REPLACED = 0xFF         # the record begins a new connection on the same addresses and ports

cdef u32 tcp_record(Core *c, Flow *f, u32 endpoint, const ft_record *r) noexcept nogil
cdef void flush_held(Core *c, Flow *f) noexcept nogil
