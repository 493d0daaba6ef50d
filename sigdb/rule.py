# SPDX-License-Identifier: LGPL-2.1-or-later
"""The language of rules over several flows: their header and the values of `threshold`, `suppress` and `sequence`.

flows : SSH - logins are tried until one succeeds
    sequence = 5 ssh.auth.failure then ssh.auth.success in 10min by src,dst
    suppress = 1h by src
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sigdb.errors import Mistake, quote, suggest
from sigdb.nodes import Chain, Rule, Step, Suppress, Threshold
from sigdb.tokens import UNITS_US

KEYS = ("src", "dst", "port", "id")  # client, server, server's port, the signature itself
MAX_COUNT = 1_000
MAX_STEPS = 8
MAX_TIME_US = 7 * 24 * UNITS_US["h"]

THRESHOLD = "for example threshold = 5 in 60s by src"
SUPPRESS = "for example suppress = 1h by src,id"
SEQUENCE = "for example sequence = 3 ssh.auth.failure then ssh.auth.success in 10min by src"

_HEADER = re.compile(r"flows(?![0-9A-Za-z_])")
_WORD = re.compile(r",|[^\s,]+")
_TIME = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?(us|ms|s|min|h)")
_ID = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def is_header(line: str) -> bool:
    """Return whether a line begins a rule."""
    return _HEADER.match(line) is not None


def header(line: str) -> str:
    """Return the description of `flows : description`. Raises Mistake."""
    rest = line[len("flows") :]
    column = len(line) - len(rest.lstrip(" \t")) + 1
    if not rest.lstrip(" \t").startswith(":"):
        raise Mistake(column, "no ':' after 'flows'; expected flows : description")
    description = rest.lstrip(" \t")[1:].strip(" \t")
    if not description:
        raise Mistake(len(line) + 1, "no description; expected flows : description")
    return description


def threshold(value: str, column: int) -> Threshold:
    """Return what `5 in 60s by src` means. Raises Mistake."""
    words = _Words(value, column, THRESHOLD)
    count = words.count()
    words.take("in")
    within = words.time()
    made = Threshold(count, within, words.keys(KEYS))
    words.end()
    return made


def suppress(value: str, column: int) -> Suppress:
    """Return what `1h by src,id` means. Raises Mistake."""
    words = _Words(value, column, SUPPRESS)
    made = Suppress(words.time(), words.keys(KEYS))
    words.end()
    return made


def sequence(value: str, column: int, line: int) -> Chain:
    """Return what `3 a then b in 10min by src` means; `line` is where it is written. Raises Mistake."""
    words = _Words(value, column, SEQUENCE)
    steps: list[Step] = []
    while not steps or words.next("then"):
        count = words.count() if words.peek().isdigit() else 1
        place = words.column
        name = words.name()
        for step in steps:
            if f"{step.id}.".startswith(f"{name}.") or f"{name}.".startswith(f"{step.id}."):
                raise Mistake(place, f"{quote(name)} counts in the step {quote(step.id)} too; expected another id")
        if len(steps) == MAX_STEPS:
            raise Mistake(place, f"too many steps; expected at most {MAX_STEPS}")
        steps.append(Step(count, name, line, place))
    words.take("in", "then or in")
    within = words.time()
    made = Chain(tuple(steps), within, words.keys(KEYS[:-1]))
    words.end()
    return made


def sequence_text(rule: Rule) -> str:
    """Return the sequence of a rule as it may be written."""
    chain = rule.sequence
    if chain is None:
        return ""
    unit = max(
        (unit for unit, size in UNITS_US.items() if chain.within_us % size == 0), key=lambda unit: UNITS_US[unit]
    )
    steps = " then ".join(f"{step.count} {step.id}" for step in chain.steps)
    return f"{steps} in {chain.within_us // UNITS_US[unit]}{unit} by {','.join(chain.keys)}"


def undefined(rules: Iterable[Rule], known: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and message for each step whose id, and what is below it, no signature has."""
    names = list(known)
    parts = {".".join(words[: n + 1]) for words in (name.split(".") for name in names) for n in range(len(words))}
    for rule in rules:
        for step in rule.sequence.steps if rule.sequence is not None else ():
            if step.id not in parts:
                message = f"no signature has the id {quote(step.id)}{suggest(step.id, sorted(parts))}"
                yield step.line, step.column, f"{message}; expected an id of the files that are loaded together"


@dataclass(slots=True)
class _Words:
    """The words of a value, one after the other. `example` is what was expected of the whole."""

    value: str
    start: int
    example: str
    at: int = 0

    @property
    def column(self) -> int:
        """Where the next word is; past the end when there is none."""
        match = _WORD.search(self.value, self.at)
        return self.start + (match.start() if match else len(self.value))

    def peek(self) -> str:
        """Return the next word, "" at the end."""
        match = _WORD.search(self.value, self.at)
        return match[0] if match else ""

    def next(self, word: str) -> bool:
        """Take the next word if it is `word`."""
        match = _WORD.search(self.value, self.at)
        if match is None or match[0] != word:
            return False
        self.at = match.end()
        return True

    def take(self, word: str, expected: str = "") -> None:
        """Take `word`. Raises Mistake where there is another."""
        if not self.next(word):
            raise self.wrong(expected or word)

    def count(self) -> int:
        """Take a number of hits."""
        word = self.peek()
        if not (word.isascii() and word.isdigit()) or not 1 <= int(word[:12]) <= MAX_COUNT:
            raise self.wrong(f"a number of hits from 1 to {MAX_COUNT}")
        self.next(word)
        return int(word)

    def time(self) -> int:
        """Take a time; return microseconds."""
        word = self.peek()
        match = _TIME.fullmatch(word)
        if match is None:
            raise self.wrong("a time with unit, for example 60s")
        whole, digits, unit = match[1], match[2] or "", match[3]
        time, rest = divmod(int(whole + digits) * UNITS_US[unit], int("1" + "0" * len(digits)))
        if rest or not 0 < time <= MAX_TIME_US:
            raise self.wrong("a time from 1us to 168h")
        self.next(word)
        return time

    def name(self) -> str:
        """Take an id."""
        word = self.peek()
        if word in ("in", "then", "by") or not _ID.fullmatch(word):
            raise self.wrong("the id of a signature")
        self.next(word)
        return word

    def keys(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """Take `by` and the keys that follow."""
        self.take("by")
        found: list[str] = []
        while not found or self.next(","):
            word = self.peek()
            if word not in known or word in found:
                raise self.wrong(f"{'another ' if word in found else ''}key: {', '.join(known)}")
            self.next(word)
            found.append(word)
        return tuple(found)

    def end(self) -> None:
        """Check that this was all. Raises Mistake."""
        if self.peek():
            raise self.wrong("nothing more")

    def wrong(self, expected: str) -> Mistake:
        """Return a mistake at the next word."""
        found = quote(self.peek()) if self.peek() else "the end"
        return Mistake(self.column, f"{found} in {quote(self.value)}; expected {expected}, {self.example}")
