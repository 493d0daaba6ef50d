# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cuts the sequence of a signature, or of a definition, into tokens; what is wrong with a word is said precisely."""

import re
from typing import NamedTuple

from sigdb import think
from sigdb.errors import Mistake, quote, suggest
from sigdb.nodes import THRESHOLD, UNBOUNDED, Origin

ELEMENT, MARK, GAP, REPEAT, BEGIN, END, OPEN, BAR, CLOSE, STOP, USE, COMMA, SIZES = range(13)

MAX_REPEAT = 1000
_SINGLE = {"<": BEGIN, ">": END, "(": OPEN, "|": BAR, ")": CLOSE}
_TOKEN = re.compile(r"[ \t]*(?:([()|<>])|(\{[^}]*\}?)|([^ \t()|<>{]+))")
_SIZE = r"(?:\*|[0-9]+(?:-[0-9]*|/[0-9]+)?|@[0-9A-Za-z_]+(?:[+-][0-9]+)?(?:/[0-9]+)?)"
_ONE_SIZE = re.compile(_SIZE)
SIZE_PARTS = re.compile(
    r"(\*)|([0-9]+)(?:(-)([0-9]+)?|/([0-9]+))?|@([0-9A-Za-z_]+)(?:([+-])([0-9]+))?(?:/([0-9]+))?"
)  # the same, in groups: any, size, dash, upper end, tolerance; name or number, sign, constant, tolerance
_SIZES = rf"{_SIZE}(?:,{_SIZE})*"
_NAME = r"[A-Za-z_][0-9A-Za-z_]*"
_ELEMENT = re.compile(rf"([csxCSX])({_SIZES})(?:!({_SIZES}))?(?:#({_NAME}))?")
# The same with parameters: a number may be `$n` or `$n+58`, a constant a sum, and a size `$sizes`.
_TERM = rf"(?:[0-9]+|\${_NAME}(?:[+-][0-9]+)?)"
_OPEN_SIZE = rf"(?:\*|{_TERM}(?:-{_TERM}|-|/{_TERM})?|@[0-9A-Za-z_]+(?:[+-](?:[0-9]+|\${_NAME}))*(?:/{_TERM})?)"
_OPEN_SIZES = rf"{_OPEN_SIZE}(?:,{_OPEN_SIZE})*"
_OPEN_ELEMENT = re.compile(rf"([csxCSX])({_OPEN_SIZES})(?:!({_OPEN_SIZES}))?(?:#({_NAME}))?")
_ARGUMENT = re.compile(_OPEN_SIZES)
PARAMETER = _USE = re.compile(rf"\$({_NAME})")
_TIME = r"([0-9]+)(?:\.([0-9]+))?(us|ms|s|min|h)"
_MARK = re.compile(rf"\+{_TIME}(?:-{_TIME})?")
_REPEAT = re.compile(r"\{[ \t]*([0-9]+)[ \t]*(?:(,)[ \t]*([0-9]+)?[ \t]*)?\}")
UNITS_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}


class Token(NamedTuple):
    """A token: kind (one of the constants above), its text, its column and, by kind, what was read from it."""

    kind: int
    text: str
    column: int
    value: tuple[str | None, ...] = ()  # ELEMENT: side, sizes, excluded sizes, name; USE: name, "(" before arguments
    low: int = 0  # MARK: think codes; REPEAT: counts
    high: int | None = None

    def mistake(self, message: str, offset: int = 0) -> Mistake:
        """Return a mistake at the token, or so many characters after its beginning."""
        return Mistake(self.column + offset, message)


def misplaced(message: str, column: int, origin: Origin | None, offset: int = 0) -> Mistake:
    """Return a mistake so many characters after a column; what stands in a definition is placed there in words."""
    if origin is None:
        return Mistake(column + offset, message)
    name, file, line, at = origin
    place = f"{file}, line" if file else "line"
    return Mistake(column, f"in ${name} ({place} {line}, column {at + offset}) {message}")


def number(text: str, column: int, limit: int = UNBOUNDED) -> int:
    """Return the value of a run of digits; raise Mistake when it is larger than `limit`."""
    if len(text.lstrip("0")) > 10 or int(text) > limit:
        raise Mistake(column, f"the number {text[:20]} is too large; expected at most {limit}")
    return int(text)


def tokens(line: str, start: int, end: int) -> tuple[list[Token], int]:
    """Cut line[start:end] into tokens (a STOP is added) and return them with the index after the word `where`.

    The index is -1 when there is no condition. Columns are indices in the line plus 1. Raises Mistake.
    """
    result: list[Token] = []
    position = start
    inside: list[bool] = []  # open parentheses: whether they hold arguments
    match = _TOKEN.match(line, position, end)
    while match is not None:
        single, repeat, word = match.groups()
        column = match.end() - len(match.group(match.lastindex or 0)) + 1
        position = match.end()
        if word is not None:
            if word == "where":
                result.append(Token(STOP, "where", column))
                return result, position
            if True in inside:
                _argument_words(word, column, result)
            else:
                result.append(_word(word, column))
            if result[-1].kind == USE and line.startswith("(", position) and position < end:
                position += 1
                inside.append(True)
                result[-1] = Token(USE, result[-1].text, result[-1].column, (result[-1].value[0], "("))
        elif single is not None:
            result.append(Token(_SINGLE[single], single, column))
            if single == "(":
                inside.append(False)
            elif single == ")" and inside:
                inside.pop()
        else:
            result.append(_repeat(repeat, column))
        match = _TOKEN.match(line, position, end)
    result.append(Token(STOP, "", len(line[:end].rstrip()) + 1))
    return result, -1


