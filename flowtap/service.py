# SPDX-License-Identifier: LGPL-2.1-or-later
"""What long-running commands share: lines on standard error, signals that set flags, errors that become exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

from flowtap.ledger import LedgerError
from flowtap.runtime import RuntimeDirectoryError


class Exit(IntEnum):
    """The exit codes of the processes."""

    FINE = 0  # ended by SIGTERM or SIGINT
    FAILED = 1  # could not begin, or not go on: the last line says why
    USAGE = 2  # wrong arguments, settings or signatures


EPILOG = """\b
Exit codes:
  0  ended by SIGTERM or SIGINT
  1  could not begin, or not go on
  2  wrong arguments, settings or signatures
"""


def begin_logging(name: str) -> None:
    """Log to standard error, a line each, after the name of the process; FLOWTAP_LOG=WARNING for less."""
    level = logging.getLevelNamesMapping().get(os.environ.get("FLOWTAP_LOG", ""), logging.INFO)
    logging.basicConfig(stream=sys.stderr, level=level, format=f"flowtap {name}: %(message)s", force=True)


def hold_reload() -> None:
    """Keep SIGHUP, which would end a process that has not come to on_signals yet, until it has."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def on_signals(stop: Callable[[], None], reload: Callable[[], None] = lambda: None) -> None:
    """Have SIGTERM and SIGINT call `stop`, SIGHUP `reload`: both only set a flag that the main loop looks at."""
    signal.signal(signal.SIGTERM, lambda number, frame: stop())
    signal.signal(signal.SIGINT, lambda number, frame: stop())
    signal.signal(signal.SIGHUP, lambda number, frame: reload())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


@contextmanager
def failures() -> Iterator[None]:
    """End with Exit.FAILED and one line for what the surroundings may refuse: sockets, files, memory."""
    import zmq

    from engine.memory import MemoryFileError

    try:
        yield
    except (LedgerError, RuntimeDirectoryError, MemoryFileError, OSError, zmq.ZMQError) as error:
        logging.error("%s", error)
        raise SystemExit(Exit.FAILED) from error
    except MemoryError as error:
        logging.error("not enough memory: workers.flows may be lower")
        raise SystemExit(Exit.FAILED) from error


def fail(message: str, code: Exit) -> SystemExit:
    """Log `message`, line by line, and return what ends the process with `code`."""
    for line in message.splitlines():
        logging.error("%s", line)
    return SystemExit(code)
