# SPDX-License-Identifier: LGPL-2.1-or-later
"""A long link: forwards Ethernet frames between two interfaces, each some time after it came, in order.

`python -m lab.delay LEFT RIGHT SECONDS [JITTER]` runs until it is killed and prints "ready" once it forwards. A frame
waits SECONDS and an exponentially distributed time of JITTER seconds on average, as in a queue: none overtakes another.
It reads and writes packet sockets, so it needs neither netem nor a bridge. Frames must be as on the wire: with
offloads on, checksums would be unfinished and segments larger than the link allows.
"""

from __future__ import annotations

import random
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


def forward(left: str, right: str, seconds: float, jitter: float = 0) -> None:
    """Forward both ways for ever."""
    ports = _open(left), _open(right)
    peer = {ports[0]: ports[1], ports[1]: ports[0]}
    under_way: dict[socket.socket, deque[tuple[float, bytes]]] = {port: deque() for port in ports}  # by where they go
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        for port, frames in under_way.items():
            while frames and frames[0][0] <= now:
                port.send(frames.popleft()[1])
        nexts = [frames[0][0] for frames in under_way.values() if frames]
        wait = max(0.0, min(nexts) - now) if nexts else None
        for port in select.select(ports, [], [], wait)[0]:
            frame = port.recv(65536)
            frames = under_way[peer[port]]
            if len(frames) < QUEUE:
                due = time.monotonic() + seconds + (random.expovariate(1 / jitter) if jitter else 0)
                frames.append((max(due, frames[-1][0]) if frames else due, frame))


if __name__ == "__main__":
    forward(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:]))
