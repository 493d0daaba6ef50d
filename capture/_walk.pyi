# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a walker of a capture format is: it goes from packet to packet through whatever bytes are at hand."""

from enum import IntEnum

from typing_extensions import Buffer

from capture._packet import Batch, Parser

class Status(IntEnum):
    """Why a walker stopped."""

    FULL = ...  # the batch
    MORE = ...  # bytes are needed
    DAMAGED = ...  # nothing more can be read

class Walker:
    """The shared part; see PcapWalker and PcapngWalker."""

    def __init__(self, parser: Parser) -> None: ...
    parser: Parser
    position: int  # bytes of the buffer before it are done
    need: int  # bytes wanted from position on (MORE)
    what: str  # what stands there (MORE)
    damage: str | None  # what is wrong there (DAMAGED)

    def walk(self, buffer: Buffer, start: int, stop: int, batch: Batch) -> int:
        """Take packets from buffer[start:stop] until something stops it; return a Status.

        The batch is not cleared. Raises ValueError when start:stop is not inside the buffer, FilterError when the
        filter does not suit an interface.
        """
