# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker's events on their way to the collector: never blocks, keeps a bounded number, counts what it drops."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import zmq

from engine.wire import MAX_EVENTS, encode

QUEUE = 512  # messages that wait while the collector is away or slow: 10 s of them, or 65,536 events
LINGER_MS = 1000  # how long the end of a worker may wait for them
_PAUSE_NS = 20_000_000  # events are gathered for so long: a message for each would fill the queue at once


class Outbox:
    """Sends events to the collector at `endpoint`. Raises zmq.ZMQError for a wrong one.

    `made` is how many events the worker has made in all its runs. It must be remembered between add() and flush():
    so what dies with the process is missed by the collector, and no number is used twice.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, worker: int, made: int) -> None:
        self.made = made
        self.sent = 0
        self.dropped = 0
        self._worker = worker
        self._run = int.from_bytes(os.urandom(8))
        self._waiting: list[Any] = []
        self._next_ns = 0
        self._socket = context.socket(zmq.PUSH)
        self._socket.setsockopt(zmq.SNDHWM, QUEUE)
        self._socket.setsockopt(zmq.LINGER, LINGER_MS)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 50)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError:
            self._socket.close()  # or the context would never end
            raise

    def add(self, events: Sequence[Any]) -> None:
        """Take events; they count as made."""
        self.made += len(events)
        self._waiting += events

    @property
    def waiting(self) -> int:
        """How many events wait to be sent."""
        return len(self._waiting)

    def flush(self, now_ns: int, *, everything: bool = False) -> None:
        """Send what waits, if it is time, or much, or `everything`; `now_ns` is any clock that only goes on."""
        if not self._waiting or (now_ns < self._next_ns and len(self._waiting) < MAX_EVENTS and not everything):
            return
        self._next_ns = now_ns + _PAUSE_NS
        events, self._waiting = self._waiting, []
        seq = self.made - len(events)
        for start in range(0, len(events), MAX_EVENTS):
            part = events[start : start + MAX_EVENTS]
            if self._push(encode(self._worker, self._run, seq + start, part)):
                self.sent += len(part)
            else:
                self.dropped += len(part)

    def heartbeat(self) -> None:
        """Tell the collector how many events it should have by now, so that it sees what is missing at the end."""
        self._push(encode(self._worker, self._run, self.made - len(self._waiting), []))

    def close(self) -> None:
        """Close; what is on its way goes on for at most LINGER_MS."""
        self._socket.close()

    def _push(self, message: bytes) -> bool:
        try:
            self._socket.send(message, zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True
