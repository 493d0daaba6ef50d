# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges a parsed signature: references that may be unbound, sizes that cannot occur, sequences that match nothing."""

from sigdb.errors import Mistake
from sigdb.nodes import UNBOUNDED, Alternatives, Element, Gap, Mark, Node, Repeat, Sequence, Signature

MAX_PACKET = 65_535


def check(signature: Signature) -> None:
    """Raise Mistake when the signature cannot mean anything, whatever the settings are."""
    _sizes(signature)
    if _nullable(signature.sequence):
        raise Mistake(
            signature.column, "the sequence can match without any packet; expected at least one element that must occur"
        )
    if any(element.reference for element in signature.elements):
        _binding(signature.sequence, frozenset())


def _sizes(signature: Signature) -> None:
    """Work out the sizes each element can have; the fuzzy rule is taken at its default, so that -F adds no errors."""
    smallest = 1 if signature.protocol == "tcp" else 0
    largest = UNBOUNDED if signature.turns else MAX_PACKET
    what = "turn" if signature.turns else "packet"
    highest: list[int] = []
    lowest: list[int] = []
    for element in signature.elements:
        low, high = element.low, element.high
        if element.reference:
            fuzzy = element.bare and not signature.exact
            low = lowest[element.reference - 1] + element.plus - element.tolerance
            high = highest[element.reference - 1] + element.plus + element.tolerance
            if fuzzy:
                low, high = low - default_fuzz(low), high + default_fuzz(high)
            if high < smallest:
                raise Mistake(
                    element.column,
                    f"the size referred to is always below {smallest}; expected a constant that leaves a size",
                )
            if low > largest:
                raise Mistake(
                    element.column, f"the size referred to is always above {largest}; expected a smaller constant"
                )
        if high < smallest:
            raise Mistake(element.column, f"a tcp {what} without payload is never seen; expected a size of at least 1")
        if low > largest:
            raise Mistake(element.column, f"no {what} is larger than {largest}; expected a smaller size")
        if element.bare and not signature.exact and not element.reference:
            low, high = low - default_fuzz(low), high + default_fuzz(high)
        lowest.append(max(low, smallest))
        highest.append(min(high, largest))


def default_fuzz(size: int) -> int:
    """Return the tolerance of a bare size under the default settings."""
    return max(2, size * 5 // 100)


def _nullable(node: Node | Sequence) -> bool:
    if isinstance(node, Sequence):
        return all(map(_nullable, node.items))
    if isinstance(node, Repeat):
        return node.low == 0 or _nullable(node.body)
    if isinstance(node, Alternatives):
        return any(map(_nullable, node.branches))
    return isinstance(node, Gap | Mark)


def _binding(node: Node | Sequence, bound: frozenset[int]) -> frozenset[int]:
    """Return the elements that have a size after `node` on every path, given those before it."""
    if isinstance(node, Element):
        if node.reference and node.reference not in bound:
            raise Mistake(
                node.column,
                f"element {node.number} refers to element {node.reference}, which some path leaves out; "
                "expected an element that always comes before it",
            )
        return bound | {node.number}
    if isinstance(node, Sequence):
        for item in node.items:
            bound = _binding(item, bound)
        return bound
    if isinstance(node, Alternatives):
        return frozenset.intersection(*[_binding(branch, bound) for branch in node.branches])
    if isinstance(node, Repeat):
        after = _binding(node.body, bound)
        return after if node.low else bound
    return bound
