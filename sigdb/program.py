# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiled database: plain arrays that the engine reads without knowing the language.

There are two automata of the same form, one over packets and one over turns. Each is a Glushkov automaton: a state is
the set of positions that the last packet matched, and there are no empty moves. A packet (side, size, think code)
takes the automaton from position p to each position q in follow[p] whose side, size and pause admit the packet; any
packet may enter a position with the flag FIRST, the first packet of a flow alone when the signature has `begin`. The
signature has a hit at each packet that reaches a position with LAST; with `end`, or at a position with END, only at the
last packet of an ended flow. Signatures without references are matched exactly so. A reference is read as any size
that its target leads to, and Program.references is 1 where a hit must be verified against the flow's history.

What a position asks of a size is kept twice: as ranges, for the automaton, and as written, for the exact comparison. A
position with a single size has low..high and its reference; one with several, or with exclusions, has tests: one
of those that do not exclude must hold, none of those that do.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from sigdb.nodes import Rule, Signature

FIRST, LAST, ANY, END = 1, 2, 4, 8
PACKETS, TURNS = 0, 1
TCP, UDP, ICMP = 0, 1, 2
FUZZY = -1


@dataclass(frozen=True, slots=True)
class Stream:
    """The position automaton of all packet signatures or of all turn signatures.

    Positions are numbered from 0, ascending by signature. An element of a signature has one position for each copy
    that repetition makes of it and each pause condition under which it can be reached.
    """

    signature: array[int]  # 'I' per position: index in Program.signatures
    element: array[int]  # 'H' per position: number of the element in its signature, from 1; 0 for `...`
    side: array[int]  # 'B' per position: 1 client, 2 server, 3 both
    slot: array[int]  # 'H' per position: where its size is kept for references, from 1; 0 for `...`
    low: array[int]  # 'I' per position: smallest size, bytes; of a reference, the smallest that its target leads to
    high: array[int]  # 'I' per position: largest size, inclusive; 0xFFFFFFFF for no bound; below low when none is left
    pause_low: array[int]  # 'H' per position: smallest think code
    pause_high: array[int]  # 'H' per position: largest think code, inclusive
    reference: array[int]  # 'H' per position: the slot whose size is meant, 0 none
    plus: array[int]  # 'i' per position: constant added to the referenced size v; the centre is v + plus
    tolerance: array[
        int
    ]  # 'i' per position: |size - centre| <= tolerance; FUZZY: max(fuzz_bytes, centre*fuzz_percent//100)
    flags: array[int]  # 'B' per position: FIRST | LAST | ANY (the position is `...`) | END
    follow_start: array[int]  # 'I', positions + 1: follow[follow_start[p]:follow_start[p+1]] are p's successors
    follow: array[int]  # 'I': position numbers, ascending for each p
    size_cuts: array[int]  # 'I', ascending lower bounds of the size classes; the first is 0
    size_first: array[int]  # 'H' per position: its first size class
    size_last: array[int]  # 'H' per position: its last size class, inclusive
    pause_cuts: array[int]  # 'H', ascending lower bounds of the pause classes; the first is 0
    pause_first: array[int]  # 'H' per position: its first pause class
    pause_last: array[int]  # 'H' per position: its last pause class, inclusive
    range_start: array[int]  # 'I', positions + 1: its slice of the ranges; empty: size_first..size_last is the only one
    range_first: array[int]  # 'H' per range: its first size class, ascending for each position
    range_last: array[int]  # 'H' per range: its last size class, inclusive
    test_start: array[int]  # 'I', positions + 1: its slice of the tests; empty: low..high and the reference hold
    test_low: array[int]  # 'I' per test: smallest size of one without reference
    test_high: array[int]  # 'I'
    test_reference: array[int]  # 'H' per test: as reference, plus and tolerance above
    test_plus: array[int]  # 'i'
    test_tolerance: array[int]  # 'i'
    test_excluded: array[int]  # 'B' per test: 1 when the size must not be so

    def __len__(self) -> int:
        return len(self.signature)


@dataclass(frozen=True, slots=True)
class Program:
    """A database ready for the engine. Per-signature arrays have one entry for each of `signatures`, in its order."""

    signatures: tuple[Signature, ...]  # with ids and attributes; with the syntax tree unless they are from a cache
    packets: Stream
    turns: Stream
    threshold: int  # think code: a packet without a mark must be below it, `+` is at or above it
    fuzz_bytes: int  # the fuzzy rule for references, see Stream.tolerance
    fuzz_percent: int
    stream: array[int]  # 'B': PACKETS or TURNS
    begin: array[int]  # 'B': 1 when the match must begin with the flow
    end: array[int]  # 'B': 1 when the match must end with the flow
    references: array[int]  # 'B': 1 when hits need exact verification
    elements: array[int]  # 'H': number of elements
    where_start: array[int]  # 'I', signatures + 1: the condition's slice of where_ops and where_args; empty: none
    where_ops: array[int]  # 'B': operations of sigdb.where
    where_args: array[float]  # 'd': the constant of CONST, the index in where.VARIABLES of VAR, else 0
    port_class: array[int]  # 'H', 3 * 65536 (TCP, UDP, ICMP; server port): which set of signatures applies
    class_start: array[int]  # 'I', classes + 1: slices of class_signatures
    class_signatures: array[int]  # 'I': indices in `signatures`, ascending within a class
    meaning: array[int]  # 'q': a hash of all that decides which packets it matches, the fuzzy rule and threshold aside
    rules: tuple[Rule, ...] = ()  # what alerts of several flows mean together; the engine has no use for them
