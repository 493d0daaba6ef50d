# SPDX-License-Identifier: LGPL-2.1-or-later
"""The events and their one schema: EVE objects (Suricata's JSON layout) made of ended flows and their hits.

The classes below are the schema: each key that an event can have, its type, unit and meaning. docs/events.md explains
them to readers, encoders to other schemas start from them, and a test holds the three together. Suricata's own names
are used where Suricata has the field, in its units; what it has no place for is under `flowtap`.

An event is a plain dict of str, int, bool, float, list and dict, so that JSON and msgpack both take it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from socket import AF_INET, AF_INET6, inet_ntop
from time import gmtime, strftime
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from engine.community_id import flow_community_id
from engine.verdict import Verdict, doubts

if TYPE_CHECKING:
    from engine import Flow, Hit, Reason
    from sigdb import Rule, Signature

PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "IPv6-ICMP"}

# Suricata's priorities: 1 is the highest.
SEVERITIES = {"critical": 1, "high": 2, "medium": 3, "low": 4}

_MAPPED = bytes(10) + b"\xff\xff"
_FLOW_ID_MASK = (1 << 53) - 1  # what a JSON reader with double-precision numbers keeps


State = Literal["new", "established", "closed", "open"]


class FlowFields(TypedDict):
    """The `flow` object: what was counted. Bytes and packets are those of the shape: payload, each byte once."""

    pkts_toserver: int  # packets from the client
    pkts_toclient: int  # packets from the server
    bytes_toserver: int  # payload bytes from the client
    bytes_toclient: int  # payload bytes from the server
    start: str  # time of the first packet
    end: str  # time of the last packet of the shape; without any, of the last packet
    age: int  # seconds between the two, rounded down
    state: State  # see `flow_state`
    reason: str  # why the flow was reported: an engine.Reason in lower case
    alerted: bool  # at least one signature matched


class AlertFields(TypedDict):
    """The `alert` object: the signature."""

    action: Literal["allowed"]  # flowtap never blocks
    gid: Literal[1]
    signature_id: int  # 1..2^31-1, derived from the signature's id: the same everywhere and for ever
    rev: int  # the signature's `rev`
    signature: str  # the signature's description; of an unknown verdict "unknown (gap): " and the description
    category: str  # the signature's `category`, empty without one; of an unknown verdict "unknown"
    severity: int  # 1 critical, 2 high, 3 medium, 4 low; of an unknown verdict 4
    metadata: dict[str, list[str]]  # flowtap_id, and mitre_technique_id where `attack` is given
    references: NotRequired[list[str]]  # the signature's `reference`


class FlowtapFields(TypedDict):
    """The `flowtap` object: what EVE has no place for."""

    seq: NotRequired[int]  # the feed's number of the event, from 1 on without holes; absent in `flowtap read`
    id: NotRequired[str]  # alert: the signature's id, e.g. ssh.auth.failure
    hits: NotRequired[int]  # alert: how often the signature matched in this flow
    signatures: NotRequired[list[str]]  # flow: ids of all signatures that matched
    shape: NotRequired[str]  # alert: the packets that matched; flow: its packets; in the signature language
    confidence: int  # 0..100: how sure it is who is the client
    verdict: NotRequired[Verdict]  # alert: `match`, or `unknown` when too little of the flow was seen for a claim
    certainty: NotRequired[int]  # alert: 0..100: how sure the claim is; 0 when the verdict is unknown
    doubts: NotRequired[list[str]]  # alert: why the verdict is unknown, words of engine.verdict.DOUBTS
    flows: NotRequired[int]  # alert of a rule: in how many flows the hits were
    since: NotRequired[str]  # alert of a rule: time of the first hit
    key: NotRequired[dict[str, str]]  # alert of a rule: what the flows have in common: src, dst, port
    gap: bool  # packets are missing: the shape has a hole
    midstream: bool  # the beginning of the connection was not seen
    turns_toserver: NotRequired[int]  # flow: turns of the client
    turns_toclient: NotRequired[int]  # flow: turns of the server
    rtt_client_us: NotRequired[int]  # flow: round trip between tap and client, microseconds; absent: not measured
    rtt_server_us: NotRequired[int]  # flow: round trip between tap and server, microseconds; absent: not measured


class FlowEvent(TypedDict):
    """An `alert` event (one per flow and signature that matched) or a `flow` event (one per ended flow)."""

    timestamp: str  # alert: the first hit; flow: its end. 2006-01-02T15:04:05.123456+0000
    flow_id: int  # below 2^53; the same in all events of a flow
    capture: NotRequired[str]  # the capture file as it was named; absent in live events
    in_iface: NotRequired[str]  # the interface, where it is known
    event_type: Literal["alert", "flow"]
    vlan: NotRequired[list[int]]  # VLAN identifiers, the outermost first; absent when untagged
    src_ip: str  # the client's address
    src_port: NotRequired[int]  # the client's port; absent with ICMP
    dest_ip: str  # the server's address
    dest_port: NotRequired[int]  # the server's port; absent with ICMP
    icmp_id: NotRequired[int]  # ICMP: the identifier; absent where the messages have none
    proto: str  # TCP, UDP, ICMP or IPv6-ICMP
    community_id: NotRequired[str]  # version 1; absent for ICMP without an identifier
    flow: FlowFields
    alert: NotRequired[AlertFields]  # alert only
    flowtap: FlowtapFields


class CaptureErrorFields(TypedDict):
    """One entry of `stats.errors`: a capture that could not be read to its end."""

    capture: str  # the file as it was named
    offset: NotRequired[int]  # where in the file, bytes; absent when it could not be opened
    reason: str  # what was wrong and what was expected


class CaptureFields(TypedDict):
    """One entry of `stats.captures`: what one file held."""

    capture: str  # the file as it was named
    packets: int  # packets read
    bytes: int  # their bytes on the wire
    filtered: int  # packets that the filter expression left out


class StatsFields(TypedDict):
    """The `stats` object: every counter, all captures together."""

    packets: int  # packets read
    bytes: int  # their bytes on the wire
    filtered: int  # packets that the filter expression left out
    verdicts: dict[str, int]  # how the parser ended, by verdict; with `filtered` they sum up to `packets`
    engine: dict[str, int]  # the engine's counters
    flows: dict[str, int]  # total: flows seen; matched: flows with at least one alert
    alerts: int  # alert events
    captures: list[CaptureFields]  # the same for each file
    errors: list[CaptureErrorFields]  # captures that could not be read to their end


class StatsEvent(TypedDict):
    """The last event."""

    timestamp: str  # the time of the last packet, or of the run where there was none
    event_type: Literal["stats"]
    capture: str | None  # the file when there was one, null when there were several
    stats: StatsFields


def flow_state(reason: Reason, packets_client: int, packets_server: int) -> State:
    """Return what was known of the flow when it was reported.

    `open`: the capture ended before the flow did. `closed`: FIN or RST. Otherwise, as in Suricata, `established` when
    both sides sent something and `new` when only one did.
    """
    name = reason.name
    if name == "OPEN":
        return "open"
    if name in ("FIN", "RST"):
        return "closed"
    return "established" if packets_client and packets_server else "new"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def timestamp(ns: int) -> str:
    """Return Suricata's form of a time, in UTC; `ns` are nanoseconds since 1970, digits below 1 us are cut off."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{_second(seconds)}.{rest // 1000:06d}+0000"


