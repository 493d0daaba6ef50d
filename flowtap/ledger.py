# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ledger pages: counters of a process in a file that others read at any time and that outlives the process.

A page is a mapped file: a JSON line that names its counters, padded to a page, then one 64-bit word for each. One
process writes it (held by a lock on the file), anybody may read it; words are aligned, so a reader sees each one
whole. A process that was killed and comes back goes on counting where it stopped, so that what it lost can be told.
Counters only grow; names ending in `_now` are gauges.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep

MAGIC = "flowtap ledger 1"
_HEAD = 65536  # bytes for the JSON line
_WORD = (1 << 64) - 1
_LOCK_TRIES = 20  # of 10 ms each: whoever asks for the writer has the lock for a moment


class LedgerError(Exception):
    """A page cannot be opened, or another process writes it; the text is ready for the user."""


class Page:
    """The counters of this process, by name or by number: `page.cells[page.index["records"]] += 1`.

    Opening a page that has the same names keeps the values; otherwise they begin at 0. Raises LedgerError.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path = path
        self.names = tuple(names)
        self.index = {name: number for number, name in enumerate(self.names)}
        head = json.dumps({"page": MAGIC, "pid": os.getpid(), "names": self.names}).encode() + b"\n"
        if len(head) > _HEAD:
            raise LedgerError(f"{path}: {len(self.names)} counters are too many for a page")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerError(f"{path}: {error.strerror}") from error
        try:
            _lock(self._file)
            kept = _names(os.pread(self._file, _HEAD, 0)) == self.names
            if not kept:
                os.ftruncate(self._file, 0)
            os.ftruncate(self._file, _HEAD + 8 * max(1, len(self.names)))
            os.pwrite(self._file, head.ljust(_HEAD, b" "), 0)
            self._map = mmap.mmap(self._file, 0)
        except BlockingIOError:
            os.close(self._file)
            raise LedgerError(f"{path}: another process of the same name is running") from None
        except OSError as error:
            os.close(self._file)
            raise LedgerError(f"{path}: {error.strerror}") from error
        self.cells = memoryview(self._map)[_HEAD:].cast("Q")

    def add(self, name: str, by: int = 1) -> None:
        """Count `by` more of `name`."""
        cell = self.index[name]
        self.cells[cell] = (self.cells[cell] + by) & _WORD

    def set(self, name: str, value: int) -> None:
        """Set `name` to what another counter says."""
        self.cells[self.index[name]] = value & _WORD

    def get(self, name: str) -> int:
        """Return the value of `name`."""
        return self.cells[self.index[name]]

    def close(self) -> None:
        """Give up the page; its file stays."""
        self.cells.release()
        self._map.close()
        os.close(self._file)


def read_page(path: Path) -> dict[str, int]:
    """Return the counters of a page by name. Raises LedgerError for a file that is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error
    names = _names(data[:_HEAD])
    if names is None or len(data) < _HEAD + 8 * len(names):
        raise LedgerError(f"{path}: not a ledger page")
    words = memoryview(data)[_HEAD : _HEAD + 8 * len(names)].cast("Q")
    return dict(zip(names, words, strict=True))


def read_pages(folder: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield name and counters of each page in a folder, in order of name; what is being made anew is left out."""
    for path in sorted(folder.glob("*.page")):
        try:
            yield path.stem, read_page(path)
        except LedgerError:
            continue


def writer(path: Path) -> int | None:
    """Return the process that writes a page, None when none does: it has ended, or the page is not there."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with suppress(ValueError, TypeError, KeyError):
            return int(json.loads(os.pread(file, _HEAD, 0))["pid"])
    finally:
        os.close(file)
    return None


def _lock(file: int) -> None:
    """Take the page for this process. Raises BlockingIOError when another one has it."""
    for _ in range(_LOCK_TRIES):
        with suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sleep(0.01)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _names(head: bytes) -> tuple[str, ...] | None:
    try:
        told = json.loads(head)
        return tuple(map(str, told["names"])) if told["page"] == MAGIC else None
    except (ValueError, TypeError, KeyError):
        return None
