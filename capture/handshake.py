# SPDX-License-Identifier: LGPL-2.1-or-later
"""Handshake records for Python, one by one, without numpy; derived from the list of fields in the header."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING, Any

from capture._message import HANDSHAKE_SIZE, HANDSHAKE_TEXT

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CODES = {"u8": "Q", "u4": "I", "u2": "H", "u1": "B"}
_FIELDS = [line.split("\t") for line in HANDSHAKE_TEXT.splitlines()]
_STRUCT = Struct("=" + "".join(_CODES[code] if n == "1" else f"{n}s" for _, code, n, _ in _FIELDS))
if _STRUCT.size != HANDSHAKE_SIZE:
    raise ImportError(f"the fields of a handshake record make {_STRUCT.size} bytes, its struct has {HANDSHAKE_SIZE}")

# The fields of bpf/handshake_record.h, by their names; addresses and options as bytes.
Handshake = namedtuple("Handshake", [name for name, *_ in _FIELDS])  # type: ignore[misc]


def handshakes(buffer: Buffer, count: int) -> Iterator[Any]:
    """Yield the first `count` handshake records of a buffer as Handshake tuples."""
    with memoryview(buffer) as view, view.cast("B")[: count * HANDSHAKE_SIZE] as part:
        yield from map(Handshake._make, _STRUCT.iter_unpack(part))
