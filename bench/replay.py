# SPDX-License-Identifier: LGPL-2.1-or-later
"""Live equals offline: captures sent over a cable through the whole live pipeline, and read from their file.

`python -m bench.replay FOLDER [--backend ebpf|afpacket] [--limit N] [--part I/N]`, as root; prints JSON. Files qualify
that are Ethernet, whole (no packet cut by a snap length) and fit a cable; part I of N takes every Nth file. They are
sent as fast as it goes, so pauses mean nothing: both sides run with a pause threshold of an hour and without idle
time-outs. That does not take all meaning from time: a hole that fills after minutes in a file fills at once in a
replay, and signatures may name pauses of their own. So where flows differ, a file that lasts less than a minute is sent
again at its own speed (`own_speed`), and a longer one is read again with its pauses squeezed, packets 1 us apart as in
the replay (`squeezed`). What differs even then is listed.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.network import WAIT, LabError, Machine, until
from lab.pipeline import Event, Pipeline, of_one_flow

LONGEST_FRAME = 65_535 + 14
LONG = 999_999
FOR_EVER = {"idle_tcp": LONG, "idle_udp": LONG, "idle_icmp": LONG, "idle_half_open": LONG}
HOUR_MS = 3_600_000
OWN_SPEED = 60.0  # seconds that a capture may last to be sent again at its own speed


@dataclass(frozen=True)
class Capture:
    """A capture that qualifies, rewritten as a pcap file."""

    name: str
    path: Path
    packets: int
    seconds: float


def qualifying(folder: Path, scratch: Path, part: tuple[int, int]) -> Iterator[Capture]:
    """Yield the captures below `folder` that can be sent as they are, of every Nth file."""
    which, parts = part
    for number, source in enumerate(sorted(folder.rglob("*"))):
        if number % parts != which - 1 or not source.is_file() or source.suffix in (".md", ".csv", ".txt"):
            continue
        target = scratch / f"{number}.pcap"
        command = ["tcpdump", "-r", str(source), "-w", str(target), "--time-stamp-precision", "nano"]
        if subprocess.run(command, capture_output=True, timeout=WAIT, check=False).returncode:
            target.unlink(missing_ok=True)
            continue
        told = _survey(target.read_bytes())
        if told is None:
            target.unlink()
            continue
        yield Capture(str(source.relative_to(folder)), target, *told)


def _survey(data: bytes) -> tuple[int, float] | None:
    """Return packets and seconds of a pcap file with nanoseconds; None when it cannot be sent as it is."""
    if struct.unpack_from("<I", data, 20)[0] != 1:
        return None
    place, packets, first, last = 24, 0, 0.0, 0.0
    while place < len(data):
        seconds, nanos, kept, wire = struct.unpack_from("<IIII", data, place)
        if kept != wire or not 14 <= wire <= LONGEST_FRAME:
            return None
        stamp = seconds + nanos / 1e9
        first = first or stamp
        if stamp < last:
            return None
        last = stamp
        packets += 1
        place += 16 + kept
    return (packets, last - first) if packets else None


class Cable:
    """Two machines and a cable between them, which carries frames as they are."""

    def __init__(self, *, fast: bool = False) -> None:
        self.sender, self.gateway = Machine(), Machine()
        self.plug(fast=fast)

    def plug(self, *, fast: bool = False) -> None:
        """Lay the cable, also again after one of its ends was deleted; a fast one takes frames of XDP and merges."""
        self.sender.do("ip", "link", "add", "out", "type", "veth", "peer", "name", "in", "netns", str(self.gateway.pid))
        for machine, port in ((self.sender, "out"), (self.gateway, "in")):
            machine.do("sysctl", "-qw", f"net.ipv6.conf.{port}.disable_ipv6=1")
            machine.do("ethtool", "-K", port, "tx", "off", "tso", "off", "gso", "off")
            machine.do("ethtool", "-K", port, "gro", "off")
            machine.do("ip", "link", "set", port, "mtu", "1500" if fast else "65535", "up")
        if fast:  # only when it is up does this make the driver take frames of XDP
            self.gateway.do("ethtool", "-K", "in", "gro", "on")

    def send(self, capture: Capture, *, fast: bool) -> None:
        """Send a capture. Raises LabError."""
        speed = ["--topspeed"] if fast else ["--multiplier=1"]
        command = self.sender.inside("tcpreplay", "-q", *speed, "-i", "out", str(capture.path))
        done = subprocess.run(command, capture_output=True, timeout=WAIT + 2 * OWN_SPEED, check=False)
        if done.returncode:
            raise LabError(f"tcpreplay: {done.stderr.decode(errors='replace').strip()}")

    def close(self) -> None:
        """End both machines."""
        self.sender.close()
        self.gateway.close()


def offline(capture: Capture) -> list[Event]:
    """Return the events of `flowtap read`."""
    idle = [word for name in ("tcp", "udp", "icmp") for word in (f"--idle-{name}", str(LONG))]
    options = ["--json", "--flows", "-T", str(HOUR_MS), *idle]
    command = [sys.executable, "-m", "flowtap", "read", *options, str(capture.path)]
    done = subprocess.run(command, capture_output=True, timeout=WAIT * 4, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def flows(events: list[Event]) -> Counter[str]:
    """Return the flows of these events, each as one text with everything that must agree."""
    alerts: dict[int, dict[str, int]] = {}
    for event in events:
        if of_one_flow(event):
            alerts.setdefault(event["flow_id"], {})[event["flowtap"]["id"]] = event["flowtap"]["hits"]
    return Counter(_flow(event, alerts) for event in events if event["event_type"] == "flow")


def _flow(event: Event, alerts: dict[int, dict[str, int]]) -> str:
    ends = " ".join(str(event.get(name)) for name in ("proto", "src_ip", "src_port", "dest_ip", "dest_port"))
    counts = [event["flow"][f"{what}_{way}"] for what in ("pkts", "bytes") for way in ("toserver", "toclient")]
    flow = event["flowtap"]
    found = dict(sorted(alerts.get(event["flow_id"], {}).items()))
    return f"{ends} {counts} {event.get('vlan')} gap={flow['gap']} mid={flow['midstream']} {flow['shape']} {found}"


class Live:
    """The live pipeline on the cable's gateway; its worker is restarted for each capture."""

    def __init__(self, cable: Cable, folder: Path, backend: str) -> None:
        self._cable = cable
        settings: dict[str, dict[str, object]] = {
            "workers": dict(FOR_EVER),
            "signatures": {"pause_ms": HOUR_MS},
            "events": {"flows": True, "early": False},
        }
        self.pipeline = Pipeline(cable.gateway, folder, settings=settings)
        self.pipeline.begin("in", backend=backend)
        self._read = 0

    def play(self, capture: Capture, *, fast: bool) -> list[Event]:
        """Send a capture and return the events that came of it. Raises LabError."""
        pipeline = self.pipeline
        if "worker-0" not in pipeline.processes:
            (pipeline.runtime / "shard-0").unlink(missing_ok=True)
            pipeline.start("worker-0")
            pipeline.await_up("worker-0", (pipeline.runtime / "shard-0").exists)
        before = pipeline.counters("capture")
        self._cable.send(capture, fast=fast)
        until(lambda: pipeline.counters("capture")["seen"] - before["seen"] >= capture.packets, "packets seen")
        until(lambda: not pipeline.gaps(), "pipeline at rest")
        pipeline.end("worker-0")
        until(lambda: not pipeline.gaps(), "events collected")
        until(lambda: pipeline.file.read_bytes()[-1:] in (b"", b"\n"), "whole lines")  # numbers go ahead of the file
        data = pipeline.file.read_bytes()
        lines, self._read = data[self._read :].splitlines(), len(data)
        return [json.loads(line) for line in lines]


