# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tokens of one signature, or of one definition, to a sequence as written; the first mistake ends the line."""

from __future__ import annotations

from collections.abc import Callable

from sigdb import written
from sigdb.definitions import Definitions
from sigdb.errors import Mistake, quote
from sigdb.nodes import CLIENT, EITHER, SERVER, UNBOUNDED, Mark, Size
from sigdb.tokens import (
    BAR,
    BEGIN,
    CLOSE,
    COMMA,
    ELEMENT,
    END,
    GAP,
    MARK,
    OPEN,
    PARAMETER,
    REPEAT,
    SIZE_PARTS,
    SIZES,
    STOP,
    USE,
    Token,
    number,
)
from sigdb.written import Argument, Item, Word, Written, WrittenSize

MAX_NESTING = 32

_SIDES = {"c": CLIENT, "s": SERVER, "x": EITHER, "C": CLIENT, "S": SERVER, "X": EITHER}
_ENDS = {BAR: "'|'", CLOSE: "')'", END: "'>'", COMMA: "','"}


class Grammar:
    """Recursive descent. `defining` and `parameters` are a definition's; None: it is a signature."""

    def __init__(
        self,
        line: str,
        tokens: list[Token],
        definitions: Definitions,
        defining: str = "",
        parameters: tuple[str, ...] | None = None,
    ) -> None:
        self.line = line
        self.defining = defining
        self.tokens = tokens
        self.definitions = definitions
        self.parameters = parameters
        self.used: set[str] = set()  # parameters
        self.next = 0
        self.plain: dict[tuple[str, int], Size] = {}  # sizes without reference, by text and offset: most come again
        first = ""
        for token in tokens:
            if token.kind == ELEMENT:
                first = first or token.text[0]
                one_kind(token.text[0], first, token.mistake)

    def whole(self) -> tuple[bool, Written, bool]:
        """Return whether `<` was written, the sequence, and whether `>` was."""
        begin = self.tokens[0].kind == BEGIN
        if begin:
            if self.parameters is not None:
                raise self.tokens[0].mistake("'<' in a definition; expected it in the signature that uses it")
            self.next = 1
        sequence = self._sequence(0)
        token = self.tokens[self.next]
        if token.kind == BAR:
            raise token.mistake(
                "'|' outside a group; expected the alternatives in parentheses, for example ( c1 | c2 )"
            )
        if token.kind == CLOSE:
            raise token.mistake("')' without '('; expected the group to be opened")
        end = token.kind == END
        if end:
            self.next += 1
            after = self.tokens[self.next]
            if after.kind != STOP:
                what = "nothing" if self.parameters is not None else "'where' or ' : ' and a description"
                raise after.mistake(f"{quote(after.text)} after '>'; expected {what}")
            if self.parameters is not None:
                sequence = Written((*sequence.items, written.Last(token.column)), sequence.parameters)
        return begin, sequence, end

    def _sequence(self, depth: int, *, argument: bool = False) -> Written:
        """Read items up to what ends them; an argument may end with a pause mark."""
        items: list[Item] = []
        parameters: list[written.Parameter] = []
        while True:
            token = self.tokens[self.next]
            kind = token.kind
            if kind == ELEMENT:
                self.next += 1
                items.append(self._repeated(self._element(token)))
            elif kind == MARK:
                self.next += 1
                self._mark(token, argument)
                items.append(Mark(token.low, token.high if token.high is not None else 0, token.column))
            elif kind == OPEN:
                items.append(self._repeated(self._group(depth + 1)))
            elif kind == USE:
                self.next += 1
                use = self._use(token, depth)
                if isinstance(use, written.Parameter):
                    parameters.append(use)
                items.append(self._repeated(use))
            elif kind == GAP:
                self.next += 1
                items.append(written.Dots(token.column))
                if self.tokens[self.next].kind == REPEAT:
                    raise self.tokens[self.next].mistake("repetition of '...'; expected it after an element or a group")
            elif kind == BEGIN:
                raise token.mistake("'<' inside the sequence; expected it once, before the first element")
            elif kind == REPEAT:
                raise token.mistake("repetition of nothing; expected it after an element or a group")
            elif kind == SIZES:
                raise token.mistake(
                    f"{quote(token.text)} beside other things in an argument; expected a size alone, or an element"
                )
            elif kind == COMMA and not argument:
                raise token.mistake("',' inside a group; expected it between arguments only")
            elif kind == END and depth and (items or not argument):
                self.next += 1
                after = self.tokens[self.next]
                if after.kind not in (BAR, CLOSE) and not (argument and after.kind == COMMA):
                    what = quote(after.text) if after.text else "the end"
                    raise after.mistake(f"{what} after '>' inside a group; expected '|' or ')'")
                items.append(written.Last(token.column))
                return Written(tuple(items), tuple(parameters))
            elif not items:
                what = _ENDS.get(kind, "the end")
                raise token.mistake(f"{what} where the sequence is empty; expected an element, for example c48")
            else:
                return Written(tuple(items), tuple(parameters))

    def _repeated(self, body: Word | written.Group | written.Use | written.Parameter) -> Item:
        token = self.tokens[self.next]
        if token.kind != REPEAT:
            return body
        self.next += 1
        after = self.tokens[self.next]
        if after.kind == REPEAT:
            raise after.mistake("a second repetition; expected a group around the first, for example (c1{2}){3}")
        return written.Repeated(body, token.low, token.high, token.column)

    def _mark(self, token: Token, argument: bool) -> None:
        after = self.tokens[self.next]
        if after.kind in (ELEMENT, OPEN, USE) or (argument and after.kind in (COMMA, CLOSE)):
            return
        if after.kind == MARK:
            raise after.mistake("two pause marks in a row; expected one before an element or a group")
        if after.kind == GAP:
            raise token.mistake("a pause mark before '...'; expected none, '...' takes any pauses")
        if after.kind == REPEAT:
            raise after.mistake("repetition of a pause mark; expected it after an element or a group")
        raise token.mistake("a pause mark with nothing after it; expected an element or a group")

    def _group(self, depth: int) -> written.Group:
        opening = self.tokens[self.next]
        if depth > MAX_NESTING:
            raise opening.mistake(too_deep())
        branches: list[Written] = []
        while True:
            self.next += 1
            branches.append(self._sequence(depth))
            token = self.tokens[self.next]
            if token.kind == CLOSE:
                self.next += 1
                return written.Group(tuple(branches), opening.column)
            if token.kind != BAR:
                raise opening.mistake("'(' is never closed; expected ')'")

    def _use(self, token: Token, depth: int) -> written.Use | written.Parameter:
        """Read what follows `$NAME`, and check that it may be used so."""
        name = token.value[0] or ""
        has_arguments = len(token.value) == 2
        if self.parameters is not None and name in self.parameters:
            if has_arguments:
                raise token.mistake(
                    f"the parameter {quote(token.text)} with '(' behind it; expected a blank before a group",
                    len(token.text),
                )
            self.used.add(name)
            return written.Parameter(name, token.column)
        found = self.definitions.find(name, token.column, self.defining, self.parameters)
        if depth >= MAX_NESTING:
            raise token.mistake(too_deep())
        arguments = self._arguments(token, depth + 1) if has_arguments else ()
        count = len(found.parameters)
        if has_arguments and not count:
            raise token.mistake(
                f"{quote(token.text)} has no parameters; expected no '(', or a blank before a group", len(token.text)
            )
        if len(arguments) != count:
            form = f"{token.text[:32]}({', '.join(found.parameters)})"
            given = f"{len(arguments)} arguments" if len(arguments) != 1 else "1 argument"
            raise token.mistake(
                f"{given} for {quote(token.text)}; expected {count}, as in {form}, separated by a comma and a blank"
            )
        text = token.text[1:]
        if has_arguments:
            text = self.line[token.column : self.tokens[self.next - 1].column]
        return written.Use(name, arguments, text, token.column)

    def _arguments(self, opening: Token, depth: int) -> tuple[Argument, ...]:
        result: list[Argument] = []
        while True:
            token = self.tokens[self.next]
            after = self.tokens[min(self.next + 1, len(self.tokens) - 1)]
            if token.kind in (COMMA, CLOSE):
                result.append(Written((), ()))
            elif token.kind == SIZES and after.kind in (COMMA, CLOSE):
                self.next += 1
                self._check_parameters(token, token.text, 0)
                result.append(written.Sizes(token.text, token.column))
            else:
                result.append(self._sequence(depth, argument=True))
            token = self.tokens[self.next]
            self.next += 1
            if token.kind == CLOSE:
                return tuple(result)
            if token.kind == BAR:
                raise token.mistake("'|' between arguments; expected the alternatives in parentheses")
            if token.kind != COMMA:
                raise opening.mistake(f"the arguments of {quote(opening.text)} are never closed; expected ')'")

    def _element(self, token: Token) -> Word:
        side, sizes, excluded, name = token.value
        if "$" in token.text:
            self._check_parameters(token, token.text, 0)
        return Word(
            token.text,
            token.column,
            _SIDES[side or ""],
            self._sizes(token, sizes or "", 1),
            self._sizes(token, excluded, 2 + len(sizes or "")) if excluded else (),
            name or "",
        )

    def _check_parameters(self, token: Token, text: str, offset: int) -> None:
        for match in PARAMETER.finditer(text):
            name = match[1]
            if self.parameters is None or name not in self.parameters:
                what = "a definition" if self.definitions.has(name) else "unknown"
                known = ", ".join(f"${one}" for one in self.parameters or ())
                expected = f"a parameter of this definition: {known}" if known else "it in a definition with parameters"
                raise token.mistake(
                    f"{quote('$' + name)} for a size is {what}; expected {expected}", offset + match.start()
                )
            self.used.add(name)

    def _sizes(self, token: Token, text: str, offset: int) -> tuple[WrittenSize, ...]:
        result: list[WrittenSize] = []
        for part in text.split(","):
            size: WrittenSize | None = self.plain.get((part, offset))
            if size is None:
                if "$" in part:
                    size = written.Template(part, offset)
                else:
                    size = read_size(token, part, offset)
                    if isinstance(size, Size):
                        self.plain[part, offset] = size
                    elif self.parameters is not None and size.target.isdigit():
                        raise token.mistake(
                            f"the number {quote('@' + size.target)} in a definition; "
                            "expected a name, for example s44#acc and c@acc",
                            offset + 1,
                        )
            result.append(size)
            offset += len(part) + 1
        return tuple(result)


