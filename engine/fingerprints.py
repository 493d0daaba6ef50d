# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Fingerprinter tells: a Result for each handshake, a Fingerprint for each distinct signature, in p0f's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from sigdb.tcp_nodes import OPTIONS, QUIRKS, TcpSignature

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_DISTANCE = 35  # hops; what is further away has another initial TTL than the signature says (p0f's MAX_DIST)
SENDSYN_MSS = 1331  # of p0f-sendsyn; systems that send it back get a star, as they have none of their own


class Flag(IntFlag):
    """Flags of a Result."""

    FUZZY = 1  # quirks or TTL are a little off
    GENERIC = 2  # the signature is a last resort
    TOOL = 4  # it is of a program, not of a system
    BAD_TTL = 8  # it says that the TTL is random: the distance is at most
    RESPONSE = 16  # SYN+ACK
    REPEATED = 32  # sent again: the same SYN, or a SYN+ACK after the first of its connection


class Result(NamedTuple):
    """What was found of one handshake: a Fingerprinter writes these fields in this order, RESULT packs them."""

    number: int  # of the raw signature with all that its Fingerprint tells; never used again for another
    match: int  # index in TcpDatabase.signatures; -1: unknown
    ts1: int  # the sender's TCP timestamp, 0 without
    ts2: int  # the timestamp it sends back
    mtu: int  # of its link, by MSS and IP version; 0 without MSS
    mss: int  # 0 without
    syn_mss: int  # MSS of the SYN that a SYN+ACK answers; 0: none, or not seen
    distance: int  # hops, by TTL
    flags: int  # bits of Flag
    ttl: int
    version: int  # 4 or 6


RESULT = Struct("=QiIIIHHBBBB")
RESULT_SIZE = RESULT.size


def results(buffer: Buffer, count: int) -> Iterator[Result]:
    """Yield the first `count` results that Fingerprinter.process wrote to a buffer."""
    with memoryview(buffer) as view, view.cast("B")[: count * RESULT_SIZE] as part:
        yield from map(Result._make, RESULT.iter_unpack(part))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A distinct raw signature of one side, what it matches, and how that is written."""

    side: str  # "syn" or "syn+ack"
    raw: str  # ver:ittl:olen:mss:wsize,scale:olayout:quirks:pclass, as a p0f.fp takes it
    signature: TcpSignature | None  # None: unknown
    fuzzy: bool
    distance: int  # hops; at most, with a random TTL
    mtu: int  # of the link, 0 when unknown
    link: str | None  # what the database calls such a link
    params: str  # in p0f's words, "none" without any

    @property
    def label(self) -> str | None:
        """The label in the words of its file, such as s:unix:Linux:3.x."""
        return None if self.signature is None else str(self.signature.label)

    @property
    def system(self) -> str | None:
        """Name and flavor, as p0f prints them."""
        return None if self.signature is None else self.signature.label.system

    @property
    def name(self) -> str | None:
        """The system's or program's name, such as Linux."""
        return None if self.signature is None else self.signature.label.name

    @property
    def flavor(self) -> str | None:
        """Its version or variant, maybe empty."""
        return None if self.signature is None else self.signature.label.flavor

    @property
    def os_class(self) -> str | None:
        """The p0f class: win, unix, other, or ! for a program."""
        return None if self.signature is None else self.signature.label.os_class

    @property
    def role(self) -> str:
        """Our class: client, server, embedded, tool; "" where the database does not say."""
        return "" if self.signature is None else self.signature.label.role

    @property
    def generic(self) -> bool:
        """Whether the signature is a last resort."""
        return self.signature is not None and self.signature.label.generic

    @property
    def distance_text(self) -> str:
        """The distance as p0f prints it."""
        at_most = self.signature is not None and self.signature.bad_ttl
        return f"<= {self.distance}" if at_most else str(self.distance)


@dataclass(frozen=True, slots=True)
class RawFacts:
    """The fields of `Facts` in engine/fingerprint_facts.pxd, with the unit of the window."""

    quirks: int
    window: int
    multiple: int  # at most 0: the window is no multiple
    of_mtu: bool
    mss: int
    olen: int
    scale: int
    ttl: int
    version: int
    response: bool
    payload: bool
    eol_pad: int
    tos: int
    layout: bytes


def guessed_distance(ttl: int) -> int:
    """Return the hops since the next usual initial TTL."""
    return next(initial for initial in (32, 64, 128, 255) if ttl <= initial) - ttl


def raw_text(f: RawFacts) -> str:
    """Write a raw signature as p0f does."""
    distance = guessed_distance(f.ttl)
    hops = "?" if distance > MAX_DISTANCE else str(distance)
    mss = "*" if f.response and f.mss == SENDSYN_MSS else str(f.mss)
    window = f"{'mtu' if f.of_mtu else 'mss'}*{f.multiple}" if f.multiple > 0 else str(f.window)
    layout = ",".join(f"eol+{f.eol_pad}" if kind == 0 else OPTIONS.get(kind, f"?{kind}") for kind in f.layout)
    quirks = ",".join(name for place, name in enumerate(QUIRKS) if f.quirks >> place & 1)
    payload = "+" if f.payload else "0"
    return f"{f.version}:{f.ttl}+{hops}:{f.olen}:{mss}:{window},{f.scale}:{layout}:{quirks}:{payload}"


def params_text(signature: TcpSignature | None, *, fuzzy: bool, distance: int, tos: int) -> str:
    """Write p0f's params: generic, fuzzy, random_ttl, excess_dist, tos:0xNN (without the ECN bits)."""
    words = []
    if signature is not None:
        words += ["generic"] * signature.label.generic + ["fuzzy"] * fuzzy + ["random_ttl"] * signature.bad_ttl
    if distance > MAX_DISTANCE:
        words.append("excess_dist")
    if tos:
        words.append(f"tos:0x{tos:02x}")
    return " ".join(words) or "none"
