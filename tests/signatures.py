# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random signatures and random flows that often nearly match them, from a seeded random.Random.

Signatures come as lines of text, so that tests go through the parser; about one in ten is wrong by chance (an element
that cannot match, for example) and is drawn again. Sizes and pauses come from small sets, so that they collide.
"""

from random import Random

import sigdb
from sigdb import think
from sigdb.nodes import EITHER, THRESHOLD, Alternatives, Element, Gap, Mark, Repeat, Sequence, Signature

SIZES = (1, 2, 3, 5, 12, 20, 28, 40, 48, 52, 100, 300, 512, 1400)
PAUSES_US = (0, 1, 50_000, 60_000, 61_000, 399_000, 400_000, 401_000, 1_000_000, 2_000_000, 2_010_000, 30_000_000)
MARKS = ("+", "+", "~", "+2s", "+60ms-2s", "+0us-60ms", "+1us-1us", "+30s")
Packet = tuple[str, int, int]


class _Writer:
    """Writes one signature's sequence."""

    def __init__(self, random: Random, references: bool) -> None:
        self.random = random
        self.references = references
        self.sides = random.choice(("csx", "csx", "CSX"))
        self.count = 0
        self.names: list[str] = []

    def element(self, name: str = "") -> str:
        random = self.random
        self.count += 1
        side = random.choice(self.sides[:2] * 2 + self.sides)
        if self.sides == "CSX" and random.random() < 0.8:
            side = self.sides[self.count % 2]  # without a pause two turns of one side would be one
        text = side + self.sizes()
        if random.random() < 0.12:
            text += "!" + self.sizes()
        if not name and random.random() < (0.35 if self.references else 0.1):
            name = random.choice((f"n{self.count}", "A", "A", "B"))
        if name:
            self.names.append(name)
            text += f"#{name}"
        return text

    def sizes(self) -> str:
        return ",".join(self.size() for _ in range(self.random.choice((1, 1, 1, 1, 1, 1, 2, 3))))

    def size(self) -> str:
        random = self.random
        size = random.choice(SIZES)
        kind = random.randrange(12)
        if self.references and self.count > 1 and kind < 5:
            target = str(random.randrange(1, self.count))
            if self.names and random.random() < 0.5:
                target = random.choice(self.names)
            text = f"@{target}" + random.choice(("", "", "+2", "-1", "+40"))
            return text + random.choice(("", "", "/0", "/4"))
        if kind < 7:
            return f"{size}"
        if kind < 9:
            return f"{size}/{random.choice((0, 1, 3, 30))}"
        if kind < 10:
            return f"{size}-{size + random.choice((0, 4, 200))}"
        return f"{size}-" if kind < 11 else "*"

    def repeat(self) -> str:
        random = self.random
        low = random.choice((0, 0, 1, 1, 2, 3))
        return random.choice((f"{{{max(low, 1)}}}", f"{{{low},{low + random.randrange(1, 3)}}}", f"{{{low},}}"))

    def item(self, depth: int) -> str:
        random = self.random
        if self.references and random.random() < 0.1:
            return f"({self.element('A')}|{self.element('A')}) {self.element()}"  # a name that alternatives share
        if depth and random.random() < 0.25:
            branches = [self.sequence(depth - 1) for _ in range(random.choice((1, 2, 2, 3)))]
            if random.random() < 0.15:
                at = random.randrange(len(branches))
                branches[at] = random.choice((f"{branches[at]} >", f"{branches[at]} >", ">"))
            space = random.choice(("", " "))
            text = "(" + space + f"{space}|{space}".join(branches) + space + ")"
            repeated = random.random() < 0.6
        else:
            text = self.element()
            repeated = random.random() < 0.2
        return text + self.repeat() if repeated else text

    def sequence(self, depth: int) -> str:
        random = self.random
        parts = ["..."] if random.random() < 0.04 else []
        for index in range(random.choice((1, 1, 2, 2, 3, 4))):
            if index and random.random() < 0.12:
                parts.append("...")
            if random.random() < 0.25:
                parts.append(random.choice(MARKS))
            parts.append(self.item(depth))
        if random.random() < 0.05:
            parts.append("...")
        return " ".join(parts)


def sequence(random: Random) -> str:
    """Return a sequence of packets, which may be wrong."""
    writer = _Writer(random, True)
    writer.sides = "csx"
    return writer.sequence(depth=2)


