# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a survey says: how many hosts of which class answered and, with labels, how well the class rule does.

The rule is that of 2009: a client-class system that answers as a server is taken for infected. A host whose system is
not known, or that did not answer, is not judged; it is counted beside the matrix and never as right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flowtap.survey_list import LABELS

# Of 10,808 hosts contacted on port 80 in 2009; shares of all that were contacted.
IN_2009 = {"hosts": 10_808, "false_positives": 186, "false_negatives": 58}

VERDICTS = ("client", "other", "unknown", "no answer")
Interval = Callable[[int, int], tuple[float, float]]  # k of n: an exact interval of the share


def verdict(result: Mapping[str, Any]) -> str:
    """Return one of VERDICTS for a result of the journal."""
    if not result.get("raw"):
        return "no answer"
    kind = result.get("class")
    if not kind:
        return "unknown"
    return "client" if kind == "client" else "other"


def score(result: Mapping[str, Any]) -> float:
    """Return how much a result speaks for a client-class system, 0 to 1: class first, then how well it was known.

    An unknown system stands in the middle; what agrees only in general or with tolerance lies nearer to it.
    """
    doubt = 0.2 * bool(result.get("fuzzy")) + 0.1 * bool(result.get("generic"))
    match verdict(result):
        case "client":
            return 1 - doubt
        case "other":
            return doubt
        case _:
            return 0.5


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its exact binomial interval at 95 %."""

    count: int
    of: int
    low: float
    high: float

    def as_dict(self) -> dict[str, float | int | None]:
        """Return it for JSON; the share of nothing is null."""
        return {"count": self.count, "of": self.of, "share": self.value, "low": self.low, "high": self.high}

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Report:
    """The sums over all results."""

    hosts: int
    outcomes: dict[str, int]
    systems: dict[str, int]  # of hosts that answered, by name of the system; `???` where it is unknown
    classes: dict[str, int]  # by verdict
    matrix: dict[str, dict[str, int]]  # label: verdict: hosts; empty without labels
    shares: dict[str, Share]
    roc: list[tuple[float, float, float]]  # threshold, false positive rate, true positive rate
    auc: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        told: dict[str, Any] = {
            "hosts": self.hosts,
            "outcomes": self.outcomes,
            "systems": self.systems,
            "classes": self.classes,
        }
        if self.matrix:
            told["matrix"] = self.matrix
            told["shares"] = {name: share.as_dict() for name, share in self.shares.items()}
            told["roc"] = [{"threshold": t, "fpr": x, "tpr": y} for t, x, y in self.roc]
            told["auc"] = self.auc
            told["in_2009"] = IN_2009
        return told


def report(results: Sequence[Mapping[str, Any]], interval: Interval) -> Report:
    """Return the sums over the results of a journal."""
    labelled = [result for result in results if result.get("label") in LABELS]
    matrix: dict[str, dict[str, int]] = {}
    shares: dict[str, Share] = {}
    points: list[tuple[float, float, float]] = []
    if labelled:
        matrix = {label: dict.fromkeys(VERDICTS, 0) for label in LABELS}
        for result in labelled:
            matrix[result["label"]][verdict(result)] += 1
        shares = _shares(matrix, len(labelled), interval)
        points = roc([(score(result), result["label"] == "malicious") for result in labelled if result.get("raw")])
    return Report(
        hosts=len(results),
        outcomes=_sorted(result["outcome"] for result in results),
        systems=_sorted(result.get("system") or "???" for result in results if result.get("raw")),
        classes={name: sum(verdict(result) == name for result in results) for name in VERDICTS},
        matrix=matrix,
        shares=shares,
        roc=points,
        auc=_area(points),
    )


def _sorted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _shares(matrix: dict[str, dict[str, int]], contacted: int, interval: Interval) -> dict[str, Share]:
    clean, bad = matrix["clean"], matrix["malicious"]

    def share(count: int, of: int) -> Share:
        return Share(count, of, *(interval(count, of) if of else (0.0, 1.0)))

    return {
        "false_positives_of_all": share(clean["client"], contacted),
        "false_negatives_of_all": share(bad["other"], contacted),
        "false_positive_rate": share(clean["client"], clean["client"] + clean["other"]),
        "false_negative_rate": share(bad["other"], bad["client"] + bad["other"]),
        "not_judged": share(sum(row["unknown"] + row["no answer"] for row in matrix.values()), contacted),
    }


def roc(scored: Sequence[tuple[float, bool]]) -> list[tuple[float, float, float]]:
    """Return the points of the curve, from nothing alarmed to all: threshold, false and true positive rate.

    Empty where one of the two kinds is missing.
    """
    bad = sum(is_bad for _, is_bad in scored)
    good = len(scored) - bad
    if not bad or not good:
        return []
    points = [(2.0, 0.0, 0.0)]
    for threshold in sorted({value for value, _ in scored}, reverse=True):
        alarmed = [is_bad for value, is_bad in scored if value >= threshold]
        points.append((threshold, (len(alarmed) - sum(alarmed)) / good, sum(alarmed) / bad))
    return points


def _area(points: Sequence[tuple[float, float, float]]) -> float | None:
    if not points:
        return None
    return sum((x2 - x1) * (y1 + y2) / 2 for (_, x1, y1), (_, x2, y2) in pairwise(points))


def text(told: Report) -> str:
    """Return the report for people."""
    lines = [f"{told.hosts} hosts: " + ", ".join(f"{count} {name}" for name, count in told.outcomes.items())]
    answered = sum(told.systems.values())
    if answered:
        lines.append(f"Systems of the {answered} that answered:")
        lines += [f"  {count:>7}  {name}" for name, count in told.systems.items()]
    if told.matrix:
        lines.append("")
        lines.append(f"{'label':<12}" + "".join(f"{name:>14}" for name in ("client-class", *VERDICTS[1:])))
        lines += [
            f"{label:<12}" + "".join(f"{row[name]:>14}" for name in VERDICTS) for label, row in told.matrix.items()
        ]
        lines.append("")
        lines += [_line(name, share) for name, share in told.shares.items()]
        if told.auc is not None:
            lines.append(f"area under the ROC curve: {told.auc:.4f}")
        lines.append(
            f"In 2009, of {IN_2009['hosts']:,} hosts: false positives {IN_2009['false_positives']} (1.7 %), "
            f"false negatives {IN_2009['false_negatives']} (0.5 %)"
        )
    return "\n".join(lines)


def _line(name: str, share: Share) -> str:
    title = name.replace("_", " ")
    if share.value is None:
        return f"{title}: nothing to judge"
    return (
        f"{title}: {share.count} of {share.of} = {100 * share.value:.2f} % "
        f"(95 %: {100 * share.low:.2f} to {100 * share.high:.2f})"
    )
