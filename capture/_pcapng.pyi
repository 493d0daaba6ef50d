# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks pcapng files: sections, interfaces, all three kinds of packet block."""

from typing import final

from capture._walk import Walker

MAGIC: bytes  # 4 bytes

@final
class PcapngWalker(Walker):
    """Begins at a section header block."""
