# SPDX-License-Identifier: LGPL-2.1-or-later
"""The perf rings of a tap, one for each CPU, and the clock events that run its timer program."""

from typing import final

from capture.live import Forward

@final
class Rings:
    """Rings of `size` bytes each (a power of two, at least a page), entered into the perf event map `map_fd`.

    The reader is woken when `wakeup` messages wait. Raises OSError as the kernel says.
    """

    def __init__(self, map_fd: int, cpus: list[int], size: int, wakeup: int) -> None: ...
    def clock(self, program_fd: int, hertz: int) -> None:
        """Run a perf event program so often on each of the CPUs, also on idle ones."""

    def wait(self, timeout_ms: int) -> bool:
        """Wait until messages are announced; whether they were. A signal ends it early."""

    def drain(self, forward: Forward) -> int:
        """Hand over all messages that were there when each ring's turn came; return how many.

        Whatever `forward` raises comes through, and the message counts as taken.
        """

    damaged: int  # samples that are no message of this version, and so were left out
    def close(self) -> None: ...
