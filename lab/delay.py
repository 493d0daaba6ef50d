# SPDX-License-Identifier: LGPL-2.1-or-later
"""A long link: forwards Ethernet frames between two interfaces, each a fixed time after it came.

`python -m lab.delay LEFT RIGHT SECONDS` runs until it is killed and prints "ready" once it forwards. It reads
and writes packet sockets, so it needs neither netem nor a bridge. Frames must be as on the wire: with offloads on,
checksums would be unfinished and segments larger than the link allows.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections import deque

ETH_P_ALL = 3
PACKET_IGNORE_OUTGOING = 23  # linux/if_packet.h; without it our own frames come back
SOL_PACKET = 263
QUEUE = 4096  # frames under way in one direction; more are dropped, as on a real link


def _open(name: str) -> socket.socket:
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.bind((name, ETH_P_ALL))
    return port


def forward(left: str, right: str, seconds: float) -> None:
    """Forward both ways for ever."""
    ports = _open(left), _open(right)
    peer = {ports[0]: ports[1], ports[1]: ports[0]}
    under_way: deque[tuple[float, socket.socket, bytes]] = deque()
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, port, frame = under_way.popleft()
            port.send(frame)
        wait = max(0.0, under_way[0][0] - now) if under_way else None
        for port in select.select(ports, [], [], wait)[0]:
            frame = port.recv(65536)
            if len(under_way) < QUEUE:
                under_way.append((time.monotonic() + seconds, peer[port], frame))


if __name__ == "__main__":
    forward(sys.argv[1], sys.argv[2], float(sys.argv[3]))
