# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program's plain arrays as C memory, and large memory that costs nothing until it is touched."""

from libc.stdlib cimport malloc
from libc.string cimport memcpy

from engine.record cimport i32, u8, u16, u32

cdef extern from *:
    """
    #include <sys/mman.h>
    static void *ft_reserve(size_t size) {
        void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return p == MAP_FAILED ? NULL : p;
    }
    static void ft_give_back(void *p, size_t size) { if (p) munmap(p, size); }
    """
    void *ft_reserve(size_t) nogil
    void ft_give_back(void *, size_t) nogil


cdef void *copied(const void *values, size_t size) except NULL:
    cdef void *out = malloc(size + 8)
    if not out:
        raise MemoryError()
    if size:
        memcpy(out, values, size)
    return out


cdef u8 *copy_u8(object values) except NULL:
    """A copy of an array of type 'B'. Raises MemoryError, and ValueError for another type."""
    cdef const unsigned char[::1] view = values
    return <u8 *>copied(&view[0] if view.shape[0] else NULL, view.shape[0])


cdef u16 *copy_u16(object values) except NULL:
    """The same for 'H'."""
    cdef const unsigned short[::1] view = values
    return <u16 *>copied(&view[0] if view.shape[0] else NULL, view.shape[0] * 2)


cdef u32 *copy_u32(object values) except NULL:
    """The same for 'I'."""
    cdef const unsigned int[::1] view = values
    return <u32 *>copied(&view[0] if view.shape[0] else NULL, view.shape[0] * 4)


cdef i32 *copy_i32(object values) except NULL:
    """The same for 'i'."""
    cdef const int[::1] view = values
    return <i32 *>copied(&view[0] if view.shape[0] else NULL, view.shape[0] * 4)


cdef double *copy_f64(object values) except NULL:
    """The same for 'd'."""
    cdef const double[::1] view = values
    return <double *>copied(&view[0] if view.shape[0] else NULL, view.shape[0] * 8)


cdef void *try_reserve(size_t size) noexcept nogil:
    """reserve that says NULL instead of raising."""
    return ft_reserve(size)


cdef void *reserve(size_t size) except NULL:
    """Zeroed address space of `size` bytes; pages are used as they are touched. Raises MemoryError."""
    cdef void *memory = ft_reserve(size)
    if not memory:
        raise MemoryError(f"no address space for {size} bytes")
    return memory


cdef void give_back(void *memory, size_t size) noexcept nogil:
    """Undo reserve; NULL is fine."""
    ft_give_back(memory, size)
