# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flows as EVE JSON: one object a line. The objects themselves are made by engine.events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from engine import Flow
    from engine.events import Events, StatsEvent


class Eve:
    """Prints events: alerts when `identified`; `flow` events when `flows`, or for unidentified flows only."""

    def __init__(self, *, identified: bool = True, unidentified: bool = False, flows: bool = False) -> None:
        self._identified = identified
        self._unidentified = unidentified or flows
        self._flows = flows
        self.alerts = 0  # alert events printed

    def flow(self, flow: Flow, events: Events) -> bytes:
        """Return the lines of `flow`; b"" when nothing of it is to be printed."""
        lines = []
        if flow.hits:
            if self._identified:
                lines += [_line(event) for event in events.alerts(flow)]
                self.alerts += len(lines)
            if self._flows:
                lines.append(_line(events.flow(flow)))
        elif self._unidentified:
            lines.append(_line(events.flow(flow)))
        return b"".join(lines)


def _line(event: object) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def stats_line(event: StatsEvent) -> bytes:
    """Return the closing line of a run."""
    return _line(event)