def squeezed(capture: Capture) -> Capture:
    """Return a copy of the capture whose packets are 1 us apart."""
    data = bytearray(capture.path.read_bytes())
    place, nanos = 24, 0
    while place < len(data):
        struct.pack_into("<II", data, place, 1_000_000_000 + nanos // 10**9, nanos % 10**9)
        nanos += 1000
        place += 16 + struct.unpack_from("<I", data, place + 8)[0]
    path = capture.path.with_suffix(".squeezed")
    path.write_bytes(data)
    return Capture(capture.name, path, capture.packets, nanos / 1e9)


def compare(capture: Capture, live: Live) -> tuple[str, dict[str, Any]]:
    """Return how live and offline agree: at once, or how else; "differing" with what differs."""
    wanted, got = flows(offline(capture)), flows(live.play(capture, fast=True))
    if got == wanted:
        return "equal", {}
    if capture.seconds <= OWN_SPEED:
        how, got = "own_speed", flows(live.play(capture, fast=False))
    else:
        how, wanted = "squeezed", flows(offline(squeezed(capture)))
    if got == wanted:
        return how, {}
    return "differing", {
        "capture": capture.name,
        "seconds": round(capture.seconds, 1),
        "flows": wanted.total(),
        "only_offline": sorted((wanted - got).elements())[:5],
        "only_live": sorted((got - wanted).elements())[:5],
    }


def run(folder: Path, backend: str, limit: int | None, part: tuple[int, int]) -> dict[str, Any]:
    """Compare all captures below `folder` that qualify, at most `limit`, of one part."""
    began = time.monotonic()
    differing: list[dict[str, Any]] = []
    totals: Counter[str] = Counter(dict.fromkeys(("equal", "own_speed", "squeezed", "differing"), 0))
    with tempfile.TemporaryDirectory(prefix="flowtap-replay-") as name:
        scratch = Path(name)
        captures = list(qualifying(folder, scratch, part))
        qualify = len(captures)
        cable = Cable()
        try:
            live = Live(cable, scratch, backend)
            try:
                for capture in captures[:limit]:
                    how, difference = compare(capture, live)
                    totals.update({"captures": 1, "packets": capture.packets, how: 1})
                    if difference:
                        differing.append(difference)
                        print(json.dumps(difference), file=sys.stderr)
                ledger = {page: dict(live.pipeline.counters(page)) for page in ("capture", "worker", "collector")}
            finally:
                live.pipeline.close()
        finally:
            cable.close()
    return {
        "backend": backend,
        "qualify": qualify,
        **totals,
        "differences": differing,
        "seconds": round(time.monotonic() - began, 1),
        "ledger": ledger,
    }


def _part(text: str) -> tuple[int, int]:
    which, _, parts = text.partition("/")
    if not 1 <= int(which) <= int(parts):
        raise ValueError(text)
    return int(which), int(parts)


def main() -> int:
    """Print the comparison as JSON; 1 when a capture differs."""
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backend", choices=("ebpf", "afpacket"), default="ebpf")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--part", type=_part, default=(1, 1), metavar="I/N")
    options = parser.parse_args()
    result = run(options.folder, options.backend, options.limit, options.part)
    json.dump(result, sys.stdout, indent=2)
    print()
    return 1 if result["differing"] else 0


if __name__ == "__main__":
    sys.exit(main())