def address(packed: bytes) -> str:
    """Return the text of a 16-byte address; ::ffff:a.b.c.d as a.b.c.d."""
    return inet_ntop(AF_INET, packed[12:]) if packed.startswith(_MAPPED) else inet_ntop(AF_INET6, packed)


def signature_id(identifier: str) -> int:
    """Return the number, 1..2^31-1, that stands for a signature's id in EVE.

    It is a hash, so that it needs no registry and never changes. Two ids of a database of 10,000 share a number with a
    probability of about 2 %; `metadata.flowtap_id` tells them apart.
    """
    return (int.from_bytes(blake2b(identifier.encode(), digest_size=4).digest()) & 0x7FFFFFFF) or 1


class Events:
    """Makes the events of flows; holds what is the same for all flows of a source.

    `signatures` is the program's tuple that `Hit.signature` indexes. `capture` names the file (None: live), and
    `interface` gives the name of the interface with a number, or "" where it has none. `offset_ns` is added to the
    times that are shown: the time since 1970 less the clock of the records. It may change at any time, as the clock of
    the day does: what identifies a flow (`flow_id`) is made from the records' own clock.
    """

    def __init__(
        self,
        signatures: Sequence[Signature],
        capture: str | None = None,
        interface: Callable[[int], str] = lambda number: "",
        offset_ns: int = 0,
    ) -> None:
        self.signatures = signatures
        self.capture = capture
        self.interface = interface
        self.offset_ns = offset_ns

    def alerts(self, flow: Flow) -> Iterator[FlowEvent]:
        """Yield an `alert` event for each signature that matched in `flow`, and was not published with this count."""
        hits = [hit for hit in flow.hits if hit.count != hit.published]
        if not hits:
            return
        common = self._common(flow)
        why = doubts(flow)
        for hit in hits:
            signature = self.signatures[hit.signature]
            event: FlowEvent = {
                **common,
                "timestamp": self._shown(hit.ts_ns),
                "event_type": "alert",
                "alert": alert_fields(signature, why),
                "flowtap": _evidence(flow, hit, signature, why),
            }
            yield event

    def flow(self, flow: Flow) -> FlowEvent:
        """Return the `flow` event of `flow`."""
        event = self._common(flow)
        extra: FlowtapFields = {
            "shape": flow.shape,
            "signatures": [self.signatures[hit.signature].id for hit in flow.hits],
            "confidence": flow.confidence,
            "gap": flow.gap,
            "midstream": flow.midstream,
            "turns_toserver": flow.turns_c,
            "turns_toclient": flow.turns_s,
        }
        if flow.rtt_c_ns is not None:
            extra["rtt_client_us"] = flow.rtt_c_ns // 1000
        if flow.rtt_s_ns is not None:
            extra["rtt_server_us"] = flow.rtt_s_ns // 1000
        event["flowtap"] = extra
        return event

    def _shown(self, ns: int) -> str:
        return timestamp(max(0, ns + self.offset_ns))

    def _common(self, flow: Flow) -> FlowEvent:
        """Return the `flow` event of `flow` without its `flowtap` object."""
        event: dict[str, Any] = {"timestamp": self._shown(flow.end_ns)}
        identity = flow_community_id(flow.proto, flow.client, flow.server, flow.client_port, flow.server_port)
        event["flow_id"] = _flow_id(flow)
        if self.capture is not None:
            event["capture"] = self.capture
        if name := self.interface(flow.iface):
            event["in_iface"] = name
        event["event_type"] = "flow"
        if flow.vlan:
            event["vlan"] = [flow.vlan, flow.vlan2] if flow.vlan2 else [flow.vlan]
        has_ports = flow.proto in (6, 17)
        event["src_ip"] = address(flow.client)
        if has_ports:
            event["src_port"] = flow.client_port
        event["dest_ip"] = address(flow.server)
        if has_ports:
            event["dest_port"] = flow.server_port
        elif flow.client_port:
            event["icmp_id"] = flow.client_port
        event["proto"] = PROTOCOLS.get(flow.proto, str(flow.proto))
        if identity is not None:
            event["community_id"] = identity
        event["flow"] = FlowFields(
            pkts_toserver=flow.packets_c,
            pkts_toclient=flow.packets_s,
            bytes_toserver=flow.bytes_c,
            bytes_toclient=flow.bytes_s,
            start=self._shown(flow.start_ns),
            end=self._shown(flow.end_ns),
            age=(flow.end_ns - flow.start_ns) // 1_000_000_000,
            state=flow_state(flow.reason, flow.packets_c, flow.packets_s),
            reason=flow.reason.name.lower(),
            alerted=bool(flow.hits),
        )
        return event  # type: ignore[return-value]


