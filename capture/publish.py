# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sends messages of bpf/batch.h to the workers: one bounded queue for each shard, never waiting, everything counted.

What comes at once for one shard leaves as one parcel, messages back to back in one ZeroMQ message: what that costs by
itself (its thread woken, two system calls, the receiver woken) is more than half of what 256 records do.

How far each stream has come stands in the watermark messages themselves, which lie in a mapped file: so the successor
of a killed process can tell the workers where its predecessor's streams ended.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import zmq
from typing_extensions import Buffer

from capture._message import BATCH, KIND_RECORDS, KIND_WATERMARK, MESSAGE_SIZE, MESSAGE_VERSION
from capture._packet import RECORD_SIZE, TAG_SIZE
from capture.accounts import KINDS, Page, Streams
from capture.live import StreamCounters, TapError

FOR_EVER = (1 << 64) - 1  # time of the last watermark of a sender
PARCEL = 4  # messages that leave together at most; more bring little, and make what waits in a queue harder to bound
LINGER_MS = 500  # how long what waits for a worker may hold up the end
_HEADER = struct.Struct("=QQQQIHHBBHIQQ")  # struct ft_message
_FIRST = struct.Struct("=Q").unpack_from
_FIRST_AT = 16
_SEQ_AT, _TS_AT = 1, 3  # words of the header


class Watermarks:
    """The watermark message of each shard, in a mapped file. Raises TapError.

    `predecessor` has what a killed process left in the file, None without one.
    """

    def __init__(self, file: Path, sender: int, streams: int, shards: int) -> None:
        self._path = file
        self.predecessor: Streams | None = _left_behind(file)
        size = MESSAGE_SIZE + 8 * streams
        new = file.with_name(f"{file.name}.new")
        try:
            handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(handle, size * shards)
                self._map = mmap.mmap(handle, size * shards)
            finally:
                os.close(handle)
        except OSError as error:
            raise TapError(f"{new}: {error.strerror}") from error
        view = memoryview(self._map)
        for shard in range(shards):
            _HEADER.pack_into(view, size * shard, *_header(sender, 0, 0, streams, shard))
        self.messages = [view[size * shard : size * (shard + 1)] for shard in range(shards)]
        self.words = [message.cast("Q") for message in self.messages]

    def keep(self) -> None:
        """Let the file take the place of the predecessor's. Raises TapError."""
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.replace(self._path)
        except OSError as error:
            raise TapError(f"{new}: {error.strerror}") from error

    def close(self, *, ended: bool) -> None:
        """Give the file back; remove it when the workers know that these streams have ended."""
        if ended:
            self._path.unlink(missing_ok=True)
        for view in (*self.words, *self.messages):
            view.release()
        with suppress(BufferError):
            self._map.close()


class _Parcel:
    """What waits to leave for one shard, and where it is counted."""

    def __init__(self, size: int) -> None:
        self.bytes = memoryview(bytearray(size))
        self.used = 0
        self.counted: list[tuple[int, int, int]] = []  # cell, its cell for what was dropped, how many


