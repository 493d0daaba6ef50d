# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap capture`: interfaces that come and go, workers that are away, kill -9; nothing stays behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np
import packets as p
import pytest
import zmq
from test_filters import filters, has_clsact, tc
from veth import namespace, pair, send

from capture._message import KIND_HANDSHAKES, KIND_RECORDS, KIND_WATERMARK, MESSAGE_SIZE
from capture.live import Interface
from capture.publish import FOR_EVER
from capture.record import MESSAGE
from flowtap.accounts import read_ledger
from tests.conftest import environment
from tests.live import PATIENCE, Live, until
from tests.messages import messages_in

live = pytest.mark.live


def frames(count: int, first: int = 0) -> list[bytes]:
    """Make UDP packets, each of a flow of its own."""
    return [p.ethernet(p.ipv4(p.udp(b"x", sport=1024 + n), 17)) for n in range(first, first + count)]


def syn(port: int) -> bytes:
    return p.ethernet(p.ipv4(p.tcp(sport=port, flags=2)))


class Worker:
    """Takes what a capture process sends for one shard."""

    def __init__(self, endpoint: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.PULL)
        self._socket.bind(endpoint)
        self.records = 0
        self.handshakes = 0
        self.ends: dict[int, list[int]] = {}  # by sender: the words of its newest watermark
        self.ended: set[int] = set()
        self.positions: dict[tuple[int, int], int] = {}  # by sender and CPU

    def take(self) -> Worker:
        """Take what has come so far."""
        while self._socket.poll(50):
            for message in messages_in(self._socket.recv()):
                self._count(message)
        return self

    def _count(self, message: bytes) -> None:
        header = np.frombuffer(message[:MESSAGE_SIZE], MESSAGE)[0]
        sender, cpu, count = int(header["sender"]), int(header["cpu"]), int(header["count"])
        if header["kind"] == KIND_RECORDS:
            self.records += count
            assert int(header["first"]) >= self.positions.get((sender, cpu), 0)
            self.positions[sender, cpu] = int(header["first"]) + count
        elif header["kind"] == KIND_HANDSHAKES:
            self.handshakes += count
        else:
            assert header["kind"] == KIND_WATERMARK
            words = list(struct.unpack_from(f"={count}Q", message, MESSAGE_SIZE))
            # what a successor tells of a dead one may overtake what that one had sent
            self.ends[sender] = [max(both) for both in zip_longest(words, self.ends.get(sender, ()), fillvalue=0)]
            if int(header["ts"]) == FOR_EVER:
                self.ended.add(sender)

    def missed(self) -> int:
        """Return how many records of all senders did not come."""
        return sum(sum(words) for words in self.ends.values()) - self.records

    def close(self) -> None:
        """Be away."""
        self._socket.close(linger=0)
        self._context.term()


class Gateway:
    """Two joined interfaces in a namespace, and a capture process on the first."""

    def __init__(self, folder: Path, one: Interface, other: Interface, settings: str) -> None:
        self.live = Live(folder, settings)
        self.one, self.other = one, other
        self.run = self.live.place

    def start(self, *arguments: str, said: str = "one: tapped") -> subprocess.Popen[bytes]:
        """Start a capture process, and wait until it has said something, once more than before."""
        before = self.live.log("capture").count(said)
        process = self.live.start("capture", *(arguments or ("-i", "one")))
        until(lambda: self.live.log("capture").count(said) > before, self.live.logs)
        return process

    def total(self, counter: str, name: str = "one") -> int:
        """Return a counter of all CPUs and shards."""
        page = self.live.page(f"capture-{name}")
        return sum(number for key, number in page.items() if key.rpartition(".")[2] == counter)

    def until(self, name: str = "one", **counters: int) -> None:
        """Wait until totals have these values."""
        until(
            lambda: all(self.total(key, name) == number for key, number in counters.items()),
            lambda: f"{ {k: v for k, v in self.live.page(f'capture-{name}').items() if v} }\n{self.live.logs()}",
        )

    def closes(self) -> None:
        """See whether all sums of capture processes close."""
        for equation in read_ledger(self.run.ledger).equations():
            if equation.place.startswith("capture"):
                assert equation.difference == 0, equation

    def clean(self) -> None:
        """See whether nothing is left behind."""
        assert not has_clsact()
        assert not list(self.run.taps.glob("*.json"))
        assert {path.suffix for path in self.run.ledger.iterdir()} <= {".page", ".base"}
        assert "Traceback" not in self.live.logs()


