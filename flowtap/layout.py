# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lines that tell of a flow, as fl0p prints them: the one layout of what is read from files and what comes live.

(tcp) 83.31.193.40:3406 -> 213.134.128.25:22
    Observed for: 820B, 18 packets, spans 9 seconds
    Matches: SSH1 - invalid password attempt (hit: 2, confidence: 80)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """What the lines say of a flow."""

    proto: str  # the signature language's word
    client: str  # address or name, with the port where there is one
    server: str
    port: str  # the server's, `*` where there is none
    start: str  # as EVE has it
    size: int  # payload bytes
    packets: int
    seconds: int  # between the first packet and the last

    @property
    def ends(self) -> str:
        """Who talks to whom."""
        return f"({self.proto}) {self.client} -> {self.server}"

    @property
    def observed(self) -> str:
        """How much of it there was."""
        return f"{self.size}B, {self.packets} packets, spans {self.seconds} seconds"


@dataclass(frozen=True, slots=True)
class Layout:
    """How flows are printed: on one line or several, with the time of the first packet or not, behind what mark."""

    one_line: bool = False
    timestamps: bool = False
    comment: str = ""

    def matched(self, seen: Seen, found: Sequence[str]) -> str:
        """Return the lines of a flow in which something was found."""
        if self.one_line:
            return f"{self.comment}{self._ends(seen)}, {seen.observed}: {'; '.join(found)}\n"
        return self._block(seen) + "".join(map(self._match, found))

    def more(self, seen: Seen, found: str) -> str:
        """Return what is added when more was found in the flow that the last lines are about."""
        return self.matched(seen, [found]) if self.one_line else self._match(found)

    def unidentified(self, seen: Seen, shape: str) -> str:
        """Return the lines of a flow in which nothing was found; its shape is a signature."""
        line = f"{seen.proto} {seen.port} = {shape} : unidentified {seen.client} -> {seen.server}\n"
        return line if self.one_line else self._block(seen) + line

    def note(self, time: str, text: str) -> str:
        """Return the line of what is said of a host, not of a flow."""
        when = f"{time.replace('+0000', 'Z')} " if self.timestamps else ""
        return f"{self.comment}{when}(host) {text}\n"

    def _match(self, text: str) -> str:
        return f"{self.comment}    Matches: {text}\n"

    def _block(self, seen: Seen) -> str:
        return f"{self.comment}{self._ends(seen)}\n{self.comment}    Observed for: {seen.observed}\n"

    def _ends(self, seen: Seen) -> str:
        return f"{seen.start.replace('+0000', 'Z')} {seen.ends}" if self.timestamps else seen.ends


def found(description: str, hits: int, certainty: int, flows: int = 0) -> str:
    """Return what is said of a match; `certainty` in percent, 0 for what is no claim; `flows` of a rule."""
    several = f" in {flows} flow{'' if flows == 1 else 's'}" if flows else ""
    return f"{description} (hit: {hits}{several}, confidence: {certainty or 'none'})"


def with_port(host: str, port: int | None) -> str:
    """Return a host and its port, None where the protocol has none."""
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
