# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes small captures, packet by packet, for tests that need to know every byte of their input."""

import struct
from ipaddress import ip_address
from typing import Any

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

Packet = tuple[float, bytes]  # seconds since 1970, Ethernet frame


def ethernet(source: str, destination: str, proto: int, l4: bytes, vlans: tuple[int, ...] = ()) -> bytes:
    """Return an Ethernet frame with an IPv4 or IPv6 packet. Checksums are zero: nothing here looks at them."""
    src, dst = ip_address(source).packed, ip_address(destination).packed
    if len(src) == 4:
        kind, ip = 0x0800, struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), 0, 0x4000, 64, proto, 0) + src + dst
    else:
        kind, ip = 0x86DD, struct.pack("!IHBB", 6 << 28, len(l4), proto, 64) + src + dst
    tags = b"".join(struct.pack("!HH", 0x8100, vlan) for vlan in vlans)
    return bytes(12) + tags + struct.pack("!H", kind) + ip + l4


class Tcp:
    """A TCP connection whose packets are made in order. Each method appends one step at `at` seconds after `start`."""

    def __init__(
        self,
        client: str = "83.31.193.40",
        cport: int = 3406,
        server: str = "213.134.128.25",
        sport: int = 22,
        *,
        start: float = 1165124468.0,
        vlans: tuple[int, ...] = (),
    ) -> None:
        self.ends = {"c": (client, cport), "s": (server, sport)}
        self.next = {"c": 1000, "s": 5000}
        self.start = start
        self.vlans = vlans
        self.packets: list[Packet] = []

    def _send(self, side: str, at: float, flags: int, payload: bytes = b"") -> None:
        other = "s" if side == "c" else "c"
        (source, sport), (destination, dport) = self.ends[side], self.ends[other]
        ack = self.next[other] if flags & ACK else 0
        header = struct.pack("!HHIIBBHHH", sport, dport, self.next[side], ack, 0x50, flags, 65535, 0, 0)
        self.packets.append((self.start + at, ethernet(source, destination, 6, header + payload, self.vlans)))
        self.next[side] = (self.next[side] + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF

    def open(self, at: float = 0.0) -> "Tcp":
        """SYN, SYN+ACK, ACK; a millisecond apart."""
        self._send("c", at, SYN)
        self._send("s", at + 0.001, SYN | ACK)
        self._send("c", at + 0.002, ACK)
        return self

    def send(self, at: float, *steps: str) -> "Tcp":
        """Send payload: "c20" is 20 bytes from the client. Steps are a millisecond apart; "+" waits a second."""
        for step in steps:
            if step == "+":
                at += 1.0
                continue
            self._send(step[0], at, PSH | ACK, bytes(int(step[1:])))
            at += 0.001
        return self

    def close(self, at: float) -> "Tcp":
        """FIN from both sides."""
        self._send("c", at, FIN | ACK)
        self._send("s", at + 0.001, FIN | ACK)
        self._send("c", at + 0.002, ACK)
        return self


def pcap(*conversations: Tcp | list[Packet]) -> bytes:
    """Return a pcap file, microseconds, little endian, of all packets in order of time."""
    packets: list[Packet] = []
    for conversation in conversations:
        packets += conversation.packets if isinstance(conversation, Tcp) else conversation
    data = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for time, frame in sorted(packets, key=lambda packet: packet[0]):
        seconds, micros = divmod(round(time * 1_000_000), 1_000_000)
        data += (struct.pack("<IIII", seconds, micros, len(frame), len(frame)), frame)
    return b"".join(data)


# What `login` matches, twice.
PASSWORD = (
    "tcp 22 = s12 c12 s28 : SSH1 - invalid password attempt\n"
    "    id = ssh1.password\n    severity = high\n    attack = T1110.001, T1078\n    category = login\n    rev = 3\n"
    "    reference = https://example.org/ssh1\n"
)


def login(**kwargs: Any) -> Tcp:
    """Return two failed attempts, then the end: 104 bytes in 6 packets, 9 seconds."""
    return Tcp(**kwargs).open().send(0.1, "s12", "c12", "s28").send(9, "s12", "c12", "s28").close(9.5)


def other(**kwargs: Any) -> Tcp:
    """Return a flow that no signature of these tests knows."""
    return Tcp(**{"cport": 4000, **kwargs}).open().send(0.1, "s21", "c21", "+", "s300").close(2)
