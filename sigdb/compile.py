# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures to a Program: their automata laid end to end, and the classes of size and pause that they tell apart."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter

from sigdb import think
from sigdb.automaton import Automaton, Position
from sigdb.errors import Mistake, SignatureError, SignatureErrors
from sigdb.nodes import PROTOCOLS, UNBOUNDED, Signature
from sigdb.ports import classes
from sigdb.program import Program, Stream

MAX_POSITIONS = 1 << 20  # of all signatures together
MAX_SIZE_CLASSES = 65_536

# The fields of Position and Test that are columns of a Stream, with the kind of the array.
_POSITION = {
    "element": "H", "side": "B", "slot": "H", "low": "I", "high": "I", "pause_low": "H", "pause_high": "H",
    "reference": "H", "plus": "i", "tolerance": "i", "flags": "B",
}  # fmt: skip
_TEST = {"low": "I", "high": "I", "reference": "H", "plus": "i", "tolerance": "i", "excluded": "B"}


class _Stream:
    """Collects the positions of one stream."""

    def __init__(self) -> None:
        self.rows: list[Position] = []
        self.signature = array("I")
        self.follow_start = array("I", [0])
        self.follow = array("I")

    def add(self, index: int, automaton: Automaton) -> None:
        base = len(self.rows)
        self.rows += automaton.positions
        self.signature.extend([index] * len(automaton.positions))
        for targets in automaton.follow:
            self.follow.extend(sorted(base + target for target in targets))
            self.follow_start.append(len(self.follow))

    def freeze(self) -> Stream:
        rows = self.rows
        ranges = [one for row in rows for one in row.ranges]
        tests = [one for row in rows for one in row.tests]
        size_cuts, first, last = _cut([*((row.low, row.high) for row in rows), *ranges], UNBOUNDED, "I")
        pause_cuts, pause_first, pause_last = _cut(((row.pause_low, row.pause_high) for row in rows), think.MAX, "H")
        return Stream(
            signature=self.signature,
            **_columns(rows, _POSITION),
            follow_start=self.follow_start,
            follow=self.follow,
            size_cuts=size_cuts,
            size_first=first[: len(rows)],
            size_last=last[: len(rows)],
            pause_cuts=pause_cuts,
            pause_first=pause_first,
            pause_last=pause_last,
            range_start=_starts([row.ranges for row in rows]),
            range_first=first[len(rows) :],
            range_last=last[len(rows) :],
            test_start=_starts([row.tests for row in rows]),
            **_columns(tests, _TEST, "test_"),
        )


def _columns(rows: Sequence[object], codes: dict[str, str], prefix: str = "") -> dict[str, array[int]]:
    """Return one array for each of some fields of the rows."""
    return {prefix + name: array(code, map(attrgetter(name), rows)) for name, code in codes.items()}


def _starts(lists: Iterable[Sized]) -> array[int]:
    """Return where each of several lists begins when they are laid end to end, and where the last one ends."""
    return array("I", accumulate(map(len, lists), initial=0))


