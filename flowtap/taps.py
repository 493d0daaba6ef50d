# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names of interfaces by number, from what capture processes write down: no network access is needed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from time import monotonic

_AGAIN = 1.0  # seconds between two looks at the files
_BIGGEST_FILE = 1 << 20


class InterfaceNames:
    """Call it with an interface's number: its name, "" where no capture process knows it.

    The files in `folder` (flowtap.runtime) are read again for an unknown number, at most once a second, and now and
    then for the known ones, as a number's name may change.
    """

    def __init__(self, folder: Path, refresh: float = 30.0) -> None:
        self._folder = folder
        self._refresh = refresh
        self._names: dict[int, str] = {}
        self._read_at = -refresh

    def __call__(self, index: int) -> str:
        """Return the name of interface number `index`, "" where it is not known."""
        name = self._names.get(index)
        age = monotonic() - self._read_at
        if age > self._refresh or (name is None and age > _AGAIN):
            self._read()
            name = self._names.get(index)
        return name or ""

    def _read(self) -> None:
        self._read_at = monotonic()
        found: dict[int, str] = {}
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                with path.open("rb") as file:
                    told = json.loads(file.read(_BIGGEST_FILE))
                for interface in told["interfaces"]:
                    found[int(interface["index"])] = str(interface["name"])[:64]
        # an interface that is gone is not forgotten at once: flows of it still end
        self._names = {**self._names, **found} if len(self._names) < 4096 else found
