# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turns packets into records: the parser of bpf/packet.h for userspace, the batches it fills, its counters."""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

from capture._filter cimport Filter, bpf_filter, bpf_program
from capture._filter import link_name

cdef extern from "stdlib.h" nogil:
    int posix_memalign(void **to, size_t alignment, size_t size)

RECORD_TEXT: str = (<bytes>ft_record_text).decode()
TAG_TEXT: str = (<bytes>ft_tag_text).decode()
VERDICT_TEXT: str = (<bytes>ft_verdict_text).decode()
RECORD_SIZE: int = sizeof(ft_record)
TAG_SIZE: int = sizeof(ft_tag)
KEY_SIZE: int = sizeof(ft_key)
VERDICTS: tuple = tuple(line.split("\t")[0].lower() for line in VERDICT_TEXT.splitlines())

cdef uint64_t NEVER = 0xFFFFFFFFFFFFFFFF


@cython.final
cdef class Aligned:
    """Zeroed memory that begins at a cache line; exposes the buffer protocol as writable bytes."""

    def __cinit__(self, Py_ssize_t size):
        cdef void *data = NULL
        if size <= 0 or posix_memalign(&data, 64, size):
            raise MemoryError(f"no memory for {size} bytes of records")
        self.data = <uint8_t *>data
        self.size = size
        memset(data, 0, size)

    def __dealloc__(self):
        free(self.data)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.size, 0, flags)

    def __len__(self):
        return self.size


@cython.final
cdef class Batch:
    """Room for `capacity` records and the tags beside them; if wanted, for as many handshake records."""

    def __cinit__(self, Py_ssize_t capacity=1024, *, bint handshakes=False):
        if not 0 < capacity <= 1 << 24:
            raise ValueError(f"capacity of a batch: {capacity}, expected 1 to {1 << 24}")
        self.capacity = capacity
        self.records = Aligned(capacity * sizeof(ft_record))
        self.tags = Aligned(capacity * sizeof(ft_tag))
        self.record = <ft_record *>self.records.data
        self.tag = <ft_tag *>self.tags.data
        if handshakes:
            self.handshakes = Aligned(capacity * sizeof(ft_handshake_record))
            self.handshake = <ft_handshake_record *>self.handshakes.data

    def clear(self):
        self.count = 0
        self.handshake_count = 0

    def __len__(self):
        return self.count


