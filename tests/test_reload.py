# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures taken anew by running workers, without losing a flow; the collector's file opened anew."""

import json
import signal
import socket as unix
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns
from typing import Any

import pytest
import zmq

from capture._message import KIND_HANDSHAKES
from flowtap.ledger import Page
from tests.conftest import Command
from tests.cutting import TEST_SIGNATURE, cut, login
from tests.live import PATIENCE, Live, until
from tests.messages import Sender, header
from tests.records import Conversation, Record
from tests.test_hosts_handshakes import syn, synack

OTHER = TEST_SIGNATURE.replace("test.worker", "test.other")
SYSTEM = """classes = unix
[tcp:request]
label = s:unix:First:
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+:0
"""
WRONG = TEST_SIGNATURE + "tcp 22 = c1 : fine\ntcp nonsense = c1 : no port\ntcp 23 = c : no size\n"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    (tmp_path / "test.fp").write_text(TEST_SIGNATURE)
    (tmp_path / "systems.fp").write_text(SYSTEM)
    settings = (
        f'[signatures]\nfiles = ["{tmp_path}/test.fp"]\n[fingerprints]\nfiles = ["{tmp_path}/systems.fp"]\n'
        f'[file]\npath = "{tmp_path}/events.json"\n'
    )
    with Live(tmp_path, settings) as made:
        made.place.make()
        yield made


def reload(live: Live, flowtap: Command) -> "subprocess.CompletedProcess[str]":
    return flowtap("reload", "--config", live.config)


