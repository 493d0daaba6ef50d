# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker's sightings: handshake records and records in, sums of completed handshakes out.

Fingerprints are told only of handshakes that were completed (engine.handshakes), and what repeats is summed up before
it is sent, so that neither a flood nor a busy pair of hosts makes many messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from engine.events import address
from engine.fingerprint import Fingerprinter
from engine.fingerprints import RESULT_SIZE, Flag, Result, results
from engine.handshakes import ANSWERED, SPOKE, Ends, Handshakes
from engine.sightings import Side, Sighting, event_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from engine.host_rules import Networks
    from sigdb.tcp_nodes import TcpDatabase

GATHER_NS = 2_000_000_000  # sums are sent after so long
KEPT = 8192  # sums at a time; when there are as many, they are sent at once
# Of Handshakes; pages have them as hosts_*.
COUNTERS = ("begun", "completed", "unanswered", "evicted", "lost", "dropped")

_ROUND = 1024  # handshake records fingerprinted at once
_RECORD = 128  # bytes of a handshake record


class SightingsMaker:
    """Makes the `sighting` events of a worker.

    At most `pending` handshakes are on their way at a time. `home` says which peers are inside. `offset` returns what
    is to be added to the clock of the records to get the time since 1970, in ns.
    """

    def __init__(
        self, database: TcpDatabase, home: Networks, *, pending: int = 1 << 16, offset: Callable[[], int] = lambda: 0
    ) -> None:
        self._handshakes = Handshakes(pending)
        self._fingerprinter = Fingerprinter(database, pending=4 * _ROUND)
        self._age = 0
        self._results = bytearray(_ROUND * RESULT_SIZE)
        self._home = home
        self._offset = offset
        self._sums: dict[tuple[object, ...], dict[str, Any]] = {}  # fields of sightings
        self._next_ns = 0

    @property
    def database(self) -> TcpDatabase:
        """The fingerprints it goes by."""
        return self._fingerprinter.database

    def add(self, handshakes: Sequence[Buffer]) -> None:
        """Take handshake records, as Merge.handshakes() returns them."""
        for part in handshakes:
            self._handshakes.add(part)

    def see(self, records: Buffer, count: int) -> None:
        """Look at `count` records of Merge.records, after the handshake records that came with them."""
        self._handshakes.see(records, count)
        self._gather()

    def advance(self, now_ns: int) -> None:
        """Let time pass, on the clock of the records."""
        self._handshakes.advance(now_ns)
        self._gather()

    def finish(self) -> None:
        """Take note that nothing more will come."""
        self._handshakes.finish()
        self._gather()
        self._next_ns = 0

    def take(self, now_ns: int) -> list[dict[str, Any]]:
        """Return the events that are due; `now_ns` is any clock that only goes on."""
        if not self._sums or (now_ns < self._next_ns and len(self._sums) < KEPT):
            return []
        self._next_ns = now_ns + GATHER_NS
        sums, self._sums = self._sums, {}
        return [event_of(told) for told in sums.values()]

    def sightings(self) -> Iterator[Sighting]:
        """Yield what waits, as it is."""
        sums, self._sums = self._sums, {}
        for told in sums.values():
            yield Sighting(**told)

    def swap(self, database: TcpDatabase) -> None:
        """Go on with other fingerprints. Raises MemoryError; then nothing has changed."""
        self._fingerprinter = Fingerprinter(database, pending=4 * _ROUND)
        self._age += 1  # its numbers of raw signatures begin anew

    def counters(self) -> dict[str, int]:
        """Return the counters of COUNTERS, in handshakes; see engine.handshakes.Handshakes.counters."""
        return self._handshakes.counters()

    def _gather(self) -> None:
        """Fingerprint what was completed and add it to the sums."""
        done = self._handshakes.take()
        if not done.ends:
            return
        # They end in any order; what compares a host's handshakes with one another needs that of time.
        order = sorted(range(len(done.ends)), key=lambda number: done.ends[number].ts)
        pairs = memoryview(done.records)
        records = b"".join(pairs[2 * _RECORD * n : 2 * _RECORD * (n + 1)] for n in order)
        total, first = 2 * len(order), 0
        while first < total:
            count = self._fingerprinter.process(records, self._results, first, min(_ROUND, total - first))
            told = results(self._results, count)
            for number, result in enumerate(islice(told, count), first):
                self._one(done.ends[order[number // 2]], bool(number & 1), result)
            first += count

    def _one(self, ends: Ends, server: bool, result: Result) -> None:
        """Add one end of a handshake to the sums."""
        src, dst = (ends.server, ends.client) if server else (ends.client, ends.server)
        peer = address(dst)
        outside = peer not in self._home
        now = max(0, ends.ts + self._offset())
        # A capture is read faster than time passes: what lies further apart is told by itself there, too.
        key = (src, server, outside, self._age, result.number, ends.port, now // GATHER_NS)
        told = self._sums.get(key)
        if told is None:
            told = self._sums[key] = self._first(address(src), "server" if server else "client", result)
            told |= {"outside": outside, "port": ends.port, "first_ns": now}
        told["peer"] = peer
        told["count"] += 1
        told["answered"] += bool(ends.state & ANSWERED)
        told["spoke"] += bool(ends.state & SPOKE)
        told["first_ns"] = min(told["first_ns"], now)
        told["last_ns"] = max(told["last_ns"], now)
        told["distance"] = result.distance
        told["ip_id"] = ends.ids[server]
        told["ts"] = result.ts1 or -1

    def _first(self, address: str, side: Side, result: Result) -> dict[str, Any]:
        """Return the fields of a Sighting that are the same for all handshakes of a sum, and counts of 0."""
        said = self._fingerprinter.describe(result)
        return {
            "address": address,
            "side": side,
            "label": said.system or "",
            "family": said.name or "",
            "kind": said.role,
            "raw": said.raw,
            "bad_ttl": bool(result.flags & Flag.BAD_TTL),
            "fuzzy": said.fuzzy,
            "generic": said.generic,
            "mtu": said.mtu if said.mtu <= 0xFFFF else 0,
            "count": 0,
            "answered": 0,
            "spoke": 0,
            "last_ns": 0,
        }
