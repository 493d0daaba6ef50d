# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same SSH sessions under all conditions of the network: round trips, offloads on and off, IPv4 and IPv6.

A group is one server and its sessions, drawn from the group's number; recording number N is group N // 15 under the
condition N % 15. Only pairs of the train part play, so that whoever looks at differences sees nothing of test. The
column `session` of LABELS.csv says which flows are the same session: `flowtap eval --same session` compares them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from lab import sshbuild, sshmore, sshrecord
from lab.sshextra import EXTRA, needs
from lab.sshplan import RTTS
from lab.sshrecord import GUESSERS, Plan, Session
from lab.sshsessions import PROGRAMS

PARTS = ("same",)
CONDITIONS = [(rtt, offload, False) for rtt in RTTS for offload in (False, True)] + [(rtt, False, True) for rtt in RTTS]
GROUPS = ("deb12", "deb12-pam", "deb12-keyboard", "deb13", "dropbear", "asyncssh", "go", "deb13-pam", "paramiko")
SESSIONS = 12
MANY = GUESSERS | {"nmap"}  # several connections, whose number depends on the network
JITTER = 0.02  # of the round trip, on average

prepare = sshmore.prepare


def plans(part: str, numbers: range) -> Iterator[Plan]:
    """Return the recordings with these numbers."""
    there = [name for name in GROUPS if not sshbuild.lacks(needs(sshmore.SERVERS[name].kind))]
    for number in numbers:
        group, condition = divmod(number, len(CONDITIONS))
        rtt, offload, v6 = CONDITIONS[condition]
        server = sshmore.SERVERS[there[group % len(there)]]
        seed = f"{part} {group}"
        yield Plan(part, group, server, rtt, "server", JITTER * rtt, offload, v6, seed=seed, again=True)


def sessions(plan: Plan, draw: random.Random) -> list[Session]:
    """Return the sessions of a group: half of them by people, no two alike while there are others."""
    ours = [name for name in PROGRAMS | EXTRA if sshmore.belongs(name, plan.server, "train") and name not in MANY]
    ours = [name for name in ours if not sshbuild.lacks(needs(name))]
    people = [name for name in ours if name in sshmore.PEOPLE]
    programs = [name for name in ours if name not in sshmore.PEOPLE]
    chosen: list[Session] = []
    for number in range(SESSIONS):
        session = ("", "", "")
        for _ in range(20):
            name = draw.choice((people if number % 2 else programs) or ours)
            _, outcomes, actions = (PROGRAMS | EXTRA)[name]
            session = (name, draw.choice(outcomes), draw.choice(actions))
            if session not in chosen:
                break
        chosen.append(session)
    return chosen


def record(plan: Plan, folder: Path, end: float) -> tuple[Path, list[str]]:
    """Play and record one; see `sshrecord.record`."""
    return sshrecord.record(plan, sessions, folder, end)
