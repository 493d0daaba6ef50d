# SPDX-License-Identifier: LGPL-2.1-or-later
"""The AF_PACKET tap: the same records as the userspace parser makes, and counters that leave nothing out."""

import fcntl
import socket
import struct
import threading
from pathlib import Path
from time import monotonic

import numpy as np
import packets as p
import pytest
from afpacket_tap import Tap
from pyroute2 import IPRoute
from tapped import BATCH, EGRESS, FRAMES, KEY, expected, frame, joined
from veth import namespace, pair, send

from capture._message import parse_handshake
from capture.afpacket import STREAMS
from capture.live import Interface, TapError
from capture.record import HANDSHAKE, RECORD

pytestmark = pytest.mark.live
E, I4, I6 = p.ethernet, p.ipv4, p.ipv6


@pytest.fixture
def cable():
    with joined() as ends:
        yield ends


@pytest.mark.parametrize("egress", [False, True], ids=["ingress", "egress"])
@pytest.mark.parametrize("decap", [False, True], ids=["closed", "decap"])
def test_the_same_records_as_in_userspace(cable, decap, egress):
    end = cable[0 if egress else 1]
    longer_than_kept = E(I4(p.tcp(b"x" * 1300, options=bytes(40)), options=bytes(40)))
    frames = [*FRAMES, longer_than_kept]
    with Tap(decap=decap) as tap:
        tap.tap.add(end)
        send(cable[0], frames)
        filtered, stream = tap.settle(len(frames))
        records, tags = tap.made()
    wanted, verdicts = expected(frames, decap)
    assert filtered == verdicts
    assert stream["forwarded"] == len(wanted) == len(records)
    for made, tag, (record, label) in zip(records, tags, wanted, strict=True):
        record["ts"] = made["ts"]
        record["flags"] |= EGRESS * egress
        label["iface"] = end.index
        assert (made, tag) == (record, label)


def test_handshake_records(cable):
    linux = bytes.fromhex("020405b40402080a00112233000000000103030a")
    syn = p.tcp(flags=2, seq=0xDEADBEEF, ack=0x01020304, options=linux)
    frames = [
        E(I4(syn, ttl=57, fragment=0x4000, options=bytes(8))),
        E(I4(p.tcp(b"payload", sport=22, dport=40000, flags=0x12, options=bytes(40)))),
        E(I6(p.extension(6, syn), 0, hops=3), 0x86DD),
        E(p.vlan(p.vlan(I4(syn), 6), 5, 0x8100), 0x88A8),
        E(I4(p.tcp(flags=3))),
        frame(flags=0x18),
    ]
    with Tap() as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        tap.settle(len(frames))
        found = tap.handshakes()
    wanted = [np.frombuffer(raw, HANDSHAKE)[0].copy() for f in frames if (raw := parse_handshake(f, key=KEY))]
    assert len(found) == len(wanted) == 4
    for made, record in zip(found, wanted, strict=True):
        record["ts"], record["iface"] = made["ts"], cable[1].index
        assert made == record


def test_the_ack_that_completes_a_handshake(cable):
    frames = [
        frame(flags=2),
        E(I4(p.tcp(sport=22, dport=1024, flags=0x12), src=p.SERVER, dst=p.CLIENT)),
        frame(payload=b"", flags=0x10),
        frame(payload=b"", flags=0x10),
    ]
    with Tap() as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        assert tap.settle(len(frames))[0] == {"no_payload": 1}
        assert list(tap.made()[0]["tcpflags"]) == [2, 0x12, 0x10]


@pytest.mark.parametrize(
    ("settings", "filtered"),
    [
        ({"ports": frozenset((1025,))}, {"port": 9}),
        ({"exclude_ports": frozenset((1025,))}, {"port": 1}),
        ({"cutoff": 3}, {"cutoff": 17}),
    ],
)
def test_what_the_settings_leave_out(cable, settings, filtered):
    frames = [frame(seq=i) for i in range(20)] if "cutoff" in settings else [frame(i) for i in range(10)]
    with Tap(**settings) as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        assert tap.settle(len(frames))[0] == filtered


