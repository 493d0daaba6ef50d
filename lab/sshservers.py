# SPDX-License-Identifier: LGPL-2.1-or-later
"""SSH servers of several programs and versions for labelled recordings, and what their logs say about each connection.

Every server logs each connection with the client's port and each answer it gave to a credential. That log, not the
traffic, is what labels come from.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab import servers, sshbuild
from lab.debian import LIBRARIES, RELEASES, inside_debian, release
from lab.network import SERVER, SERVER6, USER, WAIT, Lab

CONFIG = """\
Port 22
ListenAddress {v4}
ListenAddress {v6}
HostKey {folder}/host_ed25519
HostKey {folder}/host_rsa
PidFile none
UseDNS no
PasswordAuthentication {password}
KbdInteractiveAuthentication {keyboard}
UsePAM {pam}
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PermitRootLogin no
MaxStartups 100
PrintMotd no
LogLevel VERBOSE
LoginGraceTime 120
Subsystem sftp {sftp}
{more}
"""
PATTERNS = {
    "connected": (
        re.compile(r"Connection from (?P<ip>\S+) port (?P<port>\d+) on"),
        re.compile(r"Child connection from \[?(?P<ip>[0-9a-f.:]+?)\]?:(?P<port>\d+)$"),
    ),
    "accepted": (
        re.compile(r"Accepted (?P<how>\S+) for .* from (?P<ip>\S+) port (?P<port>\d+)"),
        re.compile(r"(?P<how>Password|Pubkey) auth succeeded for .* from \[?(?P<ip>[0-9a-f.:]+?)\]?:(?P<port>\d+)$"),
    ),
    "failed": (
        re.compile(r"Failed (?:password|keyboard-interactive\S*) for .* from (?P<ip>\S+) port (?P<port>\d+)"),
        re.compile(
            r"Bad (?:PAM )?password attempt for .*"
            r" from \[?(?P<ip>[0-9a-f.:]+?)\]?:(?P<port>\d+)$"
        ),
    ),
    "refused": (re.compile(r"Failed publickey for .* from (?P<ip>\S+) port (?P<port>\d+)"),),
}


@dataclass
class Facts:
    """What a server's log says about one connection."""

    ip: str
    port: int
    accepted: str = ""  # by which method
    failed: int = 0  # passwords and keyboard-interactive answers that were refused
    refused: int = 0  # keys that were refused
    connections: int = 0  # that came from this port: with several nobody knows which of them the rest is about


def read_log(text: str) -> dict[int, Facts]:
    """Return the facts about each connection by the client's port, in the order of the connections."""
    facts: dict[int, Facts] = {}
    for line in text.splitlines():
        for what, patterns in PATTERNS.items():
            for found in filter(None, (pattern.search(line.rstrip()) for pattern in patterns)):
                port = int(found["port"])
                fact = facts.setdefault(port, Facts(found["ip"], port))
                if what == "connected":
                    fact.connections += 1
                elif what == "accepted":
                    fact.accepted = found["how"].lower()
                elif what == "failed":
                    fact.failed += 1
                elif what == "refused":
                    fact.refused += 1
    return facts


@dataclass(frozen=True)
class Server:
    """A server program as it is set up."""

    name: str
    kind: str  # openssh, dropbear, asyncssh, paramiko, twisted, go; 13, 11, sid: of another Debian
    password: bool = True
    keyboard: bool = False
    pam: bool = False
    more: str = ""
    tries: int = 6  # passwords until the server closes
    shell: bool = True  # commands can be run and files copied as on any system
    logs_keys: bool = True  # whether the log tells of refused keys
    ciphers: tuple[str, ...] = field(default=())  # what clients may ask for; empty: they leave it to both programs
    command: Callable[[Lab, Server], list[str]] | None = None  # how it is called, where `kind` does not tell


