# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packet parser: what each kind of packet becomes, and that no bytes can upset it."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import packets as p
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture import parse_packet
from capture.record import RECORD, TAG

FRAGMENT, TUNNEL, VLAN, TRUNCATED = 1, 2, 4, 8
E, I4, I6 = p.ethernet, p.ipv4, p.ipv6
DATA = b"x" * 30
T, U = p.tcp(DATA), p.udp(DATA)
JUMBO = bytes((6, 0, 0xC2, 4)) + struct.pack(">I", 8 + len(T)) + T


def record(data, **options):
    verdict, raw, tag = parse_packet(data, **options)
    assert verdict == "record"
    return np.frombuffer(raw, RECORD)[0], np.frombuffer(tag, TAG)[0]


def nested(depth):
    """Put an IPv4 packet inside `depth` others."""
    data = I4(T)
    for _ in range(depth):
        data = I4(data, 4)
    return E(data)


# packet: payload length, record flags; opened tunnels where the flag says so
RECORDS = {
    "tcp": (E(I4(T)), 30, 0),
    "tcp with options": (E(I4(p.tcp(DATA, options=bytes(12)))), 30, 0),
    "syn": (E(I4(p.tcp(flags=2))), 0, 0),
    "fin": (E(I4(p.tcp(flags=0x11))), 0, 0),
    "rst": (E(I4(p.tcp(flags=4))), 0, 0),
    "padding is no payload": (E(I4(p.tcp(b"x"))), 1, 0),
    "udp": (E(I4(U, 17)), 30, 0),
    "udp empty": (E(I4(p.udp(), 17)), 0, 0),
    "udp shorter than ip": (E(I4(p.udp(DATA, length=18), 17)), 10, 0),
    "udp length 0": (E(I4(p.udp(DATA, length=0), 17)), 30, 0),
    "icmp": (E(I4(p.icmp(DATA), 1)), 30, 0),
    "icmpv6": (E(I6(p.icmp(DATA, 128), 58), 0x86DD), 30, 0),
    "ip options": (E(I4(T, options=bytes(40))), 30, 0),
    "tso: total length 0": (E(I4(T, length=0)), 30, 0),
    "first fragment": (E(I4(U, 17, fragment=0x2000)), 30, FRAGMENT),
    "first fragment, udp length of the whole": (E(I4(p.udp(DATA, length=3000), 17, fragment=0x2000)), 2992, FRAGMENT),
    "do not fragment": (E(I4(T, fragment=0x4000)), 30, 0),
    "ipv6": (E(I6(T), 0x86DD), 30, 0),
    "ipv6 payload length 0": (E(I6(T, length=0), 0x86DD), 30, 0),
    "ipv6 jumbogram": (E(I6(JUMBO, 0, length=0) + b"trailer", 0x86DD), 30, 0),
    "ipv6 hop-by-hop": (E(I6(p.extension(6, T), 0), 0x86DD), 30, 0),
    "ipv6 routing, destination": (E(I6(p.extension(60, p.extension(6, T, 3)), 43), 0x86DD), 30, 0),
    "ipv6 mobility": (E(I6(p.extension(6, T), 135), 0x86DD), 30, 0),
    "ipv6 authentication": (E(I6(p.authentication(6, T), 51), 0x86DD), 30, 0),
    "ipv4 authentication": (E(I4(p.authentication(6, T), 51)), 30, 0),
    "ipv6 first fragment": (E(I6(p.ipv6_fragment(17, U, more=True), 44), 0x86DD), 30, FRAGMENT),
    "ipv6 atomic fragment": (E(I6(p.ipv6_fragment(17, U), 44), 0x86DD), 30, 0),
    "vlan": (E(p.vlan(I4(T), 5), 0x8100), 30, VLAN),
    "qinq": (E(p.vlan(p.vlan(I4(T), 6), 5, 0x8100), 0x88A8), 30, VLAN),
    "9100": (E(p.vlan(p.vlan(I6(T), 6, 0x86DD), 5, 0x8100), 0x9100), 30, VLAN),
    "mpls": (E(p.mpls(I4(T), 100), 0x8847), 30, 0),
    "mpls stack, ipv6": (E(p.mpls(I6(T), 100, 200, 300), 0x8847), 30, 0),
    "pppoe": (E(p.pppoe(I4(T)), 0x8864), 30, 0),
    "pppoe, ipv6, vlan": (E(p.vlan(p.pppoe(I6(T), 0x57), 9, 0x8864), 0x8100), 30, VLAN),
    "snap": (E(b"\xaa\xaa\x03\0\0\0\x08\0" + I4(T), 100), 30, 0),
    "llc": (E(b"\x06\x06\x03" + I4(T), 100), 30, 0),
    "gre": (E(I4(p.gre(I4(T)), 47)), 30, TUNNEL),
    "gre, checksum, key, sequence": (E(I4(p.gre(I6(T), 0x86DD, 0xB000), 47)), 30, TUNNEL),
    "gre over ipv6": (E(I6(p.gre(I4(T)), 47), 0x86DD), 30, TUNNEL),
    "gre, ethernet": (E(I4(p.gre(E(I4(T)), 0x6558), 47)), 30, TUNNEL),
    "gre, mpls": (E(I4(p.gre(p.mpls(I4(T), 9), 0x8847), 47)), 30, TUNNEL),
    "erspan I": (E(I4(p.gre(E(I4(T)), 0x88BE), 47)), 30, TUNNEL),
    "erspan II": (E(I4(p.gre(bytes(8) + E(I4(T)), 0x88BE, 0x1000), 47)), 30, TUNNEL),
    "erspan III": (E(I4(p.gre(bytes(12) + E(I4(T)), 0x22EB, 0x1000), 47)), 30, TUNNEL),
    "erspan III, subheader": (E(I4(p.gre(bytes(11) + b"\1" + bytes(8) + E(I4(T)), 0x22EB, 0x1000), 47)), 30, TUNNEL),
    "vxlan, reserved bits": (E(I4(p.udp(p.vxlan(E(I4(T)), flags=0xFF), dport=4789), 17)), 30, TUNNEL),
    "ipip": (E(I4(I4(T), 4)), 30, TUNNEL),
    "6in4": (E(I4(I6(T), 41)), 30, TUNNEL),
    "ip6tnl": (E(I6(I6(T), 41), 0x86DD), 30, TUNNEL),
    "4in6": (E(I6(I4(T), 4), 0x86DD), 30, TUNNEL),
    "vxlan": (E(I4(p.udp(p.vxlan(E(I4(T))), dport=4789), 17)), 30, TUNNEL),
    "vxlan, linux port": (E(I4(p.udp(p.vxlan(E(I4(T))), dport=8472), 17)), 30, TUNNEL),
    "vxlan with a vlan inside": (E(I4(p.udp(p.vxlan(E(p.vlan(I4(T), 5), 0x8100)), dport=4789), 17)), 30, TUNNEL | VLAN),
    "geneve": (E(I4(p.udp(p.geneve(E(I4(T)), options=3), dport=6081), 17)), 30, TUNNEL),
    "geneve, ip": (E(I4(p.udp(p.geneve(I6(T), 0x86DD), dport=6081), 17)), 30, TUNNEL),
    "tunnel's first fragment": (E(I4(I4(T, length=3000), 4, fragment=0x2000)), 30, TUNNEL | FRAGMENT),
    "tunnel in tunnel": (nested(4), 30, TUNNEL),
}


