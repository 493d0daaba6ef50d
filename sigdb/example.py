# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds a short flow that a signature matches, to show a person what it means.

A path through the signature's automaton gives the number of packets and bounds of their sizes; references bind sizes
to one another. With one member chosen of each set of sizes, each packet on the path refers to at most one earlier
packet, so the sizes it may have can be narrowed from the last packet to the first by what later packets still need,
and then chosen from first to last, beside what is excluded.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import groupby, islice, product

from sigdb import think
from sigdb.automaton import Automaton, Position, Test
from sigdb.check import DEFAULT_FUZZ, MAX_PACKET
from sigdb.nodes import CLIENT, SERVER, UNBOUNDED, Signature
from sigdb.program import END, FIRST, FUZZY, LAST
from sigdb.tokens import MAX_REPEAT

MAX_PATHS = 2_000
MAX_STEPS = 100_000  # from packet to packet
MAX_CHOICES = 64  # of members of sets, for one path
LONG_RUN = 6

_THRESHOLD = think.encode(400_000)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, or turn, of an example."""

    side: str  # "c" or "s"
    size: int  # bytes
    think: int  # think code
    mark: str  # the pause mark to print before it, or empty
    end: bool = False  # the flow must end with it


def find(signature: Signature) -> list[Packet] | None:
    """Return a shortest example under the default settings; None when none is found among MAX_PATHS paths."""
    automaton = Automaton(signature, _THRESHOLD, DEFAULT_FUZZ)
    for path in islice(_paths(automaton), MAX_PATHS):
        sides = _sides(automaton, path)
        sizes = _sizes(automaton, path, signature) if sides else None
        if sides and sizes:
            return _packets(automaton, path, sides, sizes, signature)
    return None


def shape(signature: Signature, packets: list[Packet]) -> str:
    """Return the example as the tokens of the language, long runs of equal packets as a repetition.

    It can be pasted into a signature when it has no more elements than a signature may have.
    """
    words = ["<"] if signature.begin else []
    for (side, size, mark), run in groupby(packets, lambda packet: (packet.side, packet.size, packet.mark)):
        count = len(list(run))
        element = f"{side.upper() if signature.turns else side}{size}"
        one = [mark, element] if mark else [element]
        text = f"( {' '.join(one)} )" if mark else element
        for part in (*(MAX_REPEAT,) * (count // MAX_REPEAT), count % MAX_REPEAT):
            words += one * part if part < LONG_RUN else [f"{text}{{{part}}}"]
    return " ".join([*words, ">"] if signature.end or packets[-1].end else words)


def _paths(automaton: Automaton) -> Iterator[list[int]]:
    """Yield paths from a FIRST to a LAST position, shortest first: how far the end is says which to go on with."""
    left = _left(automaton)
    ways: list[tuple[int, int]] = [(p, -1) for p, row in enumerate(automaton.positions) if row.flags & FIRST]
    work = [(left[p], 0, number) for number, (p, _) in enumerate(ways)]  # all packets but the first, minus these, way
    heapify(work)
    for _ in range(MAX_STEPS):
        if not work:
            return
        more, taken, number = heappop(work)
        position = ways[number][0]
        if more == -taken:
            yield _way(ways, number)
        for target in sorted(automaton.follow[position]):
            if len(ways) < MAX_STEPS:
                heappush(work, (1 - taken + left[target], taken - 1, len(ways)))
                ways.append((target, number))


def _way(ways: list[tuple[int, int]], number: int) -> list[int]:
    """Return the positions of a way, which is its last one and the way before that."""
    path: list[int] = []
    while number >= 0:
        position, number = ways[number]
        path.append(position)
    return path[::-1]


def _left(automaton: Automaton) -> list[int]:
    """Return for each position how many packets its shortest way to the end has."""
    before: list[list[int]] = [[] for _ in automaton.positions]
    for source, targets in enumerate(automaton.follow):
        for target in targets:
            before[target].append(source)
    left = [0 if row.flags & (LAST | END) else -1 for row in automaton.positions]
    work = deque(p for p, steps in enumerate(left) if not steps)
    while work:
        target = work.popleft()
        for source in before[target]:
            if left[source] < 0:
                left[source] = left[target] + 1
                work.append(source)
    return left


def _sides(automaton: Automaton, path: list[int]) -> list[int] | None:
    """Choose a side for each step, the client first, so that no two turns of one side follow without a pause."""
    rows = [automaton.positions[position] for position in path]
    ways: dict[int, list[int]] = {side: [side] for side in (CLIENT, SERVER) if rows[0].side & side}
    for row in rows[1:]:
        longer: dict[int, list[int]] = {}
        for side in (CLIENT, SERVER):
            before = [
                last for last in ways if last != side or not automaton.signature.turns or row.pause_high >= _THRESHOLD
            ]
            if row.side & side and before:
                longer[side] = [*min(ways[last] for last in before), side]
        ways = longer
    return min(ways.values(), default=None)


def _sizes(automaton: Automaton, path: list[int], signature: Signature) -> list[int] | None:
    """Choose a size for each step; None when no choice of members among the first MAX_CHOICES leads to one."""
    rows = [automaton.positions[position] for position in path]
    written = []
    for row in rows:
        element = signature.elements[row.element - 1] if automaton.fuzz and row.element else None
        wishes = [size.low if size.bare and not size.reference else None for size in element.sizes] if element else []
        written.append(wishes or [None] * max(1, len(row.tests)))
    members = [_members(row) for row in rows]
    for chosen in islice(product(*(range(len(sizes)) for sizes in members)), MAX_CHOICES):
        tests = [sizes[index] for sizes, index in zip(members, chosen, strict=True)]
        wishes = [sizes[index] for sizes, index in zip(written, chosen, strict=True)]
        found = _choose(rows, tests, wishes, signature)
        if found:
            return found
    return None


def _members(row: Position) -> list[Test]:
    if not row.tests:
        return [Test(row.low, row.high, row.reference, row.plus, row.tolerance, False)]
    return [test for test in row.tests if not test.excluded]


def _choose(
    rows: list[Position], tests: list[Test], wishes: list[int | None], signature: Signature
) -> list[int] | None:
    """Choose a size for each step that has one test and refers to at most one earlier step."""
    smallest = 0 if signature.protocol in ("udp", "icmp") else 1
    largest = UNBOUNDED if signature.turns else MAX_PACKET
    lows = [max(test.low, row.low, smallest) for test, row in zip(tests, rows, strict=True)]
    highs = [min(test.high, row.high, largest) for test, row in zip(tests, rows, strict=True)]
    targets = []
    latest: dict[int, int] = {}
    bound: list[dict[int, int]] = []  # before each step: which step is in a slot
    for index, (row, test) in enumerate(zip(rows, tests, strict=True)):
        targets.append(latest.get(test.reference, -1) if test.reference else -1)
        bound.append(dict(latest) if row.tests else {})
        latest[row.slot] = index
    for index in reversed(range(len(rows))):
        if lows[index] > highs[index]:
            return None
        test, target = tests[index], targets[index]
        if target >= 0:
            low, high = _centres(lows[index], highs[index], test.tolerance)
            lows[target] = max(lows[target], low - test.plus)
            highs[target] = min(highs[target], high - test.plus)
    sizes: list[int] = []
    for index, (row, test) in enumerate(zip(rows, tests, strict=True)):
        wish = wishes[index] or test.low or 64
        low, high = lows[index], highs[index]
        if targets[index] >= 0:
            wish = sizes[targets[index]] + test.plus
            off = _spread(wish, test.tolerance)
            low, high = max(low, wish - off), min(high, wish + off)
        elif wishes[index] is None and test.high < UNBOUNDED:
            wish = (test.low + test.high) // 2
        excluded = [_range(one, sizes, bound[index]) for one in row.tests if one.excluded]
        size = _beside(min(max(wish, low), high), low, high, excluded)
        if size is None:
            return None
        sizes.append(size)
    return sizes


def _range(test: Test, sizes: list[int], bound: dict[int, int]) -> tuple[int, int]:
    if not test.reference:
        return test.low, test.high
    centre = sizes[bound[test.reference]] + test.plus
    off = _spread(centre, test.tolerance)
    return centre - off, centre + off


def _beside(wish: int, low: int, high: int, excluded: list[tuple[int, int]]) -> int | None:
    """Return the size of low..high nearest to a wish that no range excludes."""
    nearest = [wish, *(first - 1 for first, _ in excluded), *(last + 1 for _, last in excluded)]
    free = [
        size for size in nearest if low <= size <= high and not any(first <= size <= last for first, last in excluded)
    ]
    return min(free, key=lambda size: abs(size - wish), default=None)


def _spread(centre: int, tolerance: int) -> int:
    return max(DEFAULT_FUZZ[0], centre * DEFAULT_FUZZ[1] // 100) if tolerance == FUZZY else tolerance


def _centres(low: int, high: int, tolerance: int) -> tuple[int, int]:
    """Return the centres whose tolerance reaches into low..high; both of its ends grow with the centre."""
    first, last = low - UNBOUNDED, low
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if middle + _spread(middle, tolerance) >= low else (middle + 1, last)
    lowest = first
    first, last = high, high + UNBOUNDED
    while first < last:
        middle = (first + last + 1) // 2
        first, last = (middle, last) if middle - _spread(middle, tolerance) <= high else (first, middle - 1)
    return lowest, first


def _packets(
    automaton: Automaton, path: list[int], sides: list[int], sizes: list[int], signature: Signature
) -> list[Packet]:
    packets: list[Packet] = []
    for position, side, size in zip(path, sides, sizes, strict=True):
        code = automaton.positions[position].pause_low
        letter = "c" if side == CLIENT else "s"
        if signature.turns and packets and packets[-1].side == letter:
            code = max(code, _THRESHOLD)
        mark = ""
        if code:
            mark = "+" if code == _THRESHOLD else f"+{think.describe(code)}"
        packets.append(Packet(letter, size, code, mark))
    if not automaton.positions[path[-1]].flags & LAST:
        packets[-1] = replace(packets[-1], end=True)
    return packets
