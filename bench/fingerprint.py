# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fingerprints of handshakes per second: the Fingerprinter alone, and `flowtap os` and p0f on the same capture.

The capture holds SYNs, each with its SYN+ACK, of made-up stacks: a few layouts of options, windows, MSS and TTL, which
make some thousand distinct raw signatures. A second load has nothing but distinct ones: a flood made to cost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import sigdb
from bench.measure import RunError, run, summary
from capture import Batch, open_capture
from capture.record import HANDSHAKE
from engine import Fingerprinter
from engine.fingerprints import RESULT_SIZE

BATCH = 4096
SYN, SYN_ACK = 2, 18
# The options of a SYN: format for struct, and what it is filled with beside the MSS.
LAYOUTS = (
    (">BBHBBBBIIBBBB", (4, 2, 8, 10, 1, 0, 1, 3, 3, 7)),  # mss,sok,ts,nop,ws
    (">BBHBBBBBBBB", (1, 3, 3, 8, 1, 1, 4, 2)),  # mss,nop,ws,nop,nop,sok
    (">BBHBBBB", (1, 1, 4, 2)),  # mss,nop,nop,sok
    (">BBH", ()),  # mss
)


def packet(i: int, rng: random.Random, *, answer: bool) -> bytes:
    """Build the SYN of connection `i`, or its answer, as an IP packet."""
    form, rest = rng.choice(LAYOUTS)
    mss = rng.choice((1460, 1440, 1400, 1380, 536))
    options = struct.pack(form, 2, 4, mss, *rest)
    client, server = struct.pack(">I", 0x0A000000 + i), struct.pack(">I", 0xC0A80000 + i % 251)
    ends = (server, client) if answer else (client, server)
    ports = (443, 1024 + i % 60000) if answer else (1024 + i % 60000, 443)
    window = rng.choice((mss * 10, mss * 20, 8192, 64240, 65535))
    ack = 1001 if answer else 0
    words = (20 + len(options)) // 4
    tcp = struct.pack(">HHIIBBHHH", *ports, 1000, ack, words << 4, SYN_ACK if answer else SYN, window, 0, 0) + options
    ttl = rng.choice((64, 128)) - rng.randrange(20)
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 7, 0x4000, ttl, 6, 0) + b"".join(ends) + tcp


def capture(path: Path, handshakes: int) -> None:
    """Write a capture (raw IP) of so many handshakes, half of them SYN+ACKs."""
    rng = random.Random(1)
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for n in range(handshakes):
            data = packet(n // 2, rng, answer=n % 2 == 1)
            file.write(
                struct.pack("<IIII", 1_600_000_000 + n // 100_000, n % 100_000 * 10, len(data), len(data)) + data
            )


def records(path: Path) -> bytes:
    """Return the handshake records of a capture."""
    batch = Batch(BATCH, handshakes=True)
    assert batch.handshakes is not None
    parts = []
    with open_capture(path) as reader:
        while reader.read(batch) >= 0:
            parts.append(bytes(memoryview(batch.handshakes)[: batch.handshake_count * HANDSHAKE.itemsize]))
    return b"".join(parts)


def distinct(data: bytes) -> bytes:
    """Return the records with other windows and TTLs, so that hardly two raw signatures are alike."""
    made = np.frombuffer(data, dtype=HANDSHAKE).copy()
    rng = np.random.default_rng(1)
    made["window"] = rng.integers(0, 65536, len(made))
    made["ttl"] = rng.integers(1, 256, len(made))
    return bytes(made.tobytes())


def speed(data: bytes, database: sigdb.TcpDatabase, rounds: int) -> dict[str, Any]:
    """Measure one load, all rounds with one Fingerprinter; the first round is `cold`."""
    fingerprinter = Fingerprinter(database)
    out = bytearray(BATCH * RESULT_SIZE)
    count = len(data) // HANDSHAKE.itemsize
    rates = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        done = 0
        while done < count:
            done += fingerprinter.process(data, out, done, min(BATCH, count - done))
        rates.append(count / (time.perf_counter() - begin))
    figures = {"handshakes": count, "cold": rates[0], "best": max(rates[1:]), "median": statistics.median(rates[1:])}
    return figures | {"counters": fingerprinter.counters()}


def programs(path: Path, database: Path, handshakes: int, rounds: int) -> dict[str, Any]:
    """Measure `flowtap os` and p0f on the capture: wall time of the whole program, its output to a file."""
    p0f = shutil.which("p0f", path=os.environ.get("PATH", "") + ":/usr/sbin")
    log = path.with_suffix(".log")
    flowtap = [sys.executable, "-m", "flowtap", "os", "-q", "--p0f-fp", str(database), "-o", str(log), str(path)]
    commands = {"flowtap os": flowtap}
    if p0f is not None:
        commands["p0f"] = [p0f, "-f", str(database), "-r", str(path), "-o", str(log)]
    figures: dict[str, Any] = {}
    for name, command in commands.items():
        costs = []
        for _ in range(rounds):
            log.unlink(missing_ok=True)
            try:
                costs.append(run(command))
            except RunError as error:
                figures[name] = {"error": str(error)}
                break
        else:
            figures[name] = summary(costs) | {"handshakes_per_second": handshakes / min(cost.wall for cost in costs)}
    return figures


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Read the command line, measure, and return the document."""
    parser = argparse.ArgumentParser(prog="python -m bench.fingerprint", description=__doc__)
    parser.add_argument("--handshakes", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", type=Path, default=Path("/etc/p0f/p0f.fp"), help="a p0f.fp, for both programs")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "handshakes.pcap"
        capture(path, options.handshakes)
        database = sigdb.load_tcp([options.database])
        data = records(path)
        return {
            "cores": os.cpu_count(),
            "signatures": len(database.signatures),
            "few_thousand_distinct": speed(data, database, options.rounds),
            "all_distinct": speed(distinct(data), database, options.rounds),
            "programs": programs(path, options.database, options.handshakes, min(3, options.rounds)),
        }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
