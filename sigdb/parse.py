# SPDX-License-Identifier: LGPL-2.1-or-later
"""One line of a signature file to a tree: protocol, ports, sequence, condition, description.

Recursive descent over the tokens of the sequence; the first mistake ends the line. sigdb.reader puts the lines of a
file together, sigdb.check judges what the grammar alone cannot.
"""

from sigdb import where
from sigdb.definitions import Definitions
from sigdb.errors import Mistake, quote, suggest
from sigdb.nodes import (
    CLIENT,
    EITHER,
    PROTOCOLS,
    SERVER,
    UNBOUNDED,
    Alternatives,
    Element,
    End,
    Gap,
    Mark,
    Node,
    Repeat,
    Sequence,
    Signature,
    Size,
)
from sigdb.tokens import (
    BAR,
    BEGIN,
    CLOSE,
    ELEMENT,
    END,
    GAP,
    MARK,
    OPEN,
    REPEAT,
    SIZE_PARTS,
    STOP,
    Token,
    number,
    tokens,
)

MAX_ELEMENTS = 4095
MAX_NESTING = 32

_SIDES = {"c": CLIENT, "s": SERVER, "x": EITHER, "C": CLIENT, "S": SERVER, "X": EITHER}


class _Sequence:
    """Recursive descent over the tokens of one signature, or of a definition."""

    def __init__(self, tokens: list[Token], *, definition: bool = False) -> None:
        self.tokens = tokens
        self.definition = definition
        self.next = 0
        self.elements: list[Element] = []
        self.names: dict[str, list[int]] = {}  # which elements have a name
        self.name_of: list[str] = []
        self.numbered = not definition and not any(token.origin for token in tokens)
        self.counted = 0  # gaps and repetitions
        self.plain: dict[tuple[str, int], Size] = {}  # sizes without reference, by text and offset: most come again
        first = None
        for token in tokens:
            if token.kind != ELEMENT:
                continue
            first = first or token
            if len(self.name_of) == MAX_ELEMENTS:
                raise token.mistake(f"too many elements; expected at most {MAX_ELEMENTS}")
            if token.text[0].isupper() != first.text[0].isupper():
                packets, turns = sorted((token.text[0], first.text[0]), reverse=True)
                raise token.mistake(
                    f"'{packets}' (a packet) and '{turns}' (a turn) in one signature; expected one kind"
                )
            self.name_of.append(token.value[3] or "")
            if token.value[3]:
                self.names.setdefault(token.value[3], []).append(len(self.name_of))
        self.turns = first is not None and first.text[0].isupper()

    def whole(self) -> tuple[bool, Sequence, bool]:
        begin = self.tokens[0].kind == BEGIN
        if begin:
            if self.definition:
                raise self.tokens[0].mistake("'<' in a definition; expected it in the signature that uses it")
            self.next = 1
        sequence = self.sequence(0)
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
            token = self.tokens[self.next]
            if token.kind != STOP:
                what = "nothing" if self.definition else "'where' or ' : ' and a description"
                raise token.mistake(f"{quote(token.text)} after '>'; expected {what}")
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
                self.counted += 1
                items.append(Gap(self.counted, token.column))
                if self.tokens[self.next].kind == REPEAT:
                    raise self.tokens[self.next].mistake("repetition of '...'; expected it after an element or a group")
            elif kind == BEGIN:
                raise token.mistake("'<' inside the sequence; expected it once, before the first element")
            elif kind == REPEAT:
                raise token.mistake("repetition of nothing; expected it after an element or a group")
            elif not items:
                what = {BAR: "'|'", CLOSE: "')'", END: "'>'"}.get(kind, "the end")
                raise token.mistake(f"{what} where the sequence is empty; expected an element, for example c48")
            elif kind == END and depth:
                self.next += 1
                after = self.tokens[self.next]
                if after.kind not in (BAR, CLOSE):
                    what = quote(after.text) if after.text else "the end"
                    raise after.mistake(f"{what} after '>' inside a group; expected '|' or ')'")
                return Sequence((*items, End(token.column)))
            else:
                return Sequence(tuple(items))

    def repeated(self, body: Element | Alternatives) -> Node:
        token = self.tokens[self.next]
        if token.kind != REPEAT:
            return body
        self.next += 1
        after = self.tokens[self.next]
        if after.kind == REPEAT:
            raise after.mistake("a second repetition; expected a group around the first, for example (c1{2}){3}")
        self.counted += 1
        return Repeat(body, token.low, token.high, self.counted, token.column)

    def mark(self, token: Token) -> None:
        after = self.tokens[self.next]
        if after.kind in (ELEMENT, OPEN):
            return
        if after.kind == MARK:
            raise after.mistake("two pause marks in a row; expected one before an element or a group")
        if after.kind == GAP:
            raise token.mistake("a pause mark before '...'; expected none, '...' takes any pauses")
        if after.kind == REPEAT:
            raise after.mistake("repetition of a pause mark; expected it after an element or a group")
        raise token.mistake("a pause mark with nothing after it; expected an element or a group")

    def group(self, depth: int) -> Alternatives:
        opening = self.tokens[self.next]
        if depth > MAX_NESTING:
            raise opening.mistake(f"groups are nested too deeply; expected at most {MAX_NESTING} levels")
        branches: list[Sequence] = []
        while True:
            self.next += 1
            branches.append(self.sequence(depth))
            token = self.tokens[self.next]
            if token.kind == CLOSE:
                self.next += 1
                return Alternatives(tuple(branches), opening.column, opening.text[1:])
            if token.kind != BAR:
                raise opening.mistake("'(' is never closed; expected ')'")

    def element(self, token: Token) -> Element:
        side, sizes, excluded, name = token.value
        index = len(self.elements) + 1
        after = 2 + len(sizes or "")
        element = Element(
            number=index,
            side=_SIDES[side or ""],
            sizes=self.sizes(token, sizes or "", 1, index),
            excluded=self.sizes(token, excluded, after, index) if excluded else (),
            name=name or "",
            slot=self.names[name][0] if name else index,
            column=token.column,
            origin=token.origin,
        )
        self.elements.append(element)
        return element

    def sizes(self, token: Token, text: str, offset: int, index: int) -> tuple[Size, ...]:
        result = []
        for part in text.split(","):
            size = self.plain.get((part, offset))
            if size is None:
                size = self.size(token, part, offset, index)
                if not size.reference:
                    self.plain[part, offset] = size
            result.append(size)
            offset += len(part) + 1
        return tuple(result)

    def size(self, token: Token, text: str, offset: int, index: int) -> Size:
        match = SIZE_PARTS.fullmatch(text)
        assert match is not None
        parts = match

        def value(group: int, limit: int = UNBOUNDED) -> int:
            return number(parts[group] or "0", token.column + offset + parts.start(group), limit)

        every, low, dash, high, tolerance, target, sign, _, around = match.groups()
        if every is not None:
            return Size(0, UNBOUNDED, False, offset=offset)
        if low is not None:
            first = value(2)
            if dash is not None:
                last = UNBOUNDED if high is None else value(4)
                if last < first:
                    raise token.mistake(
                        f"the size range {first}-{last} is empty; expected the smaller size first", offset
                    )
                return Size(first, last, False, offset=offset)
            if tolerance is not None:
                spread = value(5)
                return Size(max(0, first - spread), min(UNBOUNDED, first + spread), False, offset=offset)
            return Size(first, first, True, offset=offset)
        referred = self.referred(target, index, token, offset + 1)
        constant = -value(8, 0x7FFFFFFF) if sign == "-" else value(8, 0x7FFFFFFF)
        return Size(0, UNBOUNDED, around is None, referred, constant, value(9, 0x7FFFFFFF), offset)

    def referred(self, target: str, index: int, token: Token, offset: int) -> int:
        """Return the slot that `@target` means; 0 in a definition, where it depends on what comes before its use."""
        if target.isdigit():
            referred = self.numbered_element(target, token, offset)
        elif target[0].isdigit():
            raise token.mistake(
                f"wrong reference {quote('@' + target)}; expected a number or a name, for example @3 or @acc", offset
            )
        elif self.definition:
            return 0
        elif target in self.names:
            referred = self.names[target][0]
        else:
            hint = suggest(target, self.names)
            raise token.mistake(
                f"no element is named {quote(target)}{hint}; expected a name given with '#' before", offset
            )
        if referred == index:
            raise token.mistake(f"element {index} refers to itself; expected an element before it", offset)
        if referred > index:
            raise token.mistake(
                f"element {index} refers forward to element {referred}; expected an element before it", offset
            )
        return referred

    def numbered_element(self, target: str, token: Token, offset: int) -> int:
        if not self.numbered:
            where = "in a definition" if self.definition else "in a line that uses definitions"
            raise token.mistake(
                f"the number {quote('@' + target)} {where}; expected a name, for example s44#acc and c@acc", offset
            )
        referred = number(target, token.column + offset)
        if not 1 <= referred <= len(self.name_of):
            raise token.mistake(
                f"there is no element {referred}; expected one before it, counted from 1 in the order written", offset
            )
        name = self.name_of[referred - 1]
        if name and len(self.names[name]) > 1:
            raise token.mistake(
                f"element {referred} shares its name with others; expected the name, @{name[:32]}", offset
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


def definition(line: str, index: int, definitions: Definitions) -> None:
    """Add what a line `let NAME = sequence` defines, line number `index`; raise Mistake."""
    name, start = definitions.header(line, index)
    cut, condition = tokens(line, start, len(line))
    if condition >= 0:
        raise cut[-1].mistake("'where' in a definition; expected it in the signature that uses it")
    cut = definitions.insert(cut, name)
    _Sequence(cut, definition=True).whole()
    definitions.add(name, cut)


def signature(line: str, definitions: Definitions | None = None) -> Signature:
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
    reader = _Sequence((definitions or Definitions()).insert(cut))
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
