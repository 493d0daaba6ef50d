# SPDX-License-Identifier: LGPL-2.1-or-later
"""What SSH sessions share: the stage they play on, the truth that their drivers know, options drawn at random.

A session knows only what its driver did (who answered, what was typed, what was run); what the server thought of the
credentials is read from the server's log.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from lab import servers
from lab.debian import NEW, RELEASES, inside_debian, release
from lab.network import SERVER, SERVER6, USER, Lab
from lab.sshservers import Server, authorize

LINES = (
    "uname -a",
    "ls -l /etc | head -30",
    "cat /etc/hostname",
    "df -h",
    "w",
    "id",
    "ps aux | tail -5",
    "cd /var/log",
    "echo hello world",
    "tail -3 /etc/passwd",
    "date",
    "free -m",
)
WRONG = (
    *("123456", "letmein", "Summer2024!", "correct horse 8", "student"),
    *("qwertyuiop12", "hunter2", "P@ssw0rd", "root", "Student1!", "0", "let me in, it is only me again"),
)


@dataclass
class Truth:
    """What the driver did in one session, in the words of the labels."""

    password: str = ""  # who answered questions for a password: human, automated
    hostkey: str = ""  # accepted, refused: by a person, or refused by a setting
    session: str = ""  # interactive, exec, transfer, forward: what is done once logged in
    typed: str = ""  # human.typing, human.lines, automated.typing
    refused_key: bool = False  # a key was offered that the server does not know
    preauth: str = ""  # banner, scan: what kind of caller left before credentials
    broken: bool = False  # the program ended with an error: what it did once logged in is not known


@dataclass
class Stage:
    """Where sessions of one recording play: the lab, its server, and what random choices are drawn from."""

    lab: Lab
    server: Server
    random: random.Random
    v6: bool
    any_key: bool = False  # the key that the server knows is of any kind, not always Ed25519
    number: int = 0
    notes: list[str] = field(default_factory=list)
    status: int = 0  # how the last program ended
    _keys: dict[str, Path] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The server's address."""
        return SERVER6 if self.v6 else SERVER

    @property
    def target(self) -> str:
        """The user at the server's address."""
        return f"{USER}@{self.address}"

    def key(self, good: bool) -> Path:
        """Return a private key that the server knows, or does not."""
        name = "good" if good else "bad"
        if name not in self._keys:
            kind = self.random.choice(("ed25519", "ed25519", "rsa", "ecdsa"))
            self._keys[name] = servers.keygen(
                self.lab.folder / f"id_{name}", "ed25519" if good and not self.any_key else kind
            )
            if good:
                authorize(self.lab, self._keys[name].with_suffix(".pub"))
        return self._keys[name]

    def wrong(self, count: int) -> list[str]:
        """Return so many wrong passwords."""
        return self.random.sample(WRONG, count)

    def run(self, *command: str, stdin: bytes = b"", seconds: float = 60, **variables: str) -> bytes:
        """Run a program without a terminal, as a service would; how it ends is its own affair."""
        settings = ["HOME=/root", *(f"{name}={value}" for name, value in variables.items())]
        line = self.lab.client.inside("setsid", "-w", "env", *settings, "timeout", str(seconds), *command)
        done = subprocess.run(line, input=stdin, capture_output=True, timeout=seconds + 10, check=False)
        self.status = done.returncode
        self.notes.append(f"{' '.join(command)[:150]}: {done.returncode} {done.stderr.decode(errors='replace')[-150:]}")
        return done.stdout


def options(stage: Stage, client: str, *, ask: bool = False, strict: bool = False) -> list[str]:
    """Return OpenSSH's words for a client of this session: its host keys, and ciphers as somebody set them up."""
    stage.number += 1
    known = f"/root/known-{stage.number}" if ask or strict else "/root/known"
    check = "ask" if ask else "yes" if strict else "no"
    words = ["-F", "none", "-o", f"UserKnownHostsFile={known}", "-o", f"StrictHostKeyChecking={check}"]
    if stage.random.random() < 0.5 and stage.server.ciphers:
        cipher = stage.random.choice(stage.server.ciphers)
        if cipher:
            words += ["-c", cipher]
        if "ctr" in cipher and not stage.server.kind.startswith("dropbear") and stage.random.random() < 0.7:
            macs = ("hmac-sha2-256", "hmac-sha2-512", "umac-64@openssh.com", "umac-128-etm@openssh.com", "hmac-sha1")
            words += ["-o", f"MACs={stage.random.choice(macs)},hmac-sha2-256"]
    if stage.random.random() < 0.25:
        exchange = ("curve25519-sha256", "ecdh-sha2-nistp256", "diffie-hellman-group14-sha256")
        words += ["-o", f"KexAlgorithms={stage.random.choice(exchange)},curve25519-sha256"]
    if stage.random.random() < 0.15:
        words.append("-C")
    return words


def openssh(client: str, program: str = "ssh") -> list[str]:
    """Return how this version of OpenSSH is called."""
    if client == "ssh7":  # 7.5, which Debian 12 has for machines that know no other protocol
        return inside_debian(NEW, ["ssh1"])
    new = release(client)
    return inside_debian(RELEASES[new], [program]) if new else [program]


def _fingerprint(public: Path) -> str:
    done = subprocess.run(["ssh-keygen", "-lf", str(public)], capture_output=True, check=True, timeout=30, text=True)
    return done.stdout.split()[1]


def _host_keys(stage: Stage) -> list[Path]:
    """Return the files with the server's public host keys."""
    found = list(stage.lab.folder.glob("host_*.pub"))
    if stage.server.kind.startswith("dropbear"):
        command = ["dropbearkey", "-y", "-f", str(stage.lab.folder / "dropbear_ed25519")]
        done = subprocess.run(command, capture_output=True, check=True, timeout=30, text=True)
        line = next(line for line in done.stdout.splitlines() if line.startswith("ssh-"))
        public = stage.lab.folder / "dropbear.pub"
        public.write_text(line)
        found.append(public)
    return found


def fingerprints(stage: Stage) -> list[str]:
    """Return the fingerprints of the server's host keys as plink wants them."""
    return [_fingerprint(path) for path in _host_keys(stage)]


def known_hosts(stage: Stage) -> str:
    """Return the server's host keys as a file of known hosts has them."""
    return "".join(f"{stage.address} {path.read_text().strip()}\n" for path in _host_keys(stage))
