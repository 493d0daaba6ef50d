# SPDX-License-Identifier: LGPL-2.1-or-later
"""The capture process's page of counters: their names, how they add up, and how they go on after a kill -9.

For each CPU or ring C and each shard S, at rest (`open` is what waits in a batch or a ring while packets come in):

    cpuC.seen = sum of cpuC.filtered.REASON + sum over S of cpuC.shardS.batched      packets
    cpuC.shardS.batched = forwarded + lost (+ open)                                  records
    cpuC.shardS.forwarded = taken (+ open)
    cpuC.shardS.taken = sent + dropped

and the last three again for handshake records: handshakes, handshakes_forwarded, handshakes_lost, handshakes_taken,
handshakes_sent, handshakes_dropped. `lost` are records that the ring had no room for, or that a capture process left
behind when it was killed; `dropped` met a full queue of a worker that was away or too slow.

The tap counts from 0 in each run, the page goes on for ever. So a file beside the page holds the `base` that the page
had before the run, and the page is base + tap. The successor of a killed process reads it, adds the predecessor's final
counters as far as they can be had (Tap.left), and takes for lost what was counted but not taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from capture._message import STREAM_COUNTERS
from capture.live import StreamCounters, TapError

KINDS = ("", "handshakes_")
PUBLISHED = ("taken", "sent", "dropped")
OTHER = ("watermarks", "watermarks_dropped", "interfaces_now")
_WORD = (1 << 64) - 1  # what a cell may hold: a damaged page must not keep a process from starting
_MANY = 8  # killed predecessors that workers are told of
Streams = tuple[int, Mapping[tuple[int, int], int]]  # of a sender, by shard and CPU: records before the stream's end


class Page(Protocol):
    """What is needed of a ledger page (flowtap.ledger.Page)."""

    index: dict[str, int]
    cells: memoryview[int]


def batched(kind: str) -> str:
    """Return what the tap calls the records of a kind that it put into batches."""
    return "batched" if not kind else "handshakes"


def counter_names(streams: int, shards: int, reasons: Sequence[str]) -> list[str]:
    """Return the names of all counters of a tap with so many CPUs or rings."""
    names = list(OTHER)
    for cpu in range(streams):
        names.append(f"cpu{cpu}.seen")
        names += [f"cpu{cpu}.filtered.{reason}" for reason in reasons]
        for shard in range(shards):
            names += [f"cpu{cpu}.shard{shard}.{name}" for name in STREAM_COUNTERS]
            names += [f"cpu{cpu}.shard{shard}.{kind}{name}" for kind in KINDS for name in PUBLISHED]
    return names


def flat(counters: Mapping[int, StreamCounters]) -> dict[str, int]:
    """Return what a tap counted, by CPU, under the names that the page has for it."""
    found: dict[str, int] = {}
    for cpu, stream in counters.items():
        found[f"cpu{cpu}.seen"] = stream.seen
        found |= {f"cpu{cpu}.filtered.{reason}": number for reason, number in stream.filtered.items()}
        for shard, one in enumerate(stream.shards):
            found |= {f"cpu{cpu}.shard{shard}.{name}": number for name, number in one.items()}
    return found


@dataclass(slots=True)
class Base:
    """What the page was before a run, and the ends of streams that the workers may not have been told yet."""

    sender: int
    counters: dict[str, int]
    ended: Sequence[Streams]


class Accounts:
    """The page of one capture process. `file` remembers its base."""

    def __init__(self, page: Page, file: Path) -> None:
        self._page = page
        self._file = file
        self._base = Base(0, {}, [])

    def begin(self, sender: int, left: Mapping[int, StreamCounters], streams: Streams | None) -> Sequence[Streams]:
        """Go on from what the page says, for the run `sender`. Raises TapError where the base cannot be written.

        `left` is Tap.left; `streams` has what a killed predecessor had taken of its streams. Returns what workers must
        be told: where the streams of killed predecessors ended. They are told again after another kill, until settle().
        """
        told = {name: self._page.cells[number] for name, number in self._page.index.items()}
        before = _read(self._file)
        base = before.counters if before is not None else {}
        ends: dict[tuple[int, int], int] = {}
        if before is not None and streams is not None and streams[0] == before.sender:
            ends |= streams[1]
        final = flat(left)
        if final and final.keys() <= told.keys() and not _goes_back(told, base, final):
            for name, number in final.items():
                told[name] = base.get(name, 0) + number
            ends = {(shard, cpu): one["batched"] for cpu, s in left.items() for shard, one in enumerate(s.shards)}
        else:
            for (shard, cpu), end in ends.items():
                name = f"cpu{cpu}.shard{shard}.batched"
                if name in told:
                    ends[shard, cpu] = max(end, told[name] - base.get(name, 0))
                    told[name] = base.get(name, 0) + ends[shard, cpu]
        _close(told)
        for name, number in told.items():
            self._page.cells[self._page.index[name]] = number & _WORD
        ended = list(before.ended) if before is not None else []
        if before is not None and any(ends.values()):
            ended.append((before.sender, {place: end for place, end in ends.items() if end}))
        self._base = Base(sender, told, ended[-_MANY:])
        self._write()
        return self._base.ended

    def settle(self) -> None:
        """Take it that the workers know by now what begin() returned."""
        if self._base.ended:
            self._base.ended = []
            with suppress(TapError):  # it is told once more after another kill, which does no harm
                self._write()

    def update(self, counters: Sequence[StreamCounters]) -> None:
        """Take over what the tap has counted so far in this run."""
        cells, index, base = self._page.cells, self._page.index, self._base.counters
        for name, number in flat(dict(enumerate(counters))).items():
            cells[index[name]] = (base.get(name, 0) + number) & _WORD
        for name in index:
            if name.endswith("taken"):
                place = name.removesuffix("taken")
                cells[index[name]] = (cells[index[f"{place}sent"]] + cells[index[f"{place}dropped"]]) & _WORD

    def end(self) -> None:
        """Note that the page holds all of this run."""
        self._file.unlink(missing_ok=True)

    def _write(self) -> None:
        base = self._base
        ended = [[sender, [[*place, end] for place, end in ends.items()]] for sender, ends in base.ended]
        new = self._file.with_name(f"{self._file.name}.new")
        try:
            new.write_text(json.dumps({"sender": base.sender, "counters": base.counters, "ended": ended}))
            new.replace(self._file)
        except OSError as error:
            raise TapError(f"{new}: {error.strerror}") from error


def _goes_back(told: Mapping[str, int], before: Mapping[str, int], final: Mapping[str, int]) -> bool:
    """Whether the page knows of more packets than these counters: then they are of a run that had no base yet."""
    seen = [name for name in final if name.endswith(".seen")]
    return any(before.get(name, 0) + final[name] < told[name] for name in seen)


def _close(told: dict[str, int]) -> None:
    """Make the sums close: what was put into batches and not taken is lost, what was not filtered was batched."""
    places = [name.removesuffix("sent") for name in told if name.endswith((".sent", ".handshakes_sent"))]
    for place in places:
        start, _, kind = place.rpartition(".")
        records = f"{start}.{batched(kind)}"
        taken = told[f"{place}sent"] + told[f"{place}dropped"]
        told[records] = max(told[records], taken + told[f"{place}lost"])
        told[f"{place}taken"] = told[f"{place}forwarded"] = taken
        told[f"{place}lost"] = told[records] - taken
    for name in told:
        if name.endswith(".seen"):
            cpu = name.removesuffix("seen")
            parts = (n for n in told if n.startswith(cpu) and (".filtered." in n or n.endswith(".batched")))
            told[name] = sum(told[n] for n in parts)


def _read(file: Path) -> Base | None:
    """Return the base of a predecessor that did not end by itself, None without one."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        told = json.loads(file.read_text())
        ended = [(int(sender), {(shard, cpu): end for shard, cpu, end in ends}) for sender, ends in told["ended"]]
        counters = {str(name): int(number) for name, number in told["counters"].items()}
        return Base(int(told["sender"]), counters, ended)
    return None
