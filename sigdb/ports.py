# SPDX-License-Identifier: LGPL-2.1-or-later
"""Protocol and server port to the set of signatures that apply: few sets, and a table from port to set."""

from __future__ import annotations

from array import array
from itertools import pairwise

from sigdb.nodes import PROTOCOLS, Signature

MAX_CLASSES = 65_536


def classes(signatures: list[Signature]) -> tuple[array[int], array[int], array[int]]:
    """Return port_class, class_start and class_signatures as sigdb.program.Program has them.

    Raises OverflowError when there are more than MAX_CLASSES different sets.
    """
    numbers: dict[tuple[int, ...], int] = {}
    port_class = array("H")
    for protocol in PROTOCOLS:
        changes: dict[int, list[int]] = {0: []}
        for index, signature in enumerate(signatures):
            if signature.protocol not in (protocol, "*"):
                continue
            for low, high in signature.ports:
                changes.setdefault(low, []).append(index)
                if high < 65535:
                    changes.setdefault(high + 1, []).append(index)
        members: set[int] = set()
        borders = [*sorted(changes), 65536]
        for port, after in pairwise(borders):
            members.symmetric_difference_update(changes[port])
            number = numbers.setdefault(tuple(sorted(members)), len(numbers))
            if number >= MAX_CLASSES:
                raise OverflowError
            port_class.extend(array("H", [number]) * (after - port))
    class_start = array("I", [0])
    class_signatures = array("I")
    for key in numbers:
        class_signatures.extend(key)
        class_start.append(len(class_signatures))
    return port_class, class_start, class_signatures
