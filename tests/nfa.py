# SPDX-License-Identifier: LGPL-2.1-or-later
"""Simulates a Program's automata with plain sets of positions: what the engine's DFA must do, without its speed."""

from sigdb.program import ANY, END, FIRST, LAST, Program, Stream
from tests.reference import Packet, turns


def takes(stream: Stream, p: int, size_class: int) -> bool:
    """Return whether a position takes a size of a class."""
    ranges = range(stream.range_start[p], stream.range_start[p + 1])
    if not ranges:
        return stream.size_first[p] <= size_class <= stream.size_last[p]
    return any(stream.range_first[k] <= size_class <= stream.range_last[k] for k in ranges)


def hits(program: Program, packets: list[Packet], begin: bool, ended: bool) -> dict[int, list[int]]:
    """Return for each signature the packets (or turns), from 1, at which its automaton accepts; classes are used."""
    result: dict[int, list[int]] = {index: [] for index in range(len(program.signatures))}
    for stream, items in ((program.packets, packets), (program.turns, turns(packets, program.threshold))):
        active: set[int] = set()
        for number, (side, size, code) in enumerate(items, 1):
            size_class = sum(cut <= size for cut in stream.size_cuts) - 1
            pause_class = sum(cut <= code for cut in stream.pause_cuts) - 1
            entered = {q for p in active for q in stream.follow[stream.follow_start[p] : stream.follow_start[p + 1]]}
            for p in range(len(stream)):
                if stream.flags[p] & FIRST and (not program.begin[stream.signature[p]] or (begin and number == 1)):
                    entered.add(p)
            active = {
                p
                for p in entered
                if stream.side[p] & (1 if side == "c" else 2)
                and takes(stream, p, size_class)
                and stream.pause_first[p] <= pause_class <= stream.pause_last[p]
            }
            for p in active:
                if stream.flags[p] & ANY:
                    assert stream.element[p] == 0
                at_end = ended and number == len(items)
                if (stream.flags[p] & LAST and not program.end[stream.signature[p]]) or (
                    stream.flags[p] & (LAST | END) and at_end
                ):
                    found = result[stream.signature[p]]
                    if number not in found:
                        found.append(number)
    return result
