# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a check of `flowtap doctor` finds: one line, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A result. `fail`: flowtap does not work, or works wrongly; `warn`: it may lose or miss something."""

    check: str
    level: Level
    text: str
    remedy: str = ""


def ok(check: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, "ok", text)


def warn(check: str, text: str, remedy: str) -> Finding:
    """Return a finding that something may be missed."""
    return Finding(check, "warn", text, remedy)


def fail(check: str, text: str, remedy: str) -> Finding:
    """Return a finding that something does not work."""
    return Finding(check, "fail", text, remedy)


def read(path: str | Path) -> str | None:
    """Return what a file of the kernel says, without blanks around; None where it is not there or not for us."""
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None


def number(path: str | Path) -> int | None:
    """Return the number that a file of the kernel says; None where there is none."""
    text = read(path)
    return int(text) if text is not None and text.lstrip("-").isdecimal() else None
