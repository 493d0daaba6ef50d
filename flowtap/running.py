# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of `flowtap run`: the processes, the feed they make, what is printed of it, the way down.

Capture begins when all others work, and they end in the order capture, workers, collector. Each is given time to hand
on what it holds, and the feed is read until the last number that the collector gave, so that nothing that was seen is
lost at the end.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import zmq

from flowtap.accounts import read_ledger
from flowtap.following import Follower, Gaps
from flowtap.ledger import LedgerError, read_page
from flowtap.status import Status
from flowtap.supervisor import Child, Supervisor

if TYPE_CHECKING:
    from flowtap.output import Output
    from flowtap.runtime import Runtime
    from flowtap.settings import Settings

_TURN_MS = 100
_ROUND = 1000
_TO_BEGIN = 60.0  # seconds that a stage may take: compiling for the kernel and the signatures
_TO_CONNECT_MS = 10_000
_TO_END = 10.0  # seconds that a process is given to end by itself
_TO_READ = 3.0  # seconds to wait for the last events


class Running:
    """Runs the processes with the settings in `config` until `stop` is set or `duration` seconds have passed.

    `printed` makes the text of an event, b"" for what is not printed. `status` is what is shown meanwhile.
    """

    def __init__(
        self,
        settings: Settings,
        config: Path,
        place: Runtime,
        printed: Callable[[dict[str, Any]], bytes],
        output: Output,
        status: Status,
    ) -> None:
        self.stop = False
        self._place = place
        self._last_seq = self._seq()
        self._gaps = Gaps(self._last_seq + 1)
        self._printed = printed
        self._output = output
        self._status = status
        self._strange = False
        options = ["--config", str(config), "--runtime", str(place.path)]
        collector = Child("collector", ["collector", *options], place.path, self._tell)
        workers = [
            Child(f"worker-{n}", ["worker", str(n), *options], place.path, self._tell)
            for n in range(settings.workers.count)
        ]
        capture = Child("capture", ["capture", *options], place.path, self._tell)
        self._supervisor = Supervisor([collector, *workers, capture])
        self._begins = ([collector, *workers], [capture])
        self._ends = ([capture], workers, [collector])
        self._feed = settings.feed
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._follower: Follower | None = None

    def run(self, duration: float | None) -> None:
        """Work. Raises ChildError, OutputError, BrokenPipeError; close() must follow."""
        with self._signals():
            for stage in self._begins:
                self._begin(stage)
                self._follow()
            end = None if duration is None else monotonic() + duration
            while not self.stop and (end is None or monotonic() < end):
                self._turn()
                self._status.show(self._place.ledger)
            self._status.clear()
            for stage in self._ends:
                self._end(stage)
            self._read_to_the_end()

    def close(self) -> None:
        """End what is left, at once."""
        self._status.clear()
        self._supervisor.close()
        if self._follower is not None:
            self._follower.close()
        self._context.term()

    def _begin(self, stage: Sequence[Child]) -> None:
        """Start the processes of a stage and wait until they work."""
        if self.stop:
            return
        for child in stage:
            child.start()
        end = monotonic() + _TO_BEGIN
        while not self.stop and not all(child.ready for child in stage):
            self._turn()
            if monotonic() > end:
                slow = ", ".join(child.name for child in stage if not child.ready)
                raise TimeoutError(f"{slow}: did not begin to work within {_TO_BEGIN:.0f} s")

    def _follow(self) -> None:
        """Follow the feed, now that it is there: what is published from now on is not missed."""
        if self._follower is None and not self.stop:
            feed = self._feed
            endpoint = feed.bind or self._place.feed
            self._follower = Follower(self._context, endpoint, feed.topic, feed.format == "msgpack")
            if not self._follower.connected(_TO_CONNECT_MS):
                raise TimeoutError(f"{endpoint}: the feed cannot be reached")

    def _end(self, stage: Sequence[Child]) -> None:
        """End the processes of a stage and wait until they have ended, printing what comes meanwhile."""
        for child in stage:
            child.end()
        end = monotonic() + _TO_END
        while any(child.process is not None for child in stage):
            self._turn()
            if monotonic() > end:
                self._supervisor.step()  # printing may have taken that long, while the process was gone already
                for child in stage:
                    if child.process is not None:
                        self._tell(f"flowtap: {child.name} did not end within {_TO_END:.0f} s and is killed")
                        child.end(signal.SIGKILL)
                end = monotonic() + _TO_END

    def _turn(self) -> None:
        """Wait a moment for anything to do, and do it."""
        poller = zmq.Poller()
        if self._follower is not None:
            poller.register(self._follower.socket, zmq.POLLIN)
        for descriptor in self._supervisor.descriptors():
            poller.register(descriptor, zmq.POLLIN)
        poller.poll(_TURN_MS)
        self._supervisor.step()
        self._read()

    def _read(self) -> None:
        """Print what the feed has, up to a bound."""
        if self._follower is None:
            return
        for _ in range(_ROUND):
            note, data = None, b""
            try:
                event = self._follower.event()
                if event is None:
                    break
                note = self._gaps.check(event)
                self._last_seq = int(event["flowtap"]["seq"])
                data = self._printed(event)
            except ValueError as error:
                if not self._strange:
                    self._strange = True
                    note = f"what comes from the feed is no event: {error}"
            if note is not None:
                self._tell(f"flowtap: {note}")
            if data:
                self._output.write(data)
        self._output.flush()

    def _read_to_the_end(self) -> None:
        """Read the feed up to the last number that the collector gave, or until it is in vain to wait."""
        last = self._seq()
        end = monotonic() + _TO_READ
        while self._follower is not None and self._last_seq < last and monotonic() < end:
            self._follower.wait(_TURN_MS)
            self._read()

    def _seq(self) -> int:
        """Return the last number that the collector gave."""
        try:
            return read_page(self._place.ledger / "collector.page").get("seq", 0)
        except LedgerError:
            return 0

    def _tell(self, line: str) -> None:
        """Say a line on standard error."""
        self._output.flush()
        self._status.clear()
        print(line, file=sys.stderr, flush=True)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Take SIGINT, SIGTERM and SIGHUP as the wish to end; the second one ends at once."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

        def end(number: int, frame: object) -> None:
            if self.stop:
                raise KeyboardInterrupt
            self.stop = True

        before = [signal.signal(number, end) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


def summary(place: Runtime) -> str:
    """Return the closing line: what was seen, found, left out and lost."""
    ledger = read_ledger(place.ledger)
    packets, flows = ledger.captured("seen"), ledger.worked("engine_flows")
    text = f"{packets:,} packets, {flows:,} flows, {ledger.collected('published'):,} events"
    left_out = [f"{n:,} {name.replace('_', ' ')}" for name, n in sorted(ledger.filtered().items()) if n]
    text += f"; left out: {', '.join(left_out)}" if left_out else ""
    losses = [f"{loss.number:,} {loss.counter.replace('_', ' ')} at {loss.place}" for loss in ledger.losses()]
    text += f"; lost: {', '.join(losses) or 'nothing'}"
    still = [equation for equation in ledger.equations() if equation.difference]
    return text + (f"; {len(still)} sums do not close, `flowtap stats` shows them" if still else "")
