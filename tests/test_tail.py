# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap tail`: what it prints of a feed, what it says is missing, how it ends."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, monotonic_ns
from typing import IO, Any

import pytest
import zmq

from engine.feed import Feed
from flowtap.eventtext import EventText
from flowtap.following import Filter, Gaps
from sigdb import shipped
from tests.conftest import ROOT, Command
from tests.cutting import TEST_SIGNATURE, cut, login, moved, of_file
from tests.live import PATIENCE, Live, until
from tests.messages import Sender

TIME = "2026-01-02T03:04:05.678901+0000"


def event(kind: str = "alert", **more: Any) -> dict[str, Any]:
    flow = {
        "timestamp": TIME, "flow_id": 1, "event_type": kind, "src_ip": "10.0.0.1", "src_port": 1234, "proto": "TCP",
        "dest_ip": "2001:db8::1", "dest_port": 22,
        "flow": {
            "pkts_toserver": 3, "pkts_toclient": 4, "bytes_toserver": 30, "bytes_toclient": 400, "start": TIME,
            "age": 9, "alerted": kind == "alert",
        },
        "alert": {"signature": "SSH - a guess", "severity": 2},
        "flowtap": {"id": "ssh.guess", "hits": 2, "certainty": 80, "shape": "< c1 + s2"},
    }  # fmt: skip
    return {**flow, **more}


BLOCK = """(tcp) 10.0.0.1:1234 -> [2001:db8::1]:22
    Observed for: 430B, 7 packets, spans 9 seconds
    Matches: SSH - a guess (hit: 2, confidence: 80)
"""


@pytest.mark.parametrize(
    ("options", "given", "expected"),
    [
        ({}, event(), BLOCK),
        ({"timestamps": True}, event(), "2026-01-02T03:04:05.678901Z " + BLOCK),
        (
            {"one_line": True},
            event(),
            "(tcp) 10.0.0.1:1234 -> [2001:db8::1]:22, 430B, 7 packets, spans 9 seconds: "
            "SSH - a guess (hit: 2, confidence: 80)\n",
        ),
        ({}, event("flow"), ""),
        ({}, {"event_type": "stats"}, ""),
        ({"unidentified": True}, event("flow", flow={**event()["flow"]}), ""),
        (
            {"unidentified": True, "one_line": True},
            event("flow"),
            "tcp 22 = < c1 + s2 : unidentified 10.0.0.1:1234 -> [2001:db8::1]:22\n",
        ),
        ({"unidentified": True, "one_line": True}, event("flow", flowtap={"shape": ""}), ""),
        (
            {"unidentified": True},
            {**event(proto="IPv6-ICMP"), "src_port": None, "dest_port": None},
            "".join(f"# {line}\n" for line in BLOCK.splitlines())
            .replace("tcp", "icmp")
            .replace(":1234", "")
            .replace("[2001:db8::1]:22", "2001:db8::1"),
        ),
        ({}, event(alert={"signature": "\x1b[2J\u202eé"}), BLOCK.replace("SSH - a guess", "?[2J?é")),
    ],
)
def test_events_as_text(options: dict[str, Any], given: dict[str, Any], expected: str) -> None:
    assert EventText(**options).event(given) == expected


@pytest.mark.parametrize("wrong", [{}, {"event_type": "alert"}, event(flow=1), event(flow={}), event(flowtap=[])])
def test_what_is_no_event_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no .* event"):
        EventText().event(wrong)


@pytest.mark.parametrize(
    ("options", "given", "expected"),
    [
        ({}, event(), True),
        ({}, event("flow"), False),
        ({}, event("stats"), False),
        ({"flows": True}, event("flow"), True),
        ({"everything": True}, event("stats"), True),
        ({"patterns": ["ssh.*"]}, event(), True),
        ({"patterns": ["tls.*", "*guess"]}, event(), True),
        ({"patterns": ["SSH.*"]}, event(), False),
        ({"severity": "high"}, event(), True),
        ({"severity": "critical"}, event(), False),
    ],
)
def test_the_filter(options: dict[str, Any], given: dict[str, Any], expected: bool) -> None:
    assert Filter(**options).wants(given) is expected


def test_gaps_are_told() -> None:
    gaps = Gaps()
    told = [gaps.check({"flowtap": {"seq": seq}}) for seq in (7, 8, 10, 11, 21, 1, 2)]
    assert told == [
        None, None, "1 events missed: 9 to 9", None, "9 events missed: 12 to 20",
        "the feed begins anew: event 1 after 21", None,
    ]  # fmt: skip
    assert gaps.missed == 10


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    (tmp_path / "run").mkdir()
    with Live(tmp_path) as made:
        yield made


def line(stream: IO[bytes] | None) -> bytes:
    assert stream is not None
    return stream.readline()


def heard(feed: Feed, process: "subprocess.Popen[bytes]") -> None:
    """Publish until the process prints something."""
    assert process.stdout is not None
    poller = zmq.Poller()
    poller.register(process.stdout.fileno(), zmq.POLLIN)
    end = monotonic() + PATIENCE
    while not poller.poll(20):
        assert monotonic() < end
        feed.append(event())


