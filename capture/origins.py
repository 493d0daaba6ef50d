# SPDX-License-Identifier: LGPL-2.1-or-later
"""By which interface packets with a given source come in: by this host's addresses and routes, kept up to date."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute, NetlinkError

_GROUPS = 0x10 | 0x40 | 0x100 | 0x400  # RTMGRP_IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE
_ROUTES = Path("/proc/thread-self/net/route"), Path("/proc/thread-self/net/ipv6_route")
_MOST = 2000  # routes of each kind: reading more takes longer than a ring has room for
_MAPPED = 0xFFFF << 32  # ::ffff:0:0/96
_UP, _LOCAL = 1, 0x80000000  # RTF_UP, RTF_LOCAL

Prefix = tuple[int, int, bool]  # first address, IPv4 mapped into IPv6; length of 0 to 128; whether it is covered


def flatten(prefixes: Iterable[Prefix]) -> bytes:
    """Make ranges of prefixes, of which the longest holds: for each its first address (16 bytes) and 1 if covered.

    Ranges are in order and leave no address out. Of equal prefixes one that is covered suffices.
    """
    known: dict[tuple[int, int], bool] = {}
    for first, length, covered in prefixes:
        known[first, length] = known.get((first, length), False) or covered
    ranges = {0: False}
    inside: list[tuple[int, bool]] = []  # where each prefix that holds here ends
    for (first, length), covered in [*sorted(known.items()), ((1 << 128, 128), False)]:
        while inside and inside[-1][0] <= first:
            end, _ = inside.pop()
            ranges[end] = inside[-1][1] if inside else False
        ranges[first] = covered
        inside.append((first + (1 << 128 - length), covered))
    return b"".join(first.to_bytes(16) + bytes((covered,)) for first, covered in ranges.items() if first < 1 << 128)


def _ipv4_routes(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    for line in lines:
        name, destination, _, flags, _, _, _, mask, *_ = line.split()
        if int(flags, 16) & _UP:
            first = int.from_bytes(struct.pack("=I", int(destination, 16)))
            yield _MAPPED | first, 96 + int(mask, 16).bit_count(), name


def _ipv6_routes(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    for line in lines:
        destination, length, _, _, _, _, _, _, flags, name = line.split()
        if int(flags, 16) & (_UP | _LOCAL) == _UP:
            yield int(destination, 16), int(length, 16), name


def _number(text: str) -> int:
    parsed = ipaddress.ip_address(text)
    return int(parsed) if parsed.version == 6 else _MAPPED | int(parsed)


class Origins:
    """A socket that becomes readable when addresses or routes change, and what they say. All may raise OSError."""

    def __init__(self) -> None:
        self._news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        self._news.bind((0, _GROUPS))
        self._netlink = IPRoute()

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._news.fileno()

    def skip_news(self) -> None:
        """Take note of what has changed until now."""
        for _ in range(1000):
            try:
                self._news.recv(65536)
            except BlockingIOError:
                return
            except OSError:  # ENOBUFS: some news were lost, which is news enough
                continue

    def master(self, interface: int) -> int:
        """Return the index of the bridge or bond that an interface is a port of, 0 without one."""
        with contextlib.suppress(NetlinkError):
            for link in self._netlink.get_links(interface):
                return int(link.get_attr("IFLA_MASTER") or 0)
        return 0

    def table(self, interfaces: Collection[int]) -> bytes:
        """Return which sources' packets come in by these interfaces, as ranges (see flatten).

        That is where the route to the source leads; the host's own addresses come in by none. Of very long tables of
        routes only the beginning counts, and any other source is taken to come in by one of the interfaces.
        """
        names = set()
        for index in interfaces:
            with contextlib.suppress(OSError):
                names.add(socket.if_indextoname(index))
        found: list[Prefix] = []
        complete = True
        for path, header, read in zip(_ROUTES, (1, 0), (_ipv4_routes, _ipv6_routes), strict=True):
            with contextlib.suppress(OSError), path.open() as lines:  # no IPv6, no file
                found += [(first, length, name in names) for first, length, name in read(islice(lines, header, _MOST))]
                complete &= next(lines, None) is None
        found += [(0, 0, not complete), (_MAPPED, 96, not complete)]
        for message in self._addresses():
            # the address of a point-to-point link is the other end's
            if text := message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS"):
                found = [prefix for prefix in found if prefix[:2] != (_number(text), 128)]
                found.append((_number(text), 128, False))
        # link-local addresses are forwarded by nobody; who has no address yet sends from 0
        return flatten([*found, (0xFE80 << 112, 10, False), (_MAPPED, 128, False), (0, 128, False)])

    def _addresses(self) -> list[Any]:
        try:
            return list(self._netlink.get_addr())
        except NetlinkError as error:
            raise OSError(error.code, "addresses cannot be read by netlink") from error

    def close(self) -> None:
        """Close both sockets; may be called again."""
        self._news.close()
        self._netlink.close()
