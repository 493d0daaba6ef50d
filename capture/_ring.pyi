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

    def unmap(self) -> None:
        """Give the memory back; nothing comes out of the ring any more. May be called again."""

class Reader:
    """What all rings share: the settings, the tables of handshakes and of cut-offs, this host's addresses."""

    def __init__(self, key: Buffer, ports: Buffer, mode: int, *, decap: bool, cutoff: int) -> None:
        """Take the settings as in struct ft_settings; `ports` is a struct ft_ports. Raises ValueError."""

    def judge_outgoing(self, judge: bool, addresses: bytes) -> None:
        """Count outgoing packets only when they come from these addresses, 16 bytes each and in order, or all."""

    def drain(self, ring: Ring, limit: int) -> bool:
        """Take out up to `limit` blocks; return whether that was all there was."""
