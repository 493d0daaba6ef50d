# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the engine is given as limits, and what it tells of a flow that has ended."""

from dataclasses import dataclass, fields
from enum import IntEnum


class Reason(IntEnum):
    """Why a flow ended. FIN, RST and TIMEOUT are ends that `>` matches; the others say nothing of the flow itself."""

    FIN = 1
    RST = 2
    TIMEOUT = 3
    REUSE = 4  # a new connection took over the same addresses and ports
    OPEN = 5  # it goes on, or the capture ended first
    EVICTED = 6  # it had to make room
    HALF_OPEN = 7  # likewise, and nobody had answered it


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one engine: memory in items or bytes, times in seconds of packet time."""

    flows: int = 1_000_000  # flows at a time
    first: int = 24  # packets kept from a flow's beginning
    ring: int = 16  # packets kept from its end; a power of two
    turn_first: int = 4  # turns kept from its beginning
    turn_ring: int = 8  # turns kept from its end; a power of two
    hits: int = 4_194_304  # signatures hit, over all flows
    threads: int = 8_192  # flows in which signatures with references are followed past the history; 5,136 bytes each
    held: int = 65_536  # TCP segments that wait for a hole to fill, over all flows
    state_memory: int = 64 << 20  # bytes for each of the two automata
    idle_tcp: float = 1800.0  # without a record for so long, a flow has ended: TCP once answered,
    idle_udp: float = 60.0  # UDP,
    idle_icmp: float = 30.0  # ICMP,
    idle_half_open: float = 30.0  # TCP before
    linger: float = 15.0  # an ended TCP flow is remembered, so that late segments begin no new one
    hold: float = 2.0  # a segment waits for the hole before it
    hold_covered: float = 0.05  # the same when the peer has acknowledged what is missing

    def check(self) -> None:
        """Raise ValueError for what the engine cannot be built with."""
        for name in ("ring", "turn_ring"):
            value = getattr(self, name)
            if value < 1 or value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value}")
        for field in fields(self):
            if not getattr(self, field.name) >= (1 if field.type is int else 0):  # NaN is not either
                raise ValueError(f"{field.name} must not be below {1 if field.type is int else 0}")
        if self.flows > 1 << 26 or self.first + self.ring > 4096 or self.turn_first + self.turn_ring > 4096:
            raise ValueError("at most 67,108,864 flows and 4,096 packets or turns of history each")


@dataclass(slots=True)
class Hit:
    """The hits of one signature in one flow."""

    signature: int  # index in Program.signatures
    count: int
    ts_ns: int  # the first hit
    shape: str | None  # the packets or turns of the first hit, as tokens that match again; None: not to be told
    published: int = 0  # the count that Engine.news has told before, while the flow was open; 0: it has not


@dataclass(slots=True)
class Flow:
    """A flow that has ended, that was open when the capture ended, or that is open and has news.

    `_c` is the client's side, `_s` the server's. Packets and bytes are those of the shape: payload, without
    retransmissions.
    """

    proto: int  # 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6
    client: bytes  # 16 bytes; IPv4 as ::ffff:a.b.c.d
    server: bytes
    client_port: int
    server_port: int
    start_ns: int  # first record
    end_ns: int  # last packet of the shape (without any, last record)
    packets_c: int
    packets_s: int
    bytes_c: int
    bytes_s: int
    turns_c: int
    turns_s: int
    duration_c_ns: int  # first to last packet of one side, to the millisecond
    duration_s_ns: int
    rtt_c_ns: int | None  # round trip between the tap and that side; None: the handshake was not seen
    rtt_s_ns: int | None
    confidence: int  # percent; how sure the direction is
    midstream: bool  # TCP whose SYN was not seen
    gap: bool  # some of it was not seen
    ended: bool  # by FIN, RST or idle time-out
    reason: Reason
    iface: int
    vlan: int  # 0: untagged
    vlan2: int
    hits: list[Hit]
    shape: str  # tokens, with `...` for what left the history; empty without payload, or without report_all
