# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures with references past a flow's history: against the definition of the language, and their bounds."""

import os
from dataclasses import replace
from random import Random

import pytest

import sigdb
from engine import Engine, Limits
from sigdb import think
from tests import reference, signatures
from tests.engines import feed, finish
from tests.records import TCP, Conversation, Record, run
from tests.test_engine_matches import IDLE, records_of

PAIRS = 40_000 if os.environ.get("FLOWTAP_NIGHTLY") == "1" else 1_000


@pytest.mark.parametrize("history", [(1, 1), (2, 2), (3, 4)])
def test_threads_agree_with_definition(history: tuple[int, int]) -> None:
    """What begins with the flow and refers to sizes is found however short the history is."""
    random = Random(sum(history))
    done = matched = past = 0
    limits = Limits(flows=16, first=history[0], ring=history[1], turn_first=64, turn_ring=64, **IDLE)  # type: ignore[arg-type]
    while done < PAIRS:
        lines = [line.split(maxsplit=2)[2] for line in signatures.lines(random, 3, True).splitlines()]
        lines = [line if "<" in line else f"= < {line.removeprefix('= ')}" for line in lines]
        try:
            program = sigdb.loads("\n".join(f"tcp * {line}" for line in lines))
        except sigdb.SignatureErrors:
            continue
        built = Engine(program, limits)
        for signature in program.signatures:
            for _ in range(3):
                packets = signatures.flow(random, signature, most=40)
                if not packets or any(size == 0 for _, size, _ in packets):
                    continue
                ended, begin = random.random() < 0.8, random.random() < 0.95
                if packets[0][0] == "s" and not begin:
                    packets = [("c", 700, 0), *packets]  # whose first speaker is taken for the client
                dropped = built.counters()["threads_dropped"]
                flows = run(built, records_of(random, packets, TCP, begin, ended))
                less = built.counters()["threads_dropped"] != dropped
                found = {hit.signature: hit.count for flow in flows for hit in flow.hits}
                for index, other in enumerate(program.signatures):
                    if other.turns or not other.begin or not program.references[index]:
                        continue
                    expected = reference.hits(other, packets, begin, ended)
                    count = found.get(index, 0)
                    assert count <= len(expected), (other.text, packets, ended, expected)
                    if less:
                        continue
                    assert count == len(expected), (other.text, packets, ended, expected)
                    done += 1
                    matched += bool(expected)
                    past += any(at > sum(history) for at in expected)
    assert matched > done // 20, "the flows match too rarely to show anything"
    assert past > done // 200, "the matches end too early to show anything"


def followed(random: Random) -> sigdb.Program:
    """Return a few signatures that begin with the flow and refer to sizes."""
    while True:
        lines = [line.split(maxsplit=2)[2] for line in signatures.lines(random, 3, True).splitlines()]
        lines = [line if "<" in line else f"= < {line.removeprefix('= ')}" for line in lines]
        try:
            return sigdb.loads("\n".join(f"tcp * {line}" for line in lines))
        except sigdb.SignatureErrors:
            continue


def other_segments(random: Random, records: list[Record]) -> list[Record]:
    """Return what a tap might see instead: segments joined by offloads, sent again, or in another order."""
    seen: list[Record] = []
    for record in records:
        last = seen[-1] if seen else None
        along = last is not None and record.len and (last.src, last.ts) == (record.src, record.ts) and last.len
        behind = last is not None and record.seq == (last.seq + last.len) & 0xFFFFFFFF
        if along and behind and last is not None and record.len == (last.seg or last.len) and random.random() < 0.7:
            seen[-1] = replace(last, len=last.len + record.len, seg=record.len)
        elif along and last is not None and not last.seg and random.random() < 0.5:
            seen[-1:] = [record, last]
        else:
            seen.append(record)
        if record.len and random.random() < 0.1:
            seen.append(record)
    return seen


def test_threads_do_not_depend_on_how_segments_come() -> None:
    random = Random(5)
    done = matched = joined = 0
    while done < PAIRS:
        program = followed(random)
        built = Engine(program, Limits(flows=16, first=2, ring=2, **IDLE))  # type: ignore[arg-type]
        for signature in program.signatures:
            packets = []
            for side, size, code in signatures.flow(random, signature, most=40):
                packets += [(side, max(size, 1), code), *[(side, max(size, 1), 0)] * random.choice((0, 0, 1, 2))]
            if not packets:
                continue
            plain = records_of(random, packets, TCP, True, True)
            other = other_segments(random, plain)
            first, second = (run(built, records) for records in (plain, other))
            hits = [[(hit.signature, hit.count) for flow in flows for hit in flow.hits] for flows in (first, second)]
            assert hits[0] == hits[1], (signature.text, packets)
            done += 1
            matched += bool(hits[0])
            joined += len(other) < len(plain)
    assert matched > done // 50
    assert joined > done // 10


