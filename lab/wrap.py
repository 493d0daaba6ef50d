# SPDX-License-Identifier: LGPL-2.1-or-later
"""Interfaces whose packets pass another one wrapped, for kernels that lack the real ones: runs until it is killed.

`wrap.py gre NAME LOCAL REMOTE` makes a TUN interface whose packets travel in GRE (RFC 2784) between these addresses;
`wrap.py vlan NAME PORT ID` makes a TAP interface whose frames travel over PORT with an IEEE 802.1Q tag. Prints "ready".
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import sys
from contextlib import suppress

TUNSETIFF = 0x400454CA  # linux/if_tun.h
IFF_TUN, IFF_TAP, IFF_NO_PI = 1, 2, 0x1000
ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8  # linux/if_packet.h
PACKET_IGNORE_OUTGOING = 23
TP_STATUS_VLAN_VALID = 1 << 4
AUXDATA = struct.Struct("=IIIHHHH")  # struct tpacket_auxdata: status first, VLAN tag before the last
GRE = {4: b"\0\0\x08\0", 6: b"\0\0\x86\xdd"}  # by IP version


def device(name: str, kind: int) -> int:
    """Make a TUN or TAP interface and return its descriptor."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), kind | IFF_NO_PI))
    return descriptor


def gre(name: str, local: str, remote: str) -> None:
    """Carry packets of a TUN interface in GRE."""
    inside = device(name, IFF_TUN)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_GRE) as outside:
        outside.bind((local, 0))
        print("ready", flush=True)
        while True:
            for ready in select.select([inside, outside], [], [])[0]:
                if ready == inside:
                    packet = os.read(inside, 65536)
                    with suppress(OSError):  # no route yet: lost, as on any line
                        outside.sendto(GRE[packet[0] >> 4] + packet, (remote, 0))
                else:
                    packet = outside.recv(65536)
                    os.write(inside, packet[(packet[0] & 15) * 4 + 4 :])


def vlan(name: str, port: str, tag: int) -> None:
    """Carry frames of a TAP interface with a tag."""
    inside = device(name, IFF_TAP)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as outside:
        outside.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        outside.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        outside.bind((port, ETH_P_ALL))
        print("ready", flush=True)
        while True:
            for ready in select.select([inside, outside], [], [])[0]:
                if ready == inside:
                    frame = os.read(inside, 65536)
                    with suppress(OSError):  # the port is still going up: lost, as on any line
                        outside.send(frame[:12] + struct.pack(">HH", 0x8100, tag) + frame[12:])
                    continue
                try:
                    frame, notes, _, _ = outside.recvmsg(65536, 256)
                except OSError:  # the port went down: told once, and it may come back
                    continue
                for _, _, note in notes:
                    status, *_, found, _ = AUXDATA.unpack(note[: AUXDATA.size])
                    if status & TP_STATUS_VLAN_VALID and found & 0xFFF == tag:
                        os.write(inside, frame)


if __name__ == "__main__":
    if sys.argv[1] == "gre":
        gre(*sys.argv[2:])
    else:
        vlan(sys.argv[2], sys.argv[3], int(sys.argv[4]))
