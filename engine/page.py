# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the processes of the engine need of a ledger page; flowtap.ledger.Page is one."""

from typing import Protocol


class Counters(Protocol):
    """Counters by name, which others read at any time and which outlive the process."""

    def add(self, name: str, by: int = 1) -> None:
        """Count more of `name`."""

    def set(self, name: str, value: int) -> None:
        """Set `name`."""

    def get(self, name: str) -> int:
        """Return `name`."""
