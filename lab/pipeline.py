# SPDX-License-Identifier: LGPL-2.1-or-later
"""The processes of flowtap on one machine of the lab, each started, stopped and killed by itself, as units would be.

What they found is read from the collector's file, what they counted from the pages of the ledger.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flowtap.accounts import Ledger, read_ledger
from flowtap.ledger import read_pages
from lab.network import PYTHON, WAIT, LabError, Machine, until

READY = 60.0  # seconds that a process may take to begin
NOTICED = 0.3  # seconds until capture processes know of one another's interfaces
Event = dict[str, Any]


class Pipeline:
    """Capture, workers and collector on `machine`, with their runtime directory and settings below `folder`.

    `settings` are sections of the settings file; the runtime directory, the worker count and the file are set here.
    Capture processes are named like their interface.
    """

    def __init__(
        self,
        machine: Machine,
        folder: Path,
        *,
        workers: int = 1,
        settings: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.machine = machine
        self.folder = folder
        self.workers = workers
        self.runtime = folder / "run"
        self.file = folder / "events.json"
        self.backend = "auto"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        own: dict[str, dict[str, object]] = {
            "runtime": {"dir": str(self.runtime)},
            "workers": {"count": workers},
            "file": {"path": str(self.file)},
            "metrics": {"listen": ""},
        }
        for section, values in (settings or {}).items():
            own.setdefault(section, {}).update(values)
        self.config = folder / "flowtap.toml"
        self.config.write_text("".join(f"[{name}]\n" + _lines(values) for name, values in own.items()))

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the process `name`: "collector", "worker-N" or "capture-INTERFACE"."""
        kind, _, which = name.partition("-")
        command = [*PYTHON, "-m", "flowtap", kind]
        if kind == "worker":
            command += [which]
        elif kind == "capture":
            command += ["-i", which, "--name", which]
        log = (self.folder / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(
                self.machine.inside(*command, "--config", str(self.config), *arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self.processes[name]

    def begin(self, *interfaces: str, backend: str = "auto") -> None:
        """Start everything on these interfaces and wait until it works.

        Raises:
            LabError: something did not begin; the text holds what it wrote.

        """
        self.backend = backend
        self.start("collector")
        for shard in range(self.workers):
            self.start(f"worker-{shard}")
        for interface in interfaces:
            self.start(f"capture-{interface}", "--capture", backend)
        for interface in interfaces:
            self.await_up(f"capture-{interface}", lambda name=interface: self.taps(name))  # type: ignore[misc]
        for shard in range(self.workers):
            self.await_up(f"worker-{shard}", lambda shard=shard: (self.runtime / f"shard-{shard}").exists())  # type: ignore[misc]
        if len(interfaces) > 1:
            time.sleep(NOTICED)

    def await_up(self, name: str, ready: Callable[[], bool]) -> None:
        """Wait until a process is ready."""
        until(lambda: ready() or self.processes[name].poll() is not None, self.said(name) or name, READY)
        if self.processes[name].poll() is not None:
            raise LabError(f"{name}: {self.said(name)}")

    def taps(self, interface: str) -> bool:
        """Whether the capture process of this interface says that it taps it."""
        path = self.runtime / "taps" / f"{interface}.json"
        told = json.loads(path.read_text()) if path.exists() else {"interfaces": []}
        return any(one["name"] == interface for one in told["interfaces"])

    def said(self, name: str) -> str:
        """Return what a process wrote on its standard error."""
        log = self.folder / f"{name}.log"
        return log.read_text(errors="replace").strip() if log.exists() else ""

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        """End a process and return its exit status. Raises LabError when it does not end in time."""
        process = self.processes.pop(name)
        process.send_signal(how)
        try:
            return process.wait(WAIT)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait(WAIT)
            raise LabError(f"{name}: still there {WAIT:g} s after {how.name}: {self.said(name)}") from error

    def finish(self) -> None:
        """End everything in the order in which packets travel. Raises LabError for a status other than 0."""
        for kind in ("capture", "worker", "collector"):
            for name in [name for name in self.processes if name.startswith(kind)]:
                code = self.end(name)
                if code:
                    raise LabError(f"{name} ended with status {code}: {self.said(name)}")

    def close(self) -> None:
        """Kill what is left."""
        for process in self.processes.values():
            process.kill()
            process.wait(WAIT)
        self.processes.clear()

    def ledger(self) -> Ledger:
        """Return what all pages say."""
        return read_ledger(self.runtime / "ledger")

    def gaps(self) -> list[str]:
        """Return the sums of the ledger that are open: none, once everything under way has arrived."""
        return [f"{e.place}: {e.name}: {e.left} {e.right}" for e in self.ledger().equations() if e.difference]

    def counters(self, page: str = "") -> Counter[str]:
        """Return the sums of all counters of the pages that begin with `page`, CPUs and shards added up."""
        sums: Counter[str] = Counter()
        for name, values in read_pages(self.runtime / "ledger"):
            if name.startswith(page):
                for counter, value in values.items():
                    sums[re.sub(r"^(?:cpu\d+\.)?(?:shard\d+\.)?", "", counter)] += value
        return sums

    def events(self) -> list[Event]:
        """Return all events that the collector has written."""
        return [json.loads(line) for line in self.file.read_bytes().splitlines()] if self.file.exists() else []


def _lines(values: Mapping[str, object]) -> str:
    return "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())


def _toml(value: object) -> str:
    """Return a TOML value: JSON's scalars, strings and flat lists are TOML's too."""
    return json.dumps(value)


def of_one_flow(event: Event) -> bool:
    """Return whether an event is an alert about one flow: not of a rule over several flows, nor about a host."""
    return event["event_type"] == "alert" and "flow_id" in event and "flows" not in event["flowtap"]


def hits(events: Sequence[Event]) -> dict[tuple[object, ...], dict[str, int]]:
    """Return the final hits of each flow, by protocol and ends: signature id to count."""
    found: dict[tuple[object, ...], dict[str, int]] = {}
    for event in events:
        if of_one_flow(event):
            key = tuple(event.get(name) for name in ("proto", "src_ip", "src_port", "dest_ip", "dest_port"))
            found.setdefault(key, {})[event["flowtap"]["id"]] = event["flowtap"]["hits"]
    return found
