# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks pcapng files (draft-ietf-opsawg-pcapng): sections, interfaces, all three kinds of packet block.

Blocks that are not about packets are skipped. Three properties make this more than a loop: each section has its own
byte order and its own list of interfaces; each interface has its own link type and clock; and a simple packet block
has neither interface nor time, so it belongs to the first interface and takes the time of the packet before it.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from capture._packet cimport Batch
from capture._walk cimport DAMAGED, FULL, MORE, Walker

cdef enum:
    SECTION = 0x0A0D0D0A
    INTERFACE = 1
    OBSOLETE_PACKET = 2
    SIMPLE_PACKET = 3
    ENHANCED_PACKET = 6

# Wireshark's bound as well; a packet is much smaller, and no other block is of use.
cdef uint32_t MAX_BLOCK = 16 << 20
cdef uint32_t MAX_INTERFACES = 65536
cdef uint64_t LAST_NS = 0xFFFFFFFFFFFFFFFF

MAGIC: bytes = b"\x0a\x0d\x0d\x0a"


cdef struct Clock:
    uint32_t number      # of the interface in the reader's list
    uint32_t snaplen     # 0: no limit
    bint binary          # units of 2**-exponent seconds, else of 10**-exponent
    uint32_t exponent
    int64_t offset       # seconds to add


cdef uint64_t nanoseconds(const Clock *clock, uint64_t ticks) noexcept nogil:
    # Saturates: a timestamp that does not fit is damage of one packet, not a reason to stop.
    cdef uint64_t seconds, rest, unit = 1
    cdef uint32_t shift, i
    if clock.binary:
        shift = clock.exponent
        seconds = ticks >> shift if shift < 64 else 0
        rest = ticks - (seconds << shift) if shift < 64 else ticks
        if shift > 32:      # 2**-32 s is a quarter of a nanosecond
            rest = rest >> (shift - 32) if shift - 32 < 64 else 0
            shift = 32
        rest = (rest * 1000000000) >> shift
    elif clock.exponent > 19:
        seconds = 0
        for i in range(clock.exponent - 9):
            ticks //= 10
        rest = ticks
    else:
        for i in range(clock.exponent):
            unit *= 10
        seconds = ticks // unit
        rest = ticks % unit
        if clock.exponent <= 9:
            rest *= 1000000000 // unit
        else:
            rest //= unit // 1000000000
    if clock.offset < 0:
        if seconds < <uint64_t>-clock.offset:
            return 0
        seconds -= <uint64_t>-clock.offset
    elif seconds + <uint64_t>clock.offset < seconds:
        return LAST_NS
    else:
        seconds += <uint64_t>clock.offset
    if seconds > LAST_NS // 1000000000 - 1:
        return LAST_NS
    return seconds * 1000000000 + rest


