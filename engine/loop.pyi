# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine: a batch of records in, ended flows out."""

from typing import final

from typing_extensions import Buffer

from engine.results import Flow, Limits
from sigdb.program import Program

@final
class Engine:
    """Flows, their shapes and their matches, from records. One thread; it never blocks.

    With `report_all` every ended flow is reported with its shape, else those with hits, without. Raises ValueError for
    limits that make no sense, MemoryError when they cannot be reserved.
    """

    program: Program
    limits: Limits

    def __init__(self, program: Program, limits: Limits | None = None, *, report_all: bool = False) -> None: ...
    def process(self, records: Buffer, tags: Buffer, start: int, count: int) -> int:
        """Take `count` records (64 bytes each, bpf/record.h) and their tags (8 bytes) from number `start` on.

        Returns how many were taken. Fewer than `count`: ended flows wait to be reported; call take() and go on from
        there. Raises ValueError when the buffers are too short.
        """

    def finish(self) -> bool:
        """End all flows when there is nothing more to read; False: call take() and finish again."""

    def take(self) -> list[Flow]:
        """Return the flows that have ended, where-conditions applied, and free what they kept."""

    @property
    def waiting(self) -> int:
        """How many ended flows wait for take()."""

    def reset(self) -> None:
        """Forget all flows; not the counters, and not what the automata have learned."""

    def counters(self) -> dict[str, int]:
        """Return every counter of engine/counters.pxd by its name in lower case."""

    def memory(self) -> dict[str, int]:
        """Return flows in the table, bytes per flow, bytes of the index, states of the two automata."""

def encode_think(microseconds: int) -> int:
    """Return the think code of a time, as the engine gives it."""
