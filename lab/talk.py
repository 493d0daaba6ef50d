# SPDX-License-Identifier: LGPL-2.1-or-later
"""A conversation of known sizes: `talk.py serve ADDRESS PORT` and `talk.py call ADDRESS PORT`, over TCP or UDP.

Each side waits for the other's turn, so that the shape is SHAPE on whatever link. ADDRESS may be IPv4 or IPv6. A last
word "udp" talks in datagrams, "slowly" lets seconds pass between the client's words, a number has so many calls, one
after another.
"""

import socket
import sys
import time

TURNS = ((30, 100), (7, 1200), (1, 12), (512, 3))  # bytes of the client, then of the server
BETWEEN = 0.01  # seconds between two calls
SHAPE = " ".join(f"c{client} s{server}" for client, server in TURNS)


def read(connection: socket.socket, size: int) -> None:
    """Read exactly so many bytes."""
    while size:
        data = connection.recv(size)
        if not data:
            raise SystemExit("the other side ended early")
        size -= len(data)


def serve(family: int, address: tuple[str, int], kind: int) -> None:
    """Answer callers for ever, one after another."""
    with socket.socket(family, kind) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        while True:
            if kind == socket.SOCK_DGRAM:
                size = dict(TURNS)
                data, caller = listener.recvfrom(65536)
                listener.sendto(bytes(size[len(data)]), caller)
                continue
            connection, _ = listener.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for client, server in TURNS:
                    read(connection, client)
                    connection.sendall(bytes(server))
                connection.recv(1)


def call(family: int, address: tuple[str, int], kind: int, pause: float = 0) -> None:
    """Call once; prints the caller's port."""
    with socket.socket(family, kind) as connection:
        connection.settimeout(10)
        connection.connect(address)
        if kind == socket.SOCK_STREAM:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for client, server in TURNS:
            connection.sendall(bytes(client))
            if kind == socket.SOCK_STREAM:
                read(connection, server)
            else:
                connection.recv(65536)
            time.sleep(pause)
        print(connection.getsockname()[1])


if __name__ == "__main__":
    role, host, port, *more = sys.argv[1:]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if more == ["udp"] else socket.SOCK_STREAM
    if role == "serve":
        serve(family, (host, int(port)), kind)
    else:
        for again in range(int(more[0]) if more and more[0].isdigit() else 1):
            time.sleep(BETWEEN if again else 0)
            call(family, (host, int(port)), kind, 2.0 if more == ["slowly"] else 0)
