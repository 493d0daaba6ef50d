# SPDX-License-Identifier: LGPL-2.1-or-later
"""TCP sequence tracking: what passes a tap against the shape that comes out."""

from dataclasses import replace
from random import Random

import pytest

import sigdb
from engine import Engine, Flow, Limits
from tests.records import ACK, FIN, PSH, RST, SYN, Conversation, Record, address, run

EMPTY = sigdb.loads("")


def flows_of(records: list[Record]) -> list[Flow]:
    return run(Engine(EMPTY, Limits(flows=64), report_all=True), records)


def play(script: str) -> list[Record]:
    """Return the records of a script: one word per event.

    hs handshake, c10 s20 data, c10? data lost before the tap, late the newest lost one now, dup the newest record
    again, swap the two newest records, keep-c keep-alive of one byte, +2 two seconds pass, fin both sides close,
    fin-c one does, rst-c+5 a RST five beyond what is expected, syn+N a SYN with another number, late-syn the first
    record again.
    """
    talk = Conversation()
    lost: list[Record] = []
    for word in script.split():
        talk.wait(0.001)
        if word == "hs":
            talk.handshake()
        elif word == "fin":
            talk.close()
        elif word.startswith("fin-"):
            talk.send(word[4], 0, FIN | ACK)
        elif word == "dup":
            talk.records.append(replace(talk.records[-1], ts=talk.now))
        elif word == "late-syn":
            talk.records.append(replace(talk.records[0], ts=talk.now))
        elif word == "late":
            talk.records.append(replace(lost.pop(), ts=talk.now))
        elif word == "swap":
            one, two = talk.records[-2:]
            talk.records[-2:] = [replace(two, ts=one.ts), replace(one, ts=two.ts)]
        elif word.startswith("keep-"):
            side = word[5]
            talk.records.append(talk.make(side, 1, ACK, seq=(talk.next[side] - 1) & 0xFFFFFFFF))
        elif word.startswith("rst-"):
            side = word[4]
            talk.records.append(talk.make(side, 0, RST, seq=(talk.next[side] + int(word[5:] or 0)) & 0xFFFFFFFF))
        elif word.startswith("syn+"):
            talk.next["c"] = (talk.next["c"] + int(word[4:])) & 0xFFFFFFFF
            talk.send("c", 0, SYN, ack=0)
        elif word == "synack":
            talk.next["s"] = 77_000_000
            talk.send("s", 0, SYN | ACK)
        elif word.startswith("+"):
            talk.wait(float(word[1:]))
        elif word.endswith("?"):
            talk.send(word[0], int(word[1:-1]), ACK | PSH)
            lost.append(talk.records.pop())
        else:
            talk.send(word[0], int(word[1:]), ACK | PSH)
    return talk.records


CASES = [
    # script, shapes and reasons of the flows in their order
    ("hs c10 s20 fin", "< c10 s20 > fin"),
    ("hs c10 s20", "< c10 s20 open"),
    ("hs c10 dup s20 fin", "< c10 s20 > fin"),
    ("hs c10 c20 c30 swap s5 fin", "< c10 c20 c30 s5 > fin"),
    ("hs c10 keep-c s20 keep-s keep-s c5 fin", "< c10 s20 c5 > fin"),
    ("hs s7 c10? c20 late s30 fin", "< s7 c10 c20 s30 > fin"),
    # an answer that came while the tap waited for the lost question stays behind it
    ("hs c10? c20 s30 late c5 fin", "< c10 c20 s30 c5 > fin"),
    # never filled: the flow goes on, marked
    ("hs c9 c10? c20 +3 s30 c5 fin", "< c9 c20 + s30 c5 > gap fin"),
    ("hs c9 c10? c20 s30 +0.2 c5 fin", "< c9 c20 s30 c5 > gap fin"),
    ("hs c10? c20 fin", "< c20 > gap fin"),
    # two holes, filled from the back
    ("hs c10? c20 c30? c40 late late fin", "< c10 c20 c30 c40 > fin"),
    # a lost segment sent again after a second is no second of thinking
    ("hs c10? c20 +1 late s5 fin", "< c10 c20 s5 > fin"),
    # pauses
    ("hs c10 +0.5 s20 +0.3 c5 fin", "< c10 + s20 c5 > fin"),
    ("hs +5 c10 s20 fin", "< + c10 s20 > fin"),
    ("hs c10 keep-c +2 keep-c +2 c10 fin", "< c10 + c10 > fin"),
    # RST in and out of the window
    ("hs c10 rst-s", "< c10 > rst"),
    ("hs c10 rst-s+100000 s20 fin", "< c10 s20 > fin"),
    ("hs c10 rst-c-5 s20 fin", "< c10 s20 > fin"),
    ("hs c10 rst-s+400", "< c10 > gap rst"),
    # a RST that overtook the last data, or came while the tap waits for some
    ("hs c10 s20? rst-s late", "< c10 s20 > rst"),
    ("hs c10? c20 rst-s late", "< c10 c20 > rst"),
    ("hs c10? c20 rst-s", "< c20 > gap rst"),
    # an answer that overtook its question, and one whose question was never seen
    ("hs c10? s20 late c5 fin", "< c10 s20 c5 > fin"),
    ("hs c10? s20 +1 c5 s7 fin", "< s20 + c5 s7 > gap fin"),
    # only one direction is seen: data behind the new SYN is enough
    ("hs c10 fin late-syn", "< c10 > fin"),
    # half-closed: the other side may still speak
    ("hs c10 fin-c s20 s30 fin-s", "< c10 s20 s30 > fin"),
    ("hs c10 fin-c", "< c10 > fin"),
    ("hs c10 fin dup rst-c", "< c10 > fin"),
    # without the beginning
    ("c10 s20 c30", "c10 s20 c30 midstream open"),
    ("hs c10 fin syn+5000 c7", "< c10 > fin; < c7 open"),
    # the same ports again: only the answer shows that it is a new connection
    ("hs c10 s20 syn+90000 synack c7 fin", "< c10 s20 reuse; < c7 > fin"),
    ("hs c10 s20 late-syn s5 fin", "< c10 s20 s5 > fin"),
    ("hs c10 s20 syn+90000", "< c10 s20 open"),
]


