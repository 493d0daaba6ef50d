# SPDX-License-Identifier: LGPL-2.1-or-later
"""The definitions of one file, `let NAME = sequence`: kept as tokens, and put in as a group where `$NAME` stands.

A definition is judged where it stands; a line that uses a wrong one has no mistake of its own. Putting definitions
into one another multiplies them, so what a file may put in is bounded.
"""

import re

from sigdb.errors import Mistake, quote, suggest
from sigdb.tokens import CLOSE, OPEN, USE, Token

MAX_TOKENS = 16_384  # of a line, definitions put in
MAX_INSERTED = 1 << 20  # tokens that the definitions of a file put into its lines

_HEADER = re.compile(r"let[ \t]+([^ \t=]+)[ \t]*(=?)")
_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")


def is_definition(line: str) -> bool:
    """Return whether a line begins with the word `let`."""
    return line == "let" or line.startswith(("let ", "let\t"))


class Definitions:
    """What has been defined so far, and which names other lines of the file define."""

    def __init__(self, lines: list[str] | None = None) -> None:
        self._tokens: dict[str, list[Token] | None] = {}  # None: it is wrong
        self._line: dict[str, int] = {}
        self._written: dict[str, int] = {}  # the first line that defines a name, also one still to come
        self._inserted = 0
        for number, line in enumerate(lines or (), 1):
            match = _HEADER.match(line)
            if match is not None:
                self._written.setdefault(match[1], number)

    def header(self, line: str, number: int) -> tuple[str, int]:
        """Return the name that a line defines and the index behind its `=`; raise Mistake.

        Until `add` the name counts as defined wrongly.
        """
        match = _HEADER.match(line)
        if match is None:
            raise Mistake(4, "no name after 'let'; expected let NAME = sequence")
        name, sign = match.groups()
        column = match.start(1) + 1
        if not _NAME.fullmatch(name):
            raise Mistake(
                column, f"wrong name {quote(name)} of a definition; expected letters, digits and '_', no digit first"
            )
        if name in self._line:
            raise Mistake(
                column, f"the name {quote(name)} is defined in line {self._line[name]} already; expected another name"
            )
        self._line[name] = number
        self._tokens[name] = None
        if not sign:
            raise Mistake(match.end(1) + 1, f"no '=' after {quote(name)}; expected let {name[:32]} = sequence")
        return name, match.end()

    def add(self, name: str, cut: list[Token]) -> None:
        """Keep the tokens of a correct definition, others put in, without the last one (STOP)."""
        line = self._line[name]
        self._tokens[name] = [
            token if token.origin else token._replace(origin=(name, line, token.column)) for token in cut[:-1]
        ]

    def insert(self, cut: list[Token], within: str = "") -> list[Token]:
        """Return tokens with a group in place of each `$NAME`; `within` is the name that is being defined."""
        if not any(token.kind == USE for token in cut):
            return cut
        result: list[Token] = []
        for token in cut:
            if token.kind != USE:
                result.append(token)
                continue
            inner, column = self._find(token, within), token.column
            if len(result) + len(inner) + len(cut) > MAX_TOKENS:
                raise Mistake(
                    token.column,
                    f"the line is too long with its definitions put in; expected at most {MAX_TOKENS} tokens",
                )
            self._inserted += len(inner)
            if self._inserted > MAX_INSERTED:
                raise Mistake(
                    token.column,
                    f"the file is too long with its definitions put in; expected at most {MAX_INSERTED} tokens",
                )
            result.append(Token(OPEN, token.text, token.column))
            result += [
                Token(one.kind, one.text, column, one.value, one.low, one.high, one.origin) for one in inner
            ]  # _replace takes five times as long
            result.append(Token(CLOSE, ")", token.column))
        return result

    def _find(self, token: Token, within: str) -> list[Token]:
        name = token.value[0] or ""
        if name == within:
            raise Mistake(token.column, f"the definition of {quote(name)} uses itself; expected other definitions only")
        inner = self._tokens.get(name)
        if inner is not None:
            return inner
        if name in self._tokens:
            raise Mistake(token.column, "")  # told where the definition stands
        if name in self._written:
            raise Mistake(
                token.column,
                f"{quote(token.text)} is defined below, in line {self._written[name]}; "
                "expected its definition above the line that uses it",
            )
        hint = suggest(name, self._tokens)
        raise Mistake(
            token.column,
            f"nothing is defined as {quote(name)}{hint}; "
            f"expected a line let {name[:32]} = sequence above, in this file",
        )
