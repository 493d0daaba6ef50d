# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sends messages of bpf/batch.h to the workers: one bounded queue for each shard, never waiting, everything counted.

Several that come at once for one shard leave as one message of ZeroMQ (capture/_parcel.pyx).

How far each stream has come stands in the watermark messages themselves, which lie in a mapped file: so the successor
of a killed process can tell the workers where its predecessor's streams ended.
"""

from __future__ import annotations

import mmap
import os
import struct
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic_ns

import zmq
from typing_extensions import Buffer

from capture._message import KIND_WATERMARK, MESSAGE_SIZE, MESSAGE_VERSION
from capture._parcel import PARCEL, Parcels
from capture.accounts import KINDS, Page, Streams
from capture.live import StreamCounters, TapError

FOR_EVER = (1 << 64) - 1  # time of the last watermark of a sender
LINGER_MS = 500  # how long what waits for a worker may hold up the end
_HEADER = struct.Struct("=QQQQIHHBBHIQQ")  # struct ft_message
_SEQ_AT, _TS_AT, _BEGAN_AT, _LOST_AT = 1, 3, 6, 7  # words of the header


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
        self.all_words = view.cast("Q")

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
        self._lost_since = 0
        self._dropped: int | None = None  # watermarks, when the loss was told

    def count_in(self, page: Page, watermarks: Watermarks, streams: int) -> None:
        """Count in these cells from now on; must come before the first message."""
        self._shards = shards = len(self._endpoints)
        self._streams = streams
        places = array(
            "I",
            (
                page.index[f"cpu{cpu}.shard{shard}.{kind}{name}"]
                for kind in KINDS
                for name in ("sent", "dropped")
                for cpu in range(streams)
                for shard in range(shards)
            ),
        )
        self._parcels = Parcels(self._leave, page.cells, watermarks.all_words, places, streams, shards)
        self._marks = page.index["watermarks"], page.index["watermarks_dropped"]
        self._cells = page.cells
        self._watermarks = watermarks.messages
        self._words = watermarks.words

    @property
    def handed(self) -> int:
        """Messages of records and handshake records taken so far."""
        return self._parcels.handed

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
        """Take a message of records or handshake records; a capture.live.Forward."""
        self._parcels.forward(cpu, shard, kind, count, message)

    def flush(self) -> None:
        """Let go what waits for company."""
        self._parcels.flush()

    def _leave(self, shard: int, parcel: memoryview) -> bool:
        """Send to a worker, unless too much waits for it."""
        try:
            self._send[shard](parcel, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def lost(self, since: int) -> None:
        """Tell each worker, with the next watermark, that packets were lost from `since` ns until then.

        Those are meant whose worker is not known; what a stream has lost, its numbers tell.
        """
        self._lost_since = min(self._lost_since or since, since)
        self._dropped = None

    def watermark(self, ns: int) -> None:
        """Tell each worker that nothing as old as `ns` will come any more, with the next flush."""
        now = monotonic_ns()
        dropped = self._cells[self._marks[1]]
        if self._dropped == dropped:  # all have been given the one that told the loss
            self._lost_since = 0
        self._dropped = dropped
        for shard, words in enumerate(self._words):
            words[_TS_AT] = ns
            words[_BEGAN_AT] = now
            words[_LOST_AT] = self._lost_since
            self._parcels.add(shard, self._watermarks[shard], *self._marks)
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

    def last_will(self, streams: Streams, ns: int) -> None:
        """Tell each worker where the streams of a killed predecessor ended, all of them before `ns`."""
        sender, ends = streams
        for shard in range(self._shards):
            words = {cpu: end for (number, cpu), end in ends.items() if number == shard}
            if words:
                count = max(words) + 1
                header = _HEADER.pack(*_header(sender, 0, FOR_EVER, count, shard, ns))
                message = header + struct.pack(f"={count}Q", *(words.get(cpu, 0) for cpu in range(count)))
                self._parcels.add(shard, message, *self._marks)

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


def _header(sender: int, seq: int, ts: int, count: int, shard: int, began: int = 0) -> tuple[int, ...]:
    return sender, seq, 0, ts, count, 0, shard, KIND_WATERMARK, MESSAGE_VERSION, 0, 0, began, 0


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
