# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges a parsed signature: references that may be unbound, sizes that cannot occur, sequences that match nothing."""

from sigdb.errors import Mistake, quote
from sigdb.nodes import UNBOUNDED, Alternatives, Element, End, Gap, Mark, Node, Repeat, Sequence, Signature, Size
from sigdb.sizes import Fuzz, Sizes
from sigdb.tokens import misplaced

MAX_PACKET = 65_535
DEFAULT_FUZZ: Fuzz = (2, 5)  # bytes, percent


def check(signature: Signature) -> None:
    """Raise Mistake when the signature cannot mean anything, whatever the settings are."""
    _sizes(signature)
    if _nullable(signature.sequence):
        raise Mistake(
            signature.column, "the sequence can match without any packet; expected at least one element that must occur"
        )
    if any(element.refers() for element in signature.elements):
        _binding(signature.sequence, frozenset(), signature.elements)


def _sizes(signature: Signature) -> None:
    """Judge the sizes each element can have; the fuzzy rule is taken at its default, so that -F adds no errors."""
    smallest = 1 if signature.protocol == "tcp" else 0
    largest = UNBOUNDED if signature.turns else MAX_PACKET
    what = "turn" if signature.turns else "packet"
    sizes = Sizes(signature, None if signature.exact else DEFAULT_FUZZ, smallest, largest)
    for element in signature.elements:
        for place, size in enumerate((*element.sizes, *element.excluded)):
            wrong = ""
            if size.reference:
                found = sizes.members[element.number, place]
                if all(high < smallest for _, high in found):
                    wrong = f"the size referred to is always below {smallest}; expected a constant that leaves a size"
                elif all(low > largest for low, _ in found):
                    wrong = f"the size referred to is always above {largest}; expected a smaller constant"
            elif size.high < smallest:
                wrong = f"a tcp {what} without payload is never seen; expected a size of at least 1"
            elif size.low > largest:
                wrong = f"no {what} is larger than {largest}; expected a smaller size"
            if wrong:
                offset = size.offset if size.offset > 1 else 0  # the only size stands for the element
                raise misplaced(wrong, element.column, element.origin, offset)
        if not sizes.ranges[element.number - 1]:
            raise misplaced(
                "all sizes of the element are excluded; expected one that is left", element.column, element.origin
            )


def _nullable(node: Node | Sequence) -> bool:
    if isinstance(node, Sequence):
        return all(map(_nullable, node.items))
    if isinstance(node, Repeat):
        return node.low == 0 or _nullable(node.body)
    if isinstance(node, Alternatives):
        return any(map(_nullable, node.branches))
    return isinstance(node, Gap | Mark | End)


def _target(size: Size, elements: tuple[Element, ...]) -> str:
    """Return a slot in words: the name that several elements share, or the element."""
    if sum(element.slot == size.reference for element in elements) > 1:
        return quote(elements[size.reference - 1].name)
    return f"element {size.reference}"


def _binding(node: Node | Sequence, bound: frozenset[int], elements: tuple[Element, ...]) -> frozenset[int]:
    """Return the slots that have a size after `node` on every path, given those before it."""
    if isinstance(node, Element):
        for size in (*node.sizes, *node.excluded):
            if size.reference and size.reference not in bound:
                raise misplaced(
                    f"element {node.number} refers to {_target(size, elements)}, which some path leaves out; "
                    "expected an element that always comes before it",
                    node.column,
                    node.origin,
                    size.offset if size.offset > 1 else 0,
                )
        return bound | {node.slot}
    if isinstance(node, Sequence):
        for item in node.items:
            bound = _binding(item, bound, elements)
        return bound
    if isinstance(node, Alternatives):
        return frozenset.intersection(*[_binding(branch, bound, elements) for branch in node.branches])
    if isinstance(node, Repeat):
        after = _binding(node.body, bound, elements)
        return after if node.low else bound
    if isinstance(node, End):
        return frozenset(element.slot for element in elements)  # nothing comes after it
    return bound
