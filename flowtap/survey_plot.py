# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws a survey's confusion matrix and the ROC of the class rule, as PNG or SVG."""

from __future__ import annotations

from flowtap.eval_plot import PlotError
from flowtap.survey_list import LABELS
from flowtap.survey_report import IN_2009, VERDICTS, Report


def plot(told: Report, path: str) -> None:
    """Draw the report of a survey with labels. Raises PlotError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    cells = [[told.matrix[label][name] for name in VERDICTS] for label in LABELS]
    left.imshow(cells, cmap="Blues", aspect="auto")
    left.set_xticks(range(len(VERDICTS)), ["client-class", *VERDICTS[1:]])
    left.set_yticks(range(len(LABELS)), LABELS)
    left.set_title(f"{told.hosts:,} hosts by label and class of system")
    most = max(max(row) for row in cells) or 1
    for y, row in enumerate(cells):
        for x, count in enumerate(row):
            left.text(x, y, f"{count:,}", ha="center", va="center", color="white" if count > most / 2 else "black")
    right.plot([x for _, x, _ in told.roc], [y for _, _, y in told.roc], marker="o", label="class rule")
    right.plot([0, 1], [0, 1], linestyle=":", color="grey", label="chance")
    right.set_xlabel("false positive rate")
    right.set_ylabel("true positive rate")
    area = "not enough labels" if told.auc is None else f"area {told.auc:.3f}"
    right.set_title(
        f"ROC, {area}; 2009: {IN_2009['false_positives']} false positives,\n"
        f"{IN_2009['false_negatives']} false negatives of {IN_2009['hosts']:,}",
        fontsize=10,
    )
    right.legend(loc="lower right")
    try:
        figure.savefig(path)
    except OSError as error:
        raise PlotError(f"{path}: {error.strerror}") from error
