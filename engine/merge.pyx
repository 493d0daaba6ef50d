# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reorder window: messages of several streams in, records in order of time out.

Each stream is in order by itself (one CPU, one clock), so what remains is a merge of K streams: a heap of their
first records, and whole runs copied as long as no other stream has an older one. Complications:

1. A stream that brings nothing may still bring something old. Watermarks say up to when it does not (engine.streams).
2. Messages are copied into a pool of chunks, as they live no longer than the call. A small message goes on in the last
   chunk of its stream, so memory follows the records and not the messages.
3. Nothing waits for ever: neither for a watermark that does not come (`window`), nor beyond the pool (`limit`).
4. A record with a mad time must not shut the window for the others: no record counts as newer than now.
5. A message is refused before anything is changed by it, whatever is wrong with it.
"""

import mmap

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from engine.arrays cimport give_back, reserve
from engine.message cimport (
    FT_BATCH, FT_HANDSHAKE_BATCH, FT_KIND_HANDSHAKES, FT_KIND_RECORDS, FT_KIND_WATERMARK, FT_MAX_SHARDS,
    FT_MESSAGE_VERSION, ft_handshake_record, ft_message,
)
from engine.record cimport ft_record, ft_tag, likely, u8, u32, u64
from engine.streams cimport (
    CPUS, NONE, STREAMS, Sender, Senders, Stream, note_missed, sender_for, sender_forget, sender_to_forget,
    senders_free, senders_horizon, senders_init, senders_listen, stream_for,
)

cdef enum:
    BATCH = 256                 # records of a chunk, and of a message
    MESSAGES_BETWEEN = 1024     # messages between two calls of take() for which there is always room
    SHARES = 8                  # a chunk takes what comes within this part of the window
    SLACK = 64                  # a perf sample may be so much longer than its message
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

cdef struct Chunk:
    ft_tag tag[BATCH]
    ft_record record[BATCH]

cdef struct About:
    u64 arrived             # attended ns of its first record
    u64 newest              # ns, of its newest record
    u32 next                # chunk number + 1
    u32 count

cdef struct Head:
    u64 ts                  # time of a stream's first record, not beyond now
    u32 stream

cdef struct Window:
    Senders senders
    u32 shard
    u64 window              # ns
    u64 limit               # records that may wait
    Chunk *chunks
    About *about
    u32 chunk_count
    u32 top                 # chunks ever used
    u32 free_head           # chunk number + 1
    Head heap[STREAMS]
    u64 released_to         # ns, the newest record handed out
    u64 waiting
    u64 received
    u64 released
    u64 late
    u64 forced
    u64 taken[4]            # messages, by kind
    u64 refused[11]
    u64 handshakes
    u64 handshakes_dropped


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
        w.window = <u64>window_ms * 1_000_000
        w.limit = buffer_records
        # beside full ones, each stream has parts of one chunk for each share of the window
        w.chunk_count = buffer_records // BATCH + MESSAGES_BETWEEN + (SHARES + 2) * STREAMS
        w.chunks = <Chunk *>reserve(<u64>w.chunk_count * sizeof(Chunk))
        w.about = <About *>reserve(<u64>w.chunk_count * sizeof(About))
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
        give_back(w.chunks, <u64>w.chunk_count * sizeof(Chunk))
        give_back(w.about, <u64>w.chunk_count * sizeof(About))
        free(w)

    def put(self, const unsigned char[::1] message not None, u64 now_ns):
        cdef Window *w = self.w
        cdef const u8 *data = &message[0] if message.shape[0] else NULL
        cdef u64 size = message.shape[0]
        cdef ft_message m
        cdef int refusal
        cdef u32 sender = 0, forget
        senders_listen(&w.senders, now_ns)
        refusal = look_at(w, data, size, &m)
        if refusal == TAKEN:
            sender = sender_for(&w.senders, m.sender)
            if sender == NONE and self.forget_one():
                sender = sender_for(&w.senders, m.sender)
            refusal = MANY_SENDERS if sender == NONE else accept(w, sender, &m, data)
            if refusal == MANY_STREAMS and self.forget_one():
                sender = sender_for(&w.senders, m.sender)
                refusal = accept(w, sender, &m, data)
        if refusal != TAKEN:
            w.refused[refusal] += 1
            return REASONS[refusal]
        w.taken[m.kind] += 1
        if m.kind == FT_KIND_HANDSHAKES and m.count:
            self.keep_handshakes(data + sizeof(ft_message), m.count)
        return m.count if m.kind == FT_KIND_RECORDS else 0

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
            count = release(self.w, self.out_records, self.out_tags, self.batch, everything)
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
        cdef Stream *stream
        if cpu >= CPUS or received >= FIRST_MAX or missed >= FIRST_MAX:
            raise ValueError(f"CPU {cpu}, {received} received, {missed} missed: no stream has these")
        place = sender_for(s, sender)
        if place == NONE or s.stream_of[place * CPUS + cpu] or stream_for(s, place, cpu) == NONE:
            raise ValueError(f"the stream of CPU {cpu} of sender {sender} is known already, or there are too many")
        stream = &s.stream[s.stream_of[place * CPUS + cpu] - 1]
        stream.received = received
        stream.missed = missed
        stream.expected = received + missed

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


cdef int look_at(Window *w, const u8 *data, u64 size, ft_message *m) noexcept nogil:
    """Copy the header of a message and check all that can be said of it by itself."""
    cdef u64 wanted
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
    if size < wanted or size > wanted + SLACK:
        return LENGTH
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
    cdef u32 part, done = 0
    if number == NONE:
        return MANY_STREAMS
    stream = &w.senders.stream[number]
    if m.first < stream.expected:
        return OLD
    memcpy(&r, records, sizeof(ft_record))
    if m.first > stream.expected:
        note_missed(&w.senders, stream, m.first - stream.expected, r.ts)
    if not has_room(w, stream, m.count):
        note_missed(&w.senders, stream, m.count, m.ts)
        return FULL
    while done < m.count:
        part = min(m.count - done, room_in_tail(w, stream))
        append(w, stream, tags + done * sizeof(ft_tag), records + done * sizeof(ft_record), part)
        done += part
    stream.expected += m.count
    stream.received += m.count
    memcpy(&r, records + (m.count - 1) * sizeof(ft_record), sizeof(ft_record))
    stream.newest = max(stream.newest, min(r.ts, w.senders.now))
    w.senders.sender[sender].newest = max(w.senders.sender[sender].newest, stream.newest)
    w.senders.sender[sender].waiting += m.count
    w.received += m.count
    w.waiting += m.count
    return TAKEN


cdef int take_watermark(Window *w, u32 sender, const ft_message *m, const u8 *data) noexcept nogil:
    """Believe a promise, and find out what is missing at the end of streams; FIRST when a word is out of reach.

    What is missing was sent before now. The message's own time says less: newer records may have been lost too.
    """
    cdef Sender *s = &w.senders.sender[sender]
    cdef const u8 *words = data + sizeof(ft_message)
    cdef u64 word
    cdef u32 cpu, number
    for cpu in range(m.count):
        memcpy(&word, words + cpu * sizeof(u64), sizeof(u64))
        if word > FIRST_MAX:
            return FIRST
    for cpu in range(m.count):
        memcpy(&word, words + cpu * sizeof(u64), sizeof(u64))
        if word == 0:
            continue
        number = stream_for(&w.senders, sender, cpu)
        if number == NONE:
            return MANY_STREAMS
        if word > w.senders.stream[number].expected:
            note_missed(&w.senders, &w.senders.stream[number], word - w.senders.stream[number].expected, w.senders.now)
    if m.ts == FOR_EVER:
        s.ended = True
    else:
        s.watermark = m.ts
        s.newest = max(s.newest, min(m.ts, w.senders.now))
    return TAKEN


cdef inline About *about(Window *w, u32 chunk) noexcept nogil:
    return &w.about[chunk - 1]


cdef inline bint tail_goes_on(Window *w, const Stream *stream) noexcept nogil:
    """Whether a stream's last chunk takes more: not once it is old, as it leaves as a whole when the window ends."""
    return (stream.tail != 0 and about(w, stream.tail).count < BATCH
            and w.senders.attended - about(w, stream.tail).arrived < w.window // SHARES)


cdef inline bint has_room(Window *w, const Stream *stream, u32 count) noexcept nogil:
    """Whether so many more records of a stream (at most a message's) can be kept."""
    if w.free_head or w.top < w.chunk_count:
        return True
    return tail_goes_on(w, stream) and about(w, stream.tail).count + count <= BATCH


cdef u32 room_in_tail(Window *w, Stream *stream) noexcept nogil:
    """How many records the last chunk of a stream can take: a new one, if there is none that goes on."""
    cdef u32 n
    if tail_goes_on(w, stream):
        return BATCH - about(w, stream.tail).count
    if w.free_head:
        n = w.free_head
        w.free_head = about(w, n).next
    else:
        w.top += 1
        n = w.top
    memset(about(w, n), 0, sizeof(About))
    about(w, n).arrived = w.senders.attended
    if stream.tail:
        about(w, stream.tail).next = n
    else:
        stream.head = n
        stream.at = 0
    stream.tail = n
    return BATCH


cdef void append(Window *w, Stream *stream, const u8 *tags, const u8 *records, u32 count) noexcept nogil:
    cdef About *a = about(w, stream.tail)
    cdef Chunk *chunk = &w.chunks[stream.tail - 1]
    memcpy(&chunk.tag[a.count], tags, count * sizeof(ft_tag))
    memcpy(&chunk.record[a.count], records, count * sizeof(ft_record))
    a.count += count
    a.newest = max(a.newest, chunk.record[a.count - 1].ts)


cdef inline u64 key_of(const Window *w, const Stream *stream) noexcept nogil:
    """The time of a stream's first record that counts."""
    return min(w.chunks[stream.head - 1].record[stream.at].ts, w.senders.now)


cdef void sift_down(Head *heap, u32 count, u32 i) noexcept nogil:
    cdef Head moved = heap[i]
    cdef u32 child
    while True:
        child = 2 * i + 1
        if child >= count:
            break
        if child + 1 < count and heap[child + 1].ts < heap[child].ts:
            child += 1
        if heap[child].ts >= moved.ts:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = moved


cdef u32 release(Window *w, ft_record *records, ft_tag *tags, u32 room, bint everything) noexcept nogil:
    """Hand out the oldest records, up to the horizon or as far as bounds demand; returns how many."""
    cdef u64 horizon = FOR_EVER if everything else senders_horizon(&w.senders)
    cdef u64 bound = max(horizon, w.released_to)
    cdef u64 until
    cdef u32 heads = 0
    cdef u32 i, count = 0, run
    cdef Stream *stream
    for i in range(w.senders.stream_top):
        stream = &w.senders.stream[i]
        if not stream.used or not stream.head:
            continue
        w.heap[heads].ts = key_of(w, stream)
        w.heap[heads].stream = i
        heads += 1
        if w.senders.attended - about(w, stream.head).arrived >= w.window:
            # its first record in any case: it may claim to be newer than the last one
            bound = max(bound, w.heap[heads - 1].ts, min(about(w, stream.head).newest, w.senders.now))
    for i in range(heads // 2, 0, -1):
        sift_down(w.heap, heads, i - 1)
    while heads and count < room:
        if w.heap[0].ts > bound and w.waiting <= w.limit:
            break
        stream = &w.senders.stream[w.heap[0].stream]
        until = bound
        if heads > 1:
            until = min(until, w.heap[1].ts)
        if heads > 2:
            until = min(until, w.heap[2].ts)
        run = hand_out(w, stream, records + count, tags + count, room - count, until, horizon)
        count += run
        w.senders.sender[stream.sender].waiting -= run
        if stream.head:
            w.heap[0].ts = key_of(w, stream)
        else:
            heads -= 1
            w.heap[0] = w.heap[heads]
        if heads > 1:
            sift_down(w.heap, heads, 0)
    return count


cdef inline u32 hand_out(Window *w, Stream *stream, ft_record *records, ft_tag *tags, u32 room, u64 until,
                         u64 horizon) noexcept nogil:
    """Copy a stream's first record, and those behind it in the same chunk that are not newer than `until`."""
    cdef Chunk *chunk = &w.chunks[stream.head - 1]
    cdef About *a = about(w, stream.head)
    cdef u32 begin = stream.at
    cdef u32 most = min(a.count - begin, room)
    cdef u32 n = 0
    cdef u64 ts
    while True:
        ts = min(chunk.record[begin + n].ts, w.senders.now)
        if n and ts > until:
            break
        if likely(ts >= w.released_to):
            w.released_to = ts
            w.forced += ts > horizon
        else:
            w.late += 1
        n += 1
        if n == most:
            break
    memcpy(records, &chunk.record[begin], n * sizeof(ft_record))
    memcpy(tags, &chunk.tag[begin], n * sizeof(ft_tag))
    w.waiting -= n
    w.released += n
    stream.at += n
    if stream.at == a.count:
        free_first_chunk(w, stream)
    return n


cdef void free_first_chunk(Window *w, Stream *stream) noexcept nogil:
    cdef u32 chunk = stream.head
    stream.head = about(w, chunk).next
    stream.at = 0
    if not stream.head:
        stream.tail = 0
    about(w, chunk).next = w.free_head
    w.free_head = chunk
