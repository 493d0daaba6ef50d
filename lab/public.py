# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.public OUT.csv FOLDER`: what can be known of public captures, whose flows nobody has labelled.

By their clear text (read with Scapy): a flow in which somebody says "SSH-" may hold whatever is of SSH, one that is
greeted as by FTP, SMTP or POP3 (`220`, `+OK`) may hold what people and programs say there: their labels are too
general to judge. `--known PART=LABEL` says what all flows of captures are whose path contains PART. Nothing is to be
found in any other flow.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import ipaddress
import struct
from collections.abc import Iterator
from pathlib import Path

from lab.gather import CAPTURES
from lab.labels import COLUMNS

# First bytes of what one side says, and what such a flow may hold.
OPENINGS = {
    b"SSH-": "ssh|ssh1|human|automated",
    b"220 ": "human|automated",
    b"220-": "human|automated",
    b"+OK ": "human|automated",
}
LINKS = {0: 4, 1: 14, 12: 0, 14: 0, 101: 0, 113: 16, 228: 0, 229: 0, 276: 20}  # bytes before IP, by link type
VLAN = (b"\x81\x00", b"\x88\xa8")


def segments(path: Path) -> Iterator[tuple[str, int, str, int, bytes]]:
    """Yield both ends and the beginning of the payload of each TCP segment that is no fragment."""
    from scapy.error import Scapy_Exception  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to load
    from scapy.utils import RawPcapReader  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        with contextlib.closing(RawPcapReader(str(path))) as packets:
            for data, about in packets:
                link = getattr(about, "linktype", None) or getattr(packets, "linktype", 1)
                start = LINKS.get(link)
                if start is None:
                    continue
                while link == 1 and data[start - 2 : start] in VLAN:
                    start += 4
                yield from _segment(data[start:])
    except (Scapy_Exception, EOFError, OSError, struct.error):
        return  # damaged: what came before counts


def _segment(packet: bytes) -> Iterator[tuple[str, int, str, int, bytes]]:
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) > 20 and packet[9] == 6 and not packet[7] and not packet[6] & 0x1F:
        start, end, ends = (packet[0] & 15) * 4, int.from_bytes(packet[2:4]), (packet[12:16], packet[16:20])
    elif version == 6 and len(packet) > 40 and packet[6] == 6:
        start, end, ends = 40, 40 + int.from_bytes(packet[4:6]), (packet[8:24], packet[24:40])
    else:
        return
    tcp = packet[start : end or None]
    if len(tcp) >= 20:
        source, target = (str(ipaddress.ip_address(address)) for address in ends)
        ports = struct.unpack_from(">HH", tcp)
        yield source, ports[0], target, ports[1], tcp[(tcp[12] >> 4) * 4 :][:4]


def rows(path: Path, known: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield what is known of a capture's flows; whoever spoke so first is taken for the server."""
    label = next((label for part, label in known.items() if part in str(path)), "")
    told = set()
    for source, port, target, other, payload in segments(path):
        ends = frozenset(((source, port), (target, other)))
        what = label or OPENINGS.get(payload, "")
        if what and payload and ends not in told:
            told.add(ends)
            row = (str(path), "tcp", target, str(other), source, str(port), what)
            yield dict(zip(COLUMNS[:-1], row, strict=True))


def main() -> None:
    """Write."""
    parser = argparse.ArgumentParser(prog="python -m lab.public", description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--known", action="append", default=[], metavar="PART=LABEL")
    options = parser.parse_args()
    known = dict(text.split("=", 1) for text in options.known)
    paths = [path for path in sorted(options.folder.rglob("*")) if path.is_file() and path.name.endswith(CAPTURES)]
    with options.output.open("w", newline="") as text:
        writer = csv.DictWriter(text, COLUMNS[:-1], lineterminator="\n")
        writer.writeheader()
        for path in paths:
            writer.writerows(rows(path, known))
            print(path)


if __name__ == "__main__":
    main()
