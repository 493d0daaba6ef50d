# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads LABELS.csv: what each flow of a capture is, as whoever recorded it knows."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

COLUMNS = ("capture", "proto", "client_ip", "client_port", "server_ip", "server_port", "labels")
PROTOCOLS = ("tcp", "udp", "icmp")
MAX_ERRORS = 100

_ID = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_MAPPED = bytes(10) + b"\xff\xff"  # before an IPv4 address of 4 bytes

Ends = tuple[str, bytes, int, bytes, int]  # protocol, client, its port, server, its port; addresses of 16 bytes


class LabelError(ValueError):
    """The labels cannot be used; the text names each place and what was expected there, one a line."""


@dataclass(slots=True)
class Labelled:
    """A flow of the labels. `labels`: the expected number of hits by id, None where any number is right.

    `same`: flows with the same text are the same thing seen under other conditions; empty: nothing is said.
    """

    line: int
    ends: Ends
    labels: dict[str, int | None]
    same: str = ""


@dataclass(slots=True)
class Labels:
    """All flows of a file, by the name of their capture and then by their ends."""

    file: str
    captures: dict[str, dict[Ends, Labelled]] = field(default_factory=dict)

    def assign(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the name in the labels for each of `paths` that has one: the path itself, else the end of it.

        Raises LabelError when two paths would have the same labels.
        """
        names: dict[str, str] = {}
        owners: dict[str, str] = {}
        for path in paths:
            whole = os.path.normpath(path)
            fits = [name for name in self.captures if name == whole or whole.endswith(f"{os.sep}{name}")]
            if not fits:
                continue
            name = max(fits, key=len)
            if name in owners and owners[name] != path:
                raise LabelError(f"{self.file}: {name} may be {owners[name]} or {path}; expected more of its path")
            owners[name] = path
            names[path] = name
        return names


def read_labels(path: str, same: str | None = None) -> Labels:
    """Return the labels of a CSV file with a first line that names COLUMNS, in any order; others are left alone.

    `same` names one more column, which is read into `Labelled.same`. Raises LabelError with every mistake.
    """
    labels = Labels(path)
    errors: list[str] = []
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            head = [cell.strip() for cell in next(rows, [])]
            wanted = (*COLUMNS, same) if same else COLUMNS
            missing = [column for column in wanted if column not in head]
            if missing:
                raise LabelError(f"{path}:1: no column {', '.join(missing)}; expected {','.join(wanted)}")
            if several := [column for column in wanted if head.count(column) > 1]:
                raise LabelError(f"{path}:1: more than one column {', '.join(several)}; expected each once")
            places = [head.index(column) for column in wanted]
            for row in rows:
                if not row or row[0].lstrip().startswith("#"):
                    continue
                if len(errors) == MAX_ERRORS:
                    errors.append(f"{path}: more mistakes, which are not told")
                    break
                try:
                    if any(cell.strip() for cell in row[len(head) :]):
                        raise LabelError(f"{len(row)} columns; expected {len(head)}: labels are joined with |")
                    _row(labels, rows.line_num, row, places)
                except LabelError as error:
                    errors.append(f"{path}:{rows.line_num}: {error}")
    except OSError as error:
        raise LabelError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: the byte 0x{error.object[error.start]:02x} is not UTF-8; expected UTF-8") from error
    except csv.Error as error:
        raise LabelError(f"{path}:{rows.line_num}: {error}; expected CSV") from error
    if errors:
        raise LabelError("\n".join(errors))
    return labels


def _row(labels: Labels, line: int, row: list[str], places: list[int]) -> None:
    """Take one line. Raises LabelError without file and line."""
    if len(row) <= max(places):
        raise LabelError(f"{len(row)} columns; expected {max(places) + 1}")
    cells = [row[place].strip() for place in places]
    capture, proto, client, client_port, server, server_port, words = cells[: len(COLUMNS)]
    if not capture:
        raise LabelError("the capture has no name; expected a file name")
    proto = proto.lower()
    if proto not in PROTOCOLS:
        raise LabelError(f"proto {proto!r}; expected {', '.join(PROTOCOLS)}")
    ends: Ends = (
        proto,
        _address("client_ip", client),
        _port("client_port", client_port, proto),
        _address("server_ip", server),
        0 if proto == "icmp" else _port("server_port", server_port, proto),
    )
    if ends[1].startswith(_MAPPED) != ends[3].startswith(_MAPPED):
        raise LabelError(f"client_ip {client!r} and server_ip {server!r}; expected both IPv4 or both IPv6")
    flows = labels.captures.setdefault(os.path.normpath(capture), {})
    for same in (ends, reverse(ends)):
        if same in flows:
            raise LabelError(f"the flow was given in line {flows[same].line}; expected each flow once for a capture")
    flows[ends] = Labelled(line, ends, _labels(words), "".join(cells[len(COLUMNS) :]))


def _address(column: str, text: str) -> bytes:
    try:
        address = ip_address(text)
    except ValueError:
        raise LabelError(f"{column} {text!r}; expected an IPv4 or IPv6 address") from None
    return address.packed if isinstance(address, IPv6Address) else _MAPPED + address.packed


def _port(column: str, text: str, proto: str) -> int:
    """Return a port; for ICMP the identifier, 0 where there is none or it is left out."""
    if proto == "icmp" and not text:
        return 0
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise LabelError(f"{column} {text[:20]!r}; expected a number from 0 to 65535")
    return int(text)


def _labels(text: str) -> dict[str, int | None]:
    """Return the labels of `a.b|c.d=3`; nothing for a flow that is known to be none of them."""
    found: dict[str, int | None] = {}
    for word in filter(None, (part.strip() for part in text.split("|"))):
        name, sign, count = word.partition("=")
        if not _ID.fullmatch(name):
            raise LabelError(f"label {word!r}; expected ids joined with |, for example ssh.auth.failure=3|human.typing")
        if sign and not _COUNT.fullmatch(count):
            raise LabelError(f"label {word!r}; expected a number of hits from 1 on after =")
        if name in found:
            raise LabelError(f"label {name} is given twice; expected it once for a flow")
        found[name] = int(count) if sign else None
    return found


def reverse(ends: Ends) -> Ends:
    """Return the ends with client and server exchanged."""
    proto, client, client_port, server, server_port = ends
    return proto, server, server_port, client, client_port
