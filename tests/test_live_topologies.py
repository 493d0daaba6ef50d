# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where a tap may sit: routers, VLANs, bridges, tunnels, loopback; each packet of a flow counts once, whatever way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.network import WAIT, Machine, until
from lab.pipeline import Event, Pipeline
from lab.talk import SHAPE

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]
BACKENDS = ["ebpf", "afpacket"]
LAB = Path(__file__).parents[1] / "lab"
TALK = [sys.executable, str(LAB / "talk.py")]
PORT = 7001


class Net:
    """Machines and the cables between them."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder

    def machine(self) -> Machine:
        """Return a new machine."""
        machine = Machine()
        self._stack.callback(machine.close)
        return machine

    def cable(self, left: Machine, name: str, right: Machine, peer: str) -> None:
        """Lay a cable."""
        left.do("ip", "link", "add", name, "type", "veth", "peer", "name", peer, "netns", str(right.pid))
        for machine, port in ((left, name), (right, peer)):
            machine.do("ip", "link", "set", port, "up")

    def wrapped(self, machine: Machine, kind: str, name: str, *more: str) -> None:
        """Make an interface whose packets pass another one wrapped."""
        log = self._folder / f"{machine.pid}-{name}.log"
        machine.start(sys.executable, str(LAB / "wrap.py"), kind, name, *more, log=log)
        until(lambda: log.exists() and "ready" in log.read_text(), f"{kind} {name}")
        machine.do("ip", "link", "set", name, "up")

    def address(self, machine: Machine, port: str, *addresses: str) -> None:
        """Give an interface its addresses."""
        for address in addresses:
            machine.do("ip", "address", "add", address, "dev", port, *(["nodad"] if ":" in address else []))


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    with ExitStack() as stack:
        yield Net(stack, tmp_path)


def routed(net: Net) -> tuple[Machine, Machine, Machine]:
    """Return client, gateway, server, with IPv4 and IPv6."""
    client, gateway, server = net.machine(), net.machine(), net.machine()
    for number, (end, port) in enumerate(((client, "left"), (server, "right")), start=1):
        net.cable(gateway, port, end, "eth0")
        net.address(gateway, port, f"10.78.{number}.1/24", f"fd78:{number}::1/64")
        net.address(end, "eth0", f"10.78.{number}.2/24", f"fd78:{number}::2/64")
        end.do("ip", "route", "add", "default", "via", f"10.78.{number}.1")
        end.do("ip", "route", "add", "default", "via", f"fd78:{number}::1")
    gateway.do("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    return client, gateway, server


def talk(client: Machine, server: Machine, address: str, *more: str) -> int:
    """Have the conversation once and return the client's port."""
    server.start(*TALK, "serve", address, str(PORT), *more)
    tables = server.inside("ss", "-Hlnu" if more else "-Hlnt")
    end = f"[{address}]:{PORT}" if ":" in address else f"{address}:{PORT}"
    until(lambda: end in subprocess.run(tables, capture_output=True, text=True, check=True).stdout, "server")
    done = subprocess.run(
        client.inside(*TALK, "call", address, str(PORT), *more),
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=True,
    )
    return int(done.stdout)


def watched(
    gateway: Machine,
    folder: Path,
    interfaces: list[str],
    act: Callable[[], object],
    *,
    backend: str,
    workers: int = 1,
    settings: dict[str, dict[str, object]] | None = None,
) -> tuple[list[Event], Pipeline]:
    """Tap the interfaces while `act` happens; return the flow events on PORT and the pipeline that ended."""
    pipeline = Pipeline(gateway, folder, workers=workers, settings={"events": {"flows": True}, **(settings or {})})
    try:
        pipeline.begin(*interfaces, backend=backend)
        act()
        pipeline.finish()
    finally:
        pipeline.close()
    events = [e for e in pipeline.events() if e["event_type"] == "flow" and e.get("dest_port") == PORT]
    return events, pipeline


def bare(event: Event) -> str:
    """Return a flow's shape without its ends and pauses."""
    return " ".join(token for token in event["flowtap"]["shape"].split() if token[0] in "cs")


def check_ledger(pipeline: Pipeline) -> None:
    """Every packet is accounted for, and nothing was lost."""
    assert not pipeline.gaps()
    assert not list(pipeline.ledger().losses())