@pytest.mark.parametrize("name", RECORDS)
def test_record(name):
    data, length, flags = RECORDS[name]
    made, _ = record(data, decap=bool(flags & TUNNEL))
    assert (made["len"], made["flags"]) == (length, flags)


OTHERS = {
    "no_payload": [E(I4(p.tcp(flags=0x10))), E(I4(p.tcp(flags=0x18))), E(I6(p.tcp(flags=0x10)), 0x86DD)],
    "not_ip": [
        E(b"", 0x0806),
        E(b"\x42\x42\x03", 38),
        E(p.mpls(b"\0" * 40, 5), 0x8847),
        E(p.pppoe(b"", 0xC021), 0x8864),
        E(p.pppoe(b"", code=0xA7), 0x8864),
    ],
    "other_protocol": [
        E(I4(b"", 132)),
        E(I4(p.icmp(), 58)),
        E(I6(p.icmp(), 1), 0x86DD),
        E(I6(b"", 59), 0x86DD),
        E(I6(b"", 50), 0x86DD),
        E(I4(p.gre(I4(T)), 47)),
        E(I4(I4(T), 4)),
        E(I4(p.extension(6, T), 60)),
    ],
    "fragment": [E(I4(U, 17, fragment=1)), E(I4(U, 17, fragment=0x2001)), E(I6(p.ipv6_fragment(17, U, 1), 44), 0x86DD)],
    "short": [
        b"",
        b"x" * 13,
        E(b"", pad=False),
        E(I4(T)[:19], pad=False),
        E(I4(b"", length=40), pad=False) + bytes(13),
    ],
    "bad_header": [
        E(I4(T, version=5)),
        E(I4(T, header=4)),
        E(I4(T, header=15, length=40)),
        E(I6(T, version=4), 0x86DD),
        E(I4(p.tcp(header=4))),
        E(I4(p.tcp(header=6))),
        E(I4(p.tcp()[:19])),
        E(I4(p.udp(length=7), 17)),
        E(I4(p.udp()[:7], 17)),
        E(I4(p.icmp()[:7], 1)),
        E(I6(p.extension(6, b"", 9), 0), 0x86DD),
        E(p.pppoe(I4(T), version=0x21), 0x8864),
    ],
    "bad_length": [E(I4(T, length=1500)), E(I6(T, length=1500), 0x86DD), E(I4(p.udp(DATA, length=39), 17))],
    "too_deep": [E(p.mpls(I4(T), *range(30)), 0x8847), E(p.vlan(b"", 1, 0x8100) * 30 + I4(T), 0x8100)],
}


