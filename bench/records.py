# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records as the parser would make them, for many flows that are all alive at the same time.

Flows begin within the first BEGIN seconds and end after LIVE seconds of packet time, so that between the two the table
holds every one of them; their packets are in the order of time, hence thoroughly mixed. What comes before LIVE can be
told apart (`Load.alive`) to measure memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.packets import ACK, FIN, PSH, SYN, numbers
from bench.profiles import PROFILES, TCP, templates
from capture.record import RECORD, TAG

BEGIN, LIVE = 20, 55  # seconds; a UDP flow lives for 60 after its last packet
START_NS = 1_700_000_000_000_000_000
SEED = 1


@dataclass(frozen=True)
class Load:
    """Records and tags in the order of time."""

    records: npt.NDArray[Any]
    tags: npt.NDArray[Any]
    flows: int
    alive: int  # records before the first flow ends

    def buffers(self) -> tuple[memoryview, memoryview]:
        """Return records and tags as the engine takes them."""
        return self.records.view(np.uint8).data, self.tags.view(np.uint8).data


def _templates() -> tuple[npt.NDArray[Any], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """All templates' packets in one array (side, size, gap, flags, proto, port), begins, counts, and shares."""
    rows: list[tuple[int, int, int, int, int, int]] = []
    begins, shares = [], []
    each = 200
    for profile, port, packets in templates(SEED, each):
        begins.append(len(rows))
        shares.append(profile.share / each)
        tail = (profile.proto, port)
        rtt = packets[0].gap if packets[0].gap < 200_000 else 20_000
        if profile.proto == TCP:
            rows += [(0, 0, 0, SYN, *tail), (1, 0, rtt, SYN | ACK, *tail)]
        flags = PSH | ACK if profile.proto == TCP else 0
        rows += [(int(p.side == "s"), p.size, p.gap, flags, *tail) for p in packets]
        if profile.proto == TCP:
            rows += [(0, 0, 0, FIN | ACK, *tail), (1, 0, rtt, FIN | ACK, *tail)]
    count = np.diff([*begins, len(rows)])
    return np.array(rows, np.int64), np.array(begins), count, np.array(shares)


def load(flows: int, seed: int = SEED) -> Load:
    """Make the records of `flows` concurrent flows, about 17 each."""
    rng = np.random.default_rng(seed)
    packets, begins, counts, shares = _templates()
    choice = rng.choice(len(begins), flows, p=shares / shares.sum())
    count = counts[choice]
    flow = np.repeat(np.arange(flows), count)
    first = np.concatenate(([0], np.cumsum(count)[:-1]))
    row = packets[begins[choice][flow] + np.arange(len(flow)) - first[flow]]
    side, size, flags = row[:, 0], row[:, 1], row[:, 3]
    gap = row[:, 2].copy()
    gap[first] = rng.integers(0, BEGIN * 1_000_000, flows)
    running = np.concatenate(([0], np.cumsum(gap)))[1:]
    time = running - running[first][flow] + gap[first][flow]
    time[(flags & FIN) == 0] = np.minimum(time[(flags & FIN) == 0], LIVE * 1_000_000 - 1)
    ends = (flags & FIN) != 0
    late = rng.integers(0, 5_000_000, flows) + LIVE * 1_000_000
    time[ends] = late[flow[ends]] + np.where(side[ends] == 1, 1_000, 0)
    own, other = numbers(rng, flow, side, size + ((flags & (SYN | FIN)) != 0), flows)
    client, server = _addresses(rng, flows, 10), _addresses(rng, flows, 198)
    sport = rng.integers(32768, 60999, flows)[flow]
    tcp = row[:, 4] == TCP
    order = np.argsort(time, kind="stable")

    records = np.zeros(len(flow), RECORD)
    back = (side == 1)[order]
    of = flow[order]
    records["ts"] = START_NS + time[order] * 1000
    records["src"] = np.where(back[:, None], server[of], client[of])
    records["dst"] = np.where(back[:, None], client[of], server[of])
    records["hash"] = rng.integers(0, 1 << 32, flows)[of]
    records["len"] = size[order]
    records["sport"] = np.where(back, row[order, 5], sport[order])
    records["dport"] = np.where(back, sport[order], row[order, 5])
    records["proto"] = row[order, 4]
    records["tcpflags"] = flags[order]
    records["ttl"] = 64
    records["seq"] = np.where(tcp, own, 0)[order]
    records["ack"] = np.where(tcp & ((flags & ACK) != 0), other & 0xFFFF, 0)[order]
    return Load(records, np.zeros(len(flow), TAG), flows, int(np.searchsorted(time[order], LIVE * 1_000_000)))


def _addresses(rng: np.random.Generator, flows: int, network: int) -> npt.NDArray[np.uint8]:
    """IPv4 addresses in their IPv6 form, one row of 16 bytes per flow."""
    rows = np.zeros((flows, 16), np.uint8)
    rows[:, 10:12] = 255
    rows[:, 12] = network
    rows[:, 13:] = rng.integers(0, 256, (flows, 3), dtype=np.uint8)
    return rows


def mean_packets() -> float:
    """Return records per flow, on average."""
    _, _, counts, shares = _templates()
    return float((counts * shares).sum() / shares.sum())


assert abs(sum(profile.share for profile in PROFILES) - 1) < 1e-9
