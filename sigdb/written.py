# SPDX-License-Identifier: LGPL-2.1-or-later
"""A sequence as it is written, before definitions are put in: what sigdb.grammar returns and sigdb.expand reads.

Columns are those of the line in which a node stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sigdb.nodes import Mark, Size


class Reference(NamedTuple):
    """A size that is another element's: `@acc-16/4`."""

    target: str  # a name or a number
    plus: int
    tolerance: int
    bare: bool
    offset: int  # in characters from the element's beginning


class Template(NamedTuple):
    """A size with parameters, as text: `$n+58`, `@a-$n`, or `$sizes` alone."""

    text: str
    offset: int


WrittenSize = Size | Reference | Template


class Word:
    """An element: `c48/15#name`."""

    __slots__ = ("column", "excluded", "known", "name", "side", "sizes", "targets", "text")

    def __init__(
        self,
        text: str,
        column: int,
        side: int,
        sizes: tuple[WrittenSize, ...],
        excluded: tuple[WrittenSize, ...],
        name: str,
    ) -> None:
        self.text = text
        self.column = column
        self.side = side
        self.sizes = sizes
        self.excluded = excluded
        self.name = name
        every = (*sizes, *excluded)
        # what it refers to; None where that is up to arguments
        self.targets: tuple[Reference, ...] | None = None
        if not any(isinstance(size, Template) for size in every):
            self.targets = tuple({size.target: size for size in every if isinstance(size, Reference)}.values())
        self.known: dict[tuple[int, ...], tuple[tuple[Size, ...], tuple[Size, ...]]] = {}  # sizes, by their slots


class Dots(NamedTuple):
    """`...`."""

    column: int


class Last(NamedTuple):
    """`>` at the end of a branch, a group or a definition."""

    column: int


class Parameter(NamedTuple):
    """`$name` where an argument is put in."""

    name: str
    column: int


class Use(NamedTuple):
    """`$NAME` or `$NAME(argument, argument)`: a definition is put in as a group."""

    name: str
    arguments: tuple[Argument, ...]
    text: str  # without `$`
    column: int


class Group(NamedTuple):
    """`( ... | ... )`."""

    branches: tuple[Written, ...]
    column: int


class Repeated(NamedTuple):
    """`{low,high}` behind what it repeats."""

    body: Word | Group | Use | Parameter
    low: int
    high: int | None
    column: int


Item = Word | Mark | Dots | Last | Parameter | Use | Group | Repeated


@dataclass(frozen=True, slots=True)
class Written:
    """A sequence; an argument may be an empty one."""

    items: tuple[Item, ...]
    parameters: tuple[Parameter, ...]  # those among the items


class Sizes(NamedTuple):
    """An argument that stands inside an element: `22`, `$n+7`, `@A,@A+8/0`."""

    text: str
    column: int


Argument = Written | Sizes