@cython.final
cdef class Parser:
    """The packet parser with its key, its interfaces, its filter and its counters."""

    def __cinit__(self, const uint8_t[::1] key not None, *, bint decap=False, str expression=None):
        if key.shape[0] != sizeof(ft_key):
            raise ValueError(f"key of {key.shape[0]} bytes, expected {sizeof(ft_key)}")
        memcpy(&self.key, &key[0], sizeof(ft_key))
        self.handshakes = <uint32_t *>calloc(FT_HANDSHAKES, sizeof(uint32_t))
        if self.handshakes == NULL:
            raise MemoryError("no memory for the table of handshakes")
        self.decap = decap
        self.first = NEVER
        self.interfaces = []
        self.expression = expression or None
        self.filters = {}

    def __dealloc__(self):
        free(self.interface)
        free(self.handshakes)

    cpdef uint32_t add_interface(self, uint32_t link, str name) except? 0xFFFFFFFF:
        """Add an interface of a link type; return its number. FilterError when the filter cannot be for it."""
        cdef Interface *grown
        cdef uint32_t room
        cdef Filter compiled
        cdef bpf_program *program = NULL
        if self.expression is not None and ft_link_known(link):
            if link not in self.filters:
                self.filters[link] = Filter(self.expression, link)
            compiled = self.filters[link]
            program = &compiled.program
        if self.interface_count == self.interface_room:
            room = self.interface_room * 2 + 4
            grown = <Interface *>realloc(self.interface, room * sizeof(Interface))
            if grown == NULL:
                raise MemoryError("no memory for another interface")
            self.interface = grown
            self.interface_room = room
        self.interface[self.interface_count] = Interface(link=link, other=0, program=program)
        self.interfaces.append(name)
        self.interface_count += 1
        return self.interface_count - 1

    cdef void packet(self, Batch batch, uint32_t iface, const uint8_t *data, uint32_t caplen, uint32_t wire,
                     uint64_t ts) noexcept nogil:
        # The caller holds: batch.count < batch.capacity, iface < interface_count.
        cdef Interface *interface = &self.interface[iface]
        cdef ft_record *record = &batch.record[batch.count]
        cdef ft_tag *tag = &batch.tag[batch.count]
        cdef ft_packet packet
        cdef ft_headers at
        cdef int verdict
        if wire < caplen:
            wire = caplen
        self.packets += 1
        self.octets += wire
        if ts < self.first:
            self.first = ts
        if ts > self.last:
            self.last = ts
        if interface.program != NULL and not bpf_filter(interface.program.bf_insns, data, wire, caplen):
            self.filtered += 1
            return
        packet.data = data
        packet.caplen = caplen
        packet.wire = wire
        at.ip = 0
        at.tcp = 0
        record.ts = ts
        record.seg = 0
        record.flags = 0
        tag.iface = iface
        tag.vlan = 0
        tag.vlan2 = 0
        verdict = ft_parse_link(interface.link, &packet, self.decap, &self.key, record, tag, &at)
        if ft_in_handshake(verdict, record):
            verdict = ft_handshake(verdict, record, &self.handshakes[record.hash & (FT_HANDSHAKES - 1)])
        self.verdict[verdict] += 1
        if verdict == FT_RECORD:
            if batch.handshake != NULL and ft_is_handshake(record):
                if ft_fill_handshake(&packet, &at, record, tag, &batch.handshake[batch.handshake_count]):
                    batch.handshakes_cut += 1
                else:
                    batch.handshake_count += 1
            batch.count += 1
        elif verdict == FT_OTHER_LINK:
            interface.other += 1

    def parse(self, const uint8_t[::1] data not None, Batch batch not None, uint32_t iface=0, object wire=None,
              uint64_t ts=0):
        """Parse one packet into the batch; return the name of the verdict."""
        cdef uint64_t before[16]
        cdef int i
        cdef uint8_t nothing = 0
        if iface >= self.interface_count:
            raise ValueError(f"interface {iface} of {self.interface_count}")
        if batch.count == batch.capacity:
            raise ValueError("the batch is full")
        memcpy(before, self.verdict, sizeof(before))
        self.packet(batch, iface, &data[0] if data.shape[0] else &nothing, <uint32_t>data.shape[0],
                    <uint32_t>(data.shape[0] if wire is None else wire), ts)
        for i in range(FT_VERDICT_COUNT):
            if self.verdict[i] != before[i]:
                return VERDICTS[i]
        return "filtered"

    def counters(self):
        counters = {"packets": self.packets, "bytes": self.octets, "filtered": self.filtered}
        for i, name in enumerate(VERDICTS):
            counters[name] = self.verdict[i]
        return counters

    def other_links(self):
        others = {}
        for i in range(self.interface_count):
            if self.interface[i].other:
                name = link_name(self.interface[i].link)
                others[name] = others.get(name, 0) + self.interface[i].other
        return others

    @property
    def first_ns(self):
        return self.first if self.packets else None

    @property
    def last_ns(self):
        return self.last if self.packets else None


def parse_packet(data, *, uint32_t link=1, object wire=None, bint decap=False, bytes key=bytes(sizeof(ft_key)),
                 uint64_t ts=0):
    """Parse one packet by itself; return the verdict's name, the record's and the tag's bytes (b"" without one)."""
    parser = Parser(key, decap=decap)
    parser.add_interface(link, "")
    cdef Batch batch = Batch(1)
    verdict = parser.parse(data, batch, 0, wire, ts)
    if batch.count == 0:
        return verdict, b"", b""
    return (verdict, PyBytes_FromStringAndSize(<char *>batch.record, sizeof(ft_record)),
            PyBytes_FromStringAndSize(<char *>batch.tag, sizeof(ft_tag)))
