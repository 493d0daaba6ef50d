# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a database of TCP fingerprints is made of (p0f v3, docs/README, 5 and 6): labels, signatures, quirks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

ANY = -1  # a wildcard: version, MSS, scale, payload class
TOOL = "!"  # the class of what is no operating system but a program, as in `s:!:NMap:SYN scan`
ROLES = ("client", "server", "embedded", "tool")  # values of our key `class`

# In the order in which p0f prints them; bit n is the quirk at place n.
QUIRKS = (
    "df",  # IPv4: don't fragment
    "id+",  # df, though the identification is not 0
    "id-",  # the identification is 0, though no df
    "ecn",  # explicit congestion notification, in IP or TCP
    "0+",  # IPv4: the bit that must be 0 is 1
    "flow",  # IPv6: the flow label is not 0
    "seq-",  # the sequence number is 0
    "ack+",  # an acknowledgement number without ACK
    "ack-",  # ACK with an acknowledgement number of 0
    "uptr+",  # an urgent pointer without URG
    "urgf+",  # URG
    "pushf+",  # PSH
    "ts1-",  # the own timestamp is 0
    "ts2+",  # the peer's timestamp in a SYN is not 0
    "opt+",  # bytes other than 0 behind the end of options
    "exws",  # a window scale above 14
    "bad",  # malformed options
)
QUIRK = {name: 1 << place for place, name in enumerate(QUIRKS)}

# Options with a name; any other kind is written ?n.
OPTIONS = {0: "eol", 1: "nop", 2: "mss", 3: "ws", 4: "sok", 5: "sack", 8: "ts"}
MAX_OPTIONS = 24  # p0f keeps no more of a packet (tcp.h)


class Window(IntEnum):
    """How the window of a signature is to be read."""

    VALUE = 0
    ANY = 1
    MODULO = 2  # %n: a multiple of n
    MSS = 3  # mss*n
    MTU = 4  # mtu*n


@dataclass(frozen=True, slots=True)
class TcpLabel:
    """A system's name: `s:unix:Linux:3.x`, and below it `class = server`."""

    generic: bool  # a last resort (g), not specific (s)
    os_class: str  # as the file's `classes` has it, in its spelling there; TOOL for programs
    name: str
    flavor: str  # "" without
    role: str  # one of ROLES; "" where the file does not say
    systems: tuple[str, ...]  # `sys`: what a program runs on; names, or @class

    def __str__(self) -> str:
        return f"{'g' if self.generic else 's'}:{self.os_class}:{self.name}:{self.flavor}"

    @property
    def system(self) -> str:
        """Name and flavor, as p0f prints a match."""
        return f"{self.name} {self.flavor}" if self.flavor else self.name


@dataclass(frozen=True, slots=True)
class TcpSignature:
    """One `sig =` line. Numbers are ANY where the line has a star."""

    label: TcpLabel
    response: bool  # of a SYN+ACK, not of a SYN
    version: int  # 4, 6 or ANY
    ttl: int  # the initial one
    bad_ttl: bool  # nnn-: chosen at random, at most ttl
    olen: int  # bytes of IPv4 options or IPv6 extension headers
    mss: int
    window_kind: Window
    window: int  # value, modulus or factor; 0 for Window.ANY
    scale: int
    layout: bytes  # kinds of options
    eol_pad: int  # bytes behind the end of options
    quirks: int  # bits as in QUIRK
    payload: int  # 0 none, 1 some, ANY
    text: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class TcpDatabase:
    """The signatures of some files in their order, and the names of links by MTU."""

    signatures: tuple[TcpSignature, ...]
    mtus: dict[int, str]
