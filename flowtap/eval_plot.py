# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws the confusion matrix of `flowtap eval` with matplotlib, which only `--plot` needs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from flowtap.eval_score import Judged

FORMATS = (".png", ".svg")
NOTHING, UNKNOWN = "(nothing)", "(unknown)"


class PlotError(Exception):
    """There is no picture; the text is ready for the user."""


def check(path: str) -> None:
    """Raise PlotError for a picture that cannot be drawn, before anything is read."""
    if Path(path).suffix.lower() not in FORMATS:
        raise PlotError(f"{path}: expected a name that ends in {' or '.join(FORMATS)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise PlotError(
            "--plot needs matplotlib: pip install 'flowtap[eval]', or Debian's python3-matplotlib"
        ) from None


def matrix(flows: list[Judged]) -> tuple[list[str], list[str], list[list[int]]]:
    """Return labels (rows), what was found (columns) and how many flows of the row are in the column.

    A flow counts once for each pair of a label and an id found. Columns at the end: nothing was found; it was not seen
    well enough to say. The last row: flows without any label.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for flow in flows:
        found = [UNKNOWN] if flow.doubts else list(flow.hits) or [NOTHING]
        counts.update((label, name) for label in (list(flow.labels) or [NOTHING]) for name in found)
    rows = sorted({row for row, _ in counts}, key=_last)
    columns = sorted({column for _, column in counts}, key=_last)
    return rows, columns, [[counts[row, column] for column in columns] for row in rows]


def draw(flows: list[Judged], path: str) -> None:
    """Write the picture. Raises PlotError when the file cannot be written."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows, columns, counts = matrix(flows)
    mpl.rcParams["svg.hashsalt"] = "flowtap"  # the same flows, the same file
    size = (4 + 0.45 * len(columns), 3 + 0.32 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes: Any = figure.subplots()
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    if rows:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlabel="found", ylabel="label", title=f"{len(flows)} flows; shade: share of the row")
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            if count:
                colour = "white" if shares[y][x] > 0.5 else "black"
                axes.text(x, y, count, ha="center", va="center", fontsize=8, color=colour)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise PlotError(f"{path}: {error.strerror}") from error


def _last(name: str) -> tuple[int, str]:
    """Order names, with those that are no id at the end."""
    return (NOTHING, UNKNOWN).index(name) + 1 if name in (NOTHING, UNKNOWN) else 0, name
