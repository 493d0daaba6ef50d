# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of hosts that `flowtap survey` contacts: text or CSV files, and every mistake in them at once.

A text file has an address or a name in each line; `#` begins a comment. A CSV file is known by its first line, which
names the columns: `host` and, where it is known what the hosts are, `label` with `clean` or `malicious`.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, cast, get_args

Label = Literal["clean", "malicious"]
LABELS = get_args(Label)
MAX_FILE = 64 << 20  # bytes
MAX_MISTAKES = 100
_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")


class HostListError(ValueError):
    """A list that is not used; the text has one line for each mistake, `FILE:LINE: what is wrong; expected what`."""


@dataclass(frozen=True, slots=True)
class Target:
    """A host to contact."""

    host: str  # an address in its shortest form, or a name
    label: Label | None = None


def read_targets(paths: list[str]) -> list[Target]:
    """Return the hosts of all files in their order, each once. Raises HostListError with all mistakes."""
    mistakes: list[str] = []
    found: dict[str, tuple[Target, str]] = {}
    for path in paths:
        for number, host, label in _rows(path, mistakes):
            place = f"{path}:{number}"
            target = _target(host, label, place, mistakes)
            if target is None:
                continue
            before = found.setdefault(target.host, (target, place))
            if before[0].label != target.label:
                mistakes.append(
                    f"{place}: {target.host} is {target.label or 'without label'} here and "
                    f"{before[0].label or 'without label'} in {before[1]}; expected one label for a host"
                )
    if mistakes:
        more = len(mistakes) - MAX_MISTAKES
        raise HostListError("\n".join(mistakes[:MAX_MISTAKES] + ([f"{more} further mistakes"] if more > 0 else [])))
    return [target for target, _ in found.values()]


def _rows(path: str, mistakes: list[str]) -> list[tuple[int, str, str]]:
    """Return line number, host and label text of each entry of a file."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE + 1)  # a device has no size, and may have no end
        if len(data) > MAX_FILE:
            mistakes.append(f"{path}: too large; expected at most {MAX_FILE} bytes")
            return []
        text = data.decode("utf-8-sig")
    except OSError as error:
        mistakes.append(f"{path}: {error.strerror}")
        return []
    except UnicodeDecodeError as error:
        mistakes.append(f"{path}: byte {error.start} is not UTF-8; expected a text file")
        return []
    lines = text.splitlines()
    header = [name.strip().lower() for name in next(csv.reader(lines[:1]), [])]
    if "host" in header:
        return _csv_rows(path, lines, header, mistakes)
    if len(header) > 1 and "#" not in lines[0]:
        mistakes.append(f"{path}:1: columns {', '.join(header)[:60]}; expected one that is called host")
        return []
    rows = []
    for number, line in enumerate(lines, 1):
        host = line.partition("#")[0].strip()
        if host:
            rows.append((number, host, ""))
    return rows


def _csv_rows(path: str, lines: list[str], header: list[str], mistakes: list[str]) -> list[tuple[int, str, str]]:
    host, label = header.index("host"), header.index("label") if "label" in header else None
    rows = []
    reader = csv.reader(lines)
    try:
        next(reader)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                mistakes.append(f"{path}:{reader.line_num}: {len(cells)} cells; expected {len(header)} as in line 1")
                continue
            rows.append((reader.line_num, cells[host].strip(), "" if label is None else cells[label].strip()))
    except csv.Error as error:
        mistakes.append(f"{path}:{reader.line_num}: {error}; expected comma-separated values")
    return rows


def _target(host: str, label: str, place: str, mistakes: list[str]) -> Target | None:
    """Return what an entry says; None when it is wrong, which is noted."""
    right = True
    if label and label not in LABELS:
        mistakes.append(f"{place}: label {label[:40]!r}; expected {' or '.join(LABELS)}, or nothing")
        right = False
    try:
        address = ip_address(host)
        name = str(address)
        if address.is_multicast or address.is_unspecified or name == "255.255.255.255":
            mistakes.append(f"{place}: {name} is no address of one host; expected one")
            right = False
    except ValueError:
        name = host.lower().rstrip(".")
        if not _NAME.fullmatch(host) or re.fullmatch(r"[0-9.]+", host) or len(host) > 253:
            mistakes.append(f"{place}: {host[:60]!r}; expected an IPv4 or IPv6 address or a host name")
            right = False
    return Target(name, cast("Label", label) if label else None) if right else None
