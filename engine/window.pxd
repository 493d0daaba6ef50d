# SPDX-License-Identifier: LGPL-2.1-or-later
"""What waits in the reorder window: the C interface; window.pyx has the idea behind it."""

from engine.record cimport ft_record, ft_tag, u8, u32, u64
from engine.streams cimport STREAMS, Senders, Stream

cdef enum:
    BATCH = 256                 # records of a chunk, and of a message

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

cdef int window_init(Window *w, u64 limit, u64 window) except -1
cdef void window_free(Window *w) noexcept nogil
cdef bint window_has_room(Window *w, const Stream *stream, u32 count) noexcept nogil
cdef void window_keep(Window *w, Stream *stream, const u8 *tags, const u8 *records, u32 count) noexcept nogil
cdef u32 window_release(Window *w, ft_record *records, ft_tag *tags, u32 room, bint everything) noexcept nogil
