# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simple size rule for SSH logins, to compare with: `python -m bench.size_rule LABELS.csv CAPTURE...` prints JSON.

It is how network monitors tell logins that read the clear-text handshake (Zeek's events ssh_auth_successful and
ssh_auth_failed are the best known), made here from what is generally said of it; no other program's code was used:

- The client's NEWKEYS says where encryption begins (RFC 4253, 7.3); it is read in the content.
- The first packet of the server after the client's first encrypted one accepts the service; its size is A.
- The next one answers the method "none", so its size is that of a refusal.
- From then on a packet of 16 bytes less than A is the success (1 byte of payload against 17), after which nothing more
  is looked at; one of the refusal's size is a failed attempt.

Captures are pcap files, Ethernet, IPv4 or IPv6 without options, perhaps gzipped, with 70 bytes or more of each packet
(IPv6: 92), as the lab's are. LABELS.csv is what `flowtap eval` reads. Judged are all flows with labels, as there.
"""

from __future__ import annotations

import argparse
import gzip
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowtap.eval_labels import Ends, read_labels
from flowtap.eval_text import proportion

ETHERNET = 1
NEWKEYS = 21  # SSH_MSG_NEWKEYS, RFC 4253, 12
MAPPED = bytes(10) + b"\xff\xff"


@dataclass(slots=True)
class Segment:
    """A TCP segment: the length of its payload by the IP header, and as much of it as was captured."""

    source: tuple[bytes, int]
    target: tuple[bytes, int]
    sequence: int
    length: int
    head: bytes


@dataclass(slots=True)
class Login:
    """What the rule knows of one flow."""

    keys: bool = False  # the client's NEWKEYS was seen
    asked: bool = False  # and an encrypted packet after it
    accepted: int = 0  # A
    refusal: int = 0
    failures: int = 0
    success: bool = False

    def client(self, segment: Segment) -> None:
        """Take a segment of the client."""
        if self.keys:
            self.asked = True
        elif len(segment.head) >= 6 and segment.head[5] == NEWKEYS and segment.head[:2] == b"\0\0":
            self.keys = True
            self.asked = segment.length > 4 + int.from_bytes(segment.head[:4])

    def server(self, length: int) -> None:
        """Take a segment of the server."""
        if not self.asked or self.success:
            return
        if not self.accepted:
            self.accepted = length
        elif length == self.accepted - 16:
            self.success = True
        elif not self.refusal:
            self.refusal = length
        elif length == self.refusal:
            self.failures += 1


def segments(path: Path) -> Iterator[Segment]:
    """Yield the TCP segments with payload of a capture. Raises ValueError for another format than the above."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") or data[20] != ETHERNET:
        raise ValueError(f"{path}: expected a little-endian pcap file of Ethernet")
    place = 24
    while place + 16 <= len(data):
        kept = struct.unpack_from("<I", data, place + 8)[0]
        frame = data[place + 16 : place + 16 + kept]
        place += 16 + kept
        if (segment := segment_of(frame)) is not None and segment.length:
            yield segment


def segment_of(frame: bytes) -> Segment | None:
    """Return what an Ethernet frame holds; None when that is no TCP."""
    if frame[12:14] == b"\x08\x00" and len(frame) >= 54 and frame[23] == 6:
        tcp = 14 + (frame[14] & 15) * 4
        end = 14 + int.from_bytes(frame[16:18])
        source, target = MAPPED + frame[26:30], MAPPED + frame[30:34]
    elif frame[12:14] == b"\x86\xdd" and len(frame) >= 74 and frame[20] == 6:
        tcp, end = 54, 54 + int.from_bytes(frame[18:20])
        source, target = frame[22:38], frame[38:54]
    else:
        return None
    here, there, sequence = struct.unpack_from(">HHI", frame, tcp)
    payload = tcp + (frame[tcp + 12] >> 4) * 4
    return Segment((source, here), (target, there), sequence, max(0, end - payload), frame[payload:end])


def logins(path: Path, flows: set[Ends]) -> dict[Ends, Login]:
    """Return what the rule finds in the flows of a capture. Segments that repeat what was seen are left out."""
    found = {ends: Login() for ends in flows}
    seen: dict[tuple[Ends, bool], int] = {}
    for segment in segments(path):
        ends: Ends = ("tcp", *segment.source, *segment.target)
        if not (client := ends in found):
            ends = ("tcp", *segment.target, *segment.source)
        if (login := found.get(ends)) is None:
            continue
        after = (segment.sequence + segment.length) & 0xFFFFFFFF
        last = seen.get((ends, client))
        if (last is not None and (after - last) & 0xFFFFFFFF >= 1 << 31) or after == last:
            continue
        seen[ends, client] = after
        if client:
            login.client(segment)
        else:
            login.server(segment.length)
    return found


def measure(labels: str, captures: list[str]) -> dict[str, Any]:
    """Return precision and recall of success and failure, by flow, and how often attempts were counted exactly."""
    known = read_labels(labels)
    names = known.assign(captures)
    right, wrong, missed = (dict.fromkeys(("success", "failure"), 0) for _ in range(3))
    flows = counted = exactly = 0
    for path, name in names.items():
        labelled = known.captures[name]
        for ends, login in logins(Path(path), set(labelled)).items():
            truth = labelled[ends].labels
            flows += 1
            for outcome, found in (("success", login.success), ("failure", login.failures > 0)):
                told = any(label.startswith(f"ssh.auth.{outcome}") for label in truth)
                right[outcome] += found and told
                wrong[outcome] += found and not told
                missed[outcome] += told and not found
            if (expected := truth.get("ssh.auth.failure")) is not None:
                counted += 1
                exactly += login.failures == expected
    return {
        "flows": flows,
        **{
            outcome: {
                "precision": proportion(right[outcome], right[outcome] + wrong[outcome]),
                "recall": proportion(right[outcome], right[outcome] + missed[outcome]),
            }
            for outcome in right
        },
        "attempts_counted_exactly": proportion(exactly, counted),
    }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.size_rule", description=__doc__.splitlines()[0])
    parser.add_argument("labels", metavar="LABELS.csv")
    parser.add_argument("captures", metavar="CAPTURE", nargs="+")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.labels, arguments.captures), indent=2))


if __name__ == "__main__":
    main()
