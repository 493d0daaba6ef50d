# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flows as text, in the layout of flowtap.layout.

With shapes of unidentified flows among it, the whole output is a signature database: a shape is a signature line, all
else is a comment. What was printed can be read back with `-f` as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.events import Events, StatsEvent, StatsFields, address, timestamp
from engine.rules import Rules
from flowtap.layout import Layout, Seen, found, with_port

if TYPE_CHECKING:
    from engine import Flow
    from sigdb import Rule, Signature

# The signature language has one word for both versions of ICMP.
_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}
_WITH_PORTS = (6, 17)

# Counters of the engine that say that its bounds changed the result, in words.
_LOSSES = {
    "ended_evicted": "flows cut short",
    "ended_half_open": "half-open flows dropped",
    "no_room": "records without a flow",
    "hits_dropped": "matches not kept",
    "held_full": "segments not put in order",
    "verify_gave_up": "matches undecided",
}


class Text:
    """Prints flows.

    `identified` and `unidentified` choose the flows that are printed. `one_line` puts all of a flow on one line,
    `timestamps` puts the time of its first packet before it. The attribute `names` turns an address into what is
    printed for it. `rules` are those of the program; they go on across captures.
    """

    def __init__(
        self,
        signatures: Sequence[Signature],
        *,
        identified: bool = True,
        unidentified: bool = False,
        one_line: bool = False,
        timestamps: bool = False,
        rules: Sequence[Rule] = (),
    ) -> None:
        self.alerts = 0
        self.names: Callable[[str], str] = str
        self._events = Events(signatures)
        self._rules = Rules(signatures, rules)
        self._identified = identified
        self._unidentified = unidentified
        self._layout = Layout(one_line, timestamps, "# " if unidentified else "")

    def begin(self, capture: str, interfaces: Sequence[str]) -> None:
        """Take note that the flows to come are from the file `capture`, whose interfaces have these names."""

    def flow(self, flow: Flow) -> bytes:
        """Return the lines of `flow`; b"" when it is not to be printed.

        A flow without a packet in its shape (a scanned port) has nothing to identify and is not printed.
        """
        text = ""
        if flow.hits:
            if self._identified:
                text = self._matched(flow)
        elif self._unidentified and flow.packets_c + flow.packets_s:
            text = self._shape(flow)
        return text.encode()

    def end(self, event: StatsEvent) -> bytes:
        """Return nothing: the summary goes to standard error."""
        return b""

    def _matched(self, flow: Flow) -> str:
        matches = [
            found(one["alert"]["signature"], more["hits"], more["certainty"], more.get("flows", 0))
            for event in self._events.alerts(flow)
            for one in self._rules.take(event)
            if (more := one["flowtap"])
        ]
        self.alerts += len(matches)
        return self._layout.matched(self._seen(flow), matches) if matches else ""

    def _shape(self, flow: Flow) -> str:
        return self._layout.unidentified(self._seen(flow), flow.shape)

    def _seen(self, flow: Flow) -> Seen:
        ports = (flow.client_port, flow.server_port) if flow.proto in _WITH_PORTS else (None, None)
        return Seen(
            proto=_PROTOCOLS[flow.proto],
            client=with_port(self.names(address(flow.client)), ports[0]),
            server=with_port(self.names(address(flow.server)), ports[1]),
            port="*" if ports[1] is None else str(ports[1]),
            start=timestamp(flow.start_ns),
            size=flow.bytes_c + flow.bytes_s,
            packets=flow.packets_c + flow.packets_s,
            seconds=(flow.end_ns - flow.start_ns) // 1_000_000_000,
        )


def summary(stats: StatsFields) -> str:
    """Return the closing line: what was read, what was found, what was left out and why, and what had no room."""
    files, flows = len(stats["captures"]), stats["flows"]
    text = (
        f"{files} {_plural(files, 'file')}, {stats['packets']} {_plural(stats['packets'], 'packet')}, "
        f"{flows['total']} {_plural(flows['total'], 'flow')}, {flows['matched']} identified"
    )
    reasons = {"filtered": stats["filtered"], **stats["verdicts"]}
    left_out = [f"{n} {name.replace('_', ' ')}" for name, n in reasons.items() if n and name != "record"]
    text += f"; left out: {', '.join(left_out)}" if left_out else ""
    lost = [f"{stats['engine'][name]} {words}" for name, words in _LOSSES.items() if stats["engine"].get(name)]
    return text + (f"; out of room: {', '.join(lost)}" if lost else "")


def _plural(number: int, word: str) -> str:
    return word if number == 1 else word + "s"
