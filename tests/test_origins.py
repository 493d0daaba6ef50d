# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where outgoing packets came in, as routes tell the AF_PACKET tap: each packet counts once."""

import ipaddress
from pathlib import Path
from time import monotonic

import packets as p
import pytest
from afpacket_tap import Tap
from pyroute2 import IPRoute
from tapped import EGRESS, frame, joined, routed
from veth import pair, send

from capture.origins import flatten

live = pytest.mark.live
HOST = "192.0.2.1"


@pytest.fixture
def cable():
    with joined() as ends:
        yield ends


@live
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


@live
def test_a_forwarded_packet_is_counted_once(cable):
    with pair("three", "four") as (three, _), IPRoute() as route, Tap() as tap:
        for port, address in ((cable[1], "10.1.0.1"), (three, "10.2.0.1")):
            route.addr("add", index=port.index, address=address, prefixlen=24)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        mac = route.get_links(cable[1].index)[0].get_attr("IFLA_ADDRESS")
        tap.tap.add(cable[1])
        tap.tap.add(three)
        send(cable[0], [routed(bytes.fromhex(mac.replace(":", "")), i) for i in range(20)])
        assert tap.settle(40)[0] == {"forwarded": 20}
        assert {int(tag["iface"]) for tag in tap.made()[1]} == {cable[1].index}


@live
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
            send(cable[0], [routed(b"\xff" * 6, 0)])
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
