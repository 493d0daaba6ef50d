# SPDX-License-Identifier: LGPL-2.1-or-later
"""p0f's binary query, as its README documents it (section "API access"), so that clients of p0f 3 can ask flowtap.

A query has 21 bytes: magic 0x50304601 in the machine's byte order, 4 or 6, the address in 16 bytes from the left. The
answer has 232: magic 0x50304602, status (0x00 bad query, 0x10 fine, 0x20 not known), and then, all 0 unless fine, first
and last seen and the number of connections, uptime and its modulus, times of the last sign of a shared address and of
the last change of system, the distance in hops (16 bits, -1: not known), whether the software lies, match quality (1
fuzzy, 2 generic) and six texts of 32 bytes: system, its version, HTTP software, its version, link, language. What
flowtap does not know (HTTP, language) is 0 or empty, as with p0f where it does not know.
"""

from __future__ import annotations

import struct
from socket import AF_INET, AF_INET6, inet_ntop

from engine.events import address as text_of
from engine.hosts import Entry, Host, link
from engine.hosts_watch import HostWatch

QUERY = struct.Struct("=IB16s")
RESPONSE = struct.Struct("=IIIIIIIIIhBB32s32s32s32s32s32s")
QUERY_SIZE = QUERY.size
QUERY_MAGIC, RESPONSE_MAGIC = 0x50304601, 0x50304602
BAD_QUERY, FINE, NO_MATCH = 0x00, 0x10, 0x20
FUZZY, GENERIC = 0x01, 0x02
_SECOND_NS = 1_000_000_000
_WORD = 0xFFFFFFFF
_TEXT = 31  # bytes of a text; a zero byte follows

assert (QUERY.size, RESPONSE.size) == (21, 232)


def answer(query: bytes, watch: HostWatch) -> bytes:
    """Return the answer to a query of QUERY_SIZE bytes."""
    magic, kind, packed = QUERY.unpack(query)
    if magic != QUERY_MAGIC or kind not in (4, 6):
        return _response(BAD_QUERY)
    address = inet_ntop(AF_INET, packed[:4]) if kind == 4 else text_of(packed)
    host = watch.hosts.get(address) or (watch.hosts.get(inet_ntop(AF_INET6, packed)) if kind == 6 else None)
    if host is None:
        return _response(NO_MATCH)
    return _fine(host, watch.mixed(host))


def _fine(host: Host, mixed: bool) -> bytes:
    entries = list(host.entries.values())
    # As p0f does, a host is first of all what its SYN says.
    main = max(entries, key=lambda e: (bool(e.last.label), e.last.side == "client", e.count, e.last_ns))
    mtu = next((e.last.mtu for e in reversed(entries) if e.last.mtu), 0)
    last = main.last
    return _response(
        FINE,
        host.first_ns // _SECOND_NS,
        host.last_ns // _SECOND_NS,
        min(sum(e.count for e in entries), 0xFFFFFFFF),
        (host.clock.minutes, host.clock.days),
        (host.last_ns // _SECOND_NS if mixed else 0, host.doubts.changed_ns // _SECOND_NS),
        _distance(main, entries),
        FUZZY * last.fuzzy | GENERIC * last.generic,
        last.family,
        last.label.removeprefix(last.family).strip(),
        link(mtu),
    )


def _distance(main: Entry, entries: list[Entry]) -> int:
    return main.last.distance if main.last.distance >= 0 else max(e.last.distance for e in entries)


def _response(
    status: int,
    first: int = 0,
    last: int = 0,
    connections: int = 0,
    uptime: tuple[int, int] = (0, 0),
    changed: tuple[int, int] = (0, 0),
    distance: int = 0,
    quality: int = 0,
    name: str = "",
    version: str = "",
    link_name: str = "",
) -> bytes:
    texts = [text.encode()[:_TEXT] for text in (name, version, "", "", link_name, "")]
    seen = (first & _WORD, last & _WORD, connections, *uptime, *(second & _WORD for second in changed))
    return RESPONSE.pack(RESPONSE_MAGIC, status, *seen, distance, 0, quality, *texts)
