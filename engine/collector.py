# SPDX-License-Identifier: LGPL-2.1-or-later
"""The collector's loop: events of all workers in, without duplicates, in order, out to the feed.

Events that arrive together are put in order of time; what arrives later comes later, however old it is: an event is
never held back for others. (A flow is reported when it ends, with the time of its first hit, so no short delay would
give an order by time.)
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from time import monotonic_ns, time_ns
from typing import Any, Protocol

import zmq

from engine.events import timestamp
from engine.feed import Feed
from engine.hosts_watch import HostWatch
from engine.inbox import inbox
from engine.memory import Memory
from engine.page import Counters
from engine.rules import COUNTERS as RULES_COUNTERS
from engine.rules import Rules
from engine.sightings import EVENT_TYPE as SIGHTING
from engine.wire import MAX_BYTES, REASONS, Event, Message, WireError, decode

log = logging.getLogger(__name__)

ROUND = 256  # messages taken before the events in them are published
QUEUE = 256  # messages of each worker that wait here; more wait at the worker, which counts what it drops
REMEMBERED = 32_768  # events by which a duplicate is known
_POLL_MS = 100
_SECOND_NS = 1_000_000_000
_WORD = (1 << 64) - 1
_RUNS = 8  # of a worker that are known by their numbers

COUNTERS = (
    "messages",  # from workers
    "received",  # events that workers sent
    "missed",  # events that workers made and that did not arrive
    *(f"malformed_{reason}" for reason in REASONS),  # messages that are not believed; `event`: events
    "duplicates",  # events that had been published already
    "published",  # events of workers with a sequence number
    "sightings",  # events for the host table; they are not published
    # Events that a killed predecessor had received: received = published + duplicates + sightings + malformed_event +
    # rules_withheld + died.
    "died",
    *RULES_COUNTERS,
    "rules_reloaded",
    "rules_refused",  # reloads with wrong signatures
    "hosts_events",  # host and alert events of the host table with a sequence number
    "hosts_evicted",  # hosts forgotten because the table was full
    "hosts_expired",  # hosts forgotten because they were not seen for long
    "queries",  # answered at the query socket
    "queries_refused",  # connections there that were closed: too many, a line too long, no progress
    "stats",  # events of the collector itself with a sequence number
    "seq",  # the last sequence number
    "file_written",
    "file_dropped",
    "reopened",  # times that the file was opened anew on request
    "reopen_failed",
    "workers_now",  # workers heard of in the last 10 s
    "hosts_now",  # hosts in the table
)


class Beside(Protocol):
    """What the collector serves beside its work; it never waits."""

    def wanted(self) -> Iterator[tuple[int, int]]:
        """Yield each file descriptor to wait for, and for what (zmq.POLLIN, zmq.POLLOUT)."""

    def work(self, now_ns: int) -> None:
        """Do what can be done now; called in each turn."""


class Duplicates:
    """Knows the last `size` events by what makes them the same: flow, kind, signature, hits."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._seen: OrderedDict[tuple[Any, ...], None] = OrderedDict()

    def seen(self, event: Event) -> bool:
        """Return whether the event was here before; it is remembered from now on."""
        more = event["flowtap"]
        key = (event["flow_id"], event["event_type"], more.get("id"), more.get("hits"))
        if key in self._seen:
            self._seen.move_to_end(key)
            return True
        self._seen[key] = None
        if len(self._seen) > self._size:
            self._seen.popitem(last=False)
        return False


