# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reorder window of one worker: messages of bpf/batch.h in, records in order of time out."""

from collections.abc import Iterable
from typing import final

from typing_extensions import Buffer

REASONS: tuple[str, ...]  # why a message is refused, in the order in which they are looked for

@final
class Merge:
    """Puts the streams of all capture processes in order of time, within bounds of memory and time.

    `shard` is the one whose messages are taken. At most about `buffer_records` records wait (72 bytes each), and none
    for longer than `window_ms`; what must leave before its time is counted `forced`. take() hands out at most `batch`
    records at once. All times are CLOCK_MONOTONIC nanoseconds, the clock of the records. Raises ValueError for bounds
    that make no sense, MemoryError when they cannot be reserved.

    One thread; it never blocks. Every input is checked: a message that is refused changes nothing but a counter.
    """

    records: memoryview  # what take() handed out: 64 bytes each, aligned; for Engine.process
    tags: memoryview  # 8 bytes each

    def __init__(
        self, shard: int, *, buffer_records: int = 1 << 20, window_ms: int = 1000, batch: int = 4096
    ) -> None: ...
    def put(self, message: Buffer, now_ns: int) -> int | str:
        """Take one message, or several back to back; return how many records came, or why the first was refused.

        The reasons are the `refused_` counters: length, version, kind, count, shard, cpu, first (a number that no
        stream reaches), old (its records were there or were given up before), senders, streams (too many), full. A
        message whose length cannot be told takes what follows with it. Call take() until it returns 0 after at most
        1,024 messages of records; `full` is what happens otherwise, and its records are `missed`.
        """

    def take(self, now_ns: int, *, everything: bool = False) -> int:
        """Put the next records, in order, into `records` and `tags`, and return how many; 0: no more for now.

        Those up to the horizon: the time up to which all senders that are alive have promised completeness. A record
        that comes after newer ones were handed out is handed out at once. `everything`: wait for nobody (at the end).
        """

    @property
    def waiting(self) -> int:
        """How many records wait."""

    @property
    def horizon(self) -> int:
        """Nothing as old as this, in ns, will come from those that are alive; 2^64-1: nobody is."""

    def losses(self) -> list[tuple[int, int, int]]:
        """Return, once, the intervals in which records were lost, for Engine.lost: from ns, to ns, how many.

        From 0 on: of a stream of which nothing had arrived before. 0 records: how many is not known here, as a sender
        was silent for 5 s without having ended, or says that it lost packets that it had not looked at.
        """

    def handshakes(self) -> list[bytes]:
        """Return, once, the handshake records that came: 128 bytes each, one item for each message."""

    def streams(self) -> list[tuple[int, int, int, int]]:
        """Return (sender, CPU, received, missed) of each stream known; the last two add up to what was sent in it."""

    def forgotten(self) -> list[tuple[int, int, int, int]]:
        """Return, once, the same of streams of which nothing is known any more, as their senders are dead."""

    def resume(self, sender: int, cpu: int, received: int, missed: int) -> None:
        """Go on where a predecessor stopped, so that only what came since counts as missed.

        Its sender holds up nobody until it is heard or expected. Raises ValueError when the stream is known already, or
        there is no room.
        """

    def expect(self, senders: Iterable[int]) -> None:
        """Wait for these senders, which are alive: nothing is handed out before the first promise of each.

        For those that are known it changes nothing. One that is not heard within a second holds up nobody any more.
        """

    def counters(self) -> dict[str, int]:
        """Return what was counted.

        messages = those taken (records, handshakes, watermarks) + each `refused_`. received: records taken from
        messages; missed: records that streams say were sent and that did not arrive; released: handed out, so that
        received = released + waiting. Of the released, late: older than one handed out before; forced: before the
        horizon had come. handshakes and handshakes_dropped (nobody took them in time): handshake records.
        """