@pytest.mark.parametrize(("verdict", "data"), [(v, d) for v, many in OTHERS.items() for d in many])
def test_other_verdicts(verdict, data):
    # A "short" packet had more on the wire.
    wire = 1000 if verdict == "short" else None
    assert parse_packet(data, wire=wire)[0] == verdict


@pytest.mark.parametrize(
    ("verdict", "data"),
    [
        ("too_deep", nested(30)),
        ("not_ip", E(I4(p.udp(p.vxlan(E(b"", 0x0806)), dport=4789), 17))),
        ("other_protocol", E(I4(p.gre(I4(T), version=1), 47))),
        ("other_protocol", E(I4(p.gre(I4(T), flags=0x4000), 47))),
        ("bad_length", E(I4(I4(T, length=71), 4))),
        ("no_payload", E(I4(I4(p.tcp(flags=0x10)), 4))),
    ],
)
def test_inside_tunnels(verdict, data):
    assert parse_packet(data, decap=True)[0] == verdict


@pytest.mark.parametrize(
    ("port", "payload"),
    [
        (4789, p.vxlan(E(I4(T)), flags=0)),
        (4789, p.vxlan(b"x")),
        (4789, b"x"),
        (6081, p.geneve(E(I4(T)), version=1)),
        (6081, bytes((63, 0, 0x65, 0x58, 0, 0, 7, 0))),
        (6081, p.geneve(b"", kind=0)),
        (6081, b"x"),
    ],
)
def test_udp_that_only_looks_like_a_tunnel(port, payload):
    made, _ = record(E(I4(p.udp(payload, dport=port), 17)), decap=True)
    assert [made[f] for f in ("dport", "len", "flags")] == [port, len(payload), 0]


def test_fields():
    made, tag = record(
        E(
            p.vlan(
                p.vlan(I4(p.tcp(DATA, 1025, 443, seq=0xDEADBEEF, ack=0xCAFE1234, flags=0xDA), ttl=57), 7), 4095, 0x8100
            ),
            0x88A8,
        ),
        ts=123456789,
    )
    assert bytes(made["src"]) == p.address(p.CLIENT)
    assert bytes(made["dst"]) == p.address(p.SERVER)
    fields = ("ts", "sport", "dport", "seq", "ack", "tcpflags", "ttl", "proto", "seg")
    assert [made[f] for f in fields] == [123456789, 1025, 443, 0xDEADBEEF, 0x1234, 0xDA, 57, 6, 0]
    assert (tag["vlan"], tag["vlan2"]) == (4095, 7)


