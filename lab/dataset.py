# SPDX-License-Identifier: LGPL-2.1-or-later
"""Record labelled captures: `python -m lab.dataset [KIND...] [-o DIR]`, as root.

Each kind (`ssh`, ...) is a module that plans recordings and plays one; see `Kind`. Captures go to DIR/KIND/PART, with
LABELS.csv beside them, renewed as recordings end. A recording that exists is not made again.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Protocol

from lab import labels


class Kind(Protocol):
    """What a module of KINDS offers."""

    PARTS: tuple[str, ...]

    def prepare(self) -> None:
        """Make what recordings share, once."""

    def plans(self, part: str, numbers: range) -> Iterator[Any]:
        """Return recordings; each has a `name`, and the same number gives the same recording."""

    def record(self, plan: Any, folder: Path, end: float) -> tuple[Path, list[str]]:
        """Write NAME.pcap and NAME.labels.csv; begin nothing after `end` (time.monotonic); return notes for people."""


KINDS = {
    "ssh": "lab.sshplan",
    "ssh-more": "lab.sshmore",
    "ssh-conditions": "lab.sshconditions",
    "ssh-releases": "lab.sshreleases",
    "ssh-friends": "lab.sshfriends",
    "ssh-new": "lab.sshnew",
}


def _play(module: str, plan: Any, folder: Path, end: float) -> tuple[str, list[str]]:
    if time.monotonic() > end or (folder / f"{plan.name}.pcap").exists():
        return plan.name, []
    try:
        path, notes = importlib.import_module(module).record(plan, folder, end)
    except Exception as error:  # one recording that fails must not end the others, whatever it is
        return plan.name, [f"failed: {plan.name}: {type(error).__name__}: {error}"]
    return path.name, notes


def main() -> int:
    """Record all kinds that were asked for, several recordings at once: they mostly wait for their people."""
    parser = argparse.ArgumentParser(prog="python -m lab.dataset", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)}; all without one")
    parser.add_argument("-o", "--output", type=Path, default=Path("lab/out"))
    parser.add_argument("-n", "--numbers", default="0-17", help="numbers of the recordings in each part: 0-17")
    parser.add_argument("-p", "--part", help="only this part: train, test, a, b")
    parser.add_argument("-j", "--jobs", type=int, default=8)
    parser.add_argument("-s", "--seconds", type=float, default=1200, help="begin nothing new after so long")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    first, _, last = options.numbers.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    end = time.monotonic() + options.seconds
    jobs = []
    failed = 0
    os.nice(5)
    for number in (signal.SIGINT, signal.SIGHUP):  # a shell ignores them for what it runs in the background
        signal.signal(number, signal.SIG_DFL)
    with ProcessPoolExecutor(options.jobs) as pool:
        for name in options.kinds or KINDS:
            kind: Any = importlib.import_module(KINDS[name])
            kind.prepare()
            plans = {part: list(kind.plans(part, numbers)) for part in kind.PARTS if options.part in (None, part)}
            for row in zip(*plans.values(), strict=True):
                for part, plan in zip(plans, row, strict=True):
                    jobs.append(pool.submit(_play, KINDS[name], plan, options.output / name / part, end))
        for job in as_completed(jobs):
            capture, notes = job.result()
            print(f"{capture}: done", *notes, sep="\n  ", flush=True)
            failed += any(note.startswith("failed") for note in notes)
            for name in options.kinds or KINDS:
                for folder in (options.output / name).glob("*"):
                    if folder.is_dir():
                        labels.merge(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
