# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where results go: standard output or a file, with errors that can be told apart.

Python's buffered streams lose this: they try to flush again when the interpreter ends, after the error was reported.
So bytes are gathered here and written with the bare file.
"""

import sys
from collections.abc import Callable
from io import FileIO
from types import TracebackType

_FLUSH_AT = 1 << 16


class OutputError(Exception):
    """The output could not be opened or written: full disk, no permission. The text is ready for the user."""


class Output:
    """A sink for bytes. Leaving the `with` block writes what is left and closes the file, not standard output."""

    def __init__(self, path: str | None, before_write: Callable[[], None] = lambda: None) -> None:
        """Open `path` (None: standard output). `before_write` is called before each write. Raises OutputError."""
        self._name = "standard output" if path is None else path
        self._before_write = before_write
        self._waiting = bytearray()
        if path is None and sys.stdout is None:  # closed by the caller: number 1 is by now a file of somebody else
            raise OutputError(f"{self._name}: closed")
        try:
            self._file = FileIO(1, "wb", closefd=False) if path is None else FileIO(path, "wb")
        except OSError as error:
            raise self._explain(error) from error

    def write(self, data: bytes) -> None:
        """Take `data`, and write when much has gathered. Raises OutputError, BrokenPipeError."""
        self._waiting += data
        if len(self._waiting) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered. Raises OutputError, and BrokenPipeError when the reader has gone."""
        if not self._waiting:
            return
        self._before_write()
        data = bytes(self._waiting)
        self._waiting.clear()  # also after an error: nothing is written twice
        written = 0
        try:
            while written < len(data):
                written += self._file.write(data[written:]) or 0
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._explain(error) from error

    def _explain(self, error: OSError) -> OutputError:
        return OutputError(f"{self._name}: {error.strerror}")

    def __enter__(self) -> "Output":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, OutputError | BrokenPipeError):
                self.flush()
        finally:
            try:
                self._file.close()
            except OSError as failed:  # some file systems report a full disk only here
                raise self._explain(failed) from failed
