# SPDX-License-Identifier: LGPL-2.1-or-later
"""The live pipeline under a flood: `python -m bench.live [PART...]`, as root; prints JSON.

    speed     the highest of several rates at which nothing is lost after the kernel: kernel time per packet
              (kernel.bpf_stats_enabled), CPU time of capture and worker per packet, by both backends
    cable     the same over the cable, whose driver takes more of the sending core than the tap does
    ledger    a long flood; every equation of the ledger, per CPU and shard
    syns      5 million SYNs from as many addresses: memory before and after, what was dropped to make room
    programs  the same flood for tcpdump, p0f, softflowd and nfstream, each alone, with what they say they dropped
    forward   iperf3 through the gateway, with and without the tap

The flood is sent by one core into a virtual cable; what receives it there runs on the same core.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.read import nfstream_python
from bench.replay import Cable
from lab.network import PYTHON, WAIT, Machine, until
from lab.pipeline import Pipeline

TICKS = os.sysconf("SC_CLK_TCK")
Result = dict[str, Any]


def flood(cable: Cable, packets: int, rate: int, *, inject: bool = False, **options: object) -> Result:
    """Send a flood over the cable and return what the sender says of it; a rate of 0 is as fast as it goes.

    Injected, it appears at the tapped end: a cable that is full drops packets before anybody counts them.
    """
    more = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    machine, port, method = (cable.gateway, "in", "inject") if inject else (cable.sender, "out", "xmit")
    command = [*PYTHON, "-m", "bench.flood", port, "--method", method, "--packets", str(packets)]
    limit = 60 + packets / 100_000
    line = machine.inside("taskset", "-c", "0", *command, "--rate", str(rate), *more)
    done = subprocess.run(line, capture_output=True, timeout=limit, check=True)
    told: Result = json.loads(done.stdout)
    return told


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def kernel_time() -> tuple[int, int]:
    """Return nanoseconds and runs of flowtap's programs in the kernel; needs kernel.bpf_stats_enabled."""
    shown = subprocess.run(["bpftool", "-j", "prog", "show"], capture_output=True, timeout=WAIT, check=True).stdout
    programs = [program for program in json.loads(shown) if program.get("name", "").startswith("flowtap")]
    return sum(p.get("run_time_ns", 0) for p in programs), sum(
        p.get("run_cnt", 0) for p in programs if p["type"] == "sched_cls"
    )


def measured(cable: Cable, pipeline: Pipeline, packets: int, rate: int, **options: Any) -> Result:
    """Send one flood through a running pipeline and return what it cost and what was lost where."""
    pids = {name: process.pid for name, process in pipeline.processes.items()}
    before, cpu, kernel = pipeline.counters(), {name: cpu_seconds(pid) for name, pid in pids.items()}, kernel_time()
    told = flood(cable, packets, rate, **options)
    time.sleep(1.1)  # the pages are written once a second
    until(lambda: not pipeline.gaps(), "pipeline at rest", 60)
    time.sleep(1.1)
    after, sent = pipeline.counters(), told["sent"]
    spent = [now - then for now, then in zip(kernel_time(), kernel, strict=True)]
    change = {name: after[name] - before[name] for name in after}
    return {
        "flood": told,
        "seen": change["seen"],
        "lost": {name: change.get(name, 0) for name in ("lost", "dropped", "missed", "filtered.ring_full")},
        "late": change.get("late", 0),
        "kernel_ns_per_packet": round(spent[0] / max(1, spent[1]), 1),
        "cpu_ns_per_packet": {
            name: round((cpu_seconds(pid) - cpu[name]) * 1e9 / max(1, sent), 1) for name, pid in pids.items()
        },
        "rss_mb": {name: _rss(pid) for name, pid in pids.items()},
    }