@pytest.mark.parametrize("backend", BACKENDS)
def test_router_with_two_captures_and_four_shards(net: Net, tmp_path: Path, backend: str) -> None:
    client, gateway, server = routed(net)

    def act() -> None:
        for address in ("10.78.2.2", "fd78:2::2"):
            talk(client, server, address)
            talk(client, server, address, "udp")

    events, pipeline = watched(gateway, tmp_path, ["left", "right"], act, backend=backend, workers=4)
    assert [bare(event) for event in events] == [SHAPE] * 4
    assert {event["proto"] for event in events} == {"TCP", "UDP"}
    assert pipeline.counters("capture")["filtered.forwarded"] > 0
    check_ledger(pipeline)


@pytest.mark.parametrize("backend", BACKENDS)
def test_own_traffic_of_the_gateway(net: Net, tmp_path: Path, backend: str) -> None:
    client, gateway, _ = routed(net)
    events, pipeline = watched(gateway, tmp_path, ["left"], lambda: talk(client, gateway, "10.78.1.1"), backend=backend)
    assert [bare(event) for event in events] == [SHAPE]
    assert [event["in_iface"] for event in events] == ["left"]
    check_ledger(pipeline)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("interfaces", [["left"], ["left.5"]])
def test_vlan_interface(net: Net, tmp_path: Path, backend: str, interfaces: list[str]) -> None:
    client, gateway = net.machine(), net.machine()
    net.cable(gateway, "left", client, "eth0")
    for machine, port, address in ((gateway, "left", "10.78.5.1/24"), (client, "eth0", "10.78.5.2/24")):
        net.wrapped(machine, "vlan", f"{port}.5", port, "5")
        net.address(machine, f"{port}.5", address)
    events, pipeline = watched(
        gateway, tmp_path, interfaces, lambda: talk(client, gateway, "10.78.5.1"), backend=backend
    )
    assert [bare(event) for event in events] == [SHAPE]
    assert events[0].get("vlan") == ([5] if interfaces == ["left"] else None)
    check_ledger(pipeline)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("interfaces", [["left", "right"], ["left", "bridge"], ["bridge"]])
def test_bridge(net: Net, tmp_path: Path, backend: str, interfaces: list[str]) -> None:
    client, gateway, server = net.machine(), net.machine(), net.machine()
    gateway.do("ip", "link", "add", "bridge", "type", "bridge")
    gateway.do("ip", "link", "set", "bridge", "up")
    for end, port, address in ((client, "left", "10.78.6.2/24"), (server, "right", "10.78.6.3/24")):
        net.cable(gateway, port, end, "eth0")
        gateway.do("ip", "link", "set", port, "master", "bridge")
        net.address(end, "eth0", address)
    net.address(gateway, "bridge", "10.78.6.1/24")
    peer, address = (gateway, "10.78.6.1") if interfaces == ["bridge"] else (server, "10.78.6.3")
    patterns = {"capture": {"interfaces": interfaces}}
    events, pipeline = watched(
        gateway, tmp_path, interfaces[:1], lambda: talk(client, peer, address), backend=backend, settings=patterns
    )
    assert [bare(event) for event in events] == [SHAPE]
    check_ledger(pipeline)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("kind", ["gre", "vxlan"])
def test_tunnel(net: Net, tmp_path: Path, backend: str, inside: bool, kind: str) -> None:
    client, gateway = net.machine(), net.machine()
    net.cable(gateway, "left", client, "eth0")
    net.address(gateway, "left", "10.78.7.1/24")
    net.address(client, "eth0", "10.78.7.2/24")
    for machine, own, other in ((gateway, 1, 2), (client, 2, 1)):
        ends = (f"10.78.7.{own}", f"10.78.7.{other}")
        if kind == "gre":
            net.wrapped(machine, "gre", "wrap", *ends)
        else:
            vxlan = ["type", "vxlan", "id", "7", "local", ends[0], "remote", ends[1], "dstport", "4789"]
            machine.do("ip", "link", "add", "wrap", *vxlan)
            machine.do("ip", "link", "set", "wrap", "up")
        net.address(machine, "wrap", f"10.78.8.{own}/24")
    events, pipeline = watched(
        gateway,
        tmp_path,
        ["wrap" if inside else "left"],
        lambda: talk(client, gateway, "10.78.8.1"),
        backend=backend,
        settings={"capture": {"decap": not inside}},
    )
    assert [bare(event) for event in events] == [SHAPE]
    check_ledger(pipeline)


@pytest.mark.parametrize("backend", BACKENDS)
def test_loopback(net: Net, tmp_path: Path, backend: str) -> None:
    gateway = net.machine()
    events, pipeline = watched(gateway, tmp_path, ["lo"], lambda: talk(gateway, gateway, "127.0.0.1"), backend=backend)
    assert [bare(event) for event in events] == [SHAPE]
    check_ledger(pipeline)
