# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes an Ethernet frame with a SYN or SYN+ACK from p0f's raw signature, so that databases can be asked by text.

A raw signature does not hold the packet whole: a window written as mss*n can stand for several. The frame has one that
is written the same way; whoever needs certainty compares the raw signature that the matcher writes.
"""

from __future__ import annotations

import struct

from sigdb.tcp_nodes import OPTIONS

KINDS = {name: kind for kind, name in OPTIONS.items()}
MADE = frozenset({"", "df", "id+", "id-", "ecn", "flow", "seq-", "ack+", "ts1-"})


class ImpossibleError(ValueError):
    """The signature asks for what is not made here, or for no packet at all."""


def _options(layout: list[str], mss: int, scale: int, *, own_time: int, peer_time: int) -> bytes:
    """Return the TCP options; `eol+n` has n zeros behind it."""
    data, unnamed = bytearray(), 0
    for word in layout:
        if word == "nop":
            data += b"\1"
        elif word.startswith("eol"):
            data += bytes(1 + int(word[4:]))
        elif word == "mss":
            data += struct.pack("!BBH", 2, 4, mss)
        elif word == "ws":
            data += bytes((3, 3, scale))
        elif word == "sok":
            data += b"\4\2"
        elif word == "ts":
            data += struct.pack("!BBII", 8, 10, own_time, peer_time)
        elif word.startswith("?"):
            data += bytes((int(word[1:]), 2))
            unnamed = len(data)
        else:
            raise ImpossibleError(f"option {word}")
    if unnamed and len(data) % 4:  # its length is not known: one that fills up to the boundary adds no option
        gap = -len(data) % 4
        data[unnamed - 1] += gap
        data[unnamed:unnamed] = bytes(gap)
    if len(data) > 40:
        raise ImpossibleError("more than 40 bytes of TCP options")
    return bytes(data)


def _window(text: str, mss: int, *, timestamps: bool) -> int:
    if "*" not in text:
        return int(text)
    unit, factor = text.split("*")
    size = int(factor) * (mss if unit == "mss" else mss + 40)
    if size > 0xFFFF and timestamps:
        size = int(factor) * (mss - 12)
    if size > 0xFFFF:
        raise ImpossibleError(f"window {text} of an MSS of {mss}")
    return size


def packet(raw: str, *, response: bool) -> bytes:
    """Return an Ethernet frame whose raw signature is `raw` (as p0f prints it, TTL+distance included).

    Raises:
        ImpossibleError: no such frame is made here.
        ValueError: it is no raw signature.

    """
    version, ttl_text, _, mss_text, window_text, layout_text, quirk_text, _ = raw.split(":")
    quirks = set(quirk_text.split(","))
    if not quirks <= MADE:
        raise ImpossibleError(f"quirks {quirk_text}")
    ttl, mss = int(ttl_text.split("+")[0]), int(mss_text)
    size, scale = window_text.split(",")
    layout = layout_text.split(",") if layout_text else []
    timestamps = "ts" in layout
    options = _options(layout, mss, int(scale), own_time=0 if "ts1-" in quirks else 1000, peer_time=7 * response)
    while len(options) % 4:
        options += b"\0" if layout_text.split(",")[-1].startswith("eol") else b"\1"
    flags = (0x12 if response else 0x02) | (0x40 if "ecn" in quirks else 0)
    tcp = struct.pack(
        "!HHIIBBHHH",
        80 if response else 40000,
        40000 if response else 80,
        0 if "seq-" in quirks else 12345,
        777 if response or "ack+" in quirks else 0,
        (20 + len(options)) << 2,
        flags,
        _window(size, mss, timestamps=timestamps),
        0,
        0,
    )
    tcp += options
    if version == "4":
        fragment = 0x4000 if "df" in quirks else 0
        known = "id+" in quirks or ("df" not in quirks and "id-" not in quirks)
        addresses = bytes((10, 0, 0, 1, 10, 0, 0, 2))
        length = 20 + len(tcp)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, length, 99 if known else 0, fragment, ttl, 6, 0) + addresses
        return bytes(12) + b"\x08\x00" + ip + tcp
    flow = 0x12345 if "flow" in quirks else 0
    ip = struct.pack("!IHBB", 6 << 28 | flow, len(tcp), 6, ttl) + bytes(15) + b"\1" + bytes(15) + b"\2"
    return bytes(12) + b"\x86\xdd" + ip + tcp
