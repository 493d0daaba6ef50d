# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the parts of the eBPF tap cost in the kernel, per packet: `python -m bench.parts`.

The programs of bpf/cost.c, each of which goes a little farther than the one before, stand one after the other under the
same flood, and then the whole tap with and without somebody to read its rings; several rounds, of which the median is
shown. The time is that of kernel.bpf_stats_enabled. Needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
from statistics import median

from bench.kernel import STATS, measure, ran
from capture import _bpf
from capture._message import SETTINGS_OFFSET, STATE_SIZE, STATE_VERSION
from capture.compile import SOURCES
from capture.ebpf import cpus
from tests.veth import Filters, namespace, pair

PARTS = ("empty", "count", "clock", "hash", "batch")


def parts(packets: int, rounds: int, flood: list[str]) -> dict[str, float]:
    """Return the nanoseconds of each program."""
    os.environ["BCC_KERNEL_SOURCE"] = str(SOURCES / "shim")
    from bcc import BPF, lib  # type: ignore[import-untyped]  # noqa: PLC0415 - only this needs it

    flags = [f"-I{SOURCES}", "-w", "-DFT_SHARDS=1", "-DFT_DECAP=0", "-DFT_CUTOFF_ENTRIES=1"]
    bpf = BPF(src_file=str(SOURCES / "cost.c").encode(), cflags=flags)
    state = bytearray(STATE_SIZE)
    state[:8] = struct.pack("=II", STATE_VERSION, 1)
    settings = os.urandom(64) + struct.pack("=QIIII", 1, 1, 0, 0, 0)
    state[SETTINGS_OFFSET : SETTINGS_OFFSET + len(settings)] = settings
    table = lib.bpf_table_fd(bpf.module, b"flowtap_state")
    _bpf.map_update(table, bytes(4), bytes(state) * (max(cpus("possible")) + 1))
    programs = {part: bpf.load_func(f"part_{part}", BPF.SCHED_CLS).fd for part in PARTS}
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    for _ in range(rounds):
        for part, program in programs.items():
            found[part].append(_one(program, packets, flood))
    bpf.cleanup()
    return {part: round(median(values), 1) for part, values in found.items()}


def _one(program: int, packets: int, flood: list[str]) -> float:
    before = STATS.read_text()
    with namespace(), pair() as (one, _):
        Filters(egress=False).attach(one, program, (1, 2), lambda _: None)
        STATS.write_text("1")
        try:
            then = ran(program)
            command = [sys.executable, "-m", "bench.flood", one.name, f"--packets={packets}", *flood]
            subprocess.run(command, stdout=subprocess.PIPE, check=True)
            now = ran(program)
        finally:
            STATS.write_text(before)
    return (now[0] - then[0]) / (now[1] - then[1])


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m bench.parts", description=__doc__)
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments, flood = parser.parse_known_args()
    found = parts(arguments.packets, arguments.rounds, flood)
    whole = [measure(arguments.packets, 1, 0.0, flood)["kernel_ns_per_packet"] for _ in range(arguments.rounds)]
    print(json.dumps(found | {"whole": median(float(str(one)) for one in whole)}))


if __name__ == "__main__":
    main()