def _cut(ranges: Iterable[tuple[int, int]], top: int, code: str) -> tuple[array[int], array[int], array[int]]:
    """Cut 0..top where any of the ranges begins or ends; return the cuts and each range's first and last class."""
    ranges = list(ranges)
    cuts = sorted({0, *(low for low, _ in ranges), *(high + 1 for _, high in ranges if high < top)})
    if len(cuts) > MAX_SIZE_CLASSES:
        raise OverflowError(f"{MAX_SIZE_CLASSES} different bounds of sizes")
    index = {cut: number for number, cut in enumerate(cuts)}
    index[top + 1] = len(cuts)
    first = array("H", [index[low] for low, _ in ranges])
    last = array("H", [index[min(high, top) + 1] - 1 for _, high in ranges])
    return array(code, cuts), first, last


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides how signatures are read; raises ValueError for values out of range."""

    threshold_us: int  # the pause threshold, microseconds; one that a think code stands for exactly
    fuzzy: bool  # False: bare sizes are exact in every signature
    fuzz_bytes: int  # tolerance of a bare size n: max(fuzz_bytes, n * fuzz_percent // 100)
    fuzz_percent: int

    def __post_init__(self) -> None:
        longest = think.decode(think.MAX)
        if not 1 <= self.threshold_us <= longest:
            raise ValueError(f"pause threshold {self.threshold_us} us; expected 1 to {longest}")
        exact = think.decode(think.encode(self.threshold_us))
        if exact != self.threshold_us:
            above = think.decode(think.encode(self.threshold_us) + 1)
            raise ValueError(f"pause threshold {self.threshold_us} us has too many digits; expected {exact} or {above}")
        if not 0 <= self.fuzz_bytes <= 65_535 or not 0 <= self.fuzz_percent <= 100:
            raise ValueError(
                f"fuzz {self.fuzz_bytes} bytes, {self.fuzz_percent} %; expected 0 to 65535 bytes, 0 to 100 %"
            )


def build(signatures: list[Signature], settings: Settings) -> Program:
    """Compile signatures; raise SignatureErrors with one error for each that cannot be compiled."""
    threshold = think.encode(settings.threshold_us)
    fuzz = (settings.fuzz_bytes, settings.fuzz_percent) if settings.fuzzy else None
    streams = (_Stream(), _Stream())
    errors: list[SignatureError] = []
    meaning = array("q")
    where_start, where_ops, where_args = array("I", [0]), array("B"), array("d")
    for index, signature in enumerate(signatures):
        try:
            automaton = Automaton(signature, threshold, fuzz)
        except Mistake as mistake:
            errors.append(SignatureError(signature.file, signature.line, mistake.column, mistake.message))
            continue
        streams[signature.turns].add(index, automaton)
        if len(streams[0].rows) + len(streams[1].rows) > MAX_POSITIONS:
            errors.append(_too_many(signature, f"{MAX_POSITIONS} positions"))
            break
        for operation, argument in signature.where:
            where_ops.append(operation)
            where_args.append(argument)
        where_start.append(len(where_ops))
        meaning.append(_meaning(signature, automaton))
    if errors:
        raise SignatureErrors(errors)
    try:
        packets, turns = streams[0].freeze(), streams[1].freeze()
        port_class, class_start, class_signatures = classes(signatures)
    except OverflowError as limit:
        raise SignatureErrors([_too_many(signatures[-1], str(limit))]) from None
    return Program(
        signatures=tuple(signatures),
        packets=packets,
        turns=turns,
        threshold=threshold,
        fuzz_bytes=settings.fuzz_bytes,
        fuzz_percent=settings.fuzz_percent,
        stream=array("B", [s.turns for s in signatures]),
        begin=array("B", [s.begin for s in signatures]),
        end=array("B", [s.end for s in signatures]),
        references=array("B", [any(e.refers() for e in s.elements) for s in signatures]),
        elements=array("H", [len(s.elements) for s in signatures]),
        where_start=where_start,
        where_ops=where_ops,
        where_args=where_args,
        port_class=port_class,
        class_start=class_start,
        class_signatures=class_signatures,
        meaning=meaning,
    )


def _meaning(signature: Signature, automaton: Automaton) -> int:
    """Return a hash of numbers alone, so that it is the same in every process."""
    protocol = -1 if signature.protocol == "*" else PROTOCOLS.index(signature.protocol)
    shape = tuple(automaton.positions), tuple([tuple(sorted(targets)) for targets in automaton.follow])
    return hash((shape, protocol, signature.ports, signature.turns, signature.begin, signature.end, signature.where))


def _too_many(signature: Signature, limit: str) -> SignatureError:
    return SignatureError(
        signature.file, signature.line, signature.column, f"the database is too large; expected at most {limit} in all"
    )
