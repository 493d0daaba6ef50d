# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether an earlier signature already takes all that a later one would (p0f's "is already covered by line")."""

from __future__ import annotations

from sigdb.tcp_nodes import ANY, QUIRK, TcpSignature, Window

MAX_DISTANCE = 35
IPV4_ONLY = QUIRK["df"] | QUIRK["id+"] | QUIRK["id-"]


def multiple(window: int, mss: int, version: int) -> tuple[Window, int] | None:
    """Return how p0f would print the window of a SYN without timestamps; None: as a value."""
    if not window or mss < 100:
        return None
    units = [(Window.MSS, mss), (Window.MSS, 1460), (Window.MSS, 1448)]
    if version == 6:
        units += [(Window.MSS, 1440), (Window.MSS, 1428)]
    units += [(Window.MTU, mss + 40), (Window.MTU, mss)]
    if version == 6:
        units.append((Window.MTU, mss + 60))
    units.append((Window.MTU, 1500))
    return next(((kind, window // unit) for kind, unit in units if window % unit == 0), None)


def covers(old: TcpSignature, new: TcpSignature) -> bool:
    """Whether a packet that `new` describes would always be given to `old`, which stands before it."""
    if old.label.generic or old.response != new.response or old.layout != new.layout:
        return False
    quirks = old.quirks
    if old.version == ANY:  # p0f takes a star in `new` for IPv6 here, and p0f.fp has lines that need this
        quirks &= ~QUIRK["flow"] if new.version == 4 else ~IPV4_ONLY
    if quirks != new.quirks or old.eol_pad != new.eol_pad or old.olen != new.olen or old.ttl < new.ttl:
        return False
    if not old.bad_ttl and old.ttl - new.ttl > MAX_DISTANCE:
        return False
    pairs = ((old.mss, new.mss), (old.scale, new.scale), (old.payload, new.payload))
    return all(a in (ANY, b) for a, b in pairs) and _covers_window(old, new)


def _covers_window(old: TcpSignature, new: TcpSignature) -> bool:
    if new.window_kind != Window.VALUE:
        return (old.window_kind, old.window) == (new.window_kind, new.window)
    if old.window_kind == Window.ANY:
        return True
    if old.window_kind == Window.VALUE:
        return old.window == new.window
    if old.window_kind == Window.MODULO:
        return new.window % old.window == 0
    return multiple(new.window, new.mss, new.version) == (old.window_kind, old.window)
