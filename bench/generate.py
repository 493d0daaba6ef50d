# SPDX-License-Identifier: LGPL-2.1-or-later
"""Generate the captures that the programs under comparison read; the same seed gives the same bytes.

small     2,000,000 packets of 200,000 complete, interleaved flows: what costs is flows and packets, not bytes
bulk      16 flows of 1448-byte segments, whole packets, about 500 MB: what costs is reading
bulk-cut  16 flows of 1448-byte segments, about 1 GB on the wire, 96 bytes kept of each packet
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.packets import ACK, FIN, PSH, SYN, Ints, Segments, Writer, numbers

OUT = Path(__file__).parent / "out"
SEED = 20060815
START_US = 1_700_000_000_000_000
SERVICES = np.array([443, 443, 443, 443, 80, 80, 22, 25, 53, 993, 3306, 5432, 6379, 8080, 8443, 3389])


def _segments(
    rng: np.random.Generator, flow: Ints, side: Ints, flags: Ints, length: Ints, time_us: Ints, flows: int
) -> Segments:
    """Complete segments from what each packet does, given flow after flow; returned in the order of time.

    `flow` ascends; `side` is 0 for the client. Sequence numbers wrap where the random initial one makes them.
    """
    own, other = numbers(rng, flow, side, length + ((flags & (SYN | FIN)) != 0), flows)
    client = 0x0A000000 + rng.integers(1, 1 << 18, flows)[flow]
    server = 0xC6120000 + rng.integers(1, 1 << 12, flows)[flow]  # 198.18.0.0/15: set aside for benchmarks (RFC 2544)
    sport = rng.integers(32768, 60999, flows)[flow]
    dport = rng.choice(SERVICES, flows)[flow]
    order = np.argsort(time_us, kind="stable")
    columns = (
        time_us + START_US,
        np.where(side == 0, client, server),
        np.where(side == 0, server, client),
        np.where(side == 0, sport, dport),
        np.where(side == 0, dport, sport),
        own,
        np.where((flags & ACK) != 0, other, 0),
        flags,
        length,
    )
    return Segments(*(column[order].astype(np.int64) for column in columns))


def _complete(flow: Ints, place: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Side and flags of each packet: handshake, alternating data, both FINs, the last acknowledgement."""
    left = count[flow] - place  # 1 for the last packet of a flow
    side = np.where(place < 3, place & 1, (place + 1) & 1)
    flags = np.full(len(flow), PSH | ACK)
    flags[place == 0] = SYN
    flags[place == 1] = SYN | ACK
    flags[(place == 2) | (left == 1)] = ACK
    flags[(left == 3) | (left == 2)] = FIN | ACK
    side[(left == 3) | (left == 1)] = 0
    side[left == 2] = 1
    return side, flags


def small(path: Path, packets: int = 2_000_000, flows: int = 200_000) -> None:
    """Write a capture of `packets` packets in `flows` complete flows; at least 8 packets per flow are needed."""
    rng = np.random.default_rng(SEED)
    count = 8 + np.bincount(rng.integers(0, flows, packets - 8 * flows), minlength=flows)
    flow = np.repeat(np.arange(flows), count)
    first = np.concatenate(([0], np.cumsum(count)[:-1]))
    place = np.arange(packets) - first[flow]
    side, flags = _complete(flow, place, count)
    length = np.where(side == 0, rng.integers(16, 120, packets), rng.integers(16, 200, packets))
    length[(flags & PSH) == 0] = 0
    gap = rng.exponential(60_000, packets).astype(np.int64) + 200
    running = np.cumsum(gap)
    begin = np.sort(rng.integers(0, 20_000_000, flows))
    time_us = begin[flow] + running - running[first][flow]
    writer = Writer(path, 65535, rng)
    writer.write(_segments(rng, flow, side, flags, length, time_us, flows))
    writer.close()


def bulk(path: Path, snaplen: int, data: int, flows: int = 16) -> None:
    """Write a capture of `flows` downloads, `data` full segments in all, an acknowledgement after each second one."""
    rng = np.random.default_rng(SEED + 1)
    each = data // flows
    steps = each * 3 // 2
    place = np.tile(np.arange(steps + 7), flows)
    flow = np.repeat(np.arange(flows), steps + 7)
    side, flags = _complete(flow, place, np.full(flows, steps + 7))
    body = (place >= 4) & (place < steps + 4)
    step = (place - 4) % 3
    side[body] = (step < 2)[body]
    flags[body] = ACK
    length = np.where(body & (step < 2), 1448, 0)
    length[place == 3] = 400
    time_us = place * 40 + rng.integers(0, 20, len(place)) + flow * 1000
    writer = Writer(path, snaplen, rng)
    writer.write(_segments(rng, flow, side, flags, length, time_us, flows))
    writer.close()


def capture(name: str) -> Path:
    """Path of the capture `small`, `bulk` or `bulk-cut`, generated on first use.

    Raises:
        KeyError: the name is none of these.

    """
    make: dict[str, Callable[[Path], None]] = {
        "small": small,
        "bulk": functools.partial(bulk, snaplen=65535, data=330_000),
        "bulk-cut": functools.partial(bulk, snaplen=96, data=700_000),
    }
    if name not in make:
        raise KeyError(f"no capture {name}; there are {chr(44).join(make)}")
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.pcap"
    if not path.exists():
        part = path.with_suffix(".part")
        make[name](part)
        part.rename(path)
    return path


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["small", "bulk", "bulk-cut"]:
        print(capture(wanted))