def test_fields_ipv6():
    made, _ = record(E(I6(U, 17, hops=3), 0x86DD))
    assert bytes(made["src"]) == p.address(p.CLIENT6)
    assert bytes(made["dst"]) == p.address(p.SERVER6)
    assert [made[f] for f in ("sport", "dport", "seq", "ack", "tcpflags", "ttl", "proto")] == [
        40000,
        53,
        0,
        0,
        0,
        3,
        17,
    ]


def test_the_inner_packet_is_the_record():
    inner = I4(p.icmp(DATA, identifier=77), 1, "192.0.2.1", "192.0.2.2", ttl=9)
    made, _ = record(E(I4(p.udp(p.vxlan(E(inner)), dport=4789), 17)), decap=True)
    assert bytes(made["src"]) == p.address("192.0.2.1")
    assert [made[f] for f in ("sport", "dport", "proto", "ttl", "len")] == [77, 77, 1, 9, 30]


@pytest.mark.parametrize(
    ("version", "kind", "has"),
    [(4, 0, 1), (4, 8, 1), (4, 13, 1), (4, 14, 1), (4, 15, 1), (4, 18, 1), (4, 3, 0), (4, 5, 0), (4, 11, 0), (4, 12, 0),
     (6, 128, 1), (6, 129, 1), (6, 1, 0), (6, 135, 0), (6, 8, 0)],
)  # fmt: skip
def test_icmp_identifier(version, kind, has):
    body = p.icmp(DATA, kind, identifier=99)
    made, _ = record(E(I4(body, 1)) if version == 4 else E(I6(body, 58), 0x86DD))
    assert (made["sport"], made["dport"]) == ((99, 99) if has else (0, 0))


@pytest.mark.parametrize("cut", [34 + 14, 34 + 20, 34 + 20 + 29])
def test_cut_by_the_snap_length(cut):
    made, _ = record(E(I4(T))[:cut], wire=84)
    assert (made["len"], made["flags"]) == (30, TRUNCATED)


LINKS = {
    "raw 12": (12, b""),
    "raw 14": (14, b""),
    "raw 101": (101, b""),
    "ipv4": (228, b""),
    "null, little endian": (0, b"\2\0\0\0"),
    "null, big endian": (0, b"\0\0\0\2"),
    "loop": (108, b"\0\0\0\2"),
    "cooked": (113, bytes(14) + b"\x08\0"),
    "cooked, vlan": (113, bytes(14) + b"\x81\0\0\5\x08\0"),
    "cooked, llc": (113, bytes(14) + b"\0\4\xaa\xaa\3\0\0\0\x08\0"),
    "cooked 2": (276, b"\x08\0" + bytes(18)),
    "ppp": (9, b"\0\x21"),
    "ppp, compressed protocol": (9, b"\x21"),
    "ppp, hdlc": (9, b"\xff\3\0\x21"),
    "ppp 50": (50, b"\xff\3\0\x21"),
    "ppp 50, cisco": (50, b"\x0f\0\x08\0"),
    "ppp, pppd": (166, b"\1\3\0\x21"),
    "cisco hdlc": (104, b"\x0f\0\x08\0"),
    "pppoe": (51, p.pppoe(b"")),
    "ethernet": (1, E(b"", pad=False)),
}
LINKS6 = {
    "raw 101": (101, b""),
    "ipv6": (229, b""),
    **{f"null {family}": (0, bytes((family, 0, 0, 0))) for family in (10, 24, 28, 30)},
    "loop": (108, b"\0\0\0\x1e"),
    "cooked": (113, bytes(14) + b"\x86\xdd"),
    "cooked 2": (276, b"\x86\xdd" + bytes(18)),
    "ppp": (9, b"\xff\3\0\x57"),
}


@pytest.mark.parametrize(
    ("link", "data"),
    [(n, h + I4(T)) for n, h in LINKS.values()] + [(n, h + I6(T)) for n, h in LINKS6.values()],
    ids=[*LINKS, *(f"6 {name}" for name in LINKS6)],
)
def test_link_types(link, data):
    made, _ = record(data, link=link)
    assert (made["len"], made["sport"]) == (30, 40000)