@pytest.fixture
def gateway(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    with namespace(), pair() as (one, other):
        made = Gateway(tmp_path, one, other, getattr(request, "param", ""))
        with made.live:
            yield made


@pytest.fixture
def worker(gateway: Gateway) -> Iterator[Worker]:
    gateway.run.make()
    made = Worker(gateway.run.shard(0))
    yield made
    made.close()


def ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], timeout=20, check=True)


@live
@pytest.mark.parametrize("backend", ["ebpf", "afpacket"])
def test_every_packet_is_accounted_for(gateway: Gateway, worker: Worker, backend: str) -> None:
    process = gateway.start("-i", "one", "--capture", backend)
    send(gateway.other, [*frames(1000), syn(5), p.ethernet(b"", kind=0x88CC)])
    until(lambda: worker.take().records >= 1001 and worker.handshakes)
    send(gateway.one, frames(10))
    until(lambda: worker.take().records >= 1011)
    gateway.until(seen=1012, sent=1011, handshakes_sent=1)
    process.send_signal(signal.SIGHUP)  # means nothing here
    send(gateway.other, [p.ethernet(b"", kind=0x88CC)])
    gateway.until(seen=1013)
    assert gateway.live.stop(process, signal.SIGINT) == 0
    worker.take()
    assert (worker.records, worker.handshakes, worker.missed()) == (1011, 1, 0)
    assert worker.ended == worker.ends.keys()
    gateway.closes()
    gateway.clean()


@live
def test_loopback_packets_count_once(gateway: Gateway) -> None:
    process = gateway.start("-i", "lo", "-i", "*", "--name", "one", said="lo: tapped")
    ip("link set dev lo up")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to,
    ):
        to.bind(("127.0.0.1", 0))
        for _ in range(20):
            one.sendto(b"x", to.getsockname())
    gateway.until(seen=20, sent=20)
    assert gateway.live.stop(process) == 0
    assert not has_clsact("lo")
    gateway.closes()
    gateway.clean()


@live
@pytest.mark.parametrize("gateway", ["[capture]\nqueue = 4\n"], indirect=True)
def test_a_worker_that_is_away_costs_a_counted_number_of_records(gateway: Gateway) -> None:
    process = gateway.start()
    for first in range(0, 40):
        send(gateway.other, frames(256, 256 * first))
    gateway.until(seen=10240, taken=10240)
    sent, dropped = gateway.total("sent"), gateway.total("dropped")
    assert 0 < sent <= 4 * 256
    assert sent + dropped == 10240
    late = Worker(gateway.run.shard(0))
    until(lambda: late.take().records >= sent and late.ends)
    send(gateway.other, frames(256))  # and it goes on
    until(lambda: late.take().records >= sent + 256)
    assert gateway.live.stop(process) == 0
    late.take()
    assert late.records == sent + 256
    assert late.missed() == dropped
    late.close()
    gateway.closes()
    gateway.clean()


