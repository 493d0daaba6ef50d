# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts messages of one shard that come at once together, and counts each as sent or dropped.

One ZeroMQ message costs by itself (its thread woken, two system calls, the receiver woken) more than half of what 256
records in it do.
"""

cimport cython
from cpython.buffer cimport PyBUF_READ
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from capture._message cimport FT_BATCH, FT_KIND_RECORDS, ft_message
from capture._packet cimport ft_record, ft_tag

cdef enum:
    MESSAGES = 4  # more bring little, and make what waits in a queue harder to bound

PARCEL: int = MESSAGES

cdef struct Counted:
    uint32_t sent           # cell
    uint32_t dropped
    uint32_t count

cdef struct Parcel:
    uint8_t *data
    size_t used             # bytes
    uint32_t messages
    Counted counted[MESSAGES]


@cython.final
cdef class Parcels:
    """What waits to leave, for each shard. See _parcel.pyi."""

    cdef uint64_t[::1] cells
    cdef uint64_t[::1] words
    cdef uint32_t[::1] places
    cdef object send
    cdef uint32_t streams
    cdef uint32_t shards
    cdef size_t biggest     # message, bytes
    cdef Parcel *parcel
    cdef readonly unsigned long long handed

    def __cinit__(self, send not None, uint64_t[::1] cells not None, uint64_t[::1] words not None,
                  uint32_t[::1] places not None, uint32_t streams, uint32_t shards):
        cdef uint32_t i
        self.biggest = sizeof(ft_message) + max(FT_BATCH * (sizeof(ft_tag) + sizeof(ft_record)), 8 * <size_t>streams)
        self.shards = shards
        self.parcel = <Parcel *>calloc(shards, sizeof(Parcel))
        if self.parcel == NULL:
            raise MemoryError("no memory for the messages to the workers")
        for i in range(shards):
            self.parcel[i].data = <uint8_t *>malloc(MESSAGES * self.biggest)
            if self.parcel[i].data == NULL:
                raise MemoryError("no memory for the messages to the workers")
        if words.shape[0] < shards * (sizeof(ft_message) // 8 + streams) or places.shape[0] != 4 * streams * shards:
            raise ValueError(f"words or places are not those of {streams} streams and {shards} shards")
        for i in range(<uint32_t>places.shape[0]):
            if places[i] >= <uint64_t>cells.shape[0]:
                raise ValueError(f"cell {places[i]}, expected less than {cells.shape[0]}")
        self.send = send
        self.cells = cells
        self.words = words
        self.places = places
        self.streams = streams

    def __dealloc__(self):
        cdef uint32_t i
        if self.parcel != NULL:
            for i in range(self.shards):
                free(self.parcel[i].data)
            free(self.parcel)

    def forward(self, uint32_t cpu, uint32_t shard, int kind, uint32_t count, const uint8_t[::1] message not None):
        cdef uint32_t all_places = self.streams * self.shards, place = cpu * self.shards + shard
        cdef const ft_message *header
        if cpu >= self.streams or shard >= self.shards or message.shape[0] < <Py_ssize_t>sizeof(ft_message):
            raise ValueError(f"message of {message.shape[0]} bytes of CPU {cpu} for shard {shard}")
        self.handed += 1
        if kind == FT_KIND_RECORDS:
            header = <const ft_message *>&message[0]
            self.words[shard * (sizeof(ft_message) // 8 + self.streams) + sizeof(ft_message) // 8 + cpu] = header.first + count
        else:
            place += 2 * all_places
        # Counted before: when this process is killed in between, it is one more message that was lost on its way.
        self.cells[self.places[place]] += count
        self.put(shard, &message[0], message.shape[0], Counted(self.places[place], self.places[place + all_places], count))

    def add(self, uint32_t shard, const uint8_t[::1] message not None, uint32_t sent, uint32_t dropped):
        if shard >= self.shards or max(sent, dropped) >= <uint64_t>self.cells.shape[0] or message.shape[0] == 0:
            raise ValueError(f"message of {message.shape[0]} bytes for shard {shard}, counted in {sent} or {dropped}")
        self.cells[sent] += 1
        self.put(shard, &message[0], message.shape[0], Counted(sent, dropped, 1))

    def flush(self):
        cdef uint32_t shard
        for shard in range(self.shards):
            self.leave(&self.parcel[shard], shard)

    cdef int put(self, uint32_t shard, const uint8_t *message, size_t size, Counted counted) except -1:
        cdef Parcel *parcel = &self.parcel[shard]
        if size > self.biggest:
            raise ValueError(f"message of {size} bytes, expected at most {self.biggest}")
        memcpy(parcel.data + parcel.used, message, size)
        parcel.used += size
        parcel.counted[parcel.messages] = counted
        parcel.messages += 1
        if parcel.messages == <uint32_t>MESSAGES:
            self.leave(parcel, shard)
        return 0

    cdef int leave(self, Parcel *parcel, uint32_t shard) except -1:
        cdef uint32_t i, messages = parcel.messages
        if messages == 0:
            return 0
        view = PyMemoryView_FromMemory(<char *>parcel.data, parcel.used, PyBUF_READ)
        parcel.messages = 0
        parcel.used = 0
        if not self.send(shard, view):
            for i in range(messages):
                self.cells[parcel.counted[i].sent] -= parcel.counted[i].count
                self.cells[parcel.counted[i].dropped] += parcel.counted[i].count
        view.release()
        return 0
