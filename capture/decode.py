# SPDX-License-Identifier: LGPL-2.1-or-later
"""Decompression of capture files: gzip, xz and zstd data, several members in a row too, in bounded memory.

Compression is known by its magic, not by the file's name. What a decompressor hands over in one call is bounded, so
a file that expands a million times costs time, never memory. A decompressor that meets an error loses what it
decoded in that call; a regular file is therefore read again and led to the error byte by byte, so that everything
before it is delivered. Of a pipe, up to 16 KiB of compressed data before the error are lost; the error is reported.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from capture.source import RawSource

PIECE = 16384
LIMIT = 65536


class DecodeError(Exception):
    """Compressed data that is damaged or ends early."""


class Decoder(Protocol):
    """One compressed member, stream or frame."""

    piece: int  # bytes of input per call that keep the output of a call bounded

    def decode(self, data: bytes) -> bytes:
        """Decode `data` and what is left of earlier data, or a part of it."""
        ...

    @property
    def hungry(self) -> bool:
        """Whether it wants more input."""
        ...

    @property
    def eof(self) -> bool:
        """Whether the member is complete."""
        ...

    @property
    def rest(self) -> bytes:
        """Input behind the member."""
        ...


class _GzipDecoder:
    """A gzip member (RFC 1952)."""

    piece = PIECE

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(31)
        self.hungry = True

    def decode(self, data: bytes) -> bytes:
        decoded = self._zlib.decompress(self._zlib.unconsumed_tail + data, LIMIT)
        self.hungry = len(decoded) < LIMIT
        return decoded

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def rest(self) -> bytes:
        return self._zlib.unused_data


class _XzDecoder:
    """An xz stream."""

    piece = PIECE

    def __init__(self) -> None:
        # The largest preset needs 65 MiB; a header that asks for gigabytes is refused.
        self._lzma = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 << 20)

    def decode(self, data: bytes) -> bytes:
        return self._lzma.decompress(data, LIMIT)

    @property
    def hungry(self) -> bool:
        return self._lzma.needs_input

    @property
    def eof(self) -> bool:
        return self._lzma.eof

    @property
    def rest(self) -> bytes:
        return self._lzma.unused_data


class _ZstdDecoder:
    """A zstd frame (RFC 8878). It takes no bound for its output: four bytes can make 128 KiB, so it gets few bytes."""

    piece = 1024
    hungry = True

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    def decode(self, data: bytes) -> bytes:
        return self._zstd.decompress(data) if data else b""

    @property
    def eof(self) -> bool:
        return self._zstd.eof

    @property
    def rest(self) -> bytes:
        return self._zstd.unused_data


FORMATS: dict[str, tuple[tuple[bytes, ...], Callable[[], Decoder]]] = {
    "gzip": ((b"\x1f\x8b",), _GzipDecoder),
    "xz": ((b"\xfd7zXZ\0",), _XzDecoder),
    # A zstd file may begin with frames to be skipped.
    "zstd": ((b"\x28\xb5\x2f\xfd", *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))), _ZstdDecoder),
}
LONGEST_MAGIC = 6


def compression(head: bytes) -> str | None:
    """Name the compression whose magic the bytes begin with; None for none."""
    return next((name for name, (magics, _) in FORMATS.items() if head.startswith(magics)), None)


class Members:
    """The compressed members of a raw source, one after another; from offset `single` on, decoded byte by byte."""

    def __init__(self, raw: RawSource, name: str, single: int | None = None) -> None:
        self.piece_start = 0
        self._raw = raw
        self._name = name
        self._single = single
        self._magics, self._new = FORMATS[name]
        self._decoder: Decoder | None = None
        self._input = b""

    def next(self) -> bytes:
        """Return decoded bytes, b"" at the end. Raises DecodeError, after which nothing more can be had."""
        try:
            return self._next()
        except (zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
            reason = str(error).removeprefix("Error -3 while decompressing data: ")
            raise DecodeError(f"{self._name} data is damaged: {reason}") from error

    def _next(self) -> bytes:
        while True:
            if self._decoder is None and not self._begin():
                return b""
            decoder = self._decoder
            assert decoder is not None
            ended = False
            if not self._input and decoder.hungry:
                self._input = self._read(decoder.piece)
                ended = not self._input
            size = decoder.piece if decoder.hungry else 0
            data, self._input = self._input[:size], self._input[size:]
            decoded = decoder.decode(data)
            if decoder.eof:
                self._input = decoder.rest + self._input
                self._decoder = None
            elif ended and not decoded:
                raise DecodeError(f"{self._name} data ends early")
            if decoded:
                return decoded

    def _begin(self) -> bool:
        """Begin a member; False at the end. Zeros between members are padding."""
        while len(self._input) < LONGEST_MAGIC:
            more = self._read(PIECE)
            self._input = (self._input + more).lstrip(b"\0")
            if not more:
                break
        self._input = self._input.lstrip(b"\0")
        if not self._input:
            return False
        if not self._input.startswith(self._magics):
            raise DecodeError(f"{self._name} data is followed by something else ({self._input[:4].hex(' ')})")
        self._decoder = self._new()
        return True

    def _read(self, piece: int) -> bytes:
        self.piece_start = self._raw.offset
        if self._single is not None:
            piece = min(piece, max(1, self._single - self._raw.offset))
        return self._raw.read(piece)


class DecodedSource:
    """The decompressed bytes of a raw source."""

    def __init__(self, raw: RawSource, name: str) -> None:
        self._name = name
        self._raw = raw
        self._members = Members(raw, name)
        self._again = False
        self._ready = memoryview(b"")
        self._produced = 0

    @property
    def offset(self) -> int:
        """Compressed bytes taken so far."""
        return self._raw.offset

    def close(self) -> None:
        """Close the raw source."""
        self._raw.close()

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view with decoded bytes; return its size, 0 at the end. Raises OSError, DecodeError."""
        if not self._ready:
            self._ready = memoryview(self._decode())
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _decode(self) -> bytes:
        try:
            decoded = self._members.next()
        except DecodeError:
            if self._again or not self._raw.rewind():
                raise
            self._again = True
            self._members = Members(self._raw, self._name, self._members.piece_start)
            decoded = self._behind(self._produced)
        self._produced += len(decoded)
        return decoded

    def _behind(self, skip: int) -> bytes:
        """Return the first bytes behind `skip` decoded ones."""
        while True:
            decoded = self._members.next()
            if not decoded or len(decoded) > skip:
                return decoded[skip:]
            skip -= len(decoded)
