# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program's plain arrays as C memory: the C interface."""

from engine.record cimport i32, u8, u16, u32

cdef u8 *copy_u8(object values) except NULL
cdef u16 *copy_u16(object values) except NULL
cdef u32 *copy_u32(object values) except NULL
cdef i32 *copy_i32(object values) except NULL
cdef double *copy_f64(object values) except NULL
cdef void *reserve(size_t size) except NULL
cdef void give_back(void *memory, size_t size) noexcept nogil
cdef void *try_reserve(size_t size) noexcept nogil
