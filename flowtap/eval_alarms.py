# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts false alarms: for each signature the flows that are not of its kind, and in how many of them it was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flowtap.eval_interval import clopper_pearson
from flowtap.eval_score import Scores, prefixes, too_general


@dataclass(frozen=True, slots=True)
class Alarms:
    """`wrong` of the `flows` that are not of the kind of the signature `id` and were seen well enough."""

    id: str
    flows: int
    wrong: int

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 95 % interval of the rate; 0 to 1 where there are no flows."""
        return clopper_pearson(self.wrong, self.flows) if self.flows else (0.0, 1.0)


def alarms(scores: Scores, ids: Iterable[str]) -> list[Alarms]:
    """Return the false alarms of each of these signatures, also of those that were never found.

    A flow is not of the kind of an id where neither the id nor one below it is among its labels, and the labels are not
    too general to tell. Flows without labels count where nothing is to be found in them. What was found below an id is
    no alarm of the signature of this id itself.
    """
    kinds: Counter[frozenset[str]] = Counter(frozenset(flow.labels) for flow in scores.flows if not flow.doubts)
    kinds[frozenset()] += scores.quiet
    found: Counter[tuple[str, frozenset[str]]] = Counter(
        (name, frozenset(flow.labels)) for flow in scores.flows if not flow.doubts for name in flow.hits
    )
    told = []
    for name in sorted(set(ids)):
        others = [labels for labels in kinds if name not in prefixes(labels) and not too_general(name, labels)]
        told.append(
            Alarms(name, sum(kinds[labels] for labels in others), sum(found[name, labels] for labels in others))
        )
    return told


def alarms_object(told: Iterable[Alarms]) -> list[dict[str, Any]]:
    """Return false alarms for JSON."""
    return [
        {
            "id": one.id,
            "flows": one.flows,
            "wrong": one.wrong,
            "rate": one.wrong / one.flows if one.flows else None,
            "low": one.interval[0],
            "high": one.interval[1],
        }
        for one in told
    ]


def alarms_text(told: list[Alarms]) -> str:
    """Return false alarms as a table; rates are flows in 10,000."""
    width = max([9, *(len(one.id) for one in told)])
    lines = ["", "false alarms, in 10,000 flows that are not of its kind:"]
    lines.append(f"{'signature':{width}}    flows  wrong    rate  at most (95 %)")
    lines += _rows(told, width)
    return "\n".join(lines) + "\n"


def _rows(told: list[Alarms], width: int) -> Iterator[str]:
    for one in told:
        rate = f"{10_000 * one.wrong / one.flows:7.2f}" if one.flows else "      -"
        yield f"{one.id:{width}} {one.flows:8} {one.wrong:6} {rate} {10_000 * one.interval[1]:15.2f}"
