# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine: a batch of records in, ended flows and news of open ones out."""

from typing import final

from typing_extensions import Buffer

from engine.results import Flow, Limits
from sigdb.program import Program

@final
class Engine:
    """Flows, their shapes and their matches, from records. One thread; it never blocks.

    With `report_all` every ended flow is reported with its shape, else those with hits, without. `early`: there is
    news(), which must be called whenever take() is. `live`: swap() may come. Raises ValueError for limits that make no
    sense, MemoryError when they cannot be reserved.
    """

    program: Program
    limits: Limits

    def __init__(
        self,
        program: Program,
        limits: Limits | None = None,
        *,
        report_all: bool = False,
        early: bool = False,
        live: bool = False,
    ) -> None: ...
    def process(self, records: Buffer, tags: Buffer, start: int, count: int) -> int:
        """Take `count` records (64 bytes each, bpf/record.h) and their tags (8 bytes) from number `start` on.

        Returns how many were taken. Fewer than `count`: ended flows or news wait to be reported; call news() and take()
        and go on from there. Raises ValueError when the buffers are too short.
        """

    def advance(self, now_ns: int, slots: int = 0) -> bool:
        """Let time pass though no records come: end flows that are idle, release segments that waited in vain.

        `now_ns`: nothing older will come, on the clock of the records. Looks at `slots` places of the table (0: a
        sixteenth, so that ten calls a second end all idle flows within two). False: call news() and take(), and again.
        """

    def lost(self, from_ns: int, to_ns: int) -> None:
        """Take note that records of this time were lost: flows that lived then are reported with a gap.

        A flow whose end was silence may have lived until its idle time was over; one whose beginning was not seen, a
        second before its first record.
        """

    def swap(self, program: Program) -> None:
        """Go on with other signatures; flows stay, and find what they match so far from their history.

        Hits stay with signatures of the same id, and what was published of them; those of other signatures are gone.
        The first hit of a signature whose text has changed has no shape to show any more. Flows that take() or news()
        has returned number their hits by the program before: publish them first. An equal program changes nothing at
        all. Raises ValueError for a program that cannot be used, or turns for an engine that is not `live`, and
        MemoryError; the old program stays then.
        """

    def finish(self) -> bool:
        """End all flows when there is nothing more to read; False: call take() and finish again."""

    def take(self) -> list[Flow]:
        """Return the flows that have ended, where-conditions applied, and free what they kept."""

    def news(self) -> list[Flow]:
        """Return the open flows with signatures that they have hit for the first time since the last call.

        With these hits alone, each with the count 1: what else there is to tell is told when the flow ends. No hits
        with a where-condition: it holds at the end or not. A flow that has ended meanwhile is no news; take() has it.
        The reason is OPEN, the shape empty.
        """

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
