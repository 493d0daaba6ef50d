# SPDX-License-Identifier: LGPL-2.1-or-later
"""Works out what a SYN or SYN+ACK shows of its sender: quirks, the layout of options, the unit of its window.

The rules are those of p0f 3.09b, its handling of malformed options included. One differs: any acknowledgement number
other than 0 without ACK is `ack+`; p0f sees it only if the lowest bit of its first byte is set.
"""

from libc.string cimport memset

cdef enum:
    ECE_CWR = 0xC0
    NONCE = 1           # in the byte of the data offset
    SYN_ACK = 18
    BIGGEST_SCALE = 14  # RFC 7323, section 2.3


cdef inline u16 u16_at(const u8 *p) noexcept nogil:
    return <u16>(p[0] << 8 | p[1])


cdef inline u32 u32_at(const u8 *p) noexcept nogil:
    return <u32>p[0] << 24 | <u32>p[1] << 16 | <u32>p[2] << 8 | p[3]


cdef u32 read_options(const u8 *options, int size, bint response, Facts *f, u32 *ts1, u32 *ts2) noexcept nogil:
    """Fill what options tell; return the quirks found. A wrong length is noted and the usual one assumed, as in p0f."""
    cdef u32 quirks = 0
    cdef int at = 0, length
    cdef u8 kind
    while at < size and f.count < LAYOUT:
        kind = options[at]
        f.layout[f.count] = kind
        f.count += 1
        at += 1
        if kind == 0:
            f.eol_pad = <u8>(size - at)
            while at < size:
                at += 1
                if options[at - 1]:
                    break
            # The very last byte is not looked at by p0f, and so not here.
            return quirks | Q_OPT_SET if at != size else quirks
        if kind == 1:
            continue
        length = options[at] if at < size else 0
        if kind == 2:
            if length != 4:
                quirks |= Q_BAD
            if at + 3 > size:
                return quirks | Q_BAD
            f.mss = u16_at(options + at + 1)
            at += 3
        elif kind == 3:
            if length != 3:
                quirks |= Q_BAD
            if at + 2 > size:
                return quirks | Q_BAD
            f.scale = options[at + 1]
            if f.scale > BIGGEST_SCALE:
                quirks |= Q_EXWS
            at += 2
        elif kind == 4:
            if length != 2:
                quirks |= Q_BAD
            if at + 1 > size:
                return quirks | Q_BAD
            at += 1
        elif kind == 8:
            if length != 10:
                quirks |= Q_BAD
            if at + 9 > size:
                return quirks | Q_BAD
            ts1[0] = u32_at(options + at + 1)
            ts2[0] = u32_at(options + at + 5)
            if ts1[0] == 0:
                quirks |= Q_TS1_ZERO
            if not response and ts2[0]:
                quirks |= Q_TS2_SET
            at += 9
        else:
            if length < (10 if kind == 5 else 2) or length > (34 if kind == 5 else 40) or at - 1 + length > size:
                return quirks | Q_BAD
            at += length - 1
    return quirks | Q_BAD if at != size else quirks


cdef void facts_of(const ft_handshake_record *h, Facts *f, u32 *ts1, u32 *ts2) noexcept nogil:
    cdef u32 quirks = 0
    cdef int size = h.options_len if h.options_len <= 40 else 40
    memset(f, 0, sizeof(Facts))
    ts1[0] = 0
    ts2[0] = 0
    f.response = h.tcpflags & SYN_ACK == SYN_ACK
    f.version = h.version
    f.ttl = h.ttl
    f.tos = h.tos >> 2
    f.olen = h.ip_options
    f.window = h.window
    f.payload = h.len != 0
    f.headers = <u16>((40 if h.version == 6 else 20 + h.ip_options) + 20 + size)
    if h.tos & 3 or h.tcpflags & ECE_CWR or h.tcp_offset & NONCE:
        quirks |= Q_ECN
    if h.version == 6:
        if h.flow_label:
            quirks |= Q_FLOW
    else:
        if h.fragment & 0x8000:
            quirks |= Q_MBZ
        if h.fragment & 0x4000:
            quirks |= Q_DF | Q_ID_SET if h.id else Q_DF
        elif h.id == 0:
            quirks |= Q_ID_ZERO
    if h.seq == 0:
        quirks |= Q_SEQ_ZERO
    if f.response:
        if h.ack == 0:
            quirks |= Q_ACK_ZERO
    elif h.ack:
        quirks |= Q_ACK_SET
    if h.tcpflags & 32:
        quirks |= Q_URG
    elif h.urgent:
        quirks |= Q_URGENT_SET
    if h.tcpflags & 8:
        quirks |= Q_PUSH
    f.quirks = quirks | read_options(h.options, size, f.response, f, ts1, ts2)
    f.stamped = ts1[0] != 0


cdef int window_multiple(const Facts *f, bint *mtu) noexcept nogil:
    cdef int window = f.window, mss = f.mss
    cdef int unit[11]
    cdef int i, count = 0, of_mss, own
    mtu[0] = False
    if window == 0 or mss < 100:
        return -1
    unit[count] = mss
    count += 1
    if f.stamped:
        unit[count] = mss - 12
        count += 1
    unit[count] = 1460
    unit[count + 1] = 1448
    count += 2
    if f.version == 6:
        unit[count] = 1440
        unit[count + 1] = 1428
        count += 2
    of_mss = count
    unit[count] = mss + 40
    unit[count + 1] = mss + f.headers
    count += 2
    if f.version == 6:
        unit[count] = mss + 60
        count += 1
    unit[count] = 1500
    count += 1
    own = count
    if f.syn_mss:
        unit[count] = f.syn_mss
        unit[count + 1] = f.syn_mss - 12
        count += 2
    for i in range(count):
        if unit[i] != 0 and window % unit[i] == 0:
            mtu[0] = of_mss <= i < own
            # p0f keeps it in 16 bits with a sign: an absurd MSS of the peer makes it negative, which matches nothing.
            return <short>(window // unit[i])
    return -1
