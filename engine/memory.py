# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a process must not forget when it is killed: one small value in a mapped file, always whole.

The file has two halves and a word that says which one holds. A value is written to the other half, then the word is
changed: a kill at any time leaves the old value or the new one. So numbers that belong together (what was received,
what was missed, what is expected next) always fit together, which counters that are written one after the other do not.
It does not outlive a crash of the machine; nothing that it speaks of does.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

import msgpack

_MAGIC = 0x31796D656D5F7466  # "ft_memy1"
_HEAD = 64  # bytes before the first half: the magic, then which half holds (0 none, 1, 2)
_HALF = 1 << 16


class MemoryFileError(Exception):
    """The file cannot be used; the text is ready for the user."""


class Memory:
    """The value in the file at `path`, which is made when it is not there. Raises MemoryFileError.

    One process uses it at a time: whoever holds the ledger page of the same name.
    """

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fits = os.fstat(descriptor).st_size == _HEAD + 2 * _HALF
                if not fits:
                    os.ftruncate(descriptor, 0)
                    os.ftruncate(descriptor, _HEAD + 2 * _HALF)
                self._map = mmap.mmap(descriptor, 0)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise MemoryFileError(f"{path}: {error.strerror}") from error
        self._words = memoryview(self._map)[:_HEAD].cast("Q")
        if self._words[0] != _MAGIC:
            self._words[1] = 0
            self._words[0] = _MAGIC

    def load(self) -> Any:
        """Return the value; None when there is none, or when the file holds something else."""
        half = self._words[1]
        if half not in (1, 2):
            return None
        begin = _HEAD + (half - 1) * _HALF
        size = int.from_bytes(self._map[begin : begin + 4], "little")
        try:
            return msgpack.unpackb(self._map[begin + 4 : begin + 4 + size])
        except Exception:  # whatever a foreign file may cause
            return None

    def store(self, value: Any) -> None:
        """Replace the value: what msgpack takes, up to 64 KiB. Raises ValueError for more."""
        packed = msgpack.packb(value)
        if len(packed) > _HALF - 4:
            raise ValueError(f"{len(packed)} bytes, expected at most {_HALF - 4}")
        half = 2 if self._words[1] == 1 else 1
        begin = _HEAD + (half - 1) * _HALF
        self._map[begin : begin + 4 + len(packed)] = len(packed).to_bytes(4, "little") + packed
        self._words[1] = half

    def close(self) -> None:
        """Give up the file; it stays."""
        self._words.release()
        self._map.close()
