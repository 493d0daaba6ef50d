# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of both taps share: two interfaces, frames, and a tap with what it handed over."""

import os
import struct
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import packets as p
from test_packet import OTHERS, RECORDS
from veth import namespace, pair

from capture import parse_packet
from capture._message import KIND_HANDSHAKES, KIND_RECORDS, MESSAGE_SIZE
from capture.live import Interface, Tap
from capture.record import HANDSHAKE, MESSAGE, RECORD, TAG

BATCH = 256
EGRESS = 16
KEY = bytes(range(64))
SENDER = 0x0123456789ABCDEF
FRAMES = [data for data, _, _ in RECORDS.values()]
FRAMES += [data for many in OTHERS.values() for data in many if len(data) > 14]


class Tapped:
    """A tap, and what it handed over."""

    tap: Tap

    def __init__(self) -> None:
        self.messages = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tap.close()

    def forward(self, cpu, shard, kind, count, data):
        """Keep a message."""
        raw = bytes(data)
        header = np.frombuffer(raw[:MESSAGE_SIZE], MESSAGE)[0]
        assert [header[f] for f in ("cpu", "shard", "kind", "count", "sender")] == [cpu, shard, kind, count, SENDER]
        self.messages.append((header, raw[MESSAGE_SIZE:]))

    def totals(self):
        """Add up the counters of all streams: seen, filtered by reason, of all shards."""
        seen, filtered, stream = 0, defaultdict(int), defaultdict(int)
        for counters in self.tap.counters():
            seen += counters.seen
            for name, count in counters.filtered.items():
                filtered[name] += count
            for shard in counters.shards:
                for name, count in shard.items():
                    stream[name] += count
        return seen, {name: count for name, count in filtered.items() if count}, stream

    def made(self):
        """Return all records and their tags, message by message."""
        records, tags = [np.empty(0, RECORD)], [np.empty(0, TAG)]
        for header, body in self.messages:
            if header["kind"] == KIND_RECORDS:
                assert len(body) == BATCH * 8 + header["count"] * 64
                tags.append(np.frombuffer(body, TAG, header["count"]))
                records.append(np.frombuffer(body, RECORD, header["count"], BATCH * 8))
        return np.concatenate(records), np.concatenate(tags)

    def handshakes(self):
        """Return all handshake records."""
        found = [np.frombuffer(b, HANDSHAKE) for h, b in self.messages if h["kind"] == KIND_HANDSHAKES]
        return np.concatenate(found) if found else np.empty(0, HANDSHAKE)


@contextmanager
def joined() -> Iterator[tuple[Interface, Interface]]:
    """Give two interfaces that are joined, in a namespace of the test's own, and keep to one CPU: one stream."""
    allowed = os.sched_getaffinity(0)
    with namespace(), pair() as ends:
        os.sched_setaffinity(0, {min(allowed)})
        try:
            yield ends
        finally:
            os.sched_setaffinity(0, allowed)


def frame(i: int = 0, payload: bytes = b"x" * 30, src: str = p.CLIENT, **fields) -> bytes:
    """Build a TCP segment from port 1024 + i."""
    return p.ethernet(p.ipv4(p.tcp(payload, 1024 + i, **fields), src=src))


def routed(mac: bytes, i: int) -> bytes:
    """Build a frame that a router takes: to its address, with the IP header's checksum."""
    data = bytearray(p.ethernet(p.ipv4(p.udp(b"x", 1024 + i), 17, "10.1.0.2", "10.2.0.2")))
    data[:6] = mac
    total = sum(struct.unpack(">10H", data[14:34]))
    total = (total & 0xFFFF) + (total >> 16)
    data[24:26] = struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF)
    return bytes(data)


def expected(frames, decap):
    """Return what the userspace parser makes of frames: records with tags, verdicts."""
    records, verdicts = [], defaultdict(int)
    for data in frames:
        verdict, raw, tag = parse_packet(data, decap=decap, key=KEY)
        if verdict == "record":
            records.append((np.frombuffer(raw, RECORD)[0].copy(), np.frombuffer(tag, TAG)[0].copy()))
        else:
            verdicts[verdict] += 1
    return records, verdicts
