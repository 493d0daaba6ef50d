# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labelled SSH recordings: which sessions play against which server over which network, and their labels.

Everything is drawn from the recording's number. Train and test share no pair of client and server program, and some
clients (UNSEEN) play in the test part only.
"""

from __future__ import annotations

import random
import shutil
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import debian, labels, sshservers
from lab.network import SERVER, SERVER6, USER, Lab, LabError
from lab.sshservers import SERVERS, Facts, Server
from lab.sshsessions import PROGRAMS, missing
from lab.sshstage import Stage, Truth

UNSEEN = {"medusa", "asyncssh", "expect-dbclient", "http"}
RTTS = (0.0, 0.010, 0.040, 0.080, 0.160)
PASSWORDS = ("correct horse 7", "Tr0ub4dor&3", "x7!", "a long sentence that only I would type", "hunter22")
PARTS = ("train", "test")
PEOPLE = {"ssh", "ssh13", "dbclient", "plink"}
GUESSERS = {"hydra", "medusa", "ncrack"}
SESSIONS = 14  # in one recording


@dataclass(frozen=True)
class Plan:
    """One recording."""

    part: str
    number: int
    server: Server
    rtt: float  # seconds
    far: str  # which side the long link is at: server, client
    jitter: float  # seconds, on average, each way
    offload: bool
    v6: bool

    @property
    def name(self) -> str:
        """Name of the capture, without suffix."""
        net = f"{round(self.rtt * 1000)}ms-v{6 if self.v6 else 4}{'-gro' if self.offload else ''}"
        return f"ssh-{self.number:03d}-{self.server.name}-{net}"


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


def plans(part: str, numbers: range) -> Iterator[Plan]:
    """Return the recordings of a part with these numbers; servers and round trips take turns."""
    names = list(SERVERS)
    for number in numbers:
        draw = random.Random(f"{part} {number}")
        server = SERVERS[names[number % len(names)]]
        rtt = draw.choice(RTTS)
        yield Plan(
            part, number, server, rtt,
            far=draw.choice(("server", "server", "client")),
            jitter=rtt * draw.choice((0, 0.02, 0.1)),
            offload=draw.random() < 0.4,
            v6=draw.random() < 0.3,
        )  # fmt: skip


def sessions(plan: Plan, draw: random.Random) -> list[tuple[str, str, str]]:
    """Return program, outcome and action of each session of a recording: half of them by people where some can be."""
    ours = [name for name in PROGRAMS if belongs(name, plan.server, plan.part)]
    people = [name for name in ours if name in PEOPLE]
    programs = [name for name in ours if name not in PEOPLE]
    chosen = []
    for number in range(SESSIONS):
        name = draw.choice(people if people and number % 2 else programs or people)
        if name in GUESSERS and draw.random() < 0.4:
            name = draw.choice(programs)
        _, outcomes, actions = PROGRAMS[name]
        outcome, action = draw.choice(outcomes), draw.choice(actions)
        chosen.append((name, outcome, action))
    return chosen


def label(facts: Facts, truth: Truth) -> str:
    """Join what the log says of a flow and what the driver did to its labels."""
    found = []
    if facts.accepted:
        found.append("ssh.auth.success")
    if facts.failed:
        found.append(f"ssh.auth.failure={facts.failed}")
    refused = facts.refused or truth.refused_key
    if refused:
        found.append("ssh.pubkey.refused")
    if not (facts.accepted or facts.failed or refused):
        found.append("ssh.preauth.closed")
        if truth.preauth:
            found.append(f"ssh.preauth.closed.{truth.preauth}")
    if truth.hostkey:
        found.append(f"ssh.hostkey.{truth.hostkey}")
    by_password = facts.failed or facts.accepted not in ("", "publickey", "pubkey")
    if truth.password and by_password:
        found.append(f"{truth.password}.password")
    if facts.accepted:
        found += [f"ssh.session.{truth.session}"] if truth.session else []
        found += [truth.typed] if truth.typed else []
    return "|".join(found)


def only(data: bytes, ports: set[int]) -> bytes:
    """Return a little-endian pcap file of Ethernet frames with TCP of these client ports alone.

    What went wrong in a session leaves a flow about which nothing is known; it must not stay in the capture.
    """
    rows = [data[:24]]
    place = 24
    while place < len(data):
        kept = int.from_bytes(data[place + 8 : place + 12], "little")
        frame = data[place + 16 : place + 16 + kept]
        tcp = 54 if frame[14] >> 4 == 6 else 14 + (frame[14] & 15) * 4
        if {int.from_bytes(frame[tcp : tcp + 2]), int.from_bytes(frame[tcp + 2 : tcp + 4])} & ports:
            rows.append(data[place : place + 16 + kept])
        place += 16 + kept
    return b"".join(rows)


def record(plan: Plan, folder: Path, end: float) -> tuple[Path, list[str]]:
    """Play and record; returns the capture and notes on what went wrong.

    Writes NAME.pcap, NAME.labels.csv, NAME.sessions.csv and NAME.log, the server's.
    Begins no session after `end` (time.monotonic).
    """
    draw = random.Random(f"{plan.part} {plan.number} sessions")
    delay = {f"{plan.far}_delay": plan.rtt / 2}
    rows: list[labels.Row] = []
    problems: list[str] = []
    played = ["capture,client_port,session\n"]
    folder.mkdir(parents=True, exist_ok=True)
    network = {"jitter": plan.jitter, "offload": plan.offload, "password": draw.choice(PASSWORDS)}
    with Lab(**delay, **network) as lab:  # type: ignore[arg-type]
        debian.prepare(lab, lab.client)
        debian.prepare(lab, lab.server)
        log = sshservers.start(lab, plan.server)
        stage = Stage(lab, plan.server, draw, plan.v6)
        stage.key(True)
        raw = lab.folder / "capture.pcap"
        truths: dict[int, tuple[str, Truth]] = {}  # by the client's port
        with lab.record(raw, "client"):
            for program, outcome, action in sessions(plan, draw):
                if time.monotonic() > end:
                    break
                before = set(sshservers.read_log(log()))
                what = f"{program}/{outcome}/{action}"
                stage.notes.clear()
                try:
                    truth = PROGRAMS[program][0](stage, program, outcome, action)
                except (LabError, OSError) as error:
                    problems.append(f"{plan.name} {what}: {error}")
                    truth = None
                time.sleep(1 + 2 * plan.rtt)
                after = sshservers.read_log(log())
                new = set(after) - before
                if not new:
                    problems.append(f"{plan.name} {what}: no connection; {stage.notes}")
                for port in new:
                    if truth:
                        truths[port] = (what, truth)
                    wanted = outcome in ("0", "1", "2", "key", "badkey", "yes") and program not in GUESSERS
                    if wanted and not after[port].accepted and program not in ("key", "key13"):
                        problems.append(f"{plan.name} {what}: not accepted: {after[port]}; {stage.notes}")
        lab.server.do("id", USER)  # a package that adds a user to this machine uncovers the real account files
        for facts in sshservers.read_log(log()).values():
            if facts.port in truths and facts.connections == 1:
                what, truth = truths[facts.port]
                address = SERVER6 if ":" in facts.ip else SERVER
                found = label(facts, truth)
                rows.append(labels.Row(f"{plan.name}.pcap", "tcp", facts.ip, facts.port, address, 22, found))
                played.append(f"{plan.name}.pcap,{facts.port},{what}\n")
        path = folder / f"{plan.name}.pcap"
        part = folder / f".{plan.name}.part"
        part.write_bytes(only(raw.read_bytes(), {row.client_port for row in rows}))
        shutil.copy(lab.folder / "server.log", folder / f"{plan.name}.log")
        (folder / f"{plan.name}.sessions.csv").write_text("".join(played))
        labels.write(folder / f"{plan.name}.labels.csv", rows)
        part.rename(path)
    return path, problems