class Expected:
    """What each worker will send next, and what came and did not come so far.

    It is remembered across a kill -9 as a whole, so that the sums stay exact: what a worker has made was received, or
    is missed. `received` and `missed` are where to begin when nothing is remembered.
    """

    def __init__(self, memory: Memory, received: int, missed: int) -> None:
        self.received = received
        self.missed = missed
        self._memory = memory
        self._next: dict[int, int] = {}  # by worker: how many events it has made
        self._runs: dict[int, list[int]] = {}  # by worker: its last runs, the newest one first
        match memory.load():
            case [int(received), int(missed), list(entries)]:
                self.received, self.missed = received, missed
                for worker, number, runs in entries:
                    self._next[worker], self._runs[worker] = number, runs

    def take(self, message: Message) -> None:
        """Count the events of a message and those lost before it."""
        worker, count = message.worker, len(message.events) + message.refused
        runs = self._runs.setdefault(worker, [message.run])
        expected = self._next.get(worker, 0)
        self.received += count
        if message.run in runs[1:]:
            # A killed run's last messages can arrive after the first ones of the next run, for which they were missing.
            self.missed -= min(count, self.missed)
            return
        if message.seq >= expected:
            self.missed += message.seq - expected
        elif message.run == runs[0]:  # nothing to be made of that but to take what it says
            log.warning("worker %d: event %d comes again, expected %d", worker, message.seq, expected)
        else:
            log.warning("worker %d: begins anew, it remembers nothing", worker)
        self._next[worker] = message.seq + count
        if message.run != runs[0]:
            self._runs[worker] = [message.run, *runs[: _RUNS - 1]]

    def save(self) -> None:
        """Remember."""
        entries = [(worker, number, self._runs[worker]) for worker, number in self._next.items()]
        self._memory.store((self.received & _WORD, self.missed & _WORD, entries))


