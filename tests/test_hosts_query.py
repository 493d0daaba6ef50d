# SPDX-License-Identifier: LGPL-2.1-or-later
"""The query socket: JSON lines, p0f's binary query by its documentation, and clients that mean ill."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, monotonic_ns
from typing import Any

import pytest
import zmq
from click.testing import CliRunner

from engine.collector import COUNTERS, Collector
from engine.feed import Feed
from engine.host_rules import HOME, Networks, Policy
from engine.hosts import Hosts
from engine.hosts_watch import HostWatch
from engine.memory import Memory
from engine.wire import encode
from flowtap.hosts import hosts
from flowtap.ledger import Page
from flowtap.query import CONNECTIONS, PAGE, Queries
from flowtap.runtime import Runtime
from tests.live import until
from tests.test_hosts import LINUX, NOW, SECOND, UNKNOWN, WINDOWS, mail, server, watch

CAPTURES = sorted((Path(__file__).parent / "captures").glob("*.pcap.gz"))
V6 = replace(LINUX, address="2001:db8::7")


class Serving:
    """A query socket served in a thread."""

    def __init__(self, folder: Path) -> None:
        place = Runtime(folder)
        place.make()
        self.watch: HostWatch = watch(1000)
        self.page = Page(place.ledger / "collector.page", COUNTERS)
        self.path = place.query
        self.queries = Queries(self.path, self.watch, self.page)
        self.slowest = 0.0  # seconds of a turn
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Serving:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(10)
        self.queries.close()
        self.page.close()

    def _run(self) -> None:
        while not self._end.is_set():
            poller = zmq.Poller()
            for number, what in self.queries.wanted():
                poller.register(number, what)
            poller.poll(20)
            begin = monotonic()
            self.queries.work(monotonic_ns())
            self.slowest = max(self.slowest, monotonic() - begin)

    def connect(self) -> socket.socket:
        """Return a connection."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(10)
        sock.connect(str(self.path))
        return sock

    def ask(self, *queries: object) -> list[Any]:
        """Send queries on one connection; return the answers."""
        with self.connect() as sock, sock.makefile("rb") as answers:
            sock.sendall(b"".join(json.dumps(query).encode() + b"\n" for query in queries))
            return [json.loads(answers.readline()) for _ in queries]

    def answers(self) -> bool:
        """Return whether a new client gets an answer."""
        try:
            return bool(self.ask({"query": "host", "address": "10.0.0.5"}))
        except (OSError, ValueError):
            return False


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    with Serving(tmp_path) as made:
        for sighting in (WINDOWS, WINDOWS, server(WINDOWS), V6, replace(UNKNOWN, address="192.0.2.9")):
            list(made.watch.take(sighting))
        yield made


def p0f(serving: Serving, kind: int, address: bytes, magic: int = 0x50304601) -> dict[str, Any]:
    """Ask as a client of p0f does, with the structures of its README."""
    with serving.connect() as sock:
        sock.sendall(struct.pack("=IB16s", magic, kind, address))
        data = b""
        while len(data) < 232:
            part = sock.recv(232 - len(data))
            assert part
            data += part
    names = ("magic", "status", "first_seen", "last_seen", "total_conn", "uptime_min", "up_mod_days", "last_nat",
             "last_chg", "distance", "bad_sw", "os_match_q", "os_name", "os_flavor", "http_name", "http_flavor",
             "link_type", "language")  # fmt: skip
    told: dict[str, Any] = dict(zip(names, struct.unpack("=9IhBB32s32s32s32s32s32s", data), strict=True))
    return {k: v.rstrip(b"\0").decode() if isinstance(v, bytes) else v for k, v in told.items()}


def test_p0f_clients_get_answers(serving: Serving) -> None:
    told = p0f(serving, 4, socket.inet_aton("10.0.0.5"))
    assert told == {
        "magic": 0x50304602, "status": 0x10, "first_seen": NOW // SECOND, "last_seen": NOW // SECOND, "total_conn": 3,
        "uptime_min": 0, "up_mod_days": 0, "last_nat": 0, "last_chg": 0, "distance": 1, "bad_sw": 0, "os_match_q": 0,
        "os_name": "Windows", "os_flavor": "10 or 11", "http_name": "", "http_flavor": "", "link_type": "Ethernet",
        "language": "",
    }  # fmt: skip
    assert p0f(serving, 6, socket.inet_pton(socket.AF_INET6, "2001:db8::7"))["os_name"] == "Linux"
    unknown = p0f(serving, 4, socket.inet_aton("192.0.2.9"))
    assert (unknown["status"], unknown["os_name"], unknown["distance"]) == (0x10, "", 9)
    assert p0f(serving, 4, socket.inet_aton("10.0.0.6"))["status"] == 0x20
    assert p0f(serving, 5, socket.inet_aton("10.0.0.5"))["status"] == 0x00
    assert p0f(serving, 4, socket.inet_aton("10.0.0.5"), 0x50304603)["status"] == 0x00


