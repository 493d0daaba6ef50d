# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which interfaces are tapped: patterns, stacked interfaces, those of other processes; and how netlink is followed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from veth import namespace

from capture.claims import Claims
from capture.interfaces import interface_of, matches, select
from capture.links import Link, Links
from capture.live import Interface, TapError
from tests.conftest import environment
from tests.live import until

ETHERNET, LOOPBACK, NONE, GRE, INFINIBAND = 1, 772, 65534, 778, 32


def link(index: int, name: str, kind: str = "", *, type: int = ETHERNET, lower: int = 0, master: int = 0) -> Link:  # noqa: A002
    return Link(index, name, type, kind, lower, master)


@pytest.mark.parametrize(
    ("name", "patterns", "expected"),
    [
        ("eth0", ["eth0"], True),
        ("eth0", ["eth"], False),
        ("eth0", ["eth*"], True),
        ("eth1", ["eth*", "!eth1"], False),
        ("eth1", ["!eth1", "eth*"], False),
        ("eth1", ["!eth1"], False),
        ("eth10", ["eth?"], False),
        ("Eth0", ["eth*"], False),
        ("ppp3", ["ppp[0-9]", "eth0"], True),
        ("a[b]", ["a[b]"], True),
        ("lo", ["*"], False),
        ("lo", ["lo"], True),
        ("lo", ["lo", "!l*"], False),
        ("eth0", ["*"], True),
    ],
)
def test_patterns(name: str, patterns: list[str], expected: bool) -> None:
    assert matches(name, patterns) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (link(1, "lo", type=LOOPBACK), Interface(1, "lo", ethernet=True, loopback=True, tunnel=False)),
        (link(2, "eth0"), Interface(2, "eth0", ethernet=True, loopback=False, tunnel=False)),
        (link(3, "tun0", "tun", type=NONE), Interface(3, "tun0", ethernet=False, loopback=False, tunnel=False)),
        (link(4, "gre1", "gre", type=GRE), Interface(4, "gre1", ethernet=False, loopback=False, tunnel=True)),
        (link(5, "vx", "vxlan"), Interface(5, "vx", ethernet=True, loopback=False, tunnel=True)),
        (link(6, "ib0", type=INFINIBAND), None),
    ],
)
def test_forms_of_interfaces(given: Link, expected: Interface | None) -> None:
    assert interface_of(given) == expected


ETH = [link(2, "eth0"), link(3, "eth1")]
VLAN = [*ETH, link(4, "eth0.5", "vlan", lower=2)]
BRIDGE = [link(2, "eth0", master=4), link(3, "eth1", master=4), link(4, "br0", "bridge")]
STACK = [*BRIDGE, link(5, "br0.7", "vlan", lower=4), link(6, "mv", "macvlan", lower=5)]
TUNNEL = [*ETH, link(4, "vx", "vxlan", lower=2), link(5, "g", "gre", type=GRE)]
VETH = [link(2, "a", "veth"), link(3, "b", "veth")]


@pytest.mark.parametrize(
    ("links", "patterns", "decap", "others", "tapped", "refused", "upon"),
    [
        (ETH, ["eth*"], False, [], ["eth0", "eth1"], [], []),
        (ETH, ["wlan0"], False, [], [], [], []),
        (VLAN, ["*"], False, [], ["eth0", "eth1"], ["eth0.5"], ["eth0.5"]),
        (VLAN, ["eth0.5", "eth1"], False, [], ["eth1", "eth0.5"], [], []),
        (VLAN, ["eth1"], False, [], ["eth1"], [], []),
        (VLAN, ["eth0.5"], False, [2], [], ["eth0.5"], ["eth0.5"]),
        (VLAN, ["eth0"], False, [2], [], ["eth0"], ["eth0.5"]),
        (BRIDGE, ["*"], False, [], ["eth0", "eth1"], ["br0"], ["br0"]),
        (BRIDGE, ["br0"], False, [], ["br0"], [], []),
        # what comes in by eth1 and leaves by an interface that is tapped must count there: br0 is not "upon"
        (BRIDGE, ["br0", "eth0"], False, [], ["eth0"], ["br0"], []),
        (STACK, ["*"], False, [], ["eth0", "eth1"], ["br0", "br0.7", "mv"], ["br0", "br0.7", "mv"]),
        (STACK, ["mv", "br0"], False, [], ["br0"], ["mv"], ["br0.7", "mv"]),
        (STACK, ["mv"], False, [], ["mv"], [], []),
        (TUNNEL, ["*"], False, [], ["eth0", "eth1", "vx", "g"], [], []),
        (TUNNEL, ["*"], True, [], ["eth0", "eth1"], ["vx", "g"], ["vx", "g"]),
        (VETH, ["*"], False, [], ["a", "b"], [], []),
        ([link(2, "ib0", type=INFINIBAND)], ["*"], False, [], [], ["ib0"], []),
        ([link(2, "x", lower=3), link(3, "y", lower=2)], ["*"], False, [], ["x"], ["y"], ["y"]),  # no end of it
    ],
)
def test_no_packet_is_seen_twice(
    links: list[Link],
    patterns: list[str],
    decap: bool,
    others: list[int],
    tapped: list[str],
    refused: list[str],
    upon: list[str],
) -> None:
    names = {one.index: one.name for one in links}
    chosen = select({one.index: one for one in links}, patterns, decap=decap, others=dict.fromkeys(others, "p"))
    assert [one.name for one in chosen.tapped.values()] == tapped
    assert sorted(chosen.refused) == sorted(refused)
    assert sorted(names[index] for index in chosen.upon) == sorted(upon)


