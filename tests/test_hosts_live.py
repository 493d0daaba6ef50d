# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host table of a live pipeline: a client-class web server is told, a flood of SYNs changes nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.network import CLIENT, PYTHON, SERVER, WAIT, Lab, until
from lab.pipeline import Pipeline

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

# This kernel, as a desktop would be classed. The rest of what it sends depends on settings of the kernel.
FINGERPRINTS = """
classes = unix
[tcp:request]
label = s:unix:Linux:of this test
class = client
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+,ecn:0
[tcp:response]
label = s:unix:Linux:of this test
class = client
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,ecn:0
"""
ASK = "import urllib.request as u; [u.urlopen('http://{server}/').read() for _ in range({times})]"
FLOOD = """
import random, socket, struct
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def summed(data):
    total = sum(struct.unpack(f">{{len(data) // 2}}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
target = socket.inet_aton("{server}")
for number in range({packets}):
    source = struct.pack(">I", 0x0A4E0000 + number)
    options = bytes.fromhex("020405b40402080a000000070000000001030307")
    ports = (1024 + number % 60000, 80)
    tcp = struct.pack(">HHIIBBHHH", *ports, random.getrandbits(32), 0, 0xA0, 2, 64240, 0, 0) + options
    check = summed(source + target + struct.pack(">HH", 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack(">H", check) + tcp[18:]
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), number % 65536, 0x4000, 64, 6, 0, source, target)
    raw.sendto(ip + tcp, ("{server}", 0))
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


@pytest.fixture(params=["ebpf", "afpacket"])
def pipeline(lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    (tmp_path / "test.fp").write_text(FINGERPRINTS)
    settings: dict[str, dict[str, object]] = {
        "fingerprints": {"files": [str(tmp_path / "test.fp")]},
        "hosts": {"home": ["10.77.2.0/24"], "pending": 4096},
    }
    made = Pipeline(lab.gateway, tmp_path, settings=settings)
    try:
        made.begin("server", backend=request.param)
        yield made
    finally:
        made.close()


def known(pipeline: Pipeline, *options: str) -> dict[str, Any]:
    """Return what `flowtap hosts` prints, by address."""
    command = [*PYTHON, "-m", "flowtap", "hosts", "--json", "--config", str(pipeline.config), *options]
    out = subprocess.run(command, capture_output=True, timeout=WAIT, check=True).stdout
    return {host["address"]: host for host in map(json.loads, out.splitlines())}


def test_a_client_class_web_server_and_a_flood(lab: Lab, pipeline: Pipeline) -> None:
    lab.server.start(sys.executable, "-m", "http.server", "80", "--bind", SERVER, "--directory", str(pipeline.folder))
    lab.server.await_port(80)
    # The server's answers pass the tap and then get lost: nobody refuses them.
    lab.gateway.do("ip", "route", "add", "blackhole", "10.78.0.0/16")
    lab.client.do(sys.executable, "-c", ASK.format(server=SERVER, times=5))
    until(lambda: {CLIENT, SERVER} <= known(pipeline).keys(), "both hosts are known")
    until(lambda: any(e["event_type"] == "alert" for e in pipeline.events()), "an alert")
    (alert,) = (event for event in pipeline.events() if event["event_type"] == "alert")
    assert (alert["flowtap"]["id"], alert["dest_ip"], alert["dest_port"]) == ("host.client-serving", SERVER, 80)
    evidence = alert["flowtap"]["evidence"]
    assert (evidence["direction"], evidence["agree"] >= 3) == ("inbound", True)

    until(lambda: pipeline.counters("worker")["hosts_completed"] == 5, "all five are completed")
    until(lambda: sum(s["handshakes"] for s in known(pipeline)[SERVER]["systems"]) == 5, "all five are told")
    before = known(pipeline)
    assert before.keys() == {CLIENT, SERVER}
    packets = 20_000
    lab.client.do("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
    lab.client.do(sys.executable, "-c", FLOOD.format(server=SERVER, packets=packets))
    until(lambda: pipeline.counters("worker")["hosts_begun"] == packets + 5, "the flood has arrived")
    until(lambda: pipeline.counters("worker")["handshakes"] > packets + packets // 10, "the server answers it")
    lab.client.do(sys.executable, "-c", ASK.format(server=SERVER, times=2))
    until(lambda: pipeline.counters("worker")["hosts_completed"] == 7, "two more are completed")
    until(lambda: sum(s["handshakes"] for s in known(pipeline)[SERVER]["systems"]) == 7, "two more are told")
    after = known(pipeline)
    assert after.keys() == before.keys()
    assert pipeline.counters("collector")["hosts_evicted"] == 0
    worker = pipeline.counters("worker")
    assert worker["hosts_evicted"] > 0, "the flood is larger than hosts.pending"
    assert worker["hosts_lost"] == 0
    assert p0f(pipeline.runtime / "query", SERVER) == (0x10, b"Linux")
    until(lambda: not pipeline.gaps(), "the ledger closes")
    pipeline.finish()


# What a client's kernel can be told to send otherwise: each makes a raw signature of its own.
STACKS = ("tcp_timestamps=0", "tcp_sack=0", "tcp_window_scaling=0", "tcp_ecn=1", "ip_default_ttl=128")


def test_live_fingerprints_are_those_of_the_file(lab: Lab, pipeline: Pipeline, tmp_path: Path) -> None:
    lab.server.start(sys.executable, "-m", "http.server", "80", "--bind", SERVER, "--directory", str(pipeline.folder))
    lab.server.await_port(80)
    capture = tmp_path / "seen.pcap"
    with lab.record(capture, "server"):
        for setting in STACKS:
            lab.client.do("sysctl", "-qw", f"net.ipv4.{setting}")
            lab.client.do(sys.executable, "-c", ASK.format(server=SERVER, times=1))
    until(lambda: pipeline.counters("worker")["hosts_completed"] == len(STACKS), "all are completed")
    until(lambda: sum(s["handshakes"] for s in known(pipeline).get(SERVER, {"systems": ()})["systems"]) == 5, "told")
    live, read = known(pipeline), known(pipeline, "--read", str(capture))
    assert len({system["raw"] for system in live[CLIENT]["systems"]}) == len(STACKS)
    assert {name: systems(host) for name, host in live.items()} == {name: systems(host) for name, host in read.items()}
    pipeline.finish()


def systems(host: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the systems of a host without times, which the clocks of tap and recorder tell a little differently."""
    return [{k: v for k, v in one.items() if not k.endswith("_seen")} for one in host["systems"]]


def p0f(path: Path, address: str) -> tuple[int, bytes]:
    """Ask as a client of p0f; return the status and the system's name."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(WAIT)
        sock.connect(str(path))
        sock.sendall((0x50304601).to_bytes(4, sys.byteorder) + b"\4" + socket.inet_aton(address).ljust(16, b"\0"))
        data = b""
        while len(data) < 232:
            data += sock.recv(232)
    return int.from_bytes(data[4:8], sys.byteorder), data[40:72].rstrip(b"\0")
