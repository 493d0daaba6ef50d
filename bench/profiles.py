# SPDX-License-Identifier: LGPL-2.1-or-later
"""What applications send: templates of flows from which the benchmark's records and its signatures are both drawn.

Sizes and pauses follow recordings of real programs (tests/captures) and the usual shape of TLS, DNS and mail; they
vary between templates as hosts, names and files do.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

TCP, UDP = 6, 17


@dataclass(frozen=True)
class Packet:
    """A packet of a template."""

    side: str  # "c" or "s"
    size: int  # payload bytes
    gap: int  # microseconds since the packet before, round trip included


@dataclass(frozen=True)
class Profile:
    """An application: how common it is, where it listens, what one flow looks like."""

    name: str
    proto: int
    ports: tuple[int, ...]
    share: float  # of all flows
    make: Callable[[random.Random], list[Packet]]


def _talk(rng: random.Random, *sizes: int, rtt: int = 0) -> list[Packet]:
    """Packets without pauses: positive sizes from the client, negative from the server; each answer takes a round trip."""
    rtt = rtt or rng.choice((300, 2_000, 12_000, 30_000, 90_000))
    packets: list[Packet] = []
    for size in sizes:
        side = "c" if size > 0 else "s"
        turn = not packets or packets[-1].side != side
        packets.append(Packet(side, abs(size), rtt + rng.randrange(400) if turn else rng.randrange(5, 60)))
    return packets


def _pause(rng: random.Random, packets: list[Packet], low: int = 500_000, high: int = 4_000_000) -> list[Packet]:
    """The same with a pause before the first packet."""
    return [Packet(packets[0].side, packets[0].size, rng.randrange(low, high)), *packets[1:]]


def _segments(size: int) -> list[int]:
    """Sizes of the server's segments that carry `size` bytes, as negative numbers."""
    return [-1448] * (size // 1448) + ([-(size % 1448)] if size % 1448 else [])


def _ssh(rng: random.Random) -> list[Packet]:
    accept, none = rng.choice(((44, 68), (52, 68), (64, 80), (56, 72)))
    hello = rng.choice((21, 23, 24, 33, 41))
    kex = [hello, -rng.choice((21, 32, 41, 43)), 1448, rng.randrange(80, 200), -rng.randrange(784, 1120), 48]
    packets = _talk(rng, *kex, -rng.randrange(200, 700), 16, accept, -accept, none, -(none - 16))
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        attempt = _talk(rng, rng.choice((84, 148, 140)), -(none - 16))
        packets += _pause(rng, attempt) if rng.random() < 0.4 else attempt
    return packets


def _interactive(rng: random.Random) -> list[Packet]:
    packets: list[Packet] = []
    for _ in range(rng.randrange(1, 3)):
        packets += _pause(rng, _talk(rng, 36, -36))
        for _ in range(rng.randrange(3, 8)):
            packets += _pause(rng, _talk(rng, 36, -36), 60_000, 350_000)
        packets += _talk(rng, 36, -52, -rng.randrange(60, 900, 8))
    return packets


def _web(rng: random.Random) -> list[Packet]:
    hello = rng.choice((517, 517, 571, 1448))
    packets = _talk(rng, hello, *_segments(rng.randrange(2_000, 5_500)), rng.choice((64, 80, 126)))
    for _ in range(rng.randrange(1, 3)):
        packets += _talk(rng, rng.randrange(90, 1100), *_segments(rng.randrange(300, 9_000)))
    return packets


def _dns(rng: random.Random) -> list[Packet]:
    return _talk(rng, rng.randrange(28, 70), -rng.randrange(60, 420))


def _mail(rng: random.Random) -> list[Packet]:
    name, sender = rng.randrange(14, 40), rng.randrange(24, 60)
    talk = [-rng.randrange(30, 90), name, -rng.randrange(15, 180), sender, -8, sender - 2, -8, 6, -37]
    return _talk(rng, *talk, rng.randrange(300, 1448), -rng.randrange(8, 40), 6, -9)


def _bulk(rng: random.Random) -> list[Packet]:
    return _talk(rng, rng.randrange(120, 700), *_segments(rng.randrange(30_000, 60_000)))


PROFILES = (
    Profile("web", TCP, (443, 443, 443, 80, 8443), 0.50, _web),
    Profile("dns", UDP, (53,), 0.22, _dns),
    Profile("ssh", TCP, (22, 22, 2222), 0.08, _ssh),
    Profile("mail", TCP, (25, 587), 0.08, _mail),
    Profile("bulk", TCP, (443, 80, 8080), 0.06, _bulk),
    Profile("interactive", TCP, (22, 23, 3389), 0.06, _interactive),
)


def templates(seed: int, each: int) -> list[tuple[Profile, int, list[Packet]]]:
    """`each` templates of every profile, with the server's port."""
    rng = random.Random(seed)
    return [(profile, rng.choice(profile.ports), profile.make(rng)) for profile in PROFILES for _ in range(each)]
