# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads TPACKET_V3 rings: each packet in them becomes a record in its stream, or is counted."""

from typing_extensions import Buffer

from capture._stream import Stream

class Ring:
    """The mapped ring of a packet socket, and whose packets these are."""

    stream: Stream
    packets: int  # taken out of it

    def __init__(
        self, descriptor: int, block_size: int, blocks: int, stream: Stream, *, interface: int, ethernet: bool
    ) -> None:
        """Map the ring of the socket `descriptor`, which has PACKET_VNET_HDR set. Raises OSError."""

    def judge_outgoing(self, origins: bytes) -> None:
        """Do not count outgoing packets that were counted where they came in: capture.origins.Origins.table.

        Nothing: count them all. Raises ValueError.
        """

    def unmap(self) -> None:
        """Give the memory back; nothing comes out of the ring any more. May be called again."""

class Reader:
    """What all rings share: the settings, the tables of handshakes and of cut-offs."""

    def __init__(self, key: Buffer, ports: Buffer, mode: int, *, decap: bool, cutoff: int) -> None:
        """Take the settings as in struct ft_settings; `ports` is a struct ft_ports. Raises ValueError."""

    def drain(self, ring: Ring, limit: int) -> bool:
        """Take out up to `limit` blocks; return whether that was all there was."""
