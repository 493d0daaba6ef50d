# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds the signature that fits a handshake, by p0f 3's rules: specific before generic before fuzzy.

As in p0f, the version of a signature decides only which quirks a star leaves out; and a fuzzy match of a program leaves
the distance at 0.
"""

from libc.string cimport memcmp

from engine.fingerprint_facts cimport (
    Q_DF, Q_ECN, Q_FLOW, Q_ID_SET, Q_ID_ZERO, window_multiple,
)

cdef enum:
    MAX_DISTANCE = 35

# sigdb.tcp_nodes.Window
cdef enum:
    W_VALUE
    W_ANY
    W_MODULO
    W_MSS
    W_MTU


cdef u32 bucket_of(const u8 *layout, u8 count, u8 response) noexcept nogil:
    cdef u32 hash = response
    cdef int i
    for i in range(count):
        hash = (hash ^ layout[i]) * 0x01000193
    return (hash ^ hash >> 16) & (BUCKETS - 1)


cdef inline u8 guessed_distance(u8 ttl) noexcept nogil:
    return (32 if ttl <= 32 else 64 if ttl <= 64 else 128 if ttl <= 128 else 255) - ttl


cdef Match find(const Reference *references, const i32 *first, const Facts *f) noexcept nogil:
    cdef i32 at = first[bucket_of(f.layout, f.count, f.response)], generic = -1, fuzzy = -1
    cdef const Reference *r
    cdef u32 quirks, deleted, added
    cdef bint mtu = False, is_fuzzy
    cdef int multiple = window_multiple(f, &mtu)
    cdef Match m
    m.signature = -1
    m.flags = 0
    m.distance = 0
    while at >= 0:
        r = &references[at]
        at = r.next
        if r.response != f.response or r.count != f.count or memcmp(r.layout, f.layout, LAYOUT):
            continue
        is_fuzzy = False
        quirks = r.quirks
        if r.any_version:
            quirks &= ~<u32>Q_FLOW if f.version == 4 else ~<u32>(Q_DF | Q_ID_SET | Q_ID_ZERO)
        if quirks != f.quirks:
            deleted = quirks & ~f.quirks
            added = f.quirks & ~quirks
            if deleted & ~<u32>(Q_DF | Q_ID_SET) or added & ~<u32>(Q_ID_ZERO | Q_ECN):
                continue
            is_fuzzy = True
        if r.eol_pad != f.eol_pad or r.olen != f.olen:
            continue
        if r.flags & F_BAD_TTL:
            if r.ttl < f.ttl:
                continue
        elif r.ttl < f.ttl or r.ttl - f.ttl > MAX_DISTANCE:
            is_fuzzy = True
        if (r.mss >= 0 and r.mss != f.mss) or (r.scale >= 0 and r.scale != f.scale):
            continue
        if r.payload >= 0 and r.payload != f.payload:
            continue
        if r.kind == W_VALUE:
            if r.window != f.window:
                continue
        elif r.kind == W_MODULO:
            if f.window % r.window:
                continue
        elif r.kind != W_ANY:
            if mtu != (r.kind == W_MTU) or r.window != multiple:
                continue
        if is_fuzzy:
            if fuzzy < 0:
                fuzzy = <i32>(r - references)
        elif not r.flags & F_GENERIC:
            m.signature = <i32>(r - references)
            m.flags = r.flags
            m.distance = r.ttl - f.ttl
            return m
        elif generic < 0:
            generic = <i32>(r - references)
    if generic >= 0:
        r = &references[generic]
        m.signature = generic
        m.flags = r.flags
        m.distance = r.ttl - f.ttl
        return m
    if fuzzy < 0:
        m.distance = guessed_distance(f.ttl)
        return m
    r = &references[fuzzy]
    if r.flags & F_TOOL:
        return m
    m.signature = fuzzy
    m.flags = r.flags | F_FUZZY
    if r.ttl < f.ttl or (not r.flags & F_BAD_TTL and r.ttl - f.ttl > MAX_DISTANCE):
        m.distance = guessed_distance(f.ttl)
    else:
        m.distance = r.ttl - f.ttl
    return m