class Collector:
    """Receives at `endpoint`, publishes by `feed`, counts in `page`. Raises zmq.ZMQError.

    `stats` returns the object of a stats event, one each `stats_interval` seconds (0: none). `alive` is called each
    second. `load_rules` returns the rules, or None when the signatures are wrong, which it has told; at first there are
    none then. `hosts` takes sightings; without it they are only counted. `beside` is served in each turn. `stop` and
    `reopen`, which also loads the rules, are flags that a signal handler may set.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        feed: Feed,
        page: Counters,
        memory: Memory,
        *,
        stats: Callable[[], dict[str, Any]] | None = None,
        stats_interval: float = 0,
        alive: Callable[[], None] = lambda: None,
        load_rules: Callable[[], Rules | None] = Rules,
        hosts: HostWatch | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.stop = False
        self.reopen = False
        self._load_rules = load_rules
        self._rules = load_rules() or Rules()
        self._rules_base = {name: page.get(name) for name in RULES_COUNTERS}
        self._loading: threading.Thread | None = None
        self._loaded: Rules | None = None
        self._hosts = hosts
        self._hosts_base = (page.get("hosts_evicted"), page.get("hosts_expired"))
        self._beside = beside
        self._feed = feed
        self._page = page
        self._expected = Expected(memory, page.get("received"), page.get("missed"))
        done = sum(map(page.get, ("published", "duplicates", "sightings", "malformed_event", "rules_withheld")))
        page.set("died", max(0, self._expected.received - done))
        self._duplicates = Duplicates()
        self._stats = stats
        self._stats_ns = round(stats_interval * _SECOND_NS) if stats else 0
        self._next_stats = monotonic_ns() + self._stats_ns
        self._next_second = 0
        self._alive = alive
        self._told: set[str] = set()
        self._heard: dict[int, int] = {}  # worker: when
        self._file_base = (page.get("file_written"), page.get("file_dropped"))
        self._socket = inbox(context, endpoint, queue=QUEUE, biggest=2 * MAX_BYTES)

    def run(self) -> None:
        """Work until `stop`; then publish what has arrived."""
        while not self.stop:
            if self._wait():
                self._round()
            if self._beside is not None:
                self._beside.work(monotonic_ns())
            self._mend()
        for _ in range(64):  # bounded: workers may go on sending
            if not self._round():
                break
        self._second(monotonic_ns())

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _wait(self) -> bool:
        """Wait until there is something to do; whether messages have arrived."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        if self._beside is not None:
            for number, what in self._beside.wanted():
                poller.register(number, what)
        return self._socket in dict(poller.poll(_POLL_MS))

    def _round(self) -> int:
        """Take what is there, up to ROUND messages, publish it; return how many messages there were."""
        events: list[Event] = []
        taken = 0
        while taken < ROUND:
            try:
                data = self._socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                break
            taken += 1
            if not self._socket.getsockopt(zmq.RCVMORE):
                self._take(data, events)
                continue
            while self._socket.getsockopt(zmq.RCVMORE):
                self._socket.recv()
            self._malformed(WireError("form", "several parts, expected one"))
        if taken:
            self._expected.save()  # before anything is published: what dies in between was received, and died here
            self._page.set("received", self._expected.received)
            self._page.set("missed", self._expected.missed)
        if events:
            self._publish(events)
            self._feed.flush(monotonic_ns())
        return taken

    def _take(self, data: bytes, events: list[Event]) -> None:
        try:
            message = decode(data)
        except WireError as error:
            self._malformed(error)
            return
        self._heard[message.worker] = monotonic_ns()
        self._page.add("messages")
        self._expected.take(message)
        self._page.add("malformed_event", message.refused)
        events += message.events

    def _malformed(self, error: WireError) -> None:
        """Count a message that is not believed; the first one of its kind is worth a line."""
        name = f"malformed_{error.reason}"
        self._page.add(name)
        if name not in self._told:
            self._told.add(name)
            log.warning("a message of no worker: %s; further ones are only counted", error)

    def _publish(self, events: list[Event]) -> None:
        # The sort is stable: of two alerts of one signature and flow, which have the same time, the last stays last.
        events.sort(key=_time)
        for event in events:
            if event["event_type"] == SIGHTING:
                self._sight(event)
            elif self._duplicates.seen(event):
                self._page.add("duplicates")
            else:
                self._judge(event)
        for name, value in self._rules.counters.items():
            self._page.set(name, self._rules_base[name] + value)

    def _judge(self, event: Event) -> None:
        """Publish an event, unless a rule withholds it, and what rules make of it."""
        for one in self._rules.take(event):
            if one is not event:  # of a rule
                self._append(one)
            elif self._append(event):
                self._page.add("published")
            else:
                self._page.add("malformed_event")

    def _sight(self, event: Event) -> None:
        """Take a sighting into the host table, and publish what it shows."""
        found = [] if self._hosts is None else self._hosts.see(event)
        if found is None:
            self._page.add("malformed_event")
            return
        self._page.add("sightings")
        for one in found:
            self._page.add("hosts_events", self._append(one))

    def _append(self, event: Event) -> bool:
        """Hand an event to the feed; the page knows the number before anybody sees it. False: no event."""
        self._page.set("seq", self._feed.seq)
        try:
            self._feed.append(event)
        except TypeError:
            self._page.set("seq", self._feed.seq - 1)
            return False
        return True

    def _mend(self) -> None:
        """Do what time and signals ask for."""
        now = monotonic_ns()
        if self.reopen:
            self.reopen = False
            self._page.add("reopened" if self._feed.reopen() else "reopen_failed")
            if self._loading is None:
                self._loading = threading.Thread(target=self._load, daemon=True)
                self._loading.start()
        if self._loading is not None and not self._loading.is_alive():
            self._loading = None
            self._swap_rules()
        if self._stats_ns and now >= self._next_stats:
            self._next_stats = now + self._stats_ns
            self._publish_stats()
        if now >= self._next_second:
            self._second(now)

    def _load(self) -> None:
        """Read the rules anew, in a thread: a large database takes seconds."""
        self._loaded = None
        self._loaded = self._load_rules()

    def _swap_rules(self) -> None:
        """Go on with other rules, which remember nothing; wrong ones (None) change nothing."""
        if self._loaded is None:
            self._page.add("rules_refused")
            return
        self._rules = self._loaded
        self._rules_base = {name: self._page.get(name) for name in RULES_COUNTERS}
        self._page.add("rules_reloaded")

    def _second(self, now: int) -> None:
        self._next_second = now + _SECOND_NS
        file = self._feed.file
        if file is not None:
            self._page.set("file_written", self._file_base[0] + file.written)
            self._page.set("file_dropped", self._file_base[1] + file.dropped)
        self._page.set("workers_now", sum(now - heard < 10 * _SECOND_NS for heard in self._heard.values()))
        if self._hosts is not None:
            hosts = self._hosts.hosts
            hosts.expire(time_ns())
            self._page.set("hosts_now", len(hosts))
            self._page.set("hosts_evicted", self._hosts_base[0] + hosts.evicted)
            self._page.set("hosts_expired", self._hosts_base[1] + hosts.expired)
        self._alive()

    def _publish_stats(self) -> None:
        assert self._stats is not None
        event = {"timestamp": timestamp(time_ns()), "event_type": "stats", "stats": self._stats()}
        self._page.add("stats", self._append(event))
        self._feed.flush(monotonic_ns())


def _time(event: Event) -> str:
    time: str = event["timestamp"]
    return time
