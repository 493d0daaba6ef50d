# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of `flowtap read`: captures through the engine to a sink, every packet counted.

Each file is a capture of its own: its open flows end with it. Joined files are one capture. A file that is damaged
counts up to the damage and the others go on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from time import time_ns
from typing import TYPE_CHECKING, Protocol

import click

from capture import Batch, CaptureError, FilterError, open_capture
from engine import Engine, Flow, Limits
from engine.events import CaptureErrorFields, CaptureFields, StatsEvent, StatsFields, stats_event, sum_counters

if TYPE_CHECKING:
    from capture import Capture
    from flowtap.output import Output
    from flowtap.progress import Interrupt, Progress
    from sigdb import Program


class Sink(Protocol):
    """What prints flows: flowtap.text.Text, flowtap.eve.Eve."""

    alerts: int  # signatures printed, each once per flow

    def begin(self, capture: str, interfaces: Sequence[str]) -> None:
        """Take note that the flows to come are from the file `capture`, whose interfaces have these names."""

    def flow(self, flow: Flow) -> bytes:
        """Return what is printed for `flow`, maybe nothing."""

    def end(self, event: StatsEvent) -> bytes:
        """Return what is printed at the very end."""


class Run:
    """Reads captures. After an interrupt it stops, and `finish` still reports what was found."""

    def __init__(
        self,
        program: Program,
        limits: Limits,
        sink: Sink,
        output: Output,
        progress: Progress,
        interrupt: Interrupt,
        *,
        report_all: bool,
        expression: str | None,
        decap: bool,
    ) -> None:
        self._engine = Engine(program, limits, report_all=report_all)
        self._sink = sink
        self._output = output
        self._progress = progress
        self._interrupt = interrupt
        self._expression = expression
        self._decap = decap
        self._key = os.urandom(64)  # one for all files: joined ones must hash a flow alike
        self._batch = Batch()
        self._matched = 0
        self._counters: list[dict[str, int]] = []
        self._captures: list[CaptureFields] = []
        self._errors: list[CaptureErrorFields] = []
        self._last_ns = 0

    def files(self, paths: Sequence[str], *, join: bool) -> None:
        """Read `paths` in this order. Raises OutputError, BrokenPipeError."""
        for path in paths:
            if self._interrupt.seen:
                return
            self._file(path)
            if not join:
                self._end_capture()
        if join:
            self._end_capture()

    def finish(self) -> StatsEvent:
        """Return the closing event. Raises OutputError, BrokenPipeError."""
        engine = self._engine.counters()
        totals = sum_counters(self._counters)
        stats: StatsFields = {
            "packets": totals.pop("packets", 0),
            "bytes": totals.pop("bytes", 0),
            "filtered": totals.pop("filtered", 0),
            "verdicts": totals,
            "engine": engine,
            "flows": {"total": engine["flows"], "matched": self._matched},
            "alerts": self._sink.alerts,
            "captures": self._captures,
            "errors": self._errors,
        }
        name = self._captures[0]["capture"] if len(self._captures) == 1 else None
        return stats_event(stats, time_ns=self._last_ns or time_ns(), capture=name)

    def _file(self, path: str) -> None:
        """Read one file to its end, to its damage or to an interrupt."""
        name = "-" if path == "-" else click.format_filename(path)
        self._captures.append({"capture": name, "packets": 0, "bytes": 0, "filtered": 0})
        blocking = path == "-" or not os.path.isfile(path)
        self._interrupt.blocking = blocking
        try:
            with open_capture(path, filter=self._expression, decap=self._decap, key=self._key) as capture:
                self._progress.begin(name, capture.size)
                try:
                    self._read(capture, name, blocking)
                finally:
                    self._count(capture)
        except CaptureError as error:
            self._error(name, error.reason, error.offset)
        except FilterError as error:  # a right expression, but not for this file's kind of link
            self._error(name, str(error))
        except KeyboardInterrupt:
            pass  # the handler has noted it
        finally:
            self._interrupt.blocking = False
            self._progress.end()

    def _read(self, capture: Capture, name: str, blocking: bool) -> None:
        batch, process, interrupt = self._batch, self._engine.process, self._interrupt
        records, tags = batch.records, batch.tags
        packets = 0
        while not interrupt.seen:
            interrupt.blocking = blocking
            count = capture.read(batch)
            interrupt.blocking = False
            if count < 0:
                break
            if not packets:
                self._sink.begin(name, capture.interfaces)
            done = 0
            while done < count:
                done += process(records, tags, done, count - done)
                self._emit()
            packets += count
            self._progress.update(capture.offset, packets)

    def _emit(self) -> None:
        """Print the flows that have ended."""
        flows = self._engine.take()
        if not flows:
            return
        for flow in flows:
            self._matched += bool(flow.hits)
            self._output.write(self._sink.flow(flow))
        self._output.flush()

    def _end_capture(self) -> None:
        """End what is open: the capture is over."""
        while not self._engine.finish():
            self._emit()
        self._emit()
        self._engine.reset()

    def _count(self, capture: Capture) -> None:
        counters = dict(capture.counters())
        self._counters.append(counters)
        entry = self._captures[-1]
        entry["packets"], entry["bytes"] = counters["packets"], counters["bytes"]
        entry["filtered"] = counters["filtered"]
        self._last_ns = max(self._last_ns, capture.last_ns or 0)

    def _error(self, name: str, reason: str, offset: int | None = None) -> None:
        """Report that a capture could not be read to its end; the run goes on."""
        entry: CaptureErrorFields = {"capture": name, "reason": reason}
        place = ""
        if offset is not None:
            entry["offset"] = offset
            place = f"offset {offset}: "
        self._errors.append(entry)
        self._progress.clear()
        print(f"flowtap: {name}: {place}{reason}", file=sys.stderr)
