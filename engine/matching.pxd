# SPDX-License-Identifier: LGPL-2.1-or-later
"""From packets of a flow to turns, automaton steps and hits: the C interface."""

from engine.core cimport Core
from engine.flow cimport Flow
from engine.record cimport u32, u64

cdef void deliver(Core *c, Flow *f, u32 endpoint, u32 size, u64 ts, bint replied) noexcept nogil
cdef void end_matching(Core *c, Flow *f, bint ended) noexcept nogil
cdef void look(Core *c, Flow *f, int stream) noexcept nogil
