# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host table: what sightings say of each address, bounded in hosts, in entries per host and in time.

It is the collector's and lives as long as that does: nothing is kept on disk, and a table that begins anew has learned
within minutes what matters.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.events import timestamp
from engine.hosts_clock import Clock
from engine.sightings import Side, Sighting

ENTRIES = 32  # kept of one host; a scanner that has met more ports forgets the oldest
MEAN = 8  # entries kept for each host that the table may hold, over all hosts
ROUTING = 2  # hops by which ways of the same length may differ
NO_CHANCE = 0.1  # share of comparisons from which on a contradiction is taken for one
_SECOND_NS = 1_000_000_000

# What a link's MTU says of it; the values are those of the protocols' own standards.
LINKS = {
    576: "minimum of IPv4",
    1280: "minimum of IPv6, or a tunnel",
    1420: "WireGuard",
    1460: "mobile network or tunnel",
    1476: "GRE tunnel",
    1480: "IPIP or 6in4 tunnel",
    1492: "PPPoE",
    1500: "Ethernet",
    9000: "Ethernet, jumbo frames",
    65535: "loopback",
}


class Key(NamedTuple):
    """What one entry of a host is about."""

    side: Side
    port: int  # the server's
    outside: bool  # the peers are in none of the home networks
    system: str  # Sighting.system


@dataclass(slots=True)
class Entry:
    """Handshakes that showed the same. `last` has what only the last of them says."""

    last: Sighting
    count: int = 0
    fuzzy: int = 0  # of these, the signature did not match in every point
    answered: int = 0
    spoke: int = 0
    first_ns: int = 0
    last_ns: int = 0


class Doubts:
    """What speaks against a host being the one machine that it looks like, by kind.

    `counts` says how often, `compared` of how many comparisons: identifications chosen at random are the same now and
    then, and a way through the network changes, so that a busy host would sooner or later have any number of them.
    """

    __slots__ = ("_last", "changed_ns", "compared", "counts")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.compared: Counter[str] = Counter()
        self.changed_ns = 0  # when a side's system was another than the one before, last; 0: never
        self._last: dict[Side, Sighting] = {}

    def grave(self, least: int) -> dict[str, int]:
        """Return the kinds that were seen `least` times, and in a share of the comparisons that is no chance."""
        return {
            name: count
            for name, count in self.counts.items()
            if count >= least and count >= NO_CHANCE * self.compared[name]
        }

    def see(self, new: Sighting) -> None:
        """Compare a sighting with the ones before."""
        old = self._last.get(new.side)
        self._last[new.side] = new
        other = self._last.get("server" if new.side == "client" else "client")
        if other is not None and _comparable(new, other):
            self.compared["ttl"] += 1
            self.counts["ttl"] += abs(new.distance - other.distance) > ROUTING
        if old is not None and new.family and old.family and new.family != old.family:
            self.changed_ns = new.last_ns
        if old is not None and old.last_ns != new.last_ns and min(old.ip_id, new.ip_id) > 0 and new.kind != "tool":
            self.compared["ip_id"] += 1
            self.counts["ip_id"] += new.ip_id == old.ip_id


@dataclass(slots=True)
class Host:
    """One address."""

    address: str
    first_ns: int
    last_ns: int
    entries: OrderedDict[Key, Entry] = field(default_factory=OrderedDict)  # the one seen last is at the end
    doubts: Doubts = field(default_factory=Doubts)
    clock: Clock = field(default_factory=Clock)
    told: dict[tuple[str, int], int] = field(default_factory=dict)  # alerts by id and port: when, ns
    shown: Any = None  # what the last host event was about

    @property
    def newest(self) -> Sighting:
        """The last sighting."""
        return next(reversed(self.entries.values())).last