def read_size(token: Token, text: str, offset: int) -> Size | written.Reference:
    """Return what a size without parameters means; it is written at an offset of a token. Raises Mistake."""
    parts = SIZE_PARTS.fullmatch(text)
    assert parts is not None
    every, low, dash, high, tolerance, target, sign, constant, around = parts.groups()

    def value(group: int, limit: int = UNBOUNDED) -> int:
        return number(parts[group] or "0", token.column + offset + parts.start(group), limit)

    if every is not None:
        return Size(0, UNBOUNDED, False, offset=offset)
    if low is not None:
        first = value(2)
        if dash is not None:
            last = UNBOUNDED if high is None else value(4)
            if last < first:
                raise token.mistake(f"the size range {first}-{last} is empty; expected the smaller size first", offset)
            return Size(first, last, False, offset=offset)
        if tolerance is not None:
            spread = value(5)
            return Size(max(0, first - spread), min(UNBOUNDED, first + spread), False, offset=offset)
        return Size(first, first, True, offset=offset)
    if target[0].isdigit() and not target.isdigit():
        raise token.mistake(
            f"wrong reference {quote('@' + target)}; expected a number or a name, for example @3 or @acc", offset + 1
        )
    plus = value(8, 0x7FFFFFFF) if constant is not None else 0
    return written.Reference(target, -plus if sign == "-" else plus, value(9, 0x7FFFFFFF), around is None, offset)


def one_kind(side: str, first: str, mistake: Callable[[str], Mistake]) -> None:
    """Raise what `mistake` makes of a message when one of two elements is a packet and the other a turn."""
    if side.isupper() != first.isupper():
        packets, turns = sorted((side, first), reverse=True)
        raise mistake(f"'{packets}' (a packet) and '{turns}' (a turn) in one signature; expected one kind")


def too_deep() -> str:
    """Say that groups are nested too deeply."""
    return f"groups are nested too deeply; expected at most {MAX_NESTING} levels"
