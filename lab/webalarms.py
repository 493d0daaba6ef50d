# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.webalarms EVAL.json FOLDER...`: what was found falsely, by signature and by what was played.

EVAL.json is of `flowtap eval --alarms --json`; FOLDERs hold flows.csv of the recordings (lab/crowd.py). With `--counts`
it prints how many flows each application, client program, server and way of TLS had instead, with `--table` the sums of
several EVAL.json as a table.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from flowtap.eval_interval import clopper_pearson

Flow = tuple[str, str, str, str, str]  # capture, client, its port, server, its port
ENDS = re.compile(r"\(tcp\) \[?([0-9a-f.:]+?)\]?:(\d+) -> \[?([0-9a-f.:]+?)\]?:(\d+)$")


def known(folders: list[Path]) -> dict[Flow, str]:
    """Return what was played in each flow."""
    told: dict[Flow, str] = {}
    for folder in folders:
        for file in sorted(folder.rglob("flows.csv")):
            with file.open(newline="") as text:
                for row in csv.reader(text):
                    told[row[0], row[1], row[2], row[3], row[4]] = row[5]
    return told


def wrong(document: dict[str, list[dict[str, object]]], played: dict[Flow, str]) -> Iterator[tuple[str, str, str]]:
    """Yield signature, what was played, and place and shape of each false alarm."""
    for one in document["wrong"]:
        ends = ENDS.match(str(one["flow"]))
        capture = Path(str(one["capture"]))
        name = played.get((capture.name, *ends.groups()), "") if ends else ""  # type: ignore[arg-type]
        false, found = one["false"], one["found"]
        assert isinstance(false, list)
        assert isinstance(found, dict)
        for signature in set(false) & set(found):
            labels = one["labels"]
            assert isinstance(labels, dict)
            name = name or (f"labelled {'|'.join(sorted(labels))}" if labels else str(capture))
            yield str(signature), name, f"{one['capture']} {one['flow']}\n      {one['shape']}"


def table(documents: list[dict[str, list[dict[str, object]]]]) -> Iterator[str]:
    """Yield the lines of a table of all signatures, their false alarms in several documents added up."""
    flows: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    for document in documents:
        for one in document["alarms"]:
            flows[str(one["id"])] += int(str(one["flows"]))
            alarms[str(one["id"])] += int(str(one["wrong"]))
    yield "| signature | flows not of its kind | alarms | in 10,000 | at most (95 %) |"
    yield "|---|---|---|---|---|"
    for name in sorted(flows):
        high = clopper_pearson(alarms[name], flows[name])[1]
        rate = f"{10_000 * alarms[name] / flows[name]:.2f}" if alarms[name] else "0"
        yield f"| `{name}` | {flows[name]:,} | {alarms[name]} | {rate} | {10_000 * high:.2f} |"


def main() -> None:
    """Print."""
    parser = argparse.ArgumentParser(prog="python -m lab.webalarms", description=__doc__.partition("\n")[0])
    parser.add_argument("document", type=Path)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--counts", action="store_true", help="how many flows of what were played")
    parser.add_argument("--table", action="store_true", help="all are EVAL.json, to be added up")
    parser.add_argument("--shapes", type=int, default=3, help="shapes to print of each signature and application (3)")
    options = parser.parse_args()
    if options.table:
        documents = [json.loads(path.read_text()) for path in (options.document, *options.folders)]
        print("\n".join(table(documents)))
        return
    played = known(options.folders)
    if options.counts:
        for place, title in enumerate(("application", "client", "server", "TLS")):
            counts = Counter((name.split("/") + ["-"] * 4)[place] for name in played.values())
            print(f"{title}: " + ", ".join(f"{name} {number}" for name, number in counts.most_common()))
        return
    document = json.loads(options.document.read_text())
    for one in document.get("alarms", []):
        if one["wrong"]:
            print(f"{one['id']}: {one['wrong']} of {one['flows']}, 1 in {one['flows'] // one['wrong']}")
    groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for signature, name, said in wrong(document, played):
        groups[signature][name].append(said)
    for signature, by_name in sorted(groups.items()):
        print(f"\n## {signature}: {sum(map(len, by_name.values()))}")
        for name, shapes in sorted(by_name.items(), key=lambda pair: -len(pair[1])):
            print(f"- {name}: {len(shapes)}")
            for shape in shapes[: options.shapes]:
                print(f"    {shape}")


if __name__ == "__main__":
    main()
