# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the database that ships costs a worker's engine: CPU time per record and memory, against an empty database.

`python -m bench.shipped [--flows N,N] [--ssh N,N]`; prints JSON. Two kinds of traffic: `mixed`, as in bench.engine, and
`ssh`, sessions recorded in the lab (tests/captures/ssh-*.pcap.gz) played by many clients at once: each client plays one
session, at a time and from an address of its own. The engine is a worker's (early alerts, signatures may be swapped)
with the worker's default bounds; both databases take turns, the first round of each is left out. `hits_as_alone` says
whether each client's session had the hits that it has by itself.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import sigdb
from bench import records
from bench.engine import resident
from capture._packet import Batch
from capture.files import open_capture
from capture.record import RECORD, TAG
from engine import Engine
from flowtap.settings import Settings

CAPTURES = Path(__file__).parents[1] / "tests" / "captures"
BATCH = 4096
IPV4 = slice(13, 16)  # the bytes of an address that a client changes
Rows = npt.NDArray[Any]
Found = dict[int, Counter[str]]  # hits by client


def recorded() -> Rows:
    """Return the records of all sessions, their times from 0 on; the sender's port alone does not tell them apart."""
    parts = []
    for base, path in enumerate(sorted(CAPTURES.glob("ssh-*.pcap.gz"))):
        batch, rows = Batch(), []
        with open_capture(path, key=bytes(64)) as capture:
            while (count := capture.read(batch)) >= 0:
                rows.append(np.frombuffer(batch.records, RECORD)[:count].copy())  # type: ignore[call-overload]
        found = np.concatenate(rows)
        found["hash"] ^= np.uint32(base * 2_654_435_761 % (1 << 32))
        for side in ("src", "dst"):  # captures may use the same addresses and ports
            found[side][:, 12] = 10 + base % 200
        parts.append(found)
    return np.concatenate(parts)


def sessions(rows: Rows) -> list[Rows]:
    """Return the records of each session: those of the same two ends."""
    ends: dict[bytes, list[int]] = {}
    for number, row in enumerate(rows):
        one = row["src"].tobytes() + row["sport"].tobytes()
        other = row["dst"].tobytes() + row["dport"].tobytes()
        ends.setdefault(min(one + other, other + one), []).append(number)
    return [rows[numbers] for numbers in ends.values() if len(numbers) > 6]


def crowd(clients: int, spread: float, seed: int = 1) -> tuple[records.Load, list[int]]:
    """Return the records of so many sessions, begun within `spread` seconds, and which session each client plays."""
    rng = np.random.default_rng(seed)
    known = sessions(recorded())
    plays = [number % len(known) for number in range(clients)]
    parts = []
    for client, which in enumerate(plays):
        own = known[which].copy()
        own["ts"] = own["ts"] - own["ts"].min() + np.uint64(records.START_NS + rng.integers(0, round(spread * 10**9)))
        own["hash"] ^= np.uint32(client * 2_654_435_761 % (1 << 32))
        address = np.frombuffer(client.to_bytes(3, "big"), np.uint8)
        for side in ("src", "dst"):  # both in the same way, so that directions stay what they are
            own[side][:, IPV4] = address
        parts.append(own)
    rows = np.concatenate(parts)
    rows = np.ascontiguousarray(rows[np.argsort(rows["ts"], kind="stable")])
    return records.Load(rows, np.zeros(len(rows), TAG), clients, len(rows)), plays


def _pass(engine: Engine, load: records.Load, found: Found | None = None) -> dict[str, int]:
    """Give all records to the engine, as a worker does; return what it held when it held most flows."""
    view, tags = load.buffers()
    most: dict[str, int] = {"flows": 0}
    begin = 0
    while begin < len(load.records):
        begin += engine.process(view, tags, begin, min(BATCH, len(load.records) - begin))
        engine.news()
        _note(engine, found)
        now = engine.memory()
        most = now if now["flows"] > most["flows"] else most
    done = False
    while not done:
        done = engine.finish()
        _note(engine, found)
    return most


def _note(engine: Engine, found: Found | None) -> None:
    for flow in engine.take():
        if found is not None:
            hits = found.setdefault(int.from_bytes(flow.client[IPV4]), Counter())
            for hit in flow.hits:
                hits[engine.program.signatures[hit.signature].id] += hit.count


def alone(program: sigdb.Program, plays: list[int]) -> list[Counter[str]]:
    """Return the hits of each session by itself."""
    known = []
    for session in sessions(recorded())[: max(plays) + 1]:
        engine, found = _engine(program), {}
        rows = np.ascontiguousarray(session)
        for side in ("src", "dst"):
            rows[side][:, IPV4] = 0
        _pass(engine, records.Load(rows, np.zeros(len(rows), TAG), 1, len(rows)), found)
        known.append(found.get(0, Counter()))
    return known


def _engine(program: sigdb.Program) -> Engine:
    return Engine(program, Settings().limits(), early=True, live=True)


def compare(load: records.Load, rounds: int, plays: list[int] | None) -> dict[str, Any]:
    """Measure one load with the database that ships and with an empty one."""
    programs = {"empty": sigdb.loads(""), "shipped": sigdb.load(sigdb.shipped())}
    result: dict[str, Any] = {"flows": load.flows, "records": len(load.records)}
    engines, grown = {}, {}
    most: dict[str, dict[str, int]] = {}
    for name, program in programs.items():
        before = resident()
        engines[name] = _engine(program)
        found: Found = {}
        most[name] = _pass(engines[name], load, found)
        grown[name] = resident() - before
        if plays is not None and name == "shipped":
            wanted = alone(program, plays)
            different = [n for n, which in enumerate(plays) if found.get(n, Counter()) != wanted[which]]
            result["hits_as_alone"] = len(plays) - len(different)
            result["different"] = [
                {"wanted": wanted[plays[n]], "found": found.get(n, Counter())} for n in different[:3]
            ]
    nanoseconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, engine in engines.items():
            engine.reset()
            begin = time.process_time_ns()
            _pass(engine, load)
            nanoseconds[name].append((time.process_time_ns() - begin) / len(load.records))
    for name, engine in engines.items():
        told = engine.counters()
        result[name] = {
            "ns_per_record": {"best": min(nanoseconds[name]), "median": statistics.median(nanoseconds[name])},
            "most_at_once": most[name],
            "process_grew_by_bytes": grown[name],
            **{key: told[key] for key in ("states_built", "transitions_built", "automaton_resets", "states_refound")},
            **{key: told[key] for key in ("verified", "history_short", "threads_begun", "threads_dropped")},
        }
    return result


def _numbers(text: str) -> list[int]:
    return [int(float(word)) for word in text.split(",") if word]


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.shipped", description=__doc__)
    parser.add_argument("--flows", type=_numbers, default=[100_000], help="mixed traffic: comma list")
    parser.add_argument("--ssh", type=_numbers, default=[2_000, 20_000], help="clients at once: comma list")
    parser.add_argument("--spread", type=float, default=10.0, help="seconds within which SSH sessions begin")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    document: dict[str, Any] = {"mixed": [], "ssh": []}
    for flows in options.flows:
        document["mixed"].append(compare(records.load(flows), options.rounds, None))
    for clients in options.ssh:
        load, plays = crowd(clients, options.spread)
        document["ssh"].append(compare(load, options.rounds, plays))
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
