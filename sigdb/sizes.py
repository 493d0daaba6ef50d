# SPDX-License-Identifier: LGPL-2.1-or-later
"""Works out which sizes each element of a signature can have, as disjoint ranges.

The size of a reference lies within what the elements of its slot can have. The closer these bounds, the fewer flows the
engine has to verify. They are bounds only: a flow may bind any of these sizes, and an exclusion that refers to
another size takes nothing away here.
"""

from collections.abc import Iterable

from sigdb.nodes import Alternatives, Element, Node, Repeat, Sequence, Signature, Size

MAX_RANGES = 16  # of a slot: beyond it their hull is taken

Ranges = tuple[tuple[int, int], ...]  # inclusive, ascending, disjoint, not adjacent
Fuzz = tuple[int, int]  # bytes, percent


def spread(size: int, fuzz: Fuzz | None) -> int:
    """Return how far a bare size may be off."""
    return max(fuzz[0], size * fuzz[1] // 100) if fuzz else 0


class Sizes:
    """The sizes of all elements of a signature within smallest..largest, under a fuzzy rule (None: exact)."""

    def __init__(self, signature: Signature, fuzz: Fuzz | None, smallest: int, largest: int) -> None:
        self.fuzz = fuzz
        self.bounds = smallest, largest
        self.ranges: list[Ranges] = []  # of element n at n - 1
        self.members: dict[
            tuple[int, int], Ranges
        ] = {}  # of one size, by element and place in it, beyond the bounds too
        self._slots: dict[int, Ranges] = {}  # what the elements so far can leave in a slot
        loops = _loops(signature.sequence, 0, {})
        last = {(element.slot, loops.get(element.number, 0)): element.number for element in signature.elements}
        for element in signature.elements:
            loop = loops.get(element.number, 0)
            self._around = set()  # slots that later elements of the same repetition fill too
            if loop:
                every = (*element.sizes, *element.excluded)
                self._around = {s.reference for s in every if last.get((s.reference, loop), 0) >= element.number}
            found = self._element(element)
            self.ranges.append(found)
            self._slots[element.slot] = _few((*self._slots.get(element.slot, ()), *found))

    def _element(self, element: Element) -> Ranges:
        smallest, largest = self.bounds
        found: Ranges = ()
        if len(element.sizes) == 1 and not element.excluded:
            self.members[element.number, 0] = ranges = self._member(element.sizes[0])
            if len(ranges) == 1:  # nearly all
                low, high = max(ranges[0][0], smallest), min(ranges[0][1], largest)
                return ((low, high),) if low <= high else ()
        for place, size in enumerate(element.sizes):
            self.members[element.number, place] = ranges = self._member(size)
            found = union((*found, *((max(low, smallest), min(high, largest)) for low, high in ranges)))
        for place, size in enumerate(element.excluded, len(element.sizes)):
            self.members[element.number, place] = ranges = self._member(size)
            if not size.reference:
                found = _without(found, *ranges[0])
        return found

    def _member(self, size: Size) -> Ranges:
        if not size.reference:
            off = spread(size.low, self.fuzz) if size.bare else 0
            return ((size.low - off, size.high + off),)
        targets = (self.bounds,) if size.reference in self._around else self._slots.get(size.reference, ())
        found: list[tuple[int, int]] = []
        for target in targets:
            low, high = target[0] + size.plus, target[1] + size.plus
            if size.bare:
                found.append((low - spread(low, self.fuzz), high + spread(high, self.fuzz)))
            else:
                found.append((low - size.tolerance, high + size.tolerance))
        return tuple(found)


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return ranges, some perhaps empty (low above high), as disjoint ones."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if low > high:
            continue
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def _few(ranges: Ranges) -> Ranges:
    ranges = union(ranges)
    return ranges if len(ranges) <= MAX_RANGES else ((ranges[0][0], ranges[-1][1]),)


def _without(ranges: Ranges, low: int, high: int) -> Ranges:
    return union(part for a, b in ranges for part in ((a, min(b, low - 1)), (max(a, high + 1), b)))


def _loops(node: Node | Sequence, loop: int, found: dict[int, int]) -> dict[int, int]:
    """Note for each element inside a repetition the number of the outermost one."""
    if isinstance(node, Element):
        if loop:
            found[node.number] = loop
    elif isinstance(node, Repeat):
        _loops(node.body, loop or (node.number if node.high != 1 else 0), found)
    else:
        parts = node.branches if isinstance(node, Alternatives) else node.items if isinstance(node, Sequence) else ()
        for part in parts:
            _loops(part, loop, found)
    return found