def test_a_refusal_names_the_reason() -> None:
    chosen = select({one.index: one for one in VLAN}, ["*"], decap=False, others={3: "lan"})
    assert chosen.refused == {
        "eth1": "the capture process lan taps it",
        "eth0.5": "lies on eth0, which is tapped: packets would count twice",
    }


@pytest.fixture
def links() -> Iterator[Links]:
    with namespace():
        made = Links()
        yield made
        made.close()


def ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], timeout=20, check=True)


@pytest.mark.live
def test_links_are_followed(links: Links) -> None:
    def names() -> dict[str, tuple[str, str, str]]:
        by = {0: "", **{one.index: one.name for one in links.links.values()}}
        return {one.name: (one.kind, by[one.lower], by[one.master]) for one in links.links.values()}

    assert names() == {"lo": ("", "", "")}
    assert not links.look().links
    ip("link add name a type veth peer name b")
    ip("link add name br type bridge")
    ip("link set dev a master br")
    ip("link add name m link b type macvlan")
    assert links.look().links
    assert names() == {
        "lo": ("", "", ""),
        "a": ("veth", "", "br"),
        "b": ("veth", "", ""),
        "br": ("bridge", "", ""),
        "m": ("macvlan", "b", ""),
    }
    index = next(one.index for one in links.links.values() if one.name == "m")
    ip("link set dev m name n")
    changes = links.look()
    assert changes.links
    assert not changes.gone
    assert names()["n"] == ("macvlan", "b", "")
    ip("link del dev n")
    ip(f"link add name n index {index} link b type macvlan")
    assert links.look().gone == {index}
    assert "n" in names()
    ip("link set dev a nomaster")
    ip("link del dev br")
    links.look()
    assert names()["a"] == ("veth", "", "")
    assert "br" not in names()
    ip("link set dev a up")
    ip("link set dev a down")
    assert not links.look().links


@pytest.mark.live
def test_filters_of_others_are_noticed(links: Links) -> None:
    ip("link add name a type veth peer name b")
    links.look()
    index = next(one.index for one in links.links.values() if one.name == "a")
    subprocess.run(["tc", "qdisc", "add", "dev", "a", "clsact"], timeout=20, check=True)
    assert index in links.look().filters


@pytest.mark.live
def test_a_flood_of_events_is_survived() -> None:
    """More events than the socket holds: all is asked again."""
    with namespace():
        links = Links(buffer=1 << 15)
        batch = "".join(f"link add name a{i} type veth peer name b{i}\nlink del dev a{i}\n" for i in range(40))
        batch += "link add name last type veth peer name tsal\n"
        subprocess.run(["ip", "-batch", "-"], input=batch.encode(), timeout=60, check=True)
        links.look()
        assert sorted(one.name for one in links.links.values()) == ["last", "lo", "tsal"]
        links.close()


A = Interface(7, "a", ethernet=True, loopback=False, tunnel=False)
HOLD = """
import sys, time
from pathlib import Path
from capture.claims import Claims
from capture.live import Interface
claims = Claims(Path(sys.argv[1]), "other")
claims.write([Interface(9, "z", True, False, False)])
time.sleep(60)
"""


def test_claims_of_live_processes_count(tmp_path: Path) -> None:
    own = Claims(tmp_path, "own")
    own.write([A])
    with pytest.raises(TapError, match="another capture process named own is running"):
        Claims(tmp_path, "own")
    third = Claims(tmp_path, "third")
    with third.deciding() as others:
        assert others == {7: "own"}
    assert own.others() == {}
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], env=environment())
    try:
        until(lambda: own.others() == {9: "other"})
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        assert (tmp_path / "other.json").exists()
        assert own.others() == {}
    finally:
        process.kill()
        process.wait(20)
    (tmp_path / "third.json").write_text("{}")  # what makes no sense counts for nothing
    assert own.others() == {}
    own.close()
    own.close()
    assert third.others() == {}
    third.close()


@pytest.mark.live
def test_claims_of_another_namespace_do_not_count(tmp_path: Path) -> None:
    with namespace():
        own = Claims(tmp_path, "own")
        own.write([A])
    other = Claims(tmp_path, "other")
    assert other.others() == {}
    own.close()
    other.close()


def test_claims_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TapError, match=r"No such file or directory"):
        Claims(tmp_path / "none", "a")
    assert os.listdir(tmp_path) == []
