# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts definitions and their arguments into a sequence as written, numbers its elements and finds what they refer to.

What comes out is the tree of sigdb.nodes, the same as if everything had been written in one line. An argument is put in
as its text is: without parentheses, unless it is repeated; two pause marks that meet by that both hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sigdb.definitions import Definitions
from sigdb.errors import Mistake, quote, suggest
from sigdb.grammar import MAX_NESTING, one_kind, read_size, too_deep
from sigdb.nodes import (
    UNBOUNDED,
    Alternatives,
    Element,
    End,
    Gap,
    Mark,
    Node,
    Repeat,
    Sequence,
    Size,
)
from sigdb.tokens import ELEMENT, PARAMETER, Token, misplaced
from sigdb.written import (
    Argument,
    Dots,
    Group,
    Item,
    Parameter,
    Reference,
    Repeated,
    Sizes,
    Template,
    Use,
    Word,
    Written,
    WrittenSize,
)

MAX_ELEMENTS = 4095
MAX_TOKENS = 16_384  # that definitions put into a line
MAX_INSERTED = 1 << 20  # tokens that the definitions of a file put into its lines

_TERM = re.compile(r"\$([A-Za-z_][0-9A-Za-z_]*)([+-][0-9]+)?")
_SUM = re.compile(r"(@[0-9A-Za-z_]+)((?:[+-](?:[0-9]+|\$[A-Za-z_][0-9A-Za-z_]*))+)")
_PART = re.compile(r"([+-])(?:([0-9]+)|\$([A-Za-z_][0-9A-Za-z_]*))")


class Scope:
    """A definition that is being put in; without one, the signature's own line is read."""

    __slots__ = ("arguments", "column", "file", "line", "name")

    def __init__(self, use: Use, column: int, definitions: Definitions, around: Scope | None) -> None:
        found = definitions.get(use.name)
        self.name = use.name
        self.file = found.file
        self.line = found.line
        self.column = column  # in the signature's line
        self.arguments: dict[str, tuple[Argument, Scope | None]] = {
            name: (argument, around) for name, argument in zip(found.parameters, use.arguments, strict=True)
        }


class Expanded(NamedTuple):
    """A sequence with everything put in."""

    sequence: Sequence
    elements: tuple[Element, ...]
    turns: bool


