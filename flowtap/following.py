# SPDX-License-Identifier: LGPL-2.1-or-later
"""Follows the feed: takes events, tells which are missing, prints those that are wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from flowtap.output import Output

if TYPE_CHECKING:
    from zmq import Context, Socket

SEVERITIES = ("critical", "high", "medium", "low")  # EVE's 1 to 4
QUEUE = 100_000  # events that wait for this process; what comes beyond that is missed
_POLL_MS = 250
_ROUND = 1000
_PATIENCE = 1.0  # seconds without a collector before that is told


class Filter:
    """Which events are printed."""

    def __init__(
        self, patterns: Sequence[str] = (), severity: str = "low", *, flows: bool = False, everything: bool = False
    ) -> None:
        """Choose alerts by patterns of ids and by severity; with `flows` also flow events, or all there are."""
        self._patterns = patterns
        self._severity = SEVERITIES.index(severity) + 1
        self._flows = flows
        self._everything = everything

    def wants(self, event: dict[str, Any]) -> bool:
        """Return whether the event is printed. Raises ValueError for what is no event of ours."""
        try:
            if event["event_type"] != "alert":
                return self._everything or (self._flows and event["event_type"] == "flow")
            name = event["flowtap"]["id"]
            return int(event["alert"]["severity"]) <= self._severity and (
                not self._patterns or any(fnmatchcase(name, pattern) for pattern in self._patterns)
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("no event") from error


class Gaps:
    """Tells which sequence numbers are missing; `expected` is the first one, where that is known."""

    def __init__(self, expected: int | None = None) -> None:
        self.missed = 0
        self._next = expected

    def check(self, event: dict[str, Any]) -> str | None:
        """Return what is to be said of the event's number; None: it is the next one. Raises ValueError."""
        try:
            seq = int(event["flowtap"]["seq"])
        except (KeyError, TypeError) as error:
            raise ValueError("no sequence number") from error
        expected, self._next = self._next, seq + 1
        if expected is None or seq == expected:
            return None
        if seq < expected:
            return f"the feed begins anew: event {seq} after {expected - 1}"
        self.missed += seq - expected
        return f"{seq - expected} events missed: {expected} to {seq - 1}"


class Follower:
    """A subscriber to the feed at `endpoint`. It connects again by itself. Raises zmq.ZMQError for a wrong endpoint."""

    def __init__(self, context: Context[Socket[bytes]], endpoint: str, topic: str, packed: bool) -> None:
        import msgpack
        import orjson
        import zmq

        self._again = zmq.Again
        self._parts = 2 if topic else 1
        self._decode: Callable[[bytes], Any] = msgpack.unpackb if packed else orjson.loads
        self._socket = context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.RCVHWM, QUEUE)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 50)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        self._socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
        self._now = zmq.DONTWAIT
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError:
            self.close()  # or the context would never end
            raise

    def connected(self, timeout_ms: int) -> bool:
        """Wait until there is a feed; False when there was none in time."""
        return bool(self._monitor.poll(timeout_ms))

    @property
    def socket(self) -> Socket[bytes]:
        """The socket, to be polled together with others."""
        return self._socket

    def wait(self, timeout_ms: int) -> bool:
        """Wait for an event; False when none came."""
        return bool(self._socket.poll(timeout_ms))

    def event(self) -> dict[str, Any] | None:
        """Return the next event; None when there is none. Raises ValueError for what is no event."""
        try:
            parts = self._socket.recv_multipart(self._now)
        except self._again:
            return None
        if len(parts) != self._parts:
            raise ValueError(f"{len(parts)} frames, expected {self._parts}")
        try:
            event = self._decode(parts[-1])
        except Exception as error:  # whatever a foreign publisher may cause
            raise ValueError(str(error)) from error
        if not isinstance(event, dict):
            raise ValueError("no object")
        return event

    def close(self) -> None:
        """Close the socket."""
        self._socket.disable_monitor()
        self._monitor.close()
        self._socket.close()


class Tail:
    """Prints events of a follower until `limit` are printed, the time is up, or `stop` is set."""

    def __init__(
        self, follower: Follower, wanted: Filter, printed: Callable[[dict[str, Any]], bytes], output: Output
    ) -> None:
        self.stop = False
        self.printed = 0
        self._follower = follower
        self._filter = wanted
        self._text = printed
        self._output = output
        self._gaps = Gaps()
        self._strange = False

    def run(self, limit: int | None, timeout: float | None) -> bool:
        """Print; return False when the time was up. Raises OutputError, BrokenPipeError."""
        end = None if timeout is None else monotonic() + timeout
        patience = monotonic() + _PATIENCE
        while not self.stop and (limit is None or self.printed < limit):
            left = _POLL_MS if end is None else min(_POLL_MS, round((end - monotonic()) * 1000))
            if left <= 0:
                return False
            if self._follower.wait(left):
                self._round(limit)
            elif monotonic() > patience:
                patience = inf
                if not self._follower.connected(0):
                    print("flowtap: nobody publishes there yet (flowtap stats shows what runs); waits", file=sys.stderr)
        return True

    def _round(self, limit: int | None) -> None:
        """Print what is there, up to a bound, so that flags and time are looked at."""
        for _ in range(_ROUND):
            if limit is not None and self.printed >= limit:
                break
            try:
                event = self._follower.event()
                if event is None:
                    break
                note = self._gaps.check(event)
                data = self._text(event) if self._filter.wants(event) else b""
            except ValueError as error:
                self._tell_once(f"what comes from the feed is no event: {error}; is its form that of the settings?")
                continue
            if note is not None:
                self._output.flush()
                print(f"flowtap: {note}", file=sys.stderr)
            if data:
                self.printed += 1
                self._output.write(data)
        self._output.flush()

    def _tell_once(self, text: str) -> None:
        if not self._strange:
            self._strange = True
            print(f"flowtap: {text}", file=sys.stderr)
