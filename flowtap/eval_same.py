# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares what was found in flows that are the same thing under other conditions: round trips, offloads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flowtap.eval_score import Judged, hits_of, prefixes


@dataclass(slots=True)
class Difference:
    """An id that is not found alike in all flows of one thing; `hits` by capture, 0 where it was not found.

    `counted`: the labels state how often it is to be found, so that the number was compared, too.
    """

    same: str
    id: str
    labelled: bool
    counted: bool
    hits: dict[str, int]


@dataclass(slots=True)
class Alike:
    """The result. A thing is compared when it was seen well enough, with the same labels, in two captures or more."""

    things: int = 0  # that were compared
    compared: Counter[str] = field(default_factory=Counter)  # by id: things with this label, or in which it was found
    differ: Counter[str] = field(default_factory=Counter)  # of these, not alike
    differences: list[Difference] = field(default_factory=list)
    other_labels: list[str] = field(default_factory=list)  # things whose flows have not all the same labels
    alone: list[str] = field(default_factory=list)  # things that only one capture shows well enough
    abstained: int = 0  # flows that were not seen well enough


def compare(flows: Iterable[Judged]) -> Alike:
    """Compare the flows that have the same text in `same`; flows without one are left alone.

    Several flows of one thing in one capture are taken for one, whose hits are added up. Compared is whether an id was
    found, an id standing for its prefixes, and where the labels state a number of hits, that number.
    """
    things: dict[str, dict[str, list[Judged]]] = defaultdict(lambda: defaultdict(list))
    for flow in flows:
        if flow.same:
            things[flow.same][flow.capture].append(flow)
    result = Alike()
    for same, captures in sorted(things.items()):
        seen = {}
        for capture, found in captures.items():
            if any(flow.doubts for flow in found):
                result.abstained += len(found)
            else:
                seen[capture] = found
        if len(seen) < 2:
            result.alone.append(same)
        elif len({_labels(found) for found in seen.values()}) > 1:
            result.other_labels.append(same)
        else:
            result.things += 1
            _thing(same, seen, result)
    return result


def _labels(flows: list[Judged]) -> tuple[tuple[tuple[str, int | None], ...], ...]:
    return tuple(sorted(tuple(sorted(flow.labels.items(), key=lambda item: item[0])) for flow in flows))


def _thing(same: str, seen: dict[str, list[Judged]], result: Alike) -> None:
    hits = {capture: sum((flow.hits for flow in flows), Counter[str]()) for capture, flows in seen.items()}
    first = next(iter(seen.values()))
    counted = {name for flow in first for name, count in flow.labels.items() if count is not None}
    labelled = prefixes(name for flow in first for name in flow.labels)
    found = {capture: prefixes(each) for capture, each in hits.items()}
    written = {name for each in hits.values() for name in each} | {name for flow in first for name in flow.labels}
    for name in sorted(written):
        counts = {capture: max(1, hits_of(name, each)) * (name in found[capture]) for capture, each in hits.items()}
        result.compared[name] += 1
        if len(set(counts.values()) if name in counted else {bool(count) for count in counts.values()}) > 1:
            result.differ[name] += 1
            result.differences.append(Difference(same, name, name in labelled, name in counted, counts))


def same_object(alike: Alike) -> dict[str, Any]:
    """Return the result for JSON."""
    return {
        "things": alike.things,
        "labels": [
            {"id": name, "compared": count, "differ": alike.differ[name]}
            for name, count in sorted(alike.compared.items())
        ],
        "differences": [
            {
                "same": each.same,
                "id": each.id,
                "labelled": each.labelled,
                "counted": each.counted,
                "hits": each.hits,
            }
            for each in alike.differences
        ],
        "other_labels": alike.other_labels,
        "alone": alike.alone,
        "abstained": alike.abstained,
    }


def same_text(alike: Alike) -> str:
    """Return the result as lines for people."""
    return "\n".join(_lines(alike)) + "\n"


def _lines(alike: Alike) -> Iterator[str]:
    width = max([5, *map(len, alike.compared)])
    yield ""
    yield f"the same under other conditions: {alike.things} compared"
    yield f"{'label':{width}}  compared  differ"
    for name, count in sorted(alike.compared.items()):
        yield f"{name:{width}}  {count:8}  {alike.differ[name]:6}"
    for each in alike.differences:
        known = "labelled" if each.labelled else "not labelled"
        yield f"  {each.same}: {each.id} ({known}): {_where(each)}"
    if alike.other_labels:
        yield f"not compared, as their labels differ: {', '.join(alike.other_labels)}"
    if alike.alone:
        yield f"not compared, as fewer than two captures show them well enough: {', '.join(alike.alone)}"
    if alike.abstained:
        yield f"left out, not seen well enough: {alike.abstained} flows"


def _where(difference: Difference) -> str:
    """Say in how many captures it was found, or how often; all but the commonest answer with the names of captures."""
    by_answer: dict[str, list[str]] = defaultdict(list)
    for capture, count in difference.hits.items():
        answer = f"{count} times" if difference.counted else "found" if count else "not found"
        by_answer[answer].append(capture)
    (common, many), *rest = sorted(by_answer.items(), key=lambda item: -len(item[1]))
    return "; ".join([f"{common} in {len(many)}", *(f"{answer} in {', '.join(names)}" for answer, names in rest)])
