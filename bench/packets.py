# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turn arrays that describe TCP segments into a capture file with valid headers and checksums.

Millions of packets are needed in seconds, so all work is done on whole arrays. Packets of one kind (SYN or not) have
headers of one length and are built as one matrix; only the payload has a length of its own. Payload bytes come from
one pool of random bytes, as an encrypted flow would show them; the checksum over a slice of the pool is the difference
of two running sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CHUNK = 100_000
POOL_BYTES = 1 << 16

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Segments:
    """TCP segments in file order; every array has one entry per segment."""

    time_us: Ints  # microseconds since 1970
    source: Ints  # IPv4 address
    target: Ints  # IPv4 address
    sport: Ints
    dport: Ints
    seq: Ints  # 32 bits
    ack: Ints  # 32 bits
    flags: Ints  # TCP flags byte
    length: Ints  # payload bytes


def numbers(rng: np.random.Generator, flow: Ints, side: Ints, used: Ints, flows: int) -> tuple[Ints, Ints]:
    """Sequence and acknowledgement number, 32 bits, of each packet of many flows that lose nothing.

    `flow` ascends, `side` is 0 for the client, `used` is the sequence space that the packet takes (payload, and one
    for SYN or FIN). Initial numbers are random, so that some flows wrap around.
    """
    first = np.searchsorted(flow, np.arange(flows))
    initial = rng.integers(0, 1 << 32, (2, flows))
    sent = []
    for who in (0, 1):
        running = np.concatenate(([0], np.cumsum(np.where(side == who, used, 0))))
        sent.append((running[:-1] - running[first][flow] + initial[who][flow]) & 0xFFFFFFFF)
    return np.where(side == 0, sent[0], sent[1]), np.where(side == 0, sent[1], sent[0])


def _big(matrix: Bytes, column: int, width: int, value: Ints | int) -> None:
    """Store `value` in network byte order in `width` columns of every row."""
    for i in range(width):
        matrix[:, column + i] = (np.asarray(value) >> (8 * (width - 1 - i))) & 255


def _fold(total: Ints) -> Ints:
    """Return the Internet checksum (RFC 1071) of a sum of 16-bit words."""
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _words(matrix: Bytes) -> Ints:
    """Return the sum of each row's big-endian 16-bit words."""
    total: Ints = matrix[:, 0::2].astype(np.int64).sum(axis=1) * 256 + matrix[:, 1::2].astype(np.int64).sum(axis=1)
    return total


class Writer:
    """Writes Ethernet/IPv4/TCP packets to a microsecond, little-endian pcap file, `snaplen` bytes of each at most."""

    def __init__(self, path: Path, snaplen: int, rng: np.random.Generator) -> None:
        self._file = path.open("wb")
        self._snaplen = snaplen
        self._pool = rng.integers(0, 256, POOL_BYTES + 2048, dtype=np.uint8)
        pairs = self._pool[0::2].astype(np.int64) * 256 + self._pool[1::2]
        self._running = np.concatenate(([0], np.cumsum(pairs)))
        self._rng = rng
        self._file.write(np.array([0xA1B2C3D4, 0x00040002, 0, 0, snaplen, 1], "<u4").tobytes())

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()

    def write(self, s: Segments) -> None:
        """Append the segments."""
        for start in range(0, len(s.time_us), CHUNK):
            cut = slice(start, start + CHUNK)
            self._chunk(Segments(*(getattr(s, name)[cut] for name in Segments.__dataclass_fields__)))

    def _chunk(self, s: Segments) -> None:
        syn = (s.flags & SYN) != 0
        head = np.where(syn, 74, 66)  # Ethernet 14, IPv4 20, TCP 20 + options 20 or 12
        kept = np.minimum(head + s.length, self._snaplen)
        begins = np.concatenate(([0], np.cumsum(kept + 16)))
        out = np.empty(begins[-1], np.uint8)
        offset = self._rng.integers(0, POOL_BYTES // 2, len(s.time_us)) * 2
        for kind in (True, False):
            rows = np.flatnonzero(syn == kind)
            if len(rows):
                part = Segments(*(getattr(s, name)[rows] for name in Segments.__dataclass_fields__))
                matrix = self._headers(part, kind, kept[rows], offset[rows])
                out[begins[rows][:, None] + np.arange(matrix.shape[1])] = matrix
        body = np.maximum(kept - head, 0)
        ends = np.cumsum(body)
        step = np.arange(ends[-1]) - np.repeat(ends - body, body)
        out[np.repeat(begins[:-1] + 16 + head, body) + step] = self._pool[np.repeat(offset, body) + step]
        self._file.write(out.tobytes())

    def _headers(self, s: Segments, syn: bool, kept: Ints, offset: Ints) -> Bytes:
        """Record header, Ethernet, IPv4 and TCP with options: one row per packet."""
        options = 20 if syn else 12
        m = np.zeros((len(s.time_us), 16 + 54 + options), np.uint8)
        total = 40 + options + s.length
        record = np.stack([s.time_us // 1_000_000, s.time_us % 1_000_000, kept, total + 14], axis=1).astype("<u4")
        m[:, :16] = record.view(np.uint8)
        m[:, 16:30] = np.frombuffer(bytes.fromhex("0200000000020200000000010800"), np.uint8)
        m[:, 30] = 0x45
        _big(m, 32, 2, total)
        _big(m, 34, 2, self._rng.integers(0, 65536, len(m)))
        m[:, 36] = 0x40
        m[:, 38], m[:, 39] = 64, 6
        _big(m, 42, 4, s.source)
        _big(m, 46, 4, s.target)
        _big(m, 40, 2, _fold(_words(m[:, 30:50])))
        _big(m, 50, 2, s.sport)
        _big(m, 52, 2, s.dport)
        _big(m, 54, 4, s.seq)
        _big(m, 58, 4, s.ack)
        m[:, 62] = (20 + options) // 4 << 4
        m[:, 63] = s.flags
        _big(m, 64, 2, 64240 if syn else 501)
        stamp = s.time_us // 1000 & 0xFFFFFFFF
        if syn:  # MSS 1460, SACK permitted, timestamps, NOP, window scale 7
            m[:, 70:76] = np.frombuffer(bytes.fromhex("020405b40402"), np.uint8)
            m[:, 76], m[:, 77] = 8, 10
            _big(m, 78, 4, stamp)
            m[:, 86:90] = np.frombuffer(bytes.fromhex("01030307"), np.uint8)
        else:
            m[:, 70:74] = np.frombuffer(bytes.fromhex("0101080a"), np.uint8)
            _big(m, 74, 4, stamp)
            _big(m, 78, 4, stamp)
        first = offset // 2
        payload = self._running[first + s.length // 2] - self._running[first]
        payload += np.where(s.length & 1, self._pool[offset + s.length - 1].astype(np.int64) << 8, 0)
        pseudo = _words(m[:, 42:50]) + 6 + 20 + options + s.length
        _big(m, 66, 2, _fold(_words(m[:, 50:]) + pseudo + payload))
        return m
