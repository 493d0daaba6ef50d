# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks pcap files (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds, Kuznetzov's longer headers.

Versions before 2.4 are read as libpcap reads them: 2.0 to 2.2 have the two lengths the other way round, and files
that call themselves 2.3 have them either way, so the smaller is taken for the captured one.
"""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from capture._packet cimport Batch
from capture._walk cimport DAMAGED, FULL, MORE, Walker

cdef extern from *:
    uint32_t __builtin_bswap32(uint32_t) nogil

# What tcpdump and Wireshark refuse, too. A larger length is damage, and to wait for it would be to read garbage.
cdef uint32_t MAX_CAPLEN = 262144

# As numbers of this machine: little endian, as all machines that flowtap runs on.
cdef uint32_t MICRO = 0xA1B2C3D4
cdef uint32_t NANO = 0xA1B23C4D
cdef uint32_t KUZNETZOV = 0xA1B2CD34

MAGICS: tuple = tuple(
    magic.to_bytes(4, order) for magic in (MICRO, NANO, KUZNETZOV) for order in ("little", "big")
)


@cython.final
cdef class PcapWalker(Walker):
    """Begins at the file header."""

    cdef Py_ssize_t header      # of each packet, 0 before the file header was read
    cdef uint32_t scale         # nanoseconds per unit of the timestamp's lower half
    cdef uint32_t minor

    cdef int step(self, const uint8_t *data, Py_ssize_t size, Batch batch) except -1:
        cdef Py_ssize_t need = 0
        cdef uint32_t caplen = 0
        cdef int status
        if self.header == 0:
            if size < 24:
                return self.more(24, "file header")
            if self.file_header(data) == DAMAGED:
                return DAMAGED
        with nogil:
            status = self.packets(data, size, batch, &need, &caplen)
        if status == MORE:
            self.more(need, "packet header" if need == self.header else "packet")
        elif status == DAMAGED:
            self.damaged(f"packet of {caplen} captured bytes, expected at most {MAX_CAPLEN}")
        return status

    cdef int file_header(self, const uint8_t *data) except -1:
        cdef uint32_t magic
        memcpy(&magic, data, 4)
        if magic not in (MICRO, NANO, KUZNETZOV):
            self.swapped = True
            magic = __builtin_bswap32(magic)
        if magic not in (MICRO, NANO, KUZNETZOV):
            return self.damaged(f"no pcap file: it begins with {bytes(data[:4]).hex(' ')}")
        major, self.minor = self.u16(data + 4), self.u16(data + 6)
        if major != 2:
            return self.damaged(f"pcap version {major}.{self.minor}, expected 2.0 to 2.4")
        # The upper half of the link type holds flags, such as the length of a frame check sequence.
        self.parser.add_interface(self.u32(data + 20) & 0xFFFF, "")
        self.scale = 1 if magic == NANO else 1000
        self.header = 24 if magic == KUZNETZOV else 16
        self.position = 24
        return FULL

    cdef int packets(self, const uint8_t *data, Py_ssize_t size, Batch batch, Py_ssize_t *need,
                     uint32_t *damaged) noexcept nogil:
        cdef Py_ssize_t at = self.position, header = self.header
        cdef uint32_t caplen, wire, swap
        cdef int status = FULL
        while batch.count < batch.capacity:
            if size - at < header:
                need[0] = header
                status = MORE
                break
            caplen = self.u32(data + at + 8)
            wire = self.u32(data + at + 12)
            if self.minor < 3 or (self.minor == 3 and caplen > wire):
                swap = caplen
                caplen = wire
                wire = swap
            if caplen > MAX_CAPLEN:
                damaged[0] = caplen
                status = DAMAGED
                break
            if size - at - header < caplen:
                need[0] = header + caplen
                status = MORE
                break
            self.parser.packet(batch, 0, data + at + header, caplen, wire,
                          self.u32(data + at) * <uint64_t>1000000000 + self.u32(data + at + 4) * <uint64_t>self.scale)
            at += header + caplen
        self.position = at
        return status
