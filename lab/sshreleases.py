# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labelled SSH recordings with OpenSSH of other releases, as server and as client: Debian 11 in train, sid in test.

Their servers meet all programs, their clients all servers of `HOSTS`. Otherwise as `sshmore`.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

from lab import debian, sshbuild, sshmore, sshrecord
from lab.debian import RELEASES
from lab.network import LabError
from lab.sshextra import ALL, RELEASED, needs
from lab.sshmore import PEOPLE, TWO
from lab.sshplan import PARTS, UNSEEN, planned, session
from lab.sshrecord import GUESSERS, Plan, Session
from lab.sshservers import RELEASES_OF, Server

OTHER = {"train": "11", "test": "sid"}  # by part: the release, of RELEASES
SUITES = {"11": "bullseye", "sid": "sid"}
HOSTS = ("deb12", "deb12-pam", "deb13", "dropbear", "deb12-keyboard", "go", "asyncssh")
SESSIONS = 14

__all__ = ["PARTS", "plans", "prepare", "record"]


def prepare() -> None:
    """Make the systems of the releases; one that cannot be had is left out with a line that says so."""
    sshmore.prepare()
    for suffix, suite in SUITES.items():
        try:
            debian.make(suite, debian.PACKAGES)
        except LabError as error:
            print(f"ssh-releases: left out: Debian {suffix}: {str(error).splitlines()[0][:200]}", flush=True)


def belongs(program: str, server: Server, part: str) -> bool:
    """Whether this client plays against this server in this part: one of them at least is of the part's release."""
    suffix = OTHER[part]
    strange = program in RELEASED and not program.endswith(suffix)
    if strange or program in TWO or (program in UNSEEN and part == "train"):
        return False
    if program in RELEASED:
        return True
    known = any(program in sshmore.CLIENTS[other] for other in PARTS if other != part)
    in_turn = (zlib.crc32(f"{program}/{server.name}".encode()) % 5 < 2) == (part == "test")
    return server.kind.endswith(suffix) and not known and (in_turn or program in sshmore.CLIENTS[part])


def plans(part: str, numbers: range) -> Iterator[Plan]:
    """Return the recordings of a part with these numbers; none where its release is not there."""
    root = RELEASES[OTHER[part]]
    if not root.is_dir():
        return
    servers = [server for server in RELEASES_OF.values() if server.kind.endswith(OTHER[part])]
    hosts = [sshmore.SERVERS[name] for name in HOSTS if not sshbuild.lacks(needs(sshmore.SERVERS[name].kind))]
    for number in numbers:
        seed = f"releases {part} {number}"
        server = servers[number // 2 % len(servers)] if number % 2 == 0 else hosts[number // 2 % len(hosts)]
        more = {"seed": f"{seed} sessions", "roots": (debian.TRIXIE, debian.LIBRARIES, root)}
        yield planned(part, number, server, random.Random(seed), **more)


def sessions(plan: Plan, draw: random.Random) -> list[Session]:
    """Return the sessions of a recording: every second one by people, and by programs of the release where they can."""
    ours = [name for name in ALL if belongs(name, plan.server, plan.part)]
    ours = [name for name in ours if name in RELEASED or not sshbuild.lacks(needs(name))]
    people = [
        name for name in ours if name in PEOPLE or (name in RELEASED and name.startswith("ssh") and "pass" not in name)
    ]
    programs = [name for name in ours if name not in people]
    chosen = []
    for number in range(SESSIONS):
        pool = (people if number % 2 else programs) or ours
        released = [name for name in pool if name in RELEASED]
        name = draw.choice(released if released and draw.random() < 0.5 else pool)
        if name in GUESSERS and draw.random() < 0.5:
            name = draw.choice(released)
        chosen.append(session(name, ALL, draw))
    return chosen


def record(plan: Plan, folder: Path, end: float) -> tuple[Path, list[str]]:
    """Play and record one; see `sshrecord.record`."""
    return sshrecord.record(plan, sessions, folder, end)
