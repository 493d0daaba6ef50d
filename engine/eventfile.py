# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file of events, one line each: a full disk costs events, which are counted, never a broken line or the process.

Only whole lines stay: what a full disk cut off is taken back, and what a killed process left at the end of the file
is removed when it is opened. The file is opened to append, so that whoever rotates it may also copy and truncate it.
"""

from __future__ import annotations

import errno
import logging
import os
import stat

log = logging.getLogger(__name__)

_LONGEST = 1 << 20  # bytes of a line that may be looked at to find its beginning
_RETRY_NS = 1_000_000_000


class EventFile:
    """Lines appended to the file at `path`. What is wrong is logged once, counted, and tried again each second."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.written = 0  # lines
        self.dropped = 0
        self._descriptor = -1
        self._wrong = ""
        self._retry_ns = 0

    def write(self, lines: list[bytes], now_ns: int) -> None:
        """Append lines, each with its end; `now_ns` is any clock that only goes on."""
        if not lines:
            return
        if self._descriptor < 0 and now_ns < self._retry_ns:
            self.dropped += len(lines)
            return
        try:
            if self._descriptor < 0:
                self._open()
            done = self._append(lines)
        except OSError as error:
            self._fail(error, now_ns)
            done = 0
        self.written += done
        self.dropped += len(lines) - done
        if done == len(lines) and self._wrong:
            log.warning("%s: can be written again; %d events are missing so far", self.path, self.dropped)
            self._wrong = ""

    def reopen(self) -> bool:
        """Open the file anew, after it was moved away; False when that fails, which is logged."""
        self.close()
        self._retry_ns = 0
        try:
            self._open()
        except OSError as error:
            self._fail(error, 0)
            return False
        return True

    def close(self) -> None:
        """Close the file; may be called again."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self) -> None:
        # Without O_NONBLOCK a FIFO would hold everything up until somebody reads it.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = os.open(self.path, flags, 0o640)
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            _cut_partial_line(descriptor, state.st_size)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _append(self, lines: list[bytes]) -> int:
        """Return how many lines are in the file as a whole."""
        data = b"".join(lines)
        before = os.fstat(self._descriptor).st_size
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            self._fail(error, None)
            whole = data.rfind(b"\n", 0, written) + 1
            if whole < written:
                os.ftruncate(self._descriptor, before + whole)
            return data.count(b"\n", 0, whole)
        return len(lines)

    def _fail(self, error: OSError, now_ns: int | None) -> None:
        """Log what is wrong when it is news; with a time the file is closed and opened again later."""
        wrong = error.strerror or str(error)
        if wrong != self._wrong:
            self._wrong = wrong
            log.error("%s: %s; events go on, without this file", self.path, wrong)
        if now_ns is not None:
            self.close()
            self._retry_ns = now_ns + _RETRY_NS


def _cut_partial_line(descriptor: int, size: int) -> None:
    """Remove what comes after the last end of a line."""
    begin = max(0, size - _LONGEST)
    tail = os.pread(descriptor, size - begin, begin)
    end = tail.rfind(b"\n") + 1
    if end == len(tail):
        return
    if end or not begin:
        os.ftruncate(descriptor, begin + end)
    else:  # not lines of events: leave it, but begin a new line
        os.write(descriptor, b"\n")
