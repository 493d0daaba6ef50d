# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds packets, layer by layer, and capture files of them: what the tests of parser and readers read.

Each layer is a function from its payload (and fields) to bytes, so a packet reads from the outside in:
`ethernet(ipv4(tcp(b"x")))`. Checksums are 0: the parser does not look at them.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
CLIENT6, SERVER6 = "2001:db8::1", "2001:db8::2"


def address(text: str) -> bytes:
    """Return 16 bytes, IPv4 mapped, as a record has them."""
    parsed = ipaddress.ip_address(text)
    return parsed.packed if parsed.version == 6 else bytes(10) + b"\xff\xff" + parsed.packed


def tcp(
    payload: bytes = b"",
    sport: int = 40000,
    dport: int = 22,
    *,
    seq: int = 1,
    ack: int = 2,
    flags: int = 0x18,
    options: bytes = b"",
    header: int | None = None,
) -> bytes:
    words = (20 + len(options)) // 4 if header is None else header
    return struct.pack(">HHIIBBHHH", sport, dport, seq, ack, words << 4, flags, 1000, 0, 0) + options + payload


def udp(payload: bytes = b"", sport: int = 40000, dport: int = 53, length: int | None = None) -> bytes:
    return struct.pack(">HHHH", sport, dport, 8 + len(payload) if length is None else length, 0) + payload


def icmp(payload: bytes = b"", kind: int = 8, code: int = 0, identifier: int = 0x1234) -> bytes:
    return struct.pack(">BBHHH", kind, code, 0, identifier, 1) + payload


def ipv4(
    payload: bytes,
    protocol: int = 6,
    src: str = CLIENT,
    dst: str = SERVER,
    *,
    options: bytes = b"",
    ttl: int = 64,
    length: int | None = None,
    fragment: int = 0,
    version: int = 4,
    header: int | None = None,
) -> bytes:
    words = (20 + len(options)) // 4 if header is None else header
    total = 20 + len(options) + len(payload) if length is None else length
    return (
        struct.pack(
            ">BBHHHBBH4s4s",
            version << 4 | words,
            0,
            total,
            7,
            fragment,
            ttl,
            protocol,
            0,
            ipaddress.IPv4Address(src).packed,
            ipaddress.IPv4Address(dst).packed,
        )
        + options
        + payload
    )


def ipv6(
    payload: bytes,
    protocol: int = 6,
    src: str = CLIENT6,
    dst: str = SERVER6,
    *,
    hops: int = 63,
    length: int | None = None,
    version: int = 6,
) -> bytes:
    return (
        struct.pack(
            ">IHBB16s16s",
            version << 28,
            len(payload) if length is None else length,
            protocol,
            hops,
            ipaddress.IPv6Address(src).packed,
            ipaddress.IPv6Address(dst).packed,
        )
        + payload
    )


def extension(following: int, payload: bytes, units: int = 0) -> bytes:
    """Build an IPv6 extension header of 8 + 8 * units bytes."""
    return bytes((following, units)) + bytes(6 + 8 * units) + payload


def ipv6_fragment(following: int, payload: bytes, offset: int = 0, more: bool = False) -> bytes:
    return struct.pack(">BBHI", following, 0, offset << 3 | more, 99) + payload


def authentication(following: int, payload: bytes) -> bytes:
    return bytes((following, 4)) + bytes(22) + payload


def ethernet(payload: bytes, kind: int = 0x0800, pad: bool = True) -> bytes:
    frame = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" + struct.pack(">H", kind) + payload
    return frame.ljust(60, b"\xee") if pad else frame


def vlan(payload: bytes, tag: int, kind: int = 0x0800) -> bytes:
    return struct.pack(">HH", 0x2000 | tag, kind) + payload


def mpls(payload: bytes, *labels: int) -> bytes:
    last = len(labels) - 1
    return b"".join(struct.pack(">I", label << 12 | (i == last) << 8 | 9) for i, label in enumerate(labels)) + payload


def pppoe(payload: bytes, protocol: int = 0x0021, code: int = 0, version: int = 0x11) -> bytes:
    return struct.pack(">BBHHH", version, code, 5, len(payload) + 2, protocol) + payload


def gre(payload: bytes, kind: int = 0x0800, flags: int = 0, version: int = 0) -> bytes:
    words = bin(flags & 0xB000).count("1")
    return struct.pack(">HH", flags | version, kind) + bytes(4 * words) + payload


def vxlan(payload: bytes, flags: int = 8) -> bytes:
    return bytes((flags, 0, 0, 0, 0, 0, 7, 0)) + payload


def geneve(payload: bytes, kind: int = 0x6558, options: int = 0, version: int = 0) -> bytes:
    return struct.pack(">BBHI", version << 6 | options, 0, kind, 7 << 8) + bytes(4 * options) + payload


# --- files ---


@dataclass(frozen=True)
class Packet:
    """One packet of a file: bytes, nanoseconds, length on the wire (default: as captured), interface (pcapng)."""

    data: bytes
    ts: int = 1_600_000_000_123_456_789
    wire: int | None = None
    interface: int = 0


def pcap(
    packets: Iterable[Packet],
    order: str = "<",
    *,
    nano: bool = False,
    link: int = 1,
    kuznetzov: bool = False,
    version: tuple[int, int] = (2, 4),
) -> bytes:
    magic = 0xA1B2CD34 if kuznetzov else 0xA1B23C4D if nano else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, *version, 0, 0, 262144, link)]
    for p in packets:
        second, rest = divmod(p.ts, 1_000_000_000)
        wire = len(p.data) if p.wire is None else p.wire
        lengths = (wire, len(p.data)) if version[1] < 3 else (len(p.data), wire)
        out.append(struct.pack(order + "IIII", second, rest if nano else rest // 1000, *lengths))
        out.append(bytes(8) if kuznetzov else b"")
        out.append(p.data)
    return b"".join(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(
    link: int = 1, name: str = "", order: str = "<", *, snaplen: int = 0, resolution: int | None = None, offset: int = 0
) -> bytes:
    options = option(2, name.encode(), order) if name else b""
    if resolution is not None:
        options += option(9, bytes((resolution,)), order)
    if offset:
        options += option(14, struct.pack(order + "q", offset), order)
    if options:
        options += option(0, b"", order)
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(p: Packet, ticks: int | None = None, order: str = "<") -> bytes:
    ticks = p.ts // 1000 if ticks is None else ticks
    wire = len(p.data) if p.wire is None else p.wire
    return block(
        6, struct.pack(order + "IIIII", p.interface, ticks >> 32, ticks & 0xFFFFFFFF, len(p.data), wire) + p.data, order
    )


def simple(data: bytes, wire: int | None = None, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(data) if wire is None else wire) + data, order)


def obsolete(p: Packet, order: str = "<") -> bytes:
    ticks = p.ts // 1000
    wire = len(p.data) if p.wire is None else p.wire
    return block(
        2,
        struct.pack(order + "HHIIII", p.interface, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(p.data), wire) + p.data,
        order,
    )


def pcapng(packets: Sequence[Packet], order: str = "<", link: int = 1) -> bytes:
    return section(order) + interface(link, order=order) + b"".join(enhanced(p, order=order) for p in packets)
