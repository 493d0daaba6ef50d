# SPDX-License-Identifier: LGPL-2.1-or-later
"""The eBPF tap: the same records as the userspace parser makes, and counters that leave nothing out."""

import fcntl
import os
import socket
import struct
from collections import defaultdict
from pathlib import Path
from random import Random
from time import monotonic

import numpy as np
import packets as p
import pytest
from ebpf_tap import Tap
from pyroute2 import IPRoute
from tapped import BATCH, EGRESS, FRAMES, KEY, SENDER, expected, frame, joined, routed
from veth import namespace, pair, send

from capture._message import parse_handshake
from capture.live import Interface
from capture.record import HANDSHAKE, RECORD

pytestmark = pytest.mark.live
E, I4, I6 = p.ethernet, p.ipv4, p.ipv6


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    Tap.cache = tmp_path_factory.mktemp("programs")


@pytest.fixture
def cable():
    with joined() as ends:
        yield ends


@pytest.mark.parametrize("egress", [False, True], ids=["ingress", "egress"])
@pytest.mark.parametrize("decap", [False, True], ids=["closed", "decap"])
def test_the_same_records_as_in_userspace(cable, decap, egress):
    """Coming in, the outermost VLAN tag is stripped into metadata; going out, it is in the frame."""
    with Tap(decap=decap) as tap:
        tap.tap.add(cable[0] if egress else cable[1])
        send(cable[0], FRAMES)
        _, filtered, stream = tap.settle(len(FRAMES))
        records, tags = tap.made()
    wanted, verdicts = expected(FRAMES, decap)
    assert filtered == verdicts
    assert stream["forwarded"] == len(wanted) == len(records)
    assert (np.diff(records["ts"].astype(np.int64)) > 0).all()
    for made, tag, (record, label) in zip(records, tags, wanted, strict=True):
        record["ts"] = made["ts"]
        record["flags"] |= EGRESS * egress
        label["iface"] = cable[0 if egress else 1].index
        assert (made, tag) == (record, label)


@pytest.mark.parametrize("decap", [False, True], ids=["closed", "decap"])
def test_the_short_way_of_plain_packets_makes_the_same(cable, decap):
    """Frames that are plain, and such that are not by one byte: bpf/plain.h must leave those to the parser."""
    chance, frames = Random(7), []
    for i in range(6000):
        content = chance.randbytes(chance.randrange(40))
        tcp = p.tcp(content, i, chance.choice((22, 53)), seq=chance.getrandbits(32), ack=chance.getrandbits(32))
        udp = p.udp(content, i, chance.choice((53, 4789, 6081, 8472)))
        data = bytearray(E(I4(tcp) if i % 2 else I4(udp, 17)))
        if chance.random() < 0.8:
            place = chance.choice((14, 16, 17, 20, 21, 22, 23, 38, 39, 46, 47, chance.randrange(12, 54)))
            data[place] = chance.choice((0, 1, 2, 4, 5, 8, 0x20, 0x40, 0x50, data[place] ^ 1, chance.randrange(256)))
        frames.append(bytes(data))
    with Tap(decap=decap) as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        _, filtered, _ = tap.settle(len(frames))
        records, _ = tap.made()
        handshakes = tap.handshakes()
    wanted, verdicts = expected(frames, decap)
    assert filtered == verdicts
    assert len(handshakes) == sum(bool(parse_handshake(each, decap=decap, key=KEY)) for each in frames) > 0
    wanted = np.array([record for record, _ in wanted])
    wanted["ts"] = records["ts"]
    assert (records == wanted).all()


