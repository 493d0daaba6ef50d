# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program's positions as the automaton reads them: the C interface."""

from engine.automaton cimport Automaton

cdef int load_positions(Automaton *a, object stream, object program) except -1
cdef void free_positions(Automaton *a) noexcept nogil