@pytest.mark.parametrize(("script", "expected"), CASES, ids=[script for script, _ in CASES])
def test_shape(script: str, expected: str) -> None:
    found = "; ".join(
        " ".join(filter(None, [
            flow.shape, "gap" * flow.gap, "midstream" * flow.midstream, flow.reason.name.lower(),
        ]))
        for flow in flows_of(play(script))
    )  # fmt: skip
    assert found == expected


def test_new_connection_on_the_same_ports_seen_from_one_side() -> None:
    talk = Conversation()
    talk.send("c", 0, SYN, ack=0)
    talk.send("c", 10)
    talk.next["c"] += 70_000
    talk.send("c", 0, SYN, ack=0)
    talk.send("c", 11)
    assert [(flow.shape, flow.reason.name) for flow in flows_of(talk.records)] == [
        ("< c10", "REUSE"),
        ("< c11", "OPEN"),
    ]


def dialogue(random: Random) -> list[tuple[str, int, float]]:
    """Return (side, bytes, seconds before) of some writes, many of them larger than a segment."""
    return [
        (random.choice("cs"), random.choice((1, 20, 536, 1448, 5000, 20_000)), random.choice((0.0, 0.2, 0.6, 3.0)))
        for _ in range(random.randrange(1, 12))
    ]


def transmit(writes: list[tuple[str, int, float]], mss: int, merged: bool, start: int = 1000) -> list[Record]:
    """Return the records of a connection: one per segment, or one per write where GRO/TSO has merged them."""
    talk = Conversation(rtt_c=0.01, rtt_s=0.02)
    talk.next["c"] = start
    talk.handshake()
    for side, size, before in writes:
        talk.wait(0.03 + before)
        if merged:
            talk.send(side, size, seg=mss if size > mss else 0)
            continue
        for at in range(0, size, mss):
            talk.send(side, min(mss, size - at))
    return talk.wait(0.03).close().records


def shapes(records: list[Record]) -> list[tuple[str, bool]]:
    return [(flow.shape, flow.gap) for flow in flows_of(records)]


@pytest.mark.parametrize("seed", range(300))
def test_shape_does_not_depend_on_offloads(seed: int) -> None:
    random = Random(seed)
    writes, mss = dialogue(random), random.choice((100, 536, 1448))
    start = random.choice((1000, 0xFFFFFF00, 0x7FFFFFF0))
    assert shapes(transmit(writes, mss, True, start)) == shapes(transmit(writes, mss, False, start))


def overlap(one: Record, two: Record) -> bool:
    """Whether two different segments share bytes: a keep-alive never overtakes the byte that it repeats."""
    ahead = (two.seq - one.seq) & 0xFFFFFFFF
    return (ahead < one.len or (-ahead & 0xFFFFFFFF) < two.len) and (one.seq, one.len) != (two.seq, two.len)


