# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records of made-up connections, for tests of the engine: a TCP conversation keeps both sides' numbers right.

The binary form comes from the text of bpf/record.h, like every other one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from capture._packet import RECORD_SIZE, RECORD_TEXT, TAG_SIZE
from engine import Engine, Flow

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP, ICMP = 6, 17, 1
START = 1_700_000_000_000_000_000

_FIELDS = [line.split("\t")[:3] for line in RECORD_TEXT.splitlines()]
_CODES = {"u8": "Q", "u4": "I", "u2": "H", "u1": "B"}
_PACK = struct.Struct("<" + "".join("16s" if n == "16" else _CODES[code] for _, code, n in _FIELDS))
assert _PACK.size == RECORD_SIZE


def address(text: str) -> bytes:
    """Return 16 bytes of a dotted IPv4 address."""
    return bytes(10) + b"\xff\xff" + bytes(map(int, text.split(".")))


@dataclass(frozen=True)
class Record:
    """One record; the names are those of bpf/record.h."""

    ts: int = START
    src: bytes = address("10.0.0.1")
    dst: bytes = address("10.0.0.2")
    hash: int = 1
    seq: int = 0
    len: int = 0
    sport: int = 40000
    dport: int = 5000
    seg: int = 0
    ack: int = 0
    proto: int = TCP
    tcpflags: int = 0
    ttl: int = 64
    flags: int = 0

    def pack(self) -> bytes:
        """Return the 64 bytes."""
        return _PACK.pack(*(getattr(self, name) for name, _, _ in _FIELDS))

    def later(self, seconds: float) -> Record:
        """Return the same record at another time."""
        return replace(self, ts=self.ts + round(seconds * 1e9))


@dataclass
class Conversation:
    """Both ends of a connection as a tap between them sees it; `now` is in nanoseconds and moves with wait()."""

    proto: int = TCP
    port: int = 5000
    client_port: int = 40000
    hash: int = 1
    rtt_c: float = 0.0  # seconds between the tap and the client, both ways
    rtt_s: float = 0.0
    now: int = START
    next: dict[str, int] = field(default_factory=lambda: {"c": 1000, "s": 0xFFFFFF00})
    records: list[Record] = field(default_factory=list)

    def wait(self, seconds: float) -> Conversation:
        """Let time pass."""
        self.now += round(seconds * 1e9)
        return self

    def make(self, side: str, size: int = 0, flags: int = ACK, **other: int) -> Record:
        """Return a record of `side` ("c" or "s") at its next sequence number, without sending it."""
        here, there = (address("10.0.0.1"), self.client_port), (address("10.0.0.2"), self.port)
        if side == "s":
            here, there = there, here
        peer = "s" if side == "c" else "c"
        tcp = {"seq": self.next[side], "ack": self.next[peer] & 0xFFFF, "tcpflags": flags} if self.proto == TCP else {}
        record = Record(
            ts=self.now, src=here[0], dst=there[0], sport=here[1], dport=there[1], hash=self.hash, len=size,
            proto=self.proto, **tcp,
        )  # fmt: skip
        return replace(record, **other)

    def send(self, side: str, size: int = 0, flags: int = ACK, **other: int) -> Record:
        """Send a record: its side's numbers go on."""
        record = self.make(side, size, flags, **other)
        self.records.append(record)
        self.next[side] = (self.next[side] + size + bool(flags & SYN) + bool(flags & FIN)) & 0xFFFFFFFF
        return record

    def handshake(self) -> Conversation:
        """SYN, SYN+ACK, ACK."""
        self.send("c", 0, SYN, ack=0)
        self.wait(self.rtt_s).send("s", 0, SYN | ACK)
        self.wait(self.rtt_c).send("c", 0, ACK)
        return self

    def close(self) -> Conversation:
        """FIN from the client, then from the server."""
        self.send("c", 0, FIN | ACK)
        self.send("s", 0, FIN | ACK)
        return self


def run(engine: Engine, records: list[Record], batch: int = 1024) -> list[Flow]:
    """Give an engine records as one capture; return the flows that it reports, and make it forget them."""
    flows: list[Flow] = []
    data = b"".join(record.pack() for record in records)
    for start in range(0, len(records), batch):
        part = data[start * RECORD_SIZE : (start + batch) * RECORD_SIZE]
        count, done = len(part) // RECORD_SIZE, 0
        while done < count:
            done += engine.process(part, bytes(count * TAG_SIZE), done, count - done)
            flows += engine.take()
    while not engine.finish():
        flows += engine.take()
    flows += engine.take()
    engine.reset()
    return flows
