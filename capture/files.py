# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads capture files into batches of records: pcap and pcapng, plain or compressed, from disk or from a pipe.

    with open_capture("x.pcap") as capture:
        batch = Batch()
        while (count := capture.read(batch)) >= 0:
            ...

Memory is bounded: a buffer of 256 KiB, which grows to at most 16 MiB when a single pcapng block is that large.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

from capture._filter import check_filter
from capture._packet import KEY_SIZE, Batch, Parser
from capture._pcap import MAGICS as PCAP_MAGICS
from capture._pcap import PcapWalker
from capture._pcapng import MAGIC as PCAPNG_MAGIC
from capture._pcapng import PcapngWalker
from capture._walk import Status, Walker
from capture.decode import LONGEST_MAGIC, DecodedSource, DecodeError, compression
from capture.errors import CaptureError, FilterError
from capture.source import RawSource, Source

CHUNK = 262144

OTHER_FORMATS = {
    b"snoop": "a snoop capture",
    b"GMBU": "a Microsoft Network Monitor 2 capture",
    b"RTSS": "a Microsoft Network Monitor 1 capture",
    b"XCP\0": "a NetXRay or Sniffer for Windows capture",
    b"TRSNIF": "a Sniffer for DOS capture",
    b"BZh": "bzip2 data",
    b"\x04\x22\x4d\x18": "lz4 data",
    b"PK\x03\x04": "a zip archive",
}


class Capture:
    """A capture being read. Made by open_capture; a context manager; not for several threads at once."""

    def __init__(self, file: str, raw: RawSource, parser: Parser) -> None:
        self.file = file
        self.size = raw.size
        self._raw = raw
        self._source: Source = raw
        self._parser = parser
        self._walker: Walker | None = None
        self._buffer = bytearray(CHUNK)
        self._base = 0  # place of the buffer's first byte in the (decompressed) stream
        self._start = 0  # buffer[start:stop] waits to be walked
        self._stop = 0
        self._error: CaptureError | FilterError | None = None
        self._ended = False

    def read(self, batch: Batch) -> int:
        """Fill the batch anew; return the number of records (0 is no end), -1 at the end.

        What can be had without waiting is returned before a pipe is waited for. All that stands before a damage is
        returned before CaptureError is raised, which then every further call raises again. FilterError is raised
        when the filter does not suit the link type of an interface.
        """
        batch.clear()
        if self._error is not None:
            raise self._error
        if self._ended:
            return -1
        if self._walker is None:
            self._walker = self._recognize()
        walker = self._walker
        while True:
            try:
                status = walker.walk(self._buffer, self._start, self._stop, batch)
            except FilterError as error:
                self._error = error
                status = Status.FULL if batch.count else Status.MORE
            self._start = walker.position
            if status == Status.FULL:
                return batch.count
            if status == Status.DAMAGED:
                self._error = self._damage(walker.damage)
            if batch.count:
                return batch.count
            if self._error is not None:
                raise self._error
            if not self._fill(walker.need):
                rest = self._stop - self._start
                if rest == 0:
                    self._ended = True
                    return -1
                self._error = self._damage(f"{walker.what} cut short: {rest} of {walker.need} bytes")
                raise self._error

    def counters(self) -> dict[str, int]:
        """Return packets (all that were read), bytes (theirs on the wire), filtered, and each verdict of record.h.

        `packets` is the sum of `filtered` and the verdicts.
        """
        return self._parser.counters()

    def other_links(self) -> dict[str, int]:
        """Return the packets whose link type is not read, by libpcap's name of the link type."""
        return self._parser.other_links()

    @property
    def interfaces(self) -> list[str]:
        """Name of each interface, "" where the file has none; a tag's iface is an index of it."""
        return self._parser.interfaces

    @property
    def first_ns(self) -> int | None:
        """The earliest packet's time, nanoseconds since 1970; None without packets."""
        return self._parser.first_ns

    @property
    def last_ns(self) -> int | None:
        """The latest packet's time, like first_ns."""
        return self._parser.last_ns

    @property
    def offset(self) -> int:
        """Bytes of the file taken so far (compressed ones where it is compressed); at the end, `size`."""
        return self._source.offset

    def close(self) -> None:
        """Close the file; may be called again."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _damage(self, reason: str | None) -> CaptureError:
        return CaptureError(self.file, self._base + self._start, reason or "unknown damage")

    def _recognize(self) -> Walker:
        try:
            name = compression(self._raw.peek(LONGEST_MAGIC))
            if name is not None:
                self._source = DecodedSource(self._raw, name)
            while self._stop < LONGEST_MAGIC and self._fill(LONGEST_MAGIC):
                pass
        except OSError as error:
            self._error = self._damage(f"cannot be read: {error.strerror}")
            raise self._error from error
        head = bytes(self._buffer[: min(self._stop, LONGEST_MAGIC)])
        if head[:4] in PCAP_MAGICS:
            return PcapWalker(self._parser)
        if head[:4] == PCAPNG_MAGIC:
            return PcapngWalker(self._parser)
        if not head:
            found = "empty"
        else:
            found = next((text for magic, text in OTHER_FORMATS.items() if head.startswith(magic)), "not a capture")
            found = f"{found} (begins with {head.hex(' ')})"
        self._error = self._damage(f"{found}, expected pcap or pcapng, plain or in gzip, xz or zstd")
        raise self._error

    def _fill(self, need: int) -> bool:
        """Read on, so that the buffer can hold `need` bytes from start; False at the end of the stream."""
        if len(self._buffer) - self._start < max(need, CHUNK // 2):
            rest = self._stop - self._start
            self._buffer[:rest] = self._buffer[self._start : self._stop]
            self._base += self._start
            self._start, self._stop = 0, rest
            if need > len(self._buffer):
                self._buffer.extend(bytes(need - len(self._buffer)))
        try:
            with memoryview(self._buffer) as view, view[self._stop :] as room:
                size = self._source.readinto(room)
        except DecodeError as error:
            self._error = CaptureError(self.file, self._base + self._stop, str(error))
            raise self._error from error
        except OSError as error:
            self._error = CaptureError(self.file, self._base + self._stop, f"cannot be read: {error.strerror}")
            raise self._error from error
        self._stop += size
        return size > 0


def open_capture(
    path: str | os.PathLike[str],
    *,
    filter: str | None = None,  # noqa: A002
    decap: bool = False,
    key: bytes | None = None,
) -> Capture:
    """Open a capture file, `-` for standard input; opening a named pipe waits for its writer.

    `filter` is a pcap filter expression, `decap` opens tunnels, `key` is the flow hash's (64 bytes, default random).
    Raises CaptureError when the file cannot be opened, FilterError when the filter is wrong. What the file holds is
    looked at in the first read().
    """
    file = os.fspath(path)
    if filter:
        check_filter(filter)
    parser = Parser(os.urandom(KEY_SIZE) if key is None else key, decap=decap, expression=filter)
    try:
        raw = RawSource(file)
    except OSError as error:
        raise CaptureError(file, None, error.strerror or str(error)) from error
    return Capture(file, raw, parser)
