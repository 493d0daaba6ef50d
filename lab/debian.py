# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian systems in directories, and programs of another release, run by chroot inside the machines of the lab.

A system is made once by debootstrap and kept in FLOWTAP_CACHE (/var/cache/flowtap). What a machine changes in it is
mounted over in that machine's mount namespace only: accounts, /run, /home, /root and /tmp.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab.network import Lab, LabError, Machine

LIMIT = 900.0  # seconds that making a system may take


def place(suite: str, packages: Sequence[str]) -> Path:
    """Return where the system of these packages is kept: below FLOWTAP_CACHE (/var/cache/flowtap)."""
    name = hashlib.sha256(" ".join((suite, *packages)).encode()).hexdigest()[:12]
    return Path(os.environ.get("FLOWTAP_CACHE", "/var/cache/flowtap")) / f"{suite}-{name}"


PACKAGES = ("openssh-server", "openssh-client", "procps")
TRIXIE = place("trixie", PACKAGES)
MORE = (
    *PACKAGES,
    *("dropbear-bin", "putty-tools", "python3-asyncssh", "python3-paramiko", "python3-twisted", "python3-bcrypt"),
    *("python3-pyasn1", "libssh-4", "python3-cffi-backend", "expect"),
)
LIBRARIES = place("trixie", MORE)  # SSH programs besides OpenSSH
NEW = TRIXIE.parent / "sshnew"  # made by `sshnewsystem`
# OpenSSH of other releases, by what ends the names of programs and kinds of servers.
RELEASES = {"13": TRIXIE, "11": place("bullseye", PACKAGES), "sid": place("sid", PACKAGES)}


def release(name: str) -> str:
    """Return which of RELEASES a program or a kind of server is of; empty: the machine's own."""
    return next((suffix for suffix in RELEASES if name.endswith(suffix)), "")


def make(suite: str = "trixie", packages: Sequence[str] = PACKAGES) -> Path:
    """Return the directory with a Debian system, made at the first call; packages come from where apt has its own from.

    Raises:
        LabError: debootstrap failed; the text is what it said last.

    """
    root = place(suite, packages)
    if root.is_dir():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=root.parent))
    try:
        making.chmod(0o755)
        options = ["--variant=minbase", f"--include={','.join(packages)}"]
        run("debootstrap", *options, suite, str(making / "root"), *_mirror(suite))
        shutil.rmtree(making / "root/var/cache/apt", ignore_errors=True)
        (making / "root/etc/hostname").write_text("flowtap-test\n")
        try:
            (making / "root").rename(root)
        except OSError:  # another run was faster
            if not root.is_dir():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return root


def _mirror(suite: str) -> list[str]:
    """Return where apt has Debian from, as the words that tell debootstrap; none when apt does not know.

    A mirror has all releases: that of another one serves where apt has nothing of the suite.
    """
    targets = run("apt-get", "indextargets", "--format", "$(RELEASE) $(SITE)", "Created-By: Packages")
    found = [line.split() for line in targets.splitlines() if "-" not in line.split()[0]]
    found.sort(key=lambda words: words[0] != suite)
    return [words[1] for words in found][:1]


def run(*command: str) -> str:
    """Run a long command and return what it printed; its failure is a LabError with what it said last."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False, text=True, errors="replace"
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-15:]
        raise LabError(f"{' '.join(command)}: status {done.returncode}: " + "\n".join(said))
    return done.stdout


def prepare(lab: Lab, machine: Machine, root: Path = TRIXIE) -> None:
    """Make the system usable on this machine: the lab's folder under its own path, the lab's accounts."""
    for name in ("run", "home", "root", "tmp"):
        machine.do("mount", "-t", "tmpfs", "tmpfs", f"{root}/{name}")
    machine.do("mkdir", "-p", f"{root}/run/sshd", f"{root}{lab.folder}")
    machine.do("mount", "--rbind", "/dev", f"{root}/dev")
    machine.do("mount", "--bind", "/home", f"{root}/home")
    machine.do("mount", "--bind", "/root", f"{root}/root")
    machine.do("mount", "--bind", str(lab.folder), f"{root}{lab.folder}")
    machine.do("mount", "-t", "proc", "proc", f"{root}/proc")
    for name, line in lab.accounts().items():
        copy = lab.folder / f"{root.name}-{name}"
        copy.write_text((root / "etc" / name).read_text() + line)
        copy.chmod(0o644 if name != "shadow" else 0o600)
        machine.do("mount", "--bind", str(copy), f"{root}/etc/{name}")


def inside_debian(root: Path, command: list[str]) -> list[str]:
    """Return the command line that runs `command` in the system; the machine must be prepared."""
    return ["chroot", str(root), *command]
