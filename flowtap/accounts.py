# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ledger: what all pages say together, whether its sums close, and what was lost where.

A packet's way, each arrow an equation:

    capture, each CPU or ring:      seen = filtered (by reason) + batched
    ..., each shard of it:          batched = forwarded + lost
                                    forwarded = taken, taken = sent + dropped; the same for handshake records
    each shard:                     batched = received + missed (lost, dropped or gone on the way)
    worker:                         received = processed + died + held
    worker to collector (events):   made = received + missed
    collector:                      received = published + duplicates + sightings + malformed + withheld + died

Pages are read while they are written, and what is in a batch, a ring or a socket has left one counter and not yet
reached the next. So an equation of a running flowtap may be open by what is under way; at rest all close exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowtap.ledger import LedgerError, read_pages, writer

Counters = Mapping[str, int]

_CELL = re.compile(r"cpu(\d+)\.(?:shard(\d+)\.(\w+)|filtered\.(\w+)|(seen))")
_PROCESS = re.compile(r"(capture)-(.+)|(worker)-(\d+)|(collector)")

# Filtered packets that should have become records.
_FILTERED_LOSSES = {"busy": "met the tap at work on the same CPU"}

# What counters of a page say was lost: hop, counter, why, and what can be done.
CAPTURE_LOSSES = {
    "lost": ("ring", "no room between kernel and capture process; capture.ring_bytes may be larger"),
    "dropped": ("capture", "the worker was away or too slow; more workers, or a larger capture.queue"),
    "handshakes_lost": ("ring", "handshake records; no room between kernel and capture process"),
    "handshakes_dropped": ("capture", "handshake records; the worker was away or too slow"),
}
WORKER_LOSSES = {
    "died": ("worker", "records that a killed worker held"),
    "handshakes_dropped": ("worker", "handshake records; more than are kept at a time"),
    "hosts_lost": ("worker", "completed handshakes that had made room for others; hosts.pending may be larger"),
    "hosts_dropped": ("worker", "completed handshakes without a fingerprint; too many at a time"),
    "events_dropped": ("worker", "events; the collector was away or too slow"),
    "engine_no_room": ("engine", "records of new flows without a place in the flow table; workers.flows may be larger"),
    "engine_ended_evicted": ("engine", "flows cut short to make room; workers.flows may be larger"),
    "engine_ended_half_open": ("engine", "unanswered flows dropped to make room; a scan, or workers.flows"),
    "engine_held_full": ("engine", "segments not put in order: the room for those was used up"),
    "engine_hits_dropped": ("engine", "matches not kept: the room for those was used up"),
}
_GONE = "records that were sent and did not arrive: a killed process had them"
COLLECTOR_LOSSES = {
    "missed": ("collector", "events that workers made and that did not arrive: a killed process"),
    "died": ("collector", "events that a killed collector held"),
    "file_dropped": ("file", "events not written to the file: full disk, no permission"),
}


@dataclass(frozen=True, slots=True)
class Process:
    """One that has a page; `pid` is None when it has ended."""

    name: str  # as its page is called: capture-eth0, worker-0, collector
    pid: int | None