def test_handshake_records(cable):
    linux = bytes.fromhex("020405b40402080a00112233000000000103030a")
    syn = p.tcp(flags=2, seq=0xDEADBEEF, ack=0x01020304, options=linux)
    frames = [
        E(I4(syn, ttl=57, fragment=0x4000, options=bytes(8))),
        E(I4(p.tcp(flags=0xC2))),
        E(I4(p.tcp(b"payload", sport=22, dport=40000, flags=0x12, options=bytes(40)))),
        E(I6(p.extension(6, syn), 0, hops=3), 0x86DD),
        E(p.vlan(p.vlan(I4(syn), 6), 5, 0x8100), 0x88A8),
        E(I4(p.gre(I4(syn)), 47)),
        E(I4(p.tcp(flags=3))),
        E(I4(p.tcp(flags=6))),
        frame(flags=0x18),
    ]
    with Tap(decap=True) as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        stream = tap.settle(len(frames))[2]
        found = tap.handshakes()
        records = tap.made()[0]
    expected = [
        np.frombuffer(raw, HANDSHAKE)[0].copy()
        for raw in (parse_handshake(f, decap=True, key=KEY) for f in frames)
        if raw
    ]
    assert len(found) == len(expected) == stream["handshakes_forwarded"] == 6
    for made, wanted in zip(found, expected, strict=True):
        wanted["ts"], wanted["iface"] = made["ts"], cable[1].index
        assert made == wanted
    assert list(found["ts"]) == list(records["ts"][:6])


def test_the_ack_that_completes_a_handshake(cable):
    frames = [
        frame(flags=2),
        E(I4(p.tcp(sport=22, dport=1024, flags=0x12), src=p.SERVER, dst=p.CLIENT)),
        frame(payload=b"", flags=0x10),
        frame(payload=b"", flags=0x10),
        frame(payload=b"", flags=0x11),
    ]
    with Tap() as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        _, filtered, _ = tap.settle(len(frames))
        assert filtered == {"no_payload": 1}
        assert list(tap.made()[0]["tcpflags"]) == [2, 0x12, 0x10, 0x11]


@pytest.mark.parametrize("shards", [1, 3, 64])
def test_the_ledger_closes(cable, shards):
    frames = [frame(i % 500, seq=i) for i in range(3000)] + [frame(payload=b"", flags=0x10)] * 50
    with Tap(shards=shards) as tap:
        tap.tap.add(cable[0])
        tap.tap.add(cable[1])
        send(cable[0], frames)
        _, filtered, stream = tap.settle(2 * len(frames))
        assert filtered == {"no_payload": 100}
        assert (stream["forwarded"], stream["lost"]) == (6000, 0)
        streams = defaultdict(int)
        numbers = defaultdict(int)
        for header, _ in tap.messages:
            which = header["cpu"], header["shard"]
            assert (header["seq"], header["first"]) == (numbers[which], streams[which])
            assert header["sender"] == SENDER
            numbers[which] += 1
            streams[which] += header["count"]
        assert sum(streams.values()) == 6000
        assert len({shard for _, shard in streams}) == shards
        for header, body in tap.messages:
            records = np.frombuffer(body, RECORD, header["count"], BATCH * 8)
            assert (records["ts"][0], records["ts"][-1]) == (header["began"], header["ts"])
            assert set((records["hash"].astype(np.uint64) * shards) >> np.uint64(32)) == {header["shard"]}


def test_the_watermark(cable):
    with Tap() as tap:
        tap.tap.add(cable[1])
        watermark = 0
        for round_ in range(30):
            send(cable[0], [frame(i) for i in range(round_)])
            before = len(tap.messages)
            earlier, watermark = watermark, tap.tap.poll(3)
            assert earlier <= watermark
            for header, _ in tap.messages[before:]:
                assert header["began"] > earlier
        first = tap.tap.poll(0)
        end = monotonic() + 10
        while tap.tap.poll(10) == first:
            assert monotonic() < end


def test_a_full_ring_loses_and_counts(cable):
    frames = [frame(i % 64, seq=i) for i in range(6000)]
    with Tap(ring_bytes=65536) as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        end = monotonic() + 10
        while tap.totals()[0] < len(frames):
            assert monotonic() < end
        stream = tap.settle(len(frames))[2]
        assert stream["lost"] > 0
        assert stream["batched"] == 6000 == stream["forwarded"] + stream["lost"]
        assert sum(header["count"] for header, _ in tap.messages) == stream["forwarded"]
        send(cable[0], frames[:300])
        stream = tap.settle(len(frames) + 300)[2]
        # what a worker sees of it: by `first`, how many records of the stream it misses
        missed = expected = 0
        for header, _ in tap.messages:
            missed += header["first"] - expected
            expected = header["first"] + header["count"]
        assert missed == stream["lost"]
        assert tap.messages[-1][0]["seq"] > len(tap.messages) - 1


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"ports": frozenset((22, 53))}, {(40000, 22), (22, 40000), (1, 53)}),
        ({"exclude_ports": frozenset((22, 53))}, {(40000, 80), (0x1234, 0x1234)}),
    ],
    ids=["only", "all but"],
)
def test_ports(cable, settings, kept):
    frames = [
        E(I4(p.tcp(b"x", 40000, 22))),
        E(I4(p.tcp(b"x", 22, 40000))),
        E(I4(p.tcp(b"x", 40000, 80))),
        E(I4(p.udp(b"x", 1, 53), 17)),
        E(I4(p.icmp(), 1)),
    ]
    with Tap(**settings) as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        _, filtered, _ = tap.settle(len(frames))
        assert filtered == {"port": len(frames) - len(kept)}
        assert {(int(r["sport"]), int(r["dport"])) for r in tap.made()[0]} == kept


