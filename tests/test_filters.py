# SPDX-License-Identifier: LGPL-2.1-or-later
"""Filters of the capture process: its own are found again and swapped, those of others stay as they are."""

from __future__ import annotations

import ctypes
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pyroute2 import IPRoute
from veth import EGRESS, INGRESS, LIBC, namespace, pair

from capture.filters import Filters
from capture.live import Interface, TapError
from tests.conftest import environment

pytestmark = pytest.mark.live
CLASSIDS = (1, 2)
BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}[os.uname().machine]


def program() -> int:
    """Load a tc program that says TC_ACT_UNSPEC; return its file descriptor."""
    code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xB7, 0, 0, -1, 0x95, 0, 0, 0))
    licence = ctypes.create_string_buffer(b"GPL")
    attributes = ctypes.create_string_buffer(
        struct.pack("=IIQQ", 3, 2, ctypes.addressof(code), ctypes.addressof(licence)), 128
    )
    fd = LIBC.syscall(BPF_SYSCALL, 5, attributes, 128)
    assert fd >= 0
    return fd


@pytest.fixture(scope="module")
def fd() -> Iterator[int]:
    made = program()
    yield made
    os.close(made)


@pytest.fixture
def interface() -> Iterator[Interface]:
    with namespace(), pair() as (one, _):
        yield one


