# SPDX-License-Identifier: LGPL-2.1-or-later
"""The AF_PACKET tap: the same records as the userspace parser makes, and counters that leave nothing out."""

import fcntl
import ipaddress
import os
import socket
import struct
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path
from time import monotonic

import numpy as np
import packets as p
import pytest
from pyroute2 import IPRoute
from test_packet import OTHERS, RECORDS
from veth import Filters, namespace, pair, send

from capture import choose, parse_packet
from capture._message import KIND_HANDSHAKES, KIND_RECORDS, MESSAGE_SIZE, parse_handshake
from capture.afpacket import STREAMS, AfPacketTap
from capture.live import Interface, TapError, TapSettings
from capture.origins import flatten
from capture.record import HANDSHAKE, MESSAGE, RECORD, TAG

pytestmark = pytest.mark.live
BATCH = 256
EGRESS = 16
KEY = bytes(range(64))
HOST = "192.0.2.1"
E, I4, I6 = p.ethernet, p.ipv4, p.ipv6
FRAMES = [data for data, _, _ in RECORDS.values()]
FRAMES += [data for many in OTHERS.values() for data in many if len(data) > 14]


class Tap:
    """A tap, and what it handed over."""

    def __init__(self, *, rings: int = 1, **settings) -> None:
        self.messages = []
        self.watermarks = [0]
        self.expected_first = defaultdict(int)
        self.tap = AfPacketTap(TapSettings(KEY, 77, **settings), self.forward, rings=rings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tap.close()

    def forward(self, cpu, shard, kind, count, data):
        """Keep a message; it must go on where its stream was, and be newer than the watermark."""
        raw = bytes(data)
        header = np.frombuffer(raw[:MESSAGE_SIZE], MESSAGE)[0]
        assert [header[f] for f in ("cpu", "shard", "kind", "count", "sender")] == [cpu, shard, kind, count, 77]
        assert header["first"] == self.expected_first[cpu, shard, kind]
        self.expected_first[cpu, shard, kind] += count
        if kind == KIND_RECORDS:
            times = np.frombuffer(raw, RECORD, count, MESSAGE_SIZE + BATCH * 8)["ts"]
            assert len(raw) == MESSAGE_SIZE + BATCH * 8 + count * 64
            assert (header["began"], header["ts"]) == (times[0], times[-1])
            assert (np.diff(times.astype(np.int64)) >= 0).all()
            assert times[0] > self.watermarks[-1]
        self.messages.append((header, raw[MESSAGE_SIZE:]))

    def totals(self):
        """Add up the counters of all rings: seen, filtered by reason, of all shards."""
        seen, filtered, stream = 0, defaultdict(int), defaultdict(int)
        for counters in self.tap.counters():
            assert counters.seen == sum(counters.filtered.values()) + sum(s["batched"] for s in counters.shards)
            seen += counters.seen
            for name, count in counters.filtered.items():
                filtered[name] += count
            for shard in counters.shards:
                for name, count in shard.items():
                    stream[name] += count
        return seen, {name: count for name, count in filtered.items() if count}, stream

    def settle(self, packets: int):
        """Poll until so many packets are counted and none waits in a batch; the totals."""
        end = monotonic() + 20
        while True:
            self.watermarks.append(self.tap.poll(10))
            assert self.watermarks[-1] >= self.watermarks[-2]
            seen, filtered, stream = self.totals()
            assert seen <= packets
            if seen == packets and stream["batched"] == stream["forwarded"]:
                assert stream["handshakes"] == stream["handshakes_forwarded"]
                return filtered, stream
            assert monotonic() < end, (packets, seen, filtered, dict(stream))

    def made(self):
        """Return all records and their tags, message by message."""
        records, tags = [np.empty(0, RECORD)], [np.empty(0, TAG)]
        for header, body in self.messages:
            if header["kind"] == KIND_RECORDS:
                tags.append(np.frombuffer(body, TAG, header["count"]))
                records.append(np.frombuffer(body, RECORD, header["count"], BATCH * 8))
        return np.concatenate(records), np.concatenate(tags)

    def handshakes(self):
        """Return all handshake records."""
        found = [np.frombuffer(b, HANDSHAKE) for h, b in self.messages if h["kind"] == KIND_HANDSHAKES]
        return np.concatenate(found) if found else np.empty(0, HANDSHAKE)


@pytest.fixture
def cable():
    """Give two interfaces that are joined, in a namespace of the test's own, and keep to one CPU: packets in order."""
    allowed = os.sched_getaffinity(0)
    with namespace(), pair() as ends:
        os.sched_setaffinity(0, {min(allowed)})
        try:
            yield ends
        finally:
            os.sched_setaffinity(0, allowed)


def frame(i: int = 0, payload: bytes = b"x" * 30, src: str = p.CLIENT, **fields) -> bytes:
    return E(I4(p.tcp(payload, 1024 + i, **fields), src=src))


def expected(frames, decap):
    """Return what the userspace parser makes of frames: records with tags, verdicts."""
    records, verdicts = [], defaultdict(int)
    for data in frames:
        verdict, raw, tag = parse_packet(data, decap=decap, key=KEY)
        if verdict == "record":
            records.append((np.frombuffer(raw, RECORD)[0].copy(), np.frombuffer(tag, TAG)[0].copy()))
        else:
            verdicts[verdict] += 1
    return records, verdicts


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


def test_outgoing_packets_count_once(cable):
    """Alone, an interface counts all. With others, not what came in by them: where the route to its source leads."""
    own, transit, other = frame(0, src=HOST), frame(1, src="10.5.0.9"), frame(2, src="203.0.113.9")
    with IPRoute() as route, pair("three", "four") as (three, _), Tap() as tap:
        route.addr("add", index=cable[0].index, address=HOST, prefixlen=24)
        route.route("add", dst="10.5.0.0/16", oif=three.index)
        tap.tap.add(cable[0])
        send(cable[0], [own, transit, other])
        assert tap.settle(3)[0] == {}
        tap.tap.elsewhere({three.index})
        send(cable[0], [own, transit, other])
        assert tap.settle(6)[0] == {"forwarded": 1}
        route.route("del", dst="10.5.0.0/16", oif=three.index)
        before, end = tap.tap._judged, monotonic() + 10
        while tap.tap._judged == before:
            tap.tap.poll(10)
            assert monotonic() < end
        send(cable[0], [own, transit, other])
        assert tap.settle(9)[0] == {"forwarded": 1}
        tap.tap.elsewhere(set())
        send(cable[0], [own, transit, other])
        assert tap.settle(12)[0] == {"forwarded": 1}


def routed(mac: str, i: int) -> bytes:
    """Build a frame that a router takes: to its address, with the IP header's checksum."""
    data = bytearray(E(I4(p.udp(b"x", 1024 + i), 17, "10.1.0.2", "10.2.0.2")))
    data[:6] = bytes.fromhex(mac.replace(":", ""))
    total = sum(struct.unpack(">10H", data[14:34]))
    total = (total & 0xFFFF) + (total >> 16)
    data[24:26] = struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF)
    return bytes(data)


