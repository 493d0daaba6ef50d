# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same TCP sessions with offloads on and off have the same shapes, by eBPF and by AF_PACKET.

With offloads (TSO, GSO, GRO) what passes a tap is tens of kilobytes long; what was on the wire, and what a shape is
made of, are segments of one MSS and a rest.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.network import WAIT, Machine
from lab.pipeline import Event, Pipeline

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
BULK = [sys.executable, str(Path(__file__).parents[1] / "lab" / "bulk.py")]
PORT = 7002
# Sessions, each bytes of the client, then of the server, and so on: none is a multiple of an MSS, some are just beside
# one. What is sent at once stays below what a receiver announces in the beginning, so that no window cuts a segment.
# No session has more segments than a reported shape (40).
SESSIONS = ((20_011, 30_011), (1, 27_777, 1449, 1427), (25_013, 1448))
HEADERS = {"10.78.2.2": 52, "fd78:2::2": 72}  # IP and TCP with timestamps


Machines = tuple[Machine, Machine, Machine]


@pytest.fixture
def machines() -> Iterator[Machines]:
    """Client, gateway, server: what the gateway sends itself passes an eBPF program before it is segmented."""
    client, gateway, server = Machine(), Machine(), Machine()
    try:
        for number, (end, port) in enumerate(((client, "left"), (server, "right")), start=1):
            gateway.do("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(end.pid))
            for machine, name, last in ((gateway, port, 1), (end, "eth0", 2)):
                machine.do("ip", "link", "set", name, "up")
                machine.do("ip", "address", "add", f"10.78.{number}.{last}/24", "dev", name)
                machine.do("ip", "address", "add", f"fd78:{number}::{last}/64", "dev", name, "nodad")
            end.do("ip", "route", "add", "default", "via", f"10.78.{number}.1")
            end.do("ip", "route", "add", "default", "via", f"fd78:{number}::1")
        gateway.do("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        yield client, gateway, server
    finally:
        for machine in (client, gateway, server):
            machine.close()


def shape(turns: tuple[int, ...], mss: int) -> str:
    """Return what the session is on a wire of this MSS."""
    words = []
    for letter, size in zip("cs" * len(turns), turns, strict=False):
        words += [f"{letter}{mss}"] * (size // mss) + ([f"{letter}{size % mss}"] if size % mss else [])
    return " ".join(words)


def talk(client: Machine, server: Machine, address: str, turns: tuple[int, ...]) -> None:
    """Have a session."""
    words = [address, str(PORT), *map(str, turns)]
    serving = subprocess.Popen(server.inside(*BULK, "serve", *words), stdin=subprocess.DEVNULL)
    try:
        server.await_port(PORT)
        call = client.inside(*BULK, "call", *words)
        subprocess.run(call, timeout=WAIT, check=True)
        assert serving.wait(WAIT) == 0
    finally:
        serving.kill()
        serving.wait(WAIT)


def bare(event: Event) -> str:
    """Return a flow's shape without its ends and pauses."""
    return " ".join(token for token in event["flowtap"]["shape"].split() if token[0] in "cs")


@pytest.mark.parametrize("backend", ["ebpf", "afpacket"])
@pytest.mark.parametrize("offload", ["on", "off"])
def test_offloads_make_no_difference(machines: Machines, tmp_path: Path, backend: str, offload: str) -> None:
    client, gateway, server = machines
    for machine, port in ((gateway, "left"), (gateway, "right"), (client, "eth0"), (server, "eth0")):
        machine.do("ethtool", "-K", port, *(w for name in ("tso", "gso", "gro") for w in (name, offload)))
    pipeline = Pipeline(gateway, tmp_path, settings={"events": {"flows": True}})
    try:
        pipeline.begin("left", backend=backend)
        for address in HEADERS:
            for turns in SESSIONS:
                talk(client, server, address, turns)
        pipeline.finish()
    finally:
        pipeline.close()
    flows = [e for e in pipeline.events() if e["event_type"] == "flow" and e.get("dest_port") == PORT]
    expected = [shape(turns, 1500 - headers) for headers in HEADERS.values() for turns in SESSIONS]
    assert sorted(bare(event) for event in flows) == sorted(expected)
    packets = pipeline.counters("worker")["processed"]
    segments = sum(len(bare(event).split()) for event in flows)
    # else what was meant to be compared was not there; how many segments are merged is the kernel's business
    assert packets < segments if offload == "on" else packets >= segments
    assert not pipeline.gaps()
    assert not list(pipeline.ledger().losses())
