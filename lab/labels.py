# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labels of flows: which signatures should match each flow of a capture, as CSV.

A recording writes NAME.labels.csv beside its capture; `merge` joins those of a folder to LABELS.csv. Columns: capture,
proto, client_ip, client_port, server_ip, server_port, labels; and session, where one was played several times under
other conditions. Labels are signature ids joined with `|`; one that can
match several times in a flow has the number of times after it: `ssh.auth.failure=3`.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

LABELS = "LABELS.csv"


@dataclass(frozen=True)
class Row:
    """One flow and its labels."""

    capture: str
    proto: str
    client_ip: str
    client_port: int
    server_ip: str
    server_port: int
    labels: str
    session: str = ""


COLUMNS = tuple(field.name for field in fields(Row))


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows with a header, in one step: whoever reads sees all or nothing. No session: no such column."""
    rows = list(rows)
    columns = COLUMNS if any(row.session for row in rows) else COLUMNS[:-1]
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(astuple(row)[: len(columns)] for row in rows)
    part.rename(path)


def read(path: Path) -> list[Row]:
    """Read what `write` wrote."""
    with path.open(newline="") as lines:
        return [
            Row(**{**row, "client_port": int(row["client_port"]), "server_port": int(row["server_port"])})  # type: ignore[arg-type]
            for row in csv.DictReader(lines)
        ]


def merge(folder: Path) -> list[Row]:
    """Join the labels of every capture of the folder to its LABELS.csv and return them."""
    rows = [row for path in sorted(folder.glob("*.labels.csv")) for row in read(path)]
    write(folder / LABELS, rows)
    return rows


def activities(folder: Path) -> list[list[str]]:
    """Return labels.csv of a folder of `lab.tlsrun` with a further column: which activity each flow is, by flows.csv.

    Flows of one activity are the same under other conditions: `flowtap eval --same activity` compares them.
    """
    with (folder / "flows.csv").open(newline="") as lines:
        known = {tuple(row[:5]): row[5] for row in csv.reader(lines)}
    ends = ("capture", "client_ip", "client_port", "server_ip", "server_port")
    with (folder / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    head = [*COLUMNS[:-1], "activity"]
    return [head, *([*row.values(), known.get(tuple(row[end] for end in ends), "")] for row in rows)]


if __name__ == "__main__":  # python -m lab.labels FOLDER: print them
    csv.writer(sys.stdout, lineterminator="\n").writerows(activities(Path(sys.argv[1])))
