# SPDX-License-Identifier: LGPL-2.1-or-later
"""Handshakes on their way to completion: handshake records and records in, completed handshakes out."""

from typing import NamedTuple, final

from typing_extensions import Buffer

ANSWERED: int  # state bit: the server sent payload
SPOKE: int  # state bit: the client sent payload

class Ends(NamedTuple):
    """One handshake's ends."""

    ts: int  # of the SYN, ns
    client: bytes  # 16 bytes each
    server: bytes
    port: int  # the server's
    ids: tuple[int, int]  # IPv4 identification of SYN and SYN+ACK; -1: IPv6
    state: int  # bits ANSWERED and SPOKE

class Completed(NamedTuple):
    """Handshakes that were completed."""

    records: bytes  # of each one the SYN's handshake record and the SYN+ACK's, 128 bytes each
    ends: list[Ends]

@final
class Handshakes:
    """A table of up to `size` handshakes (about 300 bytes each; rounded up to a power of two).

    A handshake is complete when its client acknowledges the server's sequence number, which only a host that got the
    SYN+ACK knows, or when the server sends payload. So a flood of SYNs from made-up addresses completes none. A
    completed handshake is handed out when both sides have sent payload, when the connection ends, or `linger` seconds
    after its SYN; one that is not completed within `wait` seconds is forgotten, sooner when its place is needed:
    of those not completed the oldest goes first. Of a packet that is seen twice (two interfaces, a
    retransmission) the first counts. Raises MemoryError, and ValueError for a size that makes no sense.
    """

    def __init__(self, size: int, *, wait: float = 30.0, linger: float = 10.0) -> None: ...
    def add(self, records: Buffer) -> None:
        """Take handshake records, 128 bytes each, as Merge.handshakes() returns them. Raises ValueError for a part."""

    def see(self, records: Buffer, count: int) -> None:
        """Look at `count` records of Merge.records for what completes handshakes."""

    def advance(self, now_ns: int) -> None:
        """Let time pass, on the clock of the records; looks at a sixteenth of the table."""

    def finish(self) -> None:
        """Hand out what is completed, forget the rest: nothing more will come."""

    def take(self) -> Completed:
        """Return what was completed since the last call. 8,192 wait at most; further ones are `dropped`."""

    def counters(self) -> dict[str, int]:
        """Return what was counted, in handshakes.

        begun: SYNs; completed; unanswered: not completed in time; evicted: forgotten because the place was needed;
        lost: of the evicted ones, those that were completed afterwards (as far as that is remembered: of as many as the
        table has places); dropped: completed, and not taken in time. begun = completed + unanswered + evicted + those
        under way; completed counts dropped ones too.
        """
