# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ledger's sums: which equations there are, which of them an error opens, what counts as lost."""

import os
from pathlib import Path

import pytest

from flowtap.accounts import read_ledger, stats
from flowtap.ledger import Page
from tests import pages


def test_closed(tmp_path: Path) -> None:
    pages.closed(tmp_path)
    ledger = read_ledger(tmp_path)
    equations = list(ledger.equations())
    assert [equation for equation in equations if equation.difference] == []
    assert list(ledger.losses()) == []
    # per CPU one, per CPU and shard three, per shard one, per worker one, two of the collector
    assert len(equations) == 2 + 4 * 3 + 2 + 2 + 2
    assert [(p.name, p.pid) for p in ledger.processes] == [
        ("capture-eth0", None),
        ("collector", None),
        ("worker-0", None),
        ("worker-1", None),
    ]
    assert (ledger.captured("seen"), ledger.captured("batched"), ledger.worked("received")) == (200, 120, 120)
    assert ledger.filtered() == {"no_payload": 60, "forwarded": 20, "busy": 0}


@pytest.mark.parametrize(
    ("page", "counter", "value", "opened"),
    [
        ("capture-eth0", "cpu1__seen", 101, ["capture eth0, CPU 1: seen = filtered + batched +1"]),
        ("capture-eth0", "cpu0__filtered__not_ip", 2, ["capture eth0, CPU 0: seen = filtered + batched -2"]),
        (
            "capture-eth0",
            "cpu0__shard1__batched",
            31,
            [
                "capture eth0, CPU 0: seen = filtered + batched -1",
                "capture eth0, CPU 0, shard 1: batched = forwarded + lost +1",
                "shard 1: batched = received + missed +1",
            ],
        ),
        (
            "capture-eth0",
            "cpu0__shard1__forwarded",
            29,
            [
                "capture eth0, CPU 0, shard 1: batched = forwarded + lost +1",
                "capture eth0, CPU 0, shard 1: forwarded = taken -1",
            ],
        ),
        (
            "capture-eth0",
            "cpu0__shard1__sent",
            28,
            ["capture eth0, CPU 0, shard 1: taken = sent + dropped +2"],
        ),
        (
            "worker-0",
            "received",
            59,
            [
                "shard 0: batched = received + missed +1",
                "worker 0: received = processed + died + held -1",
            ],
        ),
        (
            "capture-eth0",
            "cpu0__shard1__handshakes",
            2,
            ["capture eth0, CPU 0, shard 1: handshakes = handshakes_forwarded + handshakes_lost +2"],
        ),
        ("worker-1", "events_made", 6, ["collector: events made = received + missed +1"]),
        (
            "collector",
            "published",
            8,
            ["collector: received = published + duplicates + sightings + malformed + withheld + died +1"],
        ),
    ],
)
def test_open(page: str, counter: str, value: int, opened: list[str], tmp_path: Path) -> None:
    pages.closed(tmp_path)
    pages.change(tmp_path, page, **{counter: value})
    found = [f"{e.place}: {e.name} {e.difference:+}" for e in read_ledger(tmp_path).equations() if e.difference]
    assert found == opened


@pytest.mark.parametrize(
    ("page", "counter", "place"),
    [
        ("capture-eth0", "cpu1__filtered__busy", "capture eth0"),
        ("capture-eth0", "cpu1__shard0__lost", "capture eth0, shard 0"),
        ("capture-eth0", "cpu1__shard1__dropped", "capture eth0, shard 1"),
        ("worker-1", "missed", "worker 1"),
        ("worker-1", "handshakes_dropped", "worker 1"),
        ("worker-1", "hosts_lost", "worker 1"),
        ("worker-1", "died", "worker 1"),
        ("worker-1", "events_dropped", "worker 1"),
        ("worker-1", "engine_ended_evicted", "worker 1"),
        ("collector", "missed", "collector"),
        ("collector", "died", "collector"),
        ("collector", "file_dropped", "collector"),
    ],
)
def test_losses(page: str, counter: str, place: str, tmp_path: Path) -> None:
    pages.closed(tmp_path)
    pages.change(tmp_path, page, **{counter: 3})
    (loss,) = read_ledger(tmp_path).losses()
    assert (loss.place, loss.counter, loss.number) == (place, counter.rsplit("__", maxsplit=1)[-1], 3)
    assert loss.why
    assert stats(tmp_path)["lost"] == [
        {"place": place, "hop": loss.hop, "counter": loss.counter, "number": 3},
    ]


def test_what_a_worker_misses_is_lost_once(tmp_path: Path) -> None:
    pages.closed(tmp_path)
    pages.change(tmp_path, "capture-eth0", cpu0__shard1__lost=4, cpu0__shard1__forwarded=26, cpu0__shard1__taken=26)
    pages.change(tmp_path, "capture-eth0", cpu0__shard1__sent=20, cpu0__shard1__dropped=6)
    pages.change(tmp_path, "worker-1", received=48, processed=48, missed=12)
    ledger = read_ledger(tmp_path)
    assert [equation for equation in ledger.equations() if equation.difference] == []
    assert {(loss.place, loss.counter, loss.number) for loss in ledger.losses()} == {
        ("capture eth0, shard 1", "lost", 4),
        ("capture eth0, shard 1", "dropped", 6),
        ("worker 1", "missed", 2),
    }


def test_several_captures(tmp_path: Path) -> None:
    pages.closed(tmp_path)
    pages.write(tmp_path, "capture-eth1", {"cpu0.seen": 5, "cpu0.shard1.batched": 5, "cpu0.shard1.forwarded": 5})
    pages.change(tmp_path, "capture-eth1", cpu0__shard1__taken=5, cpu0__shard1__sent=5)
    pages.change(tmp_path, "worker-1", received=65, processed=65)
    ledger = read_ledger(tmp_path)
    assert [equation for equation in ledger.equations() if equation.difference] == []
    assert ledger.captured("seen") == 205


def test_live_and_strange_pages(tmp_path: Path) -> None:
    pages.write(tmp_path, "something-else", {"a": 1})
    pages.write(tmp_path, "worker-x", {"a": 1})
    (tmp_path / "worker-1.page").write_bytes(b"nonsense")
    page = Page(tmp_path / "worker-0.page", ["received"])
    ledger = read_ledger(tmp_path)
    page.close()
    assert [(p.name, p.pid) for p in ledger.processes] == [("worker-0", os.getpid())]
    assert (ledger.collector, ledger.captures) == (None, {})


@pytest.mark.parametrize("folder", ["absent", "."])
def test_nothing(folder: str, tmp_path: Path) -> None:
    ledger = read_ledger(tmp_path / folder)
    assert (ledger.processes, list(ledger.equations()), list(ledger.losses())) == ([], [], [])
    assert stats(tmp_path / folder)["capture"]["packets"] == 0
