# SPDX-License-Identifier: LGPL-2.1-or-later
"""A table of handshakes on their way to completion.

It has sets of four places. What tells a handshake is small and lies together; the two handshake records lie elsewhere
and are touched only when they come and go. Most records belong to no handshake under way: one byte for each set says
whether anything there waits for records, and those bytes stay in the processor's cache.

A handshake whose place another one needs leaves a ghost, the few bytes that tell whether it was completed after all. So
what a flood pushes out is known apart: its own SYNs, which is what the bound is for, and handshakes that are missed.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp

from collections import namedtuple

from engine.handshake_record cimport ft_handshake_record
from engine.record cimport TCP, TH_ACK, TH_FIN, TH_RST, TH_SYN, ft_record, u8, u16, u32, u64

cdef enum:
    WAYS = 4
    OUT = 8192                  # completed handshakes that wait to be taken
    PART = 16                   # of the table, for each look at what is too old

    USED = 1
    REPLIED = 2                 # the SYN+ACK was seen
    ACKED = 4                   # and a sign that the client got it
    C_DATA = 8
    S_DATA = 16

ANSWERED: int = S_DATA
SPOKE: int = C_DATA

Completed = namedtuple("Completed", ("records", "ends"))
Ends = namedtuple("Ends", ("ts", "client", "server", "port", "ids", "state"))

cdef struct Place:
    u64 ts                      # of the SYN
    u32 hash
    u32 seq                     # the client's first
    u32 isn                     # the server's first
    u32 state


cdef struct Ghost:
    u32 hash
    u32 seq
    u32 isn
    u32 state                   # 0: none


cdef class Handshakes:
    """Handshakes on their way to completion. See handshakes.pyi."""

    cdef Place *places
    cdef ft_handshake_record *syns
    cdef ft_handshake_record *synacks
    cdef Ghost *ghosts          # as many as places, in the same sets
    cdef u8 *turn               # by set: the ghost that goes next
    cdef u8 *watched            # by set: places and ghosts that wait for records
    cdef ft_handshake_record *out_records    # SYN, SYN+ACK, SYN, ...
    cdef u8 *out_states
    cdef u32 out
    cdef u32 sets
    cdef u32 hand               # set at which advance() goes on
    cdef u64 wait
    cdef u64 linger
    cdef u64 begun
    cdef u64 completed
    cdef u64 unanswered
    cdef u64 evicted
    cdef u64 lost
    cdef u64 dropped

    def __cinit__(self, u64 size, *, double wait=30.0, double linger=10.0):
        if not (WAYS <= size <= 1 << 24 and wait > 0 and linger > 0):
            raise ValueError(f"expected {WAYS} to {1 << 24} places and times above 0")
        self.sets = 1
        while self.sets * WAYS < size:
            self.sets *= 2
        self.wait = <u64>(wait * 1e9)
        self.linger = <u64>(linger * 1e9)
        self.places = <Place *>calloc(self.sets * WAYS, sizeof(Place))
        self.syns = <ft_handshake_record *>calloc(self.sets * WAYS, sizeof(ft_handshake_record))
        self.synacks = <ft_handshake_record *>calloc(self.sets * WAYS, sizeof(ft_handshake_record))
        self.ghosts = <Ghost *>calloc(self.sets * WAYS, sizeof(Ghost))
        self.turn = <u8 *>calloc(self.sets, 1)
        self.watched = <u8 *>calloc(self.sets, 1)
        self.out_records = <ft_handshake_record *>calloc(2 * OUT, sizeof(ft_handshake_record))
        self.out_states = <u8 *>calloc(OUT, 1)
        if not (self.places and self.syns and self.synacks and self.ghosts and self.turn and self.watched
                and self.out_records and self.out_states):
            raise MemoryError("no memory for the table of handshakes")

    def __dealloc__(self):
        free(self.places)
        free(self.syns)
        free(self.synacks)
        free(self.ghosts)
        free(self.turn)
        free(self.watched)
        free(self.out_records)
        free(self.out_states)

    def add(self, const u8[::1] records not None):
        cdef u32 count = records.shape[0] // sizeof(ft_handshake_record)
        cdef u32 i
        cdef const ft_handshake_record *h
        if count * sizeof(ft_handshake_record) != <u64>records.shape[0]:
            raise ValueError(f"{records.shape[0]} bytes, expected a multiple of {sizeof(ft_handshake_record)}")
        if count == 0:
            return
        h = <const ft_handshake_record *>&records[0]
        with nogil:
            for i in range(count):
                if h[i].tcpflags & TH_ACK:
                    self.replied(&h[i])
                else:
                    self.begins(&h[i])

    def see(self, const u8[::1] records not None, u32 count):
        cdef const ft_record *r
        cdef u32 i
        if <u64>records.shape[0] < <u64>count * sizeof(ft_record):
            raise ValueError(f"{count} records do not fit in {records.shape[0]} bytes")
        if count == 0:
            return
        r = <const ft_record *>&records[0]
        with nogil:
            for i in range(count):
                if self.watched[self.set_of(r[i].hash)] and r[i].proto == TCP and not r[i].tcpflags & TH_SYN:
                    self.look(&r[i])

    def advance(self, u64 now_ns):
        cdef u32 part = self.sets // PART + 1
        cdef u32 i
        with nogil:
            for i in range(part * WAYS):
                self.age(self.hand * WAYS + i % WAYS, now_ns)
                if i % WAYS == WAYS - 1:
                    self.hand = (self.hand + 1) & (self.sets - 1)

    def finish(self):
        cdef u32 i
        with nogil:
            for i in range(self.sets * WAYS):
                self.age(i, <u64>-1)

    def take(self):
        cdef u32 n = self.out
        cdef u32 i
        cdef const ft_handshake_record *syn
        cdef const ft_handshake_record *synack
        cdef list ends = []
        self.out = 0
        for i in range(n):
            syn = &self.out_records[2 * i]
            synack = syn + 1
            ids = (as_id(syn), as_id(synack))
            ends.append(Ends(syn.ts, bytes_of(syn.src), bytes_of(syn.dst), syn.dport, ids, self.out_states[i]))
        return Completed(
            PyBytes_FromStringAndSize(<char *>self.out_records, 2 * n * sizeof(ft_handshake_record)), ends
        )

    def counters(self):
        return {
            "begun": self.begun,
            "completed": self.completed,
            "unanswered": self.unanswered,
            "evicted": self.evicted,
            "lost": self.lost,
            "dropped": self.dropped,
        }

    cdef u32 set_of(self, u32 hash) noexcept nogil:
        # The shard is chosen by the hash too: multiplied, all of it counts.
        return <u32>((<u64>(hash * <u32>0x9E3779B1) * self.sets) >> 32)

    cdef void begins(self, const ft_handshake_record *h) noexcept nogil:
        """Keep a SYN; one that is here already, with the same number, came twice."""
        cdef u32 first = self.set_of(h.hash) * WAYS
        cdef u32 best = first
        cdef u32 i
        for i in range(first, first + WAYS):
            if self.places[i].state and self.places[i].hash == h.hash and same_way(&self.syns[i], h):
                if self.places[i].seq == h.seq:
                    return
                self.ends(i)  # its ports begin anew
                best = i
                break
            if before(&self.places[i], &self.places[best]):
                best = i
        self.evict(best)
        self.begun += 1
        self.places[best] = Place(ts=h.ts, hash=h.hash, seq=h.seq, isn=0, state=USED)
        self.syns[best] = h[0]

    cdef void replied(self, const ft_handshake_record *h) noexcept nogil:
        """Keep the first SYN+ACK that answers a SYN that is here."""
        cdef u32 first = self.set_of(h.hash) * WAYS
        cdef u32 i
        for i in range(first, first + WAYS):
            if (self.places[i].state == USED and self.places[i].hash == h.hash and h.ack == self.places[i].seq + 1
                    and other_way(&self.syns[i], h)):
                self.places[i].isn = h.seq
                self.places[i].state |= REPLIED
                self.synacks[i] = h[0]
                self.watched[first // WAYS] += 1
                return
        for i in range(first, first + WAYS):
            if self.ghosts[i].state == USED and self.ghosts[i].hash == h.hash and h.ack == self.ghosts[i].seq + 1:
                self.ghosts[i].isn = h.seq
                self.ghosts[i].state = REPLIED
                self.watched[first // WAYS] += 1
                return

    cdef void look(self, const ft_record *r) noexcept nogil:
        """Look at a record that may belong to a handshake here."""
        cdef u32 first = self.set_of(r.hash) * WAYS
        cdef u32 i
        for i in range(first, first + WAYS):
            if self.places[i].state & REPLIED and self.places[i].hash == r.hash:
                if of_client(&self.syns[i], r):
                    self.from_client(i, r)
                    return
                if of_client(&self.synacks[i], r):
                    self.from_server(i, r)
                    return
        for i in range(first, first + WAYS):
            if self.ghosts[i].state == REPLIED and self.ghosts[i].hash == r.hash and completes(&self.ghosts[i], r):
                self.lost += 1
                self.ghosts[i].state = 0
                self.watched[first // WAYS] -= 1
                return

    cdef void from_client(self, u32 i, const ft_record *r) noexcept nogil:
        cdef Place *p = &self.places[i]
        if r.tcpflags & TH_RST:
            self.ends(i)
            return
        if r.tcpflags & TH_ACK and r.seq == p.seq + 1 and r.ack == <u16>(p.isn + 1):
            p.state |= ACKED
        if p.state & ACKED and r.len:
            p.state |= C_DATA
        if p.state & (C_DATA | S_DATA) == C_DATA | S_DATA:  # a FIN may come before the answer
            self.ends(i)

    cdef void from_server(self, u32 i, const ft_record *r) noexcept nogil:
        cdef Place *p = &self.places[i]
        if r.len and not r.tcpflags & TH_RST:
            p.state |= ACKED | S_DATA
        if r.tcpflags & (TH_FIN | TH_RST) or p.state & (C_DATA | S_DATA) == C_DATA | S_DATA:
            self.ends(i)

    cdef void age(self, u32 i, u64 now) noexcept nogil:
        cdef Place *p = &self.places[i]
        if p.state and now > p.ts and now - p.ts > (self.linger if p.state & ACKED else self.wait):
            self.ends(i)

    cdef void ends(self, u32 i) noexcept nogil:
        """Free a place: hand a completed handshake out, count any other."""
        if self.places[i].state & ACKED:
            self.hand_out(i)
        else:
            self.unanswered += 1
        self.free_place(i)

    cdef void evict(self, u32 i) noexcept nogil:
        """Free a place that another handshake needs."""
        if self.places[i].state & ACKED:
            self.hand_out(i)
        elif self.places[i].state:
            self.evicted += 1
            self.leave_ghost(i)
        self.free_place(i)

    cdef void leave_ghost(self, u32 i) noexcept nogil:
        """Remember of a place what tells whether its handshake is completed, in the stead of the set's oldest ghost."""
        cdef u32 group = i // WAYS
        cdef u32 n = group * WAYS + self.turn[group]
        cdef const Place *p = &self.places[i]
        cdef u32 replied = p.state & REPLIED
        self.turn[group] = (self.turn[group] + 1) % WAYS
        self.watched[group] += (replied != 0) - (self.ghosts[n].state == REPLIED)
        self.ghosts[n] = Ghost(hash=p.hash, seq=p.seq, isn=p.isn, state=replied if replied else <u32>USED)

    cdef void free_place(self, u32 i) noexcept nogil:
        if self.places[i].state & REPLIED:
            self.watched[i // WAYS] -= 1
        self.places[i].state = 0

    cdef void hand_out(self, u32 i) noexcept nogil:
        self.completed += 1
        if self.out == OUT:
            self.dropped += 1
            return
        self.out_records[2 * self.out] = self.syns[i]
        self.out_records[2 * self.out + 1] = self.synacks[i]
        self.out_states[self.out] = self.places[i].state & (C_DATA | S_DATA)
        self.out += 1


cdef bytes bytes_of(const u8 *address):
    return PyBytes_FromStringAndSize(<const char *>address, 16)


cdef inline int as_id(const ft_handshake_record *h) noexcept nogil:
    return h.id if h.version == 4 else -1


cdef inline bint completes(const Ghost *g, const ft_record *r) noexcept nogil:
    """Whether a record shows that the handshake was completed: as a place's first record of either side does."""
    if r.tcpflags & TH_RST:
        return False
    if r.seq == g.seq + 1 and r.tcpflags & TH_ACK and r.ack == <u16>(g.isn + 1):
        return True
    return r.len != 0 and r.seq == g.isn + 1


cdef inline u32 progress(const Place *p) noexcept nogil:
    """How far a handshake has come: 0 nothing here, 1 under way, 2 completed."""
    return 0 if not p.state else 1 + ((p.state & ACKED) != 0)


cdef inline bint before(const Place *a, const Place *b) noexcept nogil:
    """Whether `a` is given up before `b`.

    Of those under way the oldest, since most are completed within a round trip. Were one with an answer kept before
    one without, a flood to an open port would fill the table with answered ones, and each new SYN would push out the
    one before it.
    """
    if progress(a) != progress(b):
        return progress(a) < progress(b)
    return a.ts < b.ts


cdef inline bint same_way(const ft_handshake_record *a, const ft_handshake_record *b) noexcept nogil:
    return (a.sport == b.sport and a.dport == b.dport and memcmp(a.src, b.src, 16) == 0
            and memcmp(a.dst, b.dst, 16) == 0)


cdef inline bint other_way(const ft_handshake_record *a, const ft_handshake_record *b) noexcept nogil:
    return (a.sport == b.dport and a.dport == b.sport and memcmp(a.src, b.dst, 16) == 0
            and memcmp(a.dst, b.src, 16) == 0)


cdef inline bint of_client(const ft_handshake_record *h, const ft_record *r) noexcept nogil:
    """Whether a record goes the same way as a handshake record."""
    return (h.sport == r.sport and h.dport == r.dport and memcmp(h.src, r.src, 16) == 0
            and memcmp(h.dst, r.dst, 16) == 0)