def _rss(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


def piped(backend: str, act: Callable[[Cable, Pipeline], Result], **settings: dict[str, object]) -> Result:
    """Run `act` with a cable and a pipeline on it."""
    with tempfile.TemporaryDirectory(prefix="flowtap-live-") as folder:
        cable = Cable(fast=True)
        pipeline = Pipeline(cable.gateway, Path(folder), settings=settings)
        try:
            pipeline.begin("in", backend=backend)
            return act(cable, pipeline)
        finally:
            pipeline.close()
            cable.close()


def speed(seconds: int, rates: list[int], *, inject: bool) -> Result:
    """Flood at several rates by both backends, over the cable or at its end."""
    flood: dict[str, Any] = {"flows": 10_000, "payload": 100, "kind": "tcp", "inject": inject}

    def act(cable: Cable, pipeline: Pipeline) -> Result:
        measured(cable, pipeline, 500_000, 200_000, **flood)  # the automaton and the caches are warm
        return {str(rate): measured(cable, pipeline, (rate or 2_000_000) * seconds, rate, **flood) for rate in rates}

    return {backend: piped(backend, act) for backend in ("ebpf", "afpacket")}


def ledger(packets: int) -> Result:
    """Send a long flood as fast as it goes and return every equation, per CPU and shard."""

    def act(cable: Cable, pipeline: Pipeline) -> Result:
        result = measured(cable, pipeline, packets, 0, inject=True, flows=10_000, payload=100, kind="tcp")
        equations = [
            {"place": e.place, "sum": e.name, "left": e.left, "right": e.right} for e in pipeline.ledger().equations()
        ]
        return {
            **result,
            "equations": equations,
            "open_sums": pipeline.gaps(),
            "sent_equals_seen": result["flood"]["sent"] == result["seen"],
        }

    return {backend: piped(backend, act) for backend in ("ebpf", "afpacket")}


def syns(packets: int) -> Result:
    """Send SYNs, each from an address of its own."""

    def act(cable: Cable, pipeline: Pipeline) -> Result:
        before = {name: _rss(process.pid) for name, process in pipeline.processes.items()}
        result = measured(cable, pipeline, packets, 0, inject=True, flows=packets, kind="syn")
        worker = pipeline.counters("worker")
        kept = {
            name: worker[name] for name in ("engine_flows", "flows_now", "engine_ended_half_open", "engine_no_room")
        }
        return {"rss_mb_before": before, **result, "worker": kept, "open_sums": pipeline.gaps()}

    return piped("ebpf", act)


PROGRAMS: dict[str, Callable[[Path], list[str]]] = {
    "tcpdump": lambda folder: ["tcpdump", "-i", "in", "-s", "96", "-w", str(folder / "dump.pcap"), "-Z", "root"],
    "p0f": lambda folder: ["p0f", "-i", "in", "-o", str(folder / "p0f.log")],
    # room for all flows of the flood: by default it has room for 8192, and throws one out for each that comes
    "softflowd": lambda folder: [
        *("softflowd", "-i", "in", "-d", "-m", "65536"),
        *("-c", str(folder / "control"), "-p", str(folder / "pid")),
    ],
    "nfstream": lambda folder: [
        nfstream_python(),
        "-c",
        "from nfstream import NFStreamer\n"
        "flows = NFStreamer(source='in', performance_report=1)\n"
        "print(sum(flow.bidirectional_packets for flow in flows), flush=True)",
    ],
}


# What a program is asked at the end of the flood, where it does not say by itself what it got and dropped.
ASKED: dict[str, Callable[[Path], list[str]]] = {
    "softflowd": lambda folder: ["softflowctl", "-c", str(folder / "control"), "statistics"],
}


def programs(seconds: int, rate: int) -> Result:
    """Send the same flood to other programs, one after the other; each says what it got and dropped."""
    results: Result = {}
    for name, command in PROGRAMS.items():
        with tempfile.TemporaryDirectory(prefix="flowtap-live-") as folder:
            if shutil.which(command(Path(folder))[0]) is None:
                results[name] = "not installed"
                continue
            cable = Cable(fast=True)
            try:
                results[name] = _program(cable, Path(folder), name, seconds, rate)
            finally:
                cable.close()
    return results


def _program(cable: Cable, folder: Path, name: str, seconds: int, rate: int) -> Result:
    log = folder / "log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            cable.gateway.inside(*PROGRAMS[name](folder)), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        time.sleep(6 if name == "nfstream" else 2)
        told = flood(cable, rate * seconds, rate, flows=10_000, payload=100, kind="tcp")
        time.sleep(2)
        skmem = subprocess.run(cable.gateway.inside("ss", "-0mp"), capture_output=True, timeout=WAIT, check=False)
        if name in ASKED:
            with log.open("ab") as out:
                subprocess.run(ASKED[name](folder), stdout=out, stderr=out, timeout=WAIT, check=False)
        child.send_signal(signal.SIGINT)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
    finally:
        child.kill()
        child.wait(WAIT)
    return {
        "flood": told,
        "said": log.read_text(errors="replace")[-1500:].splitlines(),
        "sockets": skmem.stdout.decode().splitlines(),
    }


def forward(seconds: int) -> Result:
    """Measure TCP through a gateway, without a tap, with it, and without it again."""
    client, gateway, server = Machine(), Machine(), Machine()
    machines = (client, gateway, server)
    try:
        for number, (end, port) in enumerate(((client, "in"), (server, "right")), start=1):
            gateway.do("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(end.pid))
            for machine, name, host in ((gateway, port, 1), (end, "eth0", 2)):
                machine.do("ip", "link", "set", name, "up")
                machine.do("ip", "address", "add", f"10.79.{number}.{host}/24", "dev", name)
            end.do("ip", "route", "add", "default", "via", f"10.79.{number}.1")
        gateway.do("sysctl", "-qw", "net.ipv4.ip_forward=1")
        server.start("iperf3", "-s")
        server.await_port(5201)
        results: Result = {"without": [_iperf(client, seconds)]}
        for backend in ("ebpf", "afpacket"):
            with tempfile.TemporaryDirectory(prefix="flowtap-live-") as folder:
                pipeline = Pipeline(gateway, Path(folder))
                try:
                    pipeline.begin("in", backend=backend)
                    results[backend] = _iperf(client, seconds)
                finally:
                    pipeline.close()
            results["without"].append(_iperf(client, seconds))
    finally:
        for machine in machines:
            machine.close()
    return results


def _iperf(client: Machine, seconds: int) -> float:
    """Return gigabits per second."""
    command = client.inside("iperf3", "-J", "-t", str(seconds), "-c", "10.79.2.2")
    done = subprocess.run(command, capture_output=True, timeout=seconds + WAIT, check=True)
    return round(float(json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]) / 1e9, 2)


def main() -> None:
    """Print what was measured as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", default=["speed", "cable", "ledger", "syns", "programs", "forward"]
    )
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--packets", type=int, default=20_000_000, help="of the ledger's flood")
    parser.add_argument("--rates", default="1000000,1250000,1500000,0", help="packets/s; 0 is as fast as it goes")
    options = parser.parse_args()
    subprocess.run(["sysctl", "-qw", "kernel.bpf_stats_enabled=1"], check=True)
    rates = [int(rate) for rate in options.rates.split(",")]
    parts: dict[str, Callable[[], Result]] = {
        "speed": lambda: speed(options.seconds, rates, inject=True),
        "cable": lambda: speed(options.seconds, rates, inject=False),
        "ledger": lambda: ledger(options.packets),
        "syns": lambda: syns(5_000_000),
        "programs": lambda: programs(options.seconds, max(rates) or 1_500_000),
        "forward": lambda: forward(10),
    }
    try:
        print(json.dumps({part: parts[part]() for part in options.parts}, indent=2))
    finally:
        subprocess.run(["sysctl", "-qw", "kernel.bpf_stats_enabled=0"], check=True)


if __name__ == "__main__":
    main()