def stats_event(stats: StatsFields, *, time_ns: int, capture: str | None) -> StatsEvent:
    """Return the last event of a run; `time_ns` is the time of the last packet."""
    return {"timestamp": timestamp(time_ns), "event_type": "stats", "capture": capture, "stats": stats}


def _flow_id(flow: Flow) -> int:
    """Return a number below 2^53 from what names a flow: protocol, ends, VLAN and start.

    Community ids alone would give the same number to two connections that use the same ports one after the other.
    """
    text = b"%d %b %b %d %d %d %d %d" % (
        flow.proto,
        flow.client,
        flow.server,
        flow.client_port,
        flow.server_port,
        flow.vlan,
        flow.vlan2,
        flow.start_ns,
    )
    return int.from_bytes(blake2b(text, digest_size=8).digest()) & _FLOW_ID_MASK


def said(description: str, why: Sequence[str]) -> str:
    """Return what is said of a match; `why` it is no claim, if it is none."""
    return f"unknown ({', '.join(why)}): {description}" if why else description


def certainty(confidence: int, direction: int, why: Sequence[str]) -> int:
    """Return how sure a claim is, in percent: the signature's confidence, if it is right who the client is."""
    return 0 if why else confidence * direction // 100


def alert_fields(signature: Signature | Rule, why: Sequence[str] = ()) -> AlertFields:
    """Return the `alert` object of a signature or rule; `why` it is no claim, if it is none."""
    metadata = {"flowtap_id": [signature.id]}
    if signature.attack:
        metadata["mitre_technique_id"] = list(signature.attack)
    alert: AlertFields = {
        "action": "allowed",
        "gid": 1,
        "signature_id": signature_id(signature.id),
        "rev": signature.rev,
        "signature": said(signature.description, why),
        "category": "unknown" if why else signature.category,
        "severity": SEVERITIES["low" if why else signature.severity],
        "metadata": metadata,
    }
    if signature.reference:
        alert["references"] = [signature.reference]
    return alert


def _evidence(flow: Flow, hit: Hit, signature: Signature, why: list[str]) -> FlowtapFields:
    evidence: FlowtapFields = {
        "id": signature.id,
        "hits": hit.count,
        "verdict": "unknown" if why else "match",
        "certainty": certainty(signature.confidence, flow.confidence, why),
        "confidence": flow.confidence,
        "gap": flow.gap,
        "midstream": flow.midstream,
    }
    if why:
        evidence["doubts"] = why
    if hit.shape is not None:
        evidence["shape"] = hit.shape
    return evidence


def sum_counters(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums, name by name, of several sets of counters."""
    total: dict[str, int] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0) + value
    return total