def test_p0f_clients_hear_of_a_shared_address(serving: Serving) -> None:
    for _ in range(3):
        list(serving.watch.take(LINUX))
    told = p0f(serving, 4, socket.inet_aton("10.0.0.5"))
    assert told["last_nat"] == told["last_chg"] == NOW // SECOND


def test_p0f_clients_hear_of_uptime_and_of_poor_matches(serving: Serving) -> None:
    for number in range(3):
        now, ticks = NOW + number * 5 * SECOND, (86_400 + number * 5) * 1000
        list(serving.watch.take(replace(V6, last_ns=now, ts=ticks, fuzzy=True, generic=True)))
    told = p0f(serving, 6, socket.inet_pton(socket.AF_INET6, "2001:db8::7"))
    assert (told["uptime_min"], told["up_mod_days"], told["os_match_q"]) == (1440, 49, 3)
    (answer,) = serving.ask({"query": "host", "address": "2001:db8::7"})
    assert answer["host"]["uptime"] == {"minutes": 1440, "modulo_days": 49, "rate": 1000}


def test_many_binary_queries_at_once(serving: Serving) -> None:
    query = struct.pack("=IB16s", 0x50304601, 4, socket.inet_aton("10.0.0.5"))
    with serving.connect() as sock:
        sock.sendall(query * 500)
        data = b""
        while len(data) < 500 * 232:
            data += sock.recv(65536)
    assert data == data[:232] * 500


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"query": "host", "address": "10.0.0.5"}, "10.0.0.5"),
        ({"query": "host", "address": "::ffff:10.0.0.5"}, "10.0.0.5"),
        ({"query": "host", "address": "2001:DB8:0::7"}, "2001:db8::7"),
        ({"query": "host", "address": "10.0.0.6"}, None),
    ],
)
def test_one_host(serving: Serving, query: object, expected: str | None) -> None:
    (told,) = serving.ask(query)
    assert (told["host"] and told["host"]["address"]) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["192.0.2.9", "2001:db8::7", "10.0.0.5"]),
        ({"limit": 1}, ["192.0.2.9"]),
        ({"class": "client"}, ["10.0.0.5"]),
        ({"port": 80}, ["10.0.0.5"]),
        ({"port": 443}, []),
        ({"mixed": True}, []),
    ],
)
def test_hosts(serving: Serving, query: dict[str, Any], expected: list[str]) -> None:
    (told,) = serving.ask({"query": "hosts"} | query)
    assert [host["address"] for host in told["hosts"]] == expected
    assert (told["known"], told["more"]) == (3, False)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({}, "query: expected host, hosts"),
        ({"query": "more"}, "query: expected"),
        ({"query": "host"}, "address: expected"),
        ({"query": "host", "address": "x"}, "address: expected"),
        ({"query": "hosts", "limit": 0}, "limit: expected"),
        ({"query": "hosts", "class": "fridge"}, "class: expected"),
        ({"query": "hosts", "port": -1}, "port: expected"),
        ({"query": "hosts", "mixed": 1}, "mixed: expected"),
        ({"query": "hosts", "colour": 1}, "colour: expected one of"),
    ],
)
def test_wrong_queries_get_an_error(serving: Serving, query: object, error: str) -> None:
    first, second = serving.ask(query, {"query": "host", "address": "10.0.0.5"})
    assert first["error"].startswith(error)
    assert "host" in second


def test_no_json_gets_an_error(serving: Serving) -> None:
    with serving.connect() as sock, sock.makefile("rb") as answers:
        sock.sendall(b'{"query"\n')
        assert "no JSON" in json.loads(answers.readline())["error"]


def test_long_tables_come_in_parts(serving: Serving) -> None:
    for number in range(2 * PAGE + 7):
        list(serving.watch.take(replace(WINDOWS, address=f"10.9.{number // 250}.{number % 250}")))
    told = serving.ask({"query": "hosts", "limit": 1 << 30}, {"query": "more"}, {"query": "more"}, {"query": "more"})
    assert [len(one.get("hosts", [])) for one in told] == [PAGE, PAGE, 10, 0]
    assert len({host["address"] for one in told[:3] for host in one["hosts"]}) == 2 * PAGE + 10