@pytest.mark.parametrize(("rings", "shards"), [(1, 1), (1, 64), (3, 4)])
def test_the_ledger_closes(cable, rings, shards):
    frames = [frame(i % 500, seq=i) for i in range(3000)] + [frame(payload=b"", flags=0x10)] * 50
    with Tap(rings=rings, shards=shards) as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        filtered, stream = tap.settle(len(frames))
        records = tap.made()[0]
        used = sum(counters.seen > 0 for counters in tap.tap.counters())
    assert filtered == {"no_payload": 50}
    assert stream["forwarded"] == len(records) == 3000
    assert sorted(records["seq"]) == list(range(3000))
    assert used == rings
    for header, body in tap.messages:
        hashes = np.frombuffer(body, RECORD, header["count"], BATCH * 8)["hash"].astype(np.uint64)
        assert (hashes * shards >> 32 == header["shard"]).all()


def test_a_full_ring_is_counted(cable):
    """Nobody reads while more comes than the ring holds: what is lost is known exactly."""
    frames = [frame(i % 100, b"x" * 200, seq=i) for i in range(20_000)]
    with Tap(ring_bytes=1 << 18) as tap:
        tap.tap.add(cable[1])
        send(cable[0], frames)
        filtered, stream = tap.settle(len(frames))
    assert filtered["ring_full"] > 1000
    assert stream["forwarded"] + filtered["ring_full"] == len(frames)


def test_closing_hands_over_what_waits(cable):
    with Tap() as tap:
        tap.tap.add(cable[0])
        tap.tap.add(cable[1])
        send(cable[0], [frame(i) for i in range(300)])
    seen, filtered, stream = tap.totals()
    assert seen == 600
    assert filtered == {}
    assert stream["forwarded"] == len(tap.made()[0]) == 600
    tap.tap.close()


def test_loopback_counts_what_comes_in():
    with namespace(), IPRoute() as route:
        route.link("set", index=1, state="up")
        with Tap() as tap, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            tap.tap.add(Interface(1, "lo", ethernet=True, loopback=True, tunnel=False))
            for size in (0, 5, 70):
                sender.sendto(bytes(size), ("127.0.0.1", 9))
            end = monotonic() + 10
            while len(tap.made()[0]) < 6 and monotonic() < end:  # each is answered: port unreachable
                tap.tap.poll(10)
            records = tap.made()[0]
    assert [int(r["len"]) for r in records if r["proto"] == 17] == [0, 5, 70]
    assert not (records["flags"] & EGRESS).any()


def test_an_interface_without_ethernet():
    with namespace(), IPRoute() as route, Path("/dev/net/tun").open("r+b", buffering=0) as tun:
        fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"bare", 0x1001))  # TUNSETIFF: IFF_TUN | IFF_NO_PI
        index = route.link_lookup(ifname="bare")[0]
        route.link("set", index=index, state="up")
        with Tap() as tap:
            tap.tap.add(Interface(index, "bare", ethernet=False, loopback=False, tunnel=False))
            tun.write(I4(p.tcp(b"abc")))
            tun.write(I6(p.udp(b"abcd"), 17))
            tap.settle(2)
            records, tags = tap.made()
    assert [(int(r["len"]), int(r["flags"])) for r in records] == [(3, 0), (4, 0)]
    assert set(tags["iface"]) == {index}


