# SPDX-License-Identifier: LGPL-2.1-or-later
"""Follows the network interfaces of this namespace over netlink, without ever waiting.

The kernel tells of each change; where it told more than the socket could hold, all is asked again. So what `links`
says is at most one look old, and nothing is missed.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute, NetlinkDumpInterrupted
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

_GROUPS = 1 << 0 | 1 << 3  # RTMGRP_LINK, RTMGRP_TC of linux/rtnetlink.h
_NEW_LINK, _DEL_LINK = 16, 17
_TC = frozenset((36, 37, 44, 45))  # RTM_NEWQDISC, RTM_DELQDISC, RTM_NEWTFILTER, RTM_DELTFILTER
_LARGEST = 1 << 16  # bytes of one datagram
_TRIES = 5  # of a dump
_AT_ONCE = 4096  # datagrams read before the caller gets its turn again
_AF_BRIDGE = 7
_PAIRED = frozenset(("veth", "netkit", "vxcan"))  # their IFLA_LINK is the other end, they lie on nothing


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface as the kernel tells it."""

    index: int
    name: str
    type: int  # ARPHRD_* of linux/if_arp.h
    kind: str  # "vlan", "bridge", ...; "" where the driver has none
    lower: int  # the interface it lies on (IFLA_LINK), 0: none in this namespace
    master: int  # the bridge, bond, ... it is a port of; 0: none


@dataclass(slots=True)
class Changes:
    """What happened since the last look."""

    links: bool = False
    gone: frozenset[int] = frozenset()  # interfaces, by index, that were deleted; others may have their index now
    filters: frozenset[int] = frozenset()  # interfaces, by index, whose qdiscs or filters changed


class Links:
    """The interfaces there are, in `links` by index; `buffer` bytes of events may wait.

    Raises OSError where netlink is not to be had.
    """

    def __init__(self, buffer: int = 1 << 20) -> None:
        self.links: dict[int, Link] = {}
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.setblocking(False)
        self._socket.bind((0, _GROUPS))
        self._missed = False
        self._ask()

    def look(self) -> Changes:
        """Bring `links` up to date."""
        before = dict(self.links)
        gone: set[int] = set()
        filters: set[int] = set()
        for _ in range(_AT_ONCE):
            try:
                data = self._socket.recv(_LARGEST)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._missed = True  # but what still waits is older, and must not come after what the kernel says now
                continue
            for kind, body in _messages(data):
                self._take(kind, body, gone, filters)
        else:
            return self._changes(before, gone, filters)
        if self._missed:
            self._missed = False
            self._ask()
            filters |= self.links.keys()
        return self._changes(before, gone, filters)

    def _changes(self, before: dict[int, Link], gone: set[int], filters: set[int]) -> Changes:
        gone |= before.keys() - self.links.keys()
        return Changes(bool(gone) or self.links != before, frozenset(gone), frozenset(filters))

    def close(self) -> None:
        """Stop following."""
        self._socket.close()

    def _take(self, kind: int, body: bytes, gone: set[int], filters: set[int]) -> None:
        if kind in _TC:
            filters.add(struct.unpack_from("=i", body, 16 + 4)[0])
        elif kind in (_NEW_LINK, _DEL_LINK) and body[16] != _AF_BRIDGE:  # a bridge also tells of its ports
            message = ifinfmsg(body)
            message.decode()
            if kind == _NEW_LINK:
                self.links[message["index"]] = link_of(message)
            else:
                self.links.pop(message["index"], None)
                gone.add(message["index"])

    def _ask(self) -> None:
        with IPRoute() as netlink:
            self.links = {message["index"]: link_of(message) for message in whole(netlink.get_links)}


def whole(dump: Callable[[], Iterable[Any]]) -> list[Any]:
    """Return what a dump of pyroute2 yields; asked again when it changed meanwhile. Raises NetlinkError."""
    for _ in range(_TRIES):
        with suppress(NetlinkDumpInterrupted):
            return list(dump())
    return list(dump())


def link_of(message: Any) -> Link:
    """Return what an RTM_NEWLINK message of pyroute2 says."""
    info = message.get_attr("IFLA_LINKINFO")
    kind = str(info.get_attr("IFLA_INFO_KIND") or "") if info is not None else ""
    lower = message.get_attr("IFLA_LINK") or 0
    if kind in _PAIRED or message.get_attr("IFLA_LINK_NETNSID") is not None or lower == message["index"]:
        lower = 0
    master = message.get_attr("IFLA_MASTER") or 0
    return Link(message["index"], str(message.get_attr("IFLA_IFNAME")), message["ifi_type"], kind, lower, master)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and bytes, header included, of each netlink message in a datagram."""
    at = 0
    while at + 16 <= len(data):
        size, kind = struct.unpack_from("=IH", data, at)
        if not 16 <= size <= len(data) - at:
            return
        yield kind, data[at : at + size]
        at += (size + 3) & ~3