def test_a_lost_packet_is_as_if_it_had_not_been() -> None:
    """What is seen of a flow with a gap is matched as it is, and the flow says that it has one."""
    random = Random(6)
    done = matched = 0
    while done < PAIRS:
        program = followed(random)
        built = Engine(program, Limits(flows=16, first=2, ring=2, **IDLE))  # type: ignore[arg-type]
        for signature in program.signatures:
            packets = [(side, max(size, 1), code) for side, size, code in signatures.flow(random, signature, most=40)]
            if len(packets) < 4:
                continue
            talk, lost = Conversation().handshake(), random.randrange(1, len(packets) - 1)
            for side, size, code in packets:
                talk.wait(think.decode(code) / 1e6).send(side, size)
            talk.wait(1).close()
            del talk.records[3 + lost]
            pause = sum(think.decode(code) for _, _, code in packets[lost : lost + 2])
            seen = [*packets[:lost], (*packets[lost + 1][:2], think.encode(pause)), *packets[lost + 2 :]]
            flows = run(built, talk.records)
            assert all(flow.gap for flow in flows)
            found = {hit.signature: hit.count for flow in flows for hit in flow.hits}
            for index, other in enumerate(program.signatures):
                if other.turns or not other.begin or not program.references[index]:
                    continue
                expected = reference.hits(other, seen, True, True)
                assert found.get(index, 0) == len(expected), (other.text, packets, lost, expected)
                done += 1
                matched += bool(expected)
    assert matched > done // 50


GUESSES = "tcp * = < c10-99#A ~ s@A+16/8#F (~ c* | ~ s@F/0 | ~ s@A+16/8#F){0,} ~ c@A+60/32 ~ s@F/0 : refused"


def guesses(talk: Conversation, count: int) -> Conversation:
    talk.send("c", 40)
    talk.send("s", 60)
    for _ in range(count):
        talk.send("c", 110)
        talk.send("s", 60)
    return talk


@pytest.mark.parametrize("count", [10, 400])
def test_guesses_are_counted_to_the_end(count: int) -> None:
    built = Engine(sigdb.loads(GUESSES), Limits(flows=16))
    (flow,) = run(built, guesses(Conversation().handshake(), count).close().records)
    assert [hit.count for hit in flow.hits] == [count]
    counters = built.counters()
    assert (counters["threads_begun"], counters["threads_dropped"], counters["history_short"]) == (1, 0, 0)


def test_a_first_hit_past_the_history_has_a_shape() -> None:
    built = Engine(sigdb.loads("tcp * = < c40#A (~ s20-90){0,} ~ c@A+1/0 : late"), Limits(flows=16))
    talk = Conversation().handshake()
    talk.send("c", 40)
    for _ in range(60):
        talk.send("s", 50)
    talk.send("c", 41)
    (flow,) = run(built, talk.close().records)
    (hit,) = flow.hits
    assert hit.shape is not None
    assert hit.shape.startswith("< c40 s50")
    assert "..." in hit.shape
    assert hit.shape.endswith("s50 c41")


def test_flows_that_are_followed_are_bounded_and_given_back() -> None:
    built = Engine(sigdb.loads(GUESSES), Limits(flows=16, threads=1), live=True)
    for begun in range(1, 4):
        talks = [guesses(Conversation(client_port=port, hash=port).handshake(), 40) for port in (1001, 1002)]
        feed(built, talks[0].records + talks[1].records)
        ended = finish(built)
        assert sorted(hit.count for flow in ended for hit in flow.hits) == [19, 40]  # the second by its history alone
        counters = built.counters()
        assert (counters["threads_begun"], counters["threads_dropped"]) == (begun, begun)


def test_those_of_evicted_flows_are_given_back() -> None:
    built = Engine(sigdb.loads(GUESSES), Limits(flows=4, threads=2), live=True)
    for number in range(20):
        feed(built, guesses(Conversation(client_port=1000 + number, hash=number * 77).handshake(), 40).records)
    counters = built.counters()
    assert counters["threads_begun"] + counters["threads_dropped"] == 20
    finish(built)
    built.reset()
    feed(built, guesses(Conversation(client_port=1, hash=1).handshake(), 40).records)
    assert built.counters()["threads_begun"] == counters["threads_begun"] + 1


@pytest.mark.parametrize(("count", "states"), [(60, 1), (200, 1), (300, 0)])
def test_states_of_a_flow_are_bounded(count: int, states: int) -> None:
    """So many sizes may be the one that is referred to; beyond the bound the history alone is known."""
    built = Engine(sigdb.loads("tcp * = < (~ c*){0,} ~ c*#A (~ c*){0,} ~ s5 ... s@A/0 : one of many"), Limits(flows=16))
    talk = Conversation().handshake()
    for size in range(1000, 1000 + count):
        talk.send("c", size)
    talk.send("s", 5)
    for _ in range(40):
        talk.send("s", 6)
    talk.send("s", 1000 + count - 1)
    flows = run(built, talk.close().records)
    assert [hit.count for flow in flows for hit in flow.hits] == [1] * states
    assert built.counters()["threads_dropped"] == 1 - states


def test_a_swap_ends_them() -> None:
    built = Engine(sigdb.loads(GUESSES), Limits(flows=16, threads=1), live=True)
    for _ in range(2):
        talk = guesses(Conversation().handshake(), 40)
        feed(built, talk.records)
        built.swap(sigdb.loads(GUESSES + " again"))
        built.swap(sigdb.loads(GUESSES))
        talk.records.clear()
        _, (flow,) = feed(built, guesses(talk, 5).close().records)
        assert [hit.count for hit in flow.hits] == [40]  # what came before the swap
        built.reset()
    counters = built.counters()
    assert (counters["threads_begun"], counters["threads_dropped"]) == (2, 0)
