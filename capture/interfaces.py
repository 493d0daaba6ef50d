# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which interfaces are tapped: names and patterns, and the rule that no packet is seen twice.

A packet of an interface that lies on another one (a VLAN, macvlan or the like; a bridge, bond or team on its ports)
also passes that other one. So an interface is not tapped while one that it lies on is, by this process or by another
one. Packets inside a tunnel are something else than the tunnel's own, so a tunnel device counts as lying on nothing;
but with decapsulation they are opened where they pass, and tunnel devices are not tapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from capture.links import Link
from capture.live import Interface

TUNNELS = frozenset(
    ("gre", "gretap", "ip6gre", "ip6gretap", "erspan", "ip6erspan", "ipip", "ip6tnl", "sit", "vxlan", "geneve")
)
# ARPHRD_* of linux/if_arp.h.
_LOOPBACK = 772
_ETHERNET = frozenset((1, _LOOPBACK))
# PPP, RAWIP, TUNNEL, TUNNEL6, SIT, IPGRE, IP6GRE, NONE (tun, WireGuard): a packet begins with its IP header.
_BARE_IP = frozenset((512, 519, 768, 769, 776, 778, 823, 65534))
_WILDCARDS = frozenset("*?[")


@dataclass(slots=True)
class Selection:
    """What follows from the patterns and the interfaces there are."""

    tapped: dict[int, Interface] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # name: why it matches and is not tapped
    upon: set[int] = field(default_factory=set)  # not tapped, but all that comes in there was counted below, or in it


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether an interface of this name is asked for.

    `eth*` stands for many, `!eth1` takes away what others ask for, whatever the order. A pattern alone does not mean
    the loopback interface: that is asked for as `lo`.
    """
    wanted = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if fnmatchcase(name, pattern[1:]):
                return False
        elif pattern == name or (name != "lo" and fnmatchcase(name, pattern)):
            wanted = True
    return wanted


def is_plain(pattern: str) -> bool:
    """Whether a pattern is just a name."""
    return not pattern.startswith("!") and not _WILDCARDS & set(pattern)


def interface_of(link: Link) -> Interface | None:
    """Return the interface for a tap, None where its frames are of no known form."""
    if link.type not in _ETHERNET | _BARE_IP:
        return None
    return Interface(link.index, link.name, link.type in _ETHERNET, link.type == _LOOPBACK, tunnel=link.kind in TUNNELS)


def select(links: Mapping[int, Link], patterns: Sequence[str], *, decap: bool, others: Mapping[int, str]) -> Selection:
    """Choose the interfaces to tap; `others` has those that other processes tap, with the process's name."""
    selection = Selection()
    lowers = _lowers(links)
    for link in _bottom_up(links, lowers):
        if not matches(link.name, patterns):
            continue
        interface = interface_of(link)
        below = next((i for i in _below(link.index, lowers) if i in selection.tapped or i in others), None)
        if interface is None:
            selection.refused[link.name] = f"its frames (link type {link.type}) are neither Ethernet nor bare IP"
        elif link.index in others:
            selection.refused[link.name] = f"the capture process {others[link.index]} taps it"
        elif decap and interface.tunnel:
            selection.refused[link.name] = "a tunnel, whose packets are opened where they pass, as decap asks for"
        elif below is not None:
            selection.refused[link.name] = f"lies on {links[below].name}, which is tapped: packets would count twice"
        else:
            selection.tapped[link.index] = interface
    counted = selection.tapped.keys() | others.keys()
    for link in _bottom_up(links, lowers):
        under = lowers[link.index]
        if (under and under <= counted | selection.upon) or (decap and link.kind in TUNNELS):
            selection.upon.add(link.index)
    selection.upon -= counted
    return selection


def _lowers(links: Mapping[int, Link]) -> dict[int, set[int]]:
    """Return for each interface those that it lies on, one step down."""
    lowers: dict[int, set[int]] = {index: set() for index in links}
    for link in links.values():
        if link.lower in links and link.kind not in TUNNELS:
            lowers[link.index].add(link.lower)
        if link.master in links:
            lowers[link.master].add(link.index)
    return lowers


def _below(index: int, lowers: Mapping[int, set[int]]) -> Iterator[int]:
    """Yield all that an interface lies on, over any number of steps."""
    seen = {index}
    waiting = [index]
    while waiting:
        for lower in sorted(lowers[waiting.pop()] - seen):
            seen.add(lower)
            waiting.append(lower)
            yield lower


def _bottom_up(links: Mapping[int, Link], lowers: Mapping[int, set[int]]) -> list[Link]:
    """Return the interfaces so that each comes behind those that it lies on."""
    return sorted(links.values(), key=lambda link: (sum(1 for _ in _below(link.index, lowers)), link.index))
