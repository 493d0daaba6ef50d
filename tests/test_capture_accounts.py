# SPDX-License-Identifier: LGPL-2.1-or-later
"""The capture process's counters go on after a kill, whatever is known of the one that was killed, and add up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from capture._message import STREAM_COUNTERS
from capture.accounts import Accounts, counter_names
from capture.live import StreamCounters
from flowtap.accounts import read_ledger
from flowtap.ledger import Page

REASONS = ("arp", "port")


class Run:
    """A run of a capture process with one CPU and one shard, up to the moment when it is killed."""

    def __init__(self, folder: Path, sender: int) -> None:
        self._folder = folder
        self.sender = sender
        self.page = Page(folder / "capture-a.page", counter_names(1, 1, REASONS))
        self.accounts = Accounts(self.page, folder / "capture-a.base")

    def get(self, *names: str) -> list[int]:
        """Return counters of the only CPU."""
        return [self.page.get(f"cpu0.{name}") for name in names]

    def send(self, records: int, dropped: int = 0) -> None:
        """Count records as the publisher does."""
        self.page.add("cpu0.shard0.sent", records)
        self.page.add("cpu0.shard0.dropped", dropped)

    def closes(self) -> bool:
        """Whether all sums of the page close."""
        return not any(e.difference for e in read_ledger(self._folder).equations() if e.place.startswith("capture"))

    def kill(self) -> None:
        """Be gone, as a process that is killed: the page stays as it is."""
        self.page.close()


def counted(seen: int, filtered: int, forwarded: int, lost: int = 0) -> StreamCounters:
    """Return what a tap counted."""
    shard = dict.fromkeys(STREAM_COUNTERS, 0)
    shard |= {"batched": seen - filtered, "forwarded": forwarded, "lost": lost}
    return StreamCounters(seen, {"arp": filtered, "port": 0}, [shard])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in which run 1 saw 100 packets, took 80 records, counted that much in time, and was killed."""
    run = Run(tmp_path, 1)
    assert run.accounts.begin(1, {}, None) == []
    run.send(50, dropped=5)
    run.accounts.update([counted(100, 20, forwarded=55, lost=10)])
    run.send(25)
    run.kill()
    return tmp_path


# Left by the tap; taken of the stream; then: seen, batched, sent, dropped, lost, and the end of the stream.
SUCCESSIONS = {
    "final counters are there": (counted(130, 30, 90, lost=10), (1, 95), [130, 100, 75, 5, 20], 100),
    "none, but what was taken": (None, (1, 95), [115, 95, 75, 5, 15], 95),
    "none, and less was taken than counted": (None, (1, 60), [110, 90, 75, 5, 10], 80),
    "nothing at all": (None, None, [110, 90, 75, 5, 10], None),
    "those of a run that had not begun": (counted(3, 0, 0), (1, 95), [115, 95, 75, 5, 15], 95),
    "streams of another run": (None, (9, 7000), [110, 90, 75, 5, 10], None),
}


@pytest.mark.parametrize("case", SUCCESSIONS)
def test_a_successor_goes_on(folder: Path, case: str) -> None:
    left, taken, expected, end = SUCCESSIONS[case]
    run = Run(folder, 2)
    streams = None if taken is None else (taken[0], {(0, 0): taken[1]})
    ended = run.accounts.begin(2, {} if left is None else {0: left}, streams)
    names = ("seen", *(f"shard0.{name}" for name in ("batched", "sent", "dropped", "lost")))
    assert run.get(*names) == expected
    assert run.closes()
    assert ended == ([] if end is None else [(1, {(0, 0): end})])
    run.send(7)
    run.accounts.update([counted(8, 1, forwarded=7)])
    assert run.get("seen", "shard0.batched", "shard0.taken") == [expected[0] + 8, expected[1] + 7, 87]
    assert run.closes()
    run.accounts.end()
    run.kill()
    after = Run(folder, 3)
    assert after.accounts.begin(3, {}, None) == []  # run 2 ended by itself
    assert after.get("seen") == [expected[0] + 8]
    after.kill()


def test_ends_are_told_until_they_are_known(folder: Path) -> None:
    for sender, streams in ((2, (1, {(0, 0): 95})), (3, (2, {})), (4, None)):
        run = Run(folder, sender)
        assert run.accounts.begin(sender, {}, streams) == [(1, {(0, 0): 95})]
        run.kill()
    run = Run(folder, 5)
    run.accounts.begin(5, {}, None)
    run.accounts.settle()
    run.kill()
    run = Run(folder, 6)
    assert run.accounts.begin(6, {}, None) == []
    run.kill()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sender": "x"}', '{"sender": 1, "counters": 3, "ended": []}'])
def test_a_damaged_base_counts_for_nothing(folder: Path, text: str) -> None:
    (folder / "capture-a.base").write_text(text)
    run = Run(folder, 2)
    assert run.accounts.begin(2, {}, (1, {(0, 0): 95})) == []
    assert run.closes()
    run.kill()


def test_damaged_page_keeps_nobody_from_starting(folder: Path) -> None:
    page = Page(folder / "capture-a.page", counter_names(1, 1, REASONS))
    for name in page.names:
        page.set(name, -1)
    page.close()
    run = Run(folder, 2)
    run.accounts.begin(2, {}, None)
    run.accounts.update([counted(100, 20, forwarded=80)])
    run.send(3)
    run.kill()
