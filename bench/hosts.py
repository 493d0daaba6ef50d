# SPDX-License-Identifier: LGPL-2.1-or-later
"""The way from handshakes to the host table, without network: `python -m bench.hosts` prints JSON.

- worker: completed handshakes per second, from their records to sightings;
- collector: sightings per second, from messages of workers into the table and through the rules;
- memory: bytes of the table for each host, by the number of entries that a host has;
- flood: SYNs from made-up addresses, half of them answered, with one real handshake among so many. What is left of the
  real ones, and whether the flood comes into the table or pushes a host out of it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

import sigdb
from capture.record import HANDSHAKE, RECORD
from engine.host_rules import HOME, Networks, Policy
from engine.hosts import Hosts
from engine.hosts_watch import HostWatch
from engine.sightings import believed
from engine.sightings_maker import SightingsMaker

SYN, SYN_ACK, PSH_ACK, ACK = 2, 18, 24, 16
PENDING = 65_536  # places of handshakes under way, as in the settings
SIZE = 32_768  # hosts of the table
ROUND = 512  # connections given at once
FLOOD_NS = 5_000  # between two SYNs of the flood: 200,000 a second
WAVE = 8_192  # SYNs of the flood within a real handshake: a round trip of 41 ms
BEGIN_NS = 1_700_000_000_000_000_000
OPTIONS = {  # client's kind: options, window, TTL
    "linux": (bytes.fromhex("020405b40402080a0000000700000000 01030307".replace(" ", "")), 64240, 64),
    "windows": (bytes.fromhex("020405b40103030801010402"), 65535, 128),
}
Rows = npt.NDArray[Any]


def address(rows: Rows, numbers: npt.NDArray[np.int64]) -> None:
    """Write IPv4 addresses as they are mapped into IPv6."""
    rows["v"][:, 10:12] = 255
    rows["v"][:, 12:] = numbers.astype(">u4").view(np.uint8).reshape(-1, 4)


def mapped(numbers: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return IPv4 addresses as the 16 bytes of a record."""
    made = np.zeros(len(numbers), dtype=[("v", np.uint8, 16)])
    address(made, numbers)
    return made["v"]