def alerts(live: Live) -> list[str]:
    """Return the ids of the alerts in the file, in the order of their flows."""
    path = live.folder / "events.json"
    events = [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []
    found = [(e["src_port"], e["flowtap"]["id"]) for e in events if e["event_type"] == "alert"]
    return [name for _, name in sorted(set(found))]


def test_flows_go_on_while_the_signatures_change(live: Live, flowtap: Command, context: Any) -> None:
    live.start("collector")
    live.start("worker", "0")
    live.until("worker-0", signatures_now=1)
    live.until("collector", workers_now=1)
    socket = context.socket(zmq.PUSH)
    socket.connect(live.place.shard(0))
    sender = Sender(1)
    flows = [login(number, monotonic_ns() - 1000 + number * 10) for number in (1, 2)]
    opening, rest = flows[1][:3], flows[1][3:]  # the second one is open, with its handshake only, at the change
    socket.send(sender.records(0, flows[0]))
    socket.send(sender.records(0, opening))
    socket.send(sender.watermark(monotonic_ns()))
    until(lambda: alerts(live) == ["test.worker"], live.logs)

    (live.folder / "test.fp").write_text(WRONG)
    result = reload(live, flowtap)
    assert result.returncode == 2
    assert "test.fp:4:5: " in result.stderr
    assert "test.fp:5:" in result.stderr
    assert live.page("worker-0")["reloads_refused"] == 0

    (live.folder / "test.fp").write_text(OTHER)
    (live.folder / "events.json").rename(live.folder / "events.json.1")
    result = reload(live, flowtap)
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(result.stdout.splitlines()) == [
        "1 fingerprints of systems",
        "1 signatures",
        "collector: opened its file anew",
        "worker-0: took the signatures",
    ]
    for message in cut(sender, [record.later(0.5) for record in rest]):
        socket.send(message)
    until(lambda: alerts(live) == ["test.other"], live.logs)
    page = live.until("worker-0", reloads=1, reloads_refused=0)
    assert page["engine_midstream"] == 0
    assert "Traceback" not in live.logs()


def test_a_worker_refuses_wrong_signatures_and_keeps_its_own(live: Live) -> None:
    process = live.start("worker", "0")
    live.until("worker-0", signatures_now=1)
    (live.folder / "test.fp").write_text(WRONG)
    process.send_signal(signal.SIGHUP)
    live.until("worker-0", signatures_now=1, reloads=0, reloads_refused=1)
    live.config.write_text("nonsense")
    process.send_signal(signal.SIGHUP)
    live.until("worker-0", signatures_now=1, reloads=0, reloads_refused=2)
    log = live.log("worker")
    assert "test.fp:4:5: " in log
    assert "test.fp:5:" in log
    assert "flowtap.toml:1:" in log
    assert log.count("the signatures stay as they are") == 2
    assert live.stop(process) == 0


def handshake_at(number: int) -> tuple[list[bytes], list[Record]]:
    """Return handshake records and records of a connection of host 10.0.0.1 that was acknowledged and answered."""
    conversation = Conversation(port=80, client_port=3000 + number, hash=number + 1, now=monotonic_ns() - 1000)
    talk = synack(syn(conversation))
    conversation.send("c")
    conversation.send("c", 10)
    conversation.send("s", 10)
    return talk.handshakes, talk.records


def test_fingerprints_change_while_handshakes_go_on(live: Live, flowtap: Command, context: Any) -> None:
    live.start("collector")
    worker = live.start("worker", "0")
    live.until("worker-0", fingerprints_now=1)
    live.until("collector", workers_now=1)
    socket = context.socket(zmq.PUSH)
    socket.connect(live.place.shard(0))
    sender = Sender(1)

    def connect(number: int) -> None:
        handshakes, records = handshake_at(number)
        fields = {"kind": KIND_HANDSHAKES, "sender": 1, "count": len(handshakes)}
        socket.send(header(**fields) + b"".join(handshakes))
        socket.send(sender.records(0, records))
        socket.send(sender.watermark(monotonic_ns()))

    def systems() -> dict[str, int]:
        query = {"query": "host", "address": "10.0.0.1"}
        with unix.socket(unix.AF_UNIX) as sock, sock.makefile("rb") as answers:
            sock.connect(str(live.place.query))
            sock.sendall(json.dumps(query).encode() + b"\n")
            host = json.loads(answers.readline())["host"] or {"systems": []}
        return {one["label"]: one["handshakes"] for one in host["systems"] if one["side"] == "client"}

    connect(1)
    until(lambda: systems() == {"First": 1}, live.logs)
    (live.folder / "systems.fp").write_text(SYSTEM.replace("df,id+", "nonsense"))
    result = reload(live, flowtap)
    assert result.returncode == 2
    assert "systems.fp:4:" in result.stderr
    worker.send_signal(signal.SIGHUP)  # it checks by itself, and keeps signatures and fingerprints
    live.until("worker-0", reloads=0, reloads_refused=1, fingerprints_now=1)
    assert "systems.fp:4:" in live.log("worker")
    connect(2)
    until(lambda: systems() == {"First": 2}, live.logs)
    other = SYSTEM.replace("First", "Second") + "[tcp:response]\nlabel = s:unix:Third:\nsig = 4:64:0:*:*,0:mss:df:0\n"
    (live.folder / "systems.fp").write_text(other)
    result = reload(live, flowtap)
    assert (result.returncode, result.stderr) == (0, "")
    live.until("worker-0", reloads=1, reloads_refused=1, fingerprints_now=2)
    connect(3)
    until(lambda: systems() == {"First": 2, "Second": 1}, live.logs)
    assert "Traceback" not in live.logs()


def test_a_refusal_is_told(live: Live, flowtap: Command) -> None:
    """The file of the collector cannot be opened: that is said at the beginning already."""
    (live.folder / "events.json").mkdir()
    live.start("collector")
    live.said("collector", "publishes at")
    assert "events.json: Is a directory" in live.log("collector")
    assert "and to" not in live.log("collector")
    result = reload(live, flowtap)
    assert (result.returncode, result.stderr) == (1, "collector: refused, its log says why\n")


def test_without_a_process(live: Live, flowtap: Command) -> None:
    Page(live.place.ledger / "worker-0.page", ["reloads"]).close()  # its process has ended
    result = reload(live, flowtap)
    assert result.returncode == 1
    assert result.stderr == f"flowtap: {live.place.ledger}: no worker and no collector is running\n"


def test_one_that_does_not_answer(live: Live, flowtap: Command) -> None:
    process = live.start("worker", "0")
    live.until("worker-0", signatures_now=1)
    process.send_signal(signal.SIGSTOP)
    result = reload(live, flowtap)
    assert (result.returncode, result.stderr) == (1, "worker-0: did not answer\n")
    process.send_signal(signal.SIGCONT)
    live.until("worker-0", reloads=1)
    assert live.stop(process) == 0
    assert process.wait(PATIENCE) == 0