def test_a_forwarded_packet_is_counted_once(cable):
    with pair("three", "four") as (three, _), IPRoute() as route, Tap() as tap:
        for port, address in ((cable[1], "10.1.0.1"), (three, "10.2.0.1")):
            route.addr("add", index=port.index, address=address, prefixlen=24)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        mac = route.get_links(cable[1].index)[0].get_attr("IFLA_ADDRESS")
        tap.tap.add(cable[1])
        tap.tap.add(three)
        send(cable[0], [routed(mac, i) for i in range(20)])
        assert tap.settle(40)[0] == {"forwarded": 20}
        assert {int(tag["iface"]) for tag in tap.made()[1]} == {cable[1].index}


def test_what_a_bridge_hands_on_is_not_counted_elsewhere(cable):
    """A port is tapped, its bridge, which lies on it, is noted; a packet came in by a port that nobody taps."""
    with IPRoute() as route, pair("three", "four") as (three, _), Tap() as tap:
        route.link("add", ifname="bridge", kind="bridge")
        bridge = route.link_lookup(ifname="bridge")[0]
        for port in (cable[1], three):
            route.link("set", index=port.index, master=bridge)
        route.link("set", index=bridge, state="up")
        route.addr("add", index=bridge, address="10.1.0.1", prefixlen=24)
        tap.tap.add(three)
        tap.tap.elsewhere({bridge})
        end = monotonic() + 10
        while not len(tap.made()[0]) and monotonic() < end:  # a port takes a moment until it forwards
            send(cable[0], [routed("ff:ff:ff:ff:ff:ff", 0)])
            tap.tap.poll(10)
        tap.tap.remove(three)
        assert "forwarded" not in tap.totals()[1]
        assert (p.address("10.1.0.2"), EGRESS) in {(r["src"].tobytes(), int(r["flags"])) for r in tap.made()[0]}


