# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tap over packet sockets (AF_PACKET, TPACKET_V3), for hosts on which eBPF is not to be had.

The same packets give the same records as by eBPF, with these differences:

1. The kernel does not say where an outgoing packet came in. While more than one interface is tapped (here or by
   others), it is taken for `forwarded` where the route to its source leads through one of them.
2. What a ring has no room for was never looked at, so its worker is not known: it counts as seen and as `ring_full`.
3. A ring holds the first bytes of a packet. Headers that go beyond them make it `short`.
4. Super-packets that the ring's virtio_net header cannot describe (SCTP; before Linux 6.2 also UDP: UDP_SEGMENT, UDP
   GRO) are dropped by the kernel: they are `ring_full` too.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from capture import packet_socket
from capture._message import MAX_SHARDS, STREAM_COUNTERS, TAP_REASONS, port_set
from capture._packet import VERDICTS
from capture._ring import Reader, Ring
from capture._stream import Stream
from capture.live import Forward, Interface, StreamCounters, TapError, TapSettings
from capture.origins import Origins

STREAMS = 64  # rings at most: each is a stream of its own, because only one ring by itself is in order
_MOST_RINGS, _CPUS_OF_A_RING = 4, 4
_LEAST_BLOCKS = 4
_LENGTH = 256  # bytes of a packet in the ring: Ethernet, two tags, IPv6, TCP with options, and room for extensions
_LENGTH_DECAP = 384  # the same behind a tunnel
_PERIODS = 3  # of the time-out until a packet is surely handed over: the kernel's timer may just have missed it
_NEWS_NS = 200_000_000  # between two looks at addresses and routes
_DROPS_NS = 1_000_000_000  # between two looks at the kernel's counters, which have 32 bits


@dataclass(slots=True)
class _Source:
    """One ring of an interface."""

    sock: socket.socket
    ring: Ring
    blocks: int
    known: int = 0  # packets that the kernel said it put into the ring

    def take_statistics(self) -> None:
        found = packet_socket.statistics(self.sock)
        self.known += found.packets - found.dropped
        self.ring.stream.count_ring_full(found.dropped)


