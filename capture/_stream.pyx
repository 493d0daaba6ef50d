# SPDX-License-Identifier: LGPL-2.1-or-later
"""One stream of messages that userspace fills: the open batches of its shards, and its counters.

It does what bpf/flowtap.c does for a CPU; only here nothing is lost on the way to whoever takes the messages.
"""

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free

from capture._message cimport (
    FT_BATCH, FT_HANDSHAKE_BATCH, FT_KIND_HANDSHAKES, FT_KIND_RECORDS, FT_MAX_SHARDS, FT_MESSAGE_VERSION,
    FT_STREAM_BATCHED, FT_STREAM_COUNTER_COUNT, FT_STREAM_FORWARDED, FT_STREAM_HANDSHAKES,
    FT_STREAM_HANDSHAKES_FORWARDED, FT_TAP_REASON_COUNT, ft_fill_handshake, ft_is_handshake, ft_shard,
)
from capture._packet cimport FT_RECORD, FT_VERDICT_COUNT, Aligned

from capture._message import STREAM_COUNTERS, TAP_REASONS
from capture._packet import VERDICTS


cdef uint64_t NEVER = 0xFFFFFFFFFFFFFFFF


cdef void open_message(ft_message *message, uint64_t sender, uint16_t stream, uint32_t shard, int kind) noexcept:
    message.sender = sender
    message.cpu = stream
    message.shard = shard
    message.kind = kind
    message.version = FT_MESSAGE_VERSION


@cython.final
cdef class Stream:
    """A numbered stream: records go into the batches of their shards, full batches to `forward` (capture.live)."""

    def __cinit__(self, uint16_t number, uint64_t sender, uint32_t shards, object forward):
        cdef Aligned memory
        cdef uint32_t i
        if not 1 <= shards <= <uint32_t>FT_MAX_SHARDS:
            raise ValueError(f"{shards} shards, expected 1 to {FT_MAX_SHARDS}")
        if FT_STREAM_COUNTER_COUNT > 8 or FT_TAP_REASON_COUNT > 16 or FT_VERDICT_COUNT > 16:
            raise ImportError("more counters in bpf/batch.h or bpf/record.h than a stream has room for")
        self.number = number
        self.shards = shards
        self.forward = forward
        self.records = []
        self.handshakes = []
        self.shard = <Shard *>PyMem_Calloc(shards, sizeof(Shard))
        if self.shard == NULL:
            raise MemoryError("no memory for the batches of a stream")
        for i in range(shards):
            memory = Aligned(sizeof(ft_message) + FT_BATCH * (sizeof(ft_tag) + sizeof(ft_record)))
            self.records.append(memoryview(memory))
            self.shard[i].message = <ft_message *>memory.data
            self.shard[i].tag = <ft_tag *>(memory.data + sizeof(ft_message))
            self.shard[i].record = <ft_record *>(memory.data + sizeof(ft_message) + FT_BATCH * sizeof(ft_tag))
            open_message(self.shard[i].message, sender, number, i, FT_KIND_RECORDS)
            memory = Aligned(sizeof(ft_message) + FT_HANDSHAKE_BATCH * sizeof(ft_handshake_record))
            self.handshakes.append(memoryview(memory))
            self.shard[i].opening = <ft_message *>memory.data
            self.shard[i].handshake = <ft_handshake_record *>(memory.data + sizeof(ft_message))
            open_message(self.shard[i].opening, sender, number, i, FT_KIND_HANDSHAKES)

    def __dealloc__(self):
        PyMem_Free(self.shard)

    cdef int put(self, const ft_record *record, const ft_tag *tag, const ft_packet *packet,
                 const ft_headers *at) except -1 nogil:
        cdef uint32_t number = ft_shard(record.hash, self.shards)
        cdef Shard *shard = &self.shard[number]
        cdef uint32_t i = shard.message.count
        shard.record[i] = record[0]
        shard.tag[i] = tag[0]
        shard.counter[FT_STREAM_BATCHED] += 1
        shard.message.ts = record.ts
        if i == 0:
            shard.message.began = record.ts
        shard.message.count = i + 1
        if ft_is_handshake(record):
            i = shard.opening.count
            if ft_fill_handshake(packet, at, record, tag, &shard.handshake[i]) == 0:
                shard.counter[FT_STREAM_HANDSHAKES] += 1
                shard.opening.ts = record.ts
                shard.opening.count = i + 1
                if i + 1 == <uint32_t>FT_HANDSHAKE_BATCH:
                    with gil:
                        self.hand_over_handshakes(number)
        if shard.message.count == <uint32_t>FT_BATCH:
            with gil:
                self.hand_over(number)
        return 0

    cdef int hand_over(self, uint32_t shard) except -1:
        cdef Shard *s = &self.shard[shard]
        cdef uint32_t count = s.message.count
        cdef Py_ssize_t size = sizeof(ft_message) + FT_BATCH * sizeof(ft_tag) + count * sizeof(ft_record)
        s.counter[FT_STREAM_FORWARDED] += count
        try:
            self.forward(self.number, shard, FT_KIND_RECORDS, count, self.records[shard][:size])
        finally:
            s.message.seq += 1
            s.message.first += count
            s.message.count = 0
        return 0

    cdef int hand_over_handshakes(self, uint32_t shard) except -1:
        cdef Shard *s = &self.shard[shard]
        cdef uint32_t count = s.opening.count
        cdef Py_ssize_t size = sizeof(ft_message) + count * sizeof(ft_handshake_record)
        s.counter[FT_STREAM_HANDSHAKES_FORWARDED] += count
        try:
            self.forward(self.number, shard, FT_KIND_HANDSHAKES, count, self.handshakes[shard][:size])
        finally:
            s.opening.seq += 1
            s.opening.first += count
            s.opening.count = 0
        return 0

    def flush(self):
        """Hand over what waits in the batches."""
        cdef uint32_t i
        for i in range(self.shards):
            if self.shard[i].message.count:
                self.hand_over(i)
            if self.shard[i].opening.count:
                self.hand_over_handshakes(i)

    @property
    def oldest(self):
        """Time of the oldest record that waits in a batch, or None."""
        cdef uint64_t oldest = NEVER
        cdef uint32_t i
        for i in range(self.shards):
            if self.shard[i].message.count and self.shard[i].message.began < oldest:
                oldest = self.shard[i].message.began
        return None if oldest == NEVER else oldest

    @property
    def newest(self):
        """Time of the newest packet, 0 before the first."""
        return self.last

    def count_ring_full(self, uint64_t packets):
        """Count packets that the kernel dropped in front of this stream as seen and as filtered."""
        self.seen += packets
        self.reason[TAP_REASONS.index("ring_full")] += packets

    def counters(self):
        """Return seen, filtered by reason, and for each shard FT_STREAM_* by name."""
        filtered = {name: self.verdict[i] for i, name in enumerate(VERDICTS) if i != FT_RECORD}
        filtered |= {name: self.reason[i] for i, name in enumerate(TAP_REASONS)}
        shards = [{name: self.shard[s].counter[i] for i, name in enumerate(STREAM_COUNTERS)} for s in range(self.shards)]
        return self.seen, filtered, shards
