# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap reload`: has the running workers take signatures and fingerprints anew, and the collector its file."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import click

from flowtap.arguments import ArgumentError
from flowtap.database import load_database, load_fingerprints
from flowtap.ledger import LedgerError, read_page, writer
from flowtap.options import common, settings_of
from flowtap.runtime import Runtime, RuntimeDirectoryError
from flowtap.service import Exit
from flowtap.terminal import fail, say

PATIENCE = 5.0  # seconds for all processes to answer

EPILOG = """\b
Exit codes:
  0    every running process took it
  1    there is none, one may not be signalled, refused it, or did not answer
  2    wrong arguments, settings, signatures or fingerprints: nothing was changed
  3    the output could not be written
  141  whoever read the output has gone
"""

_KINDS = (
    (re.compile(r"worker-\d+"), "reloads", "reloads_refused", "took the signatures"),
    (re.compile(r"collector"), "reopened", "reopen_failed", "opened its file anew"),
)


@dataclass(slots=True)
class Process:
    """A running process that is asked."""

    name: str
    page: Path
    done: str  # counter of success
    refused: str  # counter of failure
    text: str
    before: tuple[int, int] = (0, 0)

    def counts(self) -> tuple[int, int]:
        """Return how often it has done it, and refused. Raises LedgerError."""
        page = read_page(self.page)
        return page.get(self.done, 0), page.get(self.refused, 0)

    def ask(self) -> bool:
        """Send SIGHUP; False when the process has ended. Raises LedgerError, PermissionError."""
        pid = writer(self.page)
        if pid is None:
            return False
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            # Whoever holds the page's lock is a process of flowtap. Asked again with the process held, so that
            # the number cannot have become another process's in between.
            if writer(self.page) != pid:
                return False
            self.before = self.counts()
            signal.pidfd_send_signal(process, signal.SIGHUP)
        except ProcessLookupError:
            return False
        finally:
            os.close(process)
        return True


@click.command(epilog=EPILOG)
@common
def reload(config: str | None, runtime: str | None) -> None:
    """Have all workers take the signatures anew, without losing a flow, and the collector reopen its file.

    With the signatures the fingerprints of systems are taken anew. Both are checked first: wrong ones are told, all
    mistakes at once, and nothing is changed. Other settings are read when a process starts.
    """
    settings = settings_of(config, runtime)
    signatures = settings.signatures
    try:
        program = load_database(signatures.files, pause_ms=signatures.pause_ms, exact=signatures.exact)
        fingerprints = load_fingerprints(settings.fingerprints.files) if settings.hosts.enabled else None
    except ArgumentError as error:
        raise SystemExit(fail(str(error), Exit.USAGE)) from None
    try:
        folder = Runtime(settings.runtime.dir).ledger
        asked = [process for process in processes(folder) if process.ask()]
        failed = not asked
        if not asked:
            fail(f"{folder}: no worker and no collector is running", Exit.FAILED)
        for process, took in answers(asked):
            failed |= not took
            words = process.text if took else "refused, its log says why" if took is False else "did not answer"
            if took:
                say(f"{process.name}: {words}")
            else:
                click.echo(f"{process.name}: {words}", err=True)
    except (LedgerError, RuntimeDirectoryError) as error:
        raise SystemExit(fail(str(error), Exit.FAILED)) from None
    except PermissionError:
        raise SystemExit(fail("not permitted: run it as root, or as flowtap's user", Exit.FAILED)) from None
    if any(process.done == "reloads" for process in asked):
        say(f"{len(program.signatures)} signatures")
        if fingerprints is not None:
            say(f"{len(fingerprints.signatures)} fingerprints of systems")
    raise SystemExit(Exit.FAILED if failed else Exit.FINE)


def processes(folder: Path) -> Iterator[Process]:
    """Yield the processes that have a page in `folder`, running or not."""
    for page in sorted(folder.glob("*.page")):
        for pattern, done, refused, text in _KINDS:
            if pattern.fullmatch(page.stem):
                yield Process(page.stem, page, done, refused, text)


def answers(asked: list[Process]) -> Iterator[tuple[Process, bool | None]]:
    """Yield what each process did, in the order they answer; None for no answer within PATIENCE."""
    end = monotonic() + PATIENCE
    left = list(asked)
    while left and monotonic() < end:
        for process in list(left):
            now = process.counts()
            if now != process.before:
                left.remove(process)
                yield process, now[0] > process.before[0]
        sleep(0.02)
    for process in left:
        yield process, None