AEAD = ("chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
CTR = ("aes128-ctr", "aes192-ctr", "aes256-ctr")
SERVERS = {
    server.name: server
    for server in (
        Server("deb12", "openssh", ciphers=AEAD + CTR),
        Server("deb12-pam", "openssh", pam=True, keyboard=True, ciphers=AEAD + CTR),
        Server("deb12-keyboard", "openssh", password=False, pam=True, keyboard=True, ciphers=AEAD + CTR),
        Server("deb12-banner", "openssh", more="Banner {folder}/banner\nMaxAuthTries 4", tries=4, ciphers=AEAD + CTR),
        Server("deb12-cbc", "openssh", more="Ciphers +aes128-cbc\nCompression yes", ciphers=("aes128-cbc", *CTR)),
        Server("deb13", "openssh13", more="PerSourcePenalties no", ciphers=AEAD + CTR),
        Server("deb13-pam", "openssh13", pam=True, keyboard=True, more="PerSourcePenalties no", ciphers=AEAD + CTR),
        Server("dropbear", "dropbear", logs_keys=False, tries=10, ciphers=("", "aes128-ctr", "aes256-ctr")),
        Server("asyncssh", "asyncssh", tries=20, ciphers=AEAD + CTR),
    )
}
KEYS = "HostKey {folder}/host_ecdsa\n"
ONE = KEYS + "Ciphers {cipher}\nMACs hmac-sha2-512,hmac-sha2-256\nKexAlgorithms ecdh-sha2-nistp384,curve25519-sha256"
TWO = KEYS + "AuthenticationMethods publickey,password"
STRICT = "PerSourcePenalties no\nMaxAuthTries 3\nBanner {folder}/banner"
EXTRA = {
    server.name: server
    for server in (
        Server("go", "go", ciphers=("", *AEAD[:2], *CTR)),
        Server("go-keyboard", "go", keyboard=True, password=False, ciphers=("", *AEAD[:2], *CTR)),
        Server("paramiko", "paramiko", tries=10, ciphers=("", *CTR)),
        Server("paramiko13-both", "paramiko13", keyboard=True, tries=10, ciphers=("", *CTR)),
        Server("twisted", "twisted", tries=20, ciphers=("", *CTR)),
        Server("dropbear13", "dropbear13", logs_keys=False, tries=10, ciphers=("", AEAD[0], "aes256-ctr")),
        Server("asyncssh13", "asyncssh13", tries=20, ciphers=("", *AEAD, *CTR)),
        Server(
            "deb12-both3", "openssh", pam=True, keyboard=True, more=KEYS + "MaxAuthTries 3", tries=3, ciphers=AEAD + CTR
        ),
        Server("deb12-gcm", "openssh", more=ONE.replace("{cipher}", "aes256-gcm@openssh.com")),
        Server("deb12-aes192", "openssh", more=ONE.replace("{cipher}", "aes192-ctr")),
        Server("deb12-two", "openssh", more=TWO, ciphers=AEAD + CTR),
        Server("deb13-strict", "openssh13", more=STRICT, tries=3),
        Server("deb13-two", "openssh13", more="PerSourcePenalties no\n" + TWO, ciphers=AEAD + CTR),
    )
}
RELEASES_OF = {
    server.name: server
    for server in (
        Server("deb11", "openssh11", more="ChallengeResponseAuthentication no", ciphers=AEAD + CTR),  # as Debian has it
        Server("deb11-plain", "openssh11", ciphers=AEAD + CTR),  # keyboard-interactive is offered, and refused unasked
        Server("deb11-pam", "openssh11", pam=True, keyboard=True, ciphers=AEAD + CTR),
        Server("deb11-keyboard", "openssh11", password=False, pam=True, keyboard=True, ciphers=AEAD + CTR),
        Server("sid", "opensshsid", more=KEYS + "PerSourcePenalties no", ciphers=AEAD + CTR),
        Server("sid-pam", "opensshsid", pam=True, keyboard=True, more="PerSourcePenalties no", ciphers=AEAD + CTR),
    )
}
BANNER = "Authorised use only. All activity may be monitored and reported.\n" * 3


def start(lab: Lab, server: Server) -> Callable[[], str]:
    """Start the server on port 22 of both addresses; returns a function that reads its log."""
    log = lab.folder / "server.log"
    (lab.folder / "banner").write_text(BANNER)
    (lab.folder / "authorized_keys").touch()
    lab.folder.chmod(0o755)
    new = release(server.kind)
    kind = server.kind.removesuffix(new)
    command = (server.command or {"dropbear": dropbear, "openssh": openssh}.get(kind, _ours))(lab, server)
    if new:
        command = inside_debian(RELEASES[new] if kind == "openssh" else LIBRARIES, command)
    lab.server.start(*command, log=log)
    lab.server.await_port(22)
    return lambda: log.read_text(errors="replace")


def dropbear(lab: Lab, server: Server) -> list[str]:
    """Return how Dropbear is called; it has an Ed25519 key."""
    key = lab.folder / "dropbear_ed25519"
    make = ["dropbearkey", "-t", "ed25519", "-f", str(key)]
    subprocess.run(make, check=True, capture_output=True, timeout=WAIT)
    return ["dropbear", "-F", "-E", "-r", str(key), "-p", f"{SERVER}:22", "-p", f"[{SERVER6}]:22"]


def hosts(lab: Lab) -> list[str]:
    """Make host keys, Ed25519 and RSA, and return their files."""
    return [str(servers.keygen(lab.folder / f"host_{kind}", kind)) for kind in ("ed25519", "rsa")]


def openssh(lab: Lab, server: Server) -> list[str]:
    """Return how OpenSSH is called, as the server is set up."""
    hosts(lab)
    if KEYS in server.more:
        servers.keygen(lab.folder / "host_ecdsa", "ecdsa")
    config = lab.folder / "sshd_config"
    text = CONFIG.format(
        v4=SERVER,
        v6=SERVER6,
        folder=lab.folder,
        password="yes" if server.password else "no",
        keyboard="yes" if server.keyboard else "no",
        pam="yes" if server.pam else "no",
        sftp="internal-sftp",
        more=server.more.format(folder=lab.folder),
    )
    config.write_text(text)
    return ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)]