@cython.final
cdef class PcapngWalker(Walker):
    """Begins at a section header block."""

    cdef Clock *clock               # interfaces of this section
    cdef uint32_t clock_count
    cdef uint32_t clock_room
    cdef bint in_section
    cdef uint64_t last              # time of the packet before
    cdef dict known                 # description of an interface -> its number, across sections

    def __init__(self, parser):
        Walker.__init__(self, parser)
        self.known = {}

    def __dealloc__(self):
        free(self.clock)

    cdef int step(self, const uint8_t *data, Py_ssize_t size, Batch batch) except -1:
        cdef Py_ssize_t at
        cdef uint32_t kind, length
        cdef int status = FULL
        while batch.count < batch.capacity:
            with nogil:
                self.packets(data, size, batch)
            # What stands here is no plain packet that fits: a rare block, the end of the bytes, damage.
            if batch.count == batch.capacity:
                break
            at = self.position
            if size - at < 12:
                return self.more(12, "block header")
            kind = self.kind(data + at)
            if kind == SECTION:
                if self.byte_order(data + at) == DAMAGED:
                    return DAMAGED
            elif not self.in_section:
                return self.damaged("no pcapng file: it does not begin with a section header")
            length = self.u32(data + at + 4)
            if length < 12 or length % 4 or length > MAX_BLOCK:
                return self.damaged(f"block of {length} bytes, expected a multiple of 4 from 12 to {MAX_BLOCK}")
            if size - at < length:
                return self.more(length, "block")
            if self.u32(data + at + length - 4) != length:
                return self.damaged(
                    f"block of {length} bytes ends with a length of {self.u32(data + at + length - 4)}")
            if kind == SECTION:
                status = self.section(data + at, length)
            elif kind == INTERFACE:
                status = self.interface(data + at, length)
            elif kind == ENHANCED_PACKET or kind == OBSOLETE_PACKET or kind == SIMPLE_PACKET:
                status = self.bad_packet(data + at, kind, length)
            if status == DAMAGED:
                return DAMAGED
            self.position = at + length
        return FULL

    cdef uint32_t kind(self, const uint8_t *block) noexcept nogil:
        # A section header reads the same in both byte orders, and must, as it is what tells them apart.
        return self.u32(block)

    cdef void packets(self, const uint8_t *data, Py_ssize_t size, Batch batch) noexcept nogil:
        cdef Py_ssize_t at = self.position
        cdef const uint8_t *block
        cdef const Clock *clock
        cdef uint32_t kind, length, iface, caplen, wire
        while batch.count < batch.capacity and size - at >= 12:
            block = data + at
            kind = self.kind(block)
            length = self.u32(block + 4)
            if kind == SECTION or kind == INTERFACE or not self.in_section:
                break
            if length < 12 or length % 4 or length > MAX_BLOCK or size - at < length:
                break
            if self.u32(block + length - 4) != length:
                break
            if kind == ENHANCED_PACKET or kind == OBSOLETE_PACKET:
                if length < 32:
                    break
                iface = self.u32(block + 8) if kind == ENHANCED_PACKET else self.u16(block + 8)
                caplen = self.u32(block + 20)
                if iface >= self.clock_count or caplen > length - 32:
                    break
                clock = &self.clock[iface]
                self.last = nanoseconds(clock, <uint64_t>self.u32(block + 12) << 32 | self.u32(block + 16))
                self.parser.packet(batch, clock.number, block + 28, caplen, self.u32(block + 24), self.last)
            elif kind == SIMPLE_PACKET:
                if length < 16 or self.clock_count == 0:
                    break
                wire = self.u32(block + 8)
                caplen = wire
                if self.clock[0].snaplen != 0 and caplen > self.clock[0].snaplen:
                    caplen = self.clock[0].snaplen
                if caplen > length - 16:
                    break
                self.parser.packet(batch, self.clock[0].number, block + 12, caplen, wire, self.last)
            at += length
        self.position = at

    cdef int bad_packet(self, const uint8_t *block, uint32_t kind, uint32_t length) except -1:
        # Called for a packet block that packets() refused.
        cdef uint32_t least = 16 if kind == SIMPLE_PACKET else 32, iface = 0, caplen
        if length < least:
            return self.damaged(f"packet block of {length} bytes, expected at least {least}")
        if kind == ENHANCED_PACKET:
            iface = self.u32(block + 8)
        elif kind == OBSOLETE_PACKET:
            iface = self.u16(block + 8)
        if iface >= self.clock_count:
            return self.damaged(f"packet of interface {iface}, but the section describes {self.clock_count} so far")
        caplen = self.u32(block + (8 if kind == SIMPLE_PACKET else 20))
        return self.damaged(f"packet of {caplen} captured bytes in a block of {length} bytes")

    cdef int byte_order(self, const uint8_t *block) except -1:
        cdef uint32_t magic
        memcpy(&magic, block + 8, 4)
        if magic not in (0x1A2B3C4D, 0x4D3C2B1A):
            return self.damaged(f"section with byte-order magic {bytes(block[8:12]).hex(' ')}, "
                                "expected 1a 2b 3c 4d or 4d 3c 2b 1a")
        self.swapped = magic == 0x4D3C2B1A
        return FULL

    cdef int section(self, const uint8_t *block, uint32_t length) except -1:
        if length < 28:
            return self.damaged(f"section header of {length} bytes, expected at least 28")
        if self.u16(block + 12) != 1:
            return self.damaged(f"pcapng version {self.u16(block + 12)}.{self.u16(block + 14)}, expected 1.x")
        self.in_section = True
        self.clock_count = 0
        return FULL

    cdef int interface(self, const uint8_t *block, uint32_t length) except -1:
        cdef uint32_t at = 16, code, size
        cdef uint32_t link, room
        cdef uint64_t high
        cdef Clock clock = Clock(number=0, snaplen=0, binary=False, exponent=6, offset=0)
        cdef Clock *grown
        name = ""
        if length < 20:
            return self.damaged(f"interface description of {length} bytes, expected at least 20")
        link = self.u16(block + 8)
        clock.snaplen = self.u32(block + 12)
        while at + 4 <= length - 4:
            code, size = self.u16(block + at), self.u16(block + at + 2)
            at += 4
            if size > length - 4 - at:
                return self.damaged(f"option of {size} bytes goes beyond its interface description")
            if code == 0:
                break
            if code == 2:
                name = bytes(block[at:at + size]).rstrip(b"\0").decode("utf-8", "replace")
            elif code == 9 and size == 1:
                clock.binary = block[at] >> 7
                clock.exponent = block[at] & 0x7F
            elif code == 14 and size == 8:
                high = self.u32(block + at + (0 if self.swapped else 4))
                clock.offset = <int64_t>(high << 32 | self.u32(block + at + (4 if self.swapped else 0)))
            at += (size + 3) & ~<uint32_t>3
        described = (self.clock_count, link, name)
        if described not in self.known:
            if len(self.known) >= MAX_INTERFACES:
                return self.damaged(f"more than {MAX_INTERFACES} interfaces")
            self.known[described] = self.parser.add_interface(link, name)
        clock.number = self.known[described]
        if self.clock_count == self.clock_room:
            room = self.clock_room * 2 + 4
            grown = <Clock *>realloc(self.clock, room * sizeof(Clock))
            if grown == NULL:
                raise MemoryError("no memory for another interface")
            self.clock = grown
            self.clock_room = room
        self.clock[self.clock_count] = clock
        self.clock_count += 1
        return FULL
