# SPDX-License-Identifier: LGPL-2.1-or-later
"""One worker process, ZeroMQ included: the records per second that it takes, and its CPU time for each.

A real `flowtap worker` gets the messages of one capture process with two CPUs: datagrams of 100 bytes, their flows in
random order. First as fast as it takes them, then at fixed rates. CPU time is that of all its threads, from then on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zmq

from capture._message import BATCH, KIND_RECORDS, KIND_WATERMARK, MESSAGE_SIZE, MESSAGE_TEXT, MESSAGE_VERSION
from capture.record import RECORD, TAG, dtype_of
from flowtap.ledger import LedgerError, read_page
from flowtap.runtime import Runtime

CPUS = 2
ROUND = 8  # messages of each CPU between two watermarks
BLOCKS = 64  # rounds that are prepared
PATIENCE = 20.0  # seconds for the worker to begin, and to take what is left

HEADER = dtype_of(MESSAGE_TEXT, MESSAGE_SIZE)
MESSAGE = np.dtype([("header", HEADER), ("tags", TAG, (BATCH,)), ("records", RECORD, (BATCH,))])


class Sender:
    """Sends like a capture process."""

    def __init__(self, socket: zmq.Socket[bytes], flows: int) -> None:
        self.sent = np.zeros(CPUS, np.uint64)
        self._socket = socket
        self._blocks = _messages(flows)
        self._mark = np.zeros(1, HEADER)
        self._mark["version"], self._mark["kind"], self._mark["count"] = MESSAGE_VERSION, KIND_WATERMARK, CPUS
        self._last = time.monotonic_ns()
        self._number = 0

    def round(self) -> int:
        """Send messages of all CPUs and a watermark, waiting for room; returns how many records."""
        block = self._blocks[self._number % BLOCKS]
        self._number += 1
        begin, end = self._last + 1, time.monotonic_ns()
        times = np.linspace(begin, max(begin, end), ROUND * BATCH).astype(np.uint64)
        block["records"]["ts"] = times.reshape(ROUND, 1, BATCH)
        block["header"]["ts"] = block["records"]["ts"][:, :, -1]
        block["header"]["first"] = self.sent + np.arange(ROUND, dtype=np.uint64)[:, None] * np.uint64(BATCH)
        for message in block.reshape(-1):
            self._socket.send(message.tobytes())
        self.sent += np.uint64(ROUND * BATCH)
        self._last = int(times[-1])
        self._mark["ts"] = self._last
        self._socket.send(self._mark.tobytes() + self.sent.tobytes())
        return CPUS * ROUND * BATCH


def _messages(flows: int) -> npt.NDArray[Any]:
    """Return messages of datagrams in random order of flows: [BLOCKS, ROUND, CPUS]."""
    rng = np.random.default_rng(1)
    messages = np.zeros((BLOCKS, ROUND, CPUS), MESSAGE)
    of = rng.integers(0, flows, (*messages.shape, BATCH))
    address = np.zeros((flows, 16), np.uint8)
    address[:, 10:12] = 255
    address[:, 12:] = (np.arange(flows, dtype=">u4") + 0x0A000000).astype(">u4").view(np.uint8).reshape(-1, 4)
    records = messages["records"]
    records["hash"] = rng.integers(0, 1 << 32, flows, dtype=np.uint32)[of]
    records["src"], records["dst"] = address[of], address[0]
    for name, value in {"sport": 40000, "dport": 5000, "len": 100, "proto": 17, "ttl": 64}.items():
        records[name] = value
    header = messages["header"]
    header["version"], header["kind"], header["count"] = MESSAGE_VERSION, KIND_RECORDS, BATCH
    header["cpu"] = np.arange(CPUS)
    return messages


def _cpu_seconds(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def _page(place: Runtime) -> dict[str, int]:
    try:
        return read_page(place.ledger / "worker-0.page")
    except LedgerError:
        return {}


def _wait(place: Runtime, **counters: int) -> None:
    """Wait until counters have come so far. Raises TimeoutError."""
    end = time.monotonic() + PATIENCE
    while any(_page(place).get(name, 0) < value for name, value in counters.items()):
        if time.monotonic() > end:
            raise TimeoutError(f"the worker did not come to {counters}: {_page(place)}")
        time.sleep(0.01)


def measure(place: Runtime, pid: int, sender: Sender, seconds: float, rate: float) -> dict[str, Any]:
    """Send for so long, at most `rate` records per second (0: no limit); return what it took."""
    before, cpu = _page(place), _cpu_seconds(pid)
    begin = time.monotonic()
    records = 0
    while (spent := time.monotonic() - begin) < seconds:
        records += sender.round()
        if rate and records / rate > spent:
            time.sleep(records / rate - spent)
    _wait(place, processed=int(sender.sent.sum()))
    after = _page(place)
    told = {name: after[name] - before.get(name, 0) for name in ("processed", "missed", "late", "forced")}
    return {
        "offered_per_second": rate or None,
        "records_per_second": round(records / spent),
        "cpu_ns_per_record": round((_cpu_seconds(pid) - cpu) / records * 1e9, 1),
        **told,
        "flows": after["flows_now"],
        "memory_bytes": after["memory_now"],
    }


def main() -> None:
    """Print a JSON object with a row for each number of flows and rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--flows", type=int, nargs="+", default=[10_000, 200_000])
    parser.add_argument("--empty", action="store_true", help="without signatures, to see what those that ship cost")
    parser.add_argument("--rates", type=float, nargs="+", default=[0, 1_500_000, 100_000], help="0: as fast as it goes")
    options = parser.parse_args()
    rows = []
    for flows in options.flows:
        with tempfile.TemporaryDirectory() as folder:
            place = Runtime(Path(folder) / "run")
            settings = Path(folder) / "flowtap.toml"
            settings.write_text(f'[runtime]\ndir = "{place.path}"\n[workers]\nflows = {max(flows * 5 // 4, 262_144)}\n')
            if options.empty:
                (none := Path(folder) / "none.fp").touch()
                settings.write_text(settings.read_text() + f'[signatures]\nfiles = ["{none}"]\n')
            command = [sys.executable, "-m", "flowtap", "worker", "0", "--config", str(settings)]
            context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
            with subprocess.Popen(command, stderr=subprocess.DEVNULL) as worker:
                try:
                    _wait(place, fingerprints_now=1)
                    socket = context.socket(zmq.PUSH)
                    socket.setsockopt(zmq.LINGER, 0)
                    socket.connect(place.shard(0))
                    sender = Sender(socket, flows)
                    measure(place, worker.pid, sender, 1.0, 0)  # all flows begin, the automata are built
                    for rate in options.rates:
                        rows.append({"of_flows": flows, **measure(place, worker.pid, sender, options.seconds, rate)})
                finally:
                    context.destroy(linger=0)
                    worker.terminate()
    print(json.dumps({"bench": "worker", "cpus": os.cpu_count(), "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
