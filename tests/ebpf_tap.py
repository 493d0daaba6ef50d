# SPDX-License-Identifier: LGPL-2.1-or-later
"""An eBPF tap in a namespace of a test's own, with what it handed over: for the tests of capture.ebpf."""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import numpy as np
import packets as p
from veth import Filters, namespace, pair

from capture._message import KIND_HANDSHAKES, KIND_RECORDS, MESSAGE_SIZE
from capture.ebpf import EbpfTap
from capture.live import Interface, TapSettings
from capture.record import HANDSHAKE, MESSAGE, RECORD, TAG

BATCH = 256
KEY = bytes(range(64))
SENDER = 0x0123456789ABCDEF


class Tap:
    """A tap in a namespace of its own, and what it handed over."""

    cache: Path | None = None  # compiled programs, for the tests of this module

    def __init__(self, filters: Filters | None = None, pins: Path | None = None, **settings) -> None:
        self.messages = []
        self.records = defaultdict(list)
        self.settings = TapSettings(KEY, SENDER, **settings)
        self.tap = EbpfTap(self.settings, self.forward, filters or Filters(), pins, self.cache)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tap.close()

    def forward(self, cpu, shard, kind, count, data):
        """Keep a message."""
        raw = bytes(data)
        header = np.frombuffer(raw[:MESSAGE_SIZE], MESSAGE)[0]
        assert [header[f] for f in ("cpu", "shard", "kind", "count")] == [cpu, shard, kind, count]
        self.messages.append((header, raw[MESSAGE_SIZE:]))

    def totals(self):
        """Add up the counters of all CPUs: seen, filtered by reason, of all shards."""
        seen, filtered, stream = 0, defaultdict(int), defaultdict(int)
        for counters in self.tap.counters():
            seen += counters.seen
            for name, count in counters.filtered.items():
                filtered[name] += count
            for shard in counters.shards:
                for name, count in shard.items():
                    stream[name] += count
        return seen, {name: count for name, count in filtered.items() if count}, stream

    def settle(self, packets: int):
        """Poll until so many packets are counted and none waits in a batch; the totals."""
        end = monotonic() + 10
        while True:
            before = len(self.messages)
            self.tap.poll(10)
            seen, filtered, stream = self.totals()
            open_batches = stream["batched"] - stream["forwarded"] - stream["lost"]
            open_batches += stream["handshakes"] - stream["handshakes_forwarded"] - stream["handshakes_lost"]
            if seen >= packets and not open_batches and len(self.messages) == before:
                assert seen == packets
                assert seen == sum(filtered.values()) + stream["batched"]
                return seen, filtered, stream
            assert monotonic() < end, (packets, seen, filtered, stream)

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


def frame(i: int = 0, payload: bytes = b"x" * 30, **fields) -> bytes:
    return p.ethernet(p.ipv4(p.tcp(payload, 1024 + i, **fields)))
