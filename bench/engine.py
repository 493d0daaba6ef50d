# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine alone: records per second for numbers of flows and of signatures, and memory per flow.

All signature counts of one load take turns, round after round, so that a slow minute of the machine falls on all of
them; the first round of each builds the lazy automaton and is reported as `cold`, the best and the median are over
the others. Ended flows are taken as a worker would take them, within the measured time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

import sigdb
from bench import records, signatures
from engine import Engine, Limits

BATCH = 4096
FLOWS = (1_000, 100_000, 1_000_000)
SIGNATURES = (10, 1_000, 10_000)
LEAST_RECORDS = 2_000_000  # a measured pass is repeated until it has seen so many


def _limits(flows: int) -> Limits:
    return Limits(flows=max(1 << 12, flows + flows // 4))


def _pass(engine: Engine, load: records.Load, begin: int, end: int) -> int:
    """Give the records [begin, end) to the engine; returns how many flows it reported."""
    view, tags = load.buffers()
    reported = 0
    while begin < end:
        done = engine.process(view, tags, begin, min(BATCH, end - begin))
        begin += done
        if done == 0 or engine.waiting:
            reported += len(engine.take())
    return reported


def _round(engine: Engine, load: records.Load) -> tuple[float, int]:
    """Return records per second of one pass over all flows, from an empty table; and the flows reported in one pass."""
    total = len(load.records)
    repeat = max(1, -(-LEAST_RECORDS // total))
    spent, reported = 0.0, 0
    for _ in range(repeat):
        engine.reset()
        begin = time.perf_counter()
        reported = _pass(engine, load, 0, total)
        spent += time.perf_counter() - begin
    return total * repeat / spent, reported


def speed(flows: int, counts: tuple[int, ...], rounds: int) -> list[dict[str, Any]]:
    """Measure one load with each number of signatures; at least two rounds are made."""
    load = records.load(flows)
    engines = {n: Engine(sigdb.loads(signatures.generate(n), "bench.fp"), _limits(flows)) for n in counts}
    figures: dict[int, list[float]] = {n: [] for n in counts}
    reported = {}
    for _ in range(max(2, rounds)):
        for n, engine in engines.items():
            rate, reported[n] = _round(engine, load)
            figures[n].append(rate)
    rows = []
    for n, rates in figures.items():
        row: dict[str, Any] = {"flows": flows, "signatures": n, "records": len(load.records), "reported": reported[n]}
        row |= {"cold": rates[0], "best": max(rates[1:]), "median": statistics.median(rates[1:])}
        row |= {"automaton": {k: v for k, v in engines[n].counters().items() if "state" in k or "reset" in k}}
        rows.append(row)
    fewest, most = min(counts), max(counts)
    cost = [a / b for a, b in zip(figures[fewest][1:], figures[most][1:], strict=True)]
    for row in rows:
        if row["signatures"] == most:
            row[f"times_slower_than_{fewest}"] = {"best": max(figures[fewest][1:]) / row["best"]}
            row[f"times_slower_than_{fewest}"] |= {"median_of_rounds": statistics.median(cost)}
    return rows


def resident() -> int:
    """Resident bytes of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory(flows: int, count: int) -> dict[str, Any]:
    """Growth of this process while `flows` flows come to life, per flow; wants a fresh process."""
    load = records.load(flows)
    engine = Engine(sigdb.loads(signatures.generate(count), "bench.fp"), _limits(flows))
    before = resident()
    _pass(engine, load, 0, load.alive)
    grown = resident() - before
    return {"flows": flows, "signatures": count, "bytes": grown, "bytes_per_flow": grown / flows}


def _fresh_memory(flows: int, count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.engine", "--only-memory", "--flows", str(flows), "--signatures", str(count)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=600)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(float(word)) for word in text.split(","))


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Read the command line, measure, and return the document."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--flows", type=_numbers, default=FLOWS, help="comma list")
    parser.add_argument("--signatures", type=_numbers, default=SIGNATURES, help="comma list")
    parser.add_argument("--rounds", type=int, default=4, help="the first does not count")
    parser.add_argument("--only-memory", action="store_true", help="measure memory in this process, nothing else")
    options = parser.parse_args(arguments)
    if options.only_memory:
        return memory(options.flows[0], options.signatures[0])
    rows = [row for flows in options.flows for row in speed(flows, options.signatures, options.rounds)]
    most = max(options.flows)
    return {
        "cores": os.cpu_count(),
        "records_per_flow": records.mean_packets(),
        "speed": rows,
        "memory": [_fresh_memory(most, n) for n in (min(options.signatures), max(options.signatures))],
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
