# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reorder window of a worker: messages of several streams in, records in order of time out.

Here messages are parsed and checked, each by itself, also where several came together. What each stream has sent is
kept in engine.streams, the records themselves in engine.window. A message is refused before anything is changed by it, whatever is wrong with it; only for want of room
its records count as missed.
"""

import mmap

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from engine.handshake_record cimport ft_handshake_record
from engine.message cimport (
    FT_BATCH, FT_HANDSHAKE_BATCH, FT_KIND_HANDSHAKES, FT_KIND_RECORDS, FT_KIND_WATERMARK, FT_MAX_SHARDS,
    FT_MESSAGE_VERSION, ft_message,
)
from engine.record cimport ft_record, ft_tag, u8, u32, u64
from engine.streams cimport (
    CPUS, NONE, Sender, Senders, Stream, note_loss, note_missed, place_of, sender_expect, sender_for, sender_forget,
    sender_to_forget, senders_free, senders_horizon, senders_init, senders_listen, stream_for,
)
from engine.window cimport BATCH, Window, window_free, window_has_room, window_init, window_keep, window_release

cdef enum:
    HANDSHAKES_KEPT = 1024      # messages
    FORGOTTEN_KEPT = 65536      # streams

cdef u64 FOR_EVER = <u64>-1
cdef u64 FIRST_MAX = <u64>1 << 48       # no stream lives long enough to number its records beyond

# Reasons for which a message is refused, in the order in which they are looked for.
REASONS = ("length", "version", "kind", "count", "shard", "cpu", "first", "old", "senders", "streams", "full")

cdef enum:
    TAKEN = -1
    LENGTH
    VERSION
    KIND
    COUNT
    SHARD
    CPU
    FIRST
    OLD
    MANY_SENDERS
    MANY_STREAMS
    FULL
    REFUSALS


cdef class Merge:
    """Puts the streams of all capture processes in order of time. See merge.pyi."""

    cdef Window *w
    cdef readonly object records
    cdef readonly object tags
    cdef ft_record *out_records
    cdef ft_tag *out_tags
    cdef u32 batch
    cdef list handshakes_kept
    cdef list streams_forgotten

    def __cinit__(self, shard, *, buffer_records=1 << 20, window_ms=1000, batch=4096):
        cdef Window *w
        cdef unsigned char[::1] view
        if not 0 <= shard < FT_MAX_SHARDS:
            raise ValueError(f"shard {shard}; expected 0 to {FT_MAX_SHARDS - 1}")
        if not (BATCH <= buffer_records <= 1 << 28 and 1 <= window_ms <= 60_000 and 1 <= batch <= 1 << 20):
            raise ValueError(f"buffer_records must be {BATCH} to 2^28, window_ms 1 to 60,000, batch 1 to 2^20")
        if BATCH != FT_BATCH or REFUSALS != len(REASONS):
            raise RuntimeError("bpf/batch.h and engine/merge.pyx do not agree")
        w = self.w = <Window *>calloc(1, sizeof(Window))
        if not w:
            raise MemoryError()
        senders_init(&w.senders)
        w.shard = shard
        window_init(w, buffer_records, <u64>window_ms * 1_000_000)
        self.batch = batch
        # a mapping of its own begins with a page, and lives as long as a view of it
        self.records = memoryview(mmap.mmap(-1, batch * sizeof(ft_record)))
        self.tags = memoryview(mmap.mmap(-1, batch * sizeof(ft_tag)))
        view = self.records
        self.out_records = <ft_record *>&view[0]
        view = self.tags
        self.out_tags = <ft_tag *>&view[0]
        self.handshakes_kept = []
        self.streams_forgotten = []

    def __dealloc__(self):
        cdef Window *w = self.w
        if not w:
            return
        senders_free(&w.senders)
        window_free(w)
        free(w)

    def put(self, const unsigned char[::1] message not None, u64 now_ns):
        cdef const u8 *data = &message[0] if message.shape[0] else NULL
        cdef u64 left = message.shape[0], length = 0
        cdef int refusal, first = TAKEN
        cdef u32 records = 0
        senders_listen(&self.w.senders, now_ns)
        while True:
            refusal = self.put_one(data, left, &length, &records)
            if refusal != TAKEN:
                self.w.refused[refusal] += 1
                if first == TAKEN:
                    first = refusal
            if length >= left:
                break
            data += length
            left -= length
        return records if first == TAKEN else REASONS[first]

    cdef int put_one(self, const u8 *data, u64 left, u64 *length, u32 *records) except -2:
        """Take the message at `data`, of whose length it tells, and add its records; return why it was refused."""
        cdef Window *w = self.w
        cdef ft_message m
        cdef u32 sender
        cdef int refusal = look_at(w, data, left, &m, length)
        if refusal != TAKEN:
            return refusal
        sender = sender_for(&w.senders, m.sender)
        if sender == NONE and self.forget_one():
            sender = sender_for(&w.senders, m.sender)
        refusal = MANY_SENDERS if sender == NONE else accept(w, sender, &m, data)
        if refusal == MANY_STREAMS and self.forget_one():
            sender = sender_for(&w.senders, m.sender)
            refusal = accept(w, sender, &m, data)
        if refusal != TAKEN:
            return refusal
        w.taken[m.kind] += 1
        if m.kind == FT_KIND_HANDSHAKES and m.count:
            self.keep_handshakes(data + sizeof(ft_message), m.count)
        elif m.kind == FT_KIND_RECORDS:
            records[0] += m.count
        return TAKEN

    cdef bint forget_one(self):
        """Make room by forgetting the sender that has been dead longest; False when there is none."""
        cdef Window *w = self.w
        cdef u32 sender = sender_to_forget(&w.senders)
        if sender == NONE:
            return False
        if len(self.streams_forgotten) < FORGOTTEN_KEPT:
            self.streams_forgotten += [row for row in self.rows(sender)]
        sender_forget(&w.senders, sender)
        return True

    cdef keep_handshakes(self, const u8 *data, u32 count):
        self.w.handshakes += count
        if len(self.handshakes_kept) == HANDSHAKES_KEPT:
            self.w.handshakes_dropped += count
            return
        self.handshakes_kept.append(PyBytes_FromStringAndSize(<const char *>data, count * sizeof(ft_handshake_record)))

    def take(self, u64 now_ns, *, bint everything=False):
        cdef u32 count
        with nogil:
            senders_listen(&self.w.senders, now_ns)
            count = window_release(self.w, self.out_records, self.out_tags, self.batch, everything)
        return count

    @property
    def waiting(self):
        return self.w.waiting

    @property
    def horizon(self):
        return senders_horizon(&self.w.senders)

    def losses(self):
        cdef Senders *s = &self.w.senders
        cdef list out = [(s.loss[i].begin, s.loss[i].end, s.loss[i].records) for i in range(s.loss_count)]
        s.loss_count = 0
        return out

    def handshakes(self):
        out, self.handshakes_kept = self.handshakes_kept, []
        return out

    def forgotten(self):
        out, self.streams_forgotten = self.streams_forgotten, []
        return out

    def streams(self):
        return self.rows(NONE)

    cdef list rows(self, u32 sender):
        """What was received and missed of each stream of a sender, or of all."""
        cdef Senders *s = &self.w.senders
        cdef Stream *stream
        cdef u32 i
        cdef list out = []
        for i in range(s.stream_top):
            stream = &s.stream[i]
            if stream.used and (sender == NONE or stream.sender == sender):
                out.append((s.sender[stream.sender].id, stream.cpu, stream.received, stream.missed))
        return out

    def resume(self, u64 sender, u32 cpu, u64 received, u64 missed):
        cdef Senders *s = &self.w.senders
        cdef u32 place
        cdef bint new
        cdef Stream *stream
        if cpu >= CPUS or received >= FIRST_MAX or missed >= FIRST_MAX:
            raise ValueError(f"CPU {cpu}, {received} received, {missed} missed: no stream has these")
        place = place_of(s, sender)
        new = place == NONE or not s.sender[place].used or s.sender[place].remembered
        place = sender_for(s, sender)
        if place == NONE or s.stream_of[place * CPUS + cpu] or stream_for(s, place, cpu) == NONE:
            raise ValueError(f"the stream of CPU {cpu} of sender {sender} is known already, or there are too many")
        stream = &s.stream[s.stream_of[place * CPUS + cpu] - 1]
        stream.received = received
        stream.missed = missed
        stream.expected = received + missed
        if new:
            s.sender[place].remembered = True

    def expect(self, senders):
        cdef u64 sender
        for sender in senders:
            sender_expect(&self.w.senders, sender)

    def counters(self):
        cdef Window *w = self.w
        out = {
            "messages": sum(w.taken) + sum(w.refused),
            "records": w.taken[FT_KIND_RECORDS],
            "watermarks": w.taken[FT_KIND_WATERMARK],
            "received": w.received,
            "missed": w.senders.missed,
            "released": w.released,
            "late": w.late,
            "forced": w.forced,
            "handshakes": w.handshakes,
            "handshakes_dropped": w.handshakes_dropped,
        }
        for i, reason in enumerate(REASONS):
            out["refused_" + reason] = w.refused[i]
        return out


cdef int look_at(Window *w, const u8 *data, u64 size, ft_message *m, u64 *length) noexcept nogil:
    """Copy the header of the message that `size` bytes begin with and check all that can be said of it by itself.

    `length` is set to its own: all that there is where it does not say it, or where no other one can follow.
    """
    cdef u64 wanted
    length[0] = size
    if size < sizeof(ft_message):
        return LENGTH
    memcpy(m, data, sizeof(ft_message))
    if m.version != FT_MESSAGE_VERSION:
        return VERSION
    if m.kind == FT_KIND_RECORDS:
        if m.count == 0 or m.count > <u32>BATCH:
            return COUNT
        wanted = sizeof(ft_message) + BATCH * sizeof(ft_tag) + m.count * sizeof(ft_record)
    elif m.kind == FT_KIND_HANDSHAKES:
        if m.count > <u32>FT_HANDSHAKE_BATCH:
            return COUNT
        wanted = sizeof(ft_message) + m.count * sizeof(ft_handshake_record)
    elif m.kind == FT_KIND_WATERMARK:
        if m.count > <u32>CPUS:
            return COUNT
        wanted = sizeof(ft_message) + m.count * sizeof(u64)
    else:
        return KIND
    if size < wanted:
        return LENGTH
    if size - wanted >= sizeof(ft_message):
        length[0] = wanted
    if m.shard != w.shard:
        return SHARD
    if m.cpu >= CPUS:
        return CPU
    if m.first > FIRST_MAX:
        return FIRST
    return TAKEN


cdef int accept(Window *w, u32 sender, const ft_message *m, const u8 *data) noexcept nogil:
    if m.kind == FT_KIND_RECORDS:
        return take_records(w, sender, m, data)
    if m.kind == FT_KIND_WATERMARK:
        return take_watermark(w, sender, m, data)
    return TAKEN


cdef int take_records(Window *w, u32 sender, const ft_message *m, const u8 *data) noexcept nogil:
    """Copy the records of a message to the end of their stream."""
    cdef const u8 *tags = data + sizeof(ft_message)
    cdef const u8 *records = tags + BATCH * sizeof(ft_tag)
    cdef u32 number = stream_for(&w.senders, sender, m.cpu)
    cdef Stream *stream
    cdef ft_record r
    if number == NONE:
        return MANY_STREAMS
    stream = &w.senders.stream[number]
    if m.first < stream.expected:
        return OLD
    memcpy(&r, records, sizeof(ft_record))
    if m.first > stream.expected:
        note_missed(&w.senders, stream, m.first - stream.expected, r.ts)
    if not window_has_room(w, stream, m.count):
        note_missed(&w.senders, stream, m.count, m.ts)
        return FULL
    window_keep(w, stream, tags, records, m.count)
    stream.expected += m.count
    stream.received += m.count
    memcpy(&r, records + (m.count - 1) * sizeof(ft_record), sizeof(ft_record))
    stream.newest = max(stream.newest, min(r.ts, w.senders.now))
    w.senders.sender[sender].newest = max(w.senders.sender[sender].newest, stream.newest)
    w.received += m.count
    return TAKEN


cdef int take_watermark(Window *w, u32 sender, const ft_message *m, const u8 *data) noexcept nogil:
    """Believe a promise, and find out what is missing at the end of streams; FIRST when a word is out of reach.

    What is missing was sent before the message was written, which can be long ago when it had to wait for this worker.
    The time of its promise says less: newer records may have been lost too.
    """
    cdef Sender *s = &w.senders.sender[sender]
    cdef u64 written = m.began if m.began else w.senders.now
    cdef const u8 *words = data + sizeof(ft_message)
    cdef u64 word
    cdef u32 cpu, number
    for cpu in range(m.count):
        memcpy(&word, words + cpu * sizeof(u64), sizeof(u64))
        if word > FIRST_MAX:
            return FIRST
    if m.lost_since:
        note_loss(&w.senders, m.lost_since, min(written, w.senders.now), 0)
    for cpu in range(m.count):
        memcpy(&word, words + cpu * sizeof(u64), sizeof(u64))
        if word == 0:
            continue
        number = stream_for(&w.senders, sender, cpu)
        if number == NONE:
            return MANY_STREAMS
        if word > w.senders.stream[number].expected:
            note_missed(&w.senders, &w.senders.stream[number], word - w.senders.stream[number].expected, written)
    if m.ts == FOR_EVER:
        s.ended = True
    else:
        s.watermark = m.ts
        s.newest = max(s.newest, min(m.ts, w.senders.now))
    return TAKEN
