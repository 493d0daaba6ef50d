# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cuts the records of capture files, or of made-up conversations, into messages as a capture process sends them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from capture import Batch, open_capture
from capture._message import BATCH
from capture._packet import RECORD_SIZE
from tests.messages import ENDED, Sender
from tests.records import Conversation, Record


@dataclass(frozen=True, slots=True)
class Packed:
    """A record that is packed already; to tests.messages it is like tests.records.Record."""

    data: bytes

    @property
    def ts(self) -> int:
        """Its time."""
        return int.from_bytes(self.data[:8], "little")

    def pack(self) -> bytes:
        """Return the 64 bytes."""
        return self.data


def of_file(path: Path) -> list[Packed]:
    """Return the records of a capture file in order of time, as those of a CPU are; files need not be."""
    records: list[bytes] = []
    batch = Batch()
    with open_capture(str(path), key=os.urandom(64)) as capture:
        while (count := capture.read(batch)) >= 0:
            data = memoryview(batch.records)
            records += [bytes(data[n * RECORD_SIZE : (n + 1) * RECORD_SIZE]) for n in range(count)]
    packed = [Packed(record) for record in records]
    return sorted(packed, key=lambda record: record.ts)


def moved(records: Sequence[Packed | Record], last: int) -> list[Packed]:
    """Return the records, moved in time as a whole so that the last one is at `last`."""
    by = last - records[-1].ts
    return [Packed((record.ts + by).to_bytes(8, "little") + record.pack()[8:]) for record in records]


def cut(sender: Sender, records: Sequence[Packed | Record], cpus: int = 2, size: int = BATCH) -> Iterator[bytes]:
    """Yield messages of records in order of time, those of each flow on several CPUs, a watermark after each round.

    Records of the same time stay on one CPU: nothing else would keep their order.
    """
    parts: list[list[Packed | Record]] = [[] for _ in range(cpus)]
    cpu, before = 0, 0
    for number, record in enumerate(records):
        cpu = cpu if record.ts == before else number % cpus
        before = record.ts
        parts[cpu].append(record)
        last = number + 1 == len(records)
        if len(parts[cpu]) == size or last:
            for each in reversed(range(cpus)):  # the order in which they arrive says nothing
                if parts[each]:
                    yield sender.records(each, parts[each])  # type: ignore[arg-type]
            parts = [[] for _ in range(cpus)]
            yield sender.watermark(ENDED if last else record.ts - 1)


def login(number: int = 1, now: int = 10**9, size: int = 33) -> list[Record]:
    """Return a connection of a few packets, which TEST_SIGNATURE matches when `size` is 33."""
    talk = Conversation(client_port=1000 + number, hash=number * 0x9E3779B1 & 0xFFFFFFFF, now=now)
    talk.handshake().wait(0.001).send("c", size)
    talk.wait(0.001).send("s", 44)
    talk.wait(0.001).close()
    return talk.records


TEST_SIGNATURE = """tcp 5000 = < c33 s44 : a test of workers
    id = test.worker
"""
