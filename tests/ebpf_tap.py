# SPDX-License-Identifier: LGPL-2.1-or-later
"""An eBPF tap with what it handed over: for the tests of capture.ebpf."""

from pathlib import Path
from time import monotonic

from tapped import KEY, SENDER, Tapped
from veth import Filters

from capture.ebpf import EbpfTap
from capture.live import TapSettings


class Tap(Tapped):
    """A tap, and what it handed over."""

    cache: Path | None = None  # compiled programs, for the tests of this module

    def __init__(self, filters: Filters | None = None, pins: Path | None = None, **settings) -> None:
        super().__init__()
        self.settings = TapSettings(KEY, SENDER, **settings)
        self.tap = EbpfTap(self.settings, self.forward, filters or Filters(), pins, self.cache)

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
