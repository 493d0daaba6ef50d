# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares what was found in flows with their labels: who is right, by id; docs/eval.md states the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.events import address
from engine.verdict import doubts
from flowtap.eval_labels import Ends, Labelled, Labels, reverse
from flowtap.layout import with_port

if TYPE_CHECKING:
    from engine import Flow
    from engine.events import StatsEvent
    from sigdb import Signature

_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}


@dataclass(slots=True)
class Judged:
    """A flow with its labels and what was found in it. Without `line` nobody labelled it."""

    capture: str
    ends: Ends
    labels: dict[str, int | None]
    line: int | None = None
    hits: Counter[str] = field(default_factory=Counter)
    doubts: list[str] = field(default_factory=list)
    shape: str = ""
    parts: int = 0  # flows of these ends: more than 1 when ports were used again
    same: str = ""  # see Labelled

    @property
    def name(self) -> str:
        """Who talked to whom."""
        proto, client, client_port, server, server_port = self.ends
        ports = (None, None) if proto == "icmp" else (client_port, server_port)
        return f"({proto}) {with_port(address(client), ports[0])} -> {with_port(address(server), ports[1])}"

    @property
    def signature(self) -> str:
        """The shape as the beginning of a signature line."""
        return f"{self.ends[0]} {self.ends[4] or '*'} = {self.shape}" if self.shape else ""


@dataclass(slots=True)
class Tally:
    """The score of one id. `flows` = right + missed + abstained; alerts that count = right + wrong."""

    flows: int = 0  # that are labelled so
    right: int = 0  # of these, found
    missed: int = 0
    abstained: int = 0  # of these, not seen well enough
    wrong: int = 0  # flows in which it was found and that are labelled otherwise
    withheld: int = 0  # the same, but not seen well enough: no claim was made
    undecided: int = 0  # found, and the labels are too general to tell
    counted: int = 0  # flows with a stated number of hits that were seen well enough
    exactly: int = 0  # of these, with just this number


@dataclass(slots=True)
class Wrong:
    """A flow that was judged wrongly, and in which ids."""

    flow: Judged
    false: list[str]
    missed: list[str]
    miscounted: list[tuple[str, int, int]]  # id, expected, counted


@dataclass(slots=True)
class Scores:
    """The result over all flows."""

    tallies: dict[str, Tally]
    wrong: list[Wrong]
    flows: list[Judged]  # all that were judged
    unlabelled: int  # flows without labels
    quiet: int  # of these, those that count as negatives, were seen well enough, and in which nothing was found
    unlabelled_found: Counter[str]  # what was found in them, unless they count as negatives
    not_found: list[tuple[str, Labelled]]  # labelled flows that their capture does not hold
    reversed: int  # flows whose client was taken for the server
    not_given: list[str]  # captures of the labels that were not read
    without_labels: list[str]  # captures that were read and have no labels
    unknown_labels: Counter[str]  # flows by label that no signature can find: misspelt, or of another database


def prefixes(names: Iterable[str]) -> set[str]:
    """Return the ids and all more general ones: a.b.c is a.b and a, too."""
    found: set[str] = set()
    for name in names:
        words = name.split(".")
        found.update(".".join(words[:count]) for count in range(1, len(words) + 1))
    return found


def hits_of(name: str, hits: dict[str, int]) -> int:
    """Return the number of hits of an id: its own; where it has none, the largest one of the ids below it."""
    below = [count for other, count in hits.items() if other.startswith(f"{name}.")]
    return hits.get(name) or max(below, default=0)


def too_general(name: str, labels: Iterable[str]) -> bool:
    """Return whether the labels stop above `name`: a label is a part of it, and none says more than that part."""
    names = set(labels)
    inner = {part for label in names for part in prefixes([label]) if part != label}
    return any(name.startswith(f"{label}.") for label in names - inner)


