# SPDX-License-Identifier: LGPL-2.1-or-later
"""SYNs and SYN+ACKs to and from one TCP port, as this host's kernel sees them: a packet socket, and the parser.

The filter is in the kernel, so whatever else passes costs this process nothing. Frames come without their link layer
(SOCK_DGRAM), from all interfaces, hence as link type RAW. (To bind to no interface after the filter is there, as
would be cleaner, is not possible from Python.)
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct

from capture._filter import Filter
from capture._packet import KEY_SIZE, Batch, Parser

LINKTYPE_RAW = 101
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h
_ETH_P_ALL = 3
_RECEIVE = 8 << 20  # bytes that may wait; SO_RCVBUFFORCE is tried first
_LONGEST = 256  # bytes; an IP header with options and a TCP header with options are shorter
# tcp[] means nothing to libpcap in IPv6: the flags stand at 40 + 13 where no extension header comes between.
_FILTER = "tcp port {0} and ((ip and tcp[tcpflags] & tcp-syn != 0) or (ip6 and ip6[6] = 6 and ip6[53] & 2 != 0))"


class HandshakeSocketError(Exception):
    """No such socket is to be had; the text says why and is ready for the user."""


class HandshakeSocket:
    """Packets with SYN from or to TCP port `port`. Raises HandshakeSocketError."""

    def __init__(self, port: int) -> None:
        try:
            kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            self._socket = socket.socket(socket.AF_PACKET, kind, socket.htons(_ETH_P_ALL))
        except PermissionError:
            raise HandshakeSocketError("a packet socket is not permitted: cap_net_raw is needed") from None
        except OSError as error:
            raise HandshakeSocketError(f"this kernel has no packet sockets: {os.strerror(error.errno or 0)}") from error
        try:
            self._attach(Filter(_FILTER.format(port), LINKTYPE_RAW).instructions())
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE)
            while self._receive():  # what came before the filter was there
                pass
            self._parser = Parser(os.urandom(KEY_SIZE))
            self._parser.add_interface(LINKTYPE_RAW, "")
        except OSError as error:
            self._socket.close()
            raise HandshakeSocketError(f"a packet socket: {os.strerror(error.errno or 0)}") from error

    def _attach(self, program: bytes) -> None:
        held = ctypes.create_string_buffer(program)
        described = struct.pack("@HP", len(program) // 8, ctypes.addressof(held))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)

    def fileno(self) -> int:
        """Return the descriptor, to wait on."""
        return self._socket.fileno()

    def read(self, batch: Batch) -> None:
        """Fill a batch with what has arrived, as far as it goes; it may be nothing."""
        batch.clear()
        while batch.count < batch.capacity and (packet := self._receive()):
            self._parser.parse(packet, batch)

    def _receive(self) -> bytes:
        """Return the next packet, from its IP header on; b"" when none waits."""
        try:
            return self._socket.recv(_LONGEST)
        except OSError:  # none is there, or an interface went down: told once, and others go on
            return b""

    def close(self) -> None:
        """Close the socket; may be called again."""
        self._socket.close()