def test_hostile_clients_hold_nobody_up(serving: Serving) -> None:
    """Neither one that says nothing, nor ones that never read, send endless lines, or come by the hundred."""
    with contextlib.ExitStack() as stack:
        silent, deaf, endless = (stack.enter_context(serving.connect()) for _ in range(3))
        assert silent.fileno() > 0
        for number in range(PAGE):
            list(serving.watch.take(replace(WINDOWS, address=f"10.9.0.{number}")))
        deaf.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                deaf.send(b'{"query":"hosts"}\n')
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                endless.sendall(b"{" * 4096)
        until(lambda: serving.page.get("queries_refused") >= 1)
        crowd = [stack.enter_context(serving.connect()) for _ in range(CONNECTIONS)]
        until(lambda: serving.page.get("queries_refused") >= 3)
        crowd[0].close()
        until(serving.answers)
    assert serving.slowest < 1


def test_the_command(serving: Serving, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(hosts, ["--runtime", str(tmp_path), *arguments])
        return result.exit_code, capfd.readouterr().out

    code, text = said("10.0.0.5")
    assert (code, text) == (0, (
        "10.0.0.5  67 % sure, 1 hop, MTU 1500 (Ethernet), seen 2026-01-02 03:04:05 to 2026-01-02 03:04:05\n"
        "    client  Windows 10 or 11 [client], 2 handshakes\n"
        "    server  Windows 10 or 11 [client], 1 handshake\n"
        "    answers on port 80, 1 handshake, 1 with data\n"
        "    connects to port 443, 2 handshakes, 2 with data\n"
    ))  # fmt: skip
    code, text = said("--json")
    assert [json.loads(line)["address"] for line in text.splitlines()] == ["192.0.2.9", "2001:db8::7", "10.0.0.5"]
    assert said("--class", "server", "-n", "5", "--json")[1].count("\n") == 1
    assert said("192.0.2.200")[0] == 1
    assert said("nonsense")[0] == 2
    assert said("10.0.0.5", "--mixed")[0] == 2


def test_the_table_of_captures(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> tuple[int, list[Any]]:
        result = CliRunner().invoke(hosts, ["--json", *arguments])
        return result.exit_code, [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    capture = str(CAPTURES[0])
    code, told = said("--read", capture)
    assert (code, {host["address"] for host in told}) == (0, {"10.77.1.2", "10.77.2.2"})
    numbers = {host["address"]: host["systems"][0]["handshakes"] for host in told}
    code, told = said("--read", capture, "--read", capture, "10.77.2.2")
    assert (code, [host["systems"][0]["handshakes"] for host in told]) == (0, [2 * numbers["10.77.2.2"]])
    assert [host["address"] for host in said("--read", capture, "--port", "22")[1]] == ["10.77.2.2"]
    whole = gzip.decompress(CAPTURES[0].read_bytes())
    (tmp_path / "cut.pcap").write_bytes(whole[:-3])
    code, told = said("--read", str(tmp_path / "cut.pcap"))
    assert (code, len(told)) == (1, 2)
    assert said("--read", capture, "192.0.2.1") == (1, [])


def test_the_command_without_a_collector(tmp_path: Path) -> None:
    result = CliRunner().invoke(hosts, ["--runtime", str(tmp_path)])
    assert (result.exit_code, "no collector answers there" in result.output) == (1, True)


def test_the_collector_takes_sightings_and_answers(context: Any, tmp_path: Path) -> None:
    page = Page(tmp_path / "collector.page", COUNTERS)
    memory = Memory(tmp_path / "collector.memory")
    made = HostWatch(Hosts(100, 1e9), Policy(Networks(HOME)))
    queries = Queries(tmp_path / "query", made, page)
    feed = Feed(context, f"ipc://{tmp_path}/feed")
    collector = Collector(context, f"ipc://{tmp_path}/events", feed, page, memory, hosts=made, beside=queries)
    thread = threading.Thread(target=collector.run)
    thread.start()
    pushing = context.socket(zmq.PUSH)
    pushing.connect(f"ipc://{tmp_path}/events")
    wrong = WINDOWS.event() | {"sighting": {"address": "x"}}
    events = [mail(WINDOWS, count=3, answered=3, spoke=3).event(), server(LINUX, count=9).event(), wrong]
    pushing.send(encode(0, 1, 0, events))
    try:
        until(lambda: page.get("sightings") == 2 and page.get("malformed_event") == 1)
        with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as answers:
            sock.settimeout(10)
            sock.connect(str(tmp_path / "query"))
            sock.sendall(b'{"query":"host","address":"10.0.0.5"}\n')
            assert json.loads(answers.readline())["host"]["mixed"]
    finally:
        collector.stop = True
        thread.join(10)
        collector.close()
        queries.close()
        feed.close()
        memory.close()
    got = {name: page.get(name) for name in ("received", "published", "hosts_events", "seq", "queries")}
    # a host event and an alert for mail, a host event and a contradiction for the other system
    assert got == {"received": 3, "published": 0, "hosts_events": 4, "seq": 4, "queries": 1}
    assert not (tmp_path / "query").exists()
    page.close()
