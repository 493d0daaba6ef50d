# SPDX-License-Identifier: LGPL-2.1-or-later
"""The counters of the eBPF program, of the own one or of one that a killed capture process left in its filters."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from capture import _bpf
from capture._message import STATE_VERSION, STREAM_COUNTERS, TAP_REASONS
from capture._packet import VERDICTS
from capture.live import StreamCounters

MAP = "flowtap_state"
FILTERED = (*VERDICTS, *TAP_REASONS)


def state_counters(state: bytes | bytearray) -> StreamCounters:
    """Return the counters in one CPU's struct flowtap_state."""
    _, shards = struct.unpack_from("=II", state)
    seen, *filtered = struct.unpack_from(f"={1 + len(FILTERED)}Q", state, 8)
    named = dict(zip(FILTERED, filtered, strict=True))
    del named["record"]
    width = len(STREAM_COUNTERS)
    words = struct.unpack_from(f"={shards * width}Q", state, len(state) - 8 * shards * width)
    streams = [dict(zip(STREAM_COUNTERS, words[i : i + width], strict=True)) for i in range(0, len(words), width)]
    # only the packets that met the tap at work may count while it works, so they are counted apart
    return StreamCounters(seen + named["busy"], named, streams)


@dataclass
class Predecessor:
    """The map of counters of another program, as long as it is wanted."""

    map: int
    pin: Path | None = None

    def counters(self) -> dict[int, StreamCounters]:
        """Return its counters by CPU, those records as lost that still lie in a batch; {} for another version."""
        _, _, size, _, _ = _bpf.map_info(self.map)
        size = (size + 7) // 8 * 8
        possible = Path("/sys/devices/system/cpu/possible").read_text().strip().rpartition("-")[2].rpartition(",")[2]
        value = bytearray(size * (int(possible) + 1))
        _bpf.map_lookup(self.map, bytes(4), value)
        if struct.unpack_from("=I", value)[0] != STATE_VERSION:
            return {}
        found = {cpu: state_counters(value[cpu * size : (cpu + 1) * size]) for cpu in range(int(possible) + 1)}
        for counters in found.values():
            for stream in counters.shards:
                stream["lost"] = stream["batched"] - stream["forwarded"]
                stream["handshakes_lost"] = stream["handshakes"] - stream["handshakes_forwarded"]
        return {cpu: counters for cpu, counters in found.items() if counters.seen}

    def close(self) -> None:
        """Give the map back, and its name."""
        if self.map >= 0:
            os.close(self.map)
            self.map = -1
        if self.pin is not None:
            self.pin.unlink(missing_ok=True)


def find(program: int, pins: Path | None) -> Predecessor | None:
    """Find the counters of a program by its id: directly, or by the name it left; None when neither can be had."""
    if pins is not None and (pins / str(program)).exists():
        with suppress(OSError):
            return Predecessor(_bpf.pinned(str(pins / str(program))), pins / str(program))
    with suppress(OSError):  # not permitted, or gone
        fd = _bpf.program_by_id(program)
        try:
            for number in _bpf.program_info(fd)[2]:
                found = _bpf.map_by_id(number)
                if _bpf.map_info(found)[4] == MAP:
                    return Predecessor(found)
                os.close(found)
        finally:
            os.close(fd)
    return None


def left(predecessors: Iterable[Predecessor]) -> dict[int, StreamCounters]:
    """Add up the counters of predecessors, by CPU."""
    total: dict[int, StreamCounters] = {}
    for one in predecessors:
        for cpu, counters in one.counters().items():
            if cpu not in total:
                total[cpu] = counters
                continue
            into = total[cpu]
            into.seen += counters.seen
            for name, count in counters.filtered.items():
                into.filtered[name] += count
            for shard, stream in enumerate(counters.shards):
                if shard == len(into.shards):
                    into.shards.append(dict.fromkeys(stream, 0))
                for name, count in stream.items():
                    into.shards[shard][name] += count
    return total


def pin(pins: Path, program: int, counters: int) -> Path | None:
    """Name the map of counters by the program's id in this directory, if it can be had; clear names without use."""
    path = pins / str(program)
    try:
        pins.mkdir(mode=0o700, parents=True, exist_ok=True)
        _bpf.pin(counters, str(path))
    except OSError:
        return None  # no BPF file system, or not ours: the successor needs CAP_SYS_ADMIN then
    return path
