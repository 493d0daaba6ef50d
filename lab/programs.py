# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was found by program, as tables of the handbook: `python -m lab.programs FOLDER...` evaluates recordings.

A folder is a part that the lab recorded: captures, their labels, and what played in each flow, which is in
NAME.sessions.csv (SSH; the text before the first `/` is the program) or in flows.csv (the activity). Of several folders
one table is made. A cell reads: flows in which the id was found, of how many with that label, and false ones. `count`:
flows with a stated number of refused attempts, of which just as many were found. `who`: flows of a person or a program;
those told rightly, of how many, and wrongly. Flows that were not seen well enough are left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowtap.eval_score import hits_of, prefixes, too_general

IDS = ("ssh.auth.success", "ssh.auth.failure", "ssh.hostkey.refused", "ssh.pubkey.refused")
ATTEMPTS = "ssh.auth.failure"
KINDS = frozenset({"human", "automated"})
FLOW = re.compile(r"\(\w+\) (\S+?)(?::(\d+))? -> ")


@dataclass(slots=True)
class Cell:
    """Flows of one group and one question."""

    right: int = 0
    total: int = 0
    false: int = 0

    def __str__(self) -> str:
        """Write it as in the handbook."""
        words = [f"{self.right} of {self.total}"] if self.total else []
        words += [f"{self.false} false"] if self.false else []
        return ", ".join(words) or "-"


@dataclass(slots=True)
class Row:
    """All that was asked of one group."""

    flows: int = 0
    cells: defaultdict[str, Cell] = field(default_factory=lambda: defaultdict(Cell))

    def add(self, flow: dict[str, Any], ids: list[str]) -> None:
        """Count a flow as `flowtap eval --json --flows` tells it."""
        labels, hits = flow["labels"], flow["found"]
        truth, found = prefixes(labels), prefixes(hits)
        self.flows += 1
        for name in ids:
            cell = self.cells[name]
            cell.total += name in truth
            cell.right += name in truth and name in found
            cell.false += name in found and name not in truth and not too_general(name, labels)
        if (expected := labels.get(ATTEMPTS)) is not None:
            cell = self.cells["count"]
            cell.total += 1
            cell.right += hits_of(ATTEMPTS, hits) == expected
        if len(kind := truth & KINDS) == 1:
            cell = self.cells["who"]
            cell.total += 1
            cell.right += found & KINDS == kind
            cell.false += bool(found & KINDS - kind)


def played(folder: Path) -> dict[tuple[str, str], str]:
    """Return what played, by capture and client's port. Raises FileNotFoundError where nothing says so."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("*.sessions.csv")):
        with path.open() as lines:
            for row in csv.DictReader(lines):
                found[row["capture"], row["client_port"]] = row["session"]
    if (path := folder / "flows.csv").is_file():
        with path.open() as lines:
            for capture, _, port, _, _, activity, *_ in csv.reader(lines):
                found[capture, port] = activity
    if not found:
        raise FileNotFoundError(f"{folder}: expected NAME.sessions.csv or flows.csv, as the lab writes them")
    return found


def server(capture: str) -> str:
    """Return the server of `ssh-012-deb12-banner-40ms-v6-gro.pcap`: deb12-banner."""
    return re.sub(r"^\w+-\d+-|-\d+ms.*$", "", capture)


def judged(folder: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Evaluate a folder with the shipped signatures; yield what played, its capture, and the flow."""
    sessions = played(folder)
    labels = next(path for name in ("LABELS.csv", "labels.csv") if (path := folder / name).is_file())
    captures = sorted(path for pattern in ("*.pcap", "*.pcap.gz") for path in folder.glob(pattern))
    command = [sys.executable, "-m", "flowtap", "eval", "-q", "--json", "--flows", labels, *captures]
    document = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    for flow in document["judged"]:
        capture = Path(flow["capture"]).name
        port = FLOW.match(flow["flow"])
        played_there = sessions.get((capture, port[2] if port else ""), "?")
        if not flow["unknown"]:
            yield played_there, capture, flow


def table(folders: list[Path], by: Callable[[str, str], str], ids: list[str]) -> Iterator[str]:
    """Yield the lines of the table, in the form of the handbook."""
    rows: defaultdict[str, Row] = defaultdict(Row)
    for folder in folders:
        for session, capture, flow in judged(folder):
            rows[by(session, capture)].add(flow, ids)
    asked = {name for row in rows.values() for name, cell in row.cells.items() if cell.total or cell.false}
    columns = [name for name in [*ids, "count", "who"] if name in asked]
    yield f"| | flows | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 2) + "|"
    for name, row in sorted(rows.items()):
        yield f"| {name} | {row.flows} | {' | '.join(str(row.cells[column]) for column in columns)} |"


BY: dict[str, Callable[[str, str], str]] = {
    "program": lambda session, _: session.split("/")[0],
    "server": lambda _, capture: server(capture),
    "session": lambda session, _: session,
}


def main() -> None:
    """Read the arguments, print the table."""
    parser = argparse.ArgumentParser(prog="python -m lab.programs", description=__doc__.split(", as")[0])
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path)
    parser.add_argument("--by", choices=BY, default="program", help="what a row is")
    parser.add_argument("--ids", default=",".join(IDS), help="the columns, joined with commas")
    arguments = parser.parse_args()
    for line in table(arguments.folders, BY[arguments.by], arguments.ids.split(",")):
        print(line)


if __name__ == "__main__":
    main()
