# SPDX-License-Identifier: LGPL-2.1-or-later
"""What waits in the reorder window: a pool of chunks of records, and the merge of all streams by time.

Each stream is in order by itself (one CPU, one clock), so what remains is a merge of K streams: a heap of their
first records, and whole runs copied as long as no other stream has an older one. Complications:

1. A stream that brings nothing may still bring something old. Watermarks say up to when it does not (engine.streams).
2. Messages are copied into a pool of chunks, as they live no longer than the call. A small message goes on in the last
   chunk of its stream, so memory follows the records and not the messages.
3. Nothing waits for ever: neither for a watermark that does not come (`window`), nor beyond the pool (`limit`).
4. A record with a mad time must not shut the window for the others: no record counts as newer than now.
"""

from libc.string cimport memcpy, memset

from engine.arrays cimport give_back, reserve
from engine.record cimport ft_record, ft_tag, likely, u8, u32, u64
from engine.streams cimport STREAMS, Stream, senders_horizon

cdef enum:
    MESSAGES_BETWEEN = 1024     # messages between two releases for which there is always room
    SHARES = 8                  # a chunk takes what comes within this part of the window

cdef u64 FOR_EVER = <u64>-1


cdef int window_init(Window *w, u64 limit, u64 window) except -1:
    """Reserve room for `limit` records that wait no longer than `window` ns, in zeroed memory. Raises MemoryError."""
    w.window = window
    w.limit = limit
    # beside full ones, each stream has parts of one chunk for each share of the window
    w.chunk_count = <u32>(limit // BATCH + MESSAGES_BETWEEN + (SHARES + 2) * STREAMS)
    w.chunks = <Chunk *>reserve(<u64>w.chunk_count * sizeof(Chunk))
    w.about = <About *>reserve(<u64>w.chunk_count * sizeof(About))
    return 0


cdef void window_free(Window *w) noexcept nogil:
    give_back(w.chunks, <u64>w.chunk_count * sizeof(Chunk))
    give_back(w.about, <u64>w.chunk_count * sizeof(About))


cdef inline About *about(Window *w, u32 chunk) noexcept nogil:
    return &w.about[chunk - 1]


cdef inline bint tail_goes_on(Window *w, const Stream *stream) noexcept nogil:
    """Whether a stream's last chunk takes more: not once it is old, as it leaves as a whole when the window ends."""
    return (stream.tail != 0 and about(w, stream.tail).count < BATCH
            and w.senders.attended - about(w, stream.tail).arrived < w.window // SHARES)


cdef bint window_has_room(Window *w, const Stream *stream, u32 count) noexcept nogil:
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


cdef void window_keep(Window *w, Stream *stream, const u8 *tags, const u8 *records, u32 count) noexcept nogil:
    """Copy records to the end of a stream, for which there is room."""
    cdef u32 part, done = 0
    while done < count:
        part = min(count - done, room_in_tail(w, stream))
        append(w, stream, tags + done * sizeof(ft_tag), records + done * sizeof(ft_record), part)
        done += part
    w.senders.sender[stream.sender].waiting += count
    w.waiting += count


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


cdef u32 window_release(Window *w, ft_record *records, ft_tag *tags, u32 room, bint everything) noexcept nogil:
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
