# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker's loop: messages of one shard in, merged by time, through the engine, events out; everything counted.

What belongs together is remembered as a whole after each round (engine.memory): what was received, missed, given to
the engine, expected next, made. So after a kill -9 at any time the sums are exact, and the worker that comes back knows
what died with its predecessor: messages on their way are `missed`, records that waited to be put in order have `died`.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from mmap import PAGESIZE
from time import monotonic_ns, time_ns

import zmq

from engine.counters import NAMES
from engine.events import Events
from engine.inbox import inbox
from engine.loop import Engine
from engine.memory import Memory
from engine.merge import REASONS, Merge
from engine.outbox import Outbox
from engine.page import Counters
from engine.sightings_maker import COUNTERS as HOSTS_COUNTERS
from engine.sightings_maker import SightingsMaker
from engine.wire import MAX_EVENTS
from sigdb import Program, TcpDatabase

log = logging.getLogger(__name__)

ROUND = 256  # parcels, of at most 4 messages, taken before the records in them go to the engine
QUEUE = 128  # parcels that wait here; more wait at the capture process, which counts what it drops
ADVANCE_NS = 100_000_000
_BIGGEST = 1 << 20  # bytes of a parcel; whoever sends a larger one is disconnected
_POLL_MS = 100
_ROUNDS_AT_END = 64
_REPORTS = 64  # of what ends at once when time passes; more ends the next time
_STEP_NS = 1_000_000
_SWITCH = 1e-4  # seconds for which a thread that compiles may keep the loop from going on
_SECOND_NS = 1_000_000_000

# Counters of a ledger page: batched for this shard = received + missed; received = processed + died + held_now.
# Those that begin with engine_ are explained in engine/counters.pxd, those with refused_ in engine/merge.pyi.
MERGE_COUNTERS = ("messages", "late", "forced", "handshakes", "handshakes_dropped", *(f"refused_{r}" for r in REASONS))
COUNTERS = (
    "messages",  # from capture processes, refused ones included
    "received",  # records
    "missed",  # records that a capture process counted and that did not arrive
    "processed",  # records that went to the engine
    "late",  # of these, the ones that came after newer ones
    "forced",  # of these, the ones given before it was sure that nothing older would come: the window was full
    "died",  # records that a killed predecessor had received and that were not processed
    "handshakes",  # handshake records
    "handshakes_dropped",
    *(f"refused_{reason}" for reason in REASONS),  # messages
    "events_made",
    "events_sent",
    "events_dropped",  # the collector was away or slow for too long
    "reloads",  # of the signatures and the fingerprints
    "reloads_refused",
    *(f"engine_{name}" for name in NAMES),
    *(f"hosts_{name}" for name in HOSTS_COUNTERS),  # handshakes, see engine/handshakes.pyi
    "held_now",
    "streams_now",
    "flows_now",
    "memory_now",  # bytes that the process has in memory
    "signatures_now",
    "fingerprints_now",  # signatures of TCP stacks
)


Streams = list[tuple[int, int, int, int]]  # sender, CPU, records received, records missed


class Remembered:
    """What a worker remembers as a whole, across a kill -9: sums, and how far each stream has come.

    Begins with what the page says where nothing is remembered.
    """

    def __init__(self, memory: Memory, page: Counters) -> None:
        self._memory = memory
        self.streams: Streams = []
        self.until = 0  # ns on the clock of the records: when a predecessor that was killed was alive last; 0: none
        self.made = page.get("events_made")
        self.received, self.missed, self.processed = map(page.get, ("received", "missed", "processed"))
        match memory.load():
            case [int(received), int(missed), int(processed), int(made), list(streams), *more]:
                self.received, self.missed, self.processed, self.made = received, missed, processed, made
                self.streams = streams
                self.until = max(0, 0, *(one for one in more if isinstance(one, int)))
        page.set("died", self.received - self.processed)

    def resume(self, merge: Merge) -> None:
        """Have the streams go on where the predecessor stopped."""
        for stream in self.streams:
            try:
                merge.resume(*stream)
            except (TypeError, ValueError) as error:  # all it costs is that more counts as missed
                log.warning("what was remembered of a stream is not used: %s", error)

    def save(self, counters: Mapping[str, int], made: int, streams: Streams, now: int) -> None:
        """Remember all of it, or nothing if the process is killed meanwhile; `counters` are those of this run."""
        self._memory.store(
            (
                self.received + counters["received"],
                self.missed + counters["missed"],
                self.processed + counters["released"],
                made,
                streams,
                now,
            )
        )


