# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures with references past a flow's history: the C interface; threads.pyx has the idea behind it."""

from engine.core cimport Core
from engine.exact cimport Exact, Item
from engine.flow cimport F_FOLLOWED, Flow
from engine.record cimport u32

cdef int threads_load(Core *c, object program) except -1
cdef void threads_free(Core *c) noexcept nogil
cdef void threads_begin(Core *c, Flow *f) noexcept nogil
cdef void threads_step(Core *c, Flow *f, Item item) noexcept nogil
cdef void threads_end(Core *c, Flow *f) noexcept nogil
cdef void threads_early(Core *c, const Exact *x, u32 signature, Flow *f) noexcept nogil
cdef u32 threads_or_history(Core *c, Exact *x, u32 signature, Flow *f) noexcept nogil

cdef inline bint threads_know(Core *c, const Exact *x, u32 signature, Flow *f) noexcept nogil:
    """Whether it is threads that know what a signature matches, and not the history."""
    return f.flags & F_FOLLOWED and x == &c.exact[0] and c.following.followed[signature]