def _ours(lab: Lab, server: Server) -> list[str]:
    """Return how a server is called that is a library and a few lines of ours."""
    kind = server.kind.removesuffix("13")
    who = [USER, lab.password, str(lab.folder / "authorized_keys")]
    methods = [name for name in ("password", "keyboard") if getattr(server, name)]
    if kind == "go":
        return [str(sshbuild.GO), "serve", *who, ",".join(methods), *hosts(lab)]
    script = lab.folder / "server.py"  # where a chroot sees it, too
    source = "sshpython.py" if kind == "asyncssh" else "sshserve.py"
    script.write_text(Path(__file__).with_name(source).read_text())
    words = ["serve", *who] if kind == "asyncssh" else [kind, *who, ",".join(methods)]
    return ["/usr/bin/python3", str(script), *words, *hosts(lab)]


def here(lab: Lab, name: str) -> str:
    """Copy a script of the lab to the recording's folder, which every system sees; returns its path there."""
    target = lab.folder / Path(name).name
    if not target.exists():
        shutil.copy(Path(__file__).parent / name, target)
    return str(target)


def authorize(lab: Lab, public: Path) -> None:
    """Let the user log in with this key, whatever the server."""
    (lab.folder / "authorized_keys").write_text(public.read_text())
    done = subprocess.run(["ssh-keygen", "-e", "-f", str(public)], capture_output=True, timeout=WAIT, check=True)
    (lab.folder / "authorized_keys.rfc4716").write_bytes(done.stdout)  # as ProFTPD wants them
    lab.server.do("install", "-o", "7077", "-g", "7077", "-m", "600", str(public), f"/home/{USER}/.ssh/authorized_keys")
