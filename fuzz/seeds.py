# SPDX-License-Identifier: LGPL-2.1-or-later
"""First inputs for the fuzz targets, made by the builders of the tests: what a target begins from."""

import gzip
import lzma
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import packets as p

PACKET = p.ethernet(p.ipv4(p.tcp(b"payload")))
LAYERS = [
    PACKET,
    p.ethernet(p.ipv6(p.extension(60, p.extension(17, p.udp(b"x"))), 0), 0x86DD),
    p.ethernet(p.ipv6(p.ipv6_fragment(58, p.icmp(b"x", 128), more=True), 44), 0x86DD),
    p.ethernet(p.ipv6(p.authentication(6, p.tcp(b"x")), 51), 0x86DD),
    p.ethernet(p.vlan(p.vlan(p.ipv4(p.icmp(b"x"), 1, options=bytes(8)), 5), 6, 0x8100), 0x88A8),
    p.ethernet(p.mpls(p.pppoe(p.ipv4(p.tcp(b"x"))), 5, 6), 0x8847),
    p.ethernet(p.pppoe(p.ipv4(p.tcp(b"x"))), 0x8864),
    p.ethernet(p.ipv4(p.gre(p.ethernet(p.ipv4(p.tcp(b"x"))), 0x6558, 0xB000), 47)),
    p.ethernet(p.ipv4(p.gre(bytes(8) + p.ethernet(p.ipv4(p.tcp(b"x"))), 0x88BE, 0x1000), 47)),
    p.ethernet(p.ipv4(p.udp(p.vxlan(p.ethernet(p.ipv6(p.ipv4(p.tcp(b"x")), 4), 0x86DD)), dport=4789), 17)),
    p.ethernet(p.ipv4(p.udp(p.geneve(p.ethernet(p.ipv4(p.tcp(b"x"))), options=2), dport=6081), 17)),
]


def packet_parser() -> Iterable[bytes]:
    """Yield packets of every layer, then one behind each kind of link header."""
    for data in LAYERS:
        yield bytes((1, 1, 0, 0)) + data
        yield bytes((1, 0, 9, 0)) + data
    for number in range(16):
        for head in (b"", bytes(14) + b"\x08\0", b"\x08\0" + bytes(18), b"\xff\3\0\x21", b"\2\0\0\0"):
            yield bytes((number, 0, 0, 0)) + head + PACKET[14:]


def capture_reader() -> Iterable[bytes]:
    """Yield small files of every format."""
    packets = [p.Packet(data) for data in LAYERS[:4]]
    blocks = p.simple(PACKET) + p.obsolete(packets[0]) + p.block(5, bytes(12)) + p.enhanced(packets[1])
    rich = p.section() + p.interface(101, "eth0", snaplen=96, resolution=0x8A, offset=5) + p.interface(113) + blocks
    for order in "<>":
        yield b"\1\3" + p.pcap(packets, order)
        yield b"\2\1" + p.pcapng(packets, order)
    yield b"\0\1" + p.pcap(packets, nano=True, kuznetzov=True)
    yield b"\0\1" + p.pcap(packets, version=(2, 2))
    yield b"\xff\1" + rich + p.pcapng(packets[:1], ">")
    for pack in (gzip.compress, lzma.compress, zstandard.compress):
        yield b"\1\1" + pack(p.pcap(packets))
        yield b"\1\1" + pack(rich[:100]) + pack(rich[100:])


DEFINITIONS = b"""let REPLY(pause, ignore) = $pause $ignore ~ s@F
let LAST(n) = ( c$n+58,$n+64 | c$n-6-$n+9!$n/1,@F-$n+2/4 | > )
let TWICE(n, sizes) = $LAST($n) $LAST($n+7) s9-!$sizes
let FIRST(sizes) = s$sizes,7/0#F
tcp * < s40-100#A $FIRST(@A,@A+8) $REPLY(+0ms-229ms, ~ s@A-8) $REPLY(, ) $TWICE(22, @A) : One
udp 53 = C5 ( + X@1-2 | S5- > ){1,3} ... where c.bytes / s.bytes < 0.1 and not rtt < 3ms : Two
    id = a.b
    threshold = 2 in 5s by src
flows : Three
    sequence = 2 a.b in 9s by src
"""


def signature_parser() -> Iterable[bytes]:
    """Yield the shipped lines that are not too long, and what they do not have."""
    yield b"\xff" + DEFINITIONS
    for path in sorted((Path(__file__).resolve().parent.parent / "sigdb" / "signatures").glob("*.fp")):
        yield from (b"\xff" + line for line in path.read_bytes().splitlines() if 20 < len(line) < 1500)


SEEDS: dict[str, Callable[[], Iterable[bytes]]] = {
    "packet_parser": packet_parser,
    "capture_reader": capture_reader,
    "signature_parser": signature_parser,
}
