# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run a program once and say what it cost: wall time, CPU time and peak memory, children included.

A child's peak memory begins with that of the process that forked it, exec does not reset it (Linux, getrusage(2)). So
a bare interpreter stands in between, and peaks below its own size, some 10 MB, cannot be told apart.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass


LAUNCHER = """
import os, sys, time
begin = time.perf_counter()
child = os.fork()
if child == 0:
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    os.dup2(0, 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print([time.perf_counter() - begin, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024])
sys.exit(0 if status == 0 else 1)
"""


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    wall: float  # seconds
    user: float  # seconds, with the children it waited for
    system: float  # seconds, with the children it waited for
    rss: int  # peak resident bytes of the largest process


class RunFailed(Exception):
    """A program under comparison ended with an error or outlived its time limit."""


def run(command: Sequence[str], limit: float = 300) -> Cost:
    """Run `command` with its output thrown away and return its cost.

    Raises:
        RunFailed: it exited with another status than 0 or took longer than `limit` seconds; the last of what it
            wrote to standard error is in the message.
    """
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", LAUNCHER, *command],
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        killer = threading.Timer(limit, os.killpg, (child.pid, signal.SIGKILL))
        killer.start()
        figures, _ = child.communicate()
        killer.cancel()
        if child.returncode != 0:
            errors.seek(0)
            tail = errors.read()[-500:].decode(errors="replace")
            raise RunFailed(f"{' '.join(command)}: failed or took longer than {limit} s: {tail}")
    return Cost(*json.loads(figures))


def summary(costs: Sequence[Cost]) -> dict[str, object]:
    """The fastest round and the median of each figure; noise of the machine only ever adds time."""
    middle = {name: statistics.median(getattr(cost, name) for cost in costs) for name in asdict(costs[0])}
    return {"rounds": len(costs), "wall_min": min(cost.wall for cost in costs), "median": middle}