def test_cutoff(cable):
    flow = [frame(1, seq=i) for i in range(10)]
    frames = [frame(1, flags=2), *flow, frame(2), frame(1, payload=b"", flags=0x11), frame(1, flags=2), *flow[:2]]
    with Tap(cutoff=4) as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        _, filtered, _ = tap.settle(len(frames))
        assert filtered == {"cutoff": 6}
        assert [int(r["tcpflags"]) for r in tap.made()[0]] == [2, 24, 24, 24, 24, 24, 0x11, 2, 24, 24]


def test_a_forwarded_packet_is_counted_once(cable):
    with pair("three", "four") as (three, _), IPRoute() as route, Tap() as tap:
        for port, address in ((cable[1], "10.1.0.1"), (three, "10.2.0.1")):
            route.addr("add", index=port.index, address=address, prefixlen=24)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        mac = route.get_links(cable[1].index)[0].get_attr("IFLA_ADDRESS")
        frames = [routed(bytes.fromhex(mac.replace(":", "")), i) for i in range(20)]
        tap.tap.add(cable[1])
        tap.tap.add(three)
        send(cable[0], frames)
        assert tap.settle(40)[1] == {"forwarded": 20}
        assert {int(tag["iface"]) for tag in tap.made()[1]} == {cable[1].index}
        tap.tap.elsewhere((cable[1].index,))
        tap.tap.remove(cable[1])  # as if another process tapped it
        send(cable[0], frames)
        assert tap.settle(60)[1] == {"forwarded": 40}
        tap.tap.elsewhere(())
        send(cable[0], frames)
        assert tap.settle(80)[1] == {"forwarded": 40}
        assert {int(r["flags"]) for r in tap.made()[0][-20:]} == {EGRESS}


def test_interfaces_without_ethernet():
    with namespace():
        tun = os.open("/dev/net/tun", os.O_RDWR)
        try:
            fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))  # TUNSETIFF: IFF_TUN | IFF_NO_PI
            with IPRoute() as route:
                index = route.link_lookup(ifname="tun0")[0]
                route.link("set", index=index, state="up")
            with Tap() as tap:
                tap.tap.add(Interface(index, "tun0", ethernet=False, loopback=False, tunnel=False))
                os.write(tun, I4(p.tcp(b"abc")))
                os.write(tun, I6(p.udp(b"abcd"), 17))
                tap.settle(2)
                assert sorted(map(int, tap.made()[0]["len"])) == [3, 4]
        finally:
            os.close(tun)


@pytest.mark.parametrize("egress", [False, True], ids=["ingress", "egress"])
@pytest.mark.parametrize(
    ("data", "kind", "header", "checksum"),
    [(E(I4(p.tcp(b"x" * 3500))), 1, 54, 16), (E(I6(p.tcp(b"x" * 3500)), 0x86DD), 4, 74, 16)],
    ids=["ipv4", "ipv6"],
)
def test_merged_segments(cable, egress, data, kind, header, checksum):
    """A packet of 3500 bytes that the network card would cut into segments of 1000, and one that is no such."""
    vnet = struct.pack("=BBHHHH", 1, kind, header, 1000, header - 20, checksum)
    with Tap() as tap, socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        tap.tap.add(cable[0] if egress else cable[1])
        sender.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
        sender.bind((cable[0].name, 0))
        sender.send(vnet + data)
        sender.send(bytes(10) + frame())
        tap.settle(2)
        assert [(int(r["len"]), int(r["seg"])) for r in tap.made()[0]] == [(3500, 1000), (30, 0)]
