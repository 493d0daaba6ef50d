# SPDX-License-Identifier: LGPL-2.1-or-later
"""The schema of events on hosts, in the way of engine.events: `host` events, and `alert` events of host rules."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from engine.events import AlertFields

# `class` is no name that Python lets a field of a class have.
SystemFields = TypedDict(
    "SystemFields",
    {
        "side": str,  # client: known by its SYNs; server: by its SYN+ACKs
        "label": str,  # the name in the database, empty when unknown
        "class": str,  # client, server, embedded, tool; empty when the database does not say
        "raw": str,  # the last raw signature, in p0f's form
        "fuzzy": bool,  # the last one did not match in every point
        "distance": int,  # hops of the last one, -1 when unknown
        "handshakes": int,
        "first_seen": str,
        "last_seen": str,
    },
)


class RoleFields(TypedDict):
    """One entry of `host.roles`: what the host did."""

    side: str  # server: it accepted connections; client: it made them
    port: int  # the server's port
    handshakes: int
    answered: int  # of these, the server sent payload


class UptimeFields(TypedDict):
    """The object `host.uptime`: what its TCP timestamps say, if they are one clock."""

    minutes: int  # since its clock was 0
    modulo_days: int  # after so many days it begins at 0 again
    rate: int  # of the clock, Hz


class HostFields(TypedDict):
    """The `host` object: what is known of an address."""

    address: str
    first_seen: str
    last_seen: str
    distance: int  # hops between the host and the tap, -1 when unknown
    mtu: int  # of its link, as the MSS lets it be guessed; 0 when unknown
    link: str  # what a link with this MTU may be, empty when unknown
    mixed: bool  # several systems share the address
    confidence: int  # 0..100: how sure its main system is
    systems: list[SystemFields]
    roles: list[RoleFields]
    uptime: NotRequired[UptimeFields]
    doubts: NotRequired[dict[str, int]]  # kinds of contradictions, and in how many handshakes


class EvidenceFields(TypedDict):
    """The object `flowtap.evidence` of an alert."""

    direction: Literal["inbound", "outbound", "internal", "external"]
    agree: int  # handshakes that agree
    handshakes: int  # identified handshakes of that side
    fuzzy: NotRequired[int]  # of these, handshakes that would agree, but do not match in every point
    doubts: NotRequired[dict[str, int]]  # host.contradiction: kinds, and in how many handshakes


class HostFlowtapFields(TypedDict):
    """The `flowtap` object."""

    seq: NotRequired[int]  # as in other events
    id: NotRequired[str]  # alert: host.client-serving, host.client-mailing or host.contradiction
    hits: NotRequired[int]  # alert: handshakes that agree
    confidence: int  # 0..100
    evidence: NotRequired[EvidenceFields]  # alert


class HostEvent(TypedDict):
    """A `host` event (something about a host has changed), or an `alert` event about a host."""

    timestamp: str  # when the host was last seen
    event_type: Literal["host", "alert"]
    src_ip: str  # host: its address; alert: the client's address in the last handshake
    dest_ip: NotRequired[str]  # alert: the server's address in the last handshake
    dest_port: NotRequired[int]  # alert: the server's port; absent with host.contradiction
    proto: NotRequired[str]  # alert: TCP
    alert: NotRequired[AlertFields]
    host: HostFields
    flowtap: HostFlowtapFields
