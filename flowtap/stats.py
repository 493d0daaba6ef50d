# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap stats`: shows the ledger, once or again and again."""

from __future__ import annotations

import signal
import sys
from dataclasses import asdict
from enum import IntEnum
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import click

from flowtap.options import Number, common, settings_of
from flowtap.output import Output, OutputError
from flowtap.terminal import fail

if TYPE_CHECKING:
    from flowtap.accounts import Ledger


class Exit(IntEnum):
    """The exit codes of `flowtap stats`."""

    FINE = 0
    NONE = 1  # no ledger: flowtap has not run here
    USAGE = 2
    OUTPUT = 3
    CHECK = 4  # --check: something was lost, does not add up, or has ended
    BROKEN_PIPE = 141


EPILOG = """\b
Exit codes:
  0    the ledger was shown
  1    there is no ledger: no flowtap has run with this runtime directory
  2    wrong arguments or settings
  3    the output could not be written
  4    with --check: something was lost, a process has ended, or (when all have) a sum does not close
  141  whoever read the output has gone

\b
Examples:
  flowtap stats
  flowtap stats --watch
  flowtap stats --json | jq .lost
  flowtap stats --check || mail -s 'flowtap loses packets' root </dev/null
"""


@click.command(epilog=EPILOG)
@click.option("--watch", is_flag=True, help="Show it again and again, with what happens per second; ends by Ctrl-C.")
@click.option(
    "--interval",
    type=Number(0.1, 86_400),
    default=1.0,
    show_default=True,
    metavar="S",
    help="With --watch: seconds between two times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@click.option("--check", is_flag=True, help="Exit with 4 unless all is well, see below.")
@common
def stats(watch: bool, interval: float, as_json: bool, check: bool, config: str | None, runtime: str | None) -> None:
    """Show the ledger: where every packet went, hop by hop, what was lost and why.

    The numbers are those since the runtime directory was made; they are there also when processes have ended, and
    processes that come back go on counting. What is on its way while the counters are read makes some sums open; when
    nothing is on its way, all close exactly.
    """
    from flowtap.accounts import read_ledger
    from flowtap.runtime import Runtime, RuntimeDirectoryError

    try:
        folder = Runtime(settings_of(config, runtime).runtime.dir).ledger
    except RuntimeDirectoryError as error:
        raise SystemExit(fail(str(error), Exit.USAGE)) from None
    ledger = read_ledger(folder)
    if not ledger.processes:
        raise SystemExit(fail(f"{folder}: no ledger: flowtap does not run, and has not run, with it", Exit.NONE))
    signal.signal(signal.SIGINT, signal.SIG_DFL if not watch else _end)
    before, then = None, monotonic()
    try:
        with Output(None) as output:
            while True:
                now = monotonic()
                output.write(_shown(ledger, before, now - then, as_json, watch))
                output.flush()
                if not watch:
                    break
                before, then = ledger, now
                sleep(interval)
                ledger = read_ledger(folder)
    except OutputError as error:
        raise SystemExit(fail(str(error), Exit.OUTPUT)) from None
    except BrokenPipeError:
        raise SystemExit(Exit.BROKEN_PIPE) from None
    raise SystemExit(Exit.CHECK if check and not _well(ledger) else Exit.FINE)


def _shown(ledger: Ledger, before: Ledger | None, seconds: float, as_json: bool, watch: bool) -> bytes:
    if as_json:
        import orjson

        return orjson.dumps(_object(ledger), option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    from flowtap.stats_text import table

    text = table(ledger, before, seconds)
    if watch and sys.stdout.isatty():
        return f"\x1b[H\x1b[2J{text}".encode()  # home, clear
    return (text + "\n" if watch else text).encode()


def _object(ledger: Ledger) -> dict[str, Any]:
    """Return the ledger as JSON has it."""
    return {
        "processes": [asdict(process) for process in ledger.processes],
        "captures": {name: asdict(capture) for name, capture in ledger.captures.items()},
        "workers": ledger.workers,
        "collector": ledger.collector,
        "lost": [asdict(loss) for loss in ledger.losses()],
        "sums": [{**asdict(equation), "difference": equation.difference} for equation in ledger.equations()],
    }


def _well(ledger: Ledger) -> bool:
    """Return whether nothing was lost, all processes run and, when none does, all sums close."""
    ended = [process.pid is None for process in ledger.processes]
    if all(ended):
        return not any(ledger.losses()) and not any(equation.difference for equation in ledger.equations())
    return not any(ended) and not any(ledger.losses())


def _end(number: int, frame: object) -> None:
    raise SystemExit(Exit.FINE)
