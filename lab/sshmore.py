# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labelled SSH recordings with more programs: those of `sshplan` and the optional ones of `sshextra`.

As in `sshplan` everything is drawn from part and number, and train and test share no pair of client and server. The
programs and servers named below play in one part only: so test has some that nobody saw in train.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

from lab import debian, sshbuild, sshplan, sshrecord, sshservers
from lab.network import LabError
from lab.sshextra import ALL, EXTRA, LATER, needs
from lab.sshplan import PARTS, SESSIONS, planned, session
from lab.sshrecord import GUESSERS, Plan, Session
from lab.sshservers import Server
from lab.sshsessions import PROGRAMS

CLIENTS = {
    "train": {"go", "libssh", "libssh13", "ruby", "paramiko13", "dbclient13", "rsync", "git", "autossh", "patator"}
    | {"paramiko-tty"},
    "test": {"jsch", "php", "conch", "asyncssh13", "plink13", "lftp", "sshfs", "nmap-brute", "nmap-scripts"}
    | {"ssh-audit", "libssh-tty"}
    | sshplan.UNSEEN,
}
PLACES = {
    "train": {"go", "paramiko", "deb12-both3", "deb12-aes192", "deb12-two"},
    "test": {"twisted", "dropbear13", "asyncssh13", "deb12-gcm", "deb13-strict", "deb13-two"},
}
SERVERS = sshservers.SERVERS | sshservers.EXTRA
ANY_KEY = 60  # from this recording on keys are RSA and ECDSA, too
FURTHER = 48  # from this recording on half of the sessions are by programs of LATER
TWO = {"ssh-both"}  # clients of servers that want a key and a password
# Who cannot talk to a kind of server: the lab's of AsyncSSH gives a command no input but at its start; Paramiko's takes
# the first packet of Dropbear's key exchange for an error.
STRANGERS = {"asyncssh": {"rsync", "git"}, "paramiko": {"dbclient", "dbclient13", "dbclient-env", "expect-dbclient"}}
PEOPLE = sshplan.PEOPLE | {"dbclient13", "plink13", "conch", "ssh-both"}

__all__ = ["PARTS", "plans", "prepare", "record"]


def prepare() -> None:
    """Make what the programs need, and tell of those that are left out.

    Raises:
        LabError: Debian 13 could not be made, or a program of `sshplan` is missing.

    """
    sshplan.prepare()
    try:
        debian.make("trixie", debian.MORE)
    except LabError as error:
        print(f"ssh-more: no further programs of Debian 13: {str(error).splitlines()[0][:200]}", flush=True)
    for failure in sshbuild.build():
        print(f"ssh-more: {failure}", flush=True)
    for name in sshbuild.OPTIONAL:
        if packages := sshbuild.lacks(name):
            print(f"ssh-more: left out, as this machine lacks it: {name} (packages: {packages})", flush=True)


def belongs(program: str, server: Server, part: str) -> bool:
    """Whether this client plays against this server in this part."""
    if (program in TWO) != server.name.endswith("-two"):
        return False
    if program == "jsch" and server.kind.startswith(("openssh", "dropbear")) and sshservers.KEYS not in server.more:
        return False  # it knows neither Ed25519 keys nor how RSA ones sign today
    kind = server.kind.removesuffix("13")
    if any(program in names and kind == strange for strange, names in STRANGERS.items()):
        return False
    for names, name in ((CLIENTS, program), (PLACES, server.name)):
        if any(name in names[other] for other in PARTS if other != part):
            return False
    if program in CLIENTS[part] or server.name in PLACES[part]:
        return True
    return (zlib.crc32(f"{program}/{server.name}".encode()) % 5 < 2) == (part == "test")


def plans(part: str, numbers: range) -> Iterator[Plan]:
    """Return the recordings of a part with these numbers; servers take turns, round trips are drawn."""
    other = {"train": "test", "test": "train"}[part]
    names = [name for name in SERVERS if name not in PLACES[other]]
    there = [name for name in names if not sshbuild.lacks(needs(SERVERS[name].kind))]
    for number in numbers:
        seed = f"more {part} {number}"
        more = {"seed": f"{seed} sessions", "any_key": number >= ANY_KEY}
        yield planned(part, number, SERVERS[there[number % len(there)]], random.Random(seed), **more)


def sessions(plan: Plan, draw: random.Random) -> list[Session]:
    """Return the sessions of a recording: a third by people, of the rest two in three by programs of `sshextra`."""
    ours = [name for name in PROGRAMS | EXTRA if belongs(name, plan.server, plan.part)]
    ours = [name for name in ours if not sshbuild.lacks(needs(name))]
    people = [name for name in ours if name in PEOPLE]
    new = [name for name in ours if name not in PEOPLE and name in EXTRA]
    old = [name for name in ours if name not in PEOPLE and name in PROGRAMS]
    chosen = []
    late = [name for name in LATER if plan.number >= FURTHER and belongs(name, plan.server, plan.part)]
    late = [name for name in late if not sshbuild.lacks(needs(name))]
    for number in range(SESSIONS if len(ours) > 1 else 5):
        name = draw.choice((people if number % 3 == 0 else new if draw.random() < 0.67 else old) or ours)
        if name in GUESSERS and draw.random() < 0.5:  # they open many connections
            name = draw.choice(ours)
        if late and draw.random() < 0.5:
            name = draw.choice(late)
        chosen.append(session(name, ALL, draw))
    return chosen


def record(plan: Plan, folder: Path, end: float) -> tuple[Path, list[str]]:
    """Play and record one; see `sshrecord.record`."""
    return sshrecord.record(plan, sessions, folder, end)
