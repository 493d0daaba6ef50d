# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures on flows that were not seen whole, or came over a bad network: nothing else may be claimed of them."""

import gzip
import json
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.size_rule import Segment, segment_of
from lab.disturb import disturb
from tests.conftest import Command

CAPTURES = Path(__file__).parent / "captures"
FILES = sorted([*CAPTURES.glob("*.pcap.gz"), *CAPTURES.glob("labelled/*.pcap.gz")])
# Not seen from the beginning, or in one direction only: nothing can be claimed. Without the end nothing is doubted.
SILENT = ("begin", "client", "server")

End = tuple[bytes, int]
Claims = dict[tuple[str, str, int, int], set[str]]  # by capture, client's address and port, server's port: ids


def packets(data: bytes) -> Iterator[tuple[bytes, Segment]]:
    """Yield the TCP packets of a little-endian pcap file, as they are and as segments."""
    place = 24
    while place + 16 <= len(data):
        start, place = place, place + 16 + struct.unpack_from("<I", data, place + 8)[0]
        if (segment := segment_of(data[start + 16 : place])) is not None:
            yield data[start:place], segment


def cut(data: bytes, how: str) -> bytes:
    """Return a capture without some packets of each TCP flow.

    `begin`: the first 12; `client`, `server`: all that this side sends; `hole6`, `hole12`: the 6th or 12th with
    payload, and what repeats it, unless this side sends nothing after it, as nobody can see such a hole; `end`: the
    last third; `none`: all are there.
    """
    kept = [data[:24]]
    total: Counter[frozenset[End]] = Counter(frozenset((one.source, one.target)) for _, one in packets(data))
    last = {(one.source, one.target): one.sequence for _, one in packets(data) if one.length}
    seen: Counter[frozenset[End]] = Counter()
    payloads: Counter[frozenset[End]] = Counter()
    clients: dict[frozenset[End], End] = {}
    holes: defaultdict[frozenset[End], set[tuple[End, int]]] = defaultdict(set)
    for packet, one in packets(data):
        flow = frozenset((one.source, one.target))
        client = clients.setdefault(flow, one.source)
        seen[flow] += 1
        payloads[flow] += one.length > 0
        nth = how.startswith("hole") and one.length > 0 and payloads[flow] == int(how[4:])
        if nth and one.sequence != last[one.source, one.target]:
            holes[flow].add((one.source, one.sequence))
        dropped = {
            "none": False,
            "begin": seen[flow] <= 12,
            "client": one.source == client,
            "server": one.source != client,
            "end": seen[flow] > total[flow] * 2 // 3,
        }.get(how, one.length > 0 and (one.source, one.sequence) in holes[flow])
        if not dropped:
            kept.append(packet)
    return b"".join(kept)


def claims(how: str, folder: Path, flowtap: Command, files: list[Path] = FILES, *, doubted: bool = False) -> Claims:
    """Return what is claimed of the flows of captures, changed like that; `doubted`: `unknown` ones, too."""
    paths = []
    for file in files:
        path = folder / how / file.name.removesuffix(".gz")
        path.parent.mkdir(exist_ok=True)
        data = gzip.decompress(file.read_bytes())
        path.write_bytes(disturb(data) if how == "disturbed" else cut(data, how))
        paths.append(path)
    found: Claims = defaultdict(set)
    for line in flowtap("read", "-q", "--json", *paths).stdout.splitlines():
        event = json.loads(line)
        if (
            event["event_type"] == "alert"
            and (doubted or event["flowtap"]["verdict"] == "match")
            and "key" not in event["flowtap"]  # what a rule says is of several flows
        ):
            place = Path(event["capture"]).name, event["src_ip"], event["src_port"], event["dest_port"]
            found[place].add(event["flowtap"]["id"])
    return found


@pytest.fixture(scope="module")
def whole() -> Claims:
    """Keep what is found in the flows as they were recorded, some of them with holes; the first test asks."""
    return {}


@pytest.mark.skipif(not FILES, reason=f"no captures in {CAPTURES}")
@pytest.mark.parametrize("how", ["begin", "client", "server", "hole6", "hole12", "end"])
def test_nothing_more_is_claimed(how: str, whole: Claims, flowtap: Command, tmp_path: Path) -> None:
    if not whole:
        whole.update(claims("none", tmp_path, flowtap, doubted=True))
    assert len({name for names in whole.values() for name in names}) > 25
    found = claims(how, tmp_path, flowtap)
    more = {place: names - whole.get(place, set()) for place, names in found.items()}
    assert not {place: names for place, names in more.items() if names}
    if how in SILENT:
        assert not found


@pytest.mark.skipif(not FILES, reason=f"no captures in {CAPTURES}")
def test_a_worse_network_changes_nothing(flowtap: Command, tmp_path: Path) -> None:
    files = [file for file in FILES if "-v4" in file.name]
    there = claims("none", tmp_path, flowtap, files)
    assert claims("disturbed", tmp_path, flowtap, files) == there and len(there) > 200
