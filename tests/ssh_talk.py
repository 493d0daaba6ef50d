# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes SSH connections out of messages: the sizes that messages have in a cipher, by RFC 4252 to 4254, and a login."""

from __future__ import annotations

from tests.conversation import ACK, SYN, Tcp

# Block size, whether the length is outside it, bytes of the MAC.
CIPHERS = {
    "chacha20-poly1305": (8, True, 16),
    "aes-gcm": (16, True, 16),
    "aes-ctr, umac-64-etm": (16, True, 8),
    "aes-ctr, hmac-sha1-etm": (16, True, 20),
    "aes-ctr, hmac-sha2-256-etm": (16, True, 32),
    "aes-ctr, hmac-sha2-512-etm": (16, True, 64),
    "aes-ctr, hmac-sha1": (16, False, 20),
    "aes-ctr, hmac-sha2-256": (16, False, 32),
    "aes-ctr, hmac-sha2-512": (16, False, 64),
}
SUCCESS = REPLY = 1  # of the login; to a global request
OK = EOF = CLOSE = 5
IGNORE = 5
ADJUST = 9
SHELL, CONFIRMED, OPEN, EXIT, SFTP, NO_MORE = 15, 17, 24, 25, 27, 34
X11, AGENT, SIMPLE, BYE = 80, 36, 44, 33
HOSTKEYS, PROVE, PROOF, ALIVE, DEBUG = 476, 426, 390, 27, 126
FORWARDED = 48  # and two names


def data(count: int) -> int:
    """Return the payload of CHANNEL_DATA with so many bytes."""
    return 9 + count


def execute(count: int) -> int:
    """Return the payload of a request to execute a command of so many bytes."""
    return 18 + count


def pty(term: str = "xterm", modes: int = 1) -> int:
    """Return the payload of a request for a terminal."""
    return 41 + len(term) + modes


def env(name: str, value: str) -> int:
    """Return the payload of a request to set a variable."""
    return 21 + len(name) + len(value)


def direct(host: str = "127.0.0.1") -> int:
    """Return the payload that opens a connection to a host (direct-tcpip)."""
    return 45 + len(host) + 9


class Talk:
    """A connection with its login; then packets of messages, given as payloads."""

    def __init__(
        self, cipher: str, port: int, *, rtt: float = 0.0, login: str = "password", ignores: bool = False
    ) -> None:
        self.block, self.outside, self.mac = CIPHERS[cipher]
        self.rtt, self.at, self.last = rtt, 0.0, "s"
        self.ignores = False  # the server sends IGNORE before each message
        self.tcp = Tcp(cport=port)
        self.tcp._send("c", 0.0, SYN)
        self.tcp._send("s", 0.0002, SYN | ACK)
        self.at = 0.0002 + rtt + 0.0002
        self.tcp._send("c", self.at, ACK)
        self.last = "c"
        for packet in ("c41", "s41", "c1208", "s1112", "c48", "s564", "c16"):
            self._put(packet[0], int(packet[1:]))
        self.c(17).s(17)
        self.ignores = ignores
        for side, payload in LOGINS[login]:
            self._say(side, payload)
        self.s(SUCCESS)

    def size(self, payload: int) -> int:
        """Return the size on the wire (RFC 4253, 6)."""
        part = payload + (1 if self.outside else 5)
        part += 4 + -(part + 4) % self.block
        return part + (4 if self.outside else 0) + self.mac

    def _put(self, side: str, size: int, after: float = 0.0) -> None:
        if side != self.last:
            after += self.rtt if side == "c" else 0.0002
        self.at += after + 0.0003
        self.last = side
        while size:
            self.tcp.send(self.at, f"{side}{min(size, 1448)}")
            size -= min(size, 1448)
            self.at += 0.0001

    def _say(self, side: str, *payloads: int, after: float = 0.0) -> Talk:
        if side == "s" and self.ignores:
            for payload in payloads:
                self._put(side, self.size(IGNORE), after)
                self._put(side, self.size(payload))
                after = 0.0
        else:
            self._put(side, sum(self.size(payload) for payload in payloads), after)
        return self

    def c(self, *payloads: int, after: float = 0.0) -> Talk:
        """Send messages of the client, joined in one packet."""
        return self._say("c", *payloads, after=after)

    def s(self, *payloads: int, after: float = 0.0) -> Talk:
        """Send messages of the server, joined in one packet."""
        return self._say("s", *payloads, after=after)

    def cs(self, *payloads: int) -> Talk:
        """Send messages of the client, each in a packet of its own."""
        for payload in payloads:
            self.c(payload)
        return self

    def ss(self, *payloads: int) -> Talk:
        """Send messages of the server, each in a packet of its own."""
        for payload in payloads:
            self.s(payload)
        return self

    def end(self) -> Tcp:
        """Close the connection."""
        return self.tcp.close(self.at + 0.01)


LOGINS: dict[str, list[tuple[str, int]]] = {
    "password": [("c", 45), ("s", 26), ("c", 63)],
    "no none": [("c", 58)],
    "padded": [("c", 45), ("s", 44), ("c", 148)],
    "key": [("c", 44), ("s", 44), ("c", 120), ("s", 71), ("c", 208)],
    "rsa": [("c", 44), ("s", 44), ("c", 360), ("s", 311), ("c", 640)],
    "asked": [("c", 45), ("s", 44), ("c", 69), ("s", 37), ("c", 17), ("s", 17), ("c", 5)],
}
