# SPDX-License-Identifier: LGPL-2.1-or-later
"""Batches of records, and the packet parser that fills them."""

from typing import final

from typing_extensions import Buffer

RECORD_TEXT: str  # of bpf/record.h: "name<TAB>numpy code<TAB>elements<TAB>meaning" lines
TAG_TEXT: str
VERDICT_TEXT: str  # "NAME<TAB>meaning" lines
RECORD_SIZE: int  # bytes
TAG_SIZE: int
KEY_SIZE: int
VERDICTS: tuple[str, ...]  # in lower case, by number

@final
class Aligned:
    """Zeroed memory that begins at a cache line; exposes the buffer protocol as writable bytes, shape (size,)."""

    def __init__(self, size: int) -> None: ...
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Batch:
    """Room for `capacity` records (1 to 2**24) and the tags beside them; len() is the number of records in it.

    With `handshakes`, the SYNs and SYN+ACKs among them have a handshake record too: the first `handshake_count` of
    `handshakes`, in the order of their records. Those of which a capture holds less than the TCP header have none;
    they are counted in `handshakes_cut`, from the batch's beginning on.
    """

    def __init__(self, capacity: int = 1024, *, handshakes: bool = False) -> None: ...
    capacity: int
    count: int
    records: Aligned  # capacity * RECORD_SIZE bytes
    tags: Aligned  # capacity * TAG_SIZE bytes
    handshakes: Aligned | None  # capacity * HANDSHAKE_SIZE bytes
    handshake_count: int
    handshakes_cut: int
    def clear(self) -> None: ...
    def __len__(self) -> int: ...

@final
class Parser:
    """The packet parser with its key (KEY_SIZE bytes), its interfaces, its filter and its counters."""

    def __init__(self, key: Buffer, *, decap: bool = False, expression: str | None = None) -> None: ...
    interfaces: list[str]
    def add_interface(self, link: int, name: str) -> int:
        """Add an interface of a link type (number as in files) and return its number.

        Raises FilterError when the filter does not suit the link type.
        """

    def parse(self, data: Buffer, batch: Batch, iface: int = 0, wire: int | None = None, ts: int = 0) -> str:
        """Parse one packet into the batch; return the verdict's name or "filtered".

        `wire` is its length on the wire (default: as captured), `ts` its time in nanoseconds. Raises ValueError when
        the batch is full or there is no such interface.
        """

    def counters(self) -> dict[str, int]:
        """Return packets, bytes (on the wire), filtered, and each verdict."""

    def other_links(self) -> dict[str, int]:
        """Return the packets whose link type is not read, by libpcap's name of the link type."""

    @property
    def first_ns(self) -> int | None: ...
    @property
    def last_ns(self) -> int | None: ...

def parse_packet(
    data: Buffer, *, link: int = 1, wire: int | None = None, decap: bool = False, key: bytes = ..., ts: int = 0
) -> tuple[str, bytes, bytes]:
    """Parse one packet by itself; return the verdict's name, the record's and the tag's bytes (b"" without one)."""
