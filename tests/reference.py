# SPDX-License-Identifier: LGPL-2.1-or-later
"""The definition of the signature language: a slow, obvious matcher that interprets the syntax tree.

A state is (packets consumed, pause condition of the next packet, sizes bound so far by slot). `walk` maps a set of
states over a node. After `>` the pause condition is ENDED, which no packet meets. Nothing here is shared with the
compiler but the tree.
"""

from sigdb import think
from sigdb.nodes import THRESHOLD, Alternatives, Element, End, Gap, Mark, Repeat, Sequence, Signature, Size

FREE = (0, think.MAX, False)  # lowest and highest think code of the next packet; whether a mark says so
ENDED = (1, -1, True)
Packet = tuple[str, int, int]  # side "c" or "s", size, think code
State = tuple[int, tuple[int, int, bool], tuple[tuple[int, int], ...]]


def turns(packets: list[Packet], threshold: int) -> list[Packet]:
    """Join the consecutive packets of one side until the other speaks or a think code reaches the threshold."""
    joined: list[Packet] = []
    for side, size, code in packets:
        if joined and joined[-1][0] == side and code < threshold:
            joined[-1] = (side, joined[-1][1] + size, joined[-1][2])
        else:
            joined.append((side, size, code))
    return joined


def hits(
    signature: Signature,
    packets: list[Packet],
    begin: bool,
    ended: bool,
    *,
    threshold: int = think.encode(400_000),
    fuzzy: bool = True,
    fuzz_bytes: int = 2,
    fuzz_percent: int = 5,
) -> list[int]:
    """Return the packets, or turns, counted from 1, at which a match ends, ascending.

    `begin` and `ended` say whether the flow's beginning and end were seen; `threshold` is a think code.
    """
    if signature.turns:
        packets = turns(packets, threshold)
    fuzzy = fuzzy and not signature.exact

    def fits(wanted: Size, size: int, bound: dict[int, int]) -> bool:
        low, high, centre = wanted.low, wanted.high, wanted.low
        if wanted.reference:
            centre = bound[wanted.reference] + wanted.plus
            low, high = centre - wanted.tolerance, centre + wanted.tolerance
        if wanted.bare and fuzzy:
            spread = max(fuzz_bytes, centre * fuzz_percent // 100)
            low, high = centre - spread, centre + spread
        return low <= size <= high

    def admits(element: Element, size: int, bound: dict[int, int]) -> bool:
        return any(fits(one, size, bound) for one in element.sizes) and not any(
            fits(one, size, bound) for one in element.excluded
        )

    def walk(node: object, states: set[State]) -> set[State]:
        after: set[State] = set()
        if isinstance(node, Sequence):
            for item in node.items:
                states = walk(item, states)
            return states
        if isinstance(node, Alternatives):
            return set().union(*(walk(branch, states) for branch in node.branches))
        if isinstance(node, Repeat):
            count = 0
            while states and (node.high is None or count <= node.high):
                if count >= node.low:
                    states = states - after  # what was here before leads nowhere new
                    after |= states
                states = walk(node.body, states)
                count += 1
            return after
        for at, pause, sizes in states:
            if pause == ENDED:
                if not isinstance(node, Element):
                    after.add((at, pause, sizes))
            elif isinstance(node, End):
                if ended and at == len(packets):
                    after.add((at, ENDED, sizes))
            elif isinstance(node, Mark):
                low = threshold if node.low == THRESHOLD else node.low
                both = (max(low, pause[0]), min(node.high, pause[1]), True) if pause[2] else (low, node.high, True)
                after.add((at, both, sizes))
            elif isinstance(node, Gap):
                after.update((later, FREE, sizes) for later in range(at, len(packets) + 1))
            elif isinstance(node, Element) and at < len(packets):
                side, size, code = packets[at]
                right_side = node.side & (1 if side == "c" else 2)
                if right_side and pause[0] <= code <= pause[1] and admits(node, size, dict(sizes)):
                    bound = tuple(sorted({**dict(sizes), node.slot: size}.items()))
                    after.add((at + 1, (0, threshold - 1, False), bound))
        return after

    starts = range(len(packets)) if not signature.begin else range(1 if begin else 0)
    ends = {at for at, _, _ in walk(signature.sequence, {(start, FREE, ()) for start in starts})}
    if signature.end:
        ends &= {len(packets)} if ended else set()
    return sorted(ends - {0})
