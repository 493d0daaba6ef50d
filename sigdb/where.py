# SPDX-License-Identifier: LGPL-2.1-or-later
"""Conditions on a whole flow (`where bytes > 10k and rtt < 20ms`): text to a postfix program.

The program is a list of (operation, argument). It works on a stack of doubles; a truth value is 1, 0 or NaN
(unknown), as in Kleene's three-valued logic: a comparison with NaN is unknown, `unknown and false` is false,
`unknown or true` is true. x / 0 is NaN. The condition holds only when the last value is 1.
The grammar, from weak to strong binding:

    condition  = conjunction ("or" conjunction)*
    conjunction = negation ("and" negation)*
    negation   = "not" negation | comparison
    comparison = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum        = product (("+" | "-") product)*
    product    = factor (("*" | "/") factor)*
    factor     = number [unit] | variable | "-" factor | "(" condition ")"
"""

import re

from sigdb.errors import Mistake, quote, suggest

CONST, VAR, ADD, SUB, MUL, DIV, NEG, LT, LE, GT, GE, EQ, NE, AND, OR, NOT = range(16)

# The columns that the evaluator is given, in this order. Times in seconds, sizes in bytes; NaN is "not known".
VARIABLES = (
    "bytes", "c.bytes", "s.bytes",
    "packets", "c.packets", "s.packets",
    "turns", "c.turns", "s.turns",
    "duration", "c.duration", "s.duration",
    "rtt", "c.rtt", "s.rtt",
)  # fmt: skip
UNITS = {
    "": 1.0, "B": 1.0, "k": 1e3, "kB": 1e3, "M": 1e6, "MB": 1e6, "G": 1e9, "GB": 1e9,
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0,
}  # fmt: skip
MAX_OPERATIONS = 256
MAX_NESTING = 32

Program = list[tuple[int, float]]

# What a value is, where it is known: a product or quotient may be anything, and so may a number without a unit.
TIME, COUNT, ANY = "a time", "a size or a number", ""
_TIME_UNITS = ("us", "ms", "s", "min", "h")

_COMPARE = {"<": LT, "<=": LE, ">": GT, ">=": GE, "==": EQ, "!=": NE}
_SUM = {"+": ADD, "-": SUB}
_PRODUCT = {"*": MUL, "/": DIV}
_TOKEN = re.compile(r"[ \t]*(?:([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)|([A-Za-z_][A-Za-z0-9_.]*)|([<>=!]=|[-+*/()<>=]))")


