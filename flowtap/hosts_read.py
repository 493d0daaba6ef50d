# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host table of captures, for `flowtap hosts --read`: what worker and collector make together, in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from capture import Batch, CaptureError, open_capture
from capture._message import HANDSHAKE_SIZE
from capture._packet import RECORD_SIZE
from engine.hosts import Hosts
from engine.hosts_watch import HostWatch
from engine.sightings_maker import SightingsMaker
from flowtap.hosts_errors import AskError
from flowtap.query import chosen

if TYPE_CHECKING:
    from flowtap.settings import Settings
    from sigdb import TcpDatabase


def table(
    files: Sequence[str], fingerprints: TcpDatabase, settings: Settings, query: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the hosts that a query asks for, of all files together. Raises AskError after what could be read."""
    policy = settings.policy()
    watch = HostWatch(Hosts(settings.hosts.size, 1e9), policy, "none")
    wrong = None
    for path in files:
        maker = SightingsMaker(fingerprints, policy.home, pending=settings.hosts.pending)
        try:
            _read(path, maker, watch)
        except CaptureError as error:
            wrong = wrong or str(error)
        maker.finish()
        _tell(maker, watch)
    if query["query"] == "host":
        host = watch.hosts.get(query["address"])
        yield from [] if host is None else [watch.describe(host)]
    else:
        found = islice(chosen(list(watch.hosts), watch, query), query["limit"])
        yield from map(watch.describe, found)
    if wrong is not None:
        raise AskError(wrong)


def _read(path: str, maker: SightingsMaker, watch: HostWatch) -> None:
    batch = Batch(handshakes=True)
    assert batch.handshakes is not None
    with open_capture(path) as capture:
        while (count := capture.read(batch)) >= 0:
            handshakes = memoryview(batch.handshakes)[: batch.handshake_count * HANDSHAKE_SIZE]
            maker.add([handshakes])
            maker.see(batch.records, count)
            if count:
                last = memoryview(batch.records)[(count - 1) * RECORD_SIZE :][:8]
                maker.advance(int.from_bytes(last, "little"))
            _tell(maker, watch)


def _tell(maker: SightingsMaker, watch: HostWatch) -> None:
    for sighting in maker.sightings():
        for _ in watch.take(sighting):
            pass
