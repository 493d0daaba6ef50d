# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flows as EVE JSON: one object a line. The objects themselves are made by engine.events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from engine.events import Events
from engine.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine import Flow
    from engine.events import StatsEvent
    from sigdb import Rule, Signature


class Eve:
    """Prints events: alerts when `identified`; `flow` events when `flows`, or for unidentified flows only.

    `rules` are those of the program; they go on across captures.
    """

    def __init__(
        self,
        signatures: Sequence[Signature],
        *,
        identified: bool = True,
        unidentified: bool = False,
        flows: bool = False,
        rules: Sequence[Rule] = (),
    ) -> None:
        self.alerts = 0
        self._rules = Rules(signatures, rules)
        self._signatures = signatures
        self._identified = identified
        self._unidentified = unidentified or flows
        self._flows = flows
        self._events = Events(signatures)

    def begin(self, capture: str, interfaces: Sequence[str]) -> None:
        """Take note that the flows to come are from the file `capture`, whose interfaces have these names."""
        # The list is the reader's own and grows: pcapng files name an interface before its first packet, not at once.
        self._events = Events(
            self._signatures, capture, lambda number: interfaces[number] if number < len(interfaces) else ""
        )

    def flow(self, flow: Flow) -> bytes:
        """Return the lines of `flow`; b"" when nothing of it is to be printed."""
        lines: list[bytes] = []
        if flow.hits:
            if self._identified:
                for event in self._events.alerts(flow):
                    lines += map(_line, self._rules.take(event))
                self.alerts += len(lines)
            if self._flows:
                lines.append(_line(self._events.flow(flow)))
        elif self._unidentified:
            lines.append(_line(self._events.flow(flow)))
        return b"".join(lines)

    def end(self, event: StatsEvent) -> bytes:
        """Return the closing line."""
        return _line(event)


def _line(event: object) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