class Judge:
    """Gathers flows: the sink of a run. With `negative`, nothing is to be found in flows without labels."""

    def __init__(
        self, labels: Labels, names: dict[str, str], signatures: Sequence[Signature], *, negative: bool = False
    ) -> None:
        self.alerts = 0
        self._labels = labels
        self._names = names
        self._signatures = signatures
        self._negative = negative
        self._capture = ""
        self._here: dict[Ends, Labelled] = {}
        self._flows: dict[tuple[str, Ends], Judged] = {}
        self._strangers: list[Judged] = []
        self._unlabelled = 0
        self._quiet = 0
        self._found: Counter[str] = Counter()
        self._reversed = 0

    def begin(self, capture: str, interfaces: Sequence[str]) -> None:
        """Take note that the flows to come are from the file `capture`."""
        self._capture = capture
        name = self._names.get(capture)
        self._here = {} if name is None else self._labels.captures[name]

    def flow(self, flow: Flow) -> bytes:
        """Take a flow; prints nothing."""
        hits = Counter({self._signatures[hit.signature].id: hit.count for hit in flow.hits})
        self.alerts += len(hits)
        proto = _PROTOCOLS[flow.proto]
        ends: Ends = (proto, flow.client, flow.client_port, flow.server, 0 if proto == "icmp" else flow.server_port)
        labelled = self._here.get(ends)
        if labelled is None and (labelled := self._here.get(reverse(ends))) is not None:
            self._reversed += 1
        if labelled is None:
            self._unlabelled += 1
            if not self._negative:
                self._found.update(hits.keys())
            elif not hits:
                self._quiet += not doubts(flow)
            else:
                self._strangers.append(Judged(self._capture, ends, {}, None, hits, doubts(flow), flow.shape, 1))
            return b""
        key = (self._capture, labelled.ends)
        judged = self._flows.get(key)
        if judged is None:
            judged = Judged(
                self._capture, labelled.ends, labelled.labels, labelled.line, shape=flow.shape, same=labelled.same
            )
            self._flows[key] = judged
        judged.parts += 1
        judged.hits.update(hits)
        judged.doubts += [doubt for doubt in doubts(flow) if doubt not in judged.doubts]
        return b""

    def end(self, event: StatsEvent) -> bytes:
        """Return nothing: `scores` is the result."""
        return b""

    def scores(self, read: Sequence[str]) -> Scores:
        """Return the result; `read` are the captures that were read."""
        flows = [*self._flows.values(), *self._strangers]
        ids = {name for flow in flows for name in (*flow.labels, *flow.hits)}
        tallies = {name: Tally() for name in sorted(ids)}
        wrong = [entry for flow in flows if (entry := _judge(flow, tallies)) is not None]
        known = prefixes(signature.id for signature in self._signatures)
        used = {self._names[capture]: capture for capture in read if capture in self._names}
        return Scores(
            tallies=tallies,
            wrong=wrong,
            flows=flows,
            unlabelled=self._unlabelled,
            quiet=self._quiet,
            unlabelled_found=self._found,
            not_found=[
                (capture, labelled)
                for name, capture in used.items()
                for ends, labelled in self._labels.captures[name].items()
                if (capture, ends) not in self._flows
            ],
            reversed=self._reversed,
            not_given=sorted(set(self._labels.captures) - set(used)),
            without_labels=[capture for capture in read if capture not in self._names],
            unknown_labels=Counter(name for flow in flows for name in flow.labels if name not in known),
        )


def _judge(flow: Judged, tallies: dict[str, Tally]) -> Wrong | None:
    """Count a flow; return what is wrong with it, if anything is."""
    truth, found = prefixes(flow.labels), prefixes(flow.hits)
    wrong = Wrong(flow, [], [], [])
    for name in sorted((truth | found) & tallies.keys()):
        tally = tallies[name]
        if name not in truth:
            if too_general(name, flow.labels):
                tally.undecided += 1
            elif flow.doubts:
                tally.withheld += 1
            else:
                tally.wrong += 1
                wrong.false.append(name)
            continue
        tally.flows += 1
        if flow.doubts:
            tally.abstained += 1
        elif name in found:
            tally.right += 1
        else:
            tally.missed += 1
            wrong.missed.append(name)
        expected = flow.labels.get(name)
        if expected is not None and not flow.doubts:
            count = hits_of(name, flow.hits)
            tally.counted += 1
            tally.exactly += count == expected
            if count not in (0, expected):
                wrong.miscounted.append((name, expected, count))
    return wrong if wrong.false or wrong.missed or wrong.miscounted else None
