# SPDX-License-Identifier: LGPL-2.1-or-later
"""The line on a terminal that says how `flowtap run` is doing: packets per second, flows, losses."""

from __future__ import annotations

import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Never

from flowtap.accounts import read_ledger

if TYPE_CHECKING:
    from tqdm import tqdm

_EVERY = 0.5  # seconds between two drawings


class Status:
    """A line on standard error; nothing when that is no terminal or `wanted` is false."""

    def __init__(self, wanted: bool) -> None:
        self._line: tqdm[Never] | None = None
        if wanted and sys.stderr.isatty():
            from tqdm import tqdm

            self._line = tqdm(bar_format="{desc}", leave=False, file=sys.stderr)
        self._next = 0.0
        self._before = (monotonic(), 0)

    def show(self, folder: Path) -> None:
        """Show what the pages in `folder` say, if it is time."""
        if self._line is None or (now := monotonic()) < self._next:
            return
        self._next = now + _EVERY
        ledger = read_ledger(folder)
        packets = ledger.captured("seen")
        then, earlier = self._before
        self._before = (now, packets)
        lost = sum(loss.number for loss in ledger.losses())
        self._line.set_description_str(
            f"{(packets - earlier) / max(now - then, 1e-3):,.0f} packets/s, {packets:,} packets, "
            f"{ledger.worked('flows_now'):,} flows open, {lost:,} lost"
        )

    def clear(self) -> None:
        """Take the line off the screen, until it is shown again."""
        if self._line is not None:
            self._line.clear()
