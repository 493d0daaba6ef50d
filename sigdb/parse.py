# SPDX-License-Identifier: LGPL-2.1-or-later
"""One line of a signature file to a tree: protocol, ports, sequence, condition, description.

Recursive descent over the tokens of the sequence; the first mistake ends the line. sigdb.reader puts the lines of a
file together, sigdb.check judges what the grammar alone cannot.
"""

from sigdb import where
from sigdb.errors import Mistake, quote, suggest
from sigdb.nodes import (
    CLIENT,
    EITHER,
    PROTOCOLS,
    SERVER,
    UNBOUNDED,
    Alternatives,
    Element,
    Gap,
    Mark,
    Node,
    Repeat,
    Sequence,
    Signature,
)
from sigdb.tokens import BAR, BEGIN, CLOSE, ELEMENT, END, GAP, MARK, OPEN, REPEAT, STOP, Token, number, tokens

MAX_ELEMENTS = 255
MAX_NESTING = 32

_SIDES = {"c": CLIENT, "s": SERVER, "x": EITHER, "C": CLIENT, "S": SERVER, "X": EITHER}


class _Sequence:
    """Recursive descent over one signature's tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.next = 0
        self.elements: list[Element] = []
        self.names: dict[str, int] = {}
        self.total = 0
        first = None
        for token in tokens:
            if token.kind != ELEMENT:
                continue
            self.total += 1
            first = first or token
            if self.total > MAX_ELEMENTS:
                raise Mistake(token.column, f"too many elements; expected at most {MAX_ELEMENTS}")
            if token.text[0].isupper() != first.text[0].isupper():
                packets, turns = sorted((token.text[0], first.text[0]), reverse=True)
                raise Mistake(
                    token.column, f"'{packets}' (a packet) and '{turns}' (a turn) in one signature; expected one kind"
                )
            name = token.value[10]
            if name is not None:
                if name in self.names:
                    column = token.column + token.text.index("#") + 1
                    raise Mistake(column, f"the name {quote(name)} is taken; expected another than that of element "
                                          f"{self.names[name]}")  # fmt: skip
                self.names[name] = self.total
        self.turns = first is not None and first.text[0].isupper()

    def whole(self) -> tuple[bool, Sequence, bool]:
        begin = self.tokens[0].kind == BEGIN
        if begin:
            self.next = 1
        sequence = self.sequence(0)
        token = self.tokens[self.next]
        if token.kind == BAR:
            raise Mistake(
                token.column, "'|' outside a group; expected the alternatives in parentheses, for example ( c1 | c2 )"
            )
        if token.kind == CLOSE:
            raise Mistake(token.column, "')' without '('; expected the group to be opened")
        end = token.kind == END
        if end:
            self.next += 1
            token = self.tokens[self.next]
            if token.kind != STOP:
                raise Mistake(
                    token.column, f"{quote(token.text)} after '>'; expected 'where' or ' : ' and a description"
                )
        return begin, sequence, end

    def sequence(self, depth: int) -> Sequence:
        items: list[Node] = []
        while True:
            token = self.tokens[self.next]
            kind = token.kind
            if kind == ELEMENT:
                self.next += 1
                items.append(self.repeated(self.element(token)))
            elif kind == MARK:
                self.next += 1
                self.mark(token)
                items.append(Mark(token.low, token.high if token.high is not None else 0, token.column))
            elif kind == OPEN:
                items.append(self.repeated(self.group(depth + 1)))
            elif kind == GAP:
                self.next += 1
                items.append(Gap(token.column))
                if self.tokens[self.next].kind == REPEAT:
                    raise Mistake(
                        self.tokens[self.next].column, "repetition of '...'; expected it after an element or a group"
                    )
            elif kind == BEGIN:
                raise Mistake(token.column, "'<' inside the sequence; expected it once, before the first element")
            elif kind == REPEAT:
                raise Mistake(token.column, "repetition of nothing; expected it after an element or a group")
            else:
                if not items:
                    what = {BAR: "'|'", CLOSE: "')'", END: "'>'"}.get(kind, "the end")
                    raise Mistake(
                        token.column, f"{what} where the sequence is empty; expected an element, for example c48"
                    )
                return Sequence(tuple(items))

    def repeated(self, body: Element | Alternatives) -> Node:
        token = self.tokens[self.next]
        if token.kind != REPEAT:
            return body
        self.next += 1
        after = self.tokens[self.next]
        if after.kind == REPEAT:
            raise Mistake(
                after.column, "a second repetition; expected a group around the first, for example (c1{2}){3}"
            )
        return Repeat(body, token.low, token.high, token.column)

    def mark(self, token: Token) -> None:
        after = self.tokens[self.next]
        if after.kind in (ELEMENT, OPEN):
            return
        if after.kind == MARK:
            raise Mistake(after.column, "two pause marks in a row; expected one before an element or a group")
        if after.kind == GAP:
            raise Mistake(token.column, "a pause mark before '...'; expected none, '...' takes any pauses")
        if after.kind == REPEAT:
            raise Mistake(after.column, "repetition of a pause mark; expected it after an element or a group")
        raise Mistake(token.column, "a pause mark with nothing after it; expected an element or a group")

    def group(self, depth: int) -> Alternatives:
        opening = self.tokens[self.next]
        if depth > MAX_NESTING:
            raise Mistake(opening.column, f"groups are nested too deeply; expected at most {MAX_NESTING} levels")
        branches: list[Sequence] = []
        while True:
            self.next += 1
            branches.append(self.sequence(depth))
            token = self.tokens[self.next]
            if token.kind == CLOSE:
                self.next += 1
                return Alternatives(tuple(branches), opening.column)
            if token.kind == END:
                raise Mistake(token.column, "'>' inside a group; expected it once, after the last element")
            if token.kind != BAR:
                raise Mistake(opening.column, "'(' is never closed; expected ')'")

    def element(self, token: Token) -> Element:
        side, every, low, dash, high, tolerance, target, sign, plus, target_tolerance, name = token.value
        column = token.column
        index = len(self.elements) + 1
        if low is not None:
            first = number(low, column + 1)
            after = column + 1 + len(low) + 1
            if dash is not None:
                last = UNBOUNDED if high is None else number(high, after)
                if last < first:
                    raise Mistake(
                        column + 1, f"the size range {first}-{last} is empty; expected the smaller size first"
                    )
                element = Element(index, _SIDES[side or ""], first, last, False, 0, 0, 0, name or "", column)
            elif tolerance is not None:
                spread = number(tolerance, after)
                low_size, high_size = max(0, first - spread), min(UNBOUNDED, first + spread)
                element = Element(index, _SIDES[side or ""], low_size, high_size, False, 0, 0, 0, name or "", column)
            else:
                element = Element(index, _SIDES[side or ""], first, first, True, 0, 0, 0, name or "", column)
        elif every is not None:
            element = Element(index, _SIDES[side or ""], 0, UNBOUNDED, False, 0, 0, 0, name or "", column)
        else:
            referred = self.referred(target or "", index, column + 2)
            constant = number(plus, column + token.text.index(sign or "") + 1, 0x7FFFFFFF) if plus else 0
            spread = number(target_tolerance, column + token.text.index("/") + 1, 0x7FFFFFFF) if target_tolerance else 0
            constant = -constant if sign == "-" else constant
            bare = target_tolerance is None
            element = Element(
                index, _SIDES[side or ""], 0, UNBOUNDED, bare, referred, constant, spread, name or "", column
            )
        self.elements.append(element)
        return element

    def referred(self, target: str, index: int, column: int) -> int:
        if target.isdigit():
            referred = number(target, column)
            if not 1 <= referred <= self.total:
                raise Mistake(
                    column,
                    f"there is no element {referred}; expected one before it, counted from 1 in the order written",
                )
        elif target in self.names:
            referred = self.names[target]
        elif target[0].isdigit():
            raise Mistake(
                column, f"wrong reference {quote('@' + target)}; expected a number or a name, for example @3 or @acc"
            )
        else:
            hint = suggest(target, self.names)
            raise Mistake(column, f"no element is named {quote(target)}{hint}; expected a name given with '#' before")
        if referred == index:
            raise Mistake(column, f"element {index} refers to itself; expected an element before it")
        if referred > index:
            raise Mistake(
                column, f"element {index} refers forward to element {referred}; expected an element before it"
            )
        return referred


def ports(text: str, column: int) -> tuple[tuple[int, int], ...]:
    """Return the inclusive ranges, ascending and disjoint, of `*`, `22`, `22,2222` or `8000-8999`; raise Mistake."""
    if text == "*":
        return ((0, 65535),)
    ranges = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        if not (low.isascii() and low.isdigit()) or (dash and not (high.isascii() and high.isdigit())):
            raise Mistake(column, f"wrong port {quote(part)}; expected *, 22, 22,2222 or 8000-8999")
        first = number(low, column, 65535)
        last = number(high, column + len(low) + 1, 65535) if dash else first
        if last < first:
            raise Mistake(column, f"the port range {quote(part)} is empty; expected the smaller port first")
        ranges.append((first, last))
        column += len(part) + 1
    ranges.sort()
    merged = [ranges[0]]
    for first, last in ranges[1:]:
        if first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _word(line: str, start: int, end: int) -> tuple[str, int, int]:
    while start < end and line[start] in " \t":
        start += 1
    stop = start
    while stop < end and line[stop] not in " \t":
        stop += 1
    return line[start:stop], start, stop


def signature(line: str) -> Signature:
    """Return the signature of one line, without id and attributes; raise Mistake."""
    colon = line.find(":")
    end = len(line) if colon < 0 else colon
    protocol, start, stop = _word(line, 0, end)
    if protocol not in PROTOCOLS and protocol != "*":
        hint = suggest(protocol.lower(), PROTOCOLS)
        raise Mistake(start + 1, f"unknown protocol {quote(protocol)}{hint}; expected tcp, udp, icmp or *")
    text, start, stop = _word(line, stop, end)
    if not text:
        raise Mistake(start + 1, "no ports after the protocol; expected *, 22, 22,2222 or 8000-8999")
    where_ports = ports(text, start + 1)
    text, start, _ = _word(line, stop, end)
    exact = text[:1] == "=" and text[1:2] in ("", "<", "(")
    if exact:
        stop = start + 1
    cut, condition = tokens(line, stop, end)
    if not exact:
        start = stop
    first = cut[0]
    reader = _Sequence(cut)
    begin, sequence, closed = reader.whole()
    program = where.parse(line, condition, end) if condition >= 0 else []
    if colon < 0:
        raise Mistake(len(line.rstrip()) + 1, "the line ends without a description; expected ' : ' and a description")
    description = line[colon + 1 :].strip(" \t")
    if not description:
        raise Mistake(colon + 2, "the description is empty; expected a few words after ':'")
    return Signature(
        id="",
        protocol=protocol,
        ports=where_ports,
        exact=exact,
        begin=begin,
        end=closed,
        turns=reader.turns,
        sequence=sequence,
        elements=tuple(reader.elements),
        where=tuple(program),
        condition=line[condition:end].strip(" \t") if condition >= 0 else "",
        text=line[first.column - 1 : end].strip(" \t"),
        description=description,
        column=first.column,
    )
