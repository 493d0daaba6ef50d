# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labelled SSH recordings with programs that no other kind plays, in parts `a` and `b` that share none of them.

Which part a program or a server belongs to is decided by its name alone: within each group the names are ordered by
CRC-32 and dealt out in turn. New servers meet the new clients of their part and the programs of all other kinds;
new clients meet the servers of `KNOWN`, too. Part a is for a first look; b is for measuring what was made of it.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lab import debian, sshbuild, sshmore, sshnewclients, sshnewservers, sshnewsystem, sshrecord
from lab.network import LabError
from lab.sshextra import ALL, RELEASED, needs
from lab.sshnewclients import PROGRAMS
from lab.sshnewservers import SERVERS
from lab.sshplan import planned, session
from lab.sshrecord import GUESSERS, Plan, Session
from lab.sshservers import Server

PARTS = ("a", "b")
SESSIONS = 14
# Names by group; some could not be had or do not play (they are in neither PROGRAMS nor SERVERS), and keep their place.
GROUPS = {
    "servers": "tinyssh lshd proftpd erlang node tunnels sshesame cowrie asyncssh24 paramiko5 twisted25 libssh",
    "settings": "deb12-gss deb12-one deb12-long deb12-slow deb12-grace deb12-rsa dropbear-old dropbear-banner"
    " deb13-steps endlessh",
    "people": "ssh7 lsh erlang-tty mosh sftp node-tty",
    "libraries": "node-ssh2 tunnels-js erlang-ssh perl-ssh2 perl-ssh trilead ganymed jenkins phpseclib2 phpseclib3"
    " python-ssh2 python-libssh hussh ccssh asyncssh24 paramiko5 netmiko fabric parallel-ssh perl-openssh",
    "tools": "ansible ansible-paramiko pygit2 aria2 qemu-img rclone clush pssh borg sshuttle copy-id duplicity unison"
    " ssh-sftp",
    "guessers": "loop-ruby loop-node loop-paramiko5 loop-perl loop-erlang loop-trilead",
    "scanners": "check-ssh masscan keyscan13 telnet grab audit3",
}
KNOWN = ("deb12", "deb13", "dropbear", "deb12-pam", "deb12-keyboard", "go", "asyncssh13", "deb12-banner", "paramiko")
STAYS = {"all", "leave", "no", "aborted", "wrong", "refused", "refuse", "none", "scan"}  # nobody gets in
FILES = {"transfer", "none", "up", "down", "list", "upload"}  # actions that need neither shell nor command
KEYED = {"key", "badkey", "refused", "refuse", "none", "scan", "no", "aborted"}  # what is done at servers of keys alone
TRIES_ALL = {"keyscan", "nmap", "nc", "http", "connect", "grab", "audit3", "loop-paramiko5"}  # at a tarpit
OLD = {"trilead", "ganymed", "jenkins", "loop-trilead"}  # they know no host keys but RSA with SHA-1
OLD_AT = {"proftpd", "twisted25", "asyncssh24", "sshesame", "cowrie"}  # servers that have such
NO_KEYS = {"tunnels", "cowrie", "sshesame"}  # servers that take no key
STEPS = {"deb13-steps": sshmore.TWO | {"keyscan", "grab", "audit3", "nmap"}}  # a key and a password are wanted
# How often those who open many connections, or play for want of others, are passed over.
MANY = dict.fromkeys(GUESSERS, 0.5) | {"audit3": 0.8, "ssh7": 0.4}
TERMINALS = sshmore.PEOPLE | sshnewclients.PEOPLE | {"paramiko-tty", "libssh-tty"}


def _deal() -> dict[str, dict[str, str]]:
    """Return by `servers` and `clients` the part of each name."""
    parts: dict[str, dict[str, str]] = {"servers": {}, "clients": {}}
    for group, text in GROUPS.items():
        side = "servers" if group in ("servers", "settings") else "clients"
        for place, name in enumerate(sorted(text.split(), key=lambda name: zlib.crc32(name.encode()))):
            parts[side][name] = PARTS[place % 2]
    return parts


PART = _deal()


def prepare() -> None:
    """Make what the programs need, and tell of those that are left out.

    Raises:
        LabError: what `sshmore` needs could not be made, or the system of the new programs could not.

    """
    sshmore.prepare()
    for line in sshnewsystem.make() + sshbuild.build_trilead(sshnewsystem.ROOT):
        print(f"ssh-new: left out: {line}", flush=True)
    try:
        debian.make("bullseye", sshnewservers.OLD_PACKAGES)
    except LabError as error:
        print(f"ssh-new: left out: dropbear-old: {str(error).splitlines()[0][:200]}", flush=True)


