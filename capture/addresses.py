# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's own addresses in its network namespace, kept up to date by netlink."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

from pyroute2 import IPRoute

_GROUPS = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_UNSPECIFIED = (bytes(16), bytes(10) + b"\xff\xff" + bytes(4))  # who has no address yet sends from these


def mapped(text: str) -> bytes:
    """Return an address as records have it: 16 bytes, IPv4 mapped into IPv6. Raises ValueError."""
    parsed = ipaddress.ip_address(text)
    return parsed.packed if parsed.version == 6 else bytes(10) + b"\xff\xff" + parsed.packed


class Addresses:
    """A socket that becomes readable when addresses come or go, and the addresses at that time. Raises OSError."""

    def __init__(self) -> None:
        self._news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        self._news.bind((0, _GROUPS))
        self._table = IPRoute()

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._news.fileno()

    def read(self) -> bytes:
        """Return all addresses, 16 bytes each and in order, and take note of the news until now."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                try:
                    self._news.recv(65536)
                except OSError as error:  # ENOBUFS: some news were lost, which is news enough
                    if isinstance(error, BlockingIOError):
                        raise
        found = list(self._table.get_addr())
        # the address of a point-to-point link is the other end's
        own = {mapped(text) for one in found if (text := one.get_attr("IFA_LOCAL") or one.get_attr("IFA_ADDRESS"))}
        return b"".join(sorted(own.union(_UNSPECIFIED)))

    def close(self) -> None:
        """Close both sockets; may be called again."""
        self._news.close()
        self._table.close()