def ranges(*prefixes):
    """Flatten prefixes that are given as text with a flag."""
    read = []
    for text, covered in prefixes:
        network = ipaddress.ip_network(text)
        read.append((int(network.network_address), network.prefixlen, covered))
    raw = flatten(read)
    return [(str(ipaddress.IPv6Address(raw[i : i + 16])), raw[i + 16]) for i in range(0, len(raw), 17)]


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        ([], [("::", 0)]),
        ([("::/0", True)], [("::", 1)]),
        ([("::/0", True), ("::/0", False)], [("::", 1)]),
        ([("2001:db8::/32", True)], [("::", 0), ("2001:db8::", 1), ("2001:db9::", 0)]),
        (
            [("::/0", True), ("2001:db8::/32", False), ("2001:db8::5/128", True)],
            [("::", 1), ("2001:db8::", 0), ("2001:db8::5", 1), ("2001:db8::6", 0), ("2001:db9::", 1)],
        ),
        (
            [("2001:db8::/33", True), ("2001:db8:8000::/33", True), ("ffff::/16", True)],
            [("::", 0), ("2001:db8::", 1), ("2001:db8:8000::", 1), ("2001:db9::", 0), ("ffff::", 1)],
        ),
    ],
)
def test_ranges_of_prefixes(prefixes, expected):
    assert ranges(*prefixes) == expected


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


CHOICE = """
import logging, sys
sys.path[:0] = {path!r}
{spoil}
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from capture import choose
from capture.live import TapError, TapSettings
from veth import Filters
try:
    tap = choose.make_tap({backend!r}, TapSettings(bytes(64), 1), lambda *_: None, Filters())
    print(tap.backend)
    tap.close()
except TapError as error:
    print("error:", error)
"""
NO_BCC = "import os; os.environ['PYTHONPATH'] = sys.argv[1]"
NO_BPF = "from capture.capabilities import keep_only; keep_only(frozenset(('cap_net_raw',)))"
NOTHING = "from capture.capabilities import keep_only; keep_only(frozenset())"


@pytest.mark.parametrize(
    ("backend", "spoil", "told"),
    [
        ("auto", "", ["ebpf"]),
        ("ebpf", "", ["ebpf"]),
        ("afpacket", "", ["afpacket"]),
        (
            "auto",
            NO_BCC,
            [
                "captures by AF_PACKET, as eBPF is not to be had: the eBPF program was not compiled: bcc cannot",
                "afpacket",
            ],
        ),
        ("ebpf", NO_BCC, ["error: the eBPF program was not compiled: bcc cannot be imported: none"]),
        (
            "auto",
            NO_BPF,
            ["captures by AF_PACKET, as eBPF is not to be had: an eBPF program cannot be loaded: cap_bpf,", "afpacket"],
        ),
        ("auto", NOTHING, ["error: neither eBPF (an eBPF program cannot be loaded: cap_bpf,"]),
        ("afpacket", NOTHING, ["error: a packet socket is not permitted: cap_net_raw is needed"]),
    ],
)
def test_the_choice(backend, spoil, told, tmp_path):
    (tmp_path / "bcc.py").write_text("raise ImportError('none')")
    code = CHOICE.format(path=[os.getcwd(), os.path.dirname(__file__)], spoil=spoil, backend=backend)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(told), done
    for line, begin in zip(lines, told, strict=True):
        assert line.startswith(begin)


def test_no_such_backend():
    with pytest.raises(ValueError, match="expected one of auto, ebpf, afpacket"):
        choose.make_tap("pcap", TapSettings(bytes(64), 1), lambda *_: None, Filters())
