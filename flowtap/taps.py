# SPDX-License-Identifier: LGPL-2.1-or-later
"""What capture processes write down, for workers, who have no network access: names of interfaces, and who is alive."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from time import time_ns

from capture.claims import is_held

_TICK_NS = 20_000_000  # more than a tick of any kernel: 10 ms
_BIGGEST_FILE = 1 << 20


class Taps:
    """Call it with an interface's number: its name, "" where no capture process knows it.

    The files in `folder` (flowtap.runtime) are read again when one of them has changed: for an unknown number, and
    whenever `senders` is called, which should be often. A capture process that ends takes its file with it, and flows
    of its interfaces may end later.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[int, str] = {}
        self._senders: frozenset[int] = frozenset()
        self._seen = -1  # when the folder had changed as it was read last

    def __call__(self, index: int) -> str:
        """Return the name of interface number `index`, "" where it is not known."""
        if index not in self._names:
            self._look()
        return self._names.get(index, "")

    def senders(self) -> frozenset[int]:
        """Return the senders of the capture processes that were alive when a file changed last.

        Who is not among them has tapped nothing before this call.
        """
        self._look()
        return self._senders

    def _look(self) -> None:
        """Read the files if any of them was written or removed since the last time."""
        with suppress(OSError):
            changed = self._folder.stat().st_mtime_ns
            if changed != self._seen:
                self._read()
                # What changes within one tick of the file system's clock looks unchanged: then it is read once more.
                self._seen = changed if time_ns() - changed > _TICK_NS else -1

    def _read(self) -> None:
        found: dict[int, str] = {}
        senders: set[int] = set()
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                with path.open("rb") as file:
                    told = json.loads(file.read(_BIGGEST_FILE))
                for interface in told["interfaces"]:
                    found[int(interface["index"])] = str(interface["name"])[:64]
                sender = told.get("sender")
                if isinstance(sender, int) and 0 <= sender < 1 << 64 and is_held(path.with_suffix(".lock")):
                    senders.add(sender)
        self._senders = frozenset(senders)
        # an interface that is gone is not forgotten at once: flows of it still end
        self._names = {**self._names, **found} if len(self._names) < 4096 else found
