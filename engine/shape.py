# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shapes as text: packets or turns to tokens of the signature language."""

from collections.abc import Iterable

_PACKETS = ("c", "s")
_TURNS = ("C", "S")
_HOLE = 2


def text(
    items: Iterable[tuple[int, int, int]], threshold: int, begin: bool = False, end: bool = False, turns: bool = False
) -> str:
    """Write (kind, size, think code) items, kind 0 client, 1 server, 2 some that are missing, as `< c48 + s20 ... >`.

    Think codes from `threshold` on are a pause.
    """
    letters = _TURNS if turns else _PACKETS
    words = ["<"] if begin else []
    for kind, size, code in items:
        if kind == _HOLE:
            words.append("...")
            continue
        if code >= threshold:
            words.append("+")
        words.append(f"{letters[kind]}{size}")
    if end:
        words.append(">")
    return " ".join(words)
