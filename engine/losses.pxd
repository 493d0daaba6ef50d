# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times in which records were lost: the C interface."""

from engine.core cimport Core
from engine.flow cimport Flow
from engine.record cimport u64

cdef void lost_between(Core *c, u64 begin, u64 end) noexcept nogil
cdef bint was_lost(const Core *c, const Flow *f) noexcept nogil
