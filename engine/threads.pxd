# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures with references past a flow's history: the C interface; threads.pyx has the idea behind it."""

from engine.core cimport Core
from engine.exact cimport Item
from engine.flow cimport Flow
from engine.record cimport u32

cdef int threads_load(Core *c, object program) except -1
cdef void threads_free(Core *c) noexcept nogil
cdef void threads_begin(Core *c, Flow *f) noexcept nogil
cdef void threads_step(Core *c, Flow *f, Item item) noexcept nogil
cdef void threads_end(Core *c, Flow *f) noexcept nogil
cdef bint threads_match(Core *c, Flow *f, u32 signature) noexcept nogil
