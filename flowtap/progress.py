# SPDX-License-Identifier: LGPL-2.1-or-later
"""How far reading has come, on a terminal, and Ctrl-C."""

from __future__ import annotations

import signal
import sys
from time import monotonic
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Never

if TYPE_CHECKING:
    from tqdm import tqdm

_EVERY = 0.2  # seconds between two drawings


class Progress:
    """A bar on standard error for each file in turn; nothing when it is no terminal or `wanted` is false."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted and sys.stderr.isatty()
        self._bar: tqdm[Never] | None = None
        self._next = 0.0
        self._start = 0.0

    def begin(self, name: str, size: int | None) -> None:
        """Begin with the file `name` of `size` bytes (None: a stream)."""
        if self._wanted:
            from tqdm import tqdm  # 30 ms that only a terminal needs

            self._bar = tqdm(total=size, desc=name, unit="B", unit_scale=True, leave=False, file=sys.stderr)
            self._start = monotonic()

    def update(self, offset: int, packets: int) -> None:
        """Note that `offset` bytes and `packets` packets of the file are done."""
        if self._bar is None or (now := monotonic()) < self._next:
            return
        self._next = now + _EVERY
        self._bar.set_postfix_str(f"{packets / max(now - self._start, 1e-3):,.0f} packets/s", refresh=False)
        self._bar.update(offset - self._bar.n)

    def clear(self) -> None:
        """Take the bar off the screen, until the next update, because something else is written there."""
        if self._bar is not None:
            self._bar.clear()

    def end(self) -> None:
        """Take the bar away: the file is done."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Interrupt:
    """Ctrl-C, taken as the wish to stop: the first sets `seen`, and what was found so far can still be printed.

    While `blocking` is set (waiting for a pipe) it raises KeyboardInterrupt instead, or it would be seen only when the
    pipe brings something. The second Ctrl-C ends the process at once.
    """

    def __init__(self) -> None:
        self.seen = False
        self.blocking = False

    def __enter__(self) -> Interrupt:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if self.blocking:
            raise KeyboardInterrupt