def tc(command: str) -> str:
    done = subprocess.run(["tc", *command.split()], capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


def filters(direction: str = "ingress", name: str = "one") -> list[str]:
    """Return "preference handle program name classid" of each filter."""
    found = []
    for line in tc(f"filter show dev {name} {direction}").splitlines():
        if match := re.search(r"pref (\d+) .*handle (\S+)(?: flowid (\S+))? (\S+)", line):
            found.append(f"{match[1]} {match[4]}")
    return found


def theirs(interface: Interface, parent: int, preference: int, fd: int) -> None:
    """Add a filter of somebody else."""
    with IPRoute() as route:
        route.tc("add-filter", "bpf", interface.index, handle=1, parent=parent, prio=preference, fd=fd, name="theirs")


def has_clsact(name: str = "one") -> bool:
    return "clsact" in tc(f"qdisc show dev {name}")


def nothing(number: int) -> None:
    pass


def test_both_directions_and_nothing_left(interface: Interface, fd: int) -> None:
    own = Filters("a")
    own.attach(interface, fd, CLASSIDS, nothing)
    assert filters("ingress") == filters("egress") == ["1 flowtap-a"]
    assert own.intact(interface)
    own.detach(interface)
    assert not own.intact(interface)
    assert not has_clsact()
    own.detach(interface)
    own.close()
    own.close()


def test_loopback_only_inwards(fd: int) -> None:
    with namespace():
        own = Filters("a")
        lo = Interface(1, "lo", ethernet=True, loopback=True, tunnel=False)
        own.attach(lo, fd, CLASSIDS, nothing)
        assert own.intact(lo)
        assert filters("ingress", "lo") == ["1 flowtap-a"]
        assert filters("egress", "lo") == []
        own.close()
        assert not has_clsact("lo")


def test_two_of_flowtap_are_in_nobodys_way(interface: Interface, fd: int, caplog: pytest.LogCaptureFixture) -> None:
    one, other = Filters("a"), Filters("b")
    one.attach(interface, fd, CLASSIDS, nothing)
    other.attach(interface, fd, CLASSIDS, nothing)
    assert filters("ingress") == ["1 flowtap-a", "2 flowtap-b"]
    assert not caplog.records
    one.close()
    other.close()
    assert not has_clsact()


def test_others_and_their_clsact_stay(interface: Interface, fd: int, caplog: pytest.LogCaptureFixture) -> None:
    tc("qdisc add dev one clsact")
    theirs(interface, INGRESS, 1, fd)
    theirs(interface, INGRESS, 3, fd)
    before = [tc(f"filter show dev one {direction}") for direction in ("ingress", "egress")]
    own = Filters("a")
    own.attach(interface, fd, CLASSIDS, nothing)
    assert filters("ingress") == ["1 theirs", "2 flowtap-a", "3 theirs"]
    assert [record.message for record in caplog.records] == [
        "one: other tc filters come first (theirs): what they decide on is not seen"
    ]
    assert filters("egress") == ["1 flowtap-a"]
    own.close()
    assert [tc(f"filter show dev one {direction}") for direction in ("ingress", "egress")] == before
    assert has_clsact()


def test_clsact_stays_when_others_came(interface: Interface, fd: int) -> None:
    own = Filters("a")
    own.attach(interface, fd, CLASSIDS, nothing)
    theirs(interface, EGRESS, 7, fd)
    own.close()
    assert filters("egress") == ["7 theirs"]
    assert has_clsact()


def test_the_last_one_removes_clsact(interface: Interface, fd: int) -> None:
    first, second = Filters("a"), Filters("b")
    for one in (first, second):
        one.attach(interface, fd, CLASSIDS, nothing)
    first.close()
    assert has_clsact()
    second.close()
    assert not has_clsact()


def test_ingress_qdisc_of_others_is_refused(interface: Interface, fd: int) -> None:
    tc("qdisc add dev one ingress")
    own = Filters("a")
    with pytest.raises(TapError, match="one: has an ingress qdisc"):
        own.attach(interface, fd, CLASSIDS, nothing)
    own.close()
    assert "ingress" in tc("qdisc show dev one")


KILLED = """
import os, sys
sys.path.insert(0, "tests")
from capture.filters import Filters
from capture.live import Interface
from tests.test_filters import program
filters = Filters(sys.argv[1])
filters.attach(Interface(int(sys.argv[2]), "one", True, False, False), program(), (1, 2), print)
os.kill(os.getpid(), 9)
"""


def killed(name: str, interface: Interface) -> None:
    """Let a process attach its filters and be killed."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, name, str(interface.index)], env=environment(), timeout=30, check=False
    )
    assert done.returncode == -9


def test_killed_predecessor_is_replaced(interface: Interface, fd: int) -> None:
    killed("a", interface)
    assert filters("ingress") == filters("egress") == ["1 flowtap-a"]
    ids = re.findall(r" id (\d+)", tc("filter show dev one ingress"))
    held: list[int] = []
    own = Filters("a")
    own.attach(interface, fd, CLASSIDS, held.append)
    assert {str(number) for number in held} == set(ids)
    assert filters("ingress") == filters("egress") == ["1 flowtap-a"]
    assert re.findall(r" id (\d+)", tc("filter show dev one ingress")) != ids
    own.close()
    assert not has_clsact()  # made by the predecessor, and no one else's


def test_dead_processes_are_cleared_away(interface: Interface, fd: int) -> None:
    killed("a", interface)
    killed("b", interface)
    alive = Filters("c")
    alive.attach(interface, fd, CLASSIDS, nothing)
    own = Filters("a")
    own.sweep()
    assert filters("ingress") == ["3 flowtap-c"]
    own.close()
    assert filters("ingress") == ["3 flowtap-c"]
    alive.close()


def test_name_is_taken_in_this_namespace_only(interface: Interface) -> None:
    own = Filters("a")
    with pytest.raises(TapError, match="another capture process named a is running"):
        Filters("a")
    with namespace():
        Filters("a").close()
    own.close()
    Filters("a").close()


def test_filter_that_was_removed_comes_back(interface: Interface, fd: int) -> None:
    own = Filters("a")
    own.attach(interface, fd, CLASSIDS, nothing)
    for command in ("filter del dev one egress pref 1", "qdisc del dev one clsact"):
        tc(command)
        assert not own.intact(interface)
        own.attach(interface, fd, CLASSIDS, nothing)
        assert own.intact(interface)
    own.close()
    assert not has_clsact()


def test_interface_that_is_gone(fd: int) -> None:
    gone = Interface(4711, "gone", ethernet=True, loopback=False, tunnel=False)
    with namespace():
        own = Filters("a")
        own.detach(gone)
        assert not own.intact(gone)
        with pytest.raises(TapError, match=r"^gone: "):
            own.attach(gone, fd, CLASSIDS, nothing)
        own.close()