def disturb(random: Random, records: list[Record]) -> list[Record]:
    """Return records with duplicates, retransmissions, keep-alives, and segments of one side that overtook others."""
    out: list[Record] = []
    for index, record in enumerate(records):
        out.append(record)
        data = record.len > 0
        if data and random.random() < 0.2:
            out.append(replace(record, ts=record.ts + 10_000))
        earlier = [other for other in records[3:index] if other.len and other.src == record.src]
        if earlier and random.random() < 0.2:
            out.append(replace(random.choice(earlier), ts=record.ts + 20_000, ack=record.ack))
        if data and random.random() < 0.2:
            # one old byte, once more
            last = (record.seq + record.len - 1) & 0xFFFFFFFF
            out.append(replace(record, seq=last, len=1, seg=0, ts=record.ts + 30_000))
    for at in range(4, len(out) - 1):
        one, two = out[at], out[at + 1]
        near = one.src == two.src and one.len and two.len and abs(one.ts - two.ts) < 10**8
        if near and not overlap(one, two) and random.random() < 0.4:
            out[at], out[at + 1] = replace(two, ts=one.ts), replace(one, ts=two.ts)
    return out


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("seed", range(300))
def test_shape_is_stable_under_disturbance(seed: int, merged: bool) -> None:
    random = Random(seed)
    writes, mss = dialogue(random), random.choice((536, 1448))
    records = transmit(writes, mss, merged, random.choice((1000, 0xFFFFFF00)))
    assert shapes(disturb(random, records)) == shapes(records)


def test_retransmission_with_other_boundaries() -> None:
    """A hole that is filled together with what is held behind it does not change the packets' sizes."""
    talk = Conversation().handshake()
    first = talk.send("c", 100)
    talk.send("c", 60)
    third = talk.send("c", 40)
    whole = replace(first, len=200, ts=third.ts + 1000)
    talk.records.remove(first)
    talk.records.append(whole)
    assert shapes(talk.records) == [("< c100 c60 c40", False)]


def test_silent_flow_is_released_by_the_passing_of_time() -> None:
    """Nothing more comes for a flow that waits behind a hole: others' packets show that the time is over."""
    talk = Conversation().handshake()
    talk.send("c", 10)
    talk.send("c", 20)
    talk.records.pop(-2)
    talk.close()
    others = [
        Record(ts=talk.now + i * 10**8, src=address("10.1.1.1"), hash=5, proto=17, dport=9, len=1) for i in range(300)
    ]
    engine = Engine(sigdb.loads("tcp * = c20 > : behind a hole"), Limits(flows=64), report_all=True)
    for start in range(0, len(talk.records + others), 10):
        part = (talk.records + others)[start : start + 10]
        engine.process(b"".join(record.pack() for record in part), bytes(8 * len(part)), 0, len(part))
    flow = engine.take()[0]
    assert (flow.shape, flow.gap, flow.reason.name) == ("< c20 >", True, "FIN")


def test_forged_segment_far_ahead_does_not_silence_a_flow() -> None:
    talk = Conversation().handshake()
    talk.send("c", 10)
    talk.records.append(talk.make("c", 50, seq=(talk.next["c"] + (1 << 29)) & 0xFFFFFFFF))
    for _ in range(60):
        talk.wait(0.1).send("c", 20)
        talk.wait(0.1).send("s", 5)
    (flow,) = flows_of(talk.close().records)
    assert (flow.packets_c, flow.packets_s, flow.reason.name) == (61, 60, "FIN")


@pytest.mark.parametrize(("wait", "expected"), [(0.0, "< c10 s20"), (0.9, "< c10 + s20")])
@pytest.mark.parametrize("rtt", [0.0, 0.6])
def test_think_time_does_not_depend_on_distance(rtt: float, wait: float, expected: str) -> None:
    for rtt_c, rtt_s in ((rtt, 0.0), (0.0, rtt), (rtt / 2, rtt / 2)):
        talk = Conversation(rtt_c=rtt_c, rtt_s=rtt_s).handshake()
        talk.send("c", 10)
        talk.wait(rtt_s + wait).send("s", 20)
        assert shapes(talk.records) == [(expected, False)]


def test_retransmitted_syn_does_not_inflate_the_round_trip() -> None:
    talk = Conversation(rtt_c=0.01, rtt_s=0.02)
    talk.send("c", 0, SYN, ack=0)
    talk.records.append(talk.records[0].later(1.0))
    talk.wait(1.0)
    talk.wait(0.02).send("s", 0, SYN | ACK)
    talk.wait(0.01).send("c", 0, ACK)
    talk.send("c", 10)
    talk.wait(0.8).send("s", 20)
    (flow,) = flows_of(talk.records)
    assert (flow.rtt_c_ns, flow.rtt_s_ns, flow.shape) == (10_000_000, 20_000_000, "< c10 + s20")


def test_packets_that_cross_do_not_lower_the_round_trip() -> None:
    """Both sides greet at once; the tap is at the server, the client 600 ms away."""
    talk = Conversation(rtt_c=0.6).handshake()
    greeting = talk.make("c", 21)
    talk.send("s", 21)
    talk.wait(0.001).records.append(replace(greeting, ts=talk.now))
    talk.next["c"] += 21
    talk.wait(0.001).send("s", 300)
    talk.wait(0.6).send("c", 300)
    (flow,) = flows_of(talk.records)
    assert (flow.shape, flow.rtt_c_ns) == ("< s21 c21 s300 c300", 600_000_000)