@live
def test_a_killed_one_is_replaced_without_a_gap_in_the_ledger(gateway: Gateway, worker: Worker) -> None:
    while_dead = 700
    process = gateway.start()
    send(gateway.other, frames(1000))
    until(lambda: worker.take().records >= 1000)
    process.send_signal(signal.SIGSTOP)
    send(gateway.other, frames(300))
    process.kill()
    process.wait(PATIENCE)
    assert filters("ingress")[0].startswith("1 flowtap-one-")
    send(gateway.other, frames(while_dead))
    process = gateway.start()
    assert len(filters("ingress")) == len(filters("egress")) == 1
    send(gateway.other, frames(400))
    until(lambda: worker.take().records >= 1400)
    assert gateway.live.stop(process) == 0
    worker.take()
    lost = gateway.total("lost")
    assert (gateway.total("seen"), gateway.total("sent"), lost) == (1700 + while_dead, 1400, 300 + while_dead)
    assert (worker.records, worker.missed()) == (1400, lost)
    assert len(worker.ended) == len(worker.ends) == 2  # also the streams of the one that was killed
    gateway.closes()
    gateway.clean()


@live
def test_kills_at_any_time(gateway: Gateway, worker: Worker) -> None:
    """Under traffic, also just after the start; AF_PACKET in between, which leaves no counters behind."""
    sent = 0
    for backend in ("ebpf", "afpacket", "ebpf"):
        before = gateway.total("watermarks")
        process = gateway.start("-i", "one", "--capture", backend)
        until(lambda before=before: gateway.total("watermarks") > before)
        for _ in range(20):
            send(gateway.other, frames(100))
            sent += 100
        process.kill()
        process.wait(PATIENCE)
    process = gateway.start()
    send(gateway.other, frames(100))
    assert gateway.live.stop(process) == 0
    worker.take()
    gateway.closes()
    assert gateway.total("seen") <= sent + 100
    # what a killed one had given to ZeroMQ may not have come, anything else is told of
    assert worker.records <= gateway.total("sent")
    assert worker.records + worker.missed() == gateway.total("batched")
    gateway.clean()


@live
def test_interfaces_come_go_and_change_their_names(gateway: Gateway, worker: Worker) -> None:
    process = gateway.start("-i", "w*", "-i", "!wx", "--name", "w", said="no interface matches; waits for one")
    ip("link add name w0 type veth peer name v0")
    gateway.live.said("capture", "w0: tapped")
    assert filters("ingress", "w0")
    before = json.loads((gateway.run.taps / "w.json").read_text())["interfaces"]
    assert [one["name"] for one in before] == ["w0"]
    ip("link set dev w0 name w1")
    gateway.live.said("capture", "w0: is called w1 now")
    until(lambda: "w1" in (gateway.run.taps / "w.json").read_text())
    ip("link set dev w1 name wx")
    gateway.live.said("capture", "w1: not tapped any more")
    until(lambda: not has_clsact("wx"))
    ip("link set dev wx name w0")
    until(lambda: gateway.live.log("capture").count("w0: tapped") == 2)
    ip("link del dev w0")
    ip("link add name w0 type veth peer name v0")
    gateway.live.said("capture", "w0: not tapped any more: is gone")
    until(lambda: gateway.live.log("capture").count("w0: tapped") == 3)
    for name in ("w0", "v0"):
        ip(f"link set dev {name} up arp off")
    with_index = json.loads((gateway.run.taps / "w.json").read_text())["interfaces"]
    send(Interface(0, "v0", ethernet=True, loopback=False, tunnel=False), frames(50))
    until(lambda: worker.take().records == 50)
    assert with_index[0]["index"] != before[0]["index"]
    assert gateway.live.stop(process) == 0
    assert not has_clsact("w0")
    gateway.closes()
    gateway.clean()


@live
def test_a_filter_that_somebody_removed_comes_back(gateway: Gateway) -> None:
    process = gateway.start()
    tc("qdisc del dev one clsact")
    gateway.live.said("capture", "one: its filter was removed by someone else")
    until(lambda: filters("ingress") and filters("egress"))
    assert gateway.live.stop(process) == 0
    gateway.clean()


