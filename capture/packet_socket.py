# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packet sockets with a TPACKET_V3 ring: options, filters, statistics of one interface's sockets."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from dataclasses import dataclass

from capture.live import Interface, TapError

# linux/if_packet.h, asm-generic/socket.h, linux/if_ether.h
_SOL_PACKET, _SO_ATTACH_FILTER = 263, 26
_RX_RING, _STATISTICS, _VERSION, _VNET_HDR, _FANOUT, _IGNORE_OUTGOING = 5, 6, 10, 15, 18, 23
_TPACKET_V3, _FANOUT_HASH, _FANOUT_UNIQUE = 2, 0, 0x2000
_ETH_P_ALL = 3
_FRAME = 2048  # TPACKET_V3 packs packets closely; this number only has to divide the block
BLOCK = 1 << 18  # bytes; a block is handed over when it is full or after the time-out
_RETURN = 6  # classic BPF: BPF_RET | BPF_K


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the kernel has counted since it was last asked."""

    packets: int  # dropped ones included
    dropped: int  # there was no room in the ring


def attach_limit(sock: socket.socket, length: int) -> None:
    """Let at most the first `length` bytes of each packet into the ring; 0: no packet at all."""
    program = ctypes.create_string_buffer(struct.pack("=HBBI", _RETURN, 0, 0, length))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(program)))


def open_ring(blocks: int, timeout_ms: int) -> socket.socket:
    """Open a packet socket with a ring of `blocks` blocks; it takes no packet before attach_limit. Raises TapError."""
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
    except PermissionError as error:
        raise TapError("a packet socket is not permitted: cap_net_raw is needed") from error
    except OSError as error:
        raise TapError(f"this kernel has no packet sockets: {os.strerror(error.errno or 0)}") from error
    try:
        sock.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
        sock.setsockopt(_SOL_PACKET, _VNET_HDR, 1)
        attach_limit(sock, 0)
        frames = BLOCK // _FRAME * blocks
        sock.setsockopt(_SOL_PACKET, _RX_RING, struct.pack("=7I", BLOCK, blocks, _FRAME, frames, timeout_ms, 0, 0))
    except OSError as error:
        sock.close()
        if error.errno == errno.ENOMEM:
            raise TapError(f"no memory for a ring of {BLOCK * blocks} bytes: a smaller capture.ring_bytes") from error
        raise TapError(f"this kernel gives no TPACKET_V3 ring: {os.strerror(error.errno or 0)}") from error
    return sock


def bind(sock: socket.socket, interface: Interface, group: int | None) -> int | None:
    """Feed the ring from an interface, as a member of fanout group `group`: None for no group, -1 for a new one.

    Of loopback each packet comes twice, out and in: only what comes in counts. Returns the group. Raises TapError.
    """
    try:
        if interface.loopback:
            sock.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        sock.bind((interface.name, _ETH_P_ALL))
        if sock.getsockname()[0] != interface.name or socket.if_nametoindex(interface.name) != interface.index:
            raise TapError(f"{interface.name}: another interface has this name now")
        if group is not None:
            member = _FANOUT_UNIQUE << 16 if group < 0 else group
            sock.setsockopt(_SOL_PACKET, _FANOUT, struct.pack("=I", member | _FANOUT_HASH << 16))
            return int(struct.unpack("=I", sock.getsockopt(_SOL_PACKET, _FANOUT, 4))[0]) & 0xFFFF
    except OSError as error:
        raise TapError(f"{interface.name}: {os.strerror(error.errno or 0)}") from error
    return None


def statistics(sock: socket.socket) -> Statistics:
    """Return the counters and let the kernel begin anew."""
    packets, dropped, _ = struct.unpack("=3I", sock.getsockopt(_SOL_PACKET, _STATISTICS, 12))
    return Statistics(packets, dropped)