@pytest.mark.parametrize(
    ("link", "data", "verdict"),
    [(0, b"\7\0\0\0", "not_ip"), (0, b"\2\0", "short"), (113, b"", "short"), (113, bytes(16), "not_ip"),
     (276, bytes(19), "short"), (9, b"", "short"), (9, b"\xc0\x21", "not_ip"), (101, b"\x10", "not_ip"),
     (127, E(I4(T)), "other_link"), (4_000_000_000, b"", "other_link")],
)  # fmt: skip
def test_link_types_without_ip(link, data, verdict):
    assert parse_packet(data, link=link)[0] == verdict


ends = st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 65535))


@given(ends, ends, st.binary(min_size=64, max_size=64))
def test_hash_is_the_same_in_both_directions(one, other, key):
    there = E(I4(p.tcp(DATA, one[1], other[1]), src=one[0], dst=other[0]))
    back = E(I4(p.tcp(DATA, other[1], one[1]), src=other[0], dst=one[0]))
    assert record(there, key=key)[0]["hash"] == record(back, key=key)[0]["hash"]


@pytest.mark.parametrize("varying", ["port", "address", "both ends alike"])
def test_hash_spreads(varying):
    key = os.urandom(64)
    hashes = []
    for i in range(4096):
        src = f"10.9.{i >> 8}.{i & 255}" if varying != "port" else p.CLIENT
        dst = src if varying == "both ends alike" else p.SERVER
        data = E(I4(p.tcp(DATA, sport=1024 + i if varying == "port" else 5), src=src, dst=dst))
        hashes.append(int(record(data, key=key)[0]["hash"]))
    assert len(set(hashes)) > 4090  # 4096 of 2**32: 0.002 collisions expected
    # Each half of the bits fills 256 buckets evenly: chi-squared with 255 degrees of freedom, 400 is beyond 1e-7.
    for shift in (0, 12, 24):
        counts = np.bincount([h >> shift & 255 for h in hashes], minlength=256)
        assert ((counts - 16) ** 2 / 16).sum() < 420


def test_hash_depends_on_the_key_and_the_protocol():
    data = E(I4(p.udp(sport=9, dport=9), 17))
    assert record(data, key=bytes(range(64)))[0]["hash"] != record(data, key=bytes(range(1, 65)))[0]["hash"]
    same_ports = E(I4(p.tcp(DATA, sport=9, dport=9)))
    assert record(data, key=bytes(range(64)))[0]["hash"] != record(same_ports, key=bytes(range(64)))[0]["hash"]


@given(st.sampled_from([data for data, _, _ in RECORDS.values()]), st.data())
def test_any_damage_has_a_verdict(data, draw):
    damaged = bytearray(data[: draw.draw(st.integers(0, len(data)))])
    for _ in range(draw.draw(st.integers(0, 3))):
        if damaged:
            damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    verdict, raw, _ = parse_packet(bytes(damaged), decap=True, wire=draw.draw(st.integers(len(damaged), 2000)))
    assert (verdict == "record") == bool(raw)


TC_PROGRAM = """
#include <linux/bpf.h>
static long (*bpf_skb_load_bytes)(const void *, __u32, void *, __u32) = (void *)26;
#include "packet.h"
int tap(struct __sk_buff *skb)
{
    struct ft_record record = {0};
    struct ft_tag tag = {0};
    struct ft_headers at = {0};
    struct ft_key key = {0};
    struct ft_packet packet = {.skb = skb, .caplen = skb->len, .wire = skb->len};
    return ft_parse(&packet, 0, FT_STEP_ETHERNET, 1, &key, &record, &tag, &at) + record.hash;
}
"""
CLANG = shutil.which("clang") or shutil.which("clang-14")


@pytest.mark.skipif(CLANG is None, reason="no clang")
@pytest.mark.skipif(not Path("/usr/include/linux/bpf.h").exists(), reason="no kernel headers for userspace")
def test_compiles_for_the_kernel(tmp_path):
    bpf = Path(__file__).resolve().parent.parent / "bpf"
    system = [f"-I{folder}" for folder in Path("/usr/include").glob("*-linux-gnu")]
    command = [CLANG, "-O2", "-target", "bpf", "-D__KERNEL__", "-Wall", "-Werror", f"-I{bpf}", *system, "-x", "c", "-c"]
    done = subprocess.run(
        [*command, "-", "-o", tmp_path / "x.o"],
        input=TC_PROGRAM,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