@live
def test_two_captures_share_no_interface(gateway: Gateway) -> None:
    first = gateway.start()
    second = gateway.start("-i", "one", "-i", "other", "--name", "two", said="other: tapped")
    gateway.live.said("capture", "one: not tapped: the capture process one taps it")
    third = gateway.live.start("capture", "-i", "one")
    assert third.wait(PATIENCE) == 1
    gateway.live.said("capture", "another capture process named one is running")
    send(gateway.one, frames(100))  # leaves there, comes in here
    gateway.until("two", seen=100, sent=100)
    gateway.until("one", seen=100, sent=100)
    assert gateway.live.stop(first) == 0
    until(lambda: gateway.live.log("capture").count("one: tapped") == 2)
    assert gateway.live.stop(second) == 0
    gateway.closes()
    gateway.clean()


@live
def test_a_bridge_is_not_tapped_beside_its_ports(gateway: Gateway) -> None:
    ip("link add name br type bridge")
    ip("link set dev one master br")
    process = gateway.start("-i", "one", "-i", "br", "--name", "one")
    gateway.live.said("capture", "br: not tapped: lies on one, which is tapped: packets would count twice")
    ip("link set dev one nomaster")
    gateway.live.said("capture", "br: tapped")
    ip("link set dev one master br")
    gateway.live.said("capture", "br: not tapped any more: lies on one")
    assert gateway.live.stop(process) == 0
    ip("link del dev br")
    gateway.clean()


@live
@pytest.mark.parametrize("gateway", ["[capture]\nring_bytes = 65536\n"], indirect=True)  # locked memory is limited
def test_with_the_capabilities_that_it_has_under_systemd(gateway: Gateway) -> None:
    """Without CAP_SYS_ADMIN the counters of a killed one may be out of reach, but the sums close."""
    line = ["setpriv", "--bounding-set=-all,+net_admin,+bpf,+perfmon,+net_raw", *start_line(gateway)]
    for kill in (True, False):
        with (gateway.live.folder / "capture.log").open("ab") as log:
            process = subprocess.Popen(line, stderr=log, env=environment(), cwd=gateway.live.folder)
        gateway.live.started.append(process)
        marks = gateway.total("watermarks")
        until(lambda marks=marks: gateway.total("watermarks") > marks, gateway.live.logs)
        assert len(filters("ingress")) == len(filters("egress")) == 1
        send(gateway.other, frames(256))
        until(lambda wanted=(1 if kill else 2) * 256: gateway.total("sent") == wanted, gateway.live.logs)
        if kill:
            process.kill()
            process.wait(PATIENCE)
    assert gateway.live.stop(process) == 0
    assert gateway.total("seen") >= 512
    gateway.closes()
    gateway.clean()


@live
def test_it_ends_while_the_compiler_is_at_work(gateway: Gateway) -> None:
    """However long that takes: here for ever."""
    process = gateway.live.start("capture", "-i", "one", "--capture", "ebpf")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: b"capture.compile" in _command(children), gateway.live.logs)
    (compiler,) = map(int, children.read_text().split())
    os.kill(compiler, signal.SIGSTOP)
    assert gateway.live.stop(process) == 0
    assert not Path(f"/proc/{compiler}").exists()
    gateway.clean()


def _command(children: Path) -> bytes:
    """Return the command lines of a process's children."""
    with contextlib.suppress(OSError):
        return b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children.read_text().split())
    return b""


@live
@pytest.mark.parametrize("backend", ["ebpf", "afpacket"])
def test_many_signals_at_once_end_it_once(gateway: Gateway, backend: str) -> None:
    process = gateway.start("-i", "one", "--capture", backend)
    for number in (signal.SIGTERM, signal.SIGINT) * 20:
        process.send_signal(number)
    assert gateway.live.stop(process) == 0
    gateway.closes()
    gateway.clean()


@live
def test_without_permission(gateway: Gateway) -> None:
    done = subprocess.run(
        ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *start_line(gateway)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
    )
    assert done.returncode == 1
    assert "cap_bpf" in done.stderr
    assert "cap_net_raw" in done.stderr
    assert "Traceback" not in done.stderr


def start_line(gateway: Gateway) -> list[str]:
    return [sys.executable, "-m", "flowtap", "capture", "-i", "one", "--config", str(gateway.live.config)]
