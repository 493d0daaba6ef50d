# SPDX-License-Identifier: LGPL-2.1-or-later
"""One signature's tree to its positions: what may begin, what may follow what, what may end.

The walk carries *edges in search of a target*: pairs (source position, pause condition of the next packet). An element
takes each pair, makes a position for its condition (or finds the one it made), adds the edge, and hands on one new
pair. So repetition is unrolled, references need nothing, and the pause rules come out by path:

1. Before the first packet of a match and after `...` the condition is FREE, after an element it is "below the
   threshold". A mark replaces these; where two marks meet (an optional element between them) both hold.
2. A loop, {n,}, feeds its pairs back until no new one comes out; a node hands on each pair once, so this ends.
3. An element drops a pair whose condition no packet can meet, and one between two turns of a side that would be a
   single turn. (The end of the sequence and `...` do not mind marks that exclude one another.) Positions that then
   lead nowhere are pruned; an element with none left is an error.
"""

from sigdb import think
from sigdb.errors import Mistake
from sigdb.nodes import EITHER, THRESHOLD, UNBOUNDED, Element, Gap, Mark, Node, Repeat, Sequence, Signature
from sigdb.program import ANY, FIRST, FUZZY, LAST

MAX_POSITIONS = 4096
MAX_EDGES = 65_536
MAX_STEPS = 1_000_000  # bounds the walk itself, where nested repetition makes pairs but few edges

START = -1

Pair = tuple[int, int, int, bool]  # source, lowest and highest think code of the next packet, "marked"


class Automaton:
    """The positions of one signature; all numbers are local to it.

    positions[p] is (element number or 0, side, low, high, pause low, pause high, reference, plus, tolerance, flags),
    follow[p] the set of its successors.
    """

    def __init__(self, signature: Signature, threshold: int, fuzz: tuple[int, int] | None) -> None:
        self.signature = signature
        self.threshold = threshold
        self.fuzz = None if signature.exact else fuzz
        self.positions: list[tuple[int, int, int, int, int, int, int, int, int, int]] = []
        self.follow: list[set[int]] = []
        self.first: set[int] = set()
        self._made: dict[tuple[int, int, int, int], int] = {}
        self._paths: dict[tuple[int, int, int], int] = {}
        self._seen: dict[int, set[Pair]] = {}
        self._edges = 0
        self._steps = 0
        self._dropped: tuple[Element, str] | None = None
        ends = self._sequence(_simple(signature), [(START, 0, think.MAX, False)], 0)
        last = {source for source, *_ in ends}
        self._flag(last)
        if self._dropped:
            self._prune(last, *self._dropped)

    def _flag(self, last: set[int]) -> None:
        for index, position in enumerate(self.positions):
            flags = position[9] | (FIRST if index in self.first else 0) | (LAST if index in last else 0)
            self.positions[index] = (*position[:9], flags)

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
        for source, low, high, _ in pairs:
            if low > high:
                self._drop(element, "the pause marks before it exclude one another")
                continue
            if source == START and low > 0 and self.signature.begin and self.signature.protocol in ("udp", "icmp"):
                self._drop(element, "there is no pause before the first datagram of a flow")
                continue
            if self.signature.turns and source != START and high < self.threshold:
                before = self.positions[source]
                if before[0] and before[1] == element.side != EITHER:
                    self._drop(element, "packets of one side without a pause between them are one turn")
                    continue
            key = (path, element.number, low, high)
            position = self._made.get(key)
            if position is None:
                size_low, size_high, tolerance = self._size(element)
                position = self._new(
                    key,
                    (
                        element.number, element.side, size_low, size_high, low, high,
                        element.reference, element.plus, tolerance, 0,
                    ),
                )  # fmt: skip
                out.append((position, 0, self.threshold - 1, False))
            self._edge(source, position)
        return out

    def _drop(self, element: Element, why: str) -> None:
        self._dropped = self._dropped or (element, why)

    def _size(self, element: Element) -> tuple[int, int, int]:
        """Return the sizes that an element may have, and the tolerance of a reference.

        A reference may have any size that the sizes of its target lead to: the closer these bounds, the fewer flows
        the engine has to verify.
        """
        if not element.reference:
            spread = self._spread(element.low) if element.bare else 0
            return max(0, element.low - spread), min(UNBOUNDED, element.high + spread), 0
        low, high, _ = self._size(self.signature.elements[element.reference - 1])
        low, high = low + element.plus, high + element.plus
        if element.bare and self.fuzz:
            low, high, tolerance = low - self._spread(low), high + self._spread(high), FUZZY
        else:
            tolerance = 0 if element.bare else element.tolerance
            low, high = low - tolerance, high + tolerance
        return min(max(0, low), UNBOUNDED), min(max(0, high), UNBOUNDED), tolerance

    def _spread(self, size: int) -> int:
        """Return how far a bare size may be off."""
        return max(self.fuzz[0], size * self.fuzz[1] // 100) if self.fuzz else 0

    def _new(
        self, key: tuple[int, int, int, int], position: tuple[int, int, int, int, int, int, int, int, int, int]
    ) -> int:
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
        for source, low, high, marked in pairs:
            low = max(low, mark_low) if marked else mark_low  # noqa: PLW2901
            high = min(high, mark.high) if marked else mark.high  # noqa: PLW2901
            out.append((source, low, high, True) if low <= high else (source, 1, 0, True))
        return list(dict.fromkeys(out))

    def _gap(self, gap: Gap, pairs: list[Pair], path: int) -> list[Pair]:
        key = (path, -gap.column, 0, 0)
        position = self._made.get(key)
        out = [(source, 0, think.MAX, False) for source, *_ in pairs]
        if position is None:
            position = self._new(key, (0, 3, 0, UNBOUNDED, 0, think.MAX, 0, 0, 0, ANY))
            self._edge(position, position)
            out.append((position, 0, think.MAX, False))
        for source, *_ in pairs:
            self._edge(source, position)
        return list(dict.fromkeys(out))

    def _path(self, path: int, node: Repeat, copy: int) -> int:
        return self._paths.setdefault((path, node.column, copy), len(self._paths) + 1)

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
        found = {self.positions[position][0] for position in alive}
        for element in (suspect, *self.signature.elements):
            if element.number not in found:
                raise Mistake(
                    element.column,
                    f"element {element.number} can never match, {why}; expected a pause that can occur",
                )
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
