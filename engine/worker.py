# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker's loop: messages of one shard in, merged by time, through the engine, events out; everything counted.

What belongs together is remembered as a whole after each round (engine.memory): what was received, missed, given to
the engine, expected next, made. So after a kill -9 at any time the sums are exact, and the worker that comes back knows
what died with its predecessor: messages on their way are `missed`, records that waited to be put in order have `died`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic_ns, time_ns
from typing import Any, Protocol

import zmq

from engine.counters import NAMES
from engine.events import Events
from engine.loop import Engine
from engine.memory import Memory
from engine.merge import Merge
from engine.outbox import Outbox
from engine.results import Flow
from sigdb import Program

log = logging.getLogger(__name__)

ROUND = 512  # messages taken before the records in them go to the engine
QUEUE = 256  # messages that wait here; more wait at the capture process, which counts what it drops
ADVANCE_NS = 100_000_000
_POLL_MS = 100
_SECOND_NS = 1_000_000_000

# Counters of a ledger page, in this order: sent to this shard = received + missed, and received = processed + late +
# died + held_now. Those that begin with engine_ are explained in engine/counters.pxd.
COUNTERS = (
    "messages",  # from capture processes, malformed ones included
    "malformed",  # of these, the ones that are no message for this shard
    "received",  # records
    "missed",  # records that a capture process counted and that did not arrive
    "processed",  # records that the engine took
    "late",  # records that were older than what had been processed, and were left out
    "died",  # records that a killed predecessor had received and not processed
    "forced",  # records processed before it was sure that nothing older would come: the window was full
    "handshakes",  # handshake records
    "events_made",
    "events_sent",
    "events_dropped",  # the collector was away or slow for too long
    "reloads",  # of the signatures
    "reloads_refused",
    *(f"engine_{name}" for name in NAMES),
    "held_now",
    "senders_now",
    "flows_now",
    "memory_now",  # bytes that the process has in memory
    "signatures_now",
)


class Counters(Protocol):
    """What the worker needs of a ledger page (flowtap.ledger.Page)."""

    def add(self, name: str, by: int = 1) -> None:
        """Count more of `name`."""

    def set(self, name: str, value: int) -> None:
        """Set `name`."""

    def get(self, name: str) -> int:
        """Return `name`."""


class Remembered:
    """What a worker remembers as a whole, across a kill -9: sums, and what each stream will send next.

    Begins with what the page says where nothing is remembered.
    """

    def __init__(self, memory: Memory, page: Counters) -> None:
        self._memory = memory
        self.streams: list[tuple[int, int, int]] = []  # sender, CPU, number of the next record
        self.made = page.get("events_made")
        self.sums = {name: page.get(name) for name in ("received", "missed", "processed", "late")}
        match memory.load():
            case [dict(sums), int(made), list(streams)] if sums.keys() == self.sums.keys():
                self.sums, self.made = sums, made
                self.streams = [(sender, cpu, first) for sender, cpu, first in streams]
        page.set("died", max(0, self.sums["received"] - self.sums["processed"] - self.sums["late"]))

    def save(self, sums: dict[str, int], made: int, streams: list[tuple[int, int, int]]) -> None:
        """Remember all of it, or nothing if the process is killed meanwhile."""
        self._memory.store((sums, made, streams))


class Worker:
    """Worker `shard`, which receives at `endpoint`. Raises zmq.ZMQError.

    `load` returns the signatures anew, or None when they are wrong, which it has told. `alive` is called each second.
    The attributes `stop` and `reload` are flags that a signal handler may set.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        *,
        engine: Engine,
        merge: Merge,
        events: Events,
        outbox: Outbox,
        page: Counters,
        remembered: Remembered,
        load: Callable[[], Program | None],
        flows: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.stop = False
        self.reload = False
        self._engine = engine
        self._merge = merge
        self._events = events
        self._outbox = outbox
        self._page = page
        self._remembered = remembered
        self._load = load
        self._flows = flows
        self._alive = alive
        self._base = {name: page.get(name) for name in COUNTERS}
        self._next_advance = 0
        self._next_second = 0
        self._socket = context.socket(zmq.PULL)
        self._socket.setsockopt(zmq.RCVHWM, QUEUE)
        self._socket.setsockopt(zmq.LINGER, 0)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError:
            self._socket.close()
            raise

    def run(self) -> None:
        """Work until `stop`; then take what has arrived and report the flows that are open."""
        while not self.stop:
            if self._socket.poll(_POLL_MS):
                self._receive()
            self._process()
            self._mend()
        for _ in range(_ROUNDS_AT_END):  # bounded: who sends does not know that this is the end
            if not self._receive():
                break
            self._process()
        self._finish()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
