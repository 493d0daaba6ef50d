# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.websample OUT FOLDER...`: a few short flows of everything that lab.web played, small enough to keep.

OUT gets one capture for each recording, headers only, and labels.csv. Of each activity of a recording come the first
flows of at most so many packets; and with `--also EVAL.json` (of `flowtap eval --json`) one flow of each activity in
which each signature was once found falsely.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import ipaddress
import json
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.crowd import FIELDS
from lab.webalarms import ENDS

PACKETS, FLOWS, KEPT = 45, 2, 94  # of a flow; of an activity; bytes of a packet
MOST = 150  # packets of a flow that was once found falsely
Ends = tuple[str, str, str, str]


def ends_of(frame: bytes) -> Ends | None:
    """Return source, its port, target, its port of a TCP segment in an Ethernet frame."""
    if frame[12:14] == b"\x08\x00":
        source, target, tcp = frame[26:30], frame[30:34], 14 + (frame[14] & 15) * 4
    elif frame[12:14] == b"\x86\xdd":
        source, target, tcp = frame[22:38], frame[38:54], 54
    else:
        return None
    ports = struct.unpack_from(">HH", frame, tcp)
    return str(ipaddress.ip_address(source)), str(ports[0]), str(ipaddress.ip_address(target)), str(ports[1])


def alarmed(documents: Iterable[Path], capture: str) -> Iterator[tuple[str, Ends]]:
    """Yield signature and flow of each false alarm in a capture."""
    for document in documents:
        for one in json.loads(document.read_text())["wrong"]:
            ends = ENDS.match(one["flow"])
            if Path(one["capture"]).name == capture and ends:
                for signature in one["false"]:
                    yield signature, ends.groups()  # type: ignore[misc]


def sample(
    path: Path, names: dict[Ends, str], labels: dict[Ends, str], also: Iterable[tuple[str, Ends]]
) -> tuple[bytes, list[Ends]]:
    """Return a capture of the flows that are chosen, and these."""
    data = gzip.decompress(path.read_bytes())
    packets: dict[Ends, list[tuple[int, bytes]]] = defaultdict(list)
    place = 24
    while place + 16 <= len(data):
        seconds, fraction, kept, length = struct.unpack_from("<4I", data, place)
        frame = data[place + 16 : place + 16 + kept]
        place += 16 + kept
        ends = ends_of(frame)
        if ends is not None:
            key = ends if ends in labels else (*ends[2:], *ends[:2])
            if key in labels:
                cut = frame[:KEPT]
                packets[key].append((place, struct.pack("<4I", seconds, fraction, len(cut), length) + cut))
    chosen: list[Ends] = []
    had: Counter[str] = Counter()
    for key, found in packets.items():
        name = names.get(key, "")
        if 8 <= len(found) <= PACKETS and had[name] < FLOWS:
            had[name] += 1
            chosen.append(key)
    for signature, key in also:
        name = f"{signature} {names.get(key, '')}"
        if len(packets.get(key, ())) in range(1, MOST) and not had[name]:
            had[name] += 1
            if key not in chosen:
                chosen.append(key)
    lines = sorted(line for key in chosen for line in packets[key])
    return data[:24] + b"".join(line for _, line in lines), chosen


def main() -> None:
    """Take samples."""
    parser = argparse.ArgumentParser(prog="python -m lab.websample", description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("captures", type=Path, nargs="+")
    parser.add_argument("--also", type=Path, action="append", default=[], metavar="EVAL.json")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with (options.output / "labels.csv").open("w", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*FIELDS, "played"])
        for path in options.captures:
            with (path.parent / "flows.csv").open(newline="") as lines:
                names: dict[Ends, str] = {tuple(r[1:5]): r[5] for r in csv.reader(lines) if r[0] == path.name}  # type: ignore[misc]
            with (path.parent / "labels.csv").open(newline="") as lines:
                labels: dict[Ends, str] = {tuple(r[2:6]): r[6] for r in csv.reader(lines) if r[0] == path.name}  # type: ignore[misc]
            capture, chosen = sample(path, names, labels, alarmed(options.also, path.name))
            (options.output / path.name).write_bytes(gzip.compress(capture, 9, mtime=0))
            writer.writerows((path.name, "tcp", *ends, labels[ends], names.get(ends, "")) for ends in chosen)


if __name__ == "__main__":
    main()
