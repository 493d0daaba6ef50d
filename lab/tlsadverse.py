# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.tlsadverse KIND COUNT FILE`: a capture of made-up connections to port 443, to see false alarms.

After a TLS handshake as programs do it (1.3 in four of five, 1.2 in the others; none to two session tickets) come
random requests and answers. Kinds: `raw`, small binary ones of any size; `h1`, like HTTP/1.1; `h2`, like HTTP/2 with
its SETTINGS and acknowledgements; `poll`, long polls, whose small answers come after seconds. No flow of it holds a
tunnel or a shell. Equal arguments give equal captures.
"""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path

MSS = 1448
THIRTEEN, TWELVE = 22, 29  # what a record adds in TLS 1.3, and in TLS 1.2 with AES-GCM


class Connection:
    """One made-up connection; `packets` gets (seconds, frame, size on the wire)."""

    def __init__(self, number: int, start: float, draw: random.Random, packets: list[tuple[float, bytes, int]]) -> None:
        self._client = (0x0A010000 + number // 60_000, 1024 + number % 60_000)
        self._server = (0x0A020001, 443)
        self._sent = [1000, 5000]
        self._packets = packets
        self._draw = draw
        self.time = start
        self.trip = draw.choice((0.001, 0.01, 0.04, 0.12))

    def send(self, side: int, size: int, flags: int = 0x18) -> None:
        """Send one segment; side 0 is the client."""
        (source, sport), (target, tport) = (self._client, self._server)[:: -1 if side else 1]
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, 40 + size, 0, 0, 64, 6, 0, source, target)
        other = 0 if flags == 2 else self._sent[1 - side]
        tcp = struct.pack(">HHIIBBHHH", sport, tport, self._sent[side], other, 0x50, flags, 65_000, 0, 0)
        self._packets.append((self.time, b"\2" * 12 + b"\x08\0" + ip + tcp, 54 + size))
        self._sent[side] += size + (flags & 3 != 0)
        self.time += 1e-4

    def says(self, side: int, size: int, later: float = 0) -> None:
        """Send so many bytes in segments, `later` round trips from now."""
        self.time += later * self.trip
        while size > 0:
            self.send(side, min(size, MSS))
            size -= MSS

    def opens(self) -> tuple[int, list[int]]:
        """Shake hands; returns what a record adds, and the session tickets that are still to come."""
        draw = self._draw
        self.send(0, 0, 2)
        self.time += self.trip
        self.send(1, 0, 0x12)
        self.send(0, 0, 0x10)
        self.says(0, draw.choice((239, 517, 517, 297, 1533, 1860, 373)))
        self.says(1, draw.randint(900, 5200), 1)
        if draw.random() < 0.8:
            self.says(0, draw.choice((58, 64, 74, 80)))
            tickets = [draw.choice((239, 255, 271, 287))] * draw.choice((0, 1, 2, 2))
            if draw.random() < 0.5:
                return THIRTEEN, tickets
            self.time += self.trip
            for size in tickets:
                self.says(1, size)
            return THIRTEEN, []
        self.says(0, draw.choice((93, 126, 158)))
        self.says(1, draw.choice((51, 242, 258)), 1)
        return TWELVE, []

    def settings(self, more: int, tickets: list[int]) -> None:
        """Begin HTTP/2, with the first request or without."""
        draw = self._draw
        self.says(0, 24 + draw.choice((40, 52, 18)) + more)
        asked = draw.random() < 0.5
        if asked:
            self.says(0, draw.randint(40, 500) + more)
        self.time += self.trip
        for size in tickets:
            self.says(1, size)
        self.says(1, 9 + draw.choice((18, 24, 30, 12)) + draw.choice((0, 13)) + more)
        if draw.random() < 0.7:
            self.says(1, 9 + more)
        if asked:
            self.says(1, draw.choice((draw.randint(60, 300), draw.randint(300, 28_000))) + more)
        self.says(0, 9 + more)


def sizes(kind: str, base: int, draw: random.Random) -> tuple[int, int]:
    """Draw a request and its answer, in bytes of plain text."""
    long = int(draw.expovariate(1 / 3000)) if draw.random() < 0.7 else 0
    if kind == "raw":
        return draw.randint(8, 1400), draw.randint(10, 100) if draw.random() < 0.48 else draw.randint(100, 28_000)
    if kind == "poll":
        more = draw.randint(20, 900) if draw.random() < 0.1 else 0  # not the same request as always
        return base + draw.randint(0, 6) + more, draw.randint(20, 125) if draw.random() < 0.9 else draw.randint(
            125, 3000
        )
    if kind == "h1":
        more = int(draw.expovariate(1 / 300)) if draw.random() < 0.3 else 0
        return base + int(draw.expovariate(1 / 30)) + more, draw.randint(110, 400) + long
    more = draw.randint(0, 400) if draw.random() < 0.3 else 0
    return draw.randint(25, 130) + more, draw.randint(20, 120) + long


def make(kind: str, count: int, draw: random.Random) -> bytes:
    """Return the capture, a pcap file of Ethernet frames cut after 96 bytes."""
    packets: list[tuple[float, bytes, int]] = []
    for number in range(count):
        flow = Connection(number, 1000 + number / 100, draw, packets)
        more, tickets = flow.opens()
        if kind == "h2":
            flow.settings(more, tickets)
            tickets = []
        base = draw.choice((70, 150, 400, 700)) if kind != "poll" else draw.randint(35, 500)
        for _ in range(draw.randint(1 if kind == "h2" else 2, 7)):
            request, answer = sizes(kind, base, draw)
            flow.says(0, request + more)
            flow.time += flow.trip
            for size in tickets:
                flow.says(1, size)
            tickets = []
            flow.time += draw.uniform(0.7, 30) if kind == "poll" else 0
            flow.says(1, answer + more)
            flow.time += flow.trip if kind == "poll" else 0
            flow.time += draw.choice((0, 0, 0, 0.05, 0.8)) if kind != "poll" else 0.001
        flow.send(0, 0, 0x11)
        flow.send(1, 0, 0x11)
        flow.send(0, 0, 0x10)
    packets.sort(key=lambda packet: packet[0])
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 96, 1)]
    for time, frame, size in packets:
        parts += [struct.pack("<IIII", int(time), int(time % 1 * 1e6), min(len(frame), 96), size), frame[:96]]
    return b"".join(parts)


if __name__ == "__main__":
    wanted, flows, path = sys.argv[1:]
    Path(path).write_bytes(make(wanted, int(flows), random.Random(wanted)))
