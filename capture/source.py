# SPDX-License-Identifier: LGPL-2.1-or-later
"""Byte sources of capture files: regular files, pipes, standard input.

Everything is read in pieces into the reader's buffer, regular files too. Mapping them was tried: it is faster by less
than a tenth (a copy into a buffer that stays in the cache costs about as much as the page faults), and a file that
shrinks while it is mapped kills the process with SIGBUS.
"""

from __future__ import annotations

import os
import stat
from typing import Protocol


class Source(Protocol):
    """What the reader of capture files needs of its bytes."""

    @property
    def offset(self) -> int:
        """Bytes of the file taken so far, compressed ones where it is compressed."""
        ...

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; return its size, 0 at the end. Raises OSError, DecodeError."""
        ...

    def close(self) -> None:
        """Close what it opened; may be called again."""
        ...


class RawSource:
    """The bytes of a file descriptor as they are, with a look ahead for the magic."""

    def __init__(self, path: str) -> None:
        self.offset = 0
        self._head = b""
        self._descriptor = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        mode = os.fstat(self._descriptor)
        self.size = mode.st_size if stat.S_ISREG(mode.st_mode) else None
        self._begin = os.lseek(self._descriptor, 0, os.SEEK_CUR) if self.size is not None else 0

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._descriptor > 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def peek(self, size: int) -> bytes:
        """Return the next bytes, which are read again later; fewer than `size` only at the end."""
        while len(self._head) < size:
            more = os.read(self._descriptor, size - len(self._head))
            if not more:
                break
            self._head += more
        return self._head

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; return its size, 0 at the end. Raises OSError."""
        if self._head:
            size = min(len(view), len(self._head))
            view[:size] = self._head[:size]
            self._head = self._head[size:]
        else:
            size = os.readv(self._descriptor, [view])
        self.offset += size
        return size

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, b"" at the end. Raises OSError."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            data = os.read(self._descriptor, size)
        self.offset += len(data)
        return data

    def rewind(self) -> bool:
        """Go back to where it began; False where that cannot be, as in a pipe."""
        if self.size is None:
            return False
        os.lseek(self._descriptor, self._begin, os.SEEK_SET)
        self.offset = 0
        self._head = b""
        return True
