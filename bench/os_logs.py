# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the database says of signatures in logs of p0f: `python -m bench.os_logs LOG...` prints JSON.

LOG is what `p0f -r FILE -o LOG` wrote. Distinct raw signatures are counted, by side and by whether p0f knew them;
nothing says here whether a name is right. Names of both are compared by family, where p0f names a system.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from pathlib import Path

from bench.os_labels import family, named
from sigdb import load_tcp, shipped_tcp

LINE = re.compile(r"mod=(syn(?:\+ack)?)\|.*\|(?:os|app)=([^|]*)\|.*raw_sig=(.*)")


def signatures(logs: list[Path]) -> dict[tuple[str, str], str]:
    """Return what p0f called each (side, raw signature), the first time; TTLs written as TTL+0."""
    told: dict[tuple[str, str], str] = {}
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            if found := LINE.search(line):
                raw = re.sub(r"^(\d:\d+)\+(\d+|\?)", r"\1+0", found[3].strip())
                told.setdefault((found[1], raw), found[2])
    return told


def main(arguments: list[str] | None = None) -> None:
    """Print the counts and every difference of family."""
    parser = argparse.ArgumentParser(prog="python -m bench.os_logs", description=__doc__.split("\n", 1)[0])
    parser.add_argument("logs", type=Path, nargs="+", help="logs of p0f")
    database = load_tcp(shipped_tcp())
    count: dict[str, Counter[str]] = {}
    differ, nameless = [], []
    for (side, raw), p0f in sorted(signatures(parser.parse_args(arguments).logs).items()):
        found = named(database, raw, response=side == "syn+ack")
        if found is None:
            kind = "not made again"
        elif found.system is None:
            kind = "unknown"
        else:
            kind = "tool" if found.role == "tool" else "system"
            if family(p0f) and family(found.system) != family(p0f):
                differ.append({"side": side, "raw": raw, "p0f": p0f, "flowtap": found.system})
        if kind in ("unknown", "not made again"):
            nameless.append({"side": side, "raw": raw, "p0f": p0f})
        known = "unknown to p0f" if p0f == "???" else "known to p0f"
        count.setdefault(f"{side}, {known}", Counter())[kind] += 1
    print(json.dumps({"distinct": count, "other_family": differ, "nameless": nameless}, indent=2))


if __name__ == "__main__":
    main()
