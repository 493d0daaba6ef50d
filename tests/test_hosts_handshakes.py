# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which handshakes are completed, what sightings are made of them, and that a flood makes none."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import pytest

from capture._message import HANDSHAKE_SIZE, HANDSHAKE_TEXT
from engine.handshakes import ANSWERED, SPOKE, Handshakes
from engine.host_rules import HOME, Networks
from engine.sightings import believed
from engine.sightings_maker import SightingsMaker
from sigdb import loads_tcp
from tests.records import ACK, FIN, RST, SYN, Conversation, Record, address

SECOND = 1_000_000_000
_FIELDS = [line.split("\t")[:3] for line in HANDSHAKE_TEXT.splitlines()]
_CODES = {"u8": "Q", "u4": "I", "u2": "H", "u1": "B"}
_PACK = struct.Struct("<" + "".join(f"{n}s" if n != "1" else _CODES[code] for _, code, n in _FIELDS))
assert _PACK.size == HANDSHAKE_SIZE

# MSS 1460, SACK permitted, timestamp 7, window scale 7: what Linux sends.
OPTIONS = bytes.fromhex("020405b4" "0402" "080a0000000700000000" "01" "030307")  # fmt: skip

DATABASE = loads_tcp(
    """
classes = unix
[tcp:request]
label = s:unix:Linux:test
class = client
sig   = *:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0
[tcp:response]
label = s:unix:Linux:test
class = client
sig   = *:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0
"""
)


def handshake(record: Record, ack: int, **more: int) -> bytes:
    """Return the handshake record of a SYN or SYN+ACK whose record this is."""
    values: dict[str, Any] = {name: 0 if n == "1" else b"" for name, _, n in _FIELDS}
    common = ("ts", "src", "dst", "hash", "seq", "len", "sport", "dport", "tcpflags", "ttl")
    values |= {name: getattr(record, name) for name in common}
    values |= {"ack": ack, "window": 64240, "id": 77, "fragment": 0x4000, "tcp_offset": 0xA0, "version": 4}
    values |= {"options_len": len(OPTIONS), "options": OPTIONS} | more
    return _PACK.pack(*(values[name] for name, _, _ in _FIELDS))


@dataclass
class Talk:
    """A connection: its handshake records and its records."""

    conversation: Conversation
    handshakes: list[bytes]

    @property
    def records(self) -> list[Record]:
        """All records."""
        return self.conversation.records


def syn(conversation: Conversation) -> Talk:
    record = conversation.send("c", 0, SYN, ack=0)
    return Talk(conversation, [handshake(record, 0)])


def synack(talk: Talk, **more: int) -> Talk:
    record = talk.conversation.send("s", 0, SYN | ACK)
    talk.handshakes.append(handshake(record, **({"ack": talk.conversation.next["c"]} | more)))
    return talk


def packed(records: list[Record]) -> bytes:
    return b"".join(record.pack() for record in records)


def states(made: Handshakes, talk: Talk) -> list[int]:
    made.add(b"".join(talk.handshakes))
    made.see(packed(talk.records), len(talk.records))
    return [ends.state for ends in made.take().ends]


def begun() -> Talk:
    return synack(syn(Conversation(port=80)))


def acknowledged() -> Talk:
    talk = begun()
    talk.conversation.send("c")
    return talk


