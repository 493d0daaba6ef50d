# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of another Debian release, run by chroot inside the machines of the lab.

The system is made once by debootstrap and kept in FLOWTAP_CACHE (/var/cache/flowtap). What a machine changes in it is
mounted over in that machine's mount namespace only: accounts, /run, /home, /root and /tmp.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.network import Lab, LabError, Machine

TRIXIE = Path(os.environ.get("FLOWTAP_CACHE", "/var/cache/flowtap")) / "trixie"
PACKAGES = ("openssh-server", "openssh-client", "procps")
MIRROR = "http://deb.debian.org/debian"
LIMIT = 900.0  # seconds that making it may take


def make(root: Path = TRIXIE) -> Path:
    """Return the directory with the Debian system of that name, made at the first call.

    Raises:
        LabError: debootstrap failed; the text is what it said last.

    """
    if root.is_dir():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=root.parent))
    try:
        making.chmod(0o755)
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", root.name]
        done = subprocess.run([*command, str(making / "root"), MIRROR], capture_output=True, timeout=LIMIT, check=False)
        if done.returncode:
            raise LabError(f"{' '.join(command)}: {done.stdout.decode(errors='replace')[-500:]}")
        shutil.rmtree(making / "root/var/cache/apt", ignore_errors=True)
        (making / "root").rename(root)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return root


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
