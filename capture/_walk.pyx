# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a walker of a capture format is: it goes from packet to packet through whatever bytes are at hand.

A walker never reads a file. It is given a buffer, takes as many whole packets from it as the batch has room for, and
says why it stopped: the batch is FULL, it needs MORE bytes, or the bytes are DAMAGED. So the same code reads regular
files, pipes and decompressed streams, and a fuzzer can drive it with bytes alone.
"""

from libc.string cimport memcpy

cdef extern from *:
    uint32_t __builtin_bswap32(uint32_t) nogil
    uint32_t __builtin_bswap16(uint32_t) nogil


cdef class Walker:
    """The shared part; see PcapWalker and PcapngWalker."""

    def __init__(self, Parser parser not None):
        self.parser = parser

    def walk(self, const uint8_t[::1] buffer not None, Py_ssize_t start, Py_ssize_t stop, Batch batch not None):
        """Take packets from buffer[start:stop]; return FULL, MORE or DAMAGED.

        Afterwards `position` is where it stopped (all before is done), `need` the bytes it wants from there and
        `what` their name (MORE), `damage` what is wrong there (DAMAGED).
        """
        if not 0 <= start <= stop <= buffer.shape[0]:
            raise ValueError(f"{start}:{stop} of {buffer.shape[0]} bytes")
        self.position = 0
        self.need = 0
        if start == stop:
            self.position = start
            return self.more(1, "nothing")
        try:
            return self.step(&buffer[start], stop - start, batch)
        finally:
            self.position += start

    cdef int step(self, const uint8_t *data, Py_ssize_t size, Batch batch) except -1:
        """Take in the packets of `size` bytes at `data`; return FULL, MORE or DAMAGED. Each file format has its own."""
        raise NotImplementedError(f"{type(self).__name__} says nothing of how its file format is walked")

    cdef int more(self, Py_ssize_t need, str what) except -1:
        self.need = need
        self.what = what
        return MORE

    cdef int damaged(self, str reason) except -1:
        self.damage = reason
        return DAMAGED

    cdef uint32_t u32(self, const uint8_t *at) noexcept nogil:
        cdef uint32_t value
        memcpy(&value, at, 4)
        return __builtin_bswap32(value) if self.swapped else value

    cdef uint32_t u16(self, const uint8_t *at) noexcept nogil:
        cdef unsigned short value
        memcpy(&value, at, 2)
        return __builtin_bswap16(value) if self.swapped else value