@dataclass(frozen=True, slots=True)
class Equation:
    """A sum that closes at rest."""

    place: str
    name: str
    left: int
    right: int

    @property
    def difference(self) -> int:
        """What is under way, or unaccounted for."""
        return self.left - self.right


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that was lost."""

    place: str
    hop: str
    counter: str
    number: int
    why: str


@dataclass(slots=True)
class Stream:
    """What a capture process counted for one CPU or ring: packets, and records by shard."""

    seen: int = 0
    filtered: dict[str, int] = field(default_factory=dict)
    shards: dict[int, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Capture:
    """The page of a capture process."""

    streams: dict[int, Stream] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)

    def total(self, counter: str, shard: int | None = None) -> int:
        """Return a counter of shards, summed over streams, and over shards unless one is given."""
        return sum(
            counters.get(counter, 0)
            for stream in self.streams.values()
            for number, counters in stream.shards.items()
            if shard in (None, number)
        )


@dataclass(slots=True)
class Ledger:
    """What all pages say."""

    processes: list[Process] = field(default_factory=list)
    captures: dict[str, Capture] = field(default_factory=dict)
    workers: dict[int, Counters] = field(default_factory=dict)
    collector: Counters | None = None

    def shards(self) -> list[int]:
        """Return the numbers of all shards that anybody counts for."""
        told = {n for capture in self.captures.values() for s in capture.streams.values() for n in s.shards}
        return sorted(told | self.workers.keys())

    def filtered(self) -> dict[str, int]:
        """Return packets that made no record, by reason, all captures together."""
        total: dict[str, int] = {}
        for capture in self.captures.values():
            for stream in capture.streams.values():
                for reason, number in stream.filtered.items():
                    total[reason] = total.get(reason, 0) + number
        return total

    def captured(self, counter: str) -> int:
        """Return a counter of all captures together; `seen` are packets, all others records."""
        if counter == "seen":
            return sum(stream.seen for capture in self.captures.values() for stream in capture.streams.values())
        return sum(capture.total(counter) for capture in self.captures.values())

    def worked(self, counter: str) -> int:
        """Return a counter of all workers together."""
        return sum(counters.get(counter, 0) for counters in self.workers.values())

    def collected(self, counter: str) -> int:
        """Return a counter of the collector."""
        return self.collector.get(counter, 0) if self.collector is not None else 0

    def gone(self, shard: int) -> int:
        """Return how many records of a shard were sent and will not be received.

        A worker misses whatever was put into batches and does not arrive; this is what nobody else has counted.
        """
        lost = sum(capture.total(name, shard) for capture in self.captures.values() for name in ("lost", "dropped"))
        return max(0, self.workers.get(shard, {}).get("missed", 0) - lost)

    def equations(self) -> Iterator[Equation]:
        """Yield all sums, in the order of a packet's way."""
        for name, capture in self.captures.items():
            yield from _capture_equations(name, capture)
        for shard in self.shards():
            batched = sum(capture.total("batched", shard) for capture in self.captures.values())
            worker = self.workers.get(shard, {})
            place = f"shard {shard}"
            yield Equation(place, "batched = received + missed", batched, _sum(worker, "received", "missed"))
        for number, worker in self.workers.items():
            parts = _sum(worker, "processed", "died", "held_now")
            place = f"worker {number}"
            yield Equation(place, "received = processed + died + held", worker.get("received", 0), parts)
        if self.collector is not None:
            got = _sum(self.collector, "received", "missed")
            yield Equation("collector", "events made = received + missed", self.worked("events_made"), got)
            names = ("published", "duplicates", "sightings", "malformed_event", "rules_withheld", "died")
            parts = _sum(self.collector, *names)
            name = "received = published + duplicates + sightings + malformed + withheld + died"
            yield Equation("collector", name, self.collector.get("received", 0), parts)

    def losses(self) -> Iterator[Loss]:
        """Yield all that was lost since the pages were made."""
        for name, capture in self.captures.items():
            for counter, why in _FILTERED_LOSSES.items():
                number = sum(stream.filtered.get(counter, 0) for stream in capture.streams.values())
                if number:
                    yield Loss(f"capture {name}", "tap", counter, number, why)
            for shard in self.shards():
                counters = {counter: capture.total(counter, shard) for counter in CAPTURE_LOSSES}
                yield from _losses(f"capture {name}, shard {shard}", counters, CAPTURE_LOSSES)
        for number, worker in self.workers.items():
            if gone := self.gone(number):
                yield Loss(f"worker {number}", "worker", "missed", gone, _GONE)
            yield from _losses(f"worker {number}", worker, WORKER_LOSSES)
        if self.collector is not None:
            yield from _losses("collector", self.collector, COLLECTOR_LOSSES)


