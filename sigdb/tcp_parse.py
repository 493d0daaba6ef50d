# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parses one signature `ver:ittl:olen:mss:wsize,scale:olayout:quirks:pclass`; raises Mistake with the column.

Source: p0f v3, docs/README, section 5. Numbers have p0f's bounds.
"""

from __future__ import annotations

from typing import Any

from sigdb.errors import Mistake, quote, suggest
from sigdb.tcp_nodes import ANY, MAX_OPTIONS, OPTIONS, QUIRK, Window

FORM = "ver:ittl:olen:mss:wsize,scale:olayout:quirks:pclass"
KINDS = {name: kind for kind, name in OPTIONS.items()}
IPV4_QUIRKS = ("df", "id+", "id-", "0+")


def number(text: str, column: int, low: int, high: int, what: str) -> int:
    """Return a decimal number within bounds. Raises Mistake."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or not low <= int(text) <= high:
        raise Mistake(column, f"{what} {quote(text)}, expected a number from {low} to {high}")
    return int(text)


def or_any(text: str, column: int, low: int, high: int, what: str) -> int:
    """Return a number within bounds, ANY for a star. Raises Mistake."""
    if text == "*":
        return ANY
    if text == "" or not text[0].isdecimal():
        raise Mistake(column, f"{what} {quote(text)}, expected a number from {low} to {high}, or *")
    return number(text, column, low, high, what)


def signature(text: str, column: int) -> dict[str, Any]:
    """Return the fields of TcpSignature that the signature tells; `column` is that of its first character."""
    fields = text.split(":")
    if len(fields) != 8:
        raise Mistake(column, f"{len(fields)} fields parted by colons, expected 8: {FORM}")
    columns = [column]
    for field in fields[:-1]:
        columns.append(columns[-1] + len(field) + 1)
    if fields[0] not in ("4", "6", "*"):
        raise Mistake(columns[0], f"IP version {quote(fields[0])}, expected 4, 6 or *")
    version = ANY if fields[0] == "*" else int(fields[0])
    ttl, bad_ttl = _ttl(fields[1], columns[1])
    kind, window, scale = _window(fields[4], columns[4])
    layout, eol_pad = _layout(fields[5], columns[5])
    if fields[7] not in ("0", "+", "*"):
        raise Mistake(columns[7], f"payload class {quote(fields[7])}, expected 0, + or *")
    return {
        "version": version,
        "ttl": ttl,
        "bad_ttl": bad_ttl,
        "olen": number(fields[2], columns[2], 0, 255, "length of IP options"),
        "mss": or_any(fields[3], columns[3], 0, 65535, "MSS"),
        "window_kind": kind,
        "window": window,
        "scale": scale,
        "layout": layout,
        "eol_pad": eol_pad,
        "quirks": _quirks(fields[6], columns[6], version),
        "payload": {"0": 0, "+": 1, "*": ANY}[fields[7]],
        "text": text,
    }


def _ttl(text: str, column: int) -> tuple[int, bool]:
    """Read `64`, `54+10` or `64-`."""
    if text.endswith("-"):
        return number(text[:-1], column, 1, 255, "initial TTL"), True
    base, plus, distance = text.partition("+")
    ttl = number(base, column, 1, 255, "initial TTL")
    if plus:
        at = column + len(base) + 1
        if distance == "?":
            raise Mistake(at, f"distance '?' of a TTL of {ttl}, expected the initial TTL, or TTL+distance")
        ttl += number(distance, at, 0, 255 - ttl, "distance")
    return ttl, False


def _window(text: str, column: int) -> tuple[Window, int, int]:
    size, comma, scale = text.partition(",")
    if not comma:
        raise Mistake(column, f"window {quote(text)}, expected size,scale")
    at = column + len(size) + 1
    factor = or_any(scale, at, 0, 255, "window scale")
    if size == "*":
        return Window.ANY, 0, factor
    if size.startswith("%"):
        return Window.MODULO, number(size[1:], column + 1, 2, 65535, "modulus of the window"), factor
    if size.startswith(("mss*", "mtu*")):
        kind = Window.MSS if size[1] == "s" else Window.MTU
        return kind, number(size[4:], column + 4, 1, 1000, "multiple of the window"), factor
    if size == "" or not size[0].isdecimal():
        raise Mistake(column, f"window {quote(size)}, expected a number, *, %n, mss*n or mtu*n")
    return Window.VALUE, number(size, column, 0, 65535, "window"), factor


def _layout(text: str, column: int) -> tuple[bytes, int]:
    """Return the kinds of options and the bytes behind their end."""
    layout: list[int] = []
    eol_pad = 0
    words = text.split(",") if text else []
    if len(words) > MAX_OPTIONS:
        raise Mistake(column, f"{len(words)} TCP options, expected at most {MAX_OPTIONS}")
    for place, word in enumerate(words):
        if word.startswith("eol"):
            if not word.startswith("eol+"):
                raise Mistake(column, f"option {quote(word)}, expected eol+n, n the bytes behind it")
            if place != len(words) - 1:
                raise Mistake(column, "eol before another option, expected it at the end")
            eol_pad = number(word[4:], column + 4, 0, 255, "bytes behind the end of options")
            layout.append(0)
        elif word.startswith("?"):
            layout.append(number(word[1:], column + 1, 0, 255, "kind of option"))
        elif word in KINDS:
            layout.append(KINDS[word])
        else:
            names = ", ".join(KINDS)
            raise Mistake(column, f"option {quote(word)}, expected one of {names}, ?n{suggest(word, KINDS)}")
        column += len(word) + 1
    return bytes(layout), eol_pad


def _quirks(text: str, column: int, version: int) -> int:
    quirks = 0
    for word in text.split(",") if text else []:
        if word not in QUIRK:
            raise Mistake(column, f"quirk {quote(word)}, expected one of {', '.join(QUIRK)}{suggest(word, QUIRK)}")
        if (version == 6 and word in IPV4_QUIRKS) or (version == 4 and word == "flow"):
            raise Mistake(column, f"quirk '{word}', which IPv{version} does not have")
        quirks |= QUIRK[word]
        column += len(word) + 1
    return quirks