class Hosts:
    """Up to `size` hosts, each forgotten `expire` seconds after it was last seen; the one seen longest ago goes first.

    The attributes `evicted` and `expired` count hosts. Times are those of the sightings, ns since 1970.
    """

    def __init__(self, size: int, expire: float) -> None:
        self.evicted = 0
        self.expired = 0
        self._size = size
        self._expire_ns = round(expire * _SECOND_NS)
        self._hosts: OrderedDict[str, Host] = OrderedDict()
        self._entries = 0

    def __len__(self) -> int:
        return len(self._hosts)

    def __iter__(self) -> Iterator[Host]:
        """Yield all hosts, the one seen last first."""
        return reversed(self._hosts.values())

    def get(self, address: str) -> Host | None:
        """Return a host, None when it is not known."""
        return self._hosts.get(address)

    def see(self, sighting: Sighting) -> Host:
        """Take a sighting in; return its host."""
        host = self._hosts.get(sighting.address)
        if host is None:
            host = Host(sighting.address, sighting.first_ns, sighting.last_ns)
            self._hosts[sighting.address] = host
        self._hosts.move_to_end(sighting.address)
        host.first_ns = min(host.first_ns, sighting.first_ns)
        host.last_ns = max(host.last_ns, sighting.last_ns)
        key = Key(sighting.side, sighting.port, sighting.outside, sighting.system)
        entry = host.entries.get(key)
        if entry is None:
            entry = host.entries[key] = Entry(sighting, first_ns=sighting.first_ns)
            self._entries += 1
        host.entries.move_to_end(key)
        entry.last = sighting
        entry.count += sighting.count
        entry.fuzzy += sighting.count * sighting.fuzzy
        entry.answered += sighting.answered
        entry.spoke += sighting.spoke
        entry.first_ns = min(entry.first_ns, sighting.first_ns)
        entry.last_ns = max(entry.last_ns, sighting.last_ns)
        host.doubts.see(sighting)
        host.clock.see(sighting.side, sighting.ts, sighting.last_ns)
        if len(host.entries) > ENTRIES:
            host.entries.popitem(last=False)
            self._entries -= 1
        while len(self._hosts) > 1 and (len(self._hosts) > self._size or self._entries > MEAN * self._size):
            self._forget()
            self.evicted += 1
        return host

    def expire(self, now_ns: int, most: int = 1000) -> None:
        """Forget hosts not seen for too long, `most` at once."""
        for _ in range(most):
            if not self._hosts or next(iter(self._hosts.values())).last_ns + self._expire_ns >= now_ns:
                return
            self._forget()
            self.expired += 1

    def _forget(self) -> None:
        _, host = self._hosts.popitem(last=False)
        self._entries -= len(host.entries)


def _comparable(one: Sighting, other: Sighting) -> bool:
    """Return whether the distances of two packets of one address are known, and of the same way."""
    if one.distance < 0 or other.distance < 0 or one.bad_ttl or other.bad_ttl:
        return False
    if not (one.family and other.family) or one.fuzzy or other.fuzzy:  # the initial TTL is a guess
        return False
    return one.peer == other.peer


def link(mtu: int) -> str:
    """Return what a link with this MTU may be, "" when nothing is known of it."""
    return LINKS.get(mtu, "")


def describe(host: Host, agree: Any) -> dict[str, Any]:
    """Return the object `host` of events and answers; `agree` is engine.host_rules.opinion(host)."""
    newest = host.newest
    distances = [e.last.distance for e in host.entries.values() if e.last.distance >= 0]
    mtu = next((e.last.mtu for e in reversed(host.entries.values()) if e.last.mtu), 0)
    made: dict[str, Any] = {
        "address": host.address,
        "first_seen": timestamp(host.first_ns),
        "last_seen": timestamp(host.last_ns),
        "distance": newest.distance if newest.distance >= 0 else (distances[-1] if distances else -1),
        "mtu": mtu,
        "link": link(mtu),
        "mixed": agree.mixed,
        "confidence": agree.confidence,
        "systems": _systems(host),
        "roles": _roles(host),
    }
    if host.clock.rate:
        made["uptime"] = {"minutes": host.clock.minutes, "modulo_days": host.clock.days, "rate": host.clock.rate}
    if doubts := {name: count for name, count in host.doubts.counts.items() if count}:
        made["doubts"] = doubts
    return made


def _systems(host: Host) -> list[dict[str, Any]]:
    """Return the systems seen, on each side the most frequent one first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key, entry in host.entries.items():
        last = entry.last
        one = found.setdefault(
            (key.side, key.system),
            {"side": key.side, "label": last.label, "handshakes": 0, "first_ns": entry.first_ns, "last_ns": 0},
        )
        one["handshakes"] += entry.count
        one["first_ns"] = min(one["first_ns"], entry.first_ns)
        if entry.last_ns >= one["last_ns"]:
            one.update(
                {"last_ns": entry.last_ns, "class": last.kind, "distance": last.distance, "fuzzy": last.fuzzy},
                raw=last.raw,
            )
    for one in found.values():
        one["first_seen"], one["last_seen"] = timestamp(one.pop("first_ns")), timestamp(one.pop("last_ns"))
    return sorted(found.values(), key=lambda one: (one["side"], -one["handshakes"], one["raw"]))


def _roles(host: Host) -> list[dict[str, Any]]:
    """Return what the host did: on which side of which ports, and in how many handshakes payload followed."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for key, entry in host.entries.items():
        one = found.setdefault(
            (key.side, key.port), {"side": key.side, "port": key.port, "handshakes": 0, "answered": 0}
        )
        one["handshakes"] += entry.count
        one["answered"] += entry.answered
    return sorted(found.values(), key=lambda one: (one["side"] == "client", one["port"]))
