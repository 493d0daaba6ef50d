# SPDX-License-Identifier: LGPL-2.1-or-later
"""The work of a survey: contacts on one side, the hosts' SYN+ACKs on the other, joined by address to results."""

from __future__ import annotations

import asyncio
import resource
import sys
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from capture import Batch
from capture.handshake import handshakes
from capture.handshake_socket import HandshakeSocket
from engine.events import address
from engine.fingerprint import Fingerprinter
from engine.fingerprints import RESULT_SIZE, Flag, results
from flowtap.survey_contact import Contact, contact_all
from flowtap.survey_list import Target

if TYPE_CHECKING:
    from engine.fingerprints import Fingerprint
    from flowtap.survey_journal import Journal
    from sigdb import TcpDatabase

_BATCH = 1024  # packets
_KEPT = 65_536  # SYN+ACKs whose contact has not ended yet: more than any concurrency needs
_LATE = 0.2  # seconds that the packet socket may be behind the connection
_SPARE = 64  # descriptors beside those of connections


class Survey:
    """A survey of one port, with a database of fingerprints. Raises HandshakeSocketError.

    To be used as a context manager, which closes the packet socket.
    """

    def __init__(self, port: int, database: TcpDatabase) -> None:
        self.port = port
        self.unseen = 0  # hosts that accepted a connection and whose SYN+ACK the socket did not show
        self._fingerprinter = Fingerprinter(database)
        self._seen: OrderedDict[str, Fingerprint] = OrderedDict()
        self._batch = Batch(_BATCH, handshakes=True)
        self._results = bytearray(_BATCH * RESULT_SIZE)
        self._socket = HandshakeSocket(port)

    def __enter__(self) -> Survey:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    async def contact(
        self,
        targets: Sequence[Target],
        journal: Journal,
        rate: float,
        concurrency: int,
        timeout: float,
        *,
        progress: bool,
    ) -> None:
        """Contact all `targets`; what came of each goes to the journal at once. Raises JournalError."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket.fileno(), self._take)
        contacts = contact_all(targets, self.port, rate=rate, concurrency=_possible(concurrency), timeout=timeout)
        shown = progress and sys.stderr.isatty()
        try:
            with tqdm(total=len(targets), unit=" hosts", disable=not shown, file=sys.stderr, leave=False) as bar:
                async for done in contacts:
                    result = await self._result(done)
                    journal.add(result)
                    journal.results.append(result)
                    bar.update()
        finally:
            await contacts.aclose()
            loop.remove_reader(self._socket.fileno())

    def _take(self) -> None:
        """Fingerprint the SYNs and SYN+ACKs that have arrived."""
        self._socket.read(self._batch)
        count, records = self._batch.handshake_count, self._batch.handshakes
        assert records is not None
        if self._fingerprinter.process(records, self._results, 0, count) != count:
            raise AssertionError("a fingerprinter takes a batch at once")
        for handshake, result in zip(handshakes(records, count), results(self._results, count), strict=True):
            if result.flags & Flag.RESPONSE:
                self._seen.setdefault(address(handshake.src), self._fingerprinter.describe(result))
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    async def _result(self, done: Contact) -> dict[str, Any]:
        """Return the journal's line for a contact."""
        result: dict[str, Any] = {"host": done.target.host, "outcome": done.outcome}
        if done.target.label:
            result["label"] = done.target.label
        if done.reason:
            result["reason"] = done.reason
        result |= {
            "address": done.address,
            "port": self.port,
            "seconds": round(done.seconds, 6),
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        found = await self._fingerprint(done)
        if found is not None:
            result |= {
                "raw": found.raw,
                "system": found.system,
                "class": found.role or None,
                "fuzzy": found.fuzzy,
                "generic": found.generic,
                "distance": found.distance,
            }
        return result

    async def _fingerprint(self, done: Contact) -> Fingerprint | None:
        """Return the host's fingerprint; None when it sent no SYN+ACK, or none that was seen."""
        if not done.address:
            return None
        name = str(ip_address(done.address.partition("%")[0]))
        if name not in self._seen and done.outcome == "open":
            await asyncio.sleep(0)
            if name not in self._seen:
                await asyncio.sleep(_LATE)
        found = self._seen.pop(name, None)
        self.unseen += found is None and done.outcome == "open"
        return found


def _possible(concurrency: int) -> int:
    """Return how many connections at a time the limit of descriptors allows, after raising it as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = concurrency + _SPARE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    allowed = max(1, wanted - _SPARE)
    if allowed < concurrency:
        text = f"{allowed} connections at a time: the limit of open files (ulimit -n) is {hard}"
        print(f"flowtap: {text}", file=sys.stderr)
    return allowed
