# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labelled SSH recordings: which sessions play against which server over which network, and their labels.

Everything is drawn from the recording's number. Train and test share no pair of client and server program, and some
clients (UNSEEN) play in the test part only.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab import debian, sshrecord
from lab.network import LabError
from lab.sshrecord import GUESSERS, Plan, Program, Session
from lab.sshservers import SERVERS, Server
from lab.sshsessions import PROGRAMS, missing

UNSEEN = {"medusa", "asyncssh", "expect-dbclient", "http"}
RTTS = (0.0, 0.010, 0.040, 0.080, 0.160)
PARTS = ("train", "test")
PEOPLE = {"ssh", "ssh13", "dbclient", "plink"}
SESSIONS = 14  # in one recording


def prepare() -> None:
    """Make the Debian 13 system, and tell of missing programs.

    Raises:
        LabError: it could not be made, or a program is missing.

    """
    if lacking := missing():
        raise LabError(f"these programs are missing: {', '.join(lacking)}")
    debian.make()


def belongs(program: str, server: Server, part: str) -> bool:
    """Whether this client plays against this server in this part."""
    if program in UNSEEN:
        return part == "test"
    if part == "test":
        return zlib.crc32(f"{program}/{server.name}".encode()) % 5 < 2
    return zlib.crc32(f"{program}/{server.name}".encode()) % 5 >= 2


def planned(part: str, number: int, server: Server, draw: random.Random, **more: Any) -> Plan:
    """Return a recording whose network is drawn: round trip, where it is long, jitter, offloads, IPv4 or IPv6."""
    rtt = draw.choice(RTTS)
    return Plan(
        part, number, server, rtt,
        far=draw.choice(("server", "server", "client")),
        jitter=rtt * draw.choice((0, 0.02, 0.1)),
        offload=draw.random() < 0.4,
        v6=draw.random() < 0.3,
        **more,
    )  # fmt: skip


def session(name: str, programs: Mapping[str, Program], draw: random.Random) -> Session:
    """Return a session of a program, its outcome and action drawn."""
    _, outcomes, actions = programs[name]
    return name, draw.choice(outcomes), draw.choice(actions)


def plans(part: str, numbers: range) -> Iterator[Plan]:
    """Return the recordings of a part with these numbers; servers and round trips take turns."""
    names = list(SERVERS)
    for number in numbers:
        yield planned(part, number, SERVERS[names[number % len(names)]], random.Random(f"{part} {number}"))


def sessions(plan: Plan, draw: random.Random) -> list[Session]:
    """Return program, outcome and action of each session of a recording: half of them by people where some can be."""
    ours = [name for name in PROGRAMS if belongs(name, plan.server, plan.part)]
    people = [name for name in ours if name in PEOPLE]
    programs = [name for name in ours if name not in PEOPLE]
    chosen = []
    for number in range(SESSIONS):
        name = draw.choice(people if people and number % 2 else programs or people)
        if name in GUESSERS and draw.random() < 0.4:
            name = draw.choice(programs)
        chosen.append(session(name, PROGRAMS, draw))
    return chosen


def record(plan: Plan, folder: Path, end: float) -> tuple[Path, list[str]]:
    """Play and record one; see `sshrecord.record`."""
    return sshrecord.record(plan, sessions, folder, end)
