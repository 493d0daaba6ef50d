# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures with references past a flow's history: against the definition of the language, and their bounds."""

import os
from random import Random

import pytest

import sigdb
from engine import Engine, Limits
from tests import reference, signatures
from tests.engines import feed, finish
from tests.records import TCP, Conversation, run
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
                ended = random.random() < 0.8
                dropped = built.counters()["threads_dropped"]
                flows = run(built, records_of(random, packets, TCP, True, ended))
                if built.counters()["threads_dropped"] != dropped:
                    continue
                found = {hit.signature: hit.count for flow in flows for hit in flow.hits}
                for index, other in enumerate(program.signatures):
                    if other.turns or not other.begin or not program.references[index]:
                        continue
                    expected = reference.hits(other, packets, True, ended)
                    assert found.get(index, 0) == len(expected), (other.text, packets, ended, expected)
                    done += 1
                    matched += bool(expected)
                    past += any(at > sum(history) for at in expected)
    assert matched > done // 20, "the flows match too rarely to show anything"
    assert past > done // 200, "the matches end too early to show anything"


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
