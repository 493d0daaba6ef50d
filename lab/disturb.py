# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.disturb IN.pcap.gz OUT.pcap.gz`: the same conversation as a worse network would carry it.

Every fifth TCP packet with payload comes again 3 ms later (a retransmission), and every third pair of neighbours that
one side sent back to back changes places. Shapes must not change.
"""

from __future__ import annotations

import gzip
import struct
import sys
from pathlib import Path

SECOND = 1_000_000
HEAD = struct.Struct("<IIII")


def payload(frame: bytes) -> int:
    """Return the TCP payload bytes of an Ethernet/IPv4/TCP frame, as its headers tell."""
    ip = (frame[14] & 15) * 4
    return int.from_bytes(frame[16:18]) - ip - (frame[14 + ip + 12] >> 4) * 4


def disturb(data: bytes) -> bytes:
    """Return a little-endian pcap file of Ethernet frames, disturbed."""
    packets: list[tuple[int, int, bytes]] = []  # microseconds, bytes on the wire, what was kept
    place = 24
    while place < len(data):
        seconds, micros, kept, wire = HEAD.unpack_from(data, place)
        packets.append((seconds * SECOND + micros, wire, data[place + 16 : place + 16 + kept]))
        place += 16 + kept
    pairs = 0
    for i in range(1, len(packets)):
        (before, wire1, first), (after, wire2, second) = packets[i - 1], packets[i]
        ours = first[26:38] == second[26:38] and after - before < 1000
        if ours and payload(first) > 0 and payload(second) > 0:
            pairs += 1
            if pairs % 3 == 0:
                packets[i - 1], packets[i] = (before, wire2, second), (after, wire1, first)
    full = [packet for packet in packets if payload(packet[2]) > 0]
    packets += [(time + 3_000, wire, frame) for time, wire, frame in full[::5]]
    packets.sort(key=lambda packet: packet[0])
    rows = (HEAD.pack(t // SECOND, t % SECOND, len(frame), wire) + frame for t, wire, frame in packets)
    return data[:24] + b"".join(rows)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_bytes(gzip.compress(disturb(gzip.decompress(source.read_bytes())), 9, mtime=0))
