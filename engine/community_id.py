# SPDX-License-Identifier: LGPL-2.1-or-later
"""Community ID v1: the flow hash that Zeek, Suricata and others write too, so that events can be joined with theirs.

Source: the Community ID Flow Hashing specification, version 1 (github.com/corelight/community-id-spec). ICMP has no
ports there; a message type and its counter-type take their place, and a type without one goes by type and code.
"""

from base64 import b64encode
from hashlib import sha1
from struct import pack

ICMP, ICMPV6 = 1, 58

# Request and answer belong to one flow: each type with the type that answers it (or asks for it).
_ICMP_PAIRS = ((8, 0), (13, 14), (15, 16), (17, 18), (10, 9))
_ICMPV6_PAIRS = ((128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145))
_COUNTER_TYPE = {
    ICMP: {a: b for pair in _ICMP_PAIRS for a, b in (pair, pair[::-1])},
    ICMPV6: {a: b for pair in _ICMPV6_PAIRS for a, b in (pair, pair[::-1])},
}

# The only types that carry an identifier and are in use. A flow knows its identifier, not its type.
_ECHO = {ICMP: (8, 0), ICMPV6: (128, 129)}

_MAPPED = bytes(10) + b"\xff\xff"


def icmp_ports(proto: int, kind: int, code: int) -> tuple[int, int, bool]:
    """Return what stands for the two ports of an ICMP (1) or ICMPv6 (58) message, and whether it is one-way.

    `kind` and `code` are the message's type and code. A one-way message is not put in order: each direction is a flow
    of its own.
    """
    counter = _COUNTER_TYPE[proto].get(kind)
    return (kind, code, True) if counter is None else (kind, counter, False)


def community_id(
    proto: int, source: bytes, destination: bytes, sport: int, dport: int, *, one_way: bool = False, seed: int = 0
) -> str:
    """Return the community id, version 1, of a flow: `1:` and 28 characters of base64.

    Addresses are 16 bytes in network byte order, IPv4 as ::ffff:a.b.c.d; both directions give the same id unless
    `one_way`. `proto` is the IP protocol number; for ICMP the ports are those of `icmp_ports`. `seed` is 0..65535.
    """
    if source.startswith(_MAPPED) and destination.startswith(_MAPPED):
        source, destination = source[12:], destination[12:]
    if not one_way and (destination, dport) < (source, sport):
        source, destination, sport, dport = destination, source, dport, sport
    text = pack("!H", seed) + source + destination + pack("!BBHH", proto, 0, sport, dport)
    return "1:" + b64encode(sha1(text, usedforsecurity=False).digest()).decode()


def flow_community_id(proto: int, client: bytes, server: bytes, client_port: int, server_port: int) -> str | None:
    """Return the community id of a flow of the engine, or None for an ICMP flow whose message type is not known.

    An ICMP flow carries the identifier in place of its ports: with one it is an echo flow; without one it is a flow of
    error messages or neighbour discovery, whose type the flow does not keep.
    """
    echo = _ECHO.get(proto)
    if echo is None:
        return community_id(proto, client, server, client_port, server_port)
    return community_id(proto, client, server, *echo) if client_port else None
