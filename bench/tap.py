# SPDX-License-Identifier: LGPL-2.1-or-later
"""The AF_PACKET tap alone under a flood: what it loses, what a packet costs on either side: `python -m bench.tap`.

A flood of bench.flood (TCP, 100 bytes, 10,000 flows) is injected into one interface of a veth pair in a network
namespace of its own, from the first CPU; the tap runs on the second and throws its messages away. The kernel's part of
the tap runs on the CPU of the flood: its cost is the difference to a flood that nobody watches.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from capture.afpacket import AfPacketTap
from capture.live import TapSettings
from tests.veth import namespace, pair

ROOT = Path(__file__).parent.parent


def flood(name: str, rate: float, packets: int, cpu: int) -> subprocess.Popen[str]:
    """Begin a flood."""
    command = [sys.executable, "-m", "bench.flood", name, "--rate", str(rate), "--packets", str(packets)]
    return subprocess.Popen(["taskset", "-c", str(cpu), *command], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def figures(process: subprocess.Popen[str]) -> dict[str, float]:
    """Return what a flood says at its end."""
    found: dict[str, float] = json.loads(process.communicate(timeout=120)[0])
    return found


def measure(rate: float, seconds: float, shards: int) -> dict[str, object]:
    """Flood a tap at a rate (packets per second; 0: as fast as it goes) for so many seconds."""
    packets = int((rate or 3_000_000) * seconds)
    first, second = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
    with namespace(), pair() as (interface, _):
        alone = figures(flood(interface.name, rate, packets, first))
        tap = AfPacketTap(TapSettings(key=os.urandom(64), sender=1, shards=shards), lambda *_: None)
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {second})
        tap.add(interface)
        process = flood(interface.name, rate, packets, first)
        used, end, polls = time.process_time(), None, 0
        while end is None or time.monotonic() < end:
            tap.poll(10)
            polls += 1
            if end is None and process.poll() is not None:
                end = time.monotonic() + 0.2
        used = time.process_time() - used
        watched = figures(process)
        tap.close()
        os.sched_setaffinity(0, allowed)
    (counters, *_) = tap.counters()
    lost = counters.filtered["ring_full"]
    return {
        "asked_pps": rate,
        "pps": watched["pps"],
        "pps_unwatched": alone["pps"],
        "sent": watched["sent"],
        "seen": counters.seen,
        "ring_full": lost,
        "batched": sum(shard["batched"] for shard in counters.shards),
        "tap_cpu_ns_per_packet": round(used * 1e9 / (counters.seen - lost), 1),
        "kernel_ns_per_packet": round(watched["cpu_ns_per_packet"] - alone["cpu_ns_per_packet"], 1),
        "polls": polls,
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure at each rate and print a JSON object."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.tap", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", default="500000,1000000,1500000,2000000,0", help="packets per second, 0: no limit")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each flood")
    parser.add_argument("--shards", type=int, default=1)
    options = parser.parse_args(arguments)
    rates = [float(rate) for rate in options.rates.split(",")]
    print(json.dumps({"afpacket": [measure(rate, options.seconds, options.shards) for rate in rates]}, indent=2))


if __name__ == "__main__":
    main()
