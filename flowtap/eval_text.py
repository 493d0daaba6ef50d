# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `flowtap eval` prints: the scores as a table for people, as an object for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowtap.eval_interval import clopper_pearson
from flowtap.eval_score import Judged, Scores, Tally, Wrong


def proportion(right: int, total: int) -> dict[str, Any] | None:
    """Return a proportion with its exact 95 % interval; None where there is nothing to go by."""
    if not total:
        return None
    low, high = clopper_pearson(right, total)
    return {"value": right / total, "low": low, "high": high, "right": right, "total": total}


def precision(tally: Tally) -> dict[str, Any] | None:
    """Return how many of the flows in which it was found are labelled so."""
    return proportion(tally.right, tally.right + tally.wrong)


def recall(tally: Tally) -> dict[str, Any] | None:
    """Return in how many of the flows that are labelled so, and were seen well enough, it was found."""
    return proportion(tally.right, tally.right + tally.missed)


def as_object(scores: Scores, *, every: bool) -> dict[str, Any]:
    """Return the scores for JSON; with `every`, all judged flows."""
    document: dict[str, Any] = {
        "flows": len(scores.flows),
        "labels": [
            {
                "id": name,
                "flows": tally.flows,
                "true_positives": tally.right,
                "false_positives": tally.wrong,
                "misses": tally.missed,
                "abstentions": tally.abstained,
                "withheld": tally.withheld,
                "undecided": tally.undecided,
                "precision": precision(tally),
                "recall": recall(tally),
                "recall_of_all": proportion(tally.right, tally.flows),
                "counted_exactly": proportion(tally.exactly, tally.counted),
            }
            for name, tally in scores.tallies.items()
        ],
        "wrong": [
            {
                **_flow(wrong.flow),
                "false": wrong.false,
                "missed": wrong.missed,
                "miscounted": [
                    {"id": name, "expected": expected, "counted": counted}
                    for name, expected, counted in wrong.miscounted
                ],
            }
            for wrong in scores.wrong
        ],
        "unlabelled": {"flows": scores.unlabelled, "found": dict(sorted(scores.unlabelled_found.items()))},
        "not_found": [{"capture": capture, "line": labelled.line} for capture, labelled in scores.not_found],
        "reversed": scores.reversed,
        "labels_without_signature": dict(sorted(scores.unknown_labels.items())),
        "captures_not_given": scores.not_given,
        "captures_without_labels": scores.without_labels,
    }
    if every:
        document["judged"] = [_flow(flow) for flow in scores.flows]
    return document


def as_text(scores: Scores, *, every: bool, before: str = "") -> str:
    """Return the scores as lines, then `before`, then the wrong flows; with `every`, all judged ones."""
    return "\n".join(_scores(scores)) + "\n" + before + "".join(f"{line}\n" for line in _flows(scores, every=every))


def remarks(file: str, scores: Scores) -> Iterator[str]:
    """Yield what was amiss with the labels of `file`: a line each."""
    for capture, labelled in scores.not_found:
        yield f"{file}:{labelled.line}: this flow is not in {capture}"
    for capture in scores.without_labels:
        yield f"{capture}: {file} has no labels for it"
    if scores.unknown_labels:
        named = ", ".join(f"{name} ({flows} flows)" for name, flows in sorted(scores.unknown_labels.items()))
        yield f"{file}: no signature has these ids, nor any below them: {named}"
    if scores.not_given:
        yield f"{file}: captures that were not given: {', '.join(scores.not_given)}"
    if scores.reversed:
        yield f"{scores.reversed} flows whose client was taken for the server"


def _flow(flow: Judged) -> dict[str, Any]:
    return {
        "capture": flow.capture,
        "line": flow.line,
        "flow": flow.name,
        "labels": flow.labels,
        "found": dict(sorted(flow.hits.items())),
        "unknown": flow.doubts,
        "parts": flow.parts,
        "shape": flow.signature,
    }


def _scores(scores: Scores) -> Iterator[str]:
    width = max([5, *map(len, scores.tallies)])
    head = f"{'label':{width}}  flows  right  wrong missed abstained  {'precision':21}  {'recall':21}"
    yield head.rstrip()
    for name, tally in scores.tallies.items():
        if not tally.flows + tally.wrong + tally.withheld:
            continue  # only undecided ones, which are told below
        yield (
            f"{name:{width}} {tally.flows:6} {tally.right:6} {tally.wrong:6} {tally.missed:6} {tally.abstained:9}  "
            f"{shown(precision(tally)):21}  {shown(recall(tally)):21}"
        ).rstrip()
    counted = {name: tally for name, tally in scores.tallies.items() if tally.counted}
    if counted:
        yield ""
        yield "attempts counted exactly:"
        for name, tally in counted.items():
            number = f"{tally.exactly} of {tally.counted}"
            yield f"{name:{width}}  {number:>15}  {shown(proportion(tally.exactly, tally.counted))}"
    for title, field in (("too general labels to judge", "undecided"), ("withheld, not labelled so", "withheld")):
        numbers = {name: getattr(tally, field) for name, tally in scores.tallies.items()}
        if any(numbers.values()):
            yield ""
            yield f"{title}: " + ", ".join(f"{name} {number}" for name, number in numbers.items() if number)
    if scores.unlabelled:
        found = ", ".join(f"{name} {number}" for name, number in sorted(scores.unlabelled_found.items()))
        yield ""
        yield f"{scores.unlabelled} flows without labels" + (f", in which was found: {found}" if found else "")


def _flows(scores: Scores, *, every: bool) -> Iterator[str]:
    if every:
        yield from _every(scores.flows)
    elif scores.wrong:
        yield ""
        yield "wrong flows:"
        for wrong in scores.wrong:
            yield from _wrong(wrong)


def _wrong(wrong: Wrong) -> Iterator[str]:
    said = [f"false {name}" for name in wrong.false] + [f"missed {name}" for name in wrong.missed]
    said += [f"{name} counted {counted}, expected {expected}" for name, expected, counted in wrong.miscounted]
    yield from _told(wrong.flow, "; ".join(said))


def _every(flows: list[Judged]) -> Iterator[str]:
    yield ""
    yield "flows:"
    for flow in flows:
        found = ", ".join(f"{name}={count}" for name, count in sorted(flow.hits.items())) or "nothing"
        yield from _told(flow, f"found {found}" + (f"; unknown: {', '.join(flow.doubts)}" if flow.doubts else ""))


def _told(flow: Judged, said: str) -> Iterator[str]:
    labels = "|".join(name if count is None else f"{name}={count}" for name, count in flow.labels.items())
    line = "" if flow.line is None else f" (line {flow.line})"
    yield f"  {flow.capture}: {flow.name}{line}: {said}"
    yield f"      labels: {labels or 'none'}"
    if flow.signature:
        yield f"      {flow.signature}"


def shown(part: dict[str, Any] | None) -> str:
    """Return a proportion as a person reads it. Cut, not rounded: 0.9996 is not 1."""
    if part is None:
        return "-"
    value = int(part["value"] * 10_000) / 10_000
    return f"{value:.4f} ({part['low']:.3f}-{part['high']:.3f})"