def _argument_words(word: str, column: int, result: list[Token]) -> None:
    """Append the tokens of a word among arguments, where commas at its ends stand for themselves."""
    while word.startswith(","):
        result.append(Token(COMMA, ",", column))
        word, column = word[1:], column + 1
    body = word.rstrip(",")
    if body:
        if _ARGUMENT.fullmatch(body) and not _USE.fullmatch(body):
            result.append(Token(SIZES, body, column))
        elif "," in body and body[0] in "$+~.":
            raise Mistake(
                column + body.index(","),
                f"no blank after ',' in {quote(word)}; expected a comma and a blank between arguments",
            )
        else:
            result.append(_word(body, column))
    result += [Token(COMMA, ",", column + at) for at in range(len(body), len(word))]


def _word(word: str, column: int) -> Token:
    match = _ELEMENT.fullmatch(word)
    if match is None and "$" in word:
        match = _OPEN_ELEMENT.fullmatch(word)
    if match is not None:
        return Token(ELEMENT, word, column, match.groups())
    if word == "+":
        return Token(MARK, word, column, low=THRESHOLD, high=think.MAX)
    if word == "~":
        return Token(MARK, word, column, low=0, high=think.MAX)
    if word == "...":
        return Token(GAP, word, column)
    match = _MARK.fullmatch(word)
    if match is not None:
        return _mark(match, word, column)
    match = _USE.fullmatch(word)
    if match is not None:
        return Token(USE, word, column, match.groups())
    raise _diagnose(word, column)


def _mark(match: re.Match[str], word: str, column: int) -> Token:
    whole, fraction, unit, whole2, fraction2, unit2 = match.groups()
    low = _code(whole, fraction, unit, column + 1)
    if whole2 is None:
        return Token(MARK, word, column, low=low, high=think.MAX)
    high = _code(whole2, fraction2, unit2, column + match.start(4))
    if high < low:
        raise Mistake(column, f"the pause range {quote(word[1:])} is empty; expected the shorter time first")
    return Token(MARK, word, column, low=low, high=high)


def _code(whole: str, fraction: str | None, unit: str, column: int) -> int:
    if len(whole) > 12 or len(fraction or "") > 12:
        raise Mistake(column, f"the time {quote(whole)} has too many digits; expected at most 12")
    scale = 10 ** len(fraction or "")
    scaled = int(whole + (fraction or "")) * UNITS_US[unit]
    if scaled % scale:
        raise Mistake(column, "the time is finer than a microsecond; expected a whole number of microseconds")
    time = scaled // scale
    code = think.encode(time)
    below = think.decode(code)
    if time != below:
        if code == think.MAX:
            raise Mistake(
                column, f"the pause is longer than any that is told apart; expected at most {think.write(below)}"
            )
        above = think.decode(code + 1)
        raise Mistake(
            column,
            "the pause falls between two steps of the think time; "
            f"expected {think.write(below)} or {think.write(above)}",
        )
    return code


def _repeat(text: str, column: int) -> Token:
    match = _REPEAT.fullmatch(text)
    if match is None:
        raise Mistake(column, f"wrong repetition {quote(text)}; expected {{n}}, {{n,m}} or {{n,}}")
    low = number(match[1], column + match.start(1), MAX_REPEAT)
    high: int | None = low
    if match[2] is not None:
        high = None if match[3] is None else number(match[3], column + match.start(3), MAX_REPEAT)
    if high is not None and high < low:
        raise Mistake(column, f"the repetition {quote(text)} is empty; expected the smaller count first")
    if high == 0:
        raise Mistake(column, "what is repeated zero times can never match; expected a count of at least 1")
    return Token(REPEAT, text, column, low=low, high=high)


