# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes of flowtap for tests: started with settings in a folder, waited for, ended, whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from flowtap.ledger import LedgerError, read_page
from flowtap.runtime import Runtime
from tests.conftest import environment

PATIENCE = 60.0  # seconds that anything may take


def until(done: Callable[[], Any], what: Callable[[], Any] = lambda: "") -> Any:
    """Wait until something is true, and return it; fails after PATIENCE, saying `what`."""
    end = monotonic() + PATIENCE
    while not (value := done()):
        assert monotonic() < end, what()
        sleep(0.005)
    return value


class Live:
    """The processes of one runtime directory. Leaving the `with` block kills what is left."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self.config = folder / "flowtap.toml"
        self.config.write_text(f'[runtime]\ndir = "{folder}/run"\n[metrics]\nlisten = ""\n{settings}')
        self.place = Runtime(folder / "run")
        self.started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.started:
            process.kill()
            process.communicate(timeout=PATIENCE)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command; its standard error goes to a file, see log()."""
        log = (self.folder / f"{arguments[0]}.log").open("ab")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "flowtap", *arguments, "--config", str(self.config)],
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(),
                cwd=self.folder,
            )
        self.started.append(process)
        return process

    def log(self, command: str) -> str:
        """Return what a command has said on standard error."""
        path = self.folder / f"{command}.log"
        return path.read_text() if path.exists() else ""

    def page(self, name: str) -> dict[str, int]:
        """Return the counters of a process, all 0 while it has no page."""
        try:
            return read_page(self.place.ledger / f"{name}.page")
        except LedgerError:
            return {}

    def until(self, name: str, **counters: int) -> dict[str, int]:
        """Wait until counters of a page have these values; return the page."""
        until(
            lambda: all(self.page(name).get(key) == value for key, value in counters.items()),
            lambda: f"{counters} of {self.page(name)}\n{self.logs()}",
        )
        return self.page(name)

    def past(self, name: str, **counters: int) -> None:
        """Wait until counters of a page are beyond these values."""
        until(
            lambda: all(self.page(name).get(key, 0) > value for key, value in counters.items()),
            lambda: f"{counters} of {self.page(name)}\n{self.logs()}",
        )

    def said(self, command: str, text: str) -> None:
        """Wait until a command has said something."""
        until(lambda: text in self.log(command), self.logs)

    def logs(self) -> str:
        """Return what all have said."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def stop(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> int:
        """End a process by a signal; return its exit code."""
        process.send_signal(number)
        return process.wait(PATIENCE)
