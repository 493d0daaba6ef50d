# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many activities at once in one lab, each with a server address of its own, and the truth about each flow.

The address tells which activity a flow belongs to, so the labels come from the script that drove it, never from what
was sent. Half of the activities speak IPv6, the other half in the next run.
"""

from __future__ import annotations

import csv
import gzip
import ipaddress
import random
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.network import Lab, until

FIRST = 10  # last part of the first activity's address
FIELDS = ("capture", "proto", "client_ip", "client_port", "server_ip", "server_port", "labels")
SPREAD = 20.0  # seconds over which activities begin, so that they do not all compute at once


@dataclass(frozen=True)
class Activity:
    """What one client does with one server; `serve` is called with an address, `act` also with a seed."""

    name: str
    serve: Callable[[Lab, str], None]
    act: Callable[[Lab, str, int], None]
    labels: tuple[str, ...] = ()
    part: str = "train"
    six: bool = True  # its programs can speak IPv6
    port: int = 443
    true_of: Callable[[Lab, str], set[int]] | None = None  # client ports of which the labels are true, from a log


def number(lab: Lab, count: int) -> None:
    """Give the server `count` more addresses of each kind, and the client one of IPv6."""
    for machine, port, address in ((lab.client, "eth0", "fd77:1::2/64"), (lab.server, "eth0", "fd77:2::2/64")):
        machine.do("ip", "-6", "address", "replace", address, "dev", port, "nodad")
    for port, address in (("client", "fd77:1::1/64"), ("server", "fd77:2::1/64")):
        lab.gateway.do("ip", "-6", "address", "replace", address, "dev", port, "nodad")
    lab.gateway.do("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    lab.client.do("ip", "-6", "route", "replace", "default", "via", "fd77:1::1")
    lab.server.do("ip", "-6", "route", "replace", "default", "via", "fd77:2::1")
    for last in range(FIRST, FIRST + count):
        lab.server.do("ip", "address", "add", f"10.77.2.{last}/24", "dev", "eth0")
        lab.server.do("ip", "-6", "address", "add", f"fd77:2::{last}/64", "dev", "eth0", "nodad")


def openings(capture: bytes) -> Iterator[tuple[str, int, str, int]]:
    """Yield client, its port, server, its port of each TCP SYN in a little-endian pcap file of Ethernet frames."""
    seen = set()
    place = 24
    while place < len(capture):
        kept = struct.unpack_from("<I", capture, place + 8)[0]
        frame = capture[place + 16 : place + 16 + kept]
        place += 16 + kept
        kind = frame[12:14]
        if kind == b"\x08\x00":
            source, target, tcp = frame[26:30], frame[30:34], 14 + (frame[14] & 15) * 4
        elif kind == b"\x86\xdd":
            source, target, tcp = frame[22:38], frame[38:54], 54
        else:
            continue
        if len(frame) < tcp + 14 or frame[tcp + 13] & 0x12 != 0x02:
            continue
        ports = struct.unpack_from(">HH", frame, tcp)
        flow = (str(ipaddress.ip_address(source)), ports[0], str(ipaddress.ip_address(target)), ports[1])
        if flow not in seen:
            seen.add(flow)
            yield flow


Prepare = Callable[[Lab, dict[str, Activity]], None]


def play(
    lab: Lab, activities: Sequence[Activity], seed: int, limit: float, prepare: Prepare, spread: float = SPREAD
) -> dict[str, Activity]:
    """Play all activities; return those that went well, by server address."""
    rng = random.Random(seed)
    plan = {}
    for index, activity in enumerate(activities):
        six = activity.six and (index + seed) % 2 == 0
        plan[f"fd77:2::{FIRST + index}" if six else f"10.77.2.{FIRST + index}"] = activity
    prepare(lab, plan)
    for address, activity in plan.items():
        activity.serve(lab, address)
    time.sleep(6)  # servers in interpreted languages take their time
    delays = {address: rng.uniform(0, spread) for address in plan}
    end = time.monotonic() + limit
    well: dict[str, Activity] = {}

    def one(address: str) -> None:
        time.sleep(delays[address])
        activity = plan[address]
        try:
            activity.act(lab, address, rng.randrange(1 << 30))
            well[address] = activity
        except Exception as error:  # whatever it was, this activity is left out and the others go on
            print(
                f"{activity.name} {address}: {type(error).__name__} {str(error)[:60]} ... {str(error)[-240:]}",
                file=sys.stderr,
                flush=True,
            )

    with ThreadPoolExecutor(len(plan)) as pool:
        jobs = [pool.submit(one, address) for address in plan]
        until(lambda: all(job.done() for job in jobs) or time.monotonic() > end, "activities", limit + 5)
    return well


@dataclass(frozen=True)
class Run:
    """One recording of many activities."""

    seed: int
    prepare: Prepare
    delay: float = 0  # seconds, one way
    jitter: float = 0  # seconds more each way, on average
    offload: bool = False  # on all cables; not with a delay, which needs frames as on the wire
    merged: bool = False  # on the cable of the client, which is recorded
    limit: float = 110  # seconds after which what still runs is left out
    spread: float = SPREAD


def record(path: Path, activities: Sequence[Activity], run: Run) -> int:
    """Record one run into `path` (.pcap.gz) and append its flows to labels.csv beside it; return their number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Lab(server_delay=run.delay, jitter=run.jitter, offload=run.offload) as lab:
        number(lab, len(activities))
        if run.merged:
            for machine, port in ((lab.client, "eth0"), (lab.gateway, "client")):
                machine.do("ethtool", "-K", port, "tx", "on", "tso", "on", "gso", "on", "gro", "on")
        raw = lab.folder / "capture.pcap"
        with lab.record(raw):
            well = play(lab, activities, run.seed, run.limit, run.prepare, run.spread)
        known = {place: one.true_of(lab, place) for place, one in well.items() if one.true_of}
        data = raw.read_bytes()
    path.write_bytes(gzip.compress(data, 6, mtime=0))
    rows = [
        (path.name, "tcp", *flow, "|".join(well[flow[2]].labels))
        for flow in openings(data)
        if flow[2] in well and flow[3] == well[flow[2]].port and flow[1] in known.get(flow[2], {flow[1]})
    ]
    table = path.parent / "labels.csv"
    kept = []
    if table.exists():
        with table.open(newline="") as text:
            kept = [tuple(row) for row in list(csv.reader(text))[1:] if row[0] != path.name]
    with table.open("w", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([FIELDS, *kept, *rows])
    notes = path.parent / "flows.csv"  # which activity each flow belongs to, for people
    with notes.open("a", newline="") as text:
        csv.writer(text, lineterminator="\n").writerows(
            (path.name, *flow, well[flow[2]].name) for flow in openings(data) if flow[2] in well
        )
    return len(rows)
