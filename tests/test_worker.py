# SPDX-License-Identifier: LGPL-2.1-or-later
"""Workers: the events of `flowtap read` from messages, what is missing counted exactly, also across a kill -9."""

import json
import signal
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from time import monotonic_ns, time
from typing import Any

import pytest
import zmq
from click.testing import CliRunner

from engine import Engine, Limits
from engine.events import Events
from engine.memory import Memory
from engine.merge import Merge
from engine.outbox import Outbox
from engine.wire import decode
from engine.worker import COUNTERS, Remembered, Worker
from flowtap.ledger import Page
from flowtap.read import read
from flowtap.taps import Taps
from sigdb import load, shipped
from tests.cutting import TEST_SIGNATURE, Packed, cut, login, of_file
from tests.live import PATIENCE, Live, until
from tests.messages import Sender
from tests.records import UDP, Conversation

CAPTURES = sorted((Path(__file__).parent / "captures").glob("*.pcap.gz"))


class Collecting:
    """Stands where the collector would: takes what workers send."""

    def __init__(self, context: Any, endpoint: str) -> None:
        self._socket = context.socket(zmq.PULL)
        self._socket.bind(endpoint)
        self.events: list[dict[str, Any]] = []
        self.made = 0  # events, as the newest message says

    def take(self) -> None:
        """Take what is there."""
        while self._socket.poll(0):
            message = decode(self._socket.recv())
            self.events += message.events
            self.made = max(self.made, message.seq + len(message.events))

    def until(self, number: int) -> list[dict[str, Any]]:
        """Wait until there are so many events; return them."""
        until(lambda: self.take() or len(self.events) >= number, lambda: self.events)
        return self.events

    def alerts(self) -> list[tuple[str, int]]:
        """Return (id, hits) of all alerts so far."""
        self.take()
        return [(e["flowtap"]["id"], e["flowtap"]["hits"]) for e in self.events if e["event_type"] == "alert"]


def push(context: Any, endpoint: str) -> Any:
    socket = context.socket(zmq.PUSH)
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.RECONNECT_IVL, 10)
    socket.connect(endpoint)
    return socket


def plain(event: dict[str, Any]) -> str:
    """Return what is the same of an event whether it comes from a file or live."""
    return json.dumps(
        {key: value for key, value in event.items() if key not in ("capture", "in_iface")}, sort_keys=True
    )


