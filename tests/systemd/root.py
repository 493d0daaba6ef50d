# SPDX-License-Identifier: LGPL-2.1-or-later
"""The directories that a booted system is made of: Debian, kept between runs, and flowtap as `make install` lays it."""

from __future__ import annotations

from pathlib import Path

from lab.debian import make, run

SOURCE = Path(__file__).parents[2]
SUITE = "bookworm"
# What a gateway has (systemd, Python), what flowtap needs there, and a server that people log in to.
PACKAGES = ("systemd", "dbus", "python3", "iproute2", "procps", "python3-bpfcc", "libpcap0.8")
PACKAGES += ("openssh-server",)


def debian() -> Path:
    """Return a directory with a Debian system, made at the first call. Raises LabError."""
    return make(SUITE, PACKAGES)


def installed(target: Path) -> Path:
    """Install flowtap into the empty directory `target`, as `make install DESTDIR=...` does, and return it.

    Raises:
        LabError: make failed; the text is what it said last.

    """
    run("make", "-C", str(SOURCE), "--no-print-directory", "install", f"DESTDIR={target}")
    return target
