# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tap over eBPF: loads the program, reads its rings, gives its counters."""

from __future__ import annotations

import errno
import os
import platform
import struct
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from capture import _bpf, predecessor
from capture._message import (
    BATCH,
    MAX_SHARDS,
    MESSAGE_SIZE,
    SETTINGS_OFFSET,
    SETTINGS_SIZE,
    STATE_SIZE,
    STATE_VERSION,
    port_set,
)
from capture._message import STREAM_COUNTERS as NAMES
from capture._perf import Rings
from capture.live import Forward, Interface, StreamCounters, TapError, TapSettings
from capture.predecessor import Predecessor, state_counters
from capture.program import Program, load

WAKEUP = 32  # messages in a ring that wake the reader: fewer cost more wake-ups per record
PARTS = 4  # of a ring: when one is full, the reader wakes at fewer messages
LONGEST_WAIT = 10  # milliseconds: below these messages nobody wakes the reader
LONGEST_MESSAGE = MESSAGE_SIZE + BATCH * (64 + 8)  # records and tags; capture.record would bring numpy's threads
PERIODS = 2  # of the flush within which each CPU's clock has surely run
SLACK = (
    1_000_000  # nanoseconds: a packet's way through the program, which flushes at its end where the clock found it busy
)
IN, OUT, BEGINS_WITH_IP = 1, 2, 4


def classid(interface: Interface, *, egress: bool) -> int:
    """Return the classid that the filter of this interface and direction must carry (see bpf/flowtap.c)."""
    return (OUT if egress else IN) | (0 if interface.ethernet else BEGINS_WITH_IP)


class Attacher(Protocol):
    """Puts the program's filters in place."""

    def attach(
        self, interface: Interface, program: int, classids: tuple[int, int], hold: Callable[[int], None]
    ) -> None:
        """Attach the program (file descriptor) in both directions, or only inwards to a loopback interface.

        The filters' classids are given for ingress and egress. A killed predecessor's filters are replaced, not
        doubled; before that, `hold` is called with the id of each of their programs. Raises TapError.
        """

    def detach(self, interface: Interface) -> None:
        """Remove these filters; the interface may be gone already."""


def cpus(which: str) -> list[int]:
    """Return the numbers of the CPUs that are `online`, or `possible`."""
    found: list[int] = []
    for part in Path(f"/sys/devices/system/cpu/{which}").read_text().strip().split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