def day_offset() -> int:
    """Return the time since 1970 less that of the monotonic clock, in ns: of several tries the one least disturbed."""
    tries = []
    for _ in range(5):
        before, day, after = monotonic_ns(), time_ns(), monotonic_ns()
        tries.append((after - before, day - (before + after) // 2))
    return min(tries)[1]


class Worker:
    """Worker `shard`, which receives at `endpoint`. Raises zmq.ZMQError.

    `load` returns the signatures anew, or None when they are wrong, which it has told. `alive` is called each second.
    `senders` returns the numbers of the capture processes that are alive now: nothing goes to the engine before each of
    them has been heard, or was silent for a second.
    `sightings` takes handshakes; without it they are only counted. `load_fingerprints` is its `load`: both databases
    change together, or none.
    `clock` is that of the records, `offset` the time since 1970 less that clock, in ns. The attributes `stop` and
    `reload` are flags that a signal handler may set.
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
        window_ms: int = 1000,
        flows: bool = False,
        sightings: SightingsMaker | None = None,
        load_fingerprints: Callable[[], TcpDatabase | None] = lambda: None,
        alive: Callable[[], None] = lambda: None,
        senders: Callable[[], frozenset[int]] = frozenset,
        clock: Callable[[], int] = monotonic_ns,
        offset: Callable[[], int] = day_offset,
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
        self._load_fingerprints = load_fingerprints
        self._flows = flows
        self._sightings = sightings
        self._window_ns = window_ms * 1_000_000
        self._alive = alive
        self._senders = senders
        self._expected: frozenset[int] = frozenset()
        self._ended = False
        if remembered.until:  # the flows of the predecessor died with it, and records that it held
            engine.lost(0, min(remembered.until, clock()))
        self._clock = clock
        self._offset = offset
        events.offset_ns = offset()
        self._base = {name: page.get(name) for name in COUNTERS}
        page.set("signatures_now", len(events.signatures))
        page.set("fingerprints_now", 0 if sightings is None else len(sightings.database.signatures))
        self._loading: threading.Thread | None = None
        self._loaded: tuple[Program | None, TcpDatabase | None] = (None, None)
        self._next_advance = 0
        self._next_second = 0
        self._socket = inbox(context, endpoint, queue=QUEUE, biggest=_BIGGEST)

    def run(self) -> None:
        """Work until `stop`; then take what has arrived and report the flows that are open."""
        sys.setswitchinterval(_SWITCH)
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

    def streams(self) -> Streams:
        """Return how far each stream has come."""
        return self._merge.streams()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _receive(self) -> int:
        """Take what has arrived, up to ROUND parcels; return how many there were."""
        recv, put, now = self._socket.recv, self._merge.put, self._clock()
        taken = 0
        try:
            while taken < ROUND:
                put(recv(zmq.DONTWAIT), now)
                taken += 1
        except zmq.Again:
            pass
        return taken

    def _process(self, *, everything: bool = False) -> None:
        """Give the engine what is in order, and send what it finds."""
        merge, engine, now = self._merge, self._engine, self._clock()
        sightings = self._sightings
        for begin, end, _ in merge.losses():
            engine.lost(begin, end)
        senders = self._senders()  # after messages were taken: who began since has nothing as old as their promises
        if senders != self._expected:
            merge.expect(senders)
            self._expected = senders
        handshakes = merge.handshakes()
        if sightings is not None:
            sightings.add(handshakes)  # before the records, which show whether they are completed
        while count := merge.take(now, everything=everything):
            if sightings is not None:
                sightings.see(merge.records, count)
                self._outbox.add(sightings.take(now))
            done = 0
            while done < count:
                done += engine.process(merge.records, merge.tags, done, count - done)
                self._report()
            if self._outbox.waiting > MAX_EVENTS:  # one round may end as many flows as it brings records
                self._send(now)
        self._send(now)

    def _report(self) -> None:
        """Make the events of what the engine has found."""
        events = self._events
        for flow in self._engine.news():
            self._outbox.add(list(events.alerts(flow)))
        for flow in self._engine.take():
            self._outbox.add(list(events.alerts(flow)))
            if self._flows:
                self._outbox.add([events.flow(flow)])

    def _send(self, now: int) -> None:
        """Remember where all is, then send what was found: so no two events ever have the same number."""
        alive = 0 if self._ended else now  # who ended by itself has told of all flows, and lost nothing
        self._remembered.save(self._merge.counters(), self._outbox.made, self._merge.streams(), alive)
        self._outbox.flush(now)

    def _mend(self) -> None:
        """Do what time and signals ask for."""
        now = self._clock()
        if self._loading is not None and not self._loading.is_alive():
            self._loading = None
            self._swap(*self._loaded)
        if self.reload and self._loading is None:
            self.reload = False
            self._loading = threading.Thread(target=self._compile, daemon=True)
            self._loading.start()
        if now >= self._next_advance:
            self._next_advance = now + ADVANCE_NS
            self._advance(now)
        if now >= self._next_second:
            self._next_second = now + _SECOND_NS
            self._outbox.heartbeat()
            self._set_offset()
            self._count()
            self._alive()

    def _advance(self, now: int) -> None:
        """Let time pass: up to when nothing more will come, which, while nobody sends, is the window's length ago."""
        horizon = self._merge.horizon
        until = horizon if horizon <= now else now - self._window_ns
        if self._sightings is not None:
            self._sightings.advance(until)
            self._outbox.add(self._sightings.take(now))
        for _ in range(_REPORTS):
            done = self._engine.advance(until)
            self._report()
            self._send(now)
            if done:
                break

    def _compile(self) -> None:
        """Take the signatures anew, in a thread: many take seconds, and what comes meanwhile should not be lost.

        A process would need to be started and trusted; the interpreter's lock changes hands often enough (_SWITCH).
        """
        self._loaded = (None, None)
        program = self._load()
        if program is not None:
            self._loaded = (program, None if self._sightings is None else self._load_fingerprints())

    def _swap(self, program: Program | None, fingerprints: TcpDatabase | None) -> None:
        """Go on with other signatures and fingerprints; wrong ones (None) change nothing."""
        sightings = self._sightings
        if program is None or (sightings is not None and fingerprints is None):
            self._page.add("reloads_refused")
            return
        self._report()  # hits so far are numbered by the signatures so far
        before = None if sightings is None else sightings.database
        try:
            if sightings is not None and fingerprints is not None:
                sightings.swap(fingerprints)
            self._engine.swap(program)
        except (ValueError, MemoryError) as error:
            if sightings is not None and before is not None:
                sightings.swap(before)
            log.error("the signatures stay as they are: %s", error or "not enough memory")
            self._page.add("reloads_refused")
            return
        self._events.signatures = program.signatures
        self._page.add("reloads")
        self._page.set("signatures_now", len(program.signatures))
        log.info("%d signatures from now on", len(program.signatures))
        if fingerprints is not None:
            self._page.set("fingerprints_now", len(fingerprints.signatures))
            log.info("%d fingerprints from now on", len(fingerprints.signatures))

    def _set_offset(self) -> None:
        """Follow the clock of the day. Not each of its small steps: times of one flow should fit together."""
        offset = self._offset()
        if abs(offset - self._events.offset_ns) > _STEP_NS:
            self._events.offset_ns = offset

    def _finish(self) -> None:
        """Report the flows that are open, as at the end of a capture."""
        self._ended = True
        self._process(everything=True)
        if self._sightings is not None:
            self._sightings.finish()
            self._outbox.add(self._sightings.take(self._clock()))
        done = False
        while not done:
            done = self._engine.finish()
            self._report()
            self._send(self._clock())
        self._outbox.flush(0, everything=True)
        self._outbox.heartbeat()
        self._count()

    def _count(self) -> None:
        """Write the page."""
        page, merge, engine, outbox = self._page, self._merge.counters(), self._engine.counters(), self._outbox
        remembered = self._remembered
        page.set("received", remembered.received + merge["received"])
        page.set("missed", remembered.missed + merge["missed"])
        page.set("processed", remembered.processed + merge["released"])
        page.set("events_made", outbox.made)
        run = {
            "events_sent": outbox.sent,
            "events_dropped": outbox.dropped,
            **{name: merge[name] for name in MERGE_COUNTERS},
            **{f"engine_{name}": value for name, value in engine.items()},
        }
        if self._sightings is not None:
            run |= {f"hosts_{name}": value for name, value in self._sightings.counters().items()}
        for name, value in run.items():
            page.set(name, self._base[name] + value)
        page.set("held_now", self._merge.waiting)
        page.set("streams_now", len(self._merge.streams()))
        page.set("flows_now", self._engine.memory()["flows"])
        page.set("memory_now", _resident())


def _resident() -> int:
    """Return the bytes of this process that are in memory; 0 where /proc does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * PAGESIZE
    except (OSError, ValueError, IndexError):
        return 0
