# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws the confusion matrix of `flowtap eval` with matplotlib, which only `--plot` needs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowtap.eval_score import Judged, prefixes, too_general

FORMATS = (".png", ".svg")
NOTHING, MISSED, UNKNOWN = "(nothing)", "(missed)", "(unknown)"


class PlotError(Exception):
    """There is no picture; the text is ready for the user."""


def check(path: str) -> None:
    """Raise PlotError for a picture that cannot be drawn, before anything is read."""
    if Path(path).suffix.lower() not in FORMATS:
        raise PlotError(f"{path}: expected a name that ends in {' or '.join(FORMATS)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise PlotError("--plot needs matplotlib: pip install matplotlib, or Debian's python3-matplotlib") from None


@dataclass(slots=True)
class Matrix:
    """Labels (rows) by what was found (columns), in flows; a flow counts once for each pair of a label and an id."""

    rows: list[str]
    columns: list[str]
    flows: list[int]  # of each row
    right: list[list[int]]  # what was found is among the labels, or these are too general to tell
    wrong: list[list[int]]  # it is not; in the column MISSED: the label was not found


def matrix(flows: list[Judged]) -> Matrix:
    """Return the matrix. Its last columns: the label was not found; the flow was not seen well enough to say.

    The last row: flows without any label.
    """
    total: Counter[str] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for flow in flows:
        truth, found = prefixes(flow.labels), prefixes(flow.hits)
        for label in flow.labels or [NOTHING]:
            total[label] += 1
            if flow.doubts:
                right[label, UNKNOWN] += 1
                continue
            for name in flow.hits:
                pairs = right if name in truth or too_general(name, flow.labels) else wrong
                pairs[label, name] += 1
            if label != NOTHING and label not in found:
                wrong[label, MISSED] += 1
    rows = sorted(total, key=_last)
    columns = sorted({column for _, column in right | wrong}, key=_last)
    return Matrix(
        rows,
        columns,
        [total[row] for row in rows],
        [[right[row, column] for column in columns] for row in rows],
        [[wrong[row, column] for column in columns] for row in rows],
    )


def draw(flows: list[Judged], path: str) -> None:
    """Write the picture. Raises PlotError when the file cannot be written."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    table = matrix(flows)
    mpl.rcParams["svg.hashsalt"] = "flowtap"  # the same flows, the same file
    size = (5 + 0.45 * len(table.columns), 3 + 0.32 * len(table.rows))
    figure = Figure(figsize=size, layout="constrained")
    axes: Any = figure.subplots()
    axes.set_xticks(range(len(table.columns)), table.columns, rotation=60, ha="right")
    axes.set_yticks(
        range(len(table.rows)), [f"{row}  {count}" for row, count in zip(table.rows, table.flows, strict=True)]
    )
    axes.set(
        xlabel="found", ylabel="label, flows", xlim=(-0.5, len(table.columns) - 0.5), ylim=(len(table.rows) - 0.5, -0.5)
    )
    axes.set_title(
        f"{len(flows)} flows. Blue: right. Red: not labelled so, or missed. Shade: the share of the label's flows.",
        fontsize=9,
    )
    for y, count in enumerate(table.flows):
        for x in range(len(table.columns)):
            _cell(axes, x, y, table.right[y][x], table.wrong[y][x], count)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise PlotError(f"{path}: {error.strerror}") from error


def _cell(axes: Any, x: int, y: int, right: int, wrong: int, total: int) -> None:
    """Fill a cell: how many are right, how many wrong. One wrong flow among many must still be seen, hence 0.2."""
    for count, left, colour in ((right, 0.0, "tab:blue"), (wrong, 0.5 if right else 0.0, "tab:red")):
        if not count:
            continue
        width = 0.5 if right and wrong else 1.0
        share = count / total
        shade = 0.85 * share if colour == "tab:blue" else 0.2 + 0.65 * share
        axes.bar(x - 0.5 + left, 1, width, y - 0.5, align="edge", color=colour, alpha=shade, linewidth=0)
        ink = "white" if shade > 0.6 else "black"
        axes.text(
            x - 0.5 + left + width / 2, y, count, ha="center", va="center", fontsize=8 if width == 1 else 6, color=ink
        )


def _last(name: str) -> tuple[int, str]:
    """Order names, with those that are no id at the end."""
    last = (NOTHING, MISSED, UNKNOWN)
    return last.index(name) + 1 if name in last else 0, name
