# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers of `ssh-new`: how each is started so that it logs connections and credentials as `sshservers` reads them."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab import debian
from lab.debian import inside_debian
from lab.network import SERVER, SERVER6, USER, Lab
from lab.sshnewsystem import inside, python
from lab.sshservers import AEAD, CTR, Server, dropbear, hosts, openssh

OLD_PACKAGES = (*debian.PACKAGES, "dropbear-bin")
OLD = debian.place("bullseye", OLD_PACKAGES)
NO_FILES = {"twisted25"}  # their SFTP fails at the first path
FILES = {  # by server: what it needs of the system of `sshnewsystem`
    "proftpd": ("usr/sbin/proftpd", "usr/lib/proftpd/mod_sftp.so"),
    "paramiko5": ("opt/py/paramiko/paramiko",),
    "erlang": ("usr/lib/erlang/lib/ssh-*",),
    "twisted25": ("opt/py/cowrie/twisted",),
    "asyncssh24": ("opt/py/asyncssh/asyncssh",),
}
PROFTPD = """\
ModulePath /usr/lib/proftpd
LoadModule mod_sftp.c
ServerType inetd
DefaultServer on
UseIPv6 on
User nobody
Group nogroup
UseReverseDNS off
RequireValidShell off
AuthOrder mod_auth_unix.c
SystemLog {folder}/proftpd.log
SFTPEngine on
SFTPLog {folder}/proftpd.log
SFTPHostKey {folder}/host_ed25519
SFTPHostKey {folder}/host_rsa
SFTPAuthorizedUserKeys file:{folder}/authorized_keys.rfc4716
"""
SLOW = """\
auth optional pam_faildelay.so delay={delay}
auth required pam_unix.so nodelay
account required pam_unix.so
session required pam_unix.so
"""


def here(lab: Lab, name: str) -> str:
    """Copy a script of the lab to the recording's folder, which every system sees; returns its path there."""
    target = lab.folder / Path(name).name
    if not target.exists():
        shutil.copy(Path(__file__).with_name("other").parent / name, target)
    return str(target)


def who(lab: Lab) -> list[str]:
    """Return what a server of ours is told: user, password, file of keys."""
    return [USER, lab.password, str(lab.folder / "authorized_keys")]


def paramiko(lab: Lab, server: Server) -> list[str]:
    """Serve by Paramiko of PyPI."""
    return python("paramiko", here(lab, "sshserve.py"), "paramiko", *who(lab), methods(server), *hosts(lab))


def twisted(lab: Lab, server: Server) -> list[str]:
    """Serve by Twisted of PyPI."""
    return python("cowrie", here(lab, "sshserve.py"), "twisted", *who(lab), methods(server), *hosts(lab))


def asyncssh(lab: Lab, server: Server) -> list[str]:
    """Serve by AsyncSSH of PyPI."""
    return python("asyncssh", here(lab, "sshpython.py"), "serve", *who(lab), *hosts(lab))


def methods(server: Server) -> str:
    """Return which of password,keyboard a server takes."""
    return ",".join(name for name in ("password", "keyboard") if getattr(server, name))


def erlang(lab: Lab, server: Server) -> list[str]:
    """Serve by Erlang/OTP's ssh."""
    for path in hosts(lab):
        kind = path.rsplit("_", 1)[1]
        shutil.copy(path, lab.folder / f"ssh_host_{kind}_key")
    source = here(lab, "other/sshtalk.erl")
    words = ["erl", "-noshell", "-pa", str(lab.folder), "-run", "sshtalk", "main", "serve", *who(lab), str(lab.folder)]
    return inside("sh", "-c", f'cd {lab.folder} && erlc {source} && exec "$@"', "sh", *words)


def proftpd(lab: Lab, server: Server) -> list[str]:
    """Serve files by ProFTPD's mod_sftp, one process for each connection."""
    hosts(lab)
    config = lab.folder / "proftpd.conf"
    config.write_text(PROFTPD.format(folder=lab.folder))
    program = ["proftpd", "-c", str(config)]
    return inside("python3", here(lab, "sshinetd.py"), str(lab.folder / "proftpd.log"), *program)


def slow(lab: Lab, server: Server) -> list[str]:
    """Serve by OpenSSH whose PAM lets five seconds pass after a wrong password."""
    rules = lab.folder / "pam"
    rules.write_text(SLOW.format(delay=5_000_000))
    lab.server.do("mount", "--bind", str(rules), "/etc/pam.d/sshd")
    return openssh(lab, server)


def dropbear_old(lab: Lab, server: Server) -> list[str]:
    """Serve by Dropbear 2020.81 of Debian 11."""
    debian.prepare(lab, lab.server, OLD)
    key = lab.folder / "dropbear_ed25519"
    make = inside_debian(OLD, ["dropbearkey", "-t", "ed25519", "-f", str(key)])
    lab.server.do(*make)
    return inside_debian(OLD, ["dropbear", "-F", "-E", "-r", str(key), "-p", f"{SERVER}:22", "-p", f"[{SERVER6}]:22"])


def dropbear_banner(lab: Lab, server: Server) -> list[str]:
    """Serve by Dropbear with a banner, three tries and a small window."""
    return [*dropbear(lab, server), "-b", str(lab.folder / "banner"), "-T", "3", "-W", "16384"]


RSA = """\
HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256
KexAlgorithms diffie-hellman-group16-sha512,diffie-hellman-group14-sha256
Ciphers aes256-ctr,aes128-ctr
MACs hmac-sha2-512,hmac-sha2-256
"""
SERVERS = {
    server.name: server
    for server in (
        Server("proftpd", "proftpd", tries=3, shell=False, command=proftpd),
        Server("paramiko5", "paramiko", tries=10, ciphers=("", *CTR), command=paramiko),
        Server("erlang", "erlang", tries=6, logs_keys=False, ciphers=("", *AEAD, *CTR), command=erlang),
        Server("twisted25", "twisted", tries=20, ciphers=("", *CTR), command=twisted),
        Server("asyncssh24", "asyncssh", tries=20, ciphers=("", *AEAD, *CTR), command=asyncssh),
        Server("deb12-rsa", "openssh", more=RSA),
        Server("deb12-one", "openssh", more="MaxAuthTries 1", tries=1, ciphers=AEAD + CTR),
        Server("deb12-slow", "openssh", pam=True, keyboard=True, ciphers=AEAD + CTR, command=slow),
        Server("dropbear-old", "dropbear", logs_keys=False, tries=10, ciphers=("", *CTR[::2]), command=dropbear_old),
        Server("dropbear-banner", "dropbear", logs_keys=False, tries=3, command=dropbear_banner),
    )
}
