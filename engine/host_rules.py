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
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from engine.hosts import ROUTING, Entry, Host, Key
from engine.sightings import Side

AGREE = 0.9  # share of the identified handshakes that one family needs to be the host's system
AGAIN_NS = 86_400_000_000_000  # an alert of the same host, id and port is told once in this time
HOME = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10")

_FUZZY = 0.7  # what a fuzzy match weighs in a confidence, beside one that fits in every point
_BY_SYN = 50  # percent: the host is client-class as a client; what answers is unknown, or a stack that servers share


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of alert; the fields are those of a signature."""

    id: str
    description: str
    severity: str
    attack: tuple[str, ...]


SERVING = Rule("host.client-serving", "A client-class system answers as a server", "medium", ("T1584.005",))
MAILING = Rule("host.client-mailing", "A client-class system sends mail", "high", ("T1071.003",))
CONTRADICTION = Rule("host.contradiction", "A host's packets contradict one another", "low", ("T1090",))
RULES = (SERVING, MAILING, CONTRADICTION)


@dataclass(slots=True)
class Tally:
    """Handshakes of one family of systems."""

    count: int = 0
    exact: int = 0  # of these, the signature matched in every point


class Opinion(NamedTuple):
    """What all evidence together says of a host."""

    main: dict[Side, tuple[str, Tally]]  # the most frequent family on each side that is known
    total: dict[Side, int]  # that side's identified handshakes
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
    """A set of networks. Raises ValueError for what is none; what is asked for is an address."""

    def __init__(self, texts: Sequence[str]) -> None:
        networks: dict[int, list[tuple[int, int]]] = {4: [], 6: []}  # mask and address, as numbers
        for network in (ip_network(text, strict=False) for text in texts):
            networks[network.version].append((int(network.netmask), int(network.network_address)))
        self._four, self._six = networks[4], networks[6]
        self._known: dict[str, bool] = {}

    def __contains__(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= 65_536:
                self._known.clear()
            family, networks = (AF_INET6, self._six) if ":" in address else (AF_INET, self._four)
            number = int.from_bytes(inet_pton(family, address), "big")
            known = self._known[address] = any(number & mask == network for mask, network in networks)
        return known


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say (section hosts)."""

    home: Networks
    handshakes: int = 3
    ports: frozenset[int] = frozenset({80, 443, 8000, 8008, 8080, 8443, 8888})
    mail_ports: frozenset[int] = frozenset({25})
    mail_inbound: bool = False  # whether mail that comes from outside to a home network counts, too
    allow_networks: Networks = Networks(())  # noqa: RUF009 - it never changes
    allow_ports: frozenset[int] = frozenset()
    allow_systems: tuple[str, ...] = ()  # beginnings of labels
    client_systems: tuple[str, ...] = ()  # the same: these are client-class, whatever the database says


def opinion(host: Host, handshakes: int) -> Opinion:
    """Weigh the evidence; a side with fewer than `handshakes` identified ones does not speak against the other."""
    tallies: dict[Side, dict[str, Tally]] = {}
    for key, entry in host.entries.items():
        if family := entry.last.family:
            tally = tallies.setdefault(key.side, {}).setdefault(family, Tally())
            tally.count += entry.count
            tally.exact += entry.count - entry.fuzzy
    main: dict[Side, tuple[str, Tally]] = {}
    total: dict[Side, int] = {}
    sure = 0.0
    mixed = False
    for side, families in tallies.items():
        main[side] = family, most = max(families.items(), key=lambda one: one[1].count)
        total[side] = of = sum(tally.count for tally in families.values())
        weight = most.exact + _FUZZY * (most.count - most.exact)
        sure = max(sure, weight / of * min(1.0, most.count / handshakes))
        mixed |= most.count < AGREE * of and of >= handshakes
    mixed |= len({family for side, (family, _) in main.items() if total[side] >= handshakes}) > 1
    return Opinion(main, total, mixed, round(100 * sure))


def judge(host: Host, key: Key, policy: Policy, said: Opinion) -> Iterator[Found]:
    """Yield what the rules find now that the entry at `key` has grown; each alert once in AGAIN_NS."""
    if host.address in policy.allow_networks:
        return
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
    confidence = 100
    evidence = _client_class(host, "server", said, policy) if entry.last.family else None
    if evidence is None:
        if not _may_be_client(host, entry, said):
            return
        confidence, evidence = _BY_SYN, _client_class(host, "client", said, policy)
    if evidence is None:
        return
    direction = _direction(host.address not in policy.home, key.outside)
    yield _found(SERVING, host, key, entry, direction, evidence, confidence, said)


def _may_be_client(host: Host, answer: Entry, said: Opinion) -> bool:
    """Return whether the host's own SYNs may speak for what answers: it shares their family, or is unknown and as far.

    Where another port told the host's system and this one has none of it, something stands between.
    """
    if answer.last.family:
        return "client" in said.main and answer.last.family == said.main["client"][0]
    return "server" not in said.main and _as_far(host, answer)


def _as_far(host: Host, answer: Entry) -> bool:
    """Return whether answers of an unknown system come with the TTL of the host's own known SYNs.

    Else another machine answers, behind the same address: a router, or what it forwards the port to.
    """
    return any(
        key.side == "client"
        and entry.last.family
        and not entry.last.bad_ttl
        and abs(entry.last.ttl - answer.last.ttl) <= ROUTING
        for key, entry in host.entries.items()
    )


def _mailing(host: Host, key: Key, entry: Entry, said: Opinion, policy: Policy) -> Iterator[Found]:
    if key.side != "client" or key.port not in policy.mail_ports:
        return
    outside = host.address not in policy.home
    if not key.outside and not (outside and policy.mail_inbound):
        return
    if min(entry.answered, entry.spoke) < policy.handshakes or not entry.last.family:
        return
    evidence = _client_class(host, "client", said, policy)
    if evidence is None:
        return
    direction = "outbound" if not outside else "external" if key.outside else "inbound"
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
    if side not in said.main:
        return None
    (family, _), identified = said.main[side], said.total[side]
    entries = [
        entry
        for key, entry in host.entries.items()
        if key.side == side and entry.last.family == family and _is_client(entry, policy)
    ]
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
    doubts = host.doubts.grave(policy.handshakes)
    families = dict.fromkeys(family for family, _ in said.main.values())
    if len(families) == 2:
        least = min(tally.exact for _, tally in said.main.values())
        if least >= policy.handshakes:
            doubts["syn_synack"] = least
    if not doubts:
        return
    newest = host.newest
    if newest.label.startswith(policy.allow_systems):
        return
    outside = host.address not in policy.home
    system, of = " / ".join(families), sum(said.total.values())
    confidence = 50 if len(doubts) == 1 else 80
    direction = _direction(outside, newest.outside)
    agree = max(doubts.values())
    yield Found(CONTRADICTION, host, 0, newest.peer, direction, system, agree, 0, of, confidence, doubts)


def _direction(outside: bool, peer_outside: bool) -> str:
    """Return which way connections to a host go: seen from the home networks."""
    if outside:
        return "external" if peer_outside else "outbound"
    return "inbound" if peer_outside else "internal"
