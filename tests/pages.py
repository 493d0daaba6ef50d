# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ledger pages as the processes of a run would have written them, for tests of what reads them."""

from collections.abc import Mapping
from pathlib import Path

from engine.collector import COUNTERS as COLLECTOR
from flowtap.ledger import Page

CPUS = SHARDS = 2
REASONS = ("no_payload", "forwarded", "busy")
RECORDS = ("batched", "forwarded", "lost", "taken", "sent", "dropped")
WORKER = (
    *("messages", "received", "missed", "processed", "late", "died", "events_made", "events_sent", "events_dropped"),
    *("engine_flows", "engine_ended_evicted", "held_now", "flows_now"),
)


def write(folder: Path, name: str, counters: Mapping[str, int], names: tuple[str, ...] = ()) -> None:
    """Write a page of a process that has ended."""
    folder.mkdir(parents=True, exist_ok=True)
    page = Page(folder / f"{name}.page", list(dict.fromkeys([*names, *counters])))
    for counter, value in counters.items():
        page.set(counter, value)
    page.close()


def closed(folder: Path) -> None:
    """Write the pages of a run of one capture process and two workers in which nothing was lost."""
    capture = {"interfaces_now": 1}
    for cpu in range(CPUS):
        capture |= {f"cpu{cpu}.seen": 100, f"cpu{cpu}.filtered.no_payload": 30, f"cpu{cpu}.filtered.forwarded": 10}
        capture[f"cpu{cpu}.filtered.busy"] = 0
        for shard in range(SHARDS):
            place = f"cpu{cpu}.shard{shard}"
            capture |= dict.fromkeys((f"{place}.{name}" for name in RECORDS), 30)
            capture |= {f"{place}.lost": 0, f"{place}.dropped": 0}
    write(folder, "capture-eth0", capture)
    for shard in range(SHARDS):
        worker = {"received": 60, "processed": 60, "events_made": 5, "events_sent": 5, "engine_flows": 7}
        write(folder, f"worker-{shard}", worker, WORKER)
    write(folder, "collector", {"received": 10, "published": 9, "duplicates": 1, "seq": 9}, COLLECTOR)


def change(folder: Path, name: str, **counters: int) -> None:
    """Set counters of a page; `__` in a name stands for a dot."""
    write(folder, name, {counter.replace("__", "."): value for counter, value in counters.items()})
