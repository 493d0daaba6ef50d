# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.gather OUT.csv FOLDER...`: the labels of all recordings below the folders in one file for eval.

Each folder that has LABELS.csv or labels.csv counts; captures are named by their full path. Prints the captures, one a
line. Captures without labels, as public ones, are printed too when `--all` is given: nothing is known of them.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from lab.labels import COLUMNS

CAPTURES = (".pcap", ".pcap.gz", ".pcapng", ".cap", ".pcapng.gz", ".trace", ".dmp")


def rows(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a folder's labels, with full paths of captures that are there."""
    for name in ("LABELS.csv", "labels.csv"):
        if (folder / name).exists():
            with (folder / name).open(newline="") as text:
                for row in csv.DictReader(text):
                    path = folder / row["capture"]
                    if path.exists():
                        yield {**{column: row.get(column) or "" for column in COLUMNS[:-1]}, "capture": str(path)}
            return


def main() -> None:
    """Gather."""
    parser = argparse.ArgumentParser(prog="python -m lab.gather", description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--all", action="store_true", help="print captures without labels too")
    parser.add_argument("--without", action="append", default=[], metavar="FOLDER", help="leave this folder out")
    options = parser.parse_args()
    left_out = tuple(f"{name.rstrip('/')}/" for name in options.without)
    captures: dict[str, None] = {}
    with options.output.open("w", newline="") as text:
        writer = csv.DictWriter(text, COLUMNS[:-1], lineterminator="\n")
        writer.writeheader()
        for top in options.folders:
            for folder in sorted({top, *(path for path in top.rglob("*") if path.is_dir())}):
                if f"{folder}/".startswith(left_out):
                    continue
                for row in rows(folder):
                    writer.writerow(row)
                    captures[row["capture"]] = None
                if options.all:
                    captures.update(
                        (str(path), None)
                        for path in sorted(folder.iterdir())
                        if path.is_file() and path.name.endswith(CAPTURES)
                    )
    sys.stdout.write("".join(f"{path}\n" for path in captures))


if __name__ == "__main__":
    main()