def test_what_the_ring_cannot_describe():
    """A super-packet of a kind that the virtio_net header does not know (here UFO) leaves an empty place."""
    with namespace(), IPRoute() as route, Path("/dev/net/tun").open("r+b", buffering=0) as tun:
        fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"bare", 0x5001))  # IFF_TUN | IFF_NO_PI | IFF_VNET_HDR
        index = route.link_lookup(ifname="bare")[0]
        route.link("set", index=index, state="up")
        with Tap() as tap:
            tap.tap.add(Interface(index, "bare", ethernet=False, loopback=False, tunnel=False))
            for _ in range(50):
                tun.write(bytes(10) + I4(p.tcp(b"abc")))
                tun.write(struct.pack("=BBHHHH", 1, 3, 28, 1000, 20, 6) + I4(p.udp(bytes(3000)), 17))
            filtered, stream = tap.settle(100)
            lengths = {int(r["len"]) for r in tap.made()[0]}
    assert filtered == {"ring_full": 50}
    assert (stream["forwarded"], lengths) == (50, {3})


def receive(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        while connection.recv(1 << 20):
            pass


def test_super_packets_say_their_segments():
    """A real transfer over loopback, whose packets are as large as 64 KiB: a record tells what they are on the wire."""
    with namespace(), IPRoute() as route, socket.socket() as listener, socket.socket() as client:
        route.link("set", index=1, state="up", mtu=1500)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(10)
        client.settimeout(10)
        receiver = threading.Thread(target=receive, args=(listener,), daemon=True)
        receiver.start()
        with Tap() as tap:
            tap.tap.add(Interface(1, "lo", ethernet=True, loopback=True, tunnel=False))
            client.connect(listener.getsockname())
            client.sendall(bytes(1_000_000))
            client.shutdown(socket.SHUT_WR)
            end = monotonic() + 10
            while not (tap.made()[0]["tcpflags"] & 1).any() and monotonic() < end:
                tap.tap.poll(10)
            records = tap.made()[0]
        receiver.join(10)
    data = records[records["len"] > 0]
    large = data[data["len"] > 1500]
    assert data["len"].sum() == 1_000_000
    assert len(large) > 0
    assert (large["seg"] == 1448).all()  # MTU less IPv4, TCP and its time stamps
    assert (data["seg"][data["len"] <= 1448] == 0).all()


def test_an_interface_that_goes_and_comes_back(cable):
    with Tap() as tap:
        tap.tap.add(cable[1])
        send(cable[0], [frame()])
        tap.settle(1)
        with IPRoute() as route:
            route.link("set", index=cable[1].index, state="down")
            for _ in range(5):
                tap.tap.poll(10)
            route.link("set", index=cable[1].index, state="up")
        end = monotonic() + 10
        while tap.totals()[0] == 1 and monotonic() < end:  # the cable takes a moment until it carries packets again
            send(cable[0], [frame()])
            tap.tap.poll(10)
        tap.tap.remove(cable[1])
        tap.tap.remove(cable[1])
        before = tap.totals()[0]
        assert before > 1
        send(cable[0], [frame()])
        tap.tap.add(cable[1])
        send(cable[0], [frame()])
        tap.settle(before + 1)
        with pair("three", "four") as (three, four):
            tap.tap.add(four)
            send(three, [frame()])
            tap.settle(before + 2)
        assert tap.tap.poll(10)
        tap.tap.remove(four)
        assert sum(counters.seen > 0 for counters in tap.tap.counters()) == 2


@pytest.mark.parametrize(
    ("interface", "told"),
    [
        (Interface(4000, "nothere", True, False, False), "nothere: No such device"),
        (Interface(4000, "lo", True, True, False), "lo: another interface has this name now"),
    ],
)
def test_an_interface_that_cannot_be_tapped(interface, told):
    with namespace(), Tap() as tap, pytest.raises(TapError, match=told):
        tap.tap.add(interface)


def test_no_more_rings_than_streams(cable):
    with Tap(rings=STREAMS, ring_bytes=1) as tap:
        tap.tap.add(cable[0])
        with pytest.raises(TapError, match="at most 64 rings"):
            tap.tap.add(cable[1])
        tap.tap.remove(cable[0])
        tap.tap.add(cable[1])
        send(cable[0], [frame(i) for i in range(100)])
        tap.settle(100)
