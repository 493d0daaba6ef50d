# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the collector does with a sighting: into the host table, by the rules, and out as `host` and `alert` events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from engine.events import SEVERITIES, AlertFields, signature_id, timestamp
from engine.host_rules import Found, Opinion, Policy, judge, opinion
from engine.hosts import Host, Hosts, Key, describe
from engine.sightings import Sighting, believed

Event = dict[str, Any]
Which = Literal["all", "home", "none"]


class HostWatch:
    """A host table and its rules; `events` says of which hosts changes are told."""

    def __init__(self, hosts: Hosts, policy: Policy, events: Which = "home") -> None:
        self.hosts = hosts
        self._policy = policy
        self._events = events

    def see(self, event: Event) -> list[Event] | None:
        """Take a `sighting` event; return what there is to publish of it, None when it is not believed."""
        sighting = believed(event)
        return None if sighting is None else list(self.take(sighting))

    def take(self, sighting: Sighting) -> Iterator[Event]:
        """Take a sighting; yield what there is to publish of it."""
        host = self.hosts.see(sighting)
        said = opinion(host, self._policy.handshakes)
        if self._events == "all" or (self._events == "home" and host.address in self._policy.home):
            shows = _shows(host, said)
            if shows != host.shown:
                host.shown = shows
                yield self.host_event(host, said)
        key = Key(sighting.side, sighting.port, sighting.outside, sighting.system)
        for found in judge(host, key, self._policy, said):
            yield _alert(found, describe(host, said))

    def describe(self, host: Host) -> dict[str, Any]:
        """Return the object `host` of events and answers."""
        return describe(host, opinion(host, self._policy.handshakes))

    def mixed(self, host: Host) -> bool:
        """Return whether several systems share the address."""
        return opinion(host, self._policy.handshakes).mixed

    def host_event(self, host: Host, said: Opinion | None = None) -> Event:
        """Return the `host` event that says what is known of a host; `said` is the opinion of it, if that is there."""
        said = said or opinion(host, self._policy.handshakes)
        return {
            "timestamp": timestamp(host.last_ns),
            "event_type": "host",
            "src_ip": host.address,
            "host": describe(host, said),
            "flowtap": {"confidence": said.confidence},
        }


def _shows(host: Host, said: Opinion) -> object:
    """Return what makes a host event when it changes: systems, what it serves, whether it is mixed.

    Not what it uses as a client: that changes all the time.
    """
    systems = frozenset((key.side, key.system) for key, e in host.entries.items() if e.last.label)
    served = frozenset(key.port for key, e in host.entries.items() if key.side == "server" and e.answered)
    return systems, served, said.mixed


def _alert(found: Found, about: dict[str, Any]) -> Event:
    rule, host = found.rule, found.host
    alert: AlertFields = {
        "action": "allowed",
        "gid": 1,
        "signature_id": signature_id(rule.id),
        "rev": 1,
        "signature": f"{rule.description}: {_told(found)}",
        "category": "",
        "severity": SEVERITIES[rule.severity],
        "metadata": {"flowtap_id": [rule.id], "mitre_technique_id": list(rule.attack)},
    }
    event: Event = {"timestamp": timestamp(host.last_ns), "event_type": "alert"}
    if rule.id == "host.client-serving":
        event |= {"src_ip": found.peer, "dest_ip": host.address, "dest_port": found.port, "proto": "TCP"}
    elif found.port:
        event |= {"src_ip": host.address, "dest_ip": found.peer, "dest_port": found.port, "proto": "TCP"}
    else:
        event |= {"src_ip": host.address, "dest_ip": found.peer, "proto": "TCP"}
    evidence = {"direction": found.direction, "agree": found.agree, "handshakes": found.of}
    if found.fuzzy:
        evidence["fuzzy"] = found.fuzzy
    if found.doubts:
        evidence["doubts"] = found.doubts
    return event | {
        "alert": alert,
        "host": about,
        "flowtap": {"id": rule.id, "hits": found.agree, "confidence": found.confidence, "evidence": evidence},
    }


def _told(found: Found) -> str:
    """Return the evidence in words."""
    if found.doubts:
        words = ", ".join(f"{_WORDS[name]} ({count})" for name, count in sorted(found.doubts.items()))
        return f"{found.host.address}, {found.system or 'unknown system'}: {words}"
    where = f"port {found.port}" if found.port else ""
    more = f", {found.fuzzy} more but for a point" if found.fuzzy else ""
    return (
        f"{found.host.address}, {found.system}, {where}, {found.direction}; "
        f"{found.agree} of {found.of} identified handshakes agree{more}"
    )


_WORDS = {
    "syn_synack": "SYN and SYN+ACK are of different systems",
    "ttl": "SYN and SYN+ACK come from different distances",
    "ip_id": "the same IP identification again",
}