class Expander:
    """Makes the nodes of one signature; its counters are of elements, and of gaps and repetitions."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.elements: list[Element] = []
        self.slots: dict[str, int] = {}  # of names
        self.shared: set[str] = set()  # names that several elements have
        self.numbered: list[tuple[int, Word, int]] = []  # references to numbers, with their place
        self.counted = 0
        self.inserted = 0
        self.first = ""
        self.root = Written((), ())
        self.uses = False

    def whole(self, written: Written) -> Expanded:
        """Return the tree of a signature. Raises Mistake."""
        self.root = written
        self.uses = _uses(written)
        sequence = self._sequence(written, None, 0)
        for number, word, offset in self.numbered:
            name = self.elements[number - 1].name
            if name in self.shared:
                raise Mistake(
                    word.column + offset,
                    f"element {number} shares its name with others; expected the name, @{name[:32]}",
                )
        self.definitions.inserted += self.inserted
        return Expanded(sequence, tuple(self.elements), self.first.isupper())

    def _sequence(self, written: Written, scope: Scope | None, depth: int) -> Sequence:
        items: list[Node] = []
        self._put(written, scope, depth, items)
        if written.parameters:
            self._check_joints(items, written.parameters[-1], scope)
        return Sequence(tuple(items))

    def _check_joints(self, items: list[Node], parameter: Parameter, scope: Scope | None) -> None:
        """Judge what arguments have left of a sequence."""
        what = "" if items else "leaves the sequence empty; expected an element there"
        for place, item in enumerate(items, 1):
            if isinstance(item, Mark) and (place == len(items) or isinstance(items[place], Gap | End)):
                what = "leaves a pause mark with no element behind it; expected an element there"
        if what:
            raise self._wrong(f"the argument of {quote('$' + parameter.name)} {what}", parameter.column, scope)

    def _put(self, written: Written, scope: Scope | None, depth: int, items: list[Node]) -> None:
        """Append the nodes of a sequence to `items`."""
        for item in written.items:
            if scope is not None:
                self._count(scope)
            if isinstance(item, Word):
                items.append(self._element(item, scope))
            elif isinstance(item, Mark):
                items.append(item)
            elif isinstance(item, Use):
                items.append(self._use(item, scope, depth))
            elif isinstance(item, Group):
                items.append(self._group(item, scope, depth))
            elif isinstance(item, Repeated):
                repeated = self._repeated(item, scope, depth)
                if repeated is not None:
                    items.append(repeated)
            elif isinstance(item, Parameter):
                argument, around = self._argument(item, scope)
                self._put(argument, around, depth, items)
            elif isinstance(item, Dots):
                self.counted += 1
                items.append(Gap(self.counted, item.column))
            else:
                items.append(End(item.column))

    def _count(self, scope: Scope) -> None:
        self.inserted += 1
        if self.inserted > MAX_TOKENS:
            raise Mistake(
                scope.column, f"the line is too long with its definitions put in; expected at most {MAX_TOKENS} tokens"
            )
        if self.definitions.inserted + self.inserted > MAX_INSERTED:
            raise Mistake(
                scope.column,
                f"the file is too long with its definitions put in; expected at most {MAX_INSERTED} tokens",
            )

    def _wrong(self, message: str, column: int, scope: Scope | None, offset: int = 0) -> Mistake:
        """Return a mistake at a column of the line in which a node is written."""
        if scope is None:
            return Mistake(column + offset, message)
        return misplaced(message, scope.column, (scope.name, scope.file, scope.line, column), offset)

    def _use(self, use: Use, scope: Scope | None, depth: int) -> Alternatives:
        column = use.column if scope is None else scope.column
        if depth >= MAX_NESTING:
            raise self._wrong(too_deep(), use.column, scope)
        body = self.definitions.get(use.name).body
        assert body is not None
        inner = Scope(use, column, self.definitions, scope)
        return Alternatives((self._sequence(body, inner, depth + 1),), column, use.text)

    def _group(self, group: Group, scope: Scope | None, depth: int) -> Alternatives:
        if depth >= MAX_NESTING:
            raise self._wrong(too_deep(), group.column, scope)
        branches = tuple([self._sequence(branch, scope, depth + 1) for branch in group.branches])
        return Alternatives(branches, group.column if scope is None else scope.column)

    def _repeated(self, item: Repeated, scope: Scope | None, depth: int) -> Repeat | None:
        """Return a repetition; None when it is that of an empty argument."""
        body = item.body
        node: Element | Alternatives
        if isinstance(body, Word):
            node = self._element(body, scope)
        elif isinstance(body, Use):
            node = self._use(body, scope, depth)
        elif isinstance(body, Group):
            node = self._group(body, scope, depth)
        else:
            argument, around = self._argument(body, scope)
            nodes: list[Node] = []
            self._put(argument, around, depth + 1, nodes)
            if not nodes:
                return None
            self._check_joints(nodes, body, scope)
            node = Alternatives((Sequence(tuple(nodes)),), body.column if scope is None else scope.column)
        self.counted += 1
        return Repeat(node, item.low, item.high, self.counted, item.column)

    def _argument(self, parameter: Parameter, scope: Scope | None) -> tuple[Written, Scope | None]:
        """Return the argument of a parameter that stands for a part of the sequence, and where it is written."""
        assert scope is not None
        argument, around = scope.arguments[parameter.name]
        if isinstance(argument, Sizes):
            raise self._wrong(
                f"the argument {quote(argument.text)} of {quote('$' + parameter.name)} is a size; "
                "expected elements or a pause mark, as the parameter does not stand inside an element",
                parameter.column,
                scope,
            )
        return argument, around

    def _element(self, word: Word, scope: Scope | None) -> Element:
        if not self.first:
            self.first = word.text[0]
        elif word.text[0].isupper() != self.first.isupper():
            one_kind(word.text[0], self.first, lambda message: self._wrong(message, word.column, scope))
        index = len(self.elements) + 1
        if index > MAX_ELEMENTS:
            raise self._wrong(f"too many elements; expected at most {MAX_ELEMENTS}", word.column, scope)
        if word.targets is None:
            sizes, excluded = self._filled(word, word.sizes, scope), self._filled(word, word.excluded, scope)
        else:
            key = tuple([self._slot(target, word, scope) for target in word.targets])
            known = word.known.get(key)
            if known is None:
                known = self._resolved(word.sizes, word, scope), self._resolved(word.excluded, word, scope)
                word.known[key] = known
            sizes, excluded = known
        name, slot, origin = word.name, index, None
        if name:
            slot = self.slots.setdefault(name, index)
            if slot != index:
                self.shared.add(name)
        column = word.column
        if scope is not None:
            origin = (scope.name, scope.file, scope.line, column)
            column = scope.column
        element = Element(index, word.side, sizes, excluded, name, slot, column, origin)
        self.elements.append(element)
        return element

    def _resolved(self, sizes: tuple[WrittenSize, ...], word: Word, scope: Scope | None) -> tuple[Size, ...]:
        result = []
        for size in sizes:
            if isinstance(size, Reference):
                slot = self._slot(size, word, scope)
                size = Size(0, UNBOUNDED, size.bare, slot, size.plus, size.tolerance, size.offset)  # noqa: PLW2901
            assert isinstance(size, Size)
            result.append(size)
        return tuple(result)

    def _filled(self, word: Word, sizes: tuple[WrittenSize, ...], scope: Scope | None) -> tuple[Size, ...]:
        """Return sizes with the arguments of parameters put in. All of an argument's sizes stand at one offset."""
        result: list[WrittenSize] = []
        for size in sizes:
            if not isinstance(size, Template):
                result.append(size)
                continue
            token = Token(ELEMENT, word.text, word.column)
            for part in self._text(size, word, scope).split(","):
                try:
                    result.append(read_size(token, part, size.offset))
                except Mistake as mistake:
                    raise self._wrong(
                        f"{quote(size.text)} is {quote(part)}, {mistake.message}", word.column, scope, size.offset
                    ) from None
        return self._resolved(tuple(result), word, scope)

    def _text(self, size: Template, word: Word, scope: Scope | None) -> str:
        """Return the text of a size without parameters."""

        def wrong(message: str) -> Mistake:
            return self._wrong(message, word.column, scope, size.offset)

        def sizes(name: str, within: Scope | None) -> str:
            assert within is not None
            argument, around = within.arguments[name]
            if isinstance(argument, Sizes):
                return ",".join(filled(part, around) for part in argument.text.split(","))
            if len(argument.items) == 1 and isinstance(argument.items[0], Parameter):
                return sizes(argument.items[0].name, around)
            raise wrong(f"the argument of {quote('$' + name)} is no size; expected one, for example 22, or @A,@A+8/0")

        def value(name: str, within: Scope | None) -> int:
            text = sizes(name, within)
            if not text.isdigit() or len(text) > 10:
                raise wrong(
                    f"the argument {quote(text)} of {quote('$' + name)} is no number; expected one, for example 22"
                )
            return int(text)

        def filled(part: str, within: Scope | None) -> str:
            whole = PARAMETER.fullmatch(part)
            if whole is not None:
                return sizes(whole[1], within)

            def constant(match: re.Match[str]) -> str:
                total = 0
                for sign, digits, name in _PART.findall(match[2]):
                    number = int(digits[:12]) if digits else value(name, within)
                    total += -number if sign == "-" else number
                return f"{match[1]}{total:+d}"

            def term(match: re.Match[str]) -> str:
                total = value(match[1], within) + int((match[2] or "0")[:12])
                if total < 0:
                    raise wrong(f"{quote(match[0])} is {total}; expected a number of at least 0")
                return str(total)

            if "$" not in part:
                return part
            return _TERM.sub(term, _SUM.sub(constant, part))

        return filled(size.text, scope)

    def _slot(self, reference: Reference, word: Word, scope: Scope | None) -> int:
        """Return the slot that `@target` means in the next element."""
        target, index = reference.target, len(self.elements) + 1
        slot = self.slots.get(target)
        if slot is not None:
            return slot

        def wrong(message: str) -> Mistake:
            return self._wrong(message, word.column, scope, reference.offset + 1)

        if not target.isdigit():
            later: dict[str, int] = {}
            for number, one in enumerate(self._words(self.root, None, 0), 1):
                later.setdefault(one.name, number)
            number = later.get(target, 0) if target else 0
            if not number:
                hint = suggest(target, filter(None, later))
                raise wrong(f"no element is named {quote(target)}{hint}; expected a name given with '#' before")
        else:
            if scope is not None or self.uses:
                raise wrong(
                    f"the number {quote('@' + target)} in a line that uses definitions; "
                    "expected a name, for example s44#acc and c@acc"
                )
            number = int(target[-10:]) if len(target.lstrip("0")) <= 10 else UNBOUNDED
            if 1 <= number < index:
                self.numbered.append((number, word, reference.offset + 1))
                return self.elements[number - 1].slot
            if not 1 <= number <= sum(1 for _ in self._words(self.root, None, 0)):
                raise wrong(
                    f"there is no element {number}; expected one before it, counted from 1 in the order written"
                )
        if number == index:
            raise wrong(f"element {index} refers to itself; expected an element before it")
        raise wrong(f"element {index} refers forward to element {number}; expected an element before it")

    def _words(self, written: Written, scope: Scope | None, depth: int) -> Iterator[Word]:
        """Yield the elements of the whole signature, also of what is still to come: to say what is wrong."""
        for whole in written.items:
            item: Item = whole.body if isinstance(whole, Repeated) else whole
            if scope is not None:
                self._count(scope)
            if isinstance(item, Word):
                yield item
            elif isinstance(item, Group) and depth < MAX_NESTING:
                for branch in item.branches:
                    yield from self._words(branch, scope, depth + 1)
            elif isinstance(item, Use) and depth < MAX_NESTING:
                body = self.definitions.get(item.name).body
                assert body is not None
                yield from self._words(body, Scope(item, item.column, self.definitions, scope), depth + 1)
            elif isinstance(item, Parameter) and scope is not None:
                argument, around = scope.arguments[item.name]
                if isinstance(argument, Written):
                    yield from self._words(argument, around, depth)


def _uses(written: Written) -> bool:
    """Return whether a sequence uses a definition."""
    for whole in written.items:
        item: Item = whole.body if isinstance(whole, Repeated) else whole
        if isinstance(item, Use) or (isinstance(item, Group) and any(map(_uses, item.branches))):
            return True
    return False
