# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is reported when a signature file is wrong: a place, and a sentence "what is wrong; expected what"."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class SignatureError:
    """One mistake in a signature file. Lines and columns count from 1; line 0 means the file as a whole."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        if self.line == 0:
            return f"{self.file}: {self.message}"
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class SignatureErrors(Exception):  # noqa: N818 - it holds many
    """All mistakes found in the files of one load, in the order of the files; nothing of these files was loaded."""

    def __init__(self, errors: Iterable[SignatureError]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(map(str, self.errors)))


class Mistake(Exception):  # noqa: N818 - never leaves this package
    """A mistake at a column of the line in hand; the reader adds file and line and goes on with the next line.

    An empty message means that the mistake is told elsewhere already.
    """

    def __init__(self, column: int, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def suggest(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)" when a known word is close to `word`, else nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - slow to import, and needed for errors only

    close = get_close_matches(word[:40], list(known), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def quote(text: str, limit: int = 32) -> str:
    """Quote a piece of a file for a message: printable and short, whatever it holds."""
    shown = "".join(
        c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text[:limit]
    )
    return f"'{shown}...'" if len(text) > limit else f"'{shown}'"
