# SPDX-License-Identifier: LGPL-2.1-or-later
"""Protocol and server port to the set of signatures that apply: few sets, and a table from port to set."""

from __future__ import annotations

from array import array
from itertools import pairwise

from sigdb.nodes import PROTOCOLS, Signature

MAX_CLASSES = 65_536
MAX_MEMBERS = 1 << 25  # of all classes together: 128 MiB


def classes(signatures: list[Signature]) -> tuple[array[int], array[int], array[int]]:
    """Return port_class, class_start and class_signatures as sigdb.program.Program has them.

    Raises OverflowError, whose text is the limit, when there are too many different sets or members of sets.
    """
    numbers: dict[tuple[int, ...], int] = {}
    total = 0
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
            before = len(numbers)
            number = numbers.setdefault(tuple(sorted(members)), before)
            if number == before:
                total += len(members)
                if number >= MAX_CLASSES:
                    raise OverflowError(f"{MAX_CLASSES} different sets of signatures by port")
                if total > MAX_MEMBERS:
                    raise OverflowError(f"{MAX_MEMBERS} signatures in different sets by port")
            port_class.extend(array("H", [number]) * (after - port))
    class_start = array("I", [0])
    class_signatures = array("I")
    for key in numbers:
        class_signatures.extend(key)
        class_start.append(len(class_signatures))
    return port_class, class_start, class_signatures
