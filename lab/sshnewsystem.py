# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian 12 in a directory with SSH programs that the machine itself need not have: of Debian, of PyPI and of npm.

It is made once, below FLOWTAP_CACHE (/var/cache/flowtap). A package that cannot be had is left out with a line that
says so: the programs that need it then do not play.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import debian
from lab.network import LabError

SUITE = "bookworm"
BASE = ("openssh-server", "openssh-client", "procps", "python3", "git", "sshpass", "curl", "openssl", "ca-certificates")
# Debian's packages, by what is left out without them.
PACKAGES = {
    "servers": ("tinysshd", "proftpd-core", "proftpd-mod-crypto", "sshesame", "endlessh"),
    "clients": ("openssh-client-ssh1", "mosh", "telnet", "ncat", "monitoring-plugins-basic"),
    "libraries": ("libnet-ssh2-perl", "libnet-openssh-perl", "libio-pty-perl", "libnet-sftp-foreign-perl"),
    "more libraries": ("php-phpseclib", "php-phpseclib3", "php-cli", "ruby-net-scp", "libssh-4"),
    "runtimes": ("ruby-ed25519", "ruby-bcrypt-pbkdf", "erlang-ssh", "nodejs", "default-jre-headless"),
    "java": ("libganymed-ssh2-java", "libtrilead-ssh2-java", "libjenkins-trilead-ssh2-java"),
    "tools": ("rclone", "borgbackup", "duplicity", "pssh", "clustershell", "unison", "ansible-core"),
    "more tools": ("python3-paramiko", "fabric", "python3-netmiko", "python3-pygit2", "aria2", "qemu-utils"),
    "qemu": ("qemu-block-extra",),
}
PYTHON = {  # folder below /opt/py, and what PyPI calls its packages
    "asyncssh": ("asyncssh",), "paramiko": ("paramiko",), "ccssh": ("ccssh",), "hussh": ("hussh",),
    "cowrie": ("cowrie",), "ssh2": ("ssh2-python", "ssh-python", "parallel-ssh"),
    "audit": ("ssh-audit",),
}  # fmt: skip
NODE = ("ssh2", "@microsoft/dev-tunnels-ssh", "@microsoft/dev-tunnels-ssh-keys")
ROOT = debian.NEW
NO_SERVICES = "#!/bin/sh\nexit 101\n"  # policy-rc.d: packages start nothing


def _stamp(*words: str) -> Path:
    """Return the file that says that these packages have been asked for."""
    return ROOT / "var/lib/flowtap" / hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]


def make() -> list[str]:
    """Make the system, or add what it lacks; return a line for each group of packages that could not be had.

    Raises:
        LabError: the system itself could not be made.

    """
    if not ROOT.is_dir():
        made = debian.make(SUITE, BASE)
        making = Path(tempfile.mkdtemp(prefix="making-", dir=ROOT.parent)) / "root"
        debian.run("cp", "-a", str(made), str(making))  # it has devices
        making.rename(ROOT)
        making.parent.rmdir()
    jobs = {name: _apt(*words) for name, words in PACKAGES.items()}
    pip = [sys.executable, "-m", "pip", "install", "-q", "--only-binary", ":all:"]
    for name, words in PYTHON.items():
        jobs[f"PyPI: {name}"] = [*pip, "--target", str(ROOT / "opt/py" / name), *words]
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    jobs["npm"] = [*npm, "--prefix", str(ROOT / "opt/node"), *NODE]
    lacking = []
    for name, command in jobs.items():
        stamp = _stamp(name, *command)
        if stamp.exists():
            continue
        try:
            _prepare_apt()
            debian.run(*command)
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.touch()
        except (LabError, OSError, subprocess.TimeoutExpired) as error:
            lacking.append(f"{name}: {str(error).splitlines()[0][:200]}")
    return lacking


def _apt(*words: str) -> list[str]:
    """Return the command line that installs packages; Java's want /proc, which is there as long as it takes."""
    install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qy", "--no-install-recommends", *words]
    within = f'mount -t proc proc {ROOT}/proc && exec chroot {ROOT} "$@"'
    return ["unshare", "--mount", "sh", "-c", within, "sh", *install]


def _prepare_apt() -> None:
    """Let the system have packages from where the machine has its own from."""
    policy = ROOT / "usr/sbin/policy-rc.d"
    if policy.exists():
        return
    for name in ("etc/apt", "usr/share/keyrings"):
        shutil.copytree(Path("/") / name, ROOT / name, symlinks=True, dirs_exist_ok=True)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(Path("/etc") / name, ROOT / "etc" / name)
    policy.write_text(NO_SERVICES)
    policy.chmod(0o755)
    debian.run("chroot", str(ROOT), "apt-get", "-q", "update")


def inside(*command: str) -> list[str]:
    """Return the command line that runs `command` in the system."""
    return debian.inside_debian(ROOT, list(command))


def python(folder: str, *command: str) -> list[str]:
    """Return the command line that runs a script with packages of PyPI."""
    return inside("env", f"PYTHONPATH=/opt/py/{folder}", "PYTHONWARNINGS=ignore", "/usr/bin/python3", *command)


def has(*paths: str) -> bool:
    """Whether the system has all these files (a star: any)."""
    return all(any(ROOT.glob(path)) for path in paths)
