# SPDX-License-Identifier: LGPL-2.1-or-later
"""The directories that a booted system is made of: Debian, kept between runs, and flowtap as `make install` lays it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.network import LabError

SOURCE = Path(__file__).parents[2]
SUITE = "bookworm"
# What a gateway has (systemd, Python), what flowtap needs there, and a server that people log in to.
PACKAGES = ("systemd", "dbus", "python3", "iproute2", "procps", "python3-bpfcc", "libpcap0.8")
PACKAGES += ("openssh-server",)
LIMIT = 900.0  # seconds that making one of them may take


def debian() -> Path:
    """Return a directory with a Debian system, made at the first call and kept in FLOWTAP_CACHE (/var/cache/flowtap).

    Packages come from where this machine's apt has them from.

    Raises:
        LabError: debootstrap failed; the text is what it said last.

    """
    cache = Path(os.environ.get("FLOWTAP_CACHE", "/var/cache/flowtap"))
    name = hashlib.sha256(" ".join((SUITE, *PACKAGES)).encode()).hexdigest()[:12]
    root = cache / f"debian-{name}"
    if root.is_dir():
        return root
    cache.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=cache))
    try:
        making.chmod(0o755)
        options = ["--variant=minbase", f"--include={','.join(PACKAGES)}"]
        _run("debootstrap", *options, SUITE, str(making / "root"), *_mirror())
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


def installed(target: Path) -> Path:
    """Install flowtap into the empty directory `target`, as `make install DESTDIR=...` does, and return it.

    Raises:
        LabError: make failed; the text is what it said last.

    """
    _run("make", "-C", str(SOURCE), "--no-print-directory", "install", f"DESTDIR={target}")
    return target


def _mirror() -> list[str]:
    """Return where apt has the suite from, as the words that tell debootstrap; none when apt does not know."""
    targets = _run("apt-get", "indextargets", "--format", "$(RELEASE) $(SITE)", "Created-By: Packages")
    return [line.split()[1] for line in targets.splitlines() if line.split()[0] == SUITE][:1]


def _run(*command: str) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False, text=True, errors="replace"
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-15:]
        raise LabError(f"{' '.join(command)}: status {done.returncode}: " + "\n".join(said))
    return done.stdout
