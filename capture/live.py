# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a live tap is to the capture process: the same for eBPF (capture.ebpf) and AF_PACKET (capture.afpacket).

A tap belongs to one thread. It never blocks on whoever takes its messages: `Forward` returns at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from typing_extensions import Buffer

# Takes one message of bpf/batch.h: CPU or ring, shard, kind (FT_KIND_*), records in it, its bytes. The bytes are the
# ring's own and are overwritten after the call.
Forward = Callable[[int, int, int, int, Buffer], None]


class TapError(Exception):
    """A tap cannot be had, or an interface cannot be tapped; the text says why and is ready for the user."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface as netlink tells it."""

    index: int
    name: str
    ethernet: bool  # frames begin with an Ethernet header; else with IP (tun, gre, ...)
    loopback: bool
    tunnel: bool  # GRE, IPIP, 6in4, VXLAN, Geneve: its packets also pass another interface, wrapped


@dataclass(frozen=True, slots=True)
class TapSettings:
    """What a tap is told at its start."""

    key: bytes  # 64 random bytes, the same in all processes that exchange records
    sender: int  # random, 64 bits: this process
    shards: int = 1
    decap: bool = False
    ports: frozenset[int] = frozenset()  # watch only these; none: all
    exclude_ports: frozenset[int] = frozenset()  # watch all but these; not together with `ports`
    cutoff: int = 0  # records of a flow after which only SYN, FIN and RST make further ones; 0: never
    ring_bytes: int = 8 << 20  # of each CPU's ring; a power of two
    flush_hz: int = 100  # how often a batch that is not full is handed over


@dataclass(slots=True)
class StreamCounters:
    """Counters of one CPU or ring.

    seen = sum of filtered + sum of batched; per shard batched = forwarded + lost + what waits in the open batch.
    """

    seen: int = 0
    filtered: dict[str, int] = field(default_factory=dict)  # by reason: verdicts other than `record`, tap reasons
    shards: list[dict[str, int]] = field(default_factory=list)  # FT_STREAM_COUNTERS in lower case, for each shard


class Tap(Protocol):
    """Packets of the interfaces that were added, as messages."""

    @property
    def backend(self) -> Literal["ebpf", "afpacket"]:
        """How it sees packets."""

    @property
    def streams(self) -> int:
        """CPUs or rings."""

    @property
    def left(self) -> Mapping[int, StreamCounters]:
        """Final counters, by CPU, of a killed predecessor whose place was taken; asked after the first add()."""

    def add(self, interface: Interface) -> None:
        """Tap an interface; again after it came back. Raises TapError."""

    def remove(self, interface: Interface) -> None:
        """Stop tapping an interface, which may be gone already."""

    def elsewhere(self, interfaces: Collection[int]) -> None:
        """Take note of the interfaces, by index, whose incoming packets are counted elsewhere.

        Other processes on this host tap them, or they lie upon interfaces that are tapped (a VLAN, a bridge).
        """

    def poll(self, timeout_ms: int) -> int:
        """Hand what is ready to `forward`, waiting at most so long for it.

        Returns the watermark: CLOCK_MONOTONIC ns, nothing as old as that will be handed over any more.
        """

    def counters(self) -> list[StreamCounters]:
        """Return all counters so far, by stream; also after close()."""

    def capabilities(self) -> frozenset[str]:
        """Return the capabilities it still needs, e.g. cap_net_admin; asked after the first interfaces were added."""

    def close(self) -> None:
        """Leave all interfaces as they were found, hand over what waits; may be called again."""
