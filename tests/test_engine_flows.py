# SPDX-License-Identifier: LGPL-2.1-or-later
"""How flows begin, end and make room; which way they go; what is told of them."""

from dataclasses import replace
from random import Random

import pytest

import sigdb
from engine import Engine, Flow, Limits
from engine.counters import NAMES
from engine.loop import encode_think
from sigdb import think
from tests import signatures
from tests.records import ACK, ICMP, START, SYN, TCP, UDP, Conversation, Record, address, run

EMPTY = sigdb.loads("")


def engine(text: str = "", **limits: float) -> Engine:
    return Engine(sigdb.loads(text), Limits(**({"flows": 64} | limits)), report_all=not text)  # type: ignore[arg-type]


def one(records: list[Record], text: str = "", **limits: float) -> Flow:
    (flow,) = run(engine(text, **limits), records)
    return flow


def stranger(number: int, ts: int, flags: int = SYN, proto: int = TCP) -> Record:
    """Return a first packet from an address of its own."""
    source = bytes(10) + b"\xff\xff" + (0x0B000000 + number).to_bytes(4, "big")
    return Record(ts=ts, src=source, hash=(number * 2654435761) & 0xFFFFFFFF, proto=proto, tcpflags=flags, sport=40001)


def test_think_codes_are_those_of_the_language() -> None:
    times = [*range(0, 12_000), *(10**e + d for e in range(4, 12) for d in (-1, 0, 1, 5, 49))]
    assert [encode_think(us) for us in times] == [think.encode(us) for us in times]


def test_every_counter_has_a_name() -> None:
    counters = engine().counters()
    assert tuple(counters) == NAMES
    assert {"records", "retransmitted", "ended_evicted", "states_lost"} <= set(NAMES)


@pytest.mark.parametrize(
    ("proto", "first", "port", "expected"),
    [
        # the first speaker is the client, unless its port is a well-known one
        (UDP, "c", 5000, ("c", False)),
        (UDP, "c", 53, ("c", False)),
        (UDP, "s", 53, ("c", False)),
        (ICMP, "c", 5000, ("c", False)),
        (TCP, "c", 22, ("c", True)),
        (TCP, "s", 22, ("c", True)),
        (TCP, "s", 5000, ("c", True)),
    ],
)
def test_direction(proto: int, first: str, port: int, expected: tuple[str, bool]) -> None:
    talk = Conversation(proto, port, client_port=port if proto == ICMP else 40000)
    talk.send(first, 10)
    talk.send("s" if first == "c" else "c", 20)
    flow = one(talk.records)
    assert ("c" if flow.client == address("10.0.0.1") else "s", flow.midstream) == expected
    assert 0 < flow.confidence < 100


def test_confidence_falls_with_what_is_known() -> None:
    whole = Conversation(port=5000).handshake()
    whole.send("c", 5)
    answered = whole.records[1:]
    assert one(whole.records).confidence == 100
    assert one(answered).confidence < 100
    assert one(answered).midstream
    assert one(answered).client == address("10.0.0.1")
    assert one(whole.records[3:]).confidence < one(answered).confidence


def test_begin_needs_the_syn() -> None:
    talk = Conversation().handshake()
    talk.send("c", 5)
    text = "tcp * = < c5 : begins"
    assert len(run(engine(text), talk.records)) == 1
    assert run(engine(text), talk.records[1:]) == []
    # the SYN+ACK seen first, then the SYN: the beginning is known
    swapped = [talk.records[1], talk.records[0], *talk.records[2:]]
    assert len(run(engine(text), swapped)) == 1


@pytest.mark.parametrize(("proto", "idle"), [(UDP, 60), (ICMP, 30)])
def test_idle_flows_end(proto: int, idle: int) -> None:
    def flows(gap: float) -> list[str]:
        talk = Conversation(proto, client_port=5000 if proto == ICMP else 40000)
        talk.send("c", 10)
        talk.wait(gap).send("c", 20)
        return sorted(flow.shape for flow in run(engine(), talk.records))

    # the first packet of a flow has no think time, so what was a pause disappears with the flow
    assert flows(idle - 1) == ["< c10 + c20"]
    assert flows(idle + 1) == ["< c10 >", "< c20"]


def test_one_mad_timestamp_ends_no_other_flow() -> None:
    talk = Conversation().handshake()
    records = list(talk.records)
    for number in range(200):
        record = talk.wait(0.01).send("c", 10 + number % 3)
        records += [record, stranger(number, record.ts)]
    records[150] = replace(records[150], ts=START * 3)
    flows = run(engine(flows=1024), records, batch=8)
    assert [flow.packets_c for flow in flows if flow.client_port == 40000] == [200]


def test_half_open_flows_make_room_first() -> None:
    """A flood of SYNs through a table of 256 flows costs no open session its place."""
    talks = [Conversation(client_port=30000 + i, hash=77 + i, now=START + i) for i in range(20)]
    records: list[Record] = []
    for talk in talks:
        talk.handshake().send("c", 30)
        records += talk.records
    records += [stranger(number, START + 10**6 + number * 1000) for number in range(20_000)]
    for talk in talks:
        talk.records.clear()
        talk.wait(0.5).send("s", 40)
        records += talk.close().records
    built = engine("tcp * = < c30 + s40 > : session", flows=256)
    assert sorted(flow.client_port for flow in run(built, records)) == [30000 + i for i in range(20)]
    assert built.counters()["ended_half_open"] > 19_000
    assert built.counters()["ended_evicted"] == 0