@pytest.mark.parametrize("settings", ["", '[feed]\ntopic = "ft"\nformat = "msgpack"\n'])
def test_it_prints_says_what_is_missing_and_ends_with_ctrl_c(context: Any, tmp_path: Path, settings: str) -> None:
    (tmp_path / "run").mkdir()
    with Live(tmp_path, settings) as live:
        options: Any = {"topic": "ft", "form": "msgpack"} if settings else {}
        feed = Feed(context, live.place.feed, **options)
        process = live.start("tail", "--json", "--id", "ssh.*")
        heard(feed, process)
        missed = feed.seq
        feed.seq += 5
        feed.append(event("flow"))
        feed.append(event(flow_id=77))
        live.said("tail", f"flowtap: 5 events missed: {missed} to {missed + 4}\n")
        while json.loads(line(process.stdout))["flow_id"] != 77:
            pass
        feed.close()
        feed = Feed(context, live.place.feed, seq=1, **options)  # the publisher is back, and remembers nothing
        until(lambda: feed.append(event()) and "begins anew" in live.log("tail"), live.logs)
        assert live.stop(process, signal.SIGINT) == 0
        assert "Traceback" not in live.log("tail")
        feed.close()


def test_it_ends_after_as_many_as_asked_for(context: Any, live: Live) -> None:
    feed = Feed(context, live.place.feed)
    process = live.start("tail", "-n", "2", "-l")
    heard(feed, process)
    feed.append(event())
    feed.append(event())
    assert process.stdout is not None
    assert len(process.stdout.read().splitlines()) == 2
    assert process.wait(PATIENCE) == 0
    feed.close()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["-n", "1", "--timeout", "0.1"], 4, ""),
        (["--timeout", "0.1"], 0, ""),
        (["--timeout", "1.5"], 0, "nobody publishes there yet"),
        (["--feed", "nonsense"], 1, "nonsense: Invalid argument"),
        (["--severity", "nonsense"], 2, "--severity"),
        (["--runtime", "/" + "x" * 120], 1, "too long by"),
    ],
)
def test_its_other_ends(live: Live, arguments: list[str], code: int, text: str) -> None:
    assert live.start("tail", *arguments).wait(PATIENCE) == code
    assert text in live.log("tail")
    assert "Traceback" not in live.log("tail")


def test_what_is_no_event_is_said_once(context: Any, live: Live) -> None:
    feed = Feed(context, live.place.feed, form="msgpack")
    process = live.start("tail")
    until(lambda: feed.append(event()) and live.log("tail"), live.logs)
    feed.append(event())
    assert live.stop(process) == 0
    assert live.log("tail").count("\n") == 1
    assert "is its form that of the settings?" in live.log("tail")
    feed.close()


def test_a_reader_that_goes_away_is_no_traceback(context: Any, live: Live) -> None:
    feed = Feed(context, live.place.feed)
    process = live.start("tail")
    heard(feed, process)
    assert process.stdout is not None
    process.stdout.close()
    until(lambda: feed.append(event()) and process.poll() is not None)
    assert process.returncode == 141
    process.stdout = None
    assert live.log("tail") == ""
    feed.close()


def alike(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return a line without the flow that completed a rule: alerts may come in another order (docs/rules.md)."""
    return (found[1].partition(" (")[0],) if " flows, " in found[1] else found


def test_what_comes_live_is_printed_as_read_prints_it(context: Any, tmp_path: Path, flowtap: Command) -> None:
    path = ROOT / "tests" / "captures" / "ssh-guess.pcap.gz"
    read = flowtap("read", "-q", "-l", path).stdout
    wanted = [
        (line.partition(": ")[0], each) for line in read.splitlines() for each in line.partition(": ")[2].split("; ")
    ]
    records = of_file(path)
    length = records[-1].ts - records[0].ts + 10**9  # so that nothing of it is older than what came before
    (tmp_path / "test.fp").write_text(TEST_SIGNATURE)
    signatures = json.dumps([*shipped(), str(tmp_path / "test.fp")])
    with Live(tmp_path, f"[events]\nearly = false\n[signatures]\nfiles = {signatures}\n") as live:
        live.place.make()
        tail = live.start("tail", "-l")
        collector = live.start("collector")
        worker = live.start("worker", "0")
        socket = context.socket(zmq.PUSH)
        socket.connect(live.place.shard(0))
        sender = Sender(1)
        assert tail.stdout is not None
        poller = zmq.Poller()
        poller.register(tail.stdout.fileno(), zmq.POLLIN)
        for number in range(400):  # until the feed is heard
            if poller.poll(50):
                break
            for message in cut(sender, moved(login(number), monotonic_ns() - length)):
                socket.send(message)
        else:
            pytest.fail(live.logs())
        before = sum(sender.sent.values())
        sender = Sender(2)  # the other one has said that it is at its end
        for message in cut(sender, moved(records, monotonic_ns())):
            socket.send(message)
        live.until("worker-0", received=before + sum(sender.sent.values()))
        assert live.stop(worker) == 0
        got: list[tuple[str, ...]] = []
        while len(got) < len(wanted):
            text = line(tail.stdout).decode()
            assert text
            if "a test of workers" not in text:
                got.append(tuple(text.rstrip("\n").split(": ", 1)))
        assert sorted(map(alike, got)) == sorted(map(alike, wanted))
        assert live.stop(tail) == 0
        assert live.stop(collector) == 0
        assert "Traceback" not in live.logs()
