# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages and handshake records: their layout for Python, and what a SYN or SYN+ACK becomes."""

import struct

import numpy as np
import packets as p
import pytest

from capture import _message
from capture.record import HANDSHAKE, MESSAGE

E, I4, I6 = p.ethernet, p.ipv4, p.ipv6
LINUX = bytes.fromhex("020405b40402080a00112233000000000103030a")  # mss, sack, timestamps, nop, window scale
SYN = p.tcp(flags=2, seq=0xDEADBEEF, ack=0x01020304, options=LINUX)


def handshake(data, **options):
    raw = _message.parse_handshake(data, **options)
    return np.frombuffer(raw, HANDSHAKE)[0] if raw else None


def test_sizes():
    assert (MESSAGE.itemsize, HANDSHAKE.itemsize) == (64, 128)
    assert _message.SETTINGS_SIZE == 64 + 8 + 4 * 4
    assert _message.TAP_REASONS == ("forwarded", "port", "cutoff", "busy", "ring_full")
    assert _message.STREAM_COUNTERS[:3] == ("batched", "forwarded", "lost")


def test_ipv4():
    made = handshake(E(p.vlan(I4(SYN, ttl=57, fragment=0x4000, options=bytes(8)), 7), 0x8100), ts=9)
    fields = ("ts", "seq", "ack", "len", "sport", "dport", "vlan", "window", "urgent", "id", "fragment", "ip_options")
    assert [made[f] for f in fields] == [9, 0xDEADBEEF, 0x01020304, 0, 40000, 22, 7, 1000, 0, 7, 0x4000, 8]
    fields = ("tcp_offset", "tcpflags", "ttl", "version", "tos", "flags", "options_len", "flow_label", "reserved")
    assert [made[f] for f in fields] == [0xA0, 2, 57, 4, 0, 4, 20, 0, 0]
    assert bytes(made["options"]) == LINUX + bytes(20)
    assert (bytes(made["src"]), bytes(made["dst"])) == (p.address(p.CLIENT), p.address(p.SERVER))


def test_ipv6():
    data = bytearray(E(I6(p.extension(6, SYN), 0, hops=3), 0x86DD))
    data[14:18] = struct.pack(">I", 6 << 28 | 0xB9 << 20 | 0x54321)
    made = handshake(bytes(data))
    fields = ("ttl", "version", "tos", "flow_label", "id", "fragment", "ip_options", "options_len")
    assert [made[f] for f in fields] == [3, 6, 0xB9, 0x54321, 0, 0, 8, 20]
    assert bytes(made["dst"]) == p.address(p.SERVER6)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (E(I4(p.tcp(flags=2))), b""),
        (E(I4(p.tcp(flags=0x12, options=bytes(40)))), bytes(40)),
        (E(I4(p.tcp(b"payload", flags=2, options=b"\2\4\5\xb4"))), b"\2\4\5\xb4"),
        (E(I4(p.gre(I4(SYN)), 47)), LINUX),
    ],
    ids=["no options", "syn+ack, all options", "with payload", "in a tunnel"],
)
def test_options(data, options):
    made = handshake(data, decap=True)
    assert bytes(made["options"])[: made["options_len"]] == options


@pytest.mark.parametrize(
    "data",
    [E(I4(p.tcp(flags=flags))) for flags in (0x10, 0x18, 0x03, 0x06, 0x04, 0x11)] + [E(I4(p.udp(), 17)), b"", E(b"")],
)
def test_nothing_else_makes_one(data):
    assert handshake(data) is None


@pytest.mark.parametrize("cut", [1, 12, 20, 21])
def test_a_header_that_was_cut_makes_none(cut):
    whole = E(I4(SYN), pad=False)
    assert handshake(whole[:-cut], wire=len(whole)) is None


def test_port_set():
    words = struct.unpack("=1024Q", _message.port_set(frozenset((0, 22, 64, 65535))))
    assert (words[0], words[1], words[1023], sum(words)) == (1 << 22 | 1, 1, 1 << 63, (1 << 22 | 1) + 1 + (1 << 63))
    with pytest.raises(ValueError, match="65536"):
        _message.port_set(frozenset((65536,)))
