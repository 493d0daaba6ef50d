# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program's place in an engine: the C interface."""

from engine.core cimport Core
from engine.record cimport u64

cdef int load_program(Core *c, object program, object limits, u64 *counters) except -1
cdef void free_program(Core *c) noexcept nogil
cdef int exchange_program(Core *c, object before, object after, object limits) except -1
