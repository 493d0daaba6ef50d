# SPDX-License-Identifier: LGPL-2.1-or-later
"""A whole prefix of hosts in one process: each answers SYNs behind a TUN interface with the TCP stack it is given.

`prefix.py NAME PLAN` makes the interface NAME and prints "ready". PLAN is a JSON object, address: [kind, signature];
kinds are `open` (accepts, and ends a connection when its peer does), `refused` (RST) and `silent`; an address that is
not in it is silent. The signature is one of p0f's format (`4:128:0:1460:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0`). It
writes NAME.log beside PLAN: a line for each SYN, its time and addressee.

Only IPv4, and of a stack only what a SYN+ACK shows: TTL, window, options, and the quirks df, id+, id-, ecn, ts1-.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from lab.wrap import IFF_TUN, device

FIN, SYN, RST, ACK = 1, 2, 4, 16
MTU = 1500
HOPS = 12  # at most; a stack's TTL arrives lower by a number that belongs to the address


@dataclass(frozen=True)
class Stack:
    """What a signature says of a SYN+ACK, with one value where it leaves several."""

    ttl: int
    mss: int
    window: int
    scale: int
    layout: tuple[str, ...]
    quirks: frozenset[str]


def stack(signature: str) -> Stack:
    """Return the stack of a signature. Raises ValueError for what is no signature, or has IP options or payload."""
    _, ttl, olen, mss_text, window_text, layout, quirks, payload = signature.split(":")
    if olen != "0" or payload not in ("0", "*"):
        raise ValueError(f"{signature}: IP options or payload")
    mss = 1460 if mss_text == "*" else int(mss_text)
    size, scale_text = window_text.split(",")
    unit, times, number = size.partition("*")
    if size == "*":
        window = 65535
    elif size.startswith("%"):
        window = int(size[1:]) * (65535 // int(size[1:]))
    elif times:
        room = mss - 12 * ("ts" in layout.split(","))  # what a time stamp leaves, which p0f counts as one MSS too
        window = int(number) * (room if unit == "mss" else MTU)
    else:
        window = int(size)
    return Stack(
        ttl=sum(int(part) for part in ttl.rstrip("-").split("+") if part != "?"),  # seen, and the hops until then
        mss=mss,
        window=min(window, 65535),
        scale=7 if scale_text == "*" else int(scale_text),
        layout=tuple(name for name in layout.split(",") if name),
        quirks=frozenset(name for name in quirks.split(",") if name),
    )


def options(made: Stack, echoed: bytes) -> bytes:
    """Return the TCP options; `echoed` is the time stamp of the SYN, 4 bytes."""
    own = b"\0\0\0\0" if "ts1-" in made.quirks else struct.pack(">I", random.getrandbits(31) + 1)
    parts = {
        "mss": struct.pack(">BBH", 2, 4, made.mss),
        "nop": b"\x01",
        "ws": bytes((3, 3, made.scale)),
        "sok": b"\x04\x02",
        "ts": bytes((8, 10)) + own + echoed,
    }
    text = b"".join(bytes(1 + int(name[4:])) if name.startswith("eol+") else parts[name] for name in made.layout)
    return text + bytes(-len(text) % 4)


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of data of even length."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(
    made: Stack, source: bytes, peer: bytes, ports: tuple[int, int], flags: int, seq: int, ack: int, more: bytes = b""
) -> bytes:
    """Return an IPv4 packet of a stack; `more` are TCP options."""
    if flags & SYN and "ecn" in made.quirks:
        flags |= 0x40
    header = struct.pack(">HHIIBBHHH", *ports, seq, ack, (20 + len(more)) << 2, flags, made.window, 0, 0)
    pseudo = source + peer + struct.pack(">BBH", 0, 6, 20 + len(more))
    segment = header[:16] + struct.pack(">H", checksum(pseudo + header + more)) + header[18:] + more
    has_df = "df" in made.quirks
    number = random.getrandbits(16) | 1 if ("id+" in made.quirks if has_df else "id-" not in made.quirks) else 0
    ttl = max(1, made.ttl - source[3] % (HOPS + 1))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), number, 0x4000 * has_df, ttl, 6, 0) + source + peer
    return ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + segment


def stamp(text: bytes) -> bytes:
    """Return the time stamp of a SYN's options; zeros where it has none."""
    at = 0
    while at + 10 <= len(text) and text[at]:
        if text[at] == 8:
            return text[at + 2 : at + 6]
        at += 1 if text[at] == 1 else max(2, text[at + 1])
    return bytes(4)


class Prefix:
    """The hosts: address (4 bytes) -> kind and stack."""

    def __init__(self, plan: dict[str, tuple[str, str]]) -> None:
        stacks = {signature: stack(signature) for _, signature in plan.values()}
        self.hosts = {socket.inet_aton(host): (kind, stacks[text]) for host, (kind, text) in plan.items()}
        self.syns: list[bytes] = []

    def answer(self, data: bytes) -> bytes | None:
        """Return the answer to a packet, if there is one."""
        if len(data) < 40 or data[0] != 0x45 or data[9] != 6:
            return None
        peer, source = data[12:16], data[16:20]
        there, here, seq, ack = struct.unpack(">HHII", data[20:32])
        flags = data[33]
        if flags & SYN:
            self.syns.append(source)
        kind, made = self.hosts.get(source, ("silent", None))
        if made is None or kind == "silent" or flags & RST:
            return None
        ports = (here, there)
        if flags & SYN:
            if kind == "refused":
                return packet(made, source, peer, ports, RST | ACK, 0, seq + 1)
            begin = random.getrandbits(31) + 1
            return packet(made, source, peer, ports, SYN | ACK, begin, seq + 1, options(made, stamp(data[40:])))
        if flags & FIN:
            return packet(made, source, peer, ports, FIN | ACK, ack, seq + 1)
        return None


def main(name: str, path: str) -> None:
    """Answer until killed."""
    prefix = Prefix(json.loads(Path(path).read_text()))
    tun = device(name, IFF_TUN)
    with Path(path).with_name(f"{name}.log").open("w", buffering=1) as log:
        print("ready", flush=True)
        while True:
            try:
                data = os.read(tun, 65536)
            except OSError:  # the interface is not up yet
                time.sleep(0.05)
                continue
            reply = prefix.answer(data)
            if reply is not None:
                os.write(tun, reply)
            for source in prefix.syns:
                log.write(f"{time.monotonic():.6f} {socket.inet_ntoa(source)}\n")
            prefix.syns.clear()


if __name__ == "__main__":
    main(*sys.argv[1:])
