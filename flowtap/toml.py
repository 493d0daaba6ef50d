# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads TOML so that every mistake is told with its line, not only the first, and every value's line is known.

tomllib stops at the first mistake and tells no places of what is right. So the text is cut into statements: the least
number of lines that tomllib takes by themselves. A line that it takes in no way is a mistake, and the next one is a
new beginning.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

_PLACE = re.compile(r"(?s)(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)\Z")
_LONGEST = 1000  # lines of one value: bounds the time that an unclosed bracket takes

Key = tuple[str, ...]


@dataclass(slots=True)
class Mistake:
    """What is no TOML, and where; lines and columns count from 1."""

    line: int
    column: int
    message: str


@dataclass(slots=True)
class Document:
    """What a text holds: its values as nested dicts, the line of each key and table, what is wrong with it."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)


def read(text: str) -> Document:
    """Return what `text` holds; with mistakes, what remains of it without them."""
    document = Document()
    _statements(text, document)
    try:
        document.values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if not document.mistakes:  # each statement is right by itself, but not beside the others: a key given twice
            message, line, column = _explain(error)
            document.mistakes.append(Mistake(line or text.count("\n") + 1, column, message))
    return document


def _statements(text: str, document: Document) -> None:
    """Fill `document` statement by statement."""
    lines = [line + "\n" for line in text.replace("\r\n", "\n").split("\n")]
    table: Key | None = ()
    start = 0
    while start < len(lines):
        found, end = _statement(lines, start, document)
        if lines[start].lstrip().startswith("["):
            table = None if found is None else _only_key(found)
            if table is not None:
                document.lines.setdefault(table, start + 1)
                _merge(document.values, table, {})
        elif found and table is not None:  # under a wrong header nobody knows what the keys are
            _note_lines(found, table, start + 1, document.lines)
            _merge(document.values, table, found)
        start = end


def _statement(lines: list[str], start: int, document: Document) -> tuple[dict[str, Any] | None, int]:
    """Return the values of the statement at line `start` (None: a mistake, which is noted) and the line after it."""
    first: Mistake | None = None
    for end in range(start + 1, min(len(lines), start + _LONGEST) + 1):
        try:
            return tomllib.loads("".join(lines[start:end])), end
        except tomllib.TOMLDecodeError as error:
            message, line, column = _explain(error)
            if first is None:
                first = Mistake(start + (line or 1), column, message)
            if line:  # more lines cannot make it right
                if line > 1 and "nclosed" in message:
                    break  # what follows is a new statement: the first line's bracket lacks its end
                document.mistakes.append(Mistake(start + line, column, message))
                return None, end
    assert first is not None
    document.mistakes.append(first)
    return None, start + 1


def _explain(error: tomllib.TOMLDecodeError) -> tuple[str, int, int]:
    """Return message, line and column of an error; line 0: the text ended too early."""
    found = _PLACE.match(str(error))
    if found is None:
        return str(error), 1, 1
    message = found[1][:1].lower() + found[1][1:]
    return message, int(found[2] or 0), int(found[3] or 1)


def _only_key(values: Any) -> Key:
    """Return the path of a table header's table."""
    path: list[str] = []
    while values:
        if isinstance(values, list):
            values = values[0]
        else:
            ((name, values),) = values.items()
            path.append(name)
    return tuple(path)


def _note_lines(values: dict[str, Any], above: Key, line: int, lines: dict[Key, int]) -> None:
    for name, value in values.items():
        lines.setdefault((*above, name), line)
        if isinstance(value, dict):
            _note_lines(value, (*above, name), line, lines)


def _merge(values: dict[str, Any], table: Key, found: dict[str, Any]) -> None:
    """Put the values of a statement where they belong, as far as what is there already allows it."""
    for name in table:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        values = inner
    for name, value in found.items():
        if isinstance(value, dict):
            _merge(values, (name,), value)
        else:
            values.setdefault(name, value)
