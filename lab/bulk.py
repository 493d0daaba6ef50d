# SPDX-License-Identifier: LGPL-2.1-or-later
"""A conversation in which much is said at once: `bulk.py serve|call ADDRESS PORT SIZE...`.

Sizes are in bytes, by turns of the client and the server; each side waits for the other's turn. Each turn is one call
of send, and the socket's buffer holds all of it, so that the kernel alone decides how it is cut.
"""

import socket
import sys

from talk import read


def main(role: str, host: str, port: int, sizes: list[int]) -> None:
    """Play one side once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as own:
        own.settimeout(10)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        if role == "serve":
            own.bind((host, port))
            own.listen()
            connection, _ = own.accept()
        else:
            own.connect((host, port))
            connection = own
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number, size in enumerate(sizes):
                if (number % 2 == 0) == (role == "call"):
                    connection.sendall(bytes(size))
                else:
                    read(connection, size)
            if role == "serve":
                connection.recv(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), [int(word) for word in sys.argv[4:]])
