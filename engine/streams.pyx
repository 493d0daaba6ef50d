# SPDX-License-Identifier: LGPL-2.1-or-later
"""Senders and their streams: what each has sent, what is missing, and how far in time all of them have come.

A sender is one run of a capture process. It promises by watermarks how far its streams are complete; the slowest
promise is the horizon up to which records may be released. One that is known to be alive and has not been heard yet
(`sender_expect`) has promised nothing, so it holds up all others. Whoever is silent for a second makes no promise any
more and holds nobody up. Silence is counted only while somebody listens (`senders_listen`): after the worker itself was stopped
for a while, the senders are not taken for dead.

Everything is bounded: senders, streams, and the intervals of losses that wait to be told.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memset

from engine.record cimport u16, u32, u64

cdef enum:
    LISTENING_NS = 100_000_000      # a longer time between two calls was not spent listening
    SILENT_NS = 1_000_000_000       # a sender silent for so long holds up nobody
    DEAD_NS = 5_000_000_000         # ... is taken for dead: what it had not sent is lost


cdef int senders_init(Senders *s) except -1:
    """Make the empty tables, in zeroed memory. Raises MemoryError."""
    s.stream_of = <u16 *>calloc(SENDERS * CPUS, sizeof(u16))
    if not s.stream_of:
        raise MemoryError()
    return 0


cdef void senders_free(Senders *s) noexcept nogil:
    free(s.stream_of)
    s.stream_of = NULL


cdef void senders_listen(Senders *s, u64 now) noexcept nogil:
    """Take note of the time, and of who has been silent for too long."""
    cdef u32 i
    cdef Sender *sender
    if now > s.now:
        if s.now:
            s.attended += min(now - s.now, <u64>LISTENING_NS)
        s.now = now
    for i in range(SENDERS):
        sender = &s.sender[i]
        if not sender.used or sender.ended:
            continue
        sender.silent = s.attended - sender.heard > SILENT_NS
        if not sender.given_up and s.attended - sender.heard > <u64>DEAD_NS:
            # it, or who came in its place, was away from its newest sign of life until about a second later
            sender.given_up = True
            if sender.newest:
                note_loss(s, sender.newest, sender.newest + SILENT_NS, 0)


cdef u32 place_of(const Senders *s, u64 id) noexcept nogil:
    """The place of a sender, or a free one for it; NONE when there is neither."""
    cdef u32 i, place = NONE
    for i in range(SENDERS):
        if not s.sender[i].used:
            if place == NONE:
                place = i
        elif s.sender[i].id == id:
            return i
    return place


cdef u32 sender_for(Senders *s, u64 id) noexcept nogil:
    """The place of the sender of a message; NONE when it is new and there is no free place."""
    cdef u32 place = place_of(s, id)
    cdef Sender *sender
    if place == NONE:
        return NONE
    sender = &s.sender[place]
    if not sender.used:
        memset(sender, 0, sizeof(Sender))
        sender.used = True
        sender.id = id
    sender.heard = s.attended
    sender.silent = sender.given_up = sender.ended = sender.remembered = False
    return place


cdef void sender_expect(Senders *s, u64 id) noexcept nogil:
    """Have a sender that is alive and was not heard yet hold the others up, as long as it may be silent."""
    cdef u32 place = place_of(s, id)
    if place != NONE and (not s.sender[place].used or s.sender[place].remembered):
        sender_for(s, id)


cdef u32 stream_for(Senders *s, u32 sender, u32 cpu) noexcept nogil:
    """The number of a sender's stream; NONE when it is new and there is no room."""
    cdef u16 *place = &s.stream_of[sender * CPUS + cpu]
    cdef u32 i
    if place[0]:
        return place[0] - 1
    for i in range(STREAMS):
        if not s.stream[i].used:
            break
    else:
        return NONE
    memset(&s.stream[i], 0, sizeof(Stream))
    s.stream[i].used = True
    s.stream[i].sender = sender
    s.stream[i].cpu = cpu
    s.stream_top = max(s.stream_top, i + 1)
    place[0] = <u16>(i + 1)
    return i


cdef u32 sender_to_forget(Senders *s) noexcept nogil:
    """The sender that ended, or has been silent longest, and from which nothing waits; NONE when all are alive."""
    cdef u32 i, best = NONE
    for i in range(SENDERS):
        if not s.sender[i].used or s.sender[i].waiting:
            continue
        if not (s.sender[i].ended or s.sender[i].silent or s.sender[i].remembered):
            continue
        if best == NONE or s.sender[i].heard < s.sender[best].heard:
            best = i
    return best


cdef void sender_forget(Senders *s, u32 sender) noexcept nogil:
    """Free the place of a sender and its streams, of which nothing waits."""
    cdef u32 cpu
    cdef u16 *place = &s.stream_of[sender * CPUS]
    for cpu in range(CPUS):
        if place[cpu]:
            s.stream[place[cpu] - 1].used = False
            place[cpu] = 0
    s.sender[sender].used = False


cdef void note_missed(Senders *s, Stream *stream, u64 records, u64 until) noexcept nogil:
    """Count records of a stream that will not come, sent between its newest one and `until`.

    A stream of which nothing is known may have lost them at any time before.
    """
    stream.expected += records
    stream.missed += records
    s.missed += records
    # whatever a record says: what has been lost was sent by now
    note_loss(s, stream.newest, min(until, s.now), records)


cdef void note_loss(Senders *s, u64 begin, u64 end, u64 records) noexcept nogil:
    """Keep an interval of time in which records were lost; when too many wait, the newest one grows."""
    cdef Loss *loss
    if s.loss_count == LOSSES:
        loss = &s.loss[LOSSES - 1]
        loss.begin = min(loss.begin, begin)
        loss.end = max(loss.end, end)
        loss.records += records
        return
    loss = &s.loss[s.loss_count]
    s.loss_count += 1
    loss.begin = begin
    loss.end = max(begin, end)
    loss.records = records


cdef u64 senders_horizon(Senders *s) noexcept nogil:
    """Nothing as old as this will come any more, as far as anybody who is alive can tell; 2^64-1 when nobody is."""
    cdef u64 horizon = <u64>-1
    cdef u32 i
    for i in range(SENDERS):
        if s.sender[i].used and not (s.sender[i].ended or s.sender[i].silent or s.sender[i].remembered):
            horizon = min(horizon, s.sender[i].watermark)
    return horizon