class _Reader:
    """Recursive descent over the tokens; each method appends postfix operations and returns whether it left a truth."""

    def __init__(self, line: str, start: int, end: int) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        self.program: Program = []
        self.kinds: list[str] = []  # of the values on the stack
        self.next = 0
        self.depth = 0
        while line[start:end].strip(" \t"):
            match = _TOKEN.match(line, start, end)
            if match is None:
                start += len(line[start:end]) - len(line[start:end].lstrip(" \t"))
                raise Mistake(start + 1, f"{quote(line[start])} has no meaning in a condition; expected a comparison")
            number, unit, name, sign = match.groups()
            shown = number or name or sign
            column = match.end() - len(shown) - len(unit or "") + 1
            if number is not None and unit not in UNITS:
                raise Mistake(
                    column + len(number), f"unknown unit {quote(unit)}; expected B, k, M, G, us, ms, s, min or h"
                )
            if number is not None and len(number) > 20:
                raise Mistake(column, "the number has too many digits; expected at most 20 characters")
            self.tokens.append((shown, unit or "", column))
            start = match.end()
        self.tokens.append(("", "", len(line[:end].rstrip()) + 1))

    @property
    def text(self) -> str:
        return self.tokens[self.next][0]

    @property
    def column(self) -> int:
        return self.tokens[self.next][2]

    def emit(self, operation: int, argument: float = 0.0) -> None:
        if len(self.program) == MAX_OPERATIONS:
            raise Mistake(self.column, f"the condition is too long; expected at most {MAX_OPERATIONS} operations")
        self.program.append((operation, argument))

    def value(self, operation: int, argument: float, kind: str) -> None:
        self.emit(operation, argument)
        self.kinds.append(kind)

    def join(self, column: int, sign: str, kind: str | None = None) -> None:
        """Take the kinds of both sides of a sign, which must not contradict each other, and leave theirs or `kind`."""
        right, left = self.kinds.pop(), self.kinds.pop()
        if kind is None and left and right and left != right:
            raise Mistake(column, f"{right} where '{sign}' has {left} before it; expected {left}")
        self.kinds.append(left or right if kind is None else kind)

    def nest(self, column: int) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise Mistake(column, f"the condition is nested too deeply; expected at most {MAX_NESTING} levels")

    def truth(self, is_truth: bool, column: int, word: str) -> None:
        if not is_truth:
            raise Mistake(
                column, f"a number where '{word}' needs a truth; expected a comparison, for example bytes > 10k"
            )

    def number(self, is_truth: bool, column: int, word: str) -> None:
        if is_truth:
            raise Mistake(column, f"a comparison where '{word}' needs a number; expected a number or a variable")

    def disjunction(self) -> bool:
        column = self.column
        left = self.conjunction()
        while self.text == "or":
            self.truth(left, column, "or")
            self.next += 1
            column = self.column
            self.truth(self.conjunction(), column, "or")
            self.join(column, "or", ANY)
            self.emit(OR)
        return left

    def conjunction(self) -> bool:
        column = self.column
        left = self.negation()
        while self.text == "and":
            self.truth(left, column, "and")
            self.next += 1
            column = self.column
            self.truth(self.negation(), column, "and")
            self.join(column, "and", ANY)
            self.emit(AND)
        return left

    def negation(self) -> bool:
        if self.text != "not":
            return self.comparison()
        self.nest(self.column)
        self.next += 1
        column = self.column
        self.truth(self.negation(), column, "not")
        self.emit(NOT)
        self.depth -= 1
        return True

    def comparison(self) -> bool:
        column = self.column
        left = self.sum()
        sign = self.text
        if sign == "=":
            raise Mistake(self.column, "'=' does not compare; expected '=='")
        if sign not in _COMPARE:
            return left
        self.number(left, column, sign)
        self.next += 1
        column = self.column
        self.number(self.sum(), column, sign)
        self.join(column, sign)
        self.kinds[-1] = ANY
        self.emit(_COMPARE[sign])
        if self.text in _COMPARE or self.text == "=":
            raise Mistake(self.column, f"{quote(self.text)} after a comparison; expected 'and' between two comparisons")
        return True

    def sum(self) -> bool:
        column = self.column
        left = self.product()
        while self.text in _SUM:
            sign = self.text
            self.number(left, column, sign)
            self.next += 1
            column = self.column
            self.number(self.product(), column, sign)
            self.join(column, sign)
            self.emit(_SUM[sign])
        return left

    def product(self) -> bool:
        column = self.column
        left = self.factor()
        while self.text in _PRODUCT:
            sign = self.text
            self.number(left, column, sign)
            self.next += 1
            column = self.column
            self.number(self.factor(), column, sign)
            self.join(column, sign, ANY)
            self.emit(_PRODUCT[sign])
        return left

    def factor(self) -> bool:
        text, unit, column = self.tokens[self.next]
        if text == "(":
            self.nest(column)
            self.next += 1
            inner = self.disjunction()
            if self.text != ")":
                raise Mistake(self.column, f"{self.found()} inside parentheses; expected ')'")
            self.next += 1
            self.depth -= 1
            return inner
        if text == "-":
            self.nest(column)
            self.next += 1
            self.number(self.factor(), column + 1, "-")
            self.emit(NEG)
            self.depth -= 1
            return False
        if text[:1].isdigit():
            self.next += 1
            self.value(CONST, float(text) * UNITS[unit], TIME if unit in _TIME_UNITS else COUNT if unit else ANY)
            return False
        if text in VARIABLES:
            self.next += 1
            self.value(VAR, float(VARIABLES.index(text)), TIME if text.endswith(("duration", "rtt")) else COUNT)
            return False
        if text[:1].isalpha() and text not in ("and", "or", "not"):
            raise Mistake(
                column,
                f"unknown variable {quote(text)}{suggest(text, VARIABLES)}; expected bytes, packets, turns,"
                " duration or rtt, for one side with c. or s. before it",
            )
        raise Mistake(column, f"{self.found()} in a condition; expected a number, a variable or '('")

    def found(self) -> str:
        return quote(self.text) if self.text else "the end"


def parse(line: str, start: int, end: int) -> Program:
    """Return the program of the condition line[start:end]; raise Mistake with the column in the line."""
    reader = _Reader(line, start, end)
    column = reader.column
    is_truth = reader.disjunction()
    if reader.text:
        raise Mistake(
            reader.column, f"{reader.found()} after the condition; expected 'and', 'or' or ' : ' and a description"
        )
    if not is_truth:
        raise Mistake(column, "the condition is a number; expected a comparison, for example bytes > 10k")
    return reader.program
