# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the engine does beyond files: time that passes by itself, news of open flows, losses, records that are lies."""

from dataclasses import replace
from random import Random

import pytest

import sigdb
from engine import Engine, Flow, Limits, Reason
from tests import signatures
from tests.engines import ROUNDS, engine, feed, finish, hits, merged, named
from tests.records import START, TCP, UDP, Conversation, Record, run
from tests.test_engine_flows import stranger

SECOND = 1_000_000_000


@pytest.mark.parametrize(("proto", "idle"), [(UDP, 60), (TCP, 1800)])
def test_idle_flows_end_though_no_record_comes(proto: int, idle: int) -> None:
    built = engine(report_all=True)
    talk = Conversation(proto)
    if proto == TCP:
        talk.handshake()
    talk.send("c", 5)
    talk.send("s", 6)
    feed(built, talk.records)
    assert built.advance(talk.now + (idle - 1) * SECOND)
    assert built.take() == []
    assert built.advance(talk.now + (idle + 1) * SECOND)
    (flow,) = built.take()
    assert (flow.reason, flow.shape) == (Reason.TIMEOUT, "< c5 s6 >")
    assert built.memory()["flows"] == 0


def test_segments_that_wait_in_vain_are_released_though_no_record_comes() -> None:
    built = engine("tcp * = c5 c7 : hole")
    talk = Conversation().handshake()
    talk.send("c", 5)
    missing = talk.make("c", 9)
    talk.next["c"] += missing.len
    talk.send("c", 7)
    assert feed(built, talk.records) == ([], [])
    assert built.advance(talk.now + SECOND)
    assert built.news() == []
    assert built.advance(talk.now + 3 * SECOND)
    assert [flow.gap for flow in built.news()] == [True]


def test_a_large_table_is_swept_in_few_calls() -> None:
    built = engine(report_all=True, flows=100_000)
    records = [replace(stranger(n, START + n, proto=UDP), tcpflags=0, len=1) for n in range(50_000)]
    feed(built, records)
    now = START + 100 * SECOND
    flows, calls = 0, 0
    while built.memory()["flows"]:
        calls += not built.advance(now)
        flows += len(built.take())
        calls += 1
        assert calls < 200
    assert flows == 50_000
    # without anything to report nothing has to be taken in between
    built = engine("tcp * = c1 : none", flows=100_000)
    feed(built, records)
    assert [built.advance(now) for _ in range(17)] == [True] * 17
    assert built.memory()["flows"] == 0


def test_time_that_passed_does_not_end_what_records_keep_alive() -> None:
    built = engine(report_all=True)
    talk = Conversation(UDP)
    for _ in range(20):
        talk.records.clear()
        talk.wait(50).send("c", 1)
        built.advance(talk.now)
        assert feed(built, talk.records) == ([], [])
    assert [flow.packets_c for flow in finish(built)] == [20]


def test_a_first_hit_is_news_once() -> None:
    at_end = "tcp * = c5 s6 > : signature\n    id = test.end\n"
    built = engine(named("tcp * = c5", "tcp * = s6", "tcp * = c5 where packets > 1") + at_end)
    talk = Conversation().handshake()
    talk.send("c", 5)
    talk.send("c", 5)
    ((early,), ended) = feed(built, talk.records)
    assert ended == []
    assert hits(built.program, [early]) == {"test.c5": 1}
    assert (early.reason, early.ended, early.shape, early.hits[0].published) == (Reason.OPEN, False, "", 0)
    assert early.hits[0].shape == "c5"
    talk.records.clear()
    talk.send("c", 5)
    talk.send("s", 6)
    ((later,), ended) = feed(built, talk.records)
    assert hits(built.program, [later]) == {"test.s6": 1}
    assert (later.start_ns, later.client_port) == (early.start_ns, early.client_port)
    talk.records.clear()
    news, (flow,) = feed(built, talk.close().records)
    assert news == []
    found = {built.program.signatures[hit.signature].id: (hit.count, hit.published) for hit in flow.hits}
    assert found == {"test.c5": (3, 1), "test.s6": (1, 1), "test.1": (3, 0), "test.end": (1, 0)}
    assert flow.hits[0].shape == "c5"


