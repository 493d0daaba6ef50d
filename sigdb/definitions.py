# SPDX-License-Identifier: LGPL-2.1-or-later
"""The definitions of one file, `let NAME = sequence` and `let NAME(x, y) = sequence`, its own and those it includes.

A definition is judged where it stands; a line that uses a wrong one has no mistake of its own. sigdb.expand puts
them in, which multiplies them, so what a file may put in is bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sigdb.errors import Mistake, quote, suggest
from sigdb.written import Written

MAX_PARAMETERS = 16

_HEADER = re.compile(r"let[ \t]+([^ \t=(]+)(?:(\()([^()=]*)(\)?))?[ \t]*(=?)")
_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")


def is_definition(line: str) -> bool:
    """Return whether a line begins with the word `let`."""
    return line == "let" or line.startswith(("let ", "let\t"))


@dataclass(frozen=True, slots=True)
class Definition:
    """What `$NAME` stands for."""

    name: str
    file: str  # empty: the file in hand
    line: int
    parameters: tuple[str, ...] = ()
    body: Written | None = None  # None: it is wrong

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return f"line {self.line} of {self.file}" if self.file else f"line {self.line}"


@dataclass(slots=True)
class Header:
    """The beginning of a definition's line."""

    name: str
    parameters: tuple[str, ...]
    columns: tuple[int, ...]  # of the parameters
    end: int  # the index behind `=`


@dataclass(slots=True)
class Definitions:
    """What has been defined so far, and which names other lines of the file define."""

    inserted: int = 0  # tokens
    _known: dict[str, Definition] = field(default_factory=dict)
    _written: dict[str, int] = field(default_factory=dict)  # the first line that defines a name, also one still to come

    def foresee(self, lines: list[str]) -> None:
        """Learn which names the lines of the file define."""
        for number, line in enumerate(lines, 1):
            match = _HEADER.match(line)
            if match is not None:
                self._written.setdefault(match[1], number)

    def header(self, line: str, number: int) -> Header:
        """Return what a line defines; raise Mistake. Until `add` its name counts as defined wrongly."""
        match = _HEADER.match(line)
        if match is None:
            raise Mistake(4, "no name after 'let'; expected let NAME = sequence")
        name, opened, inner, closed, sign = match.groups()
        column = match.start(1) + 1
        if not _NAME.fullmatch(name):
            raise Mistake(
                column, f"wrong name {quote(name)} of a definition; expected letters, digits and '_', no digit first"
            )
        if name in self._known:
            raise Mistake(
                column,
                f"the name {quote(name)} is defined in {self._known[name].place} already; expected another name",
            )
        self._known[name] = Definition(name, "", number)
        shown = name[:32]
        parameters: list[str] = []
        columns: list[int] = []
        if opened:
            shown += "(x, y)"
            if not closed:
                raise Mistake(match.start(2) + 1, f"'(' is never closed; expected let {shown} = sequence")
            at = match.start(3)
            for part in inner.split(","):
                columns.append(at + len(part) - len(part.lstrip(" \t")) + 1)
                parameters.append(part.strip(" \t"))
                self._check_parameter(parameters, columns[-1])
                at += len(part) + 1
        if not sign:
            raise Mistake(
                match.end(4 if opened else 1) + 1, f"no '=' after {quote(name)}; expected let {shown} = sequence"
            )
        return Header(name, tuple(parameters), tuple(columns), match.end())

    def _check_parameter(self, parameters: list[str], column: int) -> None:
        name = parameters[-1]
        if not _NAME.fullmatch(name):
            what = f"wrong name {quote(name)} of a parameter" if name else "no name of a parameter"
            raise Mistake(column, f"{what}; expected letters, digits and '_', no digit first")
        if name in parameters[:-1]:
            raise Mistake(column, f"the parameter {quote(name)} is given twice; expected different names")
        if name in self._known:
            raise Mistake(
                column,
                f"the parameter {quote(name)} has the name of the definition in {self._known[name].place}; "
                "expected another name",
            )
        if len(parameters) > MAX_PARAMETERS:
            raise Mistake(column, f"too many parameters; expected at most {MAX_PARAMETERS}")

    def add(self, header: Header, number: int, body: Written) -> None:
        """Keep a correct definition."""
        self._known[header.name] = Definition(header.name, "", number, header.parameters, body)

    def include(self, others: Definitions, file: str, column: int) -> None:
        """Take over what another file defines. Raises Mistake where a name means something else already."""
        for name, one in others._known.items():
            found = Definition(name, one.file or file, one.line, one.parameters, one.body)
            before = self._known.setdefault(name, found)
            if (before.file, before.line) != (found.file, found.line):
                raise Mistake(
                    column,
                    f"the name {quote(name)} is defined in {before.place} and in {found.place}; expected one of them",
                )

    def has(self, name: str) -> bool:
        """Return whether a name is defined."""
        return name in self._known

    def get(self, name: str) -> Definition:
        """Return the definition of a name that `find` has found."""
        return self._known[name]

    def find(self, name: str, column: int, within: str = "", parameters: tuple[str, ...] | None = None) -> Definition:
        """Return what a name at a column stands for, `within` a definition with these parameters or in a signature.

        Raises Mistake, with an empty message when it is defined wrongly.
        """
        if name == within:
            raise Mistake(column, f"the definition of {quote(name)} uses itself; expected other definitions only")
        found = self._known.get(name)
        if found is not None:
            if found.body is None:
                raise Mistake(column, "")  # told where the definition stands
            return found
        if name in self._written:
            raise Mistake(
                column,
                f"{quote('$' + name)} is defined below, in line {self._written[name]}; "
                "expected its definition above the line that uses it",
            )
        hint = suggest(name, (*self._known, *(parameters or ())))
        more = f", or a parameter: {', '.join(parameters)}" if parameters else ""
        raise Mistake(
            column,
            f"nothing is defined as {quote(name)}{hint}; expected a line let {name[:32]} = sequence above, "
            f"in this file or in one that it includes{more}",
        )
