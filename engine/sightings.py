# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sightings: what completed handshakes say of one end, as a worker tells it to the collector.

A sighting sums up handshakes that show the same: one address, one side, one system, one server port, and peers that
are all inside or all outside. So a busy pair of hosts costs one message in a while, whatever it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, Literal

from engine.events import timestamp

EVENT_TYPE = "sighting"
KINDS = ("client", "server", "embedded", "tool")  # classes of systems that a database may give
Side = Literal["client", "server"]

_TEXT = 256  # characters of the longest text that is believed
_LIMITS = {  # bounds of numbers: least, most
    "port": (0, 65_535),
    "count": (1, 1 << 40),
    "answered": (0, 1 << 40),
    "spoke": (0, 1 << 40),
    "first_ns": (0, (1 << 63) - 1),
    "last_ns": (0, (1 << 63) - 1),
    "distance": (-1, 255),
    "mtu": (0, 65_535),
    "ip_id": (-1, 65_535),
    "ts": (-1, (1 << 32) - 1),
}


@dataclass(frozen=True, slots=True)
class Sighting:
    """Handshakes of one end. Numbers that are one handshake's (peer, distance, ip_id, ts) are the last one's."""

    address: str
    side: Side  # client: its SYN was looked at; server: its SYN+ACK
    peer: str  # the other end
    outside: bool  # the peer is in none of the home networks
    port: int  # the server's
    label: str  # the system's name in the database, "" when it is unknown
    family: str  # the name without version, e.g. Linux
    kind: str  # client, server, embedded, tool, or "" when the database does not say
    raw: str  # the signature in p0f's form
    count: int = 1  # handshakes
    answered: int = 0  # of these, the server sent payload
    spoke: int = 0  # of these, the client sent payload
    first_ns: int = 0  # the first one, nanoseconds since 1970
    last_ns: int = 0
    distance: int = -1  # hops; -1: not known
    bad_ttl: bool = False  # the database says that this system's TTL is no guide
    fuzzy: bool = False  # the signature did not match in every point
    generic: bool = False  # the signature is a last resort
    mtu: int = 0  # of the link, as the MSS lets it be guessed; 0: not known
    ip_id: int = -1  # IPv4 identification; -1: IPv6
    ts: int = -1  # the TCP timestamp; -1: none

    @property
    def system(self) -> str:
        """What stands for the system: its label, or the raw signature of an unknown one without its hops."""
        return self.label or _without_hops(self.raw)

    @property
    def ttl(self) -> int:
        """The TTL of the last handshake, -1 where the signature has none."""
        number = self.raw.partition(":")[2].partition("+")[0]
        return int(number) if number.isdecimal() and number.isascii() else -1

    def event(self) -> dict[str, Any]:
        """Return the form that goes over the wire (engine.wire)."""
        return event_of({name: getattr(self, name) for name in _FIELDS})


def event_of(told: dict[str, Any]) -> dict[str, Any]:
    """Return the event that has the fields of a Sighting."""
    return {
        "timestamp": timestamp(told["last_ns"]),
        "event_type": EVENT_TYPE,
        "flow_id": 0,
        "flowtap": {},
        EVENT_TYPE: told,
    }


_FIELDS = {field.name: field.type for field in fields(Sighting)}


def believed(event: Mapping[str, Any]) -> Sighting | None:
    """Return the sighting that an event is; None for what no worker sends."""
    told = event.get(EVENT_TYPE)
    if not isinstance(told, dict) or told.keys() != _FIELDS.keys():
        return None
    for name, kind in _FIELDS.items():
        value = told[name]
        if name in _LIMITS:
            least, most = _LIMITS[name]
            if type(value) is not int or not least <= value <= most:
                return None
        elif type(value) is not (bool if kind == "bool" else str) or (isinstance(value, str) and len(value) > _TEXT):
            return None
    if told["side"] not in ("client", "server") or told["kind"] not in ("", *KINDS):
        return None
    if not (is_address(told["address"]) and is_address(told["peer"])):
        return None
    return Sighting(**told)


def is_address(text: str) -> bool:
    """Return whether `text` is an IPv4 or IPv6 address as engine.events.address writes it."""
    try:
        inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):  # ValueError: a zero byte
        return False
    return True


def _without_hops(raw: str) -> str:
    """Return a raw signature `ver:ttl+hops:...` without the hops: they belong to the path."""
    version, _, rest = raw.partition(":")
    ttl, _, rest = rest.partition(":")
    return f"{version}:{ttl.partition('+')[0]}:{rest}"
