# SPDX-License-Identifier: LGPL-2.1-or-later
"""A signature in words: one sentence for each element, indented by group, and what its author wrote above it."""

from collections import Counter
from itertools import takewhile

from sigdb import nodes, think
from sigdb.check import DEFAULT_FUZZ
from sigdb.nodes import CLIENT, SERVER, THRESHOLD, UNBOUNDED, Mark, Rule, Sequence, Signature, Size
from sigdb.sizes import spread

_WHO = {CLIENT: "The client", SERVER: "The server"}
_THRESHOLD = "400ms"  # the default pause threshold
_WITHOUT_MARK = f"less than {_THRESHOLD} later"


def sentences(signature: Signature) -> list[str]:
    """Return what the signature matches, line by line; the pause threshold and the fuzzy rule are the default ones."""
    protocol = "any protocol" if signature.protocol == "*" else signature.protocol
    lines = [f"A flow of {protocol}, {ports(signature)}."]
    lines.append("From the beginning of the flow:" if signature.begin else "Anywhere in the flow:")
    _Words(signature, lines).sequence(signature.sequence, "", 1)
    if signature.end:
        lines.append("There the flow ends.")
    if signature.condition:
        lines.append(f"And of the flow as a whole: {signature.condition}.")
    return lines


def comment(signature: Signature | Rule) -> list[str]:
    """Return the comment above a signature or rule in its file, without `#`: what it was taken from, when it fails.

    It begins the block of lines, comments and definitions, that ends with the signature. Nothing where there is none,
    or where the file is not there any more.
    """
    try:
        with open(signature.file, encoding="utf-8-sig") as file:
            above = file.read().split("\n")[: signature.line - 1]
    except (OSError, UnicodeDecodeError):
        return []
    # an attribute belongs to the signature before
    block = list(takewhile(lambda line: line.strip() and not line[0].isspace(), reversed(above)))[::-1]
    return [line[1:].strip() for line in takewhile(lambda line: line.startswith("#"), block) if "SPDX-" not in line]


def ports(signature: Signature) -> str:
    """Return the server ports in words: "server port 22", "any server port"."""
    text = ports_text(signature)
    if text == "*":
        return "any server port"
    return f"server port{'' if text.isdigit() else 's'} {text.replace(',', ', ')}"


def ports_text(signature: Signature) -> str:
    """Return the server ports as a signature writes them: "22,8000-8999", "*"."""
    if signature.ports == ((0, 65535),):
        return "*"
    return ",".join(f"{low}-{high}" if low != high else str(low) for low, high in signature.ports)


class _Words:
    def __init__(self, signature: Signature, lines: list[str]) -> None:
        self.signature = signature
        self.what = "turn" if signature.turns else "packet"
        self.lines = lines
        self.said: set[str] = set()
        slots = Counter(element.slot for element in signature.elements)
        self.shared = {e.slot: f"the last {e.name}" for e in signature.elements if slots[e.slot] > 1}

    def say(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    def sequence(self, sequence: Sequence, when: str, depth: int) -> None:
        """Describe nodes; `when` says how long after the packet before the first of them comes, if it is known."""
        mark: Mark | None = None
        for item in sequence.items:
            if isinstance(item, Mark):
                mark = item if mark is None else _both(mark, item)
                when = _pause(mark)
                continue
            mark = None
            if isinstance(item, nodes.Gap):
                self.say(depth, f"Any number of {self.what}s, or none, after any pauses.")
                when = "after any pause"
            elif isinstance(item, nodes.End):
                self.say(depth, "There the flow ends.")
            else:
                self.node(item, when, depth)
                when = _WITHOUT_MARK

    def node(self, node: nodes.Node, when: str, depth: int) -> None:
        if isinstance(node, nodes.Element):
            self.say(depth, f"{node.number}. {self.element(node)}{', ' + when if when else ''}.")
        elif isinstance(node, nodes.Repeat):
            count = _count(node)
            if isinstance(node.body, nodes.Element):
                self.say(depth, f"{node.body.number}. {self.element(node.body)}, {count}{', ' + when if when else ''}.")
            else:
                self.group(node.body, f", {count}", when, depth)
        elif isinstance(node, nodes.Alternatives):
            self.group(node, "", when, depth)

    def group(self, group: nodes.Alternatives, count: str, when: str, depth: int) -> None:
        if group.name in self.said:
            self.say(depth, f"${group.name}{count}{', ' + when if when else ''}, as above.")
            return
        if group.name:
            self.said.add(group.name)
        for index, branch in enumerate(group.branches):
            lead = "Or" if index else "Either" if len(group.branches) > 1 else "In a row"
            if group.name and not index:
                lead += f" (${group.name})"
            self.say(depth, f"{lead}{'' if index else count}:")
            self.sequence(branch, when, depth + 1)

    def element(self, element: nodes.Element) -> str:
        who = _WHO.get(element.side, "Either side")
        called = f" ({element.name})" if element.slot in self.shared else ""
        return f"{who} sends a {self.what}{called} of {self.sizes(element)}"

    def sizes(self, element: nodes.Element) -> str:
        text = _or([self.size(size) for size in element.sizes])
        if not element.excluded:
            return text
        return f"{text}, but not of {_or([self.size(size) for size in element.excluded])}"

    def size(self, size: Size) -> str:
        fuzzy = size.bare and not self.signature.exact
        if size.reference:
            target = self.shared.get(size.reference, f"element {size.reference}")
            text = f"as many bytes as {target}"
            if size.plus:
                more = "more" if size.plus > 0 else "fewer"
                text = f"{abs(size.plus)} bytes {more} than {target}"
            about = "about " if fuzzy else ""
            return about + text + (f", give or take {size.tolerance}" if size.tolerance else "")
        if fuzzy:
            off = spread(size.low, DEFAULT_FUZZ)
            return f"about {size.low} bytes ({max(0, size.low - off)} to {size.low + off})"
        if size.low == size.high:
            return f"{size.low} byte{'' if size.low == 1 else 's'}"
        if size.high == UNBOUNDED:
            return f"at least {size.low} bytes" if size.low else "any size"
        return f"{size.low} to {size.high} bytes"


def _or(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def _both(first: Mark, second: Mark) -> Mark:
    """Return what two marks say together, as an argument may bring them together."""
    pair = sorted((first, second), key=lambda mark: think.encode(400_000) if mark.low == THRESHOLD else mark.low)
    return Mark(pair[1].low, min(first.high, second.high), first.column)


def _pause(mark: Mark) -> str:
    if mark.low == THRESHOLD:
        return f"at least {_THRESHOLD} later"
    if mark.low == 0 and mark.high == think.MAX:
        return "after any pause"
    if mark.high == think.MAX:
        return f"at least {think.describe(mark.low)} later"
    return f"{think.describe(mark.low)} to {think.describe(mark.high)} later"


def _count(node: nodes.Repeat) -> str:
    if node.high is None:
        return f"{node.low} or more times" if node.low else "any number of times or not at all"
    if node.low == node.high:
        return "once" if node.low == 1 else f"{node.low} times"
    return f"{node.low} to {node.high} times"
