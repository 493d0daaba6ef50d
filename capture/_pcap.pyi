# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks pcap files: both byte orders, micro- and nanoseconds, Kuznetzov's longer packet headers."""

from typing import final

from capture._walk import Walker

MAGICS: tuple[bytes, ...]  # 4 bytes each

@final
class PcapWalker(Walker):
    """Begins at the file header."""