class EbpfTap:
    """A Tap (capture.live) over eBPF; `pins` is a directory in a BPF file system of this capture process's own.

    There the counters stay in reach for the successor of a killed process that lacks CAP_SYS_ADMIN. Without it the
    successor needs that capability, or does not learn what happened after its predecessor's death.

    `cache` is a directory where the compiled program is kept, so that a process that was killed is back soon.
    """

    backend: Literal["ebpf"] = "ebpf"

    def __init__(
        self,
        settings: TapSettings,
        forward: Forward,
        attacher: Attacher,
        pins: Path | None = None,
        cache: Path | None = None,
    ) -> None:
        if not 1 <= settings.shards <= MAX_SHARDS:
            raise TapError(f"{settings.shards} shards, expected 1 to {MAX_SHARDS}")
        self._settings = settings
        self._forward = forward
        self._attacher = attacher
        self._tapped: dict[int, Interface] = {}
        self._elsewhere: set[int] = set()
        self._closed = False
        self._final: list[StreamCounters] | None = None  # counters when it was closed
        self.streams = max(cpus("possible")) + 1
        self._value = bytearray(self.streams * (STATE_SIZE + 8 * len(NAMES) * (settings.shards - 1)))
        self._predecessors: dict[int, Predecessor] = {}
        self._pins = pins
        self._pin: Path | None = None
        self._program: Program = load(settings.shards, decap=settings.decap, cutoff=settings.cutoff > 0, cache=cache)
        try:
            self._configure()
            wakeup = max(1, min(WAKEUP, settings.ring_bytes // PARTS // LONGEST_MESSAGE))
            self._rings = Rings(self._program.maps["events"], cpus("online"), settings.ring_bytes, wakeup)
            self._rings.clock(self._program.flush, settings.flush_hz)
        except OSError as error:
            self._program.close()
            raise TapError(f"the eBPF tap cannot start: {said(error)}") from error
        except ValueError as error:
            self._program.close()
            raise TapError(str(error)) from error
        self._ticks = bytearray(8 * self.streams)
        self._ticked: tuple[int, ...] = ()
        self._online = cpus("online")
        self._checked = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        self._complete = self._checked - SLACK
        self._keep_reachable()

    @property
    def program(self) -> int:
        """File descriptor of the tc program."""
        return self._program.tap

    def _configure(self) -> None:
        s = self._settings
        mode = 1 if s.ports else 2 if s.exclude_ports else 0
        settings = s.key + struct.pack("=QIIII", s.sender, s.shards, s.decap, s.cutoff, mode)
        if len(settings) != SETTINGS_SIZE or len(s.key) != 64:
            raise TapError(f"key of {len(s.key)} bytes, expected 64")
        size = len(self._value) // self.streams
        one = bytearray(size)
        one[:8] = struct.pack("=II", STATE_VERSION, s.shards)
        one[SETTINGS_OFFSET : SETTINGS_OFFSET + SETTINGS_SIZE] = settings
        _bpf.map_update(self._program.maps["flowtap_state"], bytes(4), bytes(one) * self.streams)
        if mode:
            _bpf.map_update(self._program.maps["ports"], bytes(4), port_set(s.ports or s.exclude_ports))

    def _keep_reachable(self) -> None:
        """Pin the counters; what a predecessor left in the directory goes once its successor is in place."""
        if self._pins is None:
            return
        number = _bpf.program_info(self._program.tap)[0]
        self._pin = predecessor.pin(self._pins, number, self._program.maps["flowtap_state"])

    def hold(self, program: int) -> None:
        """Take note of a program (id) whose filters are about to be removed: its counters go into `left`."""
        if program not in self._predecessors:
            found = predecessor.find(program, self._pins)
            if found is not None:
                self._predecessors[program] = found

    @property
    def left(self) -> Mapping[int, StreamCounters]:
        """Final counters, by CPU, of the killed predecessors whose filters were replaced so far."""
        return predecessor.left(self._predecessors.values())

    def add(self, interface: Interface) -> None:
        """Tap an interface; again after it came back. Raises TapError."""
        number = struct.pack("=I", interface.index)
        try:
            _bpf.map_update(self._program.maps["interfaces"], number, struct.pack("=I", 1))
        except OSError as error:
            raise TapError(f"{interface.name}: {said(error)}") from error
        self._tapped[interface.index] = interface
        try:
            classids = classid(interface, egress=False), classid(interface, egress=True)
            self._attacher.attach(interface, self.program, classids, self.hold)
        except TapError:
            self._forget(interface.index)
            raise

    def remove(self, interface: Interface) -> None:
        """Stop tapping an interface, which may be gone already."""
        if interface.index in self._tapped:
            self._attacher.detach(interface)
            self._forget(interface.index)

    def _forget(self, index: int) -> None:
        self._tapped.pop(index, None)
        if index not in self._elsewhere:
            self._unmark(index)

    def _unmark(self, index: int) -> None:
        try:
            _bpf.map_delete(self._program.maps["interfaces"], struct.pack("=I", index))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    def elsewhere(self, interfaces: Collection[int]) -> None:
        """Take note of interfaces, by index, whose incoming packets are counted without this process's filter on them.

        These are the ones that other processes tap, and those that lie upon a tapped one (VLAN, bridge, bond): packets
        that came in there and leave by a tapped interface are not counted again. Raises TapError for more than 16,000.
        """
        new = set(interfaces)
        for index in self._elsewhere - new - self._tapped.keys():
            self._unmark(index)
        try:
            for index in new - self._elsewhere:
                _bpf.map_update(self._program.maps["interfaces"], struct.pack("=I", index), struct.pack("=I", 1))
        except OSError as error:
            raise TapError(f"{len(new)} interfaces are tapped elsewhere: {said(error)}") from error
        self._elsewhere = new

    def poll(self, timeout_ms: int) -> int:
        """Hand over what waits, after waiting for it at most `timeout_ms` or 10 ms; return the watermark."""
        self._rings.wait(min(timeout_ms, LONGEST_WAIT))
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        if now - self._checked >= PERIODS * 1_000_000_000 // self._settings.flush_hz:
            self._flush_where_the_clock_stands()
            self._complete = self._checked - SLACK
            self._checked = now
        self._rings.drain(self._forward)
        return self._complete

    def _flush_where_the_clock_stands(self) -> None:
        """See to it that each CPU has flushed its batches since this was called before."""
        _bpf.map_lookup(self._program.maps["ticks"], bytes(4), self._ticks)
        ticks = struct.unpack(f"={self.streams}Q", self._ticks)
        if self._ticked:
            for cpu in self._online:
                if ticks[cpu] == self._ticked[cpu]:
                    self._nudge(cpu)
        self._ticked = ticks

    def _nudge(self, cpu: int) -> None:
        """Flush a CPU's batches from another CPU: on its own a packet could come in between."""
        with suppress(OSError):  # the CPU went offline: nothing comes from there
            if _bpf.present_cpu() != cpu:
                _bpf.run_on(self._program.nudge, cpu)
                return
            allowed = os.sched_getaffinity(0)
            try:
                with suppress(OSError):  # there is no other one that this process may use
                    os.sched_setaffinity(0, {other for other in self._online if other != cpu})
                _bpf.run_on(self._program.nudge, cpu)
            finally:
                os.sched_setaffinity(0, allowed)

    @property
    def damaged(self) -> int:
        """Samples in the rings that were no message: 0, unless the kernel is broken."""
        return self._rings.damaged

    def counters(self) -> list[StreamCounters]:
        """Return all counters so far, by CPU."""
        if self._final is not None:
            return self._final
        _bpf.map_lookup(self._program.maps["flowtap_state"], bytes(4), self._value)
        size = len(self._value) // self.streams
        return [state_counters(self._value[cpu * size : (cpu + 1) * size]) for cpu in range(self.streams)]

    def capabilities(self) -> frozenset[str]:
        """Return what it needs from now on: filters come and go, and before Linux 5.19 any use of a map needs more."""
        release = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
        return frozenset(("cap_net_admin",) if release >= (5, 19) else ("cap_net_admin", "cap_bpf"))

    def close(self) -> None:
        """Detach from all interfaces and hand over what waits; may be called again."""
        if self._closed:
            return
        self._closed = True
        for interface in list(self._tapped.values()):
            self.remove(interface)
        for cpu in self._online:
            self._nudge(cpu)
        self._rings.drain(self._forward)
        self._rings.close()
        for found in self._predecessors.values():
            found.close()
        if self._pin is not None:
            self._pin.unlink(missing_ok=True)
            with suppress(OSError):  # what a killed process named stays until its successor has taken it over
                self._pin.parent.rmdir()
        self._final = self.counters()
        self._program.close()


def said(error: OSError) -> str:
    """Say what an error of the kernel means here."""
    if error.errno == errno.EPERM:
        return "not permitted: cap_bpf, cap_net_admin and cap_perfmon are needed, and LimitMEMLOCK for the rings"
    return os.strerror(error.errno or 0)