def read_ledger(folder: Path) -> Ledger:
    """Return what the pages in `folder` (Runtime.ledger) say. The processes may have ended."""
    ledger = Ledger()
    for name, counters in read_pages(folder):
        match = _PROCESS.fullmatch(name)
        if match is None:
            continue
        try:
            pid = writer(folder / f"{name}.page")
        except LedgerError:
            pid = None
        ledger.processes.append(Process(name, pid))
        if match[1]:
            ledger.captures[match[2]] = _capture(counters)
        elif match[3]:
            ledger.workers[int(match[4])] = counters
        else:
            ledger.collector = counters
    ledger.workers = dict(sorted(ledger.workers.items()))
    return ledger


def stats(folder: Path) -> dict[str, Any]:
    """Return the object `stats` of a stats event: totals by hop, losses, equations that are open."""
    ledger = read_ledger(folder)
    return {
        "capture": {
            "packets": ledger.captured("seen"),
            "filtered": {reason: number for reason, number in ledger.filtered().items() if number},
            "records": {name: ledger.captured(name) for name in ("batched", "lost", "forwarded", "sent", "dropped")},
        },
        "workers": {
            name: ledger.worked(name)
            for name in ("received", "missed", "processed", "late", "died", "engine_flows", "flows_now", "events_made")
        },
        "collector": {name: number for name, number in (ledger.collector or {}).items() if not name.endswith("_now")},
        "lost": [
            {"place": loss.place, "hop": loss.hop, "counter": loss.counter, "number": loss.number}
            for loss in ledger.losses()
        ],
        "processes": {process.name: process.pid for process in ledger.processes},
    }


def _capture(counters: Counters) -> Capture:
    capture = Capture()
    for name, value in counters.items():
        cell = _CELL.fullmatch(name)
        if cell is None:
            capture.other[name] = value
            continue
        stream = capture.streams.setdefault(int(cell[1]), Stream())
        if cell[2]:
            stream.shards.setdefault(int(cell[2]), {})[cell[3]] = value
        elif cell[4]:
            stream.filtered[cell[4]] = value
        else:
            stream.seen = value
    return capture


def _capture_equations(name: str, capture: Capture) -> Iterator[Equation]:
    for cpu, stream in sorted(capture.streams.items()):
        batched = sum(counters.get("batched", 0) for counters in stream.shards.values())
        place = f"capture {name}, CPU {cpu}"
        yield Equation(place, "seen = filtered + batched", stream.seen, sum(stream.filtered.values()) + batched)
        for shard, counters in sorted(stream.shards.items()):
            of = f"{place}, shard {shard}"
            yield from _hops(of, counters, "batched", "")
            if "handshakes" in counters:
                yield from _hops(of, counters, "handshakes", "handshakes_")


def _hops(place: str, counters: Counters, begin: str, kind: str) -> Iterator[Equation]:
    """Yield the equations between batch and socket; `kind` begins the counters' names."""
    forwarded, lost, taken, sent, dropped = (
        f"{kind}{name}" for name in ("forwarded", "lost", "taken", "sent", "dropped")
    )
    get = counters.get
    yield Equation(place, f"{begin} = {forwarded} + {lost}", get(begin, 0), _sum(counters, forwarded, lost))
    yield Equation(place, f"{forwarded} = {taken}", get(forwarded, 0), get(taken, 0))
    yield Equation(place, f"{taken} = {sent} + {dropped}", get(taken, 0), _sum(counters, sent, dropped))


def _losses(place: str, counters: Counters, reasons: Mapping[str, tuple[str, str]]) -> Iterator[Loss]:
    for counter, (hop, why) in reasons.items():
        if number := counters.get(counter, 0):
            yield Loss(place, hop, counter, number, why)


def _sum(counters: Counters, *names: str) -> int:
    return sum(counters.get(name, 0) for name in names)
