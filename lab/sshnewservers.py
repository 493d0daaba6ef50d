# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers of `ssh-new`: how each is started so that `sshservers` can read in its log what it was offered."""

from __future__ import annotations

import shutil
import subprocess

from lab import debian
from lab.debian import inside_debian
from lab.network import SERVER, SERVER6, USER, WAIT, Lab
from lab.sshnewhoneypots import cowrie, endlessh, sshesame, tinyssh
from lab.sshnewsystem import inside, python
from lab.sshservers import AEAD, CTR, Server, dropbear, here, hosts, openssh

OLD_PACKAGES = (*debian.PACKAGES, "dropbear-bin")
OLD = debian.place("bullseye", OLD_PACKAGES)
NO_FILES = {"twisted25", "tunnels", "libssh", "cowrie", "sshesame"}  # they have no SFTP, or it fails at the first path
FILES = {  # by server: what it needs of the system of `sshnewsystem`
    "proftpd": ("usr/sbin/proftpd", "usr/lib/proftpd/mod_sftp.so"),
    "paramiko5": ("opt/py/paramiko/paramiko",),
    "erlang": ("usr/lib/erlang/lib/ssh-*",),
    "twisted25": ("opt/py/cowrie/twisted",),
    "asyncssh24": ("opt/py/asyncssh/asyncssh",),
    "node": ("usr/bin/node", "opt/node/node_modules/ssh2"),
    "tunnels": ("usr/bin/node", "opt/node/node_modules/@microsoft/dev-tunnels-ssh"),
    "libssh": ("usr/lib/x86_64-linux-gnu/libssh.so.4",),
    "tinyssh": ("usr/sbin/tinysshd",),
    "cowrie": ("opt/py/cowrie/cowrie",),
    "sshesame": ("usr/bin/sshesame",),
    "endlessh": ("usr/bin/endlessh",),
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
LONG = "Use of this machine is logged, and what is logged may be given to others. Leave now if you must not be here.\n"
SLOW = """\
auth optional pam_faildelay.so delay={delay}
auth required pam_unix.so nodelay
account required pam_unix.so
session required pam_unix.so
"""


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


def node(lab: Lab, server: Server) -> list[str]:
    """Serve by npm's ssh2."""
    words = ["env", "NODE_PATH=/opt/node/node_modules", "node", here(lab, "other/ssh.js"), "serve"]
    return inside(*words, *who(lab), methods(server), *hosts(lab))


def tunnels(lab: Lab, server: Server) -> list[str]:
    """Serve by Microsoft's library for dev tunnels, which wants its host key as PEM."""
    key = lab.folder / "tunnels.pem"
    shutil.copy(hosts(lab)[1], key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-f", str(key)], check=True, timeout=WAIT)
    words = ["env", "NODE_PATH=/opt/node/node_modules", "node", here(lab, "other/sshtunnels.js"), "serve"]
    return inside(*words, *who(lab), str(key))


def libssh(lab: Lab, server: Server) -> list[str]:
    """Serve by libssh."""
    return inside("/usr/bin/python3", here(lab, "sshlibsshserve.py"), *who(lab), *hosts(lab))


def long_banner(lab: Lab, server: Server) -> list[str]:
    """Serve by OpenSSH with a banner of several packets' size."""
    (lab.folder / "long").write_text(LONG * 30)
    return openssh(lab, server)


RSA = """\
HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256
KexAlgorithms diffie-hellman-group16-sha512,diffie-hellman-group14-sha256
Ciphers aes256-ctr,aes128-ctr
MACs hmac-sha2-512,hmac-sha2-256
"""
STEPS = "PerSourcePenalties no\nAuthenticationMethods publickey,keyboard-interactive"
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
        Server("node", "node", keyboard=True, tries=6, ciphers=("", *AEAD[1:], *CTR), command=node),
        Server("tunnels", "tunnels", tries=5, logs_keys=False, command=tunnels),
        Server("libssh", "libssh", tries=6, ciphers=("", *AEAD, *CTR), command=libssh),
        Server("tinyssh", "tinyssh", password=False, command=tinyssh),
        Server("cowrie", "twisted", tries=20, command=cowrie),
        Server("sshesame", "go", tries=6, command=sshesame),
        Server("endlessh", "endlessh", password=False, shell=False, command=endlessh),
        Server("deb12-gss", "openssh", more="GSSAPIAuthentication yes\nGSSAPIKeyExchange yes", ciphers=AEAD + CTR),
        Server("deb12-grace", "openssh", more="LoginGraceTime 8\nMaxAuthTries 2", tries=2, ciphers=AEAD + CTR),
        Server("deb12-long", "openssh", more="Banner {folder}/long", ciphers=AEAD + CTR, command=long_banner),
        Server("deb13-steps", "openssh13", pam=True, keyboard=True, more=STEPS, ciphers=AEAD + CTR),
    )
}
