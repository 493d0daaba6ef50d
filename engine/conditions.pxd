# SPDX-License-Identifier: LGPL-2.1-or-later
"""`where` conditions over a batch of ended flows: the C interface."""

from engine.core cimport Conditions, Core

cdef int conditions_init(Conditions *w, object program) except -1
cdef void conditions_free(Conditions *w) noexcept nogil
cdef void apply_conditions(Core *c) noexcept nogil
