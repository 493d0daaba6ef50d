# SPDX-License-Identifier: LGPL-2.1-or-later
"""Play the sessions of one SSH recording and write the capture with its labels."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import debian, labels, sshservers
from lab.network import CLIENT, CLIENT6, SERVER, SERVER6, USER, Lab, LabError
from lab.sshextra import ALL
from lab.sshservers import Facts, Server
from lab.sshsessions import Play
from lab.sshstage import Stage, Truth

# They open several connections and may not get in.
GUESSERS = {"hydra", "medusa", "ncrack", "patator", "nmap-brute"}
GUESSERS |= {f"loop-{name}" for name in ("ruby", "node", "paramiko5", "perl", "erlang", "trilead")}
KEYS = {"key", "key13", "key11", "key-sid"}  # what they are called for is not always a login
# They send a password before they know whether the server takes any. Where it does not, OpenSSH refuses it without a
# word in its log: nobody knows whether that is a failed login, so those flows are left out.
BLIND = {"paramiko", "paramiko13", "paramiko-tty", "libssh-tty", "php", "patator"}
PASSWORDS = ("correct horse 7", "Tr0ub4dor&3", "x7!", "a long sentence that only I would type", "hunter22")
Session = tuple[str, str, str]  # program, outcome, action
Program = tuple[Play, tuple[str, ...], tuple[str, ...]]  # how it is played, its outcomes, its actions
IN = ("0", "1", "2", "key", "badkey", "both", "yes")  # outcomes of the others that end in a login


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
    seed: str = ""  # what its sessions are drawn from; empty: part and number
    roots: tuple[Path, ...] = (debian.TRIXIE, debian.LIBRARIES)  # systems whose programs play
    any_key: bool = False  # see Stage
    again: bool = False  # whether the same sessions are played under other conditions, too

    @property
    def name(self) -> str:
        """Name of the capture, without suffix."""
        net = f"{round(self.rtt * 1000)}ms-v{6 if self.v6 else 4}{'-gro' if self.offload else ''}"
        return f"ssh-{self.number:03d}-{self.server.name}-{net}"


Choose = Callable[[Plan, random.Random], Iterable[Session]]


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


def record(
    plan: Plan, choose: Choose, folder: Path, end: float, programs: Mapping[str, Program] = ALL
) -> tuple[Path, list[str]]:
    """Play the sessions that `choose` returns and record them; returns the capture and notes on what went wrong.

    Writes NAME.pcap, NAME.labels.csv, NAME.sessions.csv and NAME.log, the server's.
    Begins no session after `end` (time.monotonic). With a seed in the plan each session draws from seed and place, so
    that what one did changes nothing in the next.
    """
    draw = random.Random(plan.seed or f"{plan.part} {plan.number} sessions")
    delay = {f"{plan.far}_delay": plan.rtt / 2}
    rows: list[labels.Row] = []
    problems: list[str] = []
    played = ["capture,client_port,session,place\n"]
    folder.mkdir(parents=True, exist_ok=True)
    network = {"jitter": plan.jitter, "offload": plan.offload, "password": draw.choice(PASSWORDS)}
    with Lab(**delay, **network) as lab:  # type: ignore[arg-type]
        for root in filter(Path.is_dir, plan.roots):
            debian.prepare(lab, lab.client, root)
            debian.prepare(lab, lab.server, root)
        log = sshservers.start(lab, plan.server)
        stage = Stage(lab, plan.server, draw, plan.v6, plan.any_key)
        stage.key(True)
        raw = lab.folder / "capture.pcap"
        truths: dict[int, tuple[int, str, Truth]] = {}  # by the client's port
        with lab.record(raw, "client"):
            for place, (program, outcome, action) in enumerate(choose(plan, draw)):
                if time.monotonic() > end:
                    break
                before = set(sshservers.read_log(log()))
                what = f"{program}/{outcome}/{action}"
                stage.notes.clear()
                if plan.seed:
                    stage.random = random.Random(f"{plan.seed} {place}")
                try:
                    truth = programs[program][0](stage, program, outcome, action)
                except (LabError, OSError) as error:
                    problems.append(f"{plan.name} {what}: {error}")
                    truth = None
                time.sleep(1 + 2 * plan.rtt)
                after = sshservers.read_log(log())
                new = set(after) - before
                if not new:
                    problems.append(f"{plan.name} {what}: no connection; {stage.notes}")
                if truth and plan.server.logs_keys:  # a key that could not be read was never offered
                    truth.refused_key = False
                for port in new:
                    if truth and not (truth.broken and after[port].accepted):
                        truths[port] = (place, what, truth)
                    wanted = outcome in IN and program not in GUESSERS | KEYS
                    if wanted and not after[port].accepted:
                        problems.append(f"{plan.name} {what}: not accepted: {after[port]}; {stage.notes}")
        lab.server.do("id", USER)  # a package that adds a user to this machine uncovers the real account files
        for facts in sshservers.read_log(log()).values():
            ours = facts.ip in (CLIENT, CLIENT6)  # not a connection that came through a tunnel
            if ours and facts.port in truths and facts.connections == 1:
                place, what, truth = truths[facts.port]
                if truth.password and not plan.server.password and what.split("/")[0] in BLIND:
                    continue
                address = SERVER6 if ":" in facts.ip else SERVER
                found = label(facts, truth)
                session = f"{plan.number:03d}-{place:02d} {plan.server.name} {what}" if plan.again else ""
                rows.append(labels.Row(f"{plan.name}.pcap", "tcp", facts.ip, facts.port, address, 22, found, session))
                played.append(f"{plan.name}.pcap,{facts.port},{what},{place}\n")
        path = folder / f"{plan.name}.pcap"
        if not rows:
            return path, [*problems, "nothing was recorded, and nothing is kept: the next run makes it"]
        part = folder / f".{plan.name}.part"
        part.write_bytes(only(raw.read_bytes(), {row.client_port for row in rows}))
        shutil.copy(lab.folder / "server.log", folder / f"{plan.name}.log")
        (folder / f"{plan.name}.sessions.csv").write_text("".join(played))
        labels.write(folder / f"{plan.name}.labels.csv", rows)
        part.rename(path)
    return path, problems