class Connections:
    """Connections of random ends: handshake records, and the records of one payload from each side."""

    def __init__(
        self, count: int, clients: npt.NDArray[np.int64], seed: int, *, servers: int = 16, every_ns: int = 1_000
    ) -> None:
        rng = np.random.default_rng(seed)
        self.count = count
        client, server = mapped(clients), mapped(0xC6120000 + rng.integers(0, servers, count))
        common = {
            "hash": rng.integers(0, 1 << 32, count, dtype=np.uint64).astype(np.uint32),
            "sport": rng.integers(1024, 65_536, count),
            "isn": rng.integers(0, 1 << 31, (2, count)),
            "ts": BEGIN_NS + np.arange(count) * every_ns,
        }
        windows = rng.random(count) < 0.5
        self.handshakes = np.zeros((count, 2), HANDSHAKE)
        self.records = np.zeros((count, 2), RECORD)
        for side, (here, there) in enumerate(((client, server), (server, client))):
            for rows in (self.handshakes[:, side], self.records[:, side]):
                rows["src"], rows["dst"] = here.reshape(rows["src"].shape), there.reshape(rows["dst"].shape)
                rows["sport"], rows["dport"] = (common["sport"], 443) if side == 0 else (443, common["sport"])
                rows["hash"], rows["ts"] = common["hash"], common["ts"] + side
            first, last = self.handshakes[:, side], self.records[:, side]
            first["seq"], first["ack"] = common["isn"][side], (common["isn"][0] + 1) * side
            first["tcpflags"], first["version"], first["fragment"] = (SYN, SYN_ACK)[side], 4, 0x4000
            first["id"] = rng.integers(1, 65_536, count)
            for choice, (options, window, ttl) in zip((~windows, windows), OPTIONS.values(), strict=True):
                first["window"][choice], first["ttl"][choice] = window, ttl
                first["options_len"][choice] = len(options)
                first["tcp_offset"][choice] = (20 + len(options)) // 4 << 4
                first["options"][choice, : len(options)] = np.frombuffer(options, np.uint8)
            last["seq"], last["ack"] = common["isn"][side] + 1, (common["isn"][1 - side] + 1) & 0xFFFF
            last["tcpflags"], last["proto"], last["len"] = PSH_ACK, 6, 100

    def parts(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield handshake records and records of ROUND connections, and how many records that are."""
        for begin in range(0, self.count, ROUND):
            some = slice(begin, begin + ROUND)
            yield self.handshakes[some].tobytes(), self.records[some].tobytes(), 2 * len(self.records[some])


def hosts_of(count: int, hosts: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the addresses of `count` clients, of `hosts` in 10.0.0.0/8, each at least once if there are enough."""
    made = np.arange(count) % hosts
    np.random.default_rng(seed).shuffle(made)
    return 0x0A000000 + made


def maker(database: sigdb.TcpDatabase) -> SightingsMaker:
    """Return what a worker has."""
    return SightingsMaker(database, Networks(HOME), pending=PENDING)


def watch(size: int = SIZE) -> HostWatch:
    """Return what the collector has."""
    return HostWatch(Hosts(size, 86_400), Policy(Networks(HOME)))


def worker(database: sigdb.TcpDatabase, connections: Connections, rounds: int) -> tuple[float, list[dict[str, Any]]]:
    """Return completed handshakes per second, the best of some rounds, and the events of the last one."""
    best, events = 0.0, []
    for _ in range(rounds):
        made, events = maker(database), []
        parts = list(connections.parts())
        begin = time.perf_counter()
        for number, (handshakes, records, count) in enumerate(parts):
            made.add([handshakes])
            made.see(records, count)
            if number % 64 == 63:  # two seconds of a worker have more
                events += made.take(number * 1_000_000_000)
        made.finish()
        events += made.take(1 << 62)
        best = max(best, connections.count / (time.perf_counter() - begin))
        assert made.counters()["completed"] == connections.count, made.counters()
    return best, events


def collector(events: list[dict[str, Any]], rounds: int) -> dict[str, Any]:
    """Return sightings per second into the table, the best of some rounds, and what was published of them."""
    best, published, table = 0.0, 0, watch()
    for _ in range(rounds):
        table, published = watch(), 0
        begin = time.perf_counter()
        for event in events:
            published += len(table.see(event) or ())
        best = max(best, len(events) / (time.perf_counter() - begin))
    return {"sightings": len(events), "per_second": best, "hosts": len(table.hosts), "events": published}


def memory(events: list[dict[str, Any]], hosts: int, entries: int) -> dict[str, Any]:
    """Return the bytes that a host with so many entries takes."""
    sighting = believed(events[0])
    assert sighting is not None
    gc.collect()
    tracemalloc.start()
    table = watch(hosts)
    for number in range(hosts):
        for port in range(entries):
            told = sighting.event()
            told["sighting"] |= {"address": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "port": port + 1}
            table.see(told)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(table.hosts) == hosts
    return {"hosts": hosts, "entries": entries, "bytes_per_host": taken / hosts}


def flood(database: sigdb.TcpDatabase, syns: int, each: int) -> dict[str, Any]:
    """Send a flood through a worker and a collector whose table is full, with a real handshake for `each` SYNs."""
    rng = np.random.default_rng(5)
    false = Connections(syns, rng.integers(0x01000000, 0xDFFFFFFF, syns), 6, every_ns=FLOOD_NS)
    answered = rng.random(syns) < 0.5
    real_count = syns // each
    real = Connections(real_count, hosts_of(real_count, min(SIZE // 2, real_count), 7), 8, every_ns=each * FLOOD_NS)
    table = watch(min(SIZE // 2, real_count) + 16)  # as many places as there are real hosts: none to spare
    made = maker(database)
    begun = 0
    spent = 0.0
    for start in range(0, syns, WAVE):
        some = false.handshakes[start : start + WAVE]
        wave = [some[:, 0].tobytes(), some[answered[start : start + WAVE], 1].tobytes()]
        now = slice(begun, min(real_count, (start + WAVE) // each))
        begun = now.stop
        first, rest = real.handshakes[now], real.records[now].tobytes()
        parts = [first[:, 0].tobytes(), *wave, first[:, 1].tobytes()]
        begin = time.perf_counter()
        made.add(parts)
        made.see(rest, len(rest) // RECORD.itemsize)
        for event in made.take(start * 1_000_000):
            table.see(event)
        spent += time.perf_counter() - begin
    made.finish()
    for event in made.take(1 << 62):
        table.see(event)
    counters = made.counters()
    home = sum(host.address.startswith("10.") for host in table.hosts)
    return {
        "syns": syns,
        "answered": int(answered.sum()),
        "syns_per_second": syns / spent,
        "real": real_count,
        "real_completed": counters["completed"],
        "evicted": counters["evicted"],
        "lost": counters["lost"],
        "hosts_of_the_flood_in_the_table": len(table.hosts) - home - len({str(s) for s in servers(table)}),
        "hosts_evicted": table.hosts.evicted,
    }


def servers(table: HostWatch) -> list[str]:
    """Return the addresses of the table that are the servers of Connections."""
    return [host.address for host in table.hosts if host.address.startswith("198.18.")]


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Read the command line, measure, and return the document."""
    parser = argparse.ArgumentParser(prog="python -m bench.hosts", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--connections", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    database = sigdb.load_tcp(sigdb.shipped_tcp())
    document: dict[str, Any] = {"cores": os.cpu_count(), "connections": options.connections, "loads": []}
    events: list[dict[str, Any]] = []
    for hosts in (1_000, 30_000):
        connections = Connections(options.connections, hosts_of(options.connections, hosts, 1), 2)
        rate, events = worker(database, connections, options.rounds)
        load = {"hosts": hosts, "worker_handshakes_per_second": rate, "collector": collector(events, options.rounds)}
        document["loads"].append(load)
    document["memory"] = [memory(events, 4096, entries) for entries in (1, 4, 8)]
    document["flood"] = flood(database, 5 * options.connections, 100)
    return document


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
