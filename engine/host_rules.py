# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules on hosts: a client-class system that serves or mails, and evidence that contradicts itself.

The rule of client-class systems is that of a study of 2009 (fl0p's time): machines whose TCP stack is that of a desktop
and that answer on a web port are infected far more often than not. Each rule needs `handshakes` that agree, says how
many did, and keeps silent, as `mixed`, where several systems share an address. An alert may wake somebody: so what does
not fit in every point is no evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from engine.hosts import Entry, Host, Key
from engine.sightings import Side

AGREE = 0.9  # share of the identified handshakes that one family needs to be the host's system
AGAIN_NS = 86_400_000_000_000  # an alert of the same host, id and port is told once in this time
HOME = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10")

_FUZZY = 0.7  # what a fuzzy match weighs in a confidence, beside one that fits in every point
_UNKNOWN_ANSWER = 50  # percent: the system behind the port itself is not known, only that of the host as a client


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of alert; the fields are those of a signature."""

    id: str
    description: str
    severity: str
    attack: tuple[str, ...]


SERVING = Rule("host.client-serving", "A client-class system answers as a server", "medium", ("T1584.005",))
MAILING = Rule("host.client-mailing", "A client-class system sends mail to the outside", "high", ("T1071.003",))
CONTRADICTION = Rule("host.contradiction", "A host's packets contradict one another", "low", ("T1090",))
RULES = (SERVING, MAILING, CONTRADICTION)


class Opinion(NamedTuple):
    """What all evidence together says of a host."""

    family: dict[Side, str]  # the main system's family on each side that is known
    share: dict[Side, float]  # its share of that side's identified handshakes
    mixed: bool  # several systems share the address
    confidence: int  # percent: how sure the main system is


class Found(NamedTuple):
    """An alert: what the event is made of."""

    rule: Rule
    host: Host
    port: int  # the server's; 0: no port
    peer: str  # the other end of the last handshake; "" for none
    direction: str  # inbound, outbound, internal, external
    system: str
    agree: int  # handshakes that say so, in every point
    fuzzy: int  # handshakes that say so, but for a point
    of: int  # identified handshakes on that side
    confidence: int  # percent
    doubts: dict[str, int]  # of a contradiction: kind and handshakes


class Networks:
    """A set of networks. Raises ValueError for what is none."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(text, strict=False) for text in texts]
        self._known: dict[str, bool] = {}

    def __contains__(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= 65_536:
                self._known.clear()
            parsed = ip_address(address)
            known = self._known[address] = any(parsed in network for network in self._networks)
        return known


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say (section hosts)."""

    home: Networks
    handshakes: int = 3
    ports: frozenset[int] = frozenset({80, 443, 8000, 8008, 8080, 8443, 8888})
    mail_ports: frozenset[int] = frozenset({25})
    allow_networks: Networks = Networks(())  # noqa: RUF009 - it never changes
    allow_ports: frozenset[int] = frozenset()
    allow_systems: tuple[str, ...] = ()  # beginnings of labels
    client_systems: tuple[str, ...] = ()  # the same: these are client-class, whatever the database says


def opinion(host: Host, handshakes: int) -> Opinion:
    """Weigh the evidence; a side with fewer than `handshakes` identified ones does not speak against the other."""
    family: dict[Side, str] = {}
    share: dict[Side, float] = {}
    sure = 0.0
    mixed = False
    sides: tuple[Side, Side] = ("client", "server")
    heard: list[str] = []
    for side in sides:
        counts = host.families(side)
        total = counts.total()
        if not total:
            continue
        family[side], most = counts.most_common(1)[0]
        share[side] = most / total
        exact = host.exact(side, family[side])
        weight = exact + _FUZZY * (most - exact)
        sure = max(sure, weight / total * min(1.0, most / handshakes))
        mixed |= share[side] < AGREE and total >= handshakes
        if total >= handshakes:
            heard.append(family[side])
    mixed |= len(set(heard)) > 1
    return Opinion(family, share, mixed, round(100 * sure))


def judge(host: Host, key: Key, policy: Policy) -> Iterator[Found]:
    """Yield what the rules find now that the entry at `key` has grown; each alert once in AGAIN_NS."""
    if host.address in policy.allow_networks:
        return
    said = opinion(host, policy.handshakes)
    entry = host.entries.get(key)
    found: list[Found] = []
    if entry is not None and not said.mixed and key.port not in policy.allow_ports:
        found += _serving(host, key, entry, said, policy)
        found += _mailing(host, key, entry, said, policy)
    found += _contradiction(host, said, policy)
    for one in found:
        name = (one.rule.id, one.port)
        last = host.told.get(name)
        if last is None or host.last_ns - last >= AGAIN_NS:
            host.told[name] = host.last_ns
            yield one


def _serving(host: Host, key: Key, entry: Entry, said: Opinion, policy: Policy) -> Iterator[Found]:
    if key.side != "server" or key.port not in policy.ports or entry.answered < policy.handshakes:
        return
    side: Side = "server"
    confidence = 100
    if not entry.last.family:
        if "server" in said.family:  # another port told the host's system, this one has none of it: something between
            return
        side, confidence = "client", _UNKNOWN_ANSWER
    evidence = _client_class(host, side, said, policy)
    if evidence is None:
        return
    direction = _direction(host.address not in policy.home, key.outside)
    yield _found(SERVING, host, key, entry, direction, evidence, confidence, said)


def _mailing(host: Host, key: Key, entry: Entry, said: Opinion, policy: Policy) -> Iterator[Found]:
    if key.side != "client" or key.port not in policy.mail_ports or not key.outside:
        return
    if min(entry.answered, entry.spoke) < policy.handshakes or not entry.last.family:
        return
    evidence = _client_class(host, "client", said, policy)
    if evidence is None:
        return
    # Seen from the mail servers' side: what comes from outside is inbound.
    direction = "outbound" if host.address in policy.home else "external"
    yield _found(MAILING, host, key, entry, direction, evidence, 100, said)


class _Evidence(NamedTuple):
    """That a side of a host is client-class."""

    system: str
    agree: int  # handshakes that say so in every point
    fuzzy: int  # and those that say so but for a point
    of: int  # identified handshakes of that side


def _client_class(host: Host, side: Side, said: Opinion, policy: Policy) -> _Evidence | None:
    """Return the evidence where a side's main system is client-class and not allowed, None elsewhere.

    A fuzzy match does not speak against it, but is no evidence: of the `handshakes` that must agree it is none.
    """
    family = said.family.get(side)
    entries = [
        entry
        for key, entry in host.entries.items()
        if family is not None and key.side == side and entry.last.family == family and _is_client(entry, policy)
    ]
    identified = host.families(side).total()
    agree, fuzzy = sum(e.count - e.fuzzy for e in entries), sum(e.fuzzy for e in entries)
    if agree < policy.handshakes or agree + fuzzy < AGREE * identified:
        return None
    label = entries[-1].last.label
    if label.startswith(policy.allow_systems):
        return None
    return _Evidence(label, agree, fuzzy, identified)


def _is_client(entry: Entry, policy: Policy) -> bool:
    return entry.last.kind == "client" or entry.last.label.startswith(policy.client_systems)


def _found(
    rule: Rule,
    host: Host,
    key: Key,
    entry: Entry,
    direction: str,
    evidence: _Evidence,
    confidence: int,
    said: Opinion,
) -> Found:
    confidence = min(confidence, said.confidence)
    return Found(rule, host, key.port, entry.last.peer, direction, *evidence, confidence, {})


def _contradiction(host: Host, said: Opinion, policy: Policy) -> Iterator[Found]:
    counts = {side: host.families(side) for side in said.family}
    doubts = host.doubts.grave(policy.handshakes)
    if len(said.family) == 2 and said.family["client"] != said.family["server"]:
        least = min(host.exact(side, said.family[side]) for side in said.family)
        if least >= policy.handshakes:
            doubts["syn_synack"] = least
    if not doubts:
        return
    newest = host.newest
    if newest.label.startswith(policy.allow_systems):
        return
    outside = host.address not in policy.home
    system = " / ".join(dict.fromkeys(said.family.values()))
    of = sum(c.total() for c in counts.values())
    confidence = 50 if len(doubts) == 1 else 80
    direction = _direction(outside, newest.outside)
    agree = max(doubts.values())
    yield Found(CONTRADICTION, host, 0, newest.peer, direction, system, agree, 0, of, confidence, doubts)


def _direction(outside: bool, peer_outside: bool) -> str:
    """Return which way connections to a host go: seen from the home networks."""
    if outside:
        return "external" if peer_outside else "outbound"
    return "inbound" if peer_outside else "internal"
