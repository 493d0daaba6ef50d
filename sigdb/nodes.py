# SPDX-License-Identifier: LGPL-2.1-or-later
"""The signature as a tree: what the parser returns, the compiler reads and the reference matcher interprets."""

from __future__ import annotations

from dataclasses import dataclass, field

CLIENT, SERVER, EITHER = 1, 2, 3
PROTOCOLS = ("tcp", "udp", "icmp")
SEVERITIES = ("low", "medium", "high", "critical")
UNBOUNDED = 0xFFFFFFFF  # the upper bound of a size written `*` or `512-`


Origin = tuple[str, str, int, int]  # in a definition: its name, its file when it is another, line and column there


@dataclass(frozen=True, slots=True)
class Size:
    """One member of an element's set of sizes: `48/15`, `20-600`, `@acc+0/4`."""

    low: int  # the written bounds of the size, inclusive; 0..UNBOUNDED for a reference
    high: int
    bare: bool  # written without `/M`: the fuzzy rule applies unless the signature has `=`
    reference: int = 0  # slot whose size is meant, 0 for none
    plus: int = 0  # constant added to the referenced size
    tolerance: int = 0  # allowed difference from it, when not bare
    offset: int = field(default=0, compare=False)  # where it is written, in characters from the element's beginning


@dataclass(frozen=True, slots=True)
class Element:
    """One packet or turn: `c48/15#name`, numbered from 1 in the order written, definitions put in.

    Its size must be one of `sizes` and none of `excluded`. A slot remembers the size matched last by any of the
    elements that share it: those of one name. Its number is that of the first of them.
    """

    number: int
    side: int  # CLIENT, SERVER or EITHER
    sizes: tuple[Size, ...]
    excluded: tuple[Size, ...]
    name: str  # after `#`, else empty
    slot: int
    column: int = field(compare=False)  # in the signature's line; of what stands in a definition, that of its use
    origin: Origin | None = field(default=None, compare=False)  # where it stands in a definition

    def refers(self) -> bool:
        """Return whether any of its sizes is another element's."""
        return any(size.reference for size in (*self.sizes, *self.excluded))


@dataclass(frozen=True, slots=True)
class Mark:
    """A pause mark: the think code of the next packet on the path must lie in low..high, inclusive."""

    low: int  # think code; THRESHOLD stands for a plain `+`
    high: int
    column: int = field(compare=False)


THRESHOLD = -1


@dataclass(frozen=True, slots=True)
class Gap:
    """`...`: zero or more packets of any kind after any pauses."""

    number: int  # among the gaps and repetitions of the signature, from 1
    column: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class End:
    """`>` at the end of a branch or of a group: the flow has ended here."""

    column: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Repeat:
    """`{low,high}` after an element or a group; high None is "without end"."""

    body: Element | Alternatives
    low: int
    high: int | None
    number: int  # among the gaps and repetitions of the signature, from 1
    column: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Alternatives:
    """`( a b | c )`; a group without `|` has one branch. `$name` is a group too."""

    branches: tuple[Sequence, ...]
    column: int = field(compare=False)
    name: str = ""  # of the definition that it stands for


Node = Element | Mark | Gap | End | Repeat | Alternatives


@dataclass(frozen=True, slots=True)
class Sequence:
    """Nodes that follow one another."""

    items: tuple[Node, ...]


DEFAULT_CONFIDENCE = 80  # percent, of a signature without the attribute


@dataclass(frozen=True, slots=True)
class Threshold:
    """`5 in 60s by src`: so many hits within a time, by those who have the same values of the keys."""

    count: int
    within_us: int
    keys: tuple[str, ...]  # of sigdb.rule.KEYS


@dataclass(frozen=True, slots=True)
class Suppress:
    """`1h by src,id`: after an alert no more of them for a time, by those who have the same values of the keys."""

    for_us: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """`3 ssh.auth.failure`: so many hits of an id or of ids below it."""

    count: int
    id: str
    line: int = 0  # where it is written
    column: int = 0


@dataclass(frozen=True, slots=True)
class Chain:
    """`3 a then b in 10min by src`: steps one after the other, from the first hit to the last within a time."""

    steps: tuple[Step, ...]
    within_us: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """A line of a signature file with its attributes."""

    id: str
    protocol: str  # "tcp", "udp", "icmp" or "*"
    ports: tuple[tuple[int, int], ...]  # server ports: inclusive ranges, ascending, disjoint
    exact: bool  # `=` was written
    begin: bool  # `<` was written
    end: bool  # `>` was written
    turns: bool  # the elements are turns (C S X), not packets (c s x)
    sequence: Sequence
    elements: tuple[Element, ...]  # all elements, those of definitions too; number n is at n - 1
    where: tuple[tuple[int, float], ...]  # operations of sigdb.where with their argument; empty: no condition
    condition: str  # the text after the word `where`, as written
    text: str  # from `<` or the first element up to the description, as written
    description: str
    severity: str = "medium"
    attack: tuple[str, ...] = ()  # ATT&CK technique ids
    category: str = ""
    rev: int = 1
    reference: str = ""
    note: str = ""
    confidence: int = DEFAULT_CONFIDENCE  # percent: how often it is right where it matches
    threshold: Threshold | None = None
    suppress: Suppress | None = None
    file: str = ""
    line: int = 0
    column: int = 1  # where the sequence begins


@dataclass(frozen=True, slots=True)
class Rule:
    """A line `flows : description` with its attributes: what alerts of several flows mean together."""

    id: str
    description: str
    sequence: Chain | None = None  # None only while it is being read
    severity: str = "medium"
    attack: tuple[str, ...] = ()
    category: str = ""
    rev: int = 1
    reference: str = ""
    note: str = ""
    confidence: int = DEFAULT_CONFIDENCE
    suppress: Suppress | None = None
    file: str = ""
    line: int = 0