class AfPacketTap:
    """A Tap (capture.live) over packet sockets: `rings` for each interface, which share it by flow hash; 0: by CPUs.

    CPUs that receive at once wait for one another at a ring's lock, so more of them get more rings. The rings of one
    interface have together `settings.ring_bytes` for each CPU, up to 8 of them.
    """

    backend: Literal["afpacket"] = "afpacket"

    def __init__(self, settings: TapSettings, forward: Forward, *, rings: int = 0) -> None:
        if not 1 <= settings.shards <= MAX_SHARDS:
            raise TapError(f"{settings.shards} shards, expected 1 to {MAX_SHARDS}")
        cpus = os.cpu_count() or 1
        rings = rings or max(1, min(_MOST_RINGS, cpus // _CPUS_OF_A_RING))
        if not 1 <= rings <= STREAMS:
            raise TapError(f"{rings} rings of an interface, expected 1 to {STREAMS}")
        if len(settings.key) != 64:
            raise TapError(f"key of {len(settings.key)} bytes, expected 64")
        self._settings = settings
        self._forward = forward
        self._rings = rings
        self._blocks = max(_LEAST_BLOCKS, settings.ring_bytes * min(cpus, 8) // rings // packet_socket.BLOCK)
        self._length = _LENGTH_DECAP if settings.decap else _LENGTH
        self._timeout_ms = max(1, 1000 // settings.flush_hz)
        self._period = self._timeout_ms * 1_000_000
        mode = 1 if settings.ports else 2 if settings.exclude_ports else 0
        ports = port_set(settings.ports or settings.exclude_ports)
        self._reader = Reader(settings.key, ports, mode, decap=settings.decap, cutoff=settings.cutoff)
        self._streams: list[Stream] = []
        self._free: list[Stream] = []
        self._sources: dict[int, list[_Source]] = {}
        self._interfaces: dict[int, Interface] = {}
        self._elsewhere: frozenset[int] = frozenset()
        self._origins: Origins | None = None
        self._stale = False
        self._judged = 0
        self._poll = select.poll()
        self._flushed = self._looked = self._watermark = 0
        # What is not permitted, or not in this kernel, is to be known now, and not when an interface appears.
        packet_socket.open_ring(1, self._timeout_ms).close()

    @property
    def streams(self) -> int:
        """Rings at most."""
        return STREAMS

    @property
    def left(self) -> Mapping[int, StreamCounters]:
        """Nothing: sockets die with their process."""
        return {}

    def add(self, interface: Interface) -> None:
        """Tap an interface; again after it came back. Raises TapError."""
        self.remove(interface)
        sources: list[_Source] = []
        self._sources[interface.index] = sources
        group = -1 if self._rings > 1 else None
        try:
            for _ in range(self._rings):
                source = self._open(interface)
                sources.append(source)
                group = packet_socket.bind(source.sock, interface, group)
                self._poll.register(source.sock, select.POLLIN)
            for source in sources:  # not before: a ring that is not yet of the group gets what others get too
                packet_socket.attach_limit(source.sock, self._length)
        except OSError as error:
            self.remove(interface)
            raise TapError(f"{interface.name}: {error.strerror}") from error
        except TapError:
            self.remove(interface)
            raise
        self._interfaces[interface.index] = interface
        self._judge()

    def _open(self, interface: Interface) -> _Source:
        stream = self._stream(interface)
        try:
            sock = packet_socket.open_ring(self._blocks, self._timeout_ms)
            try:
                ring = Ring(
                    sock.fileno(),
                    packet_socket.BLOCK,
                    self._blocks,
                    stream,
                    interface=interface.index,
                    ethernet=interface.ethernet,
                )
            except BaseException:
                sock.close()
                raise
        except BaseException:
            self._free.append(stream)
            raise
        return _Source(sock, ring, self._blocks)

    def _stream(self, interface: Interface) -> Stream:
        if self._free:
            return self._free.pop(0)
        if len(self._streams) == STREAMS:
            raise TapError(f"{interface.name}: by AF_PACKET at most {STREAMS} rings can be read at a time")
        stream = Stream(len(self._streams), self._settings.sender, self._settings.shards, self._forward)
        self._streams.append(stream)
        return stream

    def remove(self, interface: Interface) -> None:
        """Stop tapping an interface, which may be gone already; hand over what waits in its rings."""
        self._interfaces.pop(interface.index, None)
        self._end(self._sources.pop(interface.index, []))
        self._judge()

    def _end(self, sources: Collection[_Source]) -> None:
        for source in sources:
            packet_socket.attach_limit(source.sock, 0)
        end = time.monotonic_ns() + 2 * _PERIODS * self._period
        waiting = list(sources)
        while waiting:
            for source in waiting:
                self._reader.drain(source.ring, source.blocks)
                source.take_statistics()
            waiting = [source for source in waiting if source.ring.packets < source.known]
            if waiting and time.monotonic_ns() > end:
                break
            if waiting:
                time.sleep(0.002)
        for source in sources:
            with contextlib.suppress(KeyError):
                self._poll.unregister(source.sock)
            source.ring.stream.flush()
            source.ring.unmap()
            source.sock.close()
            self._free.append(source.ring.stream)

    def elsewhere(self, interfaces: Collection[int]) -> None:
        """Take note of the interfaces, by index, whose incoming packets are counted elsewhere."""
        if self._elsewhere != frozenset(interfaces):
            self._elsewhere = frozenset(interfaces)
            self._judge()

    def _judge(self) -> None:
        """Decide whether outgoing packets may have been counted already, and by what to tell.

        Where that cannot be read, what was known before goes on to hold, and it is tried again.
        """
        self._judged, self._stale = time.monotonic_ns(), True
        with contextlib.suppress(OSError):
            self._read_origins()
            self._stale = False

    def _read_origins(self) -> None:
        counted = self._interfaces.keys() | self._elsewhere
        if self._origins is None and len(counted) > 1:
            self._origins = Origins()
            self._poll.register(self._origins, select.POLLIN)
        if self._origins is not None:
            self._origins.skip_news()
        for index, sources in self._sources.items():
            table = b""
            if self._origins is not None and len(counted) > 1:
                # what a bridge hands on to this port came in by another port, whatever the routes say
                table = self._origins.table(counted - {self._origins.master(index)})
            for source in sources:
                source.ring.judge_outgoing(table)

    def poll(self, timeout_ms: int) -> int:
        """Hand over what waits, after waiting for it at most `timeout_ms` or the time-out of a block.

        Takes at most as much as all rings hold, so it ends also in a flood. Returns the watermark.
        """
        for descriptor, event in self._poll.poll(min(timeout_ms, self._timeout_ms)):
            if self._origins is not None and descriptor == self._origins.fileno():
                self._origins.skip_news()
                self._stale = True
            elif event & select.POLLERR:
                _clear_error(descriptor)
        began = time.monotonic_ns()
        if self._stale and began >= self._judged + _NEWS_NS:
            self._judge()
        floor = began - _PERIODS * self._period
        for sources in self._sources.values():
            for source in sources:
                if not self._reader.drain(source.ring, source.blocks):
                    floor = min(floor, source.ring.stream.newest - 1)
        if began >= self._flushed + self._period:
            self._flushed = began
            for stream in self._streams:
                stream.flush()
        elif waiting := [oldest for stream in self._streams if (oldest := stream.oldest) is not None]:
            floor = min(floor, *waiting) - 1
        if began >= self._looked + _DROPS_NS:
            self._look(began)
        self._watermark = max(self._watermark, floor)
        return self._watermark

    def _look(self, now: int) -> None:
        self._looked = now
        for sources in self._sources.values():
            for source in sources:
                source.take_statistics()

    def counters(self) -> list[StreamCounters]:
        """Return all counters so far, by stream; also after close()."""
        self._look(time.monotonic_ns())
        found = [StreamCounters(*stream.counters()) for stream in self._streams]
        return found + [self._unused() for _ in range(STREAMS - len(found))]

    def _unused(self) -> StreamCounters:
        reasons = [name for name in VERDICTS if name != "record"] + list(TAP_REASONS)
        shards = [dict.fromkeys(STREAM_COUNTERS, 0) for _ in range(self._settings.shards)]
        return StreamCounters(0, dict.fromkeys(reasons, 0), shards)

    def capabilities(self) -> frozenset[str]:
        """Return what it needs from now on: another interface is another socket."""
        return frozenset(("cap_net_raw",))

    def close(self) -> None:
        """Close all sockets and hand over what waits; may be called again."""
        ending = [source for sources in self._sources.values() for source in sources]
        self._sources.clear()
        self._interfaces.clear()
        self._end(ending)
        if self._origins is not None:
            self._origins.close()
            self._origins = None


def _clear_error(descriptor: int) -> None:
    """Take note of an interface that went down, or poll() would report it for ever; it may come up again."""
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
