# SPDX-License-Identifier: LGPL-2.1-or-later
"""How flows begin, end, make room and are forgotten: the C interface."""

from engine.core cimport Core
from engine.record cimport ft_record, ft_tag, u32, u64

cdef enum:
    FULL = 0xFFFFFFFE       # no room until ended flows are taken

cdef u32 flow_for(Core *c, const ft_record *r, const ft_tag *tag, u32 *endpoint) noexcept nogil
cdef u32 begin_flow(Core *c, const ft_record *r, const ft_tag *tag) noexcept nogil
cdef bint room_beside(Core *c, u32 slot) noexcept nogil
cdef void end_flow(Core *c, u32 slot, u32 reason) noexcept nogil
cdef void forget_flow(Core *c, u32 slot) noexcept nogil
cdef u32 sweep(Core *c, u32 slots) noexcept nogil
cdef bint finish(Core *c) noexcept nogil
cdef void release_reported(Core *c, u32 slot) noexcept nogil
