# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parcels: several messages of bpf/batch.h for one shard, back to back, to leave as one."""

from array import array
from collections.abc import Callable
from typing import final

from typing_extensions import Buffer

PARCEL: int  # messages in one at most

@final
class Parcels:
    """What waits to leave for each shard; a parcel leaves by itself when it has PARCEL messages.

    `send` is called with a shard and the bytes of a parcel, which are its own only until it returns; it returns
    whether they are under way. `cells` are the 64-bit cells of a page. `words` are all watermark messages, one after
    the other: how far streams have come is noted there. `places` are numbers of cells, for each CPU and in it each
    shard: of records sent, records dropped, handshake records sent, handshake records dropped. Raises ValueError where
    these do not fit together, MemoryError.
    """

    handed: int  # messages taken by forward() so far

    def __init__(
        self,
        send: Callable[[int, memoryview], bool],
        cells: Buffer,
        words: Buffer,
        places: array[int],
        streams: int,
        shards: int,
    ) -> None: ...
    def forward(self, cpu: int, shard: int, kind: int, count: int, message: Buffer) -> None:
        """Take a message of records or handshake records; a capture.live.Forward. Raises ValueError for a wrong one."""

    def add(self, shard: int, message: Buffer, sent: int, dropped: int) -> None:
        """Take another message, which counts 1 in one of two cells. Raises ValueError for a wrong shard or cell."""

    def flush(self) -> None:
        """Let go what waits for company."""