_FORMS = "a size: 48, 48/15, 20-600, 512-, *, @3"
# The first pattern that matches from the start of a wrong word explains it. The column is that of group 1's start.
_WRONG = (
    (
        r"[csxCSX][^#]*(\$)",
        "wrong use of a parameter in {word}; expected it where a number stands, for example c$n, c$n+58, c@a-$n",
    ),
    (r"[^}]*(\})", "'}}' without '{{'; expected {{n}}, {{n,m}} or {{n,}} after an element or a group"),
    (r"()\+[csxCSX][0-9*@]", "no blank after the pause mark in {word}; expected tokens apart"),
    (r"[csxCSX]()$", "{word} has no size; expected " + _FORMS),
    (r"[csxCSX]@()$", "{word} names no element; expected a number or a name after '@', for example c@3 or c@acc"),
    (r"[csxCSX]@[0-9A-Za-z_]+[+-]()$", "no number after the sign in {word}; expected a constant, for example c@3+16"),
    (
        r"[csxCSX]@[0-9A-Za-z_]+[+-]()[^0-9]",
        "no number after the sign in {word}; expected a constant, for example c@3+16",
    ),
    (
        r"[csxCSX](?:[0-9]+|@[0-9A-Za-z_]+(?:[+-][0-9]+)?)/()(?:[^0-9]|$)",
        "no tolerance after '/' in {word}; expected a number, for example c48/15",
    ),
    (r"[csxCSX][0-9]+-[0-9]+(/)", "a range has no tolerance; expected {word} without '/'"),
    (r"[csxCSX]\*(/)", "any size has no tolerance; expected {word} without '/'"),
    (r"[csxCSX](-)", "{word} is a range without a lower bound; expected both bounds, for example c0-600"),
    (
        r"[csxCSX][^#]+#()(?:[^A-Za-z_]|$)",
        "wrong name in {word}; expected a letter or '_' after '#', then letters, digits, '_'",
    ),
    (r"[csxCSX][^#]+#[0-9A-Za-z_]+([^0-9A-Za-z_])", "wrong name in {word}; expected letters, digits and '_' only"),
    (
        r"[csxCSX][0-9*@][^+~.]*(\+|~|\.\.\.)",
        "no blank before the pause mark or '...' in {word}; expected tokens apart",
    ),
    (r"[csxCSX][0-9]+([A-Za-z]+)", "{group} after the size in {word}; expected a plain number of bytes"),
    (r"[csxCSX][0-9@*]+.*?()$", "wrong size in {word}; expected " + _FORMS),
    (r"()[0-9]+", "{word} has no side; expected c, s or x before a packet's size, C, S or X before a turn's"),
    (r"\+()[0-9.]+(?:$|-)", "the pause {word} has no unit; expected us, ms, s, min or h after the number"),
    (
        r"\+[0-9.]+(?:us|ms|s|min|h)-()$",
        "the pause range {word} has no end; expected +2s for at least, +60ms-2s for between",
    ),
    (
        r"\+[0-9.]+(?:us|ms|s|min|h)-[0-9.]+()(?:$|-)",
        "the pause {word} has no unit; expected us, ms, s, min or h after the number",
    ),
    (
        r"\+(?:[0-9.]+(?:us|ms|s|min|h)-)?[0-9.]*([a-zA-Z]+)",
        "unknown unit {group} in the pause {word}; expected us, ms, s, min or h",
    ),
    (r"()\+", "wrong pause {word}; expected +, +2s or +60ms-2s"),
    (r"()~", "wrong pause {word}; expected ~ alone"),
    (r"()(?:\.+|\u2026+)$", "wrong {word}; expected exactly three dots"),
    (r"()=", "'=' in the wrong place; expected it once, between the ports and the sequence, with blanks around it"),
    (r"()#", "{word} names nothing; expected the name directly after an element, for example s44#acc"),
    (r"\$()$", "{word} names no definition; expected a name after '$', for example $KEX"),
    (r"()\$", "wrong name in {word}; expected letters, digits and '_' after '$', and a blank after them"),
    (r"():", "':' in a definition; expected its sequence alone, without description"),
    (r"()@", "{word} has no side; expected c, s or x before '@'"),
)
_WRONG_COMPILED: list[tuple[re.Pattern[str], str]] = []


def _diagnose(word: str, column: int) -> Mistake:
    if re.match(r"[csxCSX][^#]*[,!]", word):
        wrong = _diagnose_set(word, column)
        if wrong is not None:
            return wrong
    if not _WRONG_COMPILED:
        _WRONG_COMPILED.extend((re.compile(pattern), message) for pattern, message in _WRONG)
    for pattern, message in _WRONG_COMPILED:
        match = pattern.match(word)
        if match is not None:
            text = message.format(word=quote(word), group=quote(match[1]))
            return Mistake(column + match.start(1), text)
    hint = suggest(word, ("where",))
    return Mistake(
        column, f"unknown token {quote(word)}{hint}; expected an element, a pause mark, a group, '...' or 'where'"
    )


def _diagnose_set(word: str, column: int) -> Mistake | None:
    """Find the first wrong one of several sizes, and say of it what would be said of an element with it alone."""
    body = word.partition("#")[0]
    excluding = False
    for match in re.finditer(r"(^.|[,!])([^,!]*)", body):
        sign, size = match.groups()
        if sign == "!" and excluding:
            return Mistake(
                column + match.start(), f"a second '!' in {quote(word)}; expected it once, for example c20-600!48,64/0"
            )
        excluding = excluding or sign == "!"
        if not size:
            return Mistake(
                column + match.end(),
                f"no size after {quote(sign)} in {quote(word)}; expected sizes without blanks, for example c48,72/0",
            )
        if not _ONE_SIZE.fullmatch(size):
            return _diagnose(word[0] + size, column + match.start(2) - 1)
    return None
