# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ledger pages: counters of a process in a file that others read at any time and that outlives the process.

A page is a mapped file: a JSON line that names its counters, padded, then one 64-bit word for each. One process writes
it (held by a lock on the file), anybody may read it; words are aligned, so a reader sees each one whole. A process that
was killed and comes back goes on counting where it stopped, so that what it lost can be told. Counters only grow; names
ending in `_now` are gauges.
"""

from __future__ import annotations

import errno
import fcntl
import json
import mmap
import os
import stat
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep

MAGIC = "flowtap ledger 1"
_ROUND = 4096  # the words begin at a multiple of so many bytes
_LONGEST_HEAD = 16 << 20
_BIGGEST = 2 * _LONGEST_HEAD  # bytes of a page: words take less room than their names
_WORD = (1 << 64) - 1
_LOCK_TRIES = 20  # of 10 ms each: whoever asks for the writer has the lock for a moment


class LedgerError(Exception):
    """A page cannot be opened, or another process writes it; the text is ready for the user."""


class Page:
    """The counters of this process, by name or by number: `page.cells[page.index["records"]] += 1`.

    A counter that the page had already keeps its value, others begin at 0. What the page has and is not among `names`
    stays in it, behind those: sums over several processes hold although, say, there are fewer shards than before.
    Raises LedgerError.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerError(f"{path}: {error.strerror}") from error
        try:
            _lock(self._file)
            before = _read(os.pread(self._file, os.fstat(self._file).st_size, 0)) or {}
            self.names = (*names, *(name for name in before if name not in set(names)))
            head = _head(self.names)
            if tuple(before) != self.names:
                words = [before.get(name, 0) for name in self.names]
                os.ftruncate(self._file, 0)  # a process that is killed here leaves a page that is none, not a wrong one
                os.pwrite(self._file, struct.pack(f"={len(words)}Q", *words), len(head))
                os.ftruncate(self._file, len(head) + 8 * max(1, len(words)))
            os.pwrite(self._file, head, 0)
            self._map = mmap.mmap(self._file, 0)
        except BlockingIOError:
            os.close(self._file)
            raise LedgerError(f"{path}: another process of the same name is running") from None
        except OSError as error:
            os.close(self._file)
            raise LedgerError(f"{path}: {error.strerror}") from error
        self.index = {name: number for number, name in enumerate(self.names)}
        self.cells = memoryview(self._map)[len(head) :].cast("Q")

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
        file = _open_to_read(path)
        try:
            data = os.pread(file, min(os.fstat(file).st_size, _BIGGEST), 0)
        finally:
            os.close(file)
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error
    counters = _read(data)
    if counters is None:
        raise LedgerError(f"{path}: not a ledger page")
    return counters


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
        file = _open_to_read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with suppress(ValueError, TypeError, KeyError):
            return int(json.loads(os.pread(file, _LONGEST_HEAD, 0).partition(b"\n")[0])["pid"])
    finally:
        os.close(file)
    return None


def _open_to_read(path: Path) -> int:
    """Open a page. Raises OSError, also for what is no file: nothing may hold up who looks at the ledger."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file")
    return file


def _lock(file: int) -> None:
    """Take the page for this process. Raises BlockingIOError when another one has it."""
    for _ in range(_LOCK_TRIES):
        with suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sleep(0.01)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _head(names: Sequence[str]) -> bytes:
    """Return the head of a page of this process. Only the digits of its number differ from those of a predecessor."""
    line = f'{{"page": {json.dumps(MAGIC)}, "pid": {os.getpid():>10}, "names": {json.dumps(names)}}}\n'.encode()
    return line.ljust(-(-len(line) // _ROUND) * _ROUND)


def _read(data: bytes) -> dict[str, int] | None:
    """Return the counters of a page in its order; None: it is none."""
    line, _, _ = data[:_LONGEST_HEAD].partition(b"\n")
    start = -(-(len(line) + 1) // _ROUND) * _ROUND
    try:
        told = json.loads(line)
        names = [str(name) for name in told["names"]]
        if told["page"] != MAGIC:
            return None
        return dict(zip(names, struct.unpack_from(f"={len(names)}Q", data, start), strict=True))
    except (ValueError, TypeError, KeyError, struct.error):
        return None
