# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fingerprints of handshake records by p0f 3's rules, a million and more per second."""

from typing import final

from typing_extensions import Buffer

from engine.fingerprints import Fingerprint, Result
from sigdb.tcp_nodes import TcpDatabase

@final
class Fingerprinter:
    """Tells systems by their SYNs and SYN+ACKs.

    At most `signatures` distinct raw signatures are kept; when they are used up, all are forgotten and begun anew, so
    that a flood of made-up ones costs time, not memory. At most `pending` SYNs wait for their SYN+ACK, the oldest make
    room. Raises ValueError for other bounds than 1 to 2**24 and 4 to 2**26, MemoryError when they cannot be reserved.
    """

    database: TcpDatabase

    def __init__(self, database: TcpDatabase, *, signatures: int = 1 << 16, pending: int = 1 << 17) -> None: ...
    def process(self, handshakes: Buffer, results: Buffer, first: int = 0, count: int = -1) -> int:
        """Fingerprint handshake records (bpf/handshake_record.h, 128 bytes each) in order of time.

        Takes `count` of them (-1: all) from `first` on, writes a Result each to the begin of `results` (writable;
        engine.fingerprints.results reads them), and returns how many: fewer when `results` or the table of
        signatures is smaller. Raises ValueError when the bytes are no records or there are not so many.
        """

    def describe(self, result: Result) -> Fingerprint:
        """Return the fingerprint of a result of the last process(); the same object for the same number.

        Raises LookupError when it has been forgotten since.
        """

    def counters(self) -> dict[str, int]:
        """Return what was counted.

        handshakes, of these matched (a signature fits), repeated (sent again), unpaired (SYN+ACK whose SYN was not
        seen, or a minute before); signatures: distinct ones kept; forgotten: distinct ones that had to make room.
        """