def expected(path: Path, folder: Path) -> list[str]:
    out = folder / "expected"
    result = CliRunner().invoke(read, ["-q", "--json", "--flows", "-o", str(out), str(path)])
    assert result.exit_code == 0
    events = [json.loads(line) for line in out.read_bytes().splitlines()]
    # Alerts of rules, which have `flows`, are made by the collector.
    own = (event for event in events if event["event_type"] != "stats" and "flows" not in event["flowtap"])
    return sorted(map(plain, own))


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name.removesuffix(".pcap.gz"))
def test_messages_give_the_events_of_the_file(path: Path, context: Any, tmp_path: Path) -> None:
    records, begin = of_file(path), monotonic_ns()
    collecting = Collecting(context, f"ipc://{tmp_path}/events")
    socket = push(context, f"ipc://{tmp_path}/shard-0")
    page = Page(tmp_path / "worker-0.page", COUNTERS)
    program = load(shipped())
    outbox = Outbox(context, f"ipc://{tmp_path}/events", 0, 0)
    memory = Memory(tmp_path / "worker-0.memory")
    worker = Worker(
        context,
        f"ipc://{tmp_path}/shard-0",
        engine=Engine(program, Limits(flows=10_000), report_all=True),
        merge=Merge(0),
        events=Events(program.signatures),
        outbox=outbox,
        page=page,
        remembered=Remembered(memory, page),
        load=lambda: None,
        flows=True,
        clock=lambda: records[-1].ts + monotonic_ns() - begin,
        offset=lambda: 0,
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    for message in cut(Sender(7), records, size=50):
        socket.send(message)
    until(lambda: sum(stream[2] for stream in worker.streams()) == len(records))
    worker.stop = True
    thread.join(PATIENCE)
    assert not thread.is_alive()
    wanted = expected(path, tmp_path)
    assert sorted(map(plain, collecting.until(len(wanted)))) == wanted
    got = {name: page.get(name) for name in ("received", "processed", "missed", "late", "forced", "events_sent")}
    assert got == {
        "received": len(records), "processed": len(records), "missed": 0, "late": 0, "forced": 0,
        "events_sent": len(wanted),
    }  # fmt: skip
    worker.close()
    outbox.close()
    memory.close()
    page.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    (tmp_path / "test.fp").write_text(TEST_SIGNATURE)
    with Live(tmp_path, f'[signatures]\nfiles = ["{tmp_path}/test.fp"]\n') as made:
        made.place.make()
        yield made


def logins(numbers: range, size: int = 33) -> list[Packed]:
    """Return the records of complete connections, a moment ago, in order of time."""
    now = monotonic_ns() - 50_000_000
    records = [record for number in numbers for record in login(number, now + number * 1000, size)]
    return [Packed(record.pack()) for record in sorted(records, key=lambda record: record.ts)]


def test_a_real_worker_reports_while_it_runs_and_at_its_end(live: Live, context: Any) -> None:
    (live.place.taps / "a.json").write_text(
        '{"interfaces": [{"index": 1, "name": "lan0"}, {"index": 2, "name": "lan0"}]}'
    )
    (live.place.taps / "broken.json").write_text("[")
    collecting = Collecting(context, live.place.events)
    process = live.start("worker", "0")
    socket = push(context, live.place.shard(0))
    sender = Sender(1)
    for message in cut(sender, logins(range(300))):
        socket.send(message)
    events = collecting.until(300)
    assert {event["in_iface"] for event in events} == {"lan0"}
    assert live.stop(process) == 0
    page = live.page("worker-0")
    assert sum(sender.sent.values()) == page["received"] == page["processed"]
    assert page["missed"] == page["died"] == page["held_now"] == page["events_dropped"] == 0
    assert page["events_made"] == page["events_sent"] >= 300
    collecting.until(page["events_made"])
    until(lambda: collecting.take() or collecting.made == page["events_made"])
    assert set(collecting.alerts()) == {("test.worker", 1)}
    assert "Traceback" not in live.logs()


@pytest.mark.parametrize("number", [0, 1])
def test_one_worker_for_each_shard(live: Live, number: int) -> None:
    live.config.write_text(live.config.read_text() + "[workers]\ncount = 2\n")
    first = live.start("worker", "1")
    live.said("worker", "receives at")
    second = live.start("worker", str(number))
    if number == 1:
        assert second.wait(PATIENCE) == 1
        assert "worker-1.page: another process of the same name is running" in live.log("worker")
    else:
        live.until("worker-0", signatures_now=1)
    assert first.poll() is None
    assert live.start("worker", "2").wait(PATIENCE) == 2
    assert "shard 2: expected 0 to 1 (workers.count)" in live.log("worker")


def test_a_worker_that_cannot_begin_says_why(live: Live) -> None:
    (live.folder / "test.fp").write_text("tcp 22 = c1 : a\ntcp nonsense = c1 : b\n")
    assert live.start("worker", "0").wait(PATIENCE) == 2
    assert "test.fp:2:5: " in live.log("worker")
    (live.folder / "test.fp").write_text(TEST_SIGNATURE)
    (live.folder / "run" / "ledger" / "worker-0.memory").mkdir()
    assert live.start("worker", "0").wait(PATIENCE) == 1
    assert "worker-0.memory: Is a directory" in live.log("worker")
    assert "Traceback" not in live.log("worker")


def test_what_dies_with_a_worker_is_counted_exactly(live: Live, context: Any) -> None:
    collecting = Collecting(context, live.place.events)
    socket = push(context, live.place.shard(0))
    sender = Sender(1)
    sent = 0
    for round_number in range(4):
        process = live.start("worker", "0")
        until(lambda: "receives at" in live.log("worker") and live.page("worker-0"))
        for number in range(60):
            for message in cut(sender, logins(range(100 * number, 100 * number + 100)), cpus=2):
                if number % 20 != 7 or sent == 0:  # some never arrive
                    socket.send(message)
            sent = sum(sender.sent.values())
            if number == 30 + round_number:
                process.send_signal(signal.SIGKILL)
                process.wait(PATIENCE)
    process = live.start("worker", "0")

    def all_told() -> bool:
        socket.send(sender.watermark(monotonic_ns() - 1000))
        page = live.page("worker-0")
        return page["received"] + page["missed"] == sent and not page["held_now"]

    until(all_told, lambda: (sent, live.page("worker-0")))
    assert live.stop(process) == 0
    page = live.page("worker-0")
    assert page["received"] + page["missed"] == sent
    assert page["received"] == page["processed"] + page["died"]
    assert 0 < page["missed"] < sent
    until(lambda: collecting.take() or collecting.made == page["events_made"])
    assert len(collecting.events) <= page["events_made"]


def test_a_page_that_is_behind_is_set_right(live: Live, context: Any) -> None:
    collecting = Collecting(context, live.place.events)
    memory = Memory(live.place.ledger / "worker-0.memory")
    memory.store((100, 10, 90, 7, [(1, 0, 60, 10), (1, 3, 40, 0)]))
    memory.close()
    sender = Sender(1, sent={0: 75, 3: 40})
    process = live.start("worker", "0")
    socket = push(context, live.place.shard(0))
    socket.send(sender.records(0, logins(range(1))))  # type: ignore[arg-type]
    socket.send(sender.records(3, logins(range(1, 2))))  # type: ignore[arg-type]
    collecting.until(2)
    assert live.stop(process) == 0
    page = live.page("worker-0")
    records = len(logins(range(1)))
    assert page["received"] == 100 + 2 * records
    assert page["missed"] == 15
    assert page["died"] == 10
    assert page["processed"] == 90 + 2 * records
    assert page["events_made"] == 7 + len(collecting.events)


def test_hostile_messages_are_counted_by_reason(live: Live, context: Any) -> None:
    process = live.start("worker", "0")
    socket = push(context, live.place.shard(0))
    good = Sender(1).records(0, logins(range(1)))  # type: ignore[arg-type]
    for message in (b"", b"x" * 100_000, good[:-1], good[:60], b"\xff" * len(good), Sender(1, shard=1).watermark(1)):
        socket.send(message)
    socket.send_multipart([b"a"] * 5)
    live.until("worker-0", messages=11)
    assert live.stop(process) == 0
    page = live.page("worker-0")
    assert sum(value for name, value in page.items() if name.startswith("refused_")) == 11
    assert (page["received"], page["missed"]) == (0, 0)


def test_the_collector_may_be_away(live: Live, context: Any) -> None:
    process = live.start("worker", "0")
    socket = push(context, live.place.shard(0))
    for message in cut(Sender(1), logins(range(50))):
        socket.send(message)
    live.until("worker-0", received=50 * len(logins(range(1))))
    collecting = Collecting(context, live.place.events)
    collecting.until(50)
    assert live.stop(process) == 0


def test_names_of_interfaces_are_read_again_for_unknown_numbers(tmp_path: Path) -> None:
    names = Taps(tmp_path)
    assert names(3) == ""
    (tmp_path / "a.json").write_text('{"interfaces": [{"index": 3, "name": "eth0"}, {"index": 4, "name": 5}]}')
    for number, text in enumerate(["{}", "[]", '{"interfaces": 1}', '{"interfaces": [1]}', "\udcff", "[" * 100_000]):
        (tmp_path / f"b{number}.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert (names(3), names(4), names(5)) == ("eth0", "5", "")
    (tmp_path / "a.json").unlink()
    assert names(3) == "eth0"
    slow = Taps(tmp_path)
    assert slow(9) == ""
    (tmp_path / "a.json").write_text('{"interfaces": [{"index": 9, "name": "eth9"}]}')
    assert slow(9) == "eth9"  # at once: flows may be shorter than any wait


def test_names_of_interfaces_outlive_their_capture_process(tmp_path: Path) -> None:
    names = Taps(tmp_path)
    (tmp_path / "a.json").write_text('{"interfaces": [{"index": 3, "name": "eth0"}]}')
    names.senders()
    (tmp_path / "a.json").unlink()
    assert names(3) == "eth0"


def configured(live: Live, settings: str) -> None:
    live.config.write_text(live.config.read_text() + settings)


def test_a_first_hit_is_told_at_once_and_the_last_alert_has_the_count(live: Live, context: Any) -> None:
    (live.folder / "test.fp").write_text("tcp 5000 = c33 s44 : a test of workers\n    id = test.worker\n")
    collecting = Collecting(context, live.place.events)
    process = live.start("worker", "0")
    socket = push(context, live.place.shard(0))
    sender = Sender(1)
    now = monotonic_ns()
    once, twice = Conversation(hash=1, now=now, client_port=1), Conversation(hash=2, now=now + 1, client_port=2)
    for talk in (once, twice):
        talk.handshake().send("c", 33)
        talk.send("s", 44)
    socket.send(sender.records(0, once.records))
    socket.send(sender.records(1, twice.records))
    socket.send(sender.watermark(monotonic_ns()))
    events = collecting.until(2)
    assert [(e["src_port"], e["flowtap"]["hits"], e["flow"]["state"]) for e in events] == [
        (1, 1, "open"),
        (2, 1, "open"),
    ]
    assert abs(datetime.fromisoformat(events[0]["timestamp"]).timestamp() - time()) < 60
    for talk in (once, twice):
        talk.records.clear()
        talk.now = monotonic_ns()
    twice.send("c", 33)
    twice.send("s", 44)
    socket.send(sender.records(0, once.close().records))
    socket.send(sender.records(1, twice.close().records))
    socket.send(sender.watermark(monotonic_ns()))
    last = collecting.until(3)[2]
    assert (last["src_port"], last["flowtap"]["hits"], last["flow"]["state"]) == (2, 2, "closed")
    assert last["flow_id"] == events[1]["flow_id"]
    assert live.stop(process) == 0
    page = live.page("worker-0")
    until(lambda: collecting.take() or collecting.made == page["events_made"])
    assert len(collecting.events) == 3


def test_a_lost_message_marks_the_flows_of_its_time(live: Live, context: Any) -> None:
    configured(live, "[events]\nearly = false\n")
    collecting = Collecting(context, live.place.events)
    process = live.start("worker", "0")
    socket = push(context, live.place.shard(0))
    sender = Sender(1)
    now = monotonic_ns() - 10_000_000_000
    socket.send(sender.records(0, login(1, now)))
    first = login(2, now + 3_000_000_000)
    socket.send(sender.records(0, first[:4]))
    sender.records(0, login(3, now + 3_000_500_000))  # this one is lost
    socket.send(sender.records(0, first[4:]))
    socket.send(sender.records(0, login(4, now + 6_000_000_000)))
    socket.send(sender.watermark(monotonic_ns() - 1))
    gaps = {event["src_port"]: event["flowtap"]["gap"] for event in collecting.until(3)}
    assert gaps == {1001: False, 1002: True, 1004: False}
    assert live.stop(process) == 0
    page = live.page("worker-0")
    assert page["missed"] == len(login(3))


def test_flows_end_by_silence_though_nothing_comes(live: Live, context: Any) -> None:
    configured(live, "[events]\nflows = true\n[workers]\nidle_udp = 0.2\nwindow_ms = 100\n")
    collecting = Collecting(context, live.place.events)
    process = live.start("worker", "0")
    socket = push(context, live.place.shard(0))
    talk = Conversation(proto=UDP, now=monotonic_ns())
    talk.send("c", 10)
    socket.send(Sender(1).records(0, talk.records))
    event = collecting.until(1)[0]
    assert (event["event_type"], event["flow"]["reason"]) == ("flow", "timeout")
    assert live.stop(process) == 0
