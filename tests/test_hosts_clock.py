# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uptime by TCP timestamps: clocks of all kinds, and p0f beside it on the same SYNs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.hosts_clock import Clock
from flowtap.hosts_read import table
from flowtap.settings import Settings
from sigdb import load_tcp
from tests import p0f
from tests.handshakes import ACK, LINUX, MSS, NOP, SOK, WS7, Syn, timestamps
from tests.packets import Packet, pcap

SECOND = 1_000_000_000
NOW = 1_600_000_000 * SECOND
DAY = 86_400


def seen(*ticks: tuple[float, int]) -> Clock:
    clock = Clock()
    for second, value in ticks:
        clock.see("client", value % (1 << 32), NOW + round(second * SECOND))
    return clock


def steady(rate: float, begin: int = 1_000_000, *, every: float = 5, times: int = 4) -> Clock:
    return seen(*((n * every, begin + round(n * every * rate)) for n in range(times)))


CLOCKS = {
    "1000 Hz": (steady(1000, 1000 * 3 * DAY), 1000, 3 * 1440, 49),
    "100 Hz": (steady(100), 100, 166, 497),
    "250 Hz, drifting": (steady(251.3), 250, 66, 198),
    "1 Hz": (steady(1, 7200, every=30), 1, 121, 49_710),
    "it wraps": (steady(1000, (1 << 32) - 12_000), 1000, 0, 49),
    "two are too few": (steady(1000, times=2), 0, 0, 0),
    "each connection begins anew": (seen((0, 77), (5, 3_000_000_000), (9, 1_200_000), (20, 4_000_000_000)), 0, 0, 0),
    "too fast": (steady(2000), 0, 0, 0),
    "too slow": (steady(0.1), 0, 0, 0),
    "it stands still": (steady(0), 0, 0, 0),
    "backwards": (steady(-1000), 0, 0, 0),
    "too near": (steady(1000, every=0.01, times=90), 0, 0, 0),
    "too far apart": (steady(1000, every=700), 0, 0, 0),
    "no timestamps": (seen((0, 0), (5, 0), (10, -1)), 0, 0, 0),
    "no clock any more": (seen((0, 1000), (5, 6000), (10, 11_000), (15, 3_000_000_000)), 0, 0, 0),
    "out of order": (seen((0, 1000), (5, 6000), (4, 5000), (9, 10_000), (14, 15_000)), 1000, 0, 49),
}


@pytest.mark.parametrize(("clock", "rate", "minutes", "days"), CLOCKS.values(), ids=CLOCKS)
def test_clocks(clock: Clock, rate: int, minutes: int, days: int) -> None:
    assert (clock.rate, clock.minutes, clock.days) == (rate, minutes, days)


@pytest.mark.skipif(p0f.MISSING is not None, reason=str(p0f.MISSING))
@pytest.mark.parametrize("rate", [100, 250, 1000])
def test_p0f_says_the_same(rate: int, tmp_path: Path) -> None:
    packets = []
    for number in range(4):
        now, ticks = number * 7, rate * (3 * DAY + 4321 + number * 7)
        syn = Syn(sport=40_000 + number, options=MSS + SOK + timestamps(ticks) + NOP + WS7)
        answer = syn.answer(options=LINUX[:6] + timestamps(9, ticks) + NOP + WS7)
        ends = syn.answer(flags=ACK).client, syn.answer().server
        ack = Syn(client=ends[1], server=ends[0], sport=syn.sport, seq=1001, ack=5001, flags=ACK, options=b"")
        packets += [
            Packet(one.frame(), ts=NOW + now * SECOND + late * 1_000_000) for late, one in enumerate((syn, answer, ack))
        ]
    path = tmp_path / "clock.pcap"
    path.write_bytes(pcap(packets))
    lines = p0f.p0f_log(path, tmp_path)
    assert lines is not None
    (theirs, *_) = [line for line in reversed(lines) if line["mod"] == "uptime" and line["subj"] == "cli"]
    days, hours, minutes, modulo = map(int, re.findall(r"\d+", theirs["uptime"]))
    client = theirs["cli"].partition("/")[0]
    (host,) = table([str(path)], load_tcp([p0f.FP]), Settings(), {"query": "host", "address": client})
    assert host["uptime"] == {"minutes": (days * 24 + hours) * 60 + minutes, "modulo_days": modulo, "rate": rate}