def line(random: Random, references: bool | None = None) -> str:
    """Return one line that loads; `references` None leaves to chance whether it refers to earlier sizes."""
    while True:
        use = random.random() < 0.4 if references is None else references
        writer = _Writer(random, use)
        text = writer.sequence(depth=3)
        if random.random() < 0.1:
            text += f" ({writer.sequence(1)} > | {writer.sequence(1)})"
        begin, end = random.random() < 0.3, random.random() < 0.25
        equals = random.choice(("", " ="))
        protocol = random.choice(("tcp", "udp", "*"))
        text = f"{protocol} *{equals} {'< ' if begin else ''}{text}{' >' if end else ''} : random"
        try:
            sigdb.loads(text)
        except sigdb.SignatureErrors:
            continue
        return text


def lines(random: Random, count: int, references: bool | None = None) -> str:
    """Return a database of `count` lines."""
    return "\n".join(line(random, references) for _ in range(count)) + "\n"


def _shape(random: Random, node: object, bound: dict[int, int], out: list[Packet], pause: list[object]) -> None:
    """Append packets on one path through a tree to `out`; pause[0] is the mark before the next packet."""
    if isinstance(node, Sequence):
        for item in node.items:
            _shape(random, item, bound, out, pause)
    elif isinstance(node, Alternatives):
        _shape(random, random.choice(node.branches), bound, out, pause)
    elif isinstance(node, Repeat):
        high = node.low + 2 if node.high is None else node.high
        for _ in range(random.randint(node.low, min(high, node.low + 3))):
            _shape(random, node.body, bound, out, pause)
    elif isinstance(node, Gap):
        out.extend(packet(random) for _ in range(random.choice((0, 0, 1, 3))))
        pause[0] = None
    elif isinstance(node, Mark):
        pause[0] = node
    elif isinstance(node, Element):
        side = random.choice("cs") if node.side == EITHER else "cs"[node.side - 1]
        one = random.choice(node.sizes * 4 + node.excluded)
        if one.reference:
            size = bound.get(one.reference, 1) + one.plus + random.randint(-one.tolerance, one.tolerance)
        else:
            size = random.choice((one.low, min(one.high, one.low + 1), min(one.high, one.low + 500)))
            size += random.choice((0, 0, 0, 1, 2, -1)) if one.bare else 0
        bound[node.slot] = size = min(max(size, 0), 65_535)
        out.append((side, size, _code(random, pause[0])))
        pause[0] = None


def _code(random: Random, mark: object) -> int:
    if isinstance(mark, Mark):
        low = think.encode(400_000) if mark.low == THRESHOLD else mark.low
        return random.choice((low, min(mark.high, low + 1), mark.high))
    return think.encode(random.choice((0, 0, 50_000, 399_000)))


def packet(random: Random) -> Packet:
    """Return a packet of random side, size and think code."""
    return random.choice("cs"), random.choice(SIZES), think.encode(random.choice(PAUSES_US))


def flow(random: Random, signature: Signature, most: int = 24) -> list[Packet]:
    """Return the packets of a flow: noise, paths through the signature, and at times a packet changed or lost."""
    packets: list[Packet] = []
    if not signature.begin or random.random() < 0.1:
        packets += [packet(random) for _ in range(random.choice((0, 0, 1, 3)))]
    for _ in range(random.choice((1, 1, 2))):
        _shape(random, signature.sequence, {}, packets, [None])
    if not signature.end or random.random() < 0.1:
        packets += [packet(random) for _ in range(random.choice((0, 1, 3)))]
    del packets[most:]
    if signature.turns and random.random() < 0.7:
        packets = [piece for whole in packets for piece in _pieces(random, whole)]
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        if packets:
            at = random.randrange(len(packets))
            side, size, code = packets[at]
            changed = [(side, size + 1, code), (side, max(size - 1, 0), code), packet(random)]
            changed += [(side, size, min(code + 1, think.MAX)), (side, size, max(code - 1, 0))]
            packets[at : at + 1] = random.choice(([random.choice(changed)], [random.choice(changed)], []))
    if packets:
        packets[0] = (*packets[0][:2], 0)
    return packets


def _pieces(random: Random, whole: Packet) -> list[Packet]:
    side, size, code = whole
    if size < 2 or random.random() < 0.5:
        return [whole]
    cut = random.randrange(1, size)
    return [(side, cut, code), (side, size - cut, think.encode(random.choice((0, 1000, 399_000))))]
