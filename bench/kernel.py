# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the eBPF tap costs in the kernel, per packet: `python -m bench.kernel`.

A flood (bench.flood, frames that appear as received) in a network namespace of its own; kernel.bpf_stats_enabled tells
how long the programs ran. Nothing is done with what the tap hands over. Needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from capture.ebpf import EbpfTap
from capture.live import TapSettings
from tests.veth import Filters, namespace, pair

STATS = Path("/proc/sys/kernel/bpf_stats_enabled")


def ran(program: int) -> tuple[int, int]:
    """Return the nanoseconds and the runs of a program."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/self/fdinfo/{program}").read_text().splitlines())
    return int(lines["run_time_ns"]), int(lines["run_cnt"])


def measure(packets: int, shards: int, rate: float, flood: list[str], **settings: object) -> dict[str, object]:
    """Flood a tap and return what it cost."""
    messages = 0

    def forward(*_: object) -> None:
        nonlocal messages
        messages += 1

    before = STATS.read_text()
    began = time.perf_counter()
    with namespace(), pair() as (one, _):
        tap = EbpfTap(TapSettings(os.urandom(64), 1, shards=shards, **settings), forward, Filters(egress=False))  # type: ignore[arg-type]
        started = time.perf_counter() - began
        tap.add(one)
        STATS.write_text("1")
        try:
            command = [sys.executable, "-m", "bench.flood", one.name, f"--packets={packets}", f"--rate={rate}", *flood]
            sender = subprocess.Popen(command, stdout=subprocess.PIPE)
            used = resource.getrusage(resource.RUSAGE_SELF)
            while sender.poll() is None:
                tap.poll(10)
            for _ in range(10):
                tap.poll(10)
            now = resource.getrusage(resource.RUSAGE_SELF)
            (nanoseconds, runs), flush = ran(tap.program), ran(tap._program.flush)
        finally:
            STATS.write_text(before)
        counters = tap.counters()
        tap.close()
    streams = [stream for cpu in counters for stream in cpu.shards]
    seen = sum(cpu.seen for cpu in counters)
    return {
        "flood": json.loads(sender.communicate()[0]),
        "shards": shards,
        "start_s": round(started, 3),
        "seen": seen,
        "batched": sum(stream["batched"] for stream in streams),
        "lost": sum(stream["lost"] for stream in streams),
        "messages": messages,
        "kernel_ns_per_packet": round((nanoseconds + flush[0]) / runs, 1),
        "flush_ns_per_run": round(flush[0] / max(1, flush[1])),
        "capture_ns_per_packet": round((now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime) * 1e9 / seen, 1),
    }


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m bench.kernel", description=__doc__)
    parser.add_argument("--packets", type=int, default=5_000_000)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0, help="packets per second; 0: as fast as it goes")
    parser.add_argument("--cutoff", type=int, default=0)
    arguments, flood = parser.parse_known_args()
    print(json.dumps(measure(arguments.packets, arguments.shards, arguments.rate, flood, cutoff=arguments.cutoff)))


if __name__ == "__main__":
    main()
