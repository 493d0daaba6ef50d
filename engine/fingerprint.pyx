# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fingerprints handshakes: each distinct raw signature is kept once, and compared with the database once.

A handshake is reduced to its Facts; a hash table of bounded size says whether these were seen before. The SYNs that
wait for their SYN+ACK are in a second table, as the window of an answer may be a multiple of the asker's MSS.
"""

import os

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from engine.fingerprint_facts cimport Facts, facts_of, window_multiple
from engine.handshake_record cimport ft_handshake_record
from engine.fingerprint_match cimport (
    BUCKETS, F_BAD_TTL, F_GENERIC, F_REPEATED, F_RESPONSE, F_TOOL, Match, Reference, bucket_of, find,
)
from engine.record cimport i32, u8, u16, u32, u64

from engine.fingerprints import RESULT_SIZE, Fingerprint, RawFacts, params_text, raw_text
from sigdb.tcp_nodes import ANY, MAX_OPTIONS, TOOL, TcpDatabase

cdef enum:
    WAYS = 4                    # SYNs that may wait in one set
    SYN_ACK = 18

cdef u64 PATIENCE = 60 * <u64>1000000000    # ns; an answer that comes later is not compared with its SYN

# engine.fingerprints.Result
cdef struct Result:
    u64 number
    i32 match
    u32 ts1
    u32 ts2
    u32 mtu
    u16 mss
    u16 syn_mss
    u8 distance
    u8 flags
    u8 ttl
    u8 version

cdef struct Distinct:
    Facts facts
    Match match

cdef struct Pending:
    u64 ts
    u32 hash
    u32 seq
    u16 client_port
    u16 server_port
    u16 mss
    u8 used
    u8 client_first     # whether the client's address is the lower one
    u8 answered


@cython.final
cdef class Fingerprinter:
    """Tells systems by their SYNs and SYN+ACKs. See fingerprint.pyi."""

    cdef readonly object database
    cdef Reference *reference
    cdef i32 first[BUCKETS]
    cdef Distinct *distinct
    cdef u32 *slot              # number in `distinct` plus 1, 0: free
    cdef u32 mask
    cdef u32 room
    cdef u32 used
    cdef u64 base               # number of distinct[0]
    cdef u64 seed
    cdef Pending *pending
    cdef u32 sets
    cdef dict described
    cdef u64 handshakes
    cdef u64 known
    cdef u64 repeated
    cdef u64 unpaired
    cdef u64 forgotten

    def __cinit__(self, database not None, *, u32 signatures=1 << 16, u32 pending=1 << 17):
        if not isinstance(database, TcpDatabase):
            raise TypeError(f"a {type(database).__name__}, expected a TcpDatabase")
        if not 1 <= signatures <= 1 << 24 or not WAYS <= pending <= 1 << 26:
            raise ValueError("expected 1 to 16,777,216 signatures and 4 to 67,108,864 pending SYNs")
        if sizeof(Result) != RESULT_SIZE:
            raise ImportError("engine.fingerprints.RESULT is not what is written here")
        self.database = database
        self.seed = int.from_bytes(os.urandom(8), "little")
        self.described = {}
        self.room = signatures
        self.mask = 1
        while self.mask < 2 * <u64>signatures:
            self.mask *= 2
        self.sets = 1
        while self.sets * 2 * <u64>WAYS <= pending:
            self.sets *= 2
        self.reference = <Reference *>calloc(len(database.signatures) + 1, sizeof(Reference))
        self.distinct = <Distinct *>calloc(signatures, sizeof(Distinct))
        self.slot = <u32 *>calloc(self.mask, sizeof(u32))
        self.pending = <Pending *>calloc(<size_t>self.sets * WAYS, sizeof(Pending))
        if self.reference == NULL or self.distinct == NULL or self.slot == NULL or self.pending == NULL:
            raise MemoryError("no memory for the tables of fingerprints")
        self.mask -= 1
        self.load(database.signatures)

    def __dealloc__(self):
        free(self.reference)
        free(self.distinct)
        free(self.slot)
        free(self.pending)

    cdef load(self, tuple signatures):
        """Bring the signatures into `reference`; those of one bucket are chained in their order."""
        cdef Reference *r
        cdef i32 i
        cdef u32 bucket
        cdef i32 last[BUCKETS]
        cdef bytes layout
        for i in range(BUCKETS):
            self.first[i] = -1
            last[i] = -1
        for i, signature in enumerate(signatures):
            r = &self.reference[i]
            layout = signature.layout
            if len(layout) > MAX_OPTIONS:
                raise ValueError(f"{len(layout)} options, expected at most {MAX_OPTIONS}")
            memcpy(r.layout, <const u8 *>layout, len(layout))
            r.count = <u8>len(layout)
            r.quirks = signature.quirks
            r.mss = signature.mss
            r.scale = signature.scale
            r.kind = signature.window_kind
            r.window = signature.window
            r.olen = signature.olen
            r.any_version = signature.version == ANY
            r.ttl = signature.ttl
            r.eol_pad = signature.eol_pad
            r.response = signature.response
            r.payload = signature.payload
            r.flags = (F_GENERIC if signature.label.generic else 0) | (F_BAD_TTL if signature.bad_ttl else 0)
            if signature.label.os_class == TOOL:
                r.flags |= F_TOOL
            r.next = -1
            bucket = bucket_of(r.layout, r.count, r.response)
            if last[bucket] < 0:
                self.first[bucket] = i
            else:
                self.reference[last[bucket]].next = i
            last[bucket] = i

    def process(self, const u8[::1] handshakes not None, u8[::1] results not None, Py_ssize_t first=0, Py_ssize_t count=-1):
        """Fingerprint handshake records. See fingerprint.pyi."""
        cdef Py_ssize_t total = handshakes.shape[0] // <Py_ssize_t>sizeof(ft_handshake_record)
        cdef Py_ssize_t room = results.shape[0] // <Py_ssize_t>sizeof(Result)
        if handshakes.shape[0] != total * <Py_ssize_t>sizeof(ft_handshake_record):
            raise ValueError(f"{handshakes.shape[0]} bytes, expected handshake records of {sizeof(ft_handshake_record)}")
        if not 0 <= first <= total or count < -1 or (count >= 0 and first + count > total):
            raise ValueError(f"records from {first} on, {count} of them, of {total}")
        if count < 0:
            count = total - first
        count = min(count, room, <Py_ssize_t>self.room)
        if count <= 0:
            return 0
        if self.room - self.used < count:
            self.forget()
        with nogil:
            self.run(&handshakes[first * <Py_ssize_t>sizeof(ft_handshake_record)], &results[0], count)
        return count

    cdef forget(self):
        """Empty the table of distinct signatures."""
        memset(self.slot, 0, (<size_t>self.mask + 1) * sizeof(u32))
        self.base += self.used
        self.forgotten += self.used
        self.used = 0
        self.described.clear()

    cdef void run(self, const u8 *data, u8 *out, Py_ssize_t count) noexcept nogil:
        cdef ft_handshake_record h
        cdef Distinct *d
        cdef Facts facts
        cdef Result r
        cdef Py_ssize_t i
        for i in range(count):
            memcpy(&h, data + i * <Py_ssize_t>sizeof(h), sizeof(h))
            memset(&r, 0, sizeof(r))
            facts_of(&h, &facts, &r.ts1, &r.ts2)
            r.flags = F_RESPONSE if facts.response else 0
            if self.pair(&h, &facts):
                r.flags |= F_REPEATED
                self.repeated += 1
            d = self.intern(&facts)
            r.number = self.base + <u64>(d - self.distinct)
            r.match = d.match.signature
            r.flags |= d.match.flags
            r.distance = d.match.distance
            r.mss = facts.mss
            r.syn_mss = facts.syn_mss
            r.mtu = facts.mss + <u32>(60 if facts.version == 6 else 40) if facts.mss else 0
            r.ttl = facts.ttl
            r.version = facts.version
            self.handshakes += 1
            self.known += r.match >= 0
            memcpy(out + i * <Py_ssize_t>sizeof(r), &r, sizeof(r))

    cdef Distinct *intern(self, const Facts *facts) noexcept nogil:
        """Return what is known of these facts; the caller has made sure that there is room for new ones."""
        cdef const u8 *bytes = <const u8 *>facts
        cdef u64 hash = self.seed, word
        cdef u32 at
        cdef int i
        cdef Distinct *d
        for i in range(<int>(sizeof(Facts) // 8)):
            memcpy(&word, bytes + 8 * i, 8)
            hash = (hash ^ word) * <u64>0x9E3779B97F4A7C15
            hash ^= hash >> 29
        at = <u32>(hash ^ hash >> 32) & self.mask
        while self.slot[at]:
            d = &self.distinct[self.slot[at] - 1]
            if memcmp(&d.facts, facts, sizeof(Facts)) == 0:
                return d
            at = (at + 1) & self.mask
        d = &self.distinct[self.used]
        d.facts = facts[0]
        d.match = find(self.reference, self.first, facts)
        self.used += 1
        self.slot[at] = self.used
        return d

    cdef bint pair(self, const ft_handshake_record *h, Facts *facts) noexcept nogil:
        """Note a SYN, or give a SYN+ACK the MSS of its SYN; return whether it was sent again."""
        cdef Pending *way = &self.pending[<size_t>((h.hash ^ h.hash >> 16) & (self.sets - 1)) * WAYS]
        cdef Pending *mine = NULL
        cdef Pending *oldest = way
        cdef bint low = memcmp(h.src, h.dst, 16) < 0
        cdef u16 client_port = h.dport if facts.response else h.sport
        cdef u16 server_port = h.sport if facts.response else h.dport
        cdef int i
        for i in range(WAYS):
            if way[i].used and way[i].hash == h.hash and (
                (way[i].client_port == client_port and way[i].server_port == server_port)
                or (way[i].client_port == server_port and way[i].server_port == client_port)
            ):
                mine = &way[i]
                break
            if not way[i].used or (oldest.used and way[i].ts < oldest.ts):
                oldest = &way[i]
        if facts.response:
            # An answer comes from the other side than the SYN.
            if mine == NULL or mine.client_first == low or mine.client_port != client_port or (
                    h.ts > mine.ts and h.ts - mine.ts > PATIENCE):
                self.unpaired += 1
                return False
            facts.syn_mss = mine.mss
            if mine.answered:
                return True
            mine.answered = True
            return False
        if mine == NULL:
            mine = oldest
        elif mine.client_first == low and mine.client_port == client_port and mine.seq == h.seq:
            return True
        mine.used = True
        mine.ts = h.ts
        mine.hash = h.hash
        mine.seq = h.seq
        mine.client_port = client_port
        mine.server_port = server_port
        mine.mss = facts.mss
        mine.client_first = low
        mine.answered = False
        return False

    def describe(self, result not None):
        """Return the Fingerprint of a result. See fingerprint.pyi."""
        cdef u64 number = result.number
        found = self.described.get(number)
        if found is None:
            if not self.base <= number < self.base + self.used:
                raise LookupError(f"signature {number} has been forgotten")
            found = self.describe_anew(&self.distinct[number - self.base])
            self.described[number] = found
        return found

    cdef object describe_anew(self, const Distinct *d):
        cdef bint of_mtu = False
        cdef int multiple = window_multiple(&d.facts, &of_mtu)
        cdef bytes layout = PyBytes_FromStringAndSize(<const char *>d.facts.layout, d.facts.count)
        signature = self.database.signatures[d.match.signature] if d.match.signature >= 0 else None
        fuzzy = bool(d.match.flags & 1)
        mtu = d.facts.mss + (60 if d.facts.version == 6 else 40) if d.facts.mss else 0
        raw = RawFacts(
            quirks=d.facts.quirks, window=d.facts.window, multiple=multiple, of_mtu=bool(of_mtu), mss=d.facts.mss,
            olen=d.facts.olen, scale=d.facts.scale, ttl=d.facts.ttl, version=d.facts.version,
            response=bool(d.facts.response), payload=bool(d.facts.payload), eol_pad=d.facts.eol_pad, tos=d.facts.tos,
            layout=layout,
        )
        return Fingerprint(
            side="syn+ack" if d.facts.response else "syn",
            raw=raw_text(raw),
            signature=signature,
            fuzzy=fuzzy,
            distance=d.match.distance,
            mtu=mtu,
            link=self.database.mtus.get(mtu),
            params=params_text(signature, fuzzy=fuzzy, distance=d.match.distance, tos=d.facts.tos),
        )

    def counters(self):
        return {
            "handshakes": self.handshakes, "matched": self.known, "repeated": self.repeated,
            "unpaired": self.unpaired, "signatures": self.used, "forgotten": self.forgotten,
        }
