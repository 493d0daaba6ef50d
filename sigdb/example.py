# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds a short flow that a signature matches, to show a person what it means.

A path through the signature's automaton gives the number of packets and bounds of their sizes; references bind sizes
to one another. On a path each packet refers to at most one earlier packet, so the sizes a packet may have can be
narrowed from the last packet to the first by what later packets still need, and then chosen from first to last.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from sigdb import think
from sigdb.automaton import Automaton
from sigdb.check import MAX_PACKET
from sigdb.nodes import CLIENT, EITHER, SERVER, UNBOUNDED, Signature
from sigdb.program import FIRST, FUZZY, LAST

MAX_PATHS = 2_000

_FUZZ = (2, 5)  # the default of the fuzzy rule: bytes, percent
_THRESHOLD = think.encode(400_000)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, or turn, of an example."""

    side: str  # "c" or "s"
    size: int  # bytes
    think: int  # think code
    mark: str  # the pause mark to print before it, or empty


def find(signature: Signature) -> list[Packet] | None:
    """Return a shortest example under the default settings; None when none is found among MAX_PATHS paths."""
    automaton = Automaton(signature, _THRESHOLD, _FUZZ)
    for path in _paths(automaton):
        sides = _sides(automaton, path)
        sizes = _sizes(automaton, path, signature)
        if sides and sizes:
            return _packets(automaton, path, sides, sizes, signature)
    return None


def shape(signature: Signature, packets: list[Packet]) -> str:
    """Return the example as the tokens of the language, ready to be pasted into a signature."""
    letters = {"c": "C", "s": "S"} if signature.turns else {"c": "c", "s": "s"}
    words = ["<"] if signature.begin else []
    for packet in packets:
        words += [packet.mark] if packet.mark else []
        words.append(f"{letters[packet.side]}{packet.size}")
    return " ".join([*words, ">"] if signature.end else words)


def _paths(automaton: Automaton) -> Iterator[list[int]]:
    """Yield paths from a FIRST to a LAST position, shortest first."""
    work: deque[tuple[int, ...]] = deque((p,) for p, row in enumerate(automaton.positions) if row[9] & FIRST)
    for _ in range(MAX_PATHS):
        if not work:
            return
        path = work.popleft()
        if automaton.positions[path[-1]][9] & LAST:
            yield list(path)
        if len(work) < MAX_PATHS * 8:
            work.extend((*path, target) for target in sorted(automaton.follow[path[-1]]))


def _sides(automaton: Automaton, path: list[int]) -> list[int] | None:
    """Choose client or server for each step, so that no two turns of one side follow without a pause."""
    rows = [automaton.positions[position] for position in path]
    ways: dict[int, list[int]] = {side: [side] for side in (CLIENT, SERVER) if rows[0][1] & side}
    for row in rows[1:]:
        longer: dict[int, list[int]] = {}
        for side in (CLIENT, SERVER):
            before = [last for last in ways if last != side or not automaton.signature.turns or row[5] >= _THRESHOLD]
            if row[1] & side and before:
                best = side if side in before and row[1] != EITHER else before[0]
                longer[side] = [*ways[best], side]
        ways = longer
    return next(iter(ways.values()), None)


def _sizes(automaton: Automaton, path: list[int], signature: Signature) -> list[int] | None:
    smallest = 0 if signature.protocol in ("udp", "icmp") else 1
    largest = UNBOUNDED if signature.turns else MAX_PACKET
    rows = [automaton.positions[position] for position in path]
    lows = [max(row[2], smallest) for row in rows]
    highs = [min(row[3], largest) for row in rows]
    targets = []
    latest: dict[int, int] = {}
    for index, row in enumerate(rows):
        targets.append(latest.get(row[6], -1) if row[6] else -1)
        latest[row[0]] = index
    for index in reversed(range(len(rows))):
        if lows[index] > highs[index]:
            return None
        row, target = rows[index], targets[index]
        if target >= 0:
            low, high = _centres(lows[index], highs[index], row[8])
            lows[target] = max(lows[target], low - row[7])
            highs[target] = min(highs[target], high - row[7])
    sizes: list[int] = []
    for index, row in enumerate(rows):
        wish = row[2] or 64
        if targets[index] >= 0:
            wish = sizes[targets[index]] + row[7]
        elif automaton.fuzz and row[0] and signature.elements[row[0] - 1].bare:
            wish = signature.elements[row[0] - 1].low
        elif row[3] < UNBOUNDED:
            wish = (row[2] + row[3]) // 2
        sizes.append(min(max(wish, lows[index]), highs[index]))
    return sizes


def _spread(centre: int, tolerance: int) -> int:
    return max(_FUZZ[0], centre * _FUZZ[1] // 100) if tolerance == FUZZY else tolerance


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
        code = automaton.positions[position][4]
        letter = "c" if side == CLIENT else "s"
        if signature.turns and packets and packets[-1].side == letter:
            code = max(code, _THRESHOLD)
        mark = ""
        if code:
            mark = "+" if code == _THRESHOLD else f"+{think.describe(code)}"
        packets.append(Packet(letter, size, code, mark))
    return packets