SENDS: dict[str, tuple[list[tuple[str, int, int]], list[int], int]] = {
    # (side, payload, flags) behind SYN and SYN+ACK: states at once, and what is left when time passes (-1: nothing)
    "nothing more": ([], [], -1),
    "acknowledged": ([("c", 0, ACK)], [], 0),
    "both speak": ([("c", 0, ACK), ("c", 10, ACK), ("s", 90, ACK)], [SPOKE | ANSWERED], -1),
    "the server speaks first": ([("c", 0, ACK), ("s", 90, ACK), ("c", 10, ACK)], [SPOKE | ANSWERED], -1),
    "the acknowledgement is not seen": ([("s", 90, ACK), ("c", 10, ACK)], [SPOKE | ANSWERED], -1),
    "it comes with the first payload": ([("c", 10, ACK), ("s", 9, ACK)], [SPOKE | ANSWERED], -1),
    "only the client speaks": ([("c", 0, ACK), ("c", 10, ACK)], [], SPOKE),
    "only the server speaks": ([("c", 0, ACK), ("s", 10, ACK)], [], ANSWERED),
    "the server ends it": ([("c", 0, ACK), ("s", 10, ACK), ("s", 0, FIN | ACK)], [ANSWERED], -1),
    "half closed": ([("c", 0, ACK), ("c", 5, FIN | ACK), ("s", 10, ACK)], [SPOKE | ANSWERED], -1),
    "refused": ([("s", 0, RST | ACK)], [], -1),
    "the client never asked": ([("c", 0, RST)], [], -1),
    "scanned": ([("c", 0, ACK), ("c", 0, RST)], [0], -1),
}


@pytest.mark.parametrize(("sends", "at_once", "later"), SENDS.values(), ids=SENDS)
def test_completion(sends: list[tuple[str, int, int]], at_once: list[int], later: int) -> None:
    talk = begun()
    for side, size, flags in sends:
        talk.conversation.send(side, size, flags)
    made = Handshakes(64)
    assert states(made, talk) == at_once
    made.finish()
    assert [ends.state for ends in made.take().ends] == ([] if later < 0 else [later])
    counters = made.counters()
    assert counters["begun"] == 1 == counters["completed"] + counters["unanswered"]


@pytest.mark.parametrize(
    "wrong", [{"seq": 5}, {"ack": 5}, {"tcpflags": RST}, {"sport": 9}, {"src": address("10.0.0.9")}, {"proto": 17}]
)
def test_what_acknowledges_nothing(wrong: dict[str, Any]) -> None:
    talk = begun()
    talk.records.append(talk.conversation.make("c", 0, ACK, **wrong))
    made = Handshakes(64)
    states(made, talk)
    made.finish()
    assert not made.take().ends


def test_a_reply_to_something_else_is_none() -> None:
    talk = synack(syn(Conversation()), ack=77)
    talk.conversation.send("c")
    made = Handshakes(64)
    states(made, talk)
    made.finish()
    assert not made.take().ends


def test_what_is_seen_twice_counts_once() -> None:
    talk = acknowledged()
    talk.handshakes = [talk.handshakes[n] for n in (0, 0, 1, 1, 0)]
    made = Handshakes(64)
    states(made, talk)
    made.finish()
    assert (made.counters()["begun"], len(made.take().ends)) == (1, 1)


def test_time() -> None:
    made = Handshakes(64, wait=30, linger=10)
    done, open_ = acknowledged(), syn(Conversation(client_port=4, hash=9))
    states(made, done)
    states(made, open_)
    for seconds, expected in ((9, (0, 0)), (11, (1, 0)), (29, (1, 0)), (31, (1, 1))):
        for _ in range(16):
            made.advance(done.records[0].ts + seconds * SECOND)
        counters = made.counters()
        assert (counters["completed"], counters["unanswered"]) == expected


def flood(number: int) -> list[bytes]:
    """Return SYNs of so many made-up addresses, each answered by the server."""
    made = []
    for n in range(number):
        conversation = Conversation(hash=(n * 2_654_435_761) & 0xFFFFFFFF, client_port=1024 + n % 60_000)
        talk = synack(syn(conversation))
        made += talk.handshakes
    return made


