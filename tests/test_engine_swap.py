# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other signatures under flows that live on."""

import os
from dataclasses import replace
from random import Random

import pytest

import sigdb
from engine import Engine, Flow, Limits
from sigdb import Program
from tests import signatures
from tests.engines import ROUNDS, engine, feed, finish, hits, merged, named
from tests.records import ACK, START, Conversation, run
from tests.test_engine_flows import stranger


@pytest.mark.parametrize("seed", range(4))
def test_swapped_signatures_find_what_the_old_ones_had_found(seed: int) -> None:
    """Flows cut by a swap hit the same as those that are not, as long as their history is whole."""
    random = Random(seed)
    whole = {"first": 64, "ring": 64, "turn_first": 64, "turn_ring": 64}
    compared = 0
    for _ in range(ROUNDS // 4):
        lines = [f"{line}\n    id = a.n{i}" for i, line in enumerate(signatures.lines(random, 6).splitlines())]
        extra = [f"{line}\n    id = b.n{i}" for i, line in enumerate(signatures.lines(random, 3).splitlines())]
        try:
            program = sigdb.loads("\n".join(lines))
            both = lines + extra
            random.shuffle(both)
            other = sigdb.loads("\n".join(both))
        except sigdb.SignatureErrors:
            continue
        records = merged(random, program)
        limits = Limits(flows=64, idle_tcp=1e7, idle_udp=1e7, **whole)  # type: ignore[arg-type]
        expected = by_id(program, run(Engine(program, limits), records))
        built = Engine(program, limits, live=True, early=random.random() < 0.5)
        flows: dict[tuple[object, ...], tuple[int, str | None]] = {}
        start = 0
        while start < len(records):
            step = random.choice((1, 7, 100))
            flows |= by_id(built.program, feed(built, records[start : start + step])[1])
            start += step
            built.swap(random.choice((program, other)))
        flows |= by_id(built.program, finish(built))
        # what the extra ones found depends on when they were there
        assert {key: hit for key, hit in flows.items() if str(key[-1]).startswith("a.")} == expected
        compared += len(expected)
    assert compared > ROUNDS // 4


def by_id(program: Program, flows: list[Flow]) -> dict[tuple[object, ...], tuple[int, str | None]]:
    return {
        (flow.client_port, flow.proto, flow.start_ns, program.signatures[hit.signature].id): (hit.count, hit.shape)
        for flow in flows
        for hit in flow.hits
    }


def test_swap_keeps_counts_and_what_was_published() -> None:
    built = engine(named("tcp * = c5", "tcp * = c6", "tcp * = c7"))
    talk = Conversation().handshake()
    for size in (5, 6, 7, 5):
        talk.send("c", size)
    feed(built, talk.records)
    # c6 is gone, c7 means another size, c9 is new and comes first; what is there stays told
    text = named("tcp * = c9", "tcp * = c7", "tcp * = c5").replace("c7 :", "c70 :")
    built.swap(sigdb.loads(text))
    talk.records.clear()
    for size in (5, 6, 9):
        talk.send("c", size)
    (news, _) = feed(built, talk.records)
    assert hits(built.program, news) == {"test.c9": 1}
    talk.records.clear()
    _, (flow,) = feed(built, talk.close().records)
    found = [(built.program.signatures[h.signature].id, h.count, h.published, h.shape) for h in flow.hits]
    assert found == [("test.c9", 1, 1, "c9"), ("test.c7", 1, 1, None), ("test.c5", 3, 1, "c5")]


@pytest.mark.parametrize(
    ("after", "shape"),
    [
        ("let A = c10\n\nlet B = s20\ntcp * = < $A $B : d", "< c10 s20"),
        ("let A = c10,11\nlet B = s20\ntcp * = < $A $B : d", None),
    ],
)
def test_what_a_definition_says_is_part_of_the_text(after: str, shape: str | None) -> None:
    """The same line over another definition is another text: its hits show no shape any more."""
    program = sigdb.loads("let A = c10\nlet B = s20\ntcp * = < $A $B : d\n    id = x.y\n")
    built = Engine(program, Limits(flows=16), live=True)
    talk = Conversation().handshake()
    for side, size in (("c", 10), ("s", 20)):
        talk.send(side, size)
    feed(built, talk.records)
    built.swap(sigdb.loads(f"{after}\n    id = x.y\n"))
    (flow,) = finish(built)
    assert [(hit.count, hit.shape) for hit in flow.hits] == [(1, shape)]


def test_swap_to_other_ports_and_to_turns() -> None:
    built = engine("tcp 1 = c5 : other port")
    talk = Conversation().handshake()
    talk.send("c", 5)
    talk.send("s", 6)
    feed(built, talk.records)
    built.swap(sigdb.loads("tcp 5000 = < C5 S6 C7 : turns"))
    talk.records.clear()
    talk.send("c", 7)
    talk.send("s", 8)
    assert [flow.hits[0].shape for flow in feed(built, talk.records)[0]] == ["< C5 S6 C7"]


def test_what_cannot_be_swapped_changes_nothing() -> None:
    built = engine("tcp * = c5 s6 : session")
    before = built.program
    talk = Conversation().handshake()
    talk.send("c", 5)
    feed(built, talk.records)
    with pytest.raises(ValueError, match="port classes"):
        built.swap(replace(sigdb.loads("tcp * = c5 : x"), port_class=before.port_class[:-1]))
    talk.records.clear()
    talk.send("s", 6)
    assert len(feed(built, talk.records)[0]) == 1
    assert built.program is before
    offline = Engine(before, Limits(flows=64))
    with pytest.raises(ValueError, match="turns"):
        offline.swap(sigdb.loads("tcp * = C5 : turn"))
    offline.swap(sigdb.loads("tcp * = c5 : packet"))


def test_swaps_leak_nothing() -> None:
    built = engine("tcp * = c5 : a", flows=1000)
    programs = [sigdb.loads(f"tcp * = c5 s{n} : a\nudp {n} = c{n} : b") for n in range(1, 9)]
    records = [replace(stranger(n, START + n, ACK), len=5) for n in range(1000)]
    feed(built, records)

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    sizes = []
    for _ in range(10):
        for program in programs:
            built.swap(program)
            feed(built, records[:10])
        sizes.append(resident())
    assert sizes[-1] - sizes[2] < 4 << 20
