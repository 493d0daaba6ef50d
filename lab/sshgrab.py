# SPDX-License-Identifier: LGPL-2.1-or-later
"""A scanner as the large ones of the Internet: `sshgrab.py ADDRESS DEPTH`.

DEPTH: banner (read the server's version, send one, leave), offer (and read its offer), keys (and send an offer and a
key of Curve25519, and read the host key that answers it).
"""

import os
import socket
import struct
import sys

NAMES = (
    "curve25519-sha256,curve25519-sha256@libssh.org",
    "ssh-ed25519,rsa-sha2-256,ecdsa-sha2-nistp256",
    *["aes128-ctr,aes256-ctr,chacha20-poly1305@openssh.com"] * 2,
    *["hmac-sha2-256,hmac-sha1"] * 2,
    *["none"] * 2,
    *[""] * 2,
)


def text(data):
    """Return a string as RFC 4251 has it, section 5."""
    return struct.pack(">I", len(data)) + data


def packet(payload):
    """Return a packet before encryption (RFC 4253, section 6)."""
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def main(address, depth):
    """Look once."""
    with socket.create_connection((address, 22), 10) as connection, connection.makefile("rb") as lines:
        connection.settimeout(10)
        lines.readline()
        connection.sendall(b"SSH-2.0-Go\r\n")
        if depth == "banner":
            return
        lines.read(struct.unpack(">I", lines.read(4))[0])
        if depth == "offer":
            return
        offer = b"\x14" + os.urandom(16) + b"".join(text(names.encode()) for names in NAMES) + bytes(5)
        connection.sendall(packet(offer))
        connection.sendall(packet(b"\x1e" + text(os.urandom(32))))
        lines.read(struct.unpack(">I", lines.read(4))[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
