# SPDX-License-Identifier: LGPL-2.1-or-later
"""Senders and their streams, and what each has yet to deliver: the C interface."""

from engine.record cimport u16, u32, u64

cdef enum:
    SENDERS = 64            # capture processes known at a time
    CPUS = 1024             # streams of one sender
    STREAMS = 1024          # of all senders together
    LOSSES = 256            # intervals that wait to be told
    NONE = 0xFFFFFFFF

# One CPU of one sender.
cdef struct Stream:
    u64 expected            # number of the next record
    u64 received
    u64 missed
    u64 newest              # ns, the newest record that arrived; 0 none
    u32 sender
    u32 cpu
    u32 head                # first chunk of what waits (number + 1), 0 nothing
    u32 tail
    u32 at                  # records of the first chunk that are gone
    bint used

cdef struct Sender:
    u64 id
    u64 watermark           # ns; 0 none yet
    u64 heard               # attended ns (Senders.attended) of the newest message
    u64 newest              # ns, the newest thing heard of it
    u32 waiting             # records that wait
    bint used
    bint ended              # has said that nothing will follow
    bint silent             # does not hold the others up any more
    bint remembered         # by a predecessor; holds up nobody before it is heard or expected
    bint given_up           # its silence was told as a loss

cdef struct Loss:
    u64 begin
    u64 end
    u64 records             # 0: how many is not known

cdef struct Senders:
    Sender sender[SENDERS]
    Stream stream[STREAMS]
    u16 *stream_of          # [SENDERS][CPUS]: stream number + 1
    u32 stream_top          # streams ever used
    u64 now                 # ns, what the owner said last
    u64 attended            # ns that somebody was here to listen: silence counts in these
    Loss loss[LOSSES]
    u32 loss_count
    u64 missed

cdef int senders_init(Senders *s) except -1
cdef void senders_free(Senders *s) noexcept nogil
cdef void senders_listen(Senders *s, u64 now) noexcept nogil
cdef u32 place_of(const Senders *s, u64 id) noexcept nogil
cdef u32 sender_for(Senders *s, u64 id) noexcept nogil
cdef void sender_expect(Senders *s, u64 id) noexcept nogil
cdef u32 stream_for(Senders *s, u32 sender, u32 cpu) noexcept nogil
cdef void sender_forget(Senders *s, u32 sender) noexcept nogil
cdef u32 sender_to_forget(Senders *s) noexcept nogil
cdef void note_missed(Senders *s, Stream *stream, u64 records, u64 until) noexcept nogil
cdef void note_loss(Senders *s, u64 begin, u64 end, u64 records) noexcept nogil
cdef u64 senders_horizon(Senders *s) noexcept nogil
