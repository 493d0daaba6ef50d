# SPDX-License-Identifier: LGPL-2.1-or-later
"""The collector's loop: what workers send, in order and once, with numbers; what was lost, told exactly."""

import json
import socket as socket_module
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import zmq

from engine.collector import COUNTERS, Collector, Duplicates
from engine.eventfile import EventFile
from engine.feed import Feed
from engine.memory import Memory
from engine.outbox import QUEUE, Outbox
from engine.wire import MAX_EVENTS, encode
from flowtap.ledger import Page
from tests.live import PATIENCE, Live, until

Context = Any


def event(number: int, second: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "timestamp": f"2026-01-02T03:04:{second:02d}.000000+0000",
        "flow_id": number,
        "event_type": "alert",
        "flowtap": {"id": "a", "hits": 1, **more},
    }


class Running:
    """A collector at work in a thread of this process, and where it puts things."""

    def __init__(self, context: Context, folder: Path, **more: Any) -> None:
        self.endpoint = f"ipc://{folder}/events"
        self.page = Page(folder / "collector.page", COUNTERS)
        self.memory = Memory(folder / "collector.memory")
        self.file = EventFile(str(folder / "events.json"))
        feed = Feed(context, f"ipc://{folder}/feed", seq=self.page.get("seq") + 1, file=self.file)
        self.collector = Collector(context, self.endpoint, feed, self.page, self.memory, **more)
        self._feed = feed
        self._thread = threading.Thread(target=self.collector.run)
        self._thread.start()

    def get(self, name: str) -> int:
        """Return a counter."""
        return self.page.get(name)

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for something, at most 10 s."""
        end = monotonic() + 10
        while not done():
            assert monotonic() < end, {name: self.get(name) for name in COUNTERS}
            threading.Event().wait(0.005)

    def stop(self) -> list[dict[str, Any]]:
        """End it; return the events in the file."""
        self.collector.stop = True
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.collector.close()
        self._feed.close()
        self.memory.close()
        return [json.loads(line) for line in Path(self.file.path).read_bytes().splitlines()]


def push(context: Context, endpoint: str) -> Any:
    socket = context.socket(zmq.PUSH)
    socket.connect(endpoint)
    return socket


def test_events_that_arrive_together_are_sorted_numbered_and_not_repeated(context: Context, tmp_path: Path) -> None:
    running = Running(context, tmp_path)
    socket = push(context, running.endpoint)
    socket.send(encode(0, 1, 0, [event(3, 5), event(1, 2), event(2, 9), event(1, 2), event(1, 2, hits=2)]))
    running.until(lambda: running.get("published") == 4)
    socket.send(encode(1, 9, 0, [event(3, 5), event(4, 1)]))
    running.until(lambda: running.get("received") == 7 and running.get("published") == 5)
    got = running.stop()
    assert [(one["flow_id"], one["flowtap"]["hits"], one["flowtap"]["seq"]) for one in got] == [
        (1, 1, 1), (1, 2, 2), (3, 1, 3), (2, 1, 4), (4, 1, 5),
    ]  # fmt: skip
    assert {name: running.get(name) for name in COUNTERS if running.get(name)} == {
        "messages": 2, "received": 7, "published": 5, "duplicates": 2, "seq": 5, "file_written": 5, "workers_now": 2,
    }  # fmt: skip
    running.page.close()


def test_what_was_lost_is_counted_exactly_also_across_a_death(context: Context, tmp_path: Path) -> None:
    running = Running(context, tmp_path)
    socket = push(context, running.endpoint)
    socket.send(encode(0, 1, 10, [event(1)]))  # 10 before
    socket.send(encode(0, 1, 14, [event(2), event(3)]))  # 3
    socket.send(encode(5, 1, 0, [event(4)]))
    socket.send(encode(0, 1, 20, []))  # 4
    running.until(lambda: running.get("messages") == 4)
    running.stop()
    running.page.close()
    socket.close()

    running = Running(context, tmp_path)
    socket = push(context, running.endpoint)
    socket.send(encode(0, 2, 25, [event(5)]))  # another run of the worker that goes on; 5
    socket.send(encode(5, 7, 0, [event(6)]))  # one that begins anew
    socket.send(encode(5, 7, 2, []))  # 1
    running.until(lambda: running.get("messages") == 7)
    got = running.stop()
    assert running.get("missed") == 10 + 3 + 4 + 5 + 1
    assert running.get("received") == running.get("published") == 6
    assert [one["flowtap"]["seq"] for one in got] == [1, 2, 3, 4, 5, 6]
    running.page.close()


def test_a_killed_runs_last_messages_may_come_late(context: Context, tmp_path: Path) -> None:
    running = Running(context, tmp_path)
    socket = push(context, running.endpoint)
    socket.send(encode(0, 1, 0, [event(1)]))
    socket.send(encode(0, 2, 9, [event(9)]))
    running.until(lambda: running.get("missed") == 8)
    socket.send(encode(0, 1, 1, [event(2), event(3)]))
    socket.send(encode(0, 2, 10, [event(10)]))
    running.until(lambda: running.get("received") == 5)
    running.stop()
    assert running.get("missed") == 6
    running.page.close()


def test_a_page_that_is_behind_is_set_right(context: Context, tmp_path: Path) -> None:
    """Killed before the page was written, or before all that was received was published."""
    memory = Memory(tmp_path / "collector.memory")
    memory.store((100, 7, [(0, 107, [1])]))
    memory.close()
    page = Page(tmp_path / "collector.page", COUNTERS)
    page.set("published", 90)
    page.set("duplicates", 4)
    page.set("seq", 93)
    page.close()
    running = Running(context, tmp_path)
    socket = push(context, running.endpoint)
    socket.send(encode(0, 1, 108, [event(1)]))
    running.until(lambda: running.get("published") == 91)
    got = running.stop()
    assert (running.get("received"), running.get("missed"), running.get("died")) == (101, 8, 6)
    assert got[0]["flowtap"]["seq"] == 94
    running.page.close()


def test_hostile_messages_are_counted_by_reason(context: Context, tmp_path: Path) -> None:
    running = Running(context, tmp_path)
    socket = push(context, running.endpoint)
    socket.send(b"")
    socket.send(b"\xc1" * 100)
    socket.send(bytes(5 << 20))
    socket.send(encode(64, 0, 0, []))
    socket.send_multipart([encode(0, 0, 0, []), b"more"])
    socket.send_multipart([b""] * 1000)
    socket.send(encode(0, 1, 0, [event(1), {"no": "event"}, {**event(2), "deep": [[[[b""]]]]}, event(3)]))
    socket.send(encode(1, 1, 2**63 - 1, []))
    socket.send(encode(1, 2, 0, []))
    socket.send(encode(1, 3, 2**63 - 1, []))
    socket.send(encode(1, 4, 0, []))
    socket.send(encode(1, 5, 2**63 - 1, [event(4)]))
    running.until(lambda: running.get("published") == 3)
    got = running.stop()
    assert [one["flow_id"] for one in got] == [1, 3, 4]
    assert {name: running.get(name) for name in COUNTERS if name.startswith("malformed")} == {
        "malformed_size": 1, "malformed_msgpack": 2, "malformed_form": 3, "malformed_event": 2,
    }  # fmt: skip
    running.page.close()


def test_an_event_json_cannot_say_takes_no_number(context: Context, tmp_path: Path) -> None:
    deep: Any = 0
    for _ in range(300):
        deep = [deep]
    running = Running(context, tmp_path)
    socket = push(context, running.endpoint)
    socket.send(encode(0, 1, 0, [event(1), {**event(2), "deep": deep}, {"no": "event"}, event(3)]))
    running.until(lambda: running.get("published") == 2)
    got = running.stop()
    assert [(one["flow_id"], one["flowtap"]["seq"]) for one in got] == [(1, 1), (3, 2)]
    assert (running.get("received"), running.get("malformed_event"), running.get("seq")) == (4, 2, 2)
    running.page.close()


def test_workers_outbox_counts_what_it_drops_and_the_collector_misses_as_much(context: Context, tmp_path: Path) -> None:
    outbox = Outbox(context, f"ipc://{tmp_path}/events", 3, 0)
    total = (QUEUE + 20) * MAX_EVENTS
    for start in range(0, total, MAX_EVENTS):
        outbox.add([event(start + n) for n in range(MAX_EVENTS)])
        outbox.flush(0)
    assert outbox.made == total == outbox.sent + outbox.dropped
    assert outbox.dropped == 20 * MAX_EVENTS
    running = Running(context, tmp_path)
    running.until(lambda: running.get("received") == outbox.sent)
    outbox.add([event(total)])
    outbox.flush(0, everything=True)
    outbox.heartbeat()
    outbox.close()
    running.until(lambda: running.get("received") == outbox.sent)
    got = running.stop()
    assert (outbox.made, outbox.dropped) == (total + 1, running.get("missed"))
    assert len(got) == running.get("published") == outbox.sent
    running.page.close()


def test_stats_events_come_in_between(context: Context, tmp_path: Path) -> None:
    alive: list[int] = []
    running = Running(
        context, tmp_path, stats=lambda: {"a": 1}, stats_interval=0.01, alive=lambda: alive.append(1)
    )  # fmt: skip
    running.until(lambda: running.get("stats") >= 3 and bool(alive))
    got = running.stop()
    assert {one["event_type"] for one in got} == {"stats"}
    assert got[0]["stats"] == {"a": 1}
    assert [one["flowtap"]["seq"] for one in got] == list(range(1, len(got) + 1))
    running.page.close()


def test_the_file_is_opened_anew_on_request(context: Context, tmp_path: Path) -> None:
    running = Running(context, tmp_path)
    socket = push(context, running.endpoint)
    socket.send(encode(0, 1, 0, [event(1)]))
    running.until(lambda: running.get("published") == 1)
    (tmp_path / "events.json").rename(tmp_path / "events.json.1")
    running.collector.reopen = True
    running.until(lambda: running.get("reopened") == 1)
    socket.send(encode(0, 1, 1, [event(2)]))
    running.until(lambda: running.get("published") == 2)
    assert [one["flow_id"] for one in running.stop()] == [2]
    assert json.loads((tmp_path / "events.json.1").read_bytes())["flow_id"] == 1
    running.page.close()


def test_duplicates_are_known_for_a_bounded_time() -> None:
    duplicates = Duplicates(2)
    assert [duplicates.seen(event(n)) for n in (1, 2, 1, 3, 1, 2)] == [False, False, True, False, True, False]


def test_a_killed_collector_costs_only_what_was_on_its_way(context: Context, tmp_path: Path) -> None:
    with Live(tmp_path, f'[file]\npath = "{tmp_path}/events.json"\n') as live:
        live.place.make()
        outbox = Outbox(context, live.place.events, 0, 0)
        for _ in range(4):
            process = live.start("collector")
            before = live.page("collector").get("received", 0)
            for _ in range(40):
                outbox.add([event(outbox.made + n) for n in range(100)])
                outbox.flush(0, everything=True)
            live.past("collector", received=before)
            process.kill()
            process.wait(PATIENCE)
            outbox.add([event(outbox.made + n) for n in range(100)])
            outbox.flush(0, everything=True)
        process = live.start("collector")

        def all_told() -> bool:
            outbox.heartbeat()
            page = live.page("collector")
            return page["received"] + page["missed"] == outbox.made

        until(all_told, lambda: (outbox.made, live.page("collector"), live.logs()))
        assert live.stop(process) == 0
        page = live.page("collector")
        assert page["received"] == page["published"] + page["duplicates"] + page["malformed_event"] + page["died"]
        got = [json.loads(line) for line in (tmp_path / "events.json").read_bytes().splitlines()]
        seqs = [one["flowtap"]["seq"] for one in got]
        assert seqs == sorted(set(seqs))
        assert seqs[-1] <= page["seq"]
        assert len({one["flow_id"] for one in got}) == len(got)
        assert page["file_written"] <= len(got) <= page["published"] + 5
        assert "Traceback" not in live.logs()
        outbox.close()


def test_only_one_collector_and_clear_errors(tmp_path: Path) -> None:
    with Live(tmp_path) as live:
        first = live.start("collector")
        live.said("collector", "publishes at")
        assert live.start("collector").wait(PATIENCE) == 1
        assert "collector.page: another process of the same name is running" in live.log("collector")
        assert first.poll() is None
        assert live.stop(first) == 0
        live.config.write_text(f'[runtime]\ndir = "{tmp_path}/run"\n[feed]\nbind = "ipc:///nowhere/at/all"\n')
        assert live.start("collector").wait(PATIENCE) == 1
        assert "ipc:///nowhere/at/all" in live.log("collector")
        live.config.write_text("[nonsense]\n")
        assert live.start("collector").wait(PATIENCE) == 2
        assert "Traceback" not in live.logs()


def test_a_metrics_address_in_use_does_not_stop_events(context: Context, tmp_path: Path) -> None:
    with socket_module.create_server(("127.0.0.1", 0)) as taken, Live(tmp_path) as live:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        live.config.write_text(f'[runtime]\ndir = "{tmp_path}/run"\n[metrics]\nlisten = "{listen}"\n')
        process = live.start("collector")
        live.said("collector", f"{listen}: Address already in use; goes on without it")
        live.said("collector", "publishes at")
        assert live.stop(process) == 0
