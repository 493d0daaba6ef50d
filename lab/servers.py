# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real servers started on the lab's server machine; each returns once its port listens."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab.network import SERVER, USER, WAIT, Lab

SSHD_CONFIG = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host_ed25519
HostKey {folder}/host_rsa
PidFile none
UsePAM no
UseDNS no
PasswordAuthentication yes
KbdInteractiveAuthentication no
AuthorizedKeysFile .ssh/authorized_keys
PermitRootLogin no
MaxStartups 100
PrintMotd no
Subsystem sftp internal-sftp
{more}
"""


def keygen(path: Path, kind: str) -> Path:
    """Make a key pair without passphrase and return the private key's path."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "lab", "-f", str(path)]
    # RSA takes its time on a busy machine
    subprocess.run(command, check=True, timeout=5 * WAIT)
    return path


def openssh(lab: Lab, port: int = 22, more: str = "") -> None:
    """Start OpenSSH sshd with password and key logins; `more` is added to its configuration."""
    if not (lab.folder / "host_rsa").exists():
        for kind in ("ed25519", "rsa"):
            keygen(lab.folder / f"host_{kind}", kind)
    config = lab.folder / f"sshd_{port}"
    config.write_text(SSHD_CONFIG.format(port=port, address=SERVER, folder=lab.folder, more=more))
    lab.server.start("/usr/sbin/sshd", "-D", "-e", "-f", str(config), log=lab.folder / f"sshd-{port}.log")
    lab.server.await_port(port)


def dropbear(lab: Lab, port: int = 22) -> None:
    """Start Dropbear with password and key logins."""
    key = lab.folder / "dropbear_ed25519"
    if not key.exists():
        make = ["dropbearkey", "-t", "ed25519", "-f", str(key)]
        subprocess.run(make, check=True, capture_output=True, timeout=WAIT)
    lab.server.start("dropbear", "-F", "-E", "-r", str(key), "-p", f"{SERVER}:{port}", log=lab.folder / "dropbear.log")
    lab.server.await_port(port)


def authorize(lab: Lab, public: Path) -> None:
    """Let the user log in with this key."""
    target = f"/home/{USER}/.ssh/authorized_keys"
    lab.server.do("install", "-o", USER, "-g", USER, "-m", "600", str(public), target)


def telnet(lab: Lab, port: int = 23) -> None:
    """Start GNU inetutils telnetd, which asks login(1), behind socat in the part of inetd."""
    listen = f"TCP4-LISTEN:{port},bind={SERVER},fork,reuseaddr,nodelay"
    lab.server.start("socat", listen, "EXEC:/usr/sbin/telnetd -h,nofork", log=lab.folder / "telnetd.log")
    lab.server.await_port(port)


def smtp(lab: Lab, port: int = 25) -> None:
    """Start a mail server (aiosmtpd) that accepts everything and keeps nothing."""
    handler = ["-c", "aiosmtpd.handlers.Sink"]
    command = ["/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", f"{SERVER}:{port}", *handler]
    lab.server.start(*command, log=lab.folder / "smtp.log")
    lab.server.await_port(port)


def shell(lab: Lab, port: int = 4444) -> None:
    """Start a shell bound to a port without a terminal, as an intruder leaves it behind."""
    listen = f"TCP4-LISTEN:{port},bind={SERVER},fork,reuseaddr"
    lab.server.start("socat", listen, "EXEC:/bin/sh,stderr", log=lab.folder / "shell.log")
    lab.server.await_port(port)


def web(lab: Lab, port: int = 80, size: int = 3_000_000) -> None:
    """Start Python's HTTP server with one file, `blob`, of `size` bytes."""
    folder = lab.folder / "web"
    folder.mkdir()
    (folder / "blob").write_bytes(bytes(size))
    command = ["/usr/bin/python3", "-m", "http.server", str(port), "-b", SERVER, "-d", str(folder)]
    lab.server.start(*command, log=lab.folder / "web.log")
    lab.server.await_port(port)
