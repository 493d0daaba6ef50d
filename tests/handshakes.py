# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds SYNs and SYN+ACKs with every field that a fingerprint looks at, as IP packets."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from ipaddress import ip_address

from capture._message import parse_handshake
from tests.packets import CLIENT, CLIENT6, SERVER, SERVER6, ethernet

SYN, ACK = 2, 16
MSS, SOK, NOP, WS7 = b"\x02\x04\x05\xb4", b"\x04\x02", b"\x01", b"\x03\x03\x07"


def timestamps(own: int = 1, other: int = 0) -> bytes:
    """Build the option."""
    return struct.pack(">BBII", 8, 10, own, other)


LINUX = MSS + SOK + timestamps() + NOP + WS7


@dataclass(frozen=True)
class Syn:
    """A SYN (or, with other flags, a SYN+ACK) of Linux 3.11; fields of the wire."""

    version: int = 4
    client: str = ""
    server: str = ""
    sport: int = 40000
    dport: int = 80
    ttl: int = 64
    tos: int = 0
    flow_label: int = 0
    id: int = 7
    fragment: int = 0x4000
    ip_options: bytes = b""
    seq: int = 1000
    ack: int = 0
    reserved: int = 0  # the low half of the byte of the data offset
    flags: int = SYN
    window: int = 29200
    urgent: int = 0
    options: bytes = LINUX  # filled up with 0 to a multiple of 4
    payload: bytes = b""

    def packet(self) -> bytes:
        """Build the IP packet."""
        options = self.options + bytes(-len(self.options) % 4)
        tcp = struct.pack(
            ">HHIIBBHHH",
            self.sport,
            self.dport,
            self.seq,
            self.ack,
            (20 + len(options)) << 2 | self.reserved,
            self.flags,
            self.window,
            0,
            self.urgent,
        )
        tcp += options + self.payload
        four = self.version == 4
        src = ip_address(self.client or (CLIENT if four else CLIENT6)).packed
        dst = ip_address(self.server or (SERVER if four else SERVER6)).packed
        if not four:
            begin = 6 << 28 | self.tos << 20 | self.flow_label
            return struct.pack(">IHBB16s16s", begin, len(tcp), 6, self.ttl, src, dst) + tcp
        size = 20 + len(self.ip_options)
        head = struct.pack(
            ">BBHHHBBH4s4s",
            0x40 | size // 4,
            self.tos,
            size + len(tcp),
            self.id,
            self.fragment,
            self.ttl,
            6,
            0,
            src,
            dst,
        )
        return head + self.ip_options + tcp

    def frame(self) -> bytes:
        """Build the Ethernet frame, which is never padded."""
        return ethernet(self.packet(), 0x0800 if self.version == 4 else 0x86DD, pad=False)

    def record(self) -> bytes:
        """Return the handshake record."""
        record = parse_handshake(self.frame())
        assert record
        return record

    def answer(self, **fields: object) -> Syn:
        """Build the SYN+ACK to it; `fields` are those in which it differs from a mirrored SYN."""
        four = self.version == 4
        changes: dict[str, object] = {
            "client": self.server or (SERVER if four else SERVER6),
            "server": self.client or (CLIENT if four else CLIENT6),
            "sport": self.dport,
            "dport": self.sport,
            "ack": self.seq + 1 & 0xFFFFFFFF,
            "flags": SYN | ACK,
            "seq": 5000,
        }
        return replace(self, **(changes | fields))  # type: ignore[arg-type]
