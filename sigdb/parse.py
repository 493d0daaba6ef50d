# SPDX-License-Identifier: LGPL-2.1-or-later
"""One line of a signature file to a tree: protocol, ports, sequence, condition, description.

sigdb.grammar reads the sequence, sigdb.expand puts definitions in; the first mistake ends the line. sigdb.reader puts
the lines of a file together, sigdb.check judges what the grammar alone cannot.
"""

from sigdb import where
from sigdb.definitions import Definitions
from sigdb.errors import Mistake, quote, suggest
from sigdb.expand import Expander
from sigdb.grammar import Grammar
from sigdb.nodes import PROTOCOLS, Signature
from sigdb.tokens import number, tokens


def ports(text: str, column: int) -> tuple[tuple[int, int], ...]:
    """Return the inclusive ranges, ascending and disjoint, of `*`, `22`, `22,2222` or `8000-8999`; raise Mistake."""
    if text == "*":
        return ((0, 65535),)
    ranges = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        if not (low.isascii() and low.isdigit()) or (dash and not (high.isascii() and high.isdigit())):
            raise Mistake(column, f"wrong port {quote(part)}; expected *, 22, 22,2222 or 8000-8999")
        first = number(low, column, 65535)
        last = number(high, column + len(low) + 1, 65535) if dash else first
        if last < first:
            raise Mistake(column, f"the port range {quote(part)} is empty; expected the smaller port first")
        ranges.append((first, last))
        column += len(part) + 1
    ranges.sort()
    merged = [ranges[0]]
    for first, last in ranges[1:]:
        if first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _word(line: str, start: int, end: int) -> tuple[str, int, int]:
    while start < end and line[start] in " \t":
        start += 1
    stop = start
    while stop < end and line[stop] not in " \t":
        stop += 1
    return line[start:stop], start, stop


def definition(line: str, index: int, definitions: Definitions) -> None:
    """Add what a line `let NAME = sequence` defines, line number `index`; raise Mistake."""
    header = definitions.header(line, index)
    cut, condition = tokens(line, header.end, len(line))
    if condition >= 0:
        raise cut[-1].mistake("'where' in a definition; expected it in the signature that uses it")
    reader = Grammar(line, cut, definitions, header.name, header.parameters)
    _, body, _ = reader.whole()
    for name, column in zip(header.parameters, header.columns, strict=True):
        if name not in reader.used:
            raise Mistake(
                column, f"the parameter {quote(name)} is not used; expected {quote('$' + name)} in the sequence"
            )
    definitions.add(header, index, body)


def signature(line: str, definitions: Definitions | None = None) -> Signature:
    """Return the signature of one line, without id and attributes; raise Mistake."""
    colon = line.find(":")
    end = len(line) if colon < 0 else colon
    protocol, start, stop = _word(line, 0, end)
    if protocol not in PROTOCOLS and protocol != "*":
        hint = suggest(protocol.lower(), PROTOCOLS)
        raise Mistake(start + 1, f"unknown protocol {quote(protocol)}{hint}; expected tcp, udp, icmp or *")
    text, start, stop = _word(line, stop, end)
    if not text:
        raise Mistake(start + 1, "no ports after the protocol; expected *, 22, 22,2222 or 8000-8999")
    where_ports = ports(text, start + 1)
    text, start, _ = _word(line, stop, end)
    exact = text[:1] == "=" and text[1:2] in ("", "<", "(")
    if exact:
        stop = start + 1
    cut, condition = tokens(line, stop, end)
    if not exact:
        start = stop
    first = cut[0]
    definitions = definitions or Definitions()
    begin, written, closed = Grammar(line, cut, definitions).whole()
    sequence, elements, turns = Expander(definitions).whole(written)
    program = where.parse(line, condition, end) if condition >= 0 else []
    if colon < 0:
        raise Mistake(len(line.rstrip()) + 1, "the line ends without a description; expected ' : ' and a description")
    description = line[colon + 1 :].strip(" \t")
    if not description:
        raise Mistake(colon + 2, "the description is empty; expected a few words after ':'")
    return Signature(
        id="",
        protocol=protocol,
        ports=where_ports,
        exact=exact,
        begin=begin,
        end=closed,
        turns=turns,
        sequence=sequence,
        elements=elements,
        where=tuple(program),
        condition=line[condition:end].strip(" \t") if condition >= 0 else "",
        text=line[first.column - 1 : end].strip(" \t"),
        description=description,
        column=first.column,
    )