def test_a_flow_that_ended_is_no_news() -> None:
    built = engine("tcp * = c5 : five")
    talk = Conversation().handshake()
    talk.send("c", 5)
    news, (flow,) = feed(built, talk.close().records)
    assert (news, flow.hits[0].published) == ([], 0)


def test_no_news_are_made_for_who_does_not_want_them() -> None:
    talk = Conversation().handshake()
    talk.send("c", 5)
    built = Engine(sigdb.loads("tcp * = c5 : five"), Limits(flows=64))
    assert feed(built, talk.records) == ([], [])
    assert [hit.published for flow in finish(built) for hit in flow.hits] == [0]


def test_a_full_ring_of_news_loses_nothing() -> None:
    built = engine("udp * = c5 : five", flows=10_000)
    records = [replace(stranger(n, START + n, proto=UDP), tcpflags=0, len=5) for n in range(9_000)]
    news, ended = feed(built, records)
    assert len({flow.client for flow in news}) == len(news) == 9_000
    assert ended == []
    assert [hit.published for flow in finish(built) for hit in flow.hits] == [1] * 9_000


@pytest.mark.parametrize("seed", range(3))
def test_news_and_ends_tell_what_ends_alone_tell(seed: int) -> None:
    """The last word on each flow and signature is the same with and without news, which come first."""
    random = Random(seed)
    for _ in range(ROUNDS // 10):
        program = sigdb.loads(signatures.lines(random, 5))
        records = merged(random, program)
        limits = Limits(flows=random.choice((8, 64)), idle_tcp=1e7, idle_udp=1e7)
        expected = told(run(Engine(program, limits), records))
        built = Engine(program, limits, early=True)
        early: dict[object, int] = {}
        for start in range(0, len(records), 50):
            news, ended = feed(built, records[start : start + 50])
            for key, (count, published) in told(news).items():
                assert key not in early
                assert count == 1
                early[key] = count
                assert published == 0
            for key, (count, published) in told(ended).items():
                assert expected.pop(key)[0] == count
                assert early.pop(key, 0) == published
        for key, (count, published) in told(finish(built)).items():
            assert expected.pop(key)[0] == count
            assert early.pop(key, 0) == published
        assert expected == early == {}


def told(flows: list[Flow]) -> dict[object, tuple[int, int]]:
    """By flow and signature: count, published count."""
    return {
        (flow.client, flow.client_port, flow.server_port, flow.proto, flow.start_ns, hit.signature): (
            hit.count,
            hit.published,
        )
        for flow in flows
        for hit in flow.hits
    }


@pytest.mark.parametrize(
    ("begin", "end", "gap"),
    [
        (-5.0, -0.1, False),  # before the SYN
        (-5.0, 0.5, True),
        (0.5, 0.6, True),
        (0.9, 9.0, True),
        (1.1, 9.0, False),  # after the FIN
        (-5.0, 9.0, True),
    ],
)
def test_losses_mark_the_flows_of_their_time(begin: float, end: float, gap: bool) -> None:
    talk = Conversation().handshake()
    talk.send("c", 5)
    talk.wait(1).send("s", 6)
    built = engine("tcp * = < c5 + s6 > : session")
    built.lost(START + round(begin * 1e9), START + round(end * 1e9))
    _, (flow,) = feed(built, talk.close().records)
    assert (flow.gap, len(flow.hits)) == (gap, 1)


@pytest.mark.parametrize(
    ("begin", "gap"), [(-1.5, False), (-0.9, True), (0.5, True), (1.5, True), (60.0, True), (62.0, False)]
)
def test_losses_mark_flows_whose_ends_are_not_known(begin: float, gap: bool) -> None:
    """A datagram flow: its first datagrams may have been lost, and so may further ones until it counts as idle."""
    built = engine(report_all=True)
    talk = Conversation(UDP)
    talk.send("c", 5)
    talk.wait(1).send("s", 6)
    feed(built, talk.records)
    built.lost(START + round(begin * 1e9), START + round(begin * 1e9) + 1000)
    built.advance(START + 100 * SECOND)
    assert [flow.gap for flow in built.take()] == [gap]


def test_news_say_what_was_lost() -> None:
    built = engine("tcp * = c5 : five")
    talk = Conversation().handshake()
    talk.send("c", 5)
    built.lost(START, START)
    assert [flow.gap for flow in feed(built, talk.records)[0]] == [True]


@pytest.mark.parametrize("seed", range(5))
def test_many_losses_are_kept_or_grow(seed: int) -> None:
    """No flow of a lost time is missed; few intervals are kept exactly, more of them only so far as there is room."""
    random = Random(seed)
    for count in (1, 5, 60, 500):
        built = engine(report_all=True, flows=4096)
        lost = []
        for _ in range(count):
            begin = START + random.randrange(1000) * SECOND
            lost.append((begin, begin + random.randrange(1, 3 * SECOND)))
            built.lost(*lost[-1])
        records = []
        for number in range(300):
            at = START + random.randrange(1000) * SECOND + 1
            talk = Conversation(client_port=number + 1, hash=number, now=at).handshake()
            talk.wait(0.5).send("c", 1)
            records += talk.close().records
        # one after the other, as the lives of these flows are short
        flows = [flow for part in range(0, len(records), 6) for flow in feed(built, records[part : part + 6])[1]]
        flows += finish(built)
        assert len(flows) == 300
        for flow in flows:
            known = any(begin <= flow.end_ns and end >= flow.start_ns for begin, end in lost)
            assert flow.gap == known or (flow.gap and count > 64)


@pytest.mark.parametrize("proto", [TCP, UDP])
def test_a_record_cannot_be_more_packets_than_are_real(proto: int) -> None:
    talk = Conversation(proto)
    if proto == TCP:
        talk.handshake()
    talk.send("c", 4_000_000_000, seg=1)
    talk.send("c", 3, seg=2)
    if proto == TCP:
        talk.close()
    built = engine(report_all=True)
    _, flows = feed(built, talk.records)
    (flow,) = flows or finish(built)
    assert flow.gap
    assert flow.packets_c == 8192 + 2
    assert flow.turns_c == 1
    assert built.counters()["cut"] == 1
    if proto == TCP:
        assert (flow.bytes_c, flow.reason) == (4_000_000_003, Reason.FIN)


def test_random_records_do_no_harm() -> None:
    """A peer that sends anything at all costs a bounded time, and the others nothing."""
    random = Random(3)
    built = engine("tcp * = c5 : five\nudp * = C5- S* : turns\n* * = x* x@1 > : any", flows=256, report_all=True)
    template = Record(sport=5, dport=6)
    reported = 0
    for step in range(200):
        records = []
        for _ in range(64):
            record = replace(
                template,
                ts=random.choice((START + step, random.getrandbits(64))),
                hash=random.choice((1, 2, random.getrandbits(32))),
                proto=random.choice((6, 6, 17, 1, random.getrandbits(8))),
                tcpflags=random.choice((2, 18, 16, 17, 20, random.getrandbits(8))),
                seq=random.choice((0, 1, random.getrandbits(32))),
                len=random.choice((0, 5, 1000, random.getrandbits(32))),
                seg=random.choice((0, 0, 1, random.getrandbits(16))),
                ack=random.getrandbits(16),
            )
            records.append(replace(record, src=template.dst, dst=template.src) if random.random() < 0.4 else record)
        _, ended = feed(built, records)
        reported += len(ended)
        built.lost(random.getrandbits(64), random.getrandbits(64))
        built.advance(random.getrandbits(64))
        reported += len(built.take())
        built.news()
    reported += len(finish(built))
    counters = built.counters()
    assert counters["flows"] == reported == sum(count for name, count in counters.items() if name.startswith("ended_"))
