# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pcap filter expressions (pcap-filter(7)), compiled by libpcap for one link type each."""

from typing import final

@final
class Filter:
    """The expression as a program for packets of the link type (number as in files). Raises FilterError."""

    def __init__(self, expression: str, link: int) -> None: ...
    def instructions(self) -> bytes:
        """Return the program as the kernel takes it: 8 bytes for each instruction (struct sock_filter)."""

def check_filter(expression: str) -> None:
    """Raise FilterError when the expression is wrong for every kind of link; some primitives suit only one."""

def link_name(link: int) -> str:
    """Name a link type as libpcap does, with its number, as `IEEE802_11_RADIO (127)`."""
