# SPDX-License-Identifier: LGPL-2.1-or-later
"""Events as text, in the layout of flowtap.layout: what `flowtap tail` and `flowtap run` print of the feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowtap.layout import Layout, Seen, found, with_port

_PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "ICMP": "icmp", "IPv6-ICMP": "icmp"}


class EventText:
    """Prints `alert` events, and with `unidentified` also `flow` events without a match.

    What is found in a flow at once stands under one head, as in what `flowtap read` prints.
    """

    def __init__(self, *, one_line: bool = False, timestamps: bool = False, unidentified: bool = False) -> None:
        self._layout = Layout(one_line, timestamps, "# " if unidentified else "")
        self._unidentified = unidentified
        self._before: Seen | None = None  # the flow that the last lines are about

    def event(self, event: Mapping[str, Any]) -> str:
        """Return the lines of an event; "" when it is not printed. Raises ValueError for what is no event of ours."""
        try:
            return _printable(self._lines(event))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no {event.get('event_type')} event: {type(error).__name__} {error}") from error

    def _lines(self, event: Mapping[str, Any]) -> str:
        if event["event_type"] == "alert" and "host" in event:
            self._before = None
            return self._layout.note(event["timestamp"], event["alert"]["signature"])
        if event["event_type"] == "alert":
            seen = _seen(event)
            more = event["flowtap"]
            text = found(event["alert"]["signature"], more["hits"], more["certainty"], more.get("flows", 0))
            again, self._before = seen == self._before, seen
            return self._layout.more(seen, text) if again else self._layout.matched(seen, [text])
        if event["event_type"] == "flow" and self._unidentified and not event["flow"]["alerted"]:
            shape = event["flowtap"]["shape"]
            if shape:
                self._before = None
                return self._layout.unidentified(_seen(event), shape)
        return ""


def _seen(event: Mapping[str, Any]) -> Seen:
    flow = event["flow"]
    port = event.get("dest_port")
    return Seen(
        proto=_PROTOCOLS.get(event["proto"], event["proto"]),
        client=with_port(event["src_ip"], event.get("src_port")),
        server=with_port(event["dest_ip"], port),
        port="*" if port is None else str(port),
        start=flow["start"],
        size=flow["bytes_toserver"] + flow["bytes_toclient"],
        packets=flow["pkts_toserver"] + flow["pkts_toclient"],
        seconds=flow["age"],
    )


def _printable(text: str) -> str:
    """Return the text without what a terminal might obey."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
