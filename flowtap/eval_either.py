# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of one kind or another (`human` or `automated`): how many flows get one, and how often it is right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flowtap.eval_labels import LabelError
from flowtap.eval_score import Judged, prefixes
from flowtap.eval_text import proportion, shown

_KIND = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


@dataclass(slots=True)
class Answers:
    """The flows of one kind. `flows` = answered + silent + abstained."""

    flows: int = 0  # that are labelled as of this kind, and as of no other
    abstained: int = 0  # of these, not seen well enough
    answered: int = 0  # of these, ids of some kind were found
    right: int = 0  # of these, only ids of its own kind

    def add(self, other: Answers) -> None:
        """Add the flows of another kind."""
        self.flows += other.flows
        self.abstained += other.abstained
        self.answered += other.answered
        self.right += other.right


@dataclass(slots=True)
class Either:
    """The result: answers by kind, and flows that are labelled as of two kinds, which are left out."""

    kinds: dict[str, Answers]
    several: int = 0
    total: Answers = field(default_factory=Answers)


def kinds_of(text: str) -> list[str]:
    """Return the kinds of `human,automated`. Raises LabelError for what is no list of two ids or more."""
    kinds = [part.strip() for part in text.split(",")]
    if len(set(kinds)) < 2 or not all(_KIND.fullmatch(kind) for kind in kinds):
        raise LabelError(f"--either {text}: expected two ids or more, joined with a comma, for example human,automated")
    below = [(one, other) for one in kinds for other in kinds if other.startswith(f"{one}.")]
    if below:
        one, other = below[0]
        raise LabelError(f"--either {text}: {other} is {one}, too; expected kinds that exclude each other")
    return list(dict.fromkeys(kinds))


def answers(flows: Iterable[Judged], kinds: list[str]) -> Either:
    """Return how flows whose labels are of one of `kinds` were answered; others are left alone."""
    result = Either({kind: Answers() for kind in kinds})
    for flow in flows:
        truth = prefixes(flow.labels) & result.kinds.keys()
        if len(truth) > 1:
            result.several += 1
        if len(truth) != 1:
            continue
        tally = result.kinds[next(iter(truth))]
        found = prefixes(flow.hits) & result.kinds.keys()
        tally.flows += 1
        if flow.doubts:
            tally.abstained += 1
        elif found:
            tally.answered += 1
            tally.right += found == truth
    for tally in result.kinds.values():
        result.total.add(tally)
    return result


def either_object(either: Either) -> dict[str, Any]:
    """Return the result for JSON."""
    return {
        "kinds": [{"id": kind, **_tally(tally)} for kind, tally in either.kinds.items()],
        "all": _tally(either.total),
        "several": either.several,
    }


def either_text(either: Either) -> str:
    """Return the result as lines, with an empty one before them."""
    return "\n".join(["", *_lines(either)]) + "\n"


def _tally(tally: Answers) -> dict[str, Any]:
    return {
        "flows": tally.flows,
        "abstentions": tally.abstained,
        "answered": proportion(tally.answered, tally.flows - tally.abstained),
        "right": proportion(tally.right, tally.answered),
    }


def _lines(either: Either) -> Iterator[str]:
    yield f"{' or '.join(either.kinds)}, by flow:"
    width = max([5, *map(len, either.kinds)])
    yield f"{'kind':{width}}  flows abstained answered  {'of those seen':21}  right  of those answered"
    for name, tally in [*either.kinds.items(), ("all", either.total)]:
        yield (
            f"{name:{width}} {tally.flows:6} {tally.abstained:9} {tally.answered:8}  "
            f"{shown(proportion(tally.answered, tally.flows - tally.abstained)):21} {tally.right:6}  "
            f"{shown(proportion(tally.right, tally.answered))}"
        ).rstrip()
    if either.several:
        yield f"left out, labelled as several of these: {either.several}"
