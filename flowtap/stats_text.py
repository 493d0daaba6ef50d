# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ledger as a table that a person reads from top to bottom, as a packet travels."""

from __future__ import annotations

from collections.abc import Iterator

from flowtap.accounts import Equation, Ledger

Row = tuple[str, int]

_LABEL = 44


def rows(ledger: Ledger) -> Iterator[Row]:
    """Yield label and value of each line of the table; a label's indent says what it is part of."""
    yield "packets seen", ledger.captured("seen")
    for reason, number in sorted(ledger.filtered().items(), key=lambda entry: -entry[1]):
        if number:
            yield f"  left out: {reason.replace('_', ' ')}", number
    yield "  became records", ledger.captured("batched")
    yield "records handed to the capture process", ledger.captured("taken")
    yield "  lost: no room in the ring", ledger.captured("lost")
    yield "  sent to workers", ledger.captured("sent")
    yield "  dropped: worker away or slow", ledger.captured("dropped")
    yield "records received by workers", ledger.worked("received")
    yield "  missed: lost, dropped or gone on the way", ledger.worked("missed")
    yield "  processed", ledger.worked("processed")
    yield "  of these, too late: out of order", ledger.worked("late")
    yield "  died with a killed worker", ledger.worked("died")
    yield "  waiting now", ledger.worked("held_now")
    yield "flows", ledger.worked("engine_flows")
    yield "  open now", ledger.worked("flows_now")
    yield "  cut short to make room", ledger.worked("engine_ended_evicted")
    yield "  half-open, dropped to make room", ledger.worked("engine_ended_half_open")
    yield "events made", ledger.worked("events_made")
    yield "  dropped: collector away or slow", ledger.worked("events_dropped")
    yield "  missed on the way", ledger.collected("missed")
    yield "  duplicates", ledger.collected("duplicates")
    yield "  withheld by thresholds and suppressions", ledger.collected("rules_withheld")
    yield "  published", ledger.collected("published")
    yield "alerts of rules", ledger.collected("rules_made")


def table(ledger: Ledger, before: Ledger | None = None, seconds: float = 0.0) -> str:
    """Return the table, the losses, the sums and the processes; with an earlier ledger also what happens per second.

    Lines of 0 that tell of losses are left out: what is lost stands below, with its place and its reason.
    """
    earlier = dict(_named(before)) if before is not None else {}
    lines = []
    for path, label, value in _paths(ledger):
        if not value and label.startswith("  ") and label.strip() not in ("became records", "processed", "published"):
            continue
        rate = ""
        if path in earlier and not label.endswith(" now"):
            rate = f"{(value - earlier[path]) / max(seconds, 1e-3):>14,.0f}/s"
        lines.append(f"{label:<{_LABEL}}{value:>16,}{rate}")
    return "\n".join([*lines, "", *_lost(ledger), *_sums(ledger), *_processes(ledger)]) + "\n"


def _paths(ledger: Ledger) -> Iterator[tuple[str, str, int]]:
    """Yield the rows with a name of their own: labels of parts repeat."""
    above = ""
    for label, value in rows(ledger):
        above = above if label.startswith("  ") else label
        yield f"{above}/{label}", label, value


def _named(ledger: Ledger) -> Iterator[Row]:
    for path, _, value in _paths(ledger):
        yield path, value


def _lost(ledger: Ledger) -> Iterator[str]:
    losses = list(ledger.losses())
    if not losses:
        yield "lost: nothing"
    for loss in losses:
        yield f"lost: {loss.number:,} {loss.counter.replace('_', ' ')} at {loss.place}: {loss.why}"


def _sums(ledger: Ledger) -> Iterator[str]:
    equations = list(ledger.equations())
    still = [equation for equation in equations if equation.difference]
    closed = len(equations) - len(still)
    alive = any(process.pid is not None for process in ledger.processes)
    yield f"sums: {closed} of {len(equations)} close" + (
        "" if not still else "; on the way now:" if alive else "; not accounted for:"
    )
    yield from (f"  {told(equation)}" for equation in still)


def told(equation: Equation) -> str:
    """Return an equation that does not close, in words."""
    return f"{equation.place}: {equation.name}: {equation.left:,} = {equation.right:,} {equation.difference:+,}"


def _processes(ledger: Ledger) -> Iterator[str]:
    for process in ledger.processes:
        yield f"{process.name}: " + (f"alive, pid {process.pid}" if process.pid is not None else "not running")
