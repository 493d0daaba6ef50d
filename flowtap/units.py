# SPDX-License-Identifier: LGPL-2.1-or-later
"""flowtap's units as systemd has them: which are enabled, how they are, and the commands that change that."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

TARGET = "flowtap.target"
COLLECTOR = "flowtap-collector.service"
ALL = "flowtap*"  # the target, its services and what else has that name, as far as systemd has loaded it
_WANTS = Path("/etc/systemd/system") / f"{TARGET}.wants"
_LIMIT = 120.0  # seconds that a command of systemd may take; starting and stopping have limits of their own below that


class UnitsError(Exception):
    """systemd cannot be asked, or refuses; the text is ready for the user."""


def worker(shard: int) -> str:
    """Return the name of the unit of a shard's worker."""
    return f"flowtap-worker@{shard}.service"


def capture(interface: str) -> str:
    """Return the name of the unit that taps an interface or pattern. Raises UnitsError."""
    return run("systemd-escape", "--template=flowtap-capture@.service", "--", interface).strip()


def interface(unit: str) -> str:
    """Return what the unit `capture(interface)` taps. Raises UnitsError."""
    return run("systemd-escape", "--unescape", "--instance", "--", unit).strip()


def check() -> None:
    """Raise UnitsError where systemd does not run, or does not know flowtap's units."""
    if not Path("/run/systemd/system").is_dir():
        raise UnitsError("systemd does not run here; `flowtap run` needs none")
    if "loaded" not in run("systemctl", "show", "-p", "LoadState", "--value", TARGET):
        raise UnitsError(f"systemd does not know {TARGET}, expected it from `make install`")


def enabled() -> set[str]:
    """Return the services that belong to the target."""
    return {path.name for path in _WANTS.glob("flowtap-*.service") if path.is_symlink()}


def active(unit: str) -> bool:
    """Whether a unit is up. Raises UnitsError."""
    return state(unit) == "active"


def state(unit: str) -> str:
    """Return `active`, `failed`, `activating` (also: waiting for the next try), ... Raises UnitsError."""
    return run("systemctl", "show", "-p", "ActiveState", "--value", unit).strip()


def last_words(unit: str) -> str:
    """Return the last line that a unit's process wrote, or nothing."""
    try:
        lines = run("journalctl", "--no-pager", "-o", "cat", "-n", "20", f"_SYSTEMD_UNIT={unit}").splitlines()
    except UnitsError:
        return ""
    return lines[-1].strip() if lines else ""


def run(*command: str) -> str:
    """Run a command of systemd and return what it wrote. Raises UnitsError with what it said instead."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnitsError(f"{_line(command)}: {error}") from error
    if done.returncode:
        said = done.stderr.strip() or f"status {done.returncode}"
        raise UnitsError(f"{_line(command)}: {said}")
    return done.stdout


def _line(command: Sequence[str]) -> str:
    return " ".join(command)
