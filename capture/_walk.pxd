# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C face of _walk: the state that the walkers of each file format share."""

from libc.stdint cimport uint8_t, uint32_t

from capture._packet cimport Batch, Parser

cpdef enum Status:
    FULL = 0     # the batch
    MORE = 1     # bytes are needed
    DAMAGED = 2  # nothing more can be read


cdef class Walker:
    cdef readonly Parser parser
    cdef readonly Py_ssize_t position
    cdef readonly Py_ssize_t need
    cdef readonly str what
    cdef readonly str damage
    cdef bint swapped

    cdef int step(self, const uint8_t *data, Py_ssize_t size, Batch batch) except -1
    cdef int more(self, Py_ssize_t need, str what) except -1
    cdef int damaged(self, str reason) except -1
    cdef uint32_t u32(self, const uint8_t *at) noexcept nogil
    cdef uint32_t u16(self, const uint8_t *at) noexcept nogil