def test_a_flood_completes_nothing_and_pushes_no_completed_one_out() -> None:
    made = Handshakes(256)
    talk = acknowledged()
    states(made, talk)
    made.add(b"".join(flood(5000)))
    counters = made.counters()
    assert (counters["begun"], counters["completed"]) == (5001, 0)
    assert counters["evicted"] >= 5000 - 256
    made.finish()
    assert [ends.port for ends in made.take().ends] == [80]
    counters = made.counters()
    assert counters["begun"] == counters["completed"] + counters["unanswered"] + counters["evicted"]


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("side", "cs")
def test_what_was_completed_after_it_had_made_room_is_lost(answered: bool, side: str) -> None:
    """A table of four places: a SYN, then a flood, then the rest of the handshake."""
    made = Handshakes(4)
    talk = syn(Conversation(port=80))
    if answered:
        synack(talk)
    made.add(b"".join(talk.handshakes))
    made.add(b"".join(flood(4)[:: 1 if answered else 2]))
    if not answered:
        made.add(synack(talk).handshakes[1])
    assert made.counters()["lost"] == 0
    talk.conversation.send(side, 9 if side == "s" else 0)
    talk.conversation.send("c", 9)
    rest = talk.records[2:]
    made.see(packed(rest), len(rest))
    counters = made.counters()
    assert (counters["evicted"], counters["lost"], counters["completed"]) == (1, 1, 0)


def test_what_a_flood_pushes_out_is_no_loss() -> None:
    made = Handshakes(64)
    for talk in flood(500), flood(900)[1000:]:
        made.add(b"".join(talk))
    made.finish()
    counters = made.counters()
    assert counters["evicted"] > 800
    assert counters["lost"] == 0


def test_ports_that_begin_anew() -> None:
    made = Handshakes(64)
    old, new = syn(Conversation(port=80)), syn(Conversation(port=80))
    made.add(old.handshakes[0])
    record = new.records[0]
    made.add(handshake(new.conversation.make("c", 0, SYN, seq=record.seq + 5000), 0))
    counters = made.counters()
    assert (counters["begun"], counters["unanswered"], counters["evicted"]) == (2, 1, 0)


@pytest.mark.parametrize(("size", "more"), [(3, {}), (1 << 25, {}), (64, {"wait": 0}), (64, {"linger": -1})])
def test_bounds(size: int, more: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected 4 to"):
        Handshakes(size, **more)


def test_parts_are_refused() -> None:
    made = Handshakes(64)
    with pytest.raises(ValueError, match="multiple of 128"):
        made.add(bytes(100))
    with pytest.raises(ValueError, match="do not fit"):
        made.see(bytes(64), 2)


def test_sightings_sum_up_what_repeats() -> None:
    made = SightingsMaker(DATABASE, Networks(HOME), pending=256, offset=lambda: 5)
    begin = 0
    for number in range(20):
        conversation = Conversation(port=80, client_port=2000 + number, hash=number + 1)
        talk = synack(syn(conversation))
        conversation.send("c")
        conversation.send("c", 10)
        if number % 2:
            conversation.send("s", 10)
        begin = begin or talk.records[0].ts
        made.add(talk.handshakes)
        made.see(packed(talk.records), len(talk.records))
    made.finish()
    events = made.take(0)
    assert not made.take(1)
    told = [believed(event) for event in events]
    assert [
        (s.address, s.side, s.peer, s.outside, s.port, s.label, s.family, s.kind, s.count, s.answered, s.spoke)
        for s in told if s
    ] == [
        ("10.0.0.1", "client", "10.0.0.2", False, 80, "Linux test", "Linux", "client", 20, 10, 20),
        ("10.0.0.2", "server", "10.0.0.1", False, 80, "Linux test", "Linux", "client", 20, 10, 20),
    ]  # fmt: skip
    first = told[0]
    assert first
    assert (first.mtu, first.distance, first.ip_id, first.ts, first.first_ns) == (1500, 0, 77, 7, begin + 5)
    assert first.raw == "4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0"


def test_a_flood_makes_no_sightings() -> None:
    made = SightingsMaker(DATABASE, Networks(HOME), pending=256)
    made.add(flood(2000))
    made.finish()
    assert not made.take(0)
