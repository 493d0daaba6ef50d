# SPDX-License-Identifier: LGPL-2.1-or-later
"""The journal of a survey: one JSON object a line for each host, written as it is known, so that a survey can go on.

The first line says what the survey is (port and time of its beginning); a survey goes on only with the same port. A
line that a kill or a full disk cut short is cut off when the journal is opened again, and its host is contacted again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from typing import Any

import orjson

VERSION = 1


class JournalError(Exception):
    """The journal cannot be used; the text says why."""


class JournalWriteError(JournalError):
    """The journal cannot be written."""


class Journal:
    """Results in `path`. Raises JournalError; also when another survey is writing to it."""

    def __init__(self, path: str, head: dict[str, Any], *, resume: bool) -> None:
        self.path = path
        self.results: list[dict[str, Any]] = []  # of earlier runs
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND, 0o644)
        except OSError as error:
            raise JournalWriteError(f"{path}: {error.strerror}") from error
        try:
            self._open({"survey": VERSION, **head}, resume)
        except OSError as error:
            self.close()
            raise JournalWriteError(f"{path}: {error.strerror}") from error
        except BaseException:
            self.close()
            raise

    def _open(self, head: dict[str, Any], resume: bool) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{self.path}: another survey is writing to it") from None
        if not os.fstat(self._fd).st_size:
            self._write(head)
            return
        if not resume:
            raise JournalError(f"{self.path}: exists; --resume goes on with it, or name another file")
        good = 0
        lines = _lines(self._fd)
        for number, (line, end) in enumerate(lines, 1):
            try:
                value = orjson.loads(line)
            except ValueError:
                raise JournalError(f"{self.path}:{number}: no JSON; expected a survey's journal") from None
            if number == 1:
                self._check(value, head)
            elif not isinstance(value, dict) or not isinstance(value.get("host"), str) or "outcome" not in value:
                raise JournalError(f"{self.path}:{number}: no result; expected an object with host and outcome")
            else:
                self.results.append(value)
            good = end
        os.ftruncate(self._fd, good)
        if not good:
            self._write(head)

    def _check(self, found: Any, head: dict[str, Any]) -> None:
        if not isinstance(found, dict) or found.get("survey") != VERSION:
            raise JournalError(f"{self.path}:1: no survey's journal; expected one of version {VERSION}")
        if found.get("port") != head["port"]:
            raise JournalError(f"{self.path}:1: a survey of port {found.get('port')}; expected port {head['port']}")

    def add(self, result: dict[str, Any]) -> None:
        """Write the result of a host. Raises JournalWriteError when it could not be written whole."""
        try:
            self._write(result)
        except OSError as error:
            raise JournalWriteError(f"{self.path}: {error.strerror}") from error

    def _write(self, value: dict[str, Any]) -> None:
        data = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
        while data:
            data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Close the file; may be called again."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def _lines(fd: int) -> Iterator[tuple[bytes, int]]:
    """Yield each complete line and the offset behind it."""
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        end = 0
        for line in file:
            end += len(line)
            if line.endswith(b"\n"):
                yield line, end
