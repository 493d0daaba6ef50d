# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compare `flowtap read` with tcpdump, p0f, softflowd and nfstream on the same capture, in one run.

Every round runs all programs, in an order that rotates, so that a slow minute of the machine falls on all of them.
Each program has its defaults; output goes to /dev/null. nfstream (PyPI) lives in a virtual environment of its own
under bench/out/, made on first use. It runs with one meter process and with its default, one per core.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import venv
from pathlib import Path

from bench.generate import OUT, capture
from bench.measure import Cost, RunError, run, summary

NFSTREAM = "from nfstream import NFStreamer\nfor flow in NFStreamer(source={source!r}{meters}): pass"


def nfstream_python() -> str:
    """Return the interpreter of the environment that holds nfstream; installs it on first use."""
    python = OUT / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(OUT / "venv", with_pip=True)
    found = subprocess.run([python, "-c", "import nfstream"], capture_output=True, timeout=120, check=False)
    if found.returncode != 0:
        subprocess.run([python, "-m", "pip", "install", "-q", "nfstream"], check=True, timeout=600)
    return str(python)


def _flowtap() -> list[str]:
    """Return the installed command beside this interpreter, or the module of the checkout."""
    command = Path(sys.executable).parent / "flowtap"
    if command.exists():
        return [str(command)]
    return [sys.executable, "-c", "from flowtap.cli import main; main()"]


def commands(path: Path, collector: int, wanted: list[str]) -> dict[str, list[str]]:
    """Return the command line of each program; `collector` is the local UDP port that softflowd sends its flows to.

    A program that is not installed is left out with a word on standard error.
    """
    file = str(path)
    table = {
        "flowtap": [*_flowtap(), "read", file],
        "tcpdump": ["tcpdump", "-r", file, "-w", "-"],  # as root, it would make itself the owner of a named output
        "p0f": ["p0f", "-r", file],
        "softflowd": ["softflowd", "-d", "-r", file, "-n", f"127.0.0.1:{collector}"],
    }
    table["softflowd"] += ["-p", str(OUT / "softflowd.pid"), "-c", "none"]
    chosen = {name: command for name, command in table.items() if name in wanted}
    for name in list(chosen):
        if name != "flowtap" and shutil.which(chosen[name][0]) is None:
            print(f"{name}: not installed, left out", file=sys.stderr)
            del chosen[name]
    for name, meters in (("nfstream", ""), ("nfstream-1", ", n_meters=1")):
        if name in wanted:
            chosen[name] = [nfstream_python(), "-c", NFSTREAM.format(source=file, meters=meters)]
    return chosen


ALL = ["flowtap", "tcpdump", "p0f", "softflowd", "nfstream", "nfstream-1"]


def compare(name: str, rounds: int, wanted: list[str]) -> dict[str, object]:
    """Run every program `rounds` times on the generated capture `name`.

    Returns the costs of each program, and how many times faster flowtap was than it: by the fastest round, and by
    the median over rounds. A program that fails is reported with its error instead of figures.
    """
    path = capture(name)
    with path.open("rb") as file:  # the page cache is warm for the first program as for the last
        while file.read(1 << 24):
            pass
    costs: dict[str, list[Cost]] = {}
    failed: dict[str, str] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        table = commands(path, collector.getsockname()[1], wanted)
        order = list(table)
        for turn in range(rounds):
            shift = turn % len(order)
            for program in order[shift:] + order[:shift]:
                if program in failed:
                    continue
                try:
                    costs.setdefault(program, []).append(run(table[program]))
                except RunError as error:
                    failed[program] = str(error)
                    costs.pop(program, None)
    result: dict[str, object] = {"capture": name, "bytes": path.stat().st_size, "failed": failed}
    result["programs"] = {program: summary(of) for program, of in costs.items()}
    if "flowtap" in costs:
        result["flowtap_faster"] = {
            program: {
                "by_fastest": min(c.wall for c in of) / min(c.wall for c in costs["flowtap"]),
                "by_median": _median(of) / _median(costs["flowtap"]),
            }
            for program, of in costs.items()
            if program != "flowtap"
        }
    return result


def _median(costs: list[Cost]) -> float:
    walls = sorted(cost.wall for cost in costs)
    return (walls[(len(walls) - 1) // 2] + walls[len(walls) // 2]) / 2


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Read the command line, compare, and return the document."""
    parser = argparse.ArgumentParser(prog="python -m bench.read", description=__doc__)
    parser.add_argument("captures", nargs="*", default=["small", "bulk"], help="small, bulk, bulk-cut")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", default=",".join(ALL), help="comma list of " + ", ".join(ALL))
    options = parser.parse_args(arguments)
    wanted = options.programs.split(",")
    return {
        "cores": os.cpu_count(),
        "read": [compare(name, options.rounds, wanted) for name in options.captures],
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
