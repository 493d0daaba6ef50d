# SPDX-License-Identifier: LGPL-2.1-or-later
"""One signature's tree to its positions: what may begin, what may follow what, what may end.

The walk carries *edges in search of a target*: pairs (source position, pause condition of the next packet). An element
takes each pair, makes a position for its condition (or finds the one it made), adds the edge, and hands on one new
pair. So repetition is unrolled, references need nothing, and the pause rules come out by path:

1. Before the first packet of a match and after `...` the condition is FREE, after an element it is "below the
   threshold". A mark replaces these; where two marks meet (an optional element between them) both hold.
2. A loop, {n,}, feeds its pairs back until no new one comes out; a node hands on each pair once, so this ends.
3. After `>` inside a group a pair has ended: nothing but the end of the sequence takes it.
4. An element drops a pair whose condition no packet can meet, and one between two turns of a side that would be a
   single turn. (The end of the sequence and `...` do not mind marks that exclude one another.) Positions that then
   lead nowhere are pruned; an element with none left is an error.
"""

from typing import NamedTuple

from sigdb import think
from sigdb.errors import Mistake
from sigdb.nodes import (
    EITHER,
    THRESHOLD,
    UNBOUNDED,
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
from sigdb.program import ANY, END, FIRST, FUZZY, LAST
from sigdb.sizes import Ranges, Sizes, spread
from sigdb.tokens import misplaced

MAX_POSITIONS = 4096
MAX_EDGES = 65_536
MAX_STEPS = 1_000_000  # bounds the walk itself, where nested repetition makes pairs but few edges

START = -1

ENDED = 2

Pair = tuple[int, int, int, int]  # source, lowest and highest think code of the next packet; 1: marked, or ENDED


class Test(NamedTuple):
    """One size of several that a position asks for, or excludes; see sigdb.program."""

    low: int
    high: int
    reference: int
    plus: int
    tolerance: int
    excluded: bool


class Position(NamedTuple):
    """One copy of an element, under one pause condition; the fields are the columns of sigdb.program.Stream."""

    element: int
    side: int
    low: int
    high: int
    pause_low: int
    pause_high: int
    reference: int = 0
    plus: int = 0
    tolerance: int = 0
    flags: int = 0
    slot: int = 0
    ranges: Ranges = ()
    tests: tuple[Test, ...] = ()


class Automaton:
    """The positions of one signature; all numbers are local to it.

    follow[p] is the set of the successors of positions[p].
    """

    def __init__(self, signature: Signature, threshold: int, fuzz: tuple[int, int] | None) -> None:
        self.signature = signature
        self.threshold = threshold
        self.fuzz = None if signature.exact else fuzz
        self.positions: list[Position] = []
        self.follow: list[set[int]] = []
        self.first: set[int] = set()
        self._made: dict[tuple[int, int, int, int], int] = {}
        self._paths: dict[tuple[int, int, int], int] = {}
        self._seen: dict[int, set[Pair]] = {}
        self._edges = 0
        self._steps = 0
        self._dropped: tuple[Element, str] | None = None
        self._sizes = Sizes(signature, self.fuzz, 0, UNBOUNDED)
        self._asked: dict[int, Position] = {}
        ends = self._sequence(_simple(signature), [(START, 0, think.MAX, 0)], 0)
        last = {source for source, _, _, state in ends if state != ENDED}
        ended = {source for source, _, _, state in ends if state == ENDED}
        self._flag(last, ended)
        if self._dropped:
            self._prune(last | ended, *self._dropped)

    def _flag(self, last: set[int], ended: set[int]) -> None:
        for flag, indices in ((FIRST, self.first), (LAST, last), (END, ended)):
            for index in indices - {START}:
                position = self.positions[index]
                self.positions[index] = position._replace(flags=position.flags | flag)

    def _too_large(self, what: str) -> Mistake:
        return Mistake(self.signature.column, f"the signature is too large; expected at most {what}")

    def _count(self, pairs: list[Pair]) -> None:
        self._steps += len(pairs) + 1
        if self._steps > MAX_STEPS:
            raise self._too_large(f"{MAX_STEPS} steps to compile it")

    def _sequence(self, sequence: Sequence, pairs: list[Pair], path: int) -> list[Pair]:
        for item in sequence.items:
            if not pairs:
                break
            pairs = self._node(item, pairs, path)
        return pairs

    def _node(self, node: Node, pairs: list[Pair], path: int) -> list[Pair]:
        self._count(pairs)
        if isinstance(node, Element):
            return self._element(node, pairs, path)
        if isinstance(node, Mark):
            return self._mark(node, pairs)
        if isinstance(node, Gap):
            return self._gap(node, pairs, path)
        if isinstance(node, End):
            return list(dict.fromkeys((source, 0, think.MAX, ENDED) for source, *_ in pairs))
        if isinstance(node, Repeat):
            return self._repeat(node, pairs, path)
        if len(node.branches) == 1:
            return self._sequence(node.branches[0], pairs, path)
        out: list[Pair] = []
        for branch in node.branches:
            out += self._sequence(branch, pairs, path)
        return list(dict.fromkeys(out))

    def _element(self, element: Element, pairs: list[Pair], path: int) -> list[Pair]:
        out: list[Pair] = []
        for source, low, high, state in pairs:
            if state == ENDED:
                self._drop(element, "something must still match after '>'; expected '>' where the sequence may end")
                continue
            if low > high:
                self._drop(element, "the pause marks before it exclude one another; expected a pause that can occur")
                continue
            if source == START and low > 0 and self.signature.begin and self.signature.protocol in ("udp", "icmp"):
                self._drop(
                    element, "there is no pause before the first datagram of a flow; expected a pause that can occur"
                )
                continue
            if self.signature.turns and source != START and high < self.threshold:
                before = self.positions[source]
                if before.element and before.side == element.side != EITHER:
                    self._drop(
                        element,
                        "packets of one side without a pause between them are one turn; "
                        "expected a pause that can occur",
                    )
                    continue
            key = (path, element.number, low, high)
            position = self._made.get(key)
            if position is None:
                w = self._wanted(element)
                position = self._new(
                    key,
                    Position(
                        w.element, w.side, w.low, w.high, low, high,
                        w.reference, w.plus, w.tolerance, w.flags, w.slot, w.ranges, w.tests,
                    ),
                )  # fmt: skip
                out.append((position, 0, self.threshold - 1, 0))
            self._edge(source, position)
        return out

    def _drop(self, element: Element, why: str) -> None:
        self._dropped = self._dropped or (element, why)

    def _wanted(self, element: Element) -> Position:
        """Return what a position of an element asks for, before its pause is known."""
        found = self._asked.get(element.number)
        if found is None:
            ranges = self._sizes.ranges[element.number - 1] or ((1, 0),)
            tests = [self._test(size, False) for size in element.sizes]
            tests += [self._test(size, True) for size in element.excluded]
            found = Position(
                element.number,
                element.side,
                ranges[0][0],
                ranges[-1][1],
                0,
                0,
                slot=element.slot,
                ranges=ranges if len(ranges) > 1 else (),
            )
            if len(tests) == 1:
                _, _, reference, plus, tolerance, _ = tests[0]
                found = found._replace(reference=reference, plus=plus, tolerance=tolerance)
            else:
                found = found._replace(tests=tuple(tests))
            self._asked[element.number] = found
        return found

    def _test(self, size: Size, excluded: bool) -> Test:
        if size.reference:
            tolerance = size.tolerance
            if size.bare:
                tolerance = FUZZY if self.fuzz else 0
            return Test(0, UNBOUNDED, size.reference, size.plus, tolerance, excluded)
        off = spread(size.low, self.fuzz) if size.bare else 0
        return Test(max(0, size.low - off), min(UNBOUNDED, size.high + off), 0, 0, 0, excluded)

    def _new(self, key: tuple[int, int, int, int], position: Position) -> int:
        if len(self.positions) == MAX_POSITIONS:
            raise self._too_large(f"{MAX_POSITIONS} positions (elements times repetitions)")
        self._made[key] = len(self.positions)
        self.positions.append(position)
        self.follow.append(set())
        return len(self.positions) - 1

    def _edge(self, source: int, position: int) -> None:
        if source == START:
            self.first.add(position)
            return
        follow = self.follow[source]
        if position not in follow:
            follow.add(position)
            self._edges += 1
            if self._edges > MAX_EDGES:
                raise self._too_large(f"{MAX_EDGES} steps from position to position")

    def _mark(self, mark: Mark, pairs: list[Pair]) -> list[Pair]:
        mark_low = self.threshold if mark.low == THRESHOLD else mark.low
        out = []
        for source, low, high, state in pairs:
            if state == ENDED:
                out.append((source, low, high, state))
                continue
            low = max(low, mark_low) if state else mark_low  # noqa: PLW2901
            high = min(high, mark.high) if state else mark.high  # noqa: PLW2901
            out.append((source, low, high, 1) if low <= high else (source, 1, 0, 1))
        return list(dict.fromkeys(out))

    def _gap(self, gap: Gap, pairs: list[Pair], path: int) -> list[Pair]:
        key = (path, -gap.number, 0, 0)
        position = self._made.get(key)
        out = [pair for pair in pairs if pair[3] == ENDED]
        pairs = [pair for pair in pairs if pair[3] != ENDED]
        if not pairs:
            return out
        out += [(source, 0, think.MAX, 0) for source, *_ in pairs]
        if position is None:
            position = self._new(key, Position(0, EITHER, 0, UNBOUNDED, 0, think.MAX, flags=ANY))
            self._edge(position, position)
            out.append((position, 0, think.MAX, 0))
        for source, *_ in pairs:
            self._edge(source, position)
        return list(dict.fromkeys(out))

    def _path(self, path: int, node: Repeat, copy: int) -> int:
        return self._paths.setdefault((path, node.number, copy), len(self._paths) + 1)

    def _body(self, node: Repeat, pairs: list[Pair], path: int) -> list[Pair]:
        if isinstance(node.body, Element):
            return self._element(node.body, pairs, path)
        return self._node(node.body, pairs, path)

    def _repeat(self, node: Repeat, pairs: list[Pair], path: int) -> list[Pair]:
        out: list[Pair] = []
        copies = max(node.low - 1, 0) if node.high is None else node.high
        for copy in range(copies):
            if not pairs:
                break
            if copy >= node.low:
                out += pairs
            self._count(pairs)
            pairs = self._body(node, pairs, self._path(path, node, copy))
        if node.high is not None or node.low == 0:
            out += pairs
        if node.high is None:
            loop = self._path(path, node, -1)
            seen = self._seen.setdefault(loop, set())
            while pairs := [pair for pair in dict.fromkeys(pairs) if pair not in seen]:
                seen.update(pairs)
                self._count(pairs)
                pairs = self._body(node, pairs, loop)
                out += pairs
        return list(dict.fromkeys(out))

    def _prune(self, last: set[int], suspect: Element, why: str) -> None:
        """Drop positions from which no match can end; complain of elements that have none left."""
        before: list[list[int]] = [[] for _ in self.follow]
        for source, targets in enumerate(self.follow):
            for target in targets:
                before[target].append(source)
        alive = {position for position in last if position != START}
        work = list(alive)
        while work:
            for source in before[work.pop()]:
                if source not in alive:
                    alive.add(source)
                    work.append(source)
        found = {self.positions[position].element for position in alive}
        for element in (suspect, *self.signature.elements):
            if element.number not in found:
                raise misplaced(f"element {element.number} can never match, {why}", element.column, element.origin)
        kept = sorted(alive)
        renamed = {position: index for index, position in enumerate(kept)}
        self.positions = [self.positions[position] for position in kept]
        self.follow = [{renamed[target] for target in self.follow[position] if target in alive} for position in kept]


def _simple(signature: Signature) -> Sequence:
    """Return the sequence without a `...` that says nothing: first where the match may begin anywhere, or twice."""
    items: list[Node] = []
    for item in signature.sequence.items:
        if isinstance(item, Gap) and (isinstance(items[-1], Gap) if items else not signature.begin):
            continue
        items.append(item)
    return Sequence(tuple(items))