def test_open_flows_make_room_last() -> None:
    records = [stranger(number, START + number * 1000, ACK) for number in range(1000)]
    records = [replace(record, len=10) for record in records]
    records += [replace(r, src=r.dst, dst=r.src, sport=r.dport, dport=r.sport, ts=r.ts + 10**7) for r in records[-64:]]
    built = engine(flows=128)
    flows = run(built, records)
    assert len(flows) == 1000
    assert sum(flow.packets_s for flow in flows) == 64


def test_full_report_queue_loses_nothing() -> None:
    """Flows that wait to be reported fill the table: the engine asks for them to be taken."""
    records = [stranger(number, START + number * 1000, proto=UDP) for number in range(30_000)]
    records = [replace(record, len=number % 7, tcpflags=0) for number, record in enumerate(records)]
    built = engine(flows=100)
    flows = run(built, records, batch=4096)
    assert len(flows) == 30_000
    assert built.counters()["no_room"] == 0


def test_datagrams_of_length_zero_and_merged_ones() -> None:
    talk = Conversation(UDP)
    talk.send("c", 0)
    talk.send("s", 2500, seg=1000)
    assert one(talk.records).shape == "< c0 s1000 s1000 s500"


@pytest.mark.parametrize("seed", range(150))
def test_evidence_and_shapes_match_again(seed: int) -> None:
    """What a hit shows as its shape is a signature that the same flow matches; so is the shape of a flow."""
    random = Random(seed)
    for _ in range(4):
        program = sigdb.loads("\n".join(f"* {line.split(maxsplit=1)[1]}" for line in _lines(random)))
        packets = [packet for packet in signatures.flow(random, program.signatures[0]) if packet[1]]
        if not packets or packets[0][0] == "s":
            continue
        talk = Conversation().handshake()
        for side, size, code in packets:
            talk.wait(think.decode(code) / 1e6).send(side, size)
        records = talk.close().records
        limits = Limits(flows=64, idle_tcp=1e6)
        flows = run(Engine(program, limits), records)
        shown = [hit.shape for flow in flows for hit in flow.hits if hit.shape]
        shown += [flow.shape for flow in run(Engine(EMPTY, limits, report_all=True), records)]
        for shape in shown:
            again = run(Engine(sigdb.loads(f"* * = {shape} : again"), limits), records)
            assert [hit.count > 0 for flow in again for hit in flow.hits] == [True], (shape, packets)


def _lines(random: Random) -> list[str]:
    while True:
        lines = signatures.lines(random, 2).splitlines()
        try:
            sigdb.loads("\n".join(f"* {line.split(maxsplit=1)[1]}" for line in lines))
        except sigdb.SignatureErrors:
            continue
        return lines


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("tcp * = < c7#a ... c@a > : first and last", 1),
        ("tcp * = c9#a ... c@a > : the first is gone", 0),
        ("tcp * = c30 c@1 c@1 : near the end", 1),
        ("tcp * = < c7 ... c30 > : no reference, so nothing is forgotten", 1),
    ],
)
def test_what_left_the_history_is_not_known(text: str, hits: int) -> None:
    talk = Conversation().handshake()
    for size in [7, *[20] * 30, 9, *[21] * 40, 30, 30, 30, 7]:
        talk.send("c", size)
    if "c9" in text or "no reference" in text:
        talk.send("c", 9 if "c9" in text else 30)
    built = engine(text)
    found = [hit.count for flow in run(built, talk.close().records) for hit in flow.hits]
    assert found == [1] * hits
    assert built.counters()["history_short"] == ("c9" in text)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("bytes == 42 and c.bytes == 12 and s.bytes == 30", True),
        ("packets == 3 and c.packets == 2 and s.packets == 1", True),
        ("turns == 3 and c.turns == 2 and s.turns == 1", True),
        ("duration > 1.9 and duration < 2.1", True),
        ("c.duration > 1s and s.duration == 0", True),
        ("rtt > 29ms and rtt < 31ms and c.rtt < s.rtt", True),
        ("c.bytes > s.bytes", False),
        ("s.bytes / (c.packets - 2) > 0", False),
        ("not (s.bytes / (c.packets - 2) > 0)", False),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    talk = Conversation(rtt_c=0.01, rtt_s=0.02).handshake()
    talk.send("c", 5)
    talk.wait(0.02).send("s", 30)
    talk.wait(1.95).send("c", 7)
    built = engine(f"tcp * = c5 where {condition} : condition")
    assert len(run(built, talk.close().records)) == holds
    assert built.counters()["where_refused"] == (not holds)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"ring": 24}, "ring must be a power of two, not 24"),
        ({"flows": 0}, "flows must not be below 1"),
        ({"idle_udp": -1.0}, "idle_udp must not be below 0"),
        ({"flows": 1 << 27}, "at most"),
    ],
)
def test_limits_that_make_no_sense(limits: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        engine(**limits)


def test_buffers_that_are_too_short() -> None:
    with pytest.raises(ValueError, match="2 records from 0 on do not fit in 64 bytes"):
        engine().process(bytes(64), bytes(16), 0, 2)
    with pytest.raises(ValueError, match="1 tags from 0 on do not fit in 4 bytes"):
        engine().process(bytes(64), bytes(4), 0, 1)
