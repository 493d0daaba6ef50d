# SPDX-License-Identifier: LGPL-2.1-or-later
"""An AF_PACKET tap with what it handed over, checked as it comes: for the tests of capture.afpacket."""

from collections import defaultdict
from time import monotonic

import numpy as np
from tapped import BATCH, KEY, SENDER, Tapped

from capture._message import KIND_RECORDS
from capture.afpacket import AfPacketTap
from capture.live import TapSettings
from capture.record import RECORD


class Tap(Tapped):
    """A tap, and what it handed over."""

    def __init__(self, *, rings: int = 1, **settings) -> None:
        super().__init__()
        self.watermarks = [0]
        self.expected_first = defaultdict(int)
        self.tap = AfPacketTap(TapSettings(KEY, SENDER, **settings), self.forward, rings=rings)

    def forward(self, cpu, shard, kind, count, data):
        """Keep a message; it must go on where its stream was, and be newer than the watermark."""
        super().forward(cpu, shard, kind, count, data)
        header, body = self.messages[-1]
        assert header["first"] == self.expected_first[cpu, shard, kind]
        self.expected_first[cpu, shard, kind] += count
        if kind == KIND_RECORDS:
            times = np.frombuffer(body, RECORD, count, BATCH * 8)["ts"]
            assert (header["began"], header["ts"]) == (times[0], times[-1])
            assert (np.diff(times.astype(np.int64)) >= 0).all()
            assert times[0] > self.watermarks[-1]

    def totals(self):
        """Add up the counters of all rings, each of which closes at any time."""
        for counters in self.tap.counters():
            assert counters.seen == sum(counters.filtered.values()) + sum(s["batched"] for s in counters.shards)
        return super().totals()

    def settle(self, packets: int):
        """Poll until so many packets are counted and none waits in a batch; the totals."""
        end = monotonic() + 20
        while True:
            self.watermarks.append(self.tap.poll(10))
            assert self.watermarks[-1] >= self.watermarks[-2]
            seen, filtered, stream = self.totals()
            assert seen <= packets
            if seen == packets and stream["batched"] == stream["forwarded"]:
                assert stream["handshakes"] == stream["handshakes_forwarded"]
                return filtered, stream
            assert monotonic() < end, (packets, seen, filtered, dict(stream))
