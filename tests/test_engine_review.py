# SPDX-License-Identifier: LGPL-2.1-or-later
"""Defects of the engine that a review found, each at its smallest."""

import subprocess
import sys

import pytest

import sigdb
from engine import Engine, Flow, Limits
from tests.records import UDP, Conversation, Record, run

EMPTY = sigdb.loads("")


def in_child(code: str) -> None:
    """Run code that may hang or crash in a process of its own."""
    head = "import sigdb\nfrom engine import *\nfrom tests.records import *\n"
    done = subprocess.run([sys.executable, "-c", head + code], timeout=30, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_table_of_one_flow() -> None:
    in_child(
        "e = Engine(sigdb.loads(''), Limits(flows=1), report_all=True)\n"
        "f = run(e, [Record(proto=UDP, hash=h, sport=h) for h in range(1, 9)])\n"
        "assert len(f) == 8, len(f)\n"
    )


@pytest.mark.parametrize("memory", [1, 64 << 20])
def test_many_port_classes_before_the_first_turn_ends(memory: int) -> None:
    in_child(
        "p = sigdb.loads('\\n'.join(f'udp {port} C{port} S1 : t{port}' for port in range(1000, 4000)))\n"
        f"e = Engine(p, Limits(state_memory={memory}), report_all=True)\n"
        "f = run(e, [Record(proto=UDP, hash=h, sport=60000, dport=h, len=h) for h in range(1000, 4000)])\n"
        "assert len(f) == 3000, len(f)\n"
    )


def test_duration_of_a_side_beyond_4_seconds() -> None:
    talk = Conversation().handshake()
    talk.send("c", 5)
    talk.wait(10).send("c", 5)
    (flow,) = run(Engine(EMPTY, report_all=True), talk.records)
    assert flow.duration_c_ns == 10_000_000_000


def test_round_trip_beyond_4_seconds() -> None:
    talk = Conversation(rtt_s=5.0).handshake()
    talk.send("c", 5)
    (flow,) = run(Engine(EMPTY, report_all=True), talk.records)
    assert flow.rtt_s_ns == 5_000_000_000


def test_duration_of_a_side_whose_clock_goes_back() -> None:
    answer = Record(proto=UDP, len=9)
    question = Record(proto=UDP, len=1, src=answer.dst, dst=answer.src, sport=answer.dport, dport=answer.sport)
    flows = run(Engine(EMPTY, report_all=True), [question, answer.later(1), answer.later(0.5)])
    assert [(flow.duration_c_ns, flow.duration_s_ns) for flow in flows] == [(0, 0)]


def fragments(*spans: tuple[int, int]) -> list[Record]:
    talk = Conversation().handshake()
    base = talk.next["c"]
    for start, end in spans:
        talk.wait(0.001).records.append(talk.make("c", end - start, seq=base + start))
    return talk.records


@pytest.mark.parametrize(
    "spans",
    [
        [(10, 20), (30, 40), (0, 100)],  # a filler over two islands
        [(50, 60), (30, 100), (0, 30)],  # a held segment over an island held before it
    ],
)
def test_nothing_of_a_segment_over_islands_is_lost(spans: list[tuple[int, int]]) -> None:
    (flow,) = run(Engine(EMPTY, report_all=True), fragments(*spans))
    assert flow.bytes_c == 100, flow.shape
    (flow,) = run(Engine(EMPTY, report_all=True), fragments(*spans, (100, 130)))
    assert (flow.bytes_c, flow.gap) == (130, False), flow.shape


def test_finish_after_process_in_between() -> None:
    engine = Engine(EMPTY, Limits(flows=20000), report_all=True)
    many = [Record(proto=UDP, hash=h, sport=h & 0xFFFF, len=1) for h in range(1, 6001)]
    flows: list[Flow] = []

    def feed(records: list[Record]) -> None:
        data = b"".join(r.pack() for r in records)
        done = 0
        while done < len(records):
            done += engine.process(data, bytes(8 * len(records)), done, len(records) - done)
            flows.extend(engine.take())

    feed(many)
    assert not engine.finish()
    flows += engine.take()
    feed([Record(proto=UDP, hash=h, sport=h & 0xFFFF, len=1) for h in range(10001, 10011)])
    while not engine.finish():
        flows += engine.take()
    flows += engine.take()
    assert len(flows) == 6010


def reuse() -> tuple[list[Record], list[Record]]:
    talk = Conversation().handshake()
    talk.send("c", 5)
    talk.send("s", 6)
    again = Conversation(now=talk.now + 10**9, next={"c": 500_000_000, "s": 90_000_000}).handshake()
    again.send("c", 7)
    again.send("s", 8)
    return talk.records, again.records


def test_a_connection_that_replaces_another_in_a_full_table() -> None:
    first, second = reuse()
    other = Record(proto=UDP, hash=77, sport=9, len=1)
    flows = run(Engine(EMPTY, Limits(flows=2), report_all=True), [*first, other, *second])
    tcp = [f for f in flows if f.proto == 6]
    assert [(f.packets_c, f.packets_s, f.midstream, f.reason.name) for f in tcp] == [
        (1, 1, False, "REUSE"),
        (1, 1, False, "OPEN"),
    ]


def test_live_flow_is_not_evicted_while_reported_ones_hold_slots() -> None:
    # one UDP flow expires when its address is used again (slot kept until take), then another flow is born
    live = Conversation(hash=5, client_port=7).handshake()
    live.send("c", 5)
    live.send("s", 5)
    udp = Record(proto=UDP, hash=9, sport=9, len=1)
    records = [*live.records, udp, udp.later(61), Record(proto=UDP, hash=10, sport=10, len=1).later(61)]
    for batch in (1, 4096):
        flows = run(Engine(EMPTY, Limits(flows=3, idle_tcp=1e6), report_all=True), records, batch)
        assert not {"EVICTED", "HALF_OPEN"} & {f.reason.name for f in flows}, batch


def test_fins_behind_a_hole_at_idle_end() -> None:
    talk = Conversation().handshake()
    talk.send("c", 5)
    talk.next["c"] += 5  # lost
    talk.close()
    tail = Record(proto=UDP, hash=9, len=1).later(5000)
    flow = run(Engine(EMPTY, report_all=True), [*talk.records, tail])[0]
    assert flow.reason.name == "FIN"


def test_history_short_is_counted() -> None:
    program = sigdb.loads("udp * = c1{20} c2 c@2 : x")
    engine = Engine(program, Limits(first=2, ring=4))
    run(engine, [Record(proto=UDP, len=n) for n in [1] * 20 + [2, 2]])
    c = engine.counters()
    assert c["verified_away"] == c["history_short"] == 1


@pytest.mark.parametrize("seconds", [1e11, float("inf")])
def test_times_without_end(seconds: float) -> None:
    record = Record(proto=UDP, len=5)
    (flow,) = run(Engine(EMPTY, Limits(idle_udp=seconds), report_all=True), [record, record.later(1)])
    assert flow.packets_c == 2


def test_times_that_are_no_number() -> None:
    with pytest.raises(ValueError, match="idle_udp"):
        Limits(idle_udp=float("nan")).check()
