# SPDX-License-Identifier: LGPL-2.1-or-later
"""One stream of messages that userspace fills: the open batches of its shards, and its counters."""

from capture.live import Forward

class Stream:
    """A numbered stream: records go into the batches of their shards, full batches to `forward` (capture.live)."""

    number: int
    shards: int

    def __init__(self, number: int, sender: int, shards: int, forward: Forward) -> None:
        """Make an empty stream. Raises ValueError for a number of shards that is not 1 to FT_MAX_SHARDS."""

    def flush(self) -> None:
        """Hand over what waits in the batches."""

    @property
    def oldest(self) -> int | None:
        """Time of the oldest record that waits in a batch, CLOCK_MONOTONIC ns, or None."""

    @property
    def newest(self) -> int:
        """Time of the newest packet, CLOCK_MONOTONIC ns, 0 before the first."""

    def count_ring_full(self, packets: int) -> None:
        """Count packets that the kernel dropped in front of this stream as seen and as filtered."""

    def counters(self) -> tuple[int, dict[str, int], list[dict[str, int]]]:
        """Return seen, filtered by reason, and for each shard FT_STREAM_* by name."""