def there(name: str, table: dict[str, tuple[str, ...]]) -> bool:
    """Whether the files that a program or server of the new ones needs are there."""
    return sshnewsystem.has(*table.get(name, ()))


def belongs(program: str, server: Server, part: str) -> bool:
    """Whether this client plays against this server in this part: one of the two is new and of the part."""
    if program in RELEASED or program == "jsch" or (program in sshmore.TWO and server.name not in STEPS):
        return False
    if program not in STEPS.get(server.name, {program}):
        return False
    if server.kind == "endlessh" and program not in TRIES_ALL:
        return False
    if program in PROGRAMS and PART["clients"][program] != part:
        return False
    if server.name in SERVERS and PART["servers"][server.name] != part:
        return False
    if program not in PROGRAMS and server.name not in SERVERS:
        return False
    kind = server.kind.removesuffix("13")
    strange = sshmore.STRANGERS | {"asyncssh": {"rsync", "git", "pygit2"}}
    if any(program in names and kind == where for where, names in strange.items()):
        return False
    if program in PROGRAMS and not server.password and program not in sshnewclients.ASKS | sshnewclients.CAREFUL:
        return False
    return server.name in OLD_AT if program in OLD else True


def plays(what: Session, server: Server) -> bool:
    """Whether the server can do what this session is about."""
    program, outcome, action = what
    if server.name == "sshesame" and program in TERMINALS and outcome in ("1", "2", "all"):
        return False  # any password is right there
    if server.name in NO_KEYS and (outcome in ("key", "both") or program in ("forwards", "autossh", "jump")):
        return False
    if not server.password and not server.keyboard and outcome not in KEYED:
        return False
    if program == "copy-id" and not server.logs_keys:
        return False  # it offers the key that it is to bring
    if outcome in STAYS or program in GUESSERS:
        return True
    if not server.shell:
        return action in FILES and program not in TERMINALS - {"sftp"} and program not in ("git", "pygit2", "rsync")
    if server.name in sshnewservers.NO_FILES and (action in FILES - {"none"} or program in ("sshfs", "lftp", "git")):
        return False
    if action == "forward" or program in ("forwards", "autossh", "jump"):
        return server.kind.startswith(("openssh", "dropbear", "asyncssh", "go"))
    return program != "mosh" or server.kind.startswith(("openssh", "dropbear"))


def plans(part: str, numbers: range) -> Iterator[Plan]:
    """Return the recordings of a part with these numbers: two with new servers, then one with a known one."""
    ours = [name for name in SERVERS if PART["servers"][name] == part and there(name, sshnewservers.FILES)]
    known = [name for name in KNOWN if not sshbuild.lacks(needs(sshmore.SERVERS[name].kind))]
    for number in numbers:
        draw = random.Random(f"new {part} {number}")
        turn, place = divmod(number, 3)
        if place == 2:
            server = sshmore.SERVERS[known[turn % len(known)]]
        else:
            server = SERVERS[ours[(2 * turn + place) % len(ours)]]
        more = {"seed": f"new {part} {number} sessions", "roots": (debian.TRIXIE, debian.LIBRARIES, sshnewsystem.ROOT)}
        yield replace(planned(part, number, server, draw, **more), any_key=draw.random() < 0.5)


def sessions(plan: Plan, draw: random.Random) -> list[Session]:
    """Return the sessions of a recording: a third by people, of the rest two in three by new clients."""
    everybody = ALL | PROGRAMS
    ours = [name for name in everybody if belongs(name, plan.server, plan.part)]
    ours = [
        name
        for name in ours
        if (there(name, sshnewclients.FILES) if name in PROGRAMS else not sshbuild.lacks(needs(name)))
    ]
    people = [name for name in ours if name in TERMINALS]
    fresh = [name for name in ours if name in PROGRAMS and name not in TERMINALS]
    others = [name for name in ours if name not in PROGRAMS and name not in TERMINALS]
    chosen: list[Session] = []
    while len(chosen) < (5 if plan.server.kind == "endlessh" else SESSIONS):
        name = draw.choice((people if len(chosen) % 3 == 0 else fresh if draw.random() < 0.67 else others) or ours)
        if name in MANY and draw.random() < MANY[name]:
            continue
        one = session(name, everybody, draw)
        if plays(one, plan.server):
            chosen.append(one)
    return chosen


def record(plan: Plan, folder: Path, end: float) -> tuple[Path, list[str]]:
    """Play and record one; see `sshrecord.record`."""
    return sshrecord.record(plan, sessions, folder, end, ALL | PROGRAMS)
