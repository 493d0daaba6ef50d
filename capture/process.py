# SPDX-License-Identifier: LGPL-2.1-or-later
"""The capture process: takes messages from a tap to the workers, follows the interfaces, keeps its page of counters.

What it may do is given up, down to what the tap still needs, before the first message is taken. It never waits for a
worker. After a kill -9 its successor (the same name) goes on counting where it stopped, see capture.accounts.
"""

from __future__ import annotations

import logging
import os
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from capture._message import TAP_REASONS
from capture._packet import VERDICTS
from capture.accounts import Accounts, Page, counter_names
from capture.capabilities import keep_only
from capture.claims import Claims
from capture.filters import Filters
from capture.following import Following
from capture.live import Forward, StreamCounters, Tap, TapSettings
from capture.publish import FOR_EVER, Publisher, Watermarks

LOG = logging.getLogger(__name__)
POLL_MS = 10
_MARK_NS = 5_000_000  # between two watermarks while messages come
_IDLE_MARK_NS = 50_000_000  # ... and while none do
_LOOK_NS = 100_000_000  # between two looks at the interfaces
_TELL_NS = 1_000_000_000  # what a predecessor had sent on another connection has come by then
_SETTLED_NS = 3_000_000_000  # what was told then has left this process, if somebody takes it
_SECOND_NS = 1_000_000_000
_UNSEEN = ("busy", "ring_full")  # reasons for which nobody looked at a packet, so that it is in no stream
REASONS = (*(verdict for verdict in VERDICTS if verdict != "record"), *TAP_REASONS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a capture process keeps its files and finds the workers."""

    name: str  # of the process, fit for a file name
    taps: Path  # folder (flowtap.runtime)
    ledger: Path  # folder
    endpoints: Sequence[str]  # of the workers, by shard
    queue: int  # messages for each that may wait


class CaptureProcess:
    """The capture process `place.name`, which taps what `patterns` ask for.

    `make_tap` makes the tap, `open_page` the page of counters with these names. Raises TapError, ZMQError and what
    these two raise.
    """

    def __init__(
        self,
        place: Place,
        patterns: Sequence[str],
        settings: TapSettings,
        make_tap: Callable[[TapSettings, Forward, Filters], Tap],
        open_page: Callable[[Sequence[str]], Page],
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._alive = alive
        self._sender = settings.sender
        self._unseen = 0
        self._looked = time.monotonic_ns()
        self._closing = ExitStack()
        try:
            self._claims = Claims(place.taps, place.name, settings.sender)
            self._closing.callback(self._claims.close)
            filters = Filters(f"{place.name}-{zlib.crc32(os.fsencode(place.taps.resolve())):08x}")
            self._closing.callback(filters.close)
            self._publisher = Publisher(place.endpoints, place.queue)
            self._closing.callback(self._publisher.close)
            self._tap = make_tap(settings, self._publisher.forward, filters)
            self._closing.callback(self._tap.close)
            self._page = open_page(counter_names(self._tap.streams, settings.shards, REASONS))
            file = place.ledger / f"capture-{place.name}.streams"
            self._watermarks = Watermarks(file, settings.sender, self._tap.streams, settings.shards)
            self._publisher.count_in(self._page, self._watermarks, self._tap.streams)
            self._following = Following(self._tap, filters, self._claims, patterns, decap=settings.decap)
            self._closing.callback(self._following.close)
            self._following.begin()
            filters.sweep()
            self._accounts = Accounts(self._page, file.with_suffix(".base"))
            ended = self._accounts.begin(settings.sender, self._tap.left, self._watermarks.predecessor)
            self._watermarks.keep()
            keep_only(self._tap.capabilities() | _for_files(place.taps))
            self._publisher.connect()
            self._to_tell = list(ended)
            self._took_over = time.monotonic_ns()
            if self._watermarks.predecessor is not None:
                LOG.info("goes on in the place of a process that was killed")
        except BaseException:
            self._closing.close()
            raise

    def run(self, ends: Callable[[], bool]) -> None:
        """Work until `ends` says so; it is asked at least each 10 ms."""
        publisher, tap = self._publisher, self._tap
        mark = look = second = 0
        began = time.monotonic_ns()
        handed = -1
        counters: Sequence[StreamCounters] = ()
        while not ends():
            watermark = tap.poll(POLL_MS)
            now = time.monotonic_ns()
            publisher.reached(counters)
            counters = ()
            if now >= mark + (_MARK_NS if publisher.handed != handed else _IDLE_MARK_NS):
                publisher.watermark(watermark)
                mark, handed = now, publisher.handed
            publisher.flush()
            if now >= look + _LOOK_NS:
                look = now
                each_second = now >= second + _SECOND_NS
                self._following.look(others=each_second)
                self._alive()
                if each_second:
                    second = now
                    counters = tap.counters()
                    self._look_for_losses(counters, now)
                    self._count(counters)
                    self._tell(now - began)

    def close(self) -> None:
        """Leave the interfaces, hand over what is under way, and put the last counters on the page."""
        with self._closing:
            for _ in range(3):
                self._tap.poll(POLL_MS)
            self._tap.close()
            counters = self._tap.counters()
            self._publisher.reached(counters)
            self._look_for_losses(counters, time.monotonic_ns())
            self._tell(_TELL_NS)
            self._publisher.watermark(FOR_EVER)
            self._publisher.flush()
            self._count(counters)
            self._page.cells[self._page.index["interfaces_now"]] = 0
            ends = (self._sender, self._publisher.ends())
            self._publisher.close()
            self._accounts.end(ends)
            self._watermarks.close(ended=True)

    def _look_for_losses(self, counters: Sequence[StreamCounters], now: int) -> None:
        """Tell the workers of packets that nobody looked at since this was called before."""
        unseen = sum(stream.filtered[reason] for stream in counters for reason in _UNSEEN)
        if unseen > self._unseen:
            self._publisher.lost(self._looked)
        self._unseen, self._looked = unseen, now

    def _tell(self, age_ns: int) -> None:
        """Tell the workers where the streams of killed predecessors ended, once those messages have surely come."""
        if age_ns >= _TELL_NS:
            for streams in self._to_tell:
                self._publisher.last_will(streams, self._took_over)
            self._to_tell = []
        if age_ns >= _SETTLED_NS:
            self._accounts.settle()

    def _count(self, counters: Sequence[StreamCounters]) -> None:
        self._accounts.update(counters)
        self._page.cells[self._page.index["interfaces_now"]] = len(self._following.tapped)


def _for_files(folder: Path) -> frozenset[str]:
    """Return what root needs to go on writing into a directory of flowtap's own user."""
    return frozenset(("cap_dac_override",) if os.geteuid() == 0 and folder.stat().st_uid != 0 else ())
