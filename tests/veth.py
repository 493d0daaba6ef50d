# SPDX-License-Identifier: LGPL-2.1-or-later
"""A network namespace of the test's own with a pair of interfaces, and filters on them: where live taps are tried."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyroute2 import IPRoute, NetlinkError

from capture.live import Interface

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3


def check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextmanager
def namespace() -> Iterator[None]:
    """Be in a new network namespace, which is gone at the end whatever happens."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        check(LIBC.unshare(CLONE_NEWNET))
        for which in ("all", "default"):  # no packets but the test's
            Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1")
        yield
    finally:
        check(LIBC.setns(before, CLONE_NEWNET))
        os.close(before)


@contextmanager
def pair(one: str = "one", other: str = "other", **options: object) -> Iterator[tuple[Interface, Interface]]:
    """Make two interfaces that are joined by a cable, in the present namespace."""
    with IPRoute() as route:
        route.link("add", ifname=one, kind="veth", peer=other, **options)
        found = []
        for name in (one, other):
            index = route.link_lookup(ifname=name)[0]
            route.link("set", index=index, state="up", arp=False)
            found.append(Interface(index, name, ethernet=True, loopback=False, tunnel=False))
        yield found[0], found[1]
        route.link("del", index=found[0].index)


def send(interface: Interface, frames: Iterable[bytes]) -> None:
    """Send frames out of an interface as they are."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        sender.bind((interface.name, 0))
        for frame in frames:
            sender.send(frame)


class Filters:
    """Puts a tc program on interfaces, in a new clsact qdisc: the least that a tap needs."""

    def __init__(self, ingress: bool = True, egress: bool = True) -> None:
        self.ingress = ingress
        self.egress = egress

    def attach(
        self, interface: Interface, program: int, classids: tuple[int, int], hold: Callable[[int], None]
    ) -> None:
        """See capture.ebpf.Attacher; there is no predecessor here."""
        with IPRoute() as route:
            route.tc("replace", "clsact", interface.index)
            for wanted, parent, classid in zip((self.ingress, self.egress), (INGRESS, EGRESS), classids, strict=True):
                if wanted:
                    route.tc(
                        "replace-filter",
                        "bpf",
                        interface.index,
                        handle=1,
                        prio=1,
                        fd=program,
                        name="flowtap",
                        parent=parent,
                        classid=classid,
                        direct_action=True,
                    )

    def detach(self, interface: Interface) -> None:
        """Remove the qdisc with its filters."""
        with IPRoute() as route, suppress(NetlinkError):
            route.tc("del", "clsact", interface.index)