class Publisher:
    """Sends to the workers at `endpoints`, one for each shard, of which each has at most `queue` messages waiting.

    Nothing leaves before flush(), or before there is a parcel full of it.
    """

    def __init__(self, endpoints: Sequence[str], queue: int) -> None:
        self._endpoints = endpoints
        self._queue = max(1, queue // PARCEL)
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._sockets: list[zmq.Socket[bytes]] = []
        self._send: list[Callable[[Buffer, int], object]] = [_nobody for _ in endpoints]
        self.handed = 0  # messages taken so far

    def count_in(self, page: Page, watermarks: Watermarks, streams: int) -> None:
        """Count in these cells from now on; must come before the first message."""
        self._cells = page.cells
        shards = len(self._endpoints)
        self._shards = shards
        self._streams = streams
        biggest = MESSAGE_SIZE + max(BATCH * (TAG_SIZE + RECORD_SIZE), 8 * streams)
        self._parcels = [_Parcel(PARCEL * biggest) for _ in self._endpoints]
        self._sent, self._dropped = (
            [
                [page.index[f"cpu{cpu}.shard{shard}.{kind}{name}"] for cpu in range(streams) for shard in range(shards)]
                for kind in KINDS
            ]
            for name in ("sent", "dropped")
        )
        self._marks = page.index["watermarks"]
        self._marks_dropped = page.index["watermarks_dropped"]
        self._watermarks = watermarks.messages
        self._words = watermarks.words

    def connect(self) -> None:
        """Begin to send. ZeroMQ starts its threads here: they have no more capabilities than this one has by now."""
        self._context = zmq.Context()
        for endpoint in self._endpoints:
            socket = self._context.socket(zmq.PUSH)
            socket.sndhwm = self._queue
            socket.linger = LINGER_MS
            socket.reconnect_ivl = 20  # milliseconds
            socket.reconnect_ivl_max = 500
            socket.connect(endpoint)
            self._sockets.append(socket)
        self._send = [socket.send for socket in self._sockets]

    def forward(self, cpu: int, shard: int, kind: int, count: int, message: Buffer) -> None:
        """Send a message of records or handshake records; a capture.live.Forward."""
        self.handed += 1
        place = cpu * self._shards + shard
        if kind == KIND_RECORDS:
            self._words[shard][8 + cpu] = _FIRST(message, _FIRST_AT)[0] + count
            cell = self._sent[0][place]
        else:
            cell = self._sent[1][place]
        # Counted before: when this process is killed in between, it is one more message that was lost on its way.
        self._cells[cell] += count
        self._add(shard, message, (cell, self._dropped[kind != KIND_RECORDS][place], count))

    def _add(self, shard: int, message: Buffer, counted: tuple[int, int, int]) -> None:
        parcel = self._parcels[shard]
        end = parcel.used + memoryview(message).nbytes
        parcel.bytes[parcel.used : end] = message
        parcel.used = end
        parcel.counted.append(counted)
        if len(parcel.counted) == PARCEL:
            self._leave(shard)

    def _leave(self, shard: int) -> None:
        """Send what waits for a worker, or count it as dropped."""
        parcel = self._parcels[shard]
        if not parcel.used:
            return
        try:
            self._send[shard](parcel.bytes[: parcel.used], zmq.NOBLOCK)
        except zmq.Again:
            for cell, dropped, count in parcel.counted:
                self._cells[cell] -= count
                self._cells[dropped] += count
        parcel.used = 0
        parcel.counted.clear()

    def flush(self) -> None:
        """Let go what waits for company."""
        for shard in range(self._shards):
            self._leave(shard)

    def watermark(self, ns: int) -> None:
        """Tell each worker that nothing as old as `ns` will come any more, with the next flush."""
        for shard, words in enumerate(self._words):
            words[_TS_AT] = ns
            self._mark(shard, self._watermarks[shard])
            words[_SEQ_AT] += 1

    def reached(self, counters: Sequence[StreamCounters]) -> None:
        """Note where streams ended when the tap counted this, also if the ring had no room for what came last.

        All that was in the rings by then must have been forwarded since.
        """
        for cpu, stream in enumerate(counters):
            for words, one in zip(self._words, stream.shards, strict=True):
                words[8 + cpu] = max(words[8 + cpu], one["forwarded"] + one["lost"])

    def ends(self) -> dict[tuple[int, int], int]:
        """Return where the streams of this process are, by shard and CPU."""
        return {
            (shard, cpu): word
            for shard, words in enumerate(self._words)
            for cpu, word in enumerate(words[8 : 8 + self._streams])
            if word
        }

    def last_will(self, streams: Streams) -> None:
        """Tell each worker where the streams of a killed predecessor ended."""
        sender, ends = streams
        for shard in range(self._shards):
            words = {cpu: end for (number, cpu), end in ends.items() if number == shard}
            if words:
                count = max(words) + 1
                header = _HEADER.pack(*_header(sender, 0, FOR_EVER, count, shard))
                self._mark(shard, header + struct.pack(f"={count}Q", *(words.get(cpu, 0) for cpu in range(count))))

    def _mark(self, shard: int, message: Buffer) -> None:
        self._cells[self._marks] += 1
        self._add(shard, message, (self._marks, self._marks_dropped, 1))

    def close(self) -> None:
        """Wait a bounded time for what is under way; may be called again."""
        for socket in self._sockets:
            socket.close()
        self._sockets = []
        if self._context is not None:
            self._context.term()
            self._context = None


def _nobody(message: Buffer, flags: int) -> None:
    """Take no message, before there are sockets."""
    raise zmq.Again


def _header(sender: int, seq: int, ts: int, count: int, shard: int) -> tuple[int, ...]:
    return sender, seq, 0, ts, count, 0, shard, KIND_WATERMARK, MESSAGE_VERSION, 0, 0, 0, 0


def _left_behind(file: Path) -> Streams | None:
    """Return sender and positions of the streams in the file of a predecessor; None without one that makes sense."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    positions: dict[tuple[int, int], int] = {}
    sender = at = 0
    while at + MESSAGE_SIZE <= len(data):
        sender, _, _, _, count, _, shard, kind, version, *_ = _HEADER.unpack_from(data, at)
        end = at + MESSAGE_SIZE + 8 * count
        if (kind, version) != (KIND_WATERMARK, MESSAGE_VERSION) or end > len(data):
            return None
        words = struct.unpack_from(f"={count}Q", data, at + MESSAGE_SIZE)
        positions |= {(shard, cpu): word for cpu, word in enumerate(words) if word}
        at = end
    return (sender, positions) if at else None
