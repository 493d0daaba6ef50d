# SPDX-License-Identifier: LGPL-2.1-or-later
"""A flow as a Python object, for those flows that are reported."""

from cpython.bytes cimport PyBytes_FromStringAndSize

from engine.core cimport WORDS_HERE, Core, HitNode, hit_at, more_at
from engine.exact cimport HOLE, HOLE_WORD, NO_MATCH, WORDS, Item, exact_evidence, exact_match, item_at, look_at
from engine.flow cimport (
    END_FIN, END_OPEN, END_RST, END_TIMEOUT, F_BEGUN, F_CLIENT1, F_GAP, F_HAVE_SYN, F_PORT_GUESS, F_SYNACK, NO_RTT, Cold, Flow,
    client_of,
)
from engine.losses cimport was_lost
from engine.matching cimport look
from engine.record cimport ICMP, ICMPV6, TCP, UDP, u8, u32, u64
from engine.results import Flow as FlowResult, Hit, Reason
from engine.shape import text
from engine.table cimport cold_of

# Percent; how likely the side named client is the client. The SYN tells, the rest are guesses of falling worth.
cdef enum:
    BY_SYN = 100
    BY_SYN_ACK = 90
    BY_PORT_AND_SPEAKER = 80
    BY_PORT = 60
    BY_SPEAKER = 50


cdef object flow_object(Core *c, Flow *f, bint early):
    """A results.Flow with all that the flow's slot holds; `early`: what is news of an open one, which is told then."""
    cdef u32 client = client_of(f)
    cdef u32 server = client ^ 1
    cdef const u8 *address0 = f.addr0
    cdef const u8 *address1 = f.addr1
    cdef bint begun = (f.flags & F_BEGUN) != 0
    cdef bint ended = f.reason == END_FIN or f.reason == END_RST or f.reason == END_TIMEOUT
    cdef const Cold *cold = cold_of(&c.table, f)
    cdef u32 n = f.hits
    cdef HitNode *hit
    cdef list hits = []
    cdef bint whole = c.report_all and not early
    while n:
        hit = hit_at(c, n)
        n = hit.next
        if early:
            if hit.told or c.conditions.start[hit.signature] != c.conditions.start[hit.signature + 1]:
                continue
        shape = shown(c, f, hit, c.program_stream[hit.signature])
        hits.append(Hit(hit.signature, 1 if early else hit.count, hit.ts, shape, hit.told))
        if early:
            hit.told = 1
    look(c, f, 0)
    return FlowResult(
        proto=f.proto,
        client=PyBytes_FromStringAndSize(<const char *>(address1 if client else address0), 16),
        server=PyBytes_FromStringAndSize(<const char *>(address0 if client else address1), 16),
        client_port=f.port1 if client else f.port0,
        server_port=f.port0 if client else f.port1,
        start_ns=f.start,
        end_ns=f.previous if f.packets else f.last,
        packets_c=f.side[client].packets,
        packets_s=f.side[server].packets,
        bytes_c=f.side[client].bytes,
        bytes_s=f.side[server].bytes,
        turns_c=f.side[client].turns,
        turns_s=f.side[server].turns,
        duration_c_ns=<u64>(f.last_ms[client] - f.first_ms[client]) * 1_000_000,
        duration_s_ns=<u64>(f.last_ms[server] - f.first_ms[server]) * 1_000_000,
        rtt_c_ns=None if f.side[client].rtt == NO_RTT else <u64>f.side[client].rtt * 1000,
        rtt_s_ns=None if f.side[server].rtt == NO_RTT else <u64>f.side[server].rtt * 1000,
        confidence=confidence(f),
        midstream=f.proto == TCP and not f.flags & F_HAVE_SYN,
        gap=(f.flags & F_GAP) != 0 or was_lost(c, f),
        ended=ended,
        reason=Reason(f.reason or END_OPEN),
        iface=cold.iface,
        vlan=cold.vlan,
        vlan2=cold.vlan2,
        hits=hits,
        shape=text(items(c), c.pause_code, begun and f.packets > 0, ended and f.packets > 0) if whole else "",
    )


cdef list items(Core *c):
    cdef u32 i
    cdef Item item
    cdef list out = []
    for i in range(c.exact[0].items):
        item = item_at(&c.exact[0], i)
        out.append((item.kind, item.size, item.code))
    return out


cdef object shown(Core *c, Flow *f, HitNode *hit, int stream):
    """The tokens of a first hit, which match the signature again, or None where they could not be told."""
    cdef u32 word[WORDS + 2]
    cdef u32 i, at
    cdef u32 words = hit.words
    cdef u32 size = 0
    cdef bint second = False
    cdef list tokens = []
    if hit.seen:
        look(c, f, stream)
        look_at(&c.exact[stream], c.exact[stream].packets, c.exact[stream].turns, hit.seen)
        at = exact_match(&c.exact[stream], hit.signature, (f.flags & F_BEGUN) != 0)
        words = exact_evidence(&c.exact[stream], at, stream, word) if at != NO_MATCH else 0
    for i in range(words):
        if not hit.seen:
            word[i] = hit.word[i] if i < WORDS_HERE else more_at(c, hit.more).word[i - WORDS_HERE]
        if second:
            tokens.append((word[i] >> 16, size, word[i] & 0xFFFF))
            second = False
        elif word[i] == HOLE_WORD:
            tokens.append((HOLE, 0, 0))
        elif stream:
            size = word[i]
            second = True
        else:
            tokens.append((word[i] >> 31, word[i] & 0xFFFF, (word[i] >> 16) & 0x7FFF))
    if not tokens:
        return None
    return text(tokens, c.pause_code, c.automaton[stream].sig_begin[hit.signature] != 0,
                c.automaton[stream].sig_end[hit.signature] != 0, stream != 0)


cdef int confidence(const Flow *f):
    """How sure the direction is, in percent: by SYN, by SYN+ACK, by port, by who spoke first."""
    if f.flags & F_HAVE_SYN:
        return BY_SYN
    if f.flags & F_SYNACK:
        return BY_SYN_ACK
    if f.flags & F_PORT_GUESS:
        return BY_PORT if f.flags & F_CLIENT1 else BY_PORT_AND_SPEAKER
    return BY_SPEAKER
