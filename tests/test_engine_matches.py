# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine's matches, from records to hits, against the definition of the language."""

import os
from random import Random
from typing import Any

import pytest

import sigdb
from engine import Engine, Limits
from sigdb import think
from tests import reference, signatures
from tests.records import ICMP, START, TCP, UDP, Conversation, Record, address, run

PAIRS = 60_000 if os.environ.get("FLOWTAP_NIGHTLY") == "1" else 4_000
FOREVER = 4e6  # seconds; longer than any pause that a random flow has

# Histories that lose nothing of these flows, or a great deal; budgets that are never spent, or at every few packets.
WHOLE = {"first": 64, "ring": 64, "turn_first": 64, "turn_ring": 64}
IDLE = {"idle_tcp": FOREVER, "idle_udp": FOREVER, "idle_icmp": FOREVER, "idle_half_open": FOREVER}
END = Record(ts=START + 10**18, src=address("10.9.9.9"), dst=address("10.9.9.8"), hash=99, proto=ICMP, sport=7, dport=7)


def records_of(random: Random, packets: list[signatures.Packet], proto: int, begin: bool, ended: bool) -> list[Record]:
    """Return a flow of these packets as a tap sees it; TCP at a random distance from both ends."""
    talk = Conversation(proto)
    if proto == TCP:
        talk.rtt_c, talk.rtt_s = random.choice((0.0, 0.02, 0.7)), random.choice((0.0, 0.03, 0.6))
        if begin:
            talk.handshake()
        else:
            talk.rtt_c = talk.rtt_s = 0.0
    before = "c"
    for side, size, code in packets:
        us = think.decode(code)
        if side != before:
            us += round(1e6 * (talk.rtt_c if side == "c" else talk.rtt_s)) if proto == TCP else 0
        talk.wait(us / 1e6).send(side, size)
        before = side
    if ended and proto == TCP:
        talk.close()
    return talk.records


@pytest.mark.parametrize("memory", [64 << 20, 1], ids=["roomy", "resets"])
@pytest.mark.parametrize("proto", [TCP, UDP])
@pytest.mark.parametrize("seed", range(2))
def test_engine_agrees_with_definition(seed: int, proto: int, memory: int) -> None:
    random = Random(seed * 4 + (proto == TCP) * 2 + (memory == 1))
    done = matched = resets = 0
    while done < PAIRS:
        options: dict[str, Any] = random.choice(({}, {"fuzzy": False}, {"threshold_us": 60_000}))
        fuzzy = options.get("fuzzy", True)
        lines = [line.split(maxsplit=1)[1] for line in signatures.lines(random, random.choice((1, 3, 8))).splitlines()]
        name = "tcp" if proto == TCP else "udp"
        # one in nine is for the other protocol and must not match
        names = ("*", "*", "*", "*", name, name, name, name, "udp" if proto == TCP else "tcp")
        try:
            program = sigdb.loads("\n".join(f"{random.choice(names)} {line}" for line in lines), **options)
        except sigdb.SignatureErrors:
            continue  # a size that is right for UDP and wrong for TCP
        engine = Engine(program, Limits(flows=16, hits=1024, held=16, state_memory=memory, **WHOLE, **IDLE))
        for signature in program.signatures:
            for _ in range(3):
                packets = signatures.flow(random, signature)
                if not packets or (proto == TCP and any(size == 0 for _, size, _ in packets)):
                    continue
                # a datagram flow is always seen from its beginning, and its first speaker is the client
                begin = proto == UDP or random.random() < 0.8
                if packets[0][0] == "s" and (proto == UDP or not begin):
                    packets = [("c", 700, 0), *packets]
                ended = random.random() < 0.8
                records = records_of(random, packets, proto, begin, ended)
                if ended and proto == UDP:
                    records.append(END)
                flows = [flow for flow in run(engine, records) if flow.proto == proto]
                found = {hit.signature: hit for flow in flows for hit in flow.hits}
                for index, other in enumerate(program.signatures):
                    expected = reference.hits(other, packets, begin, ended, threshold=program.threshold, fuzzy=fuzzy)
                    if other.protocol not in ("*", name):
                        expected = []
                    count = found[index].count if index in found else 0
                    assert count == len(expected), (other.text, packets, begin, ended, options, expected)
                    done += 1
                    matched += bool(expected)
        resets += engine.counters()["automaton_resets"]
    assert matched > done // 20, "the flows match too rarely to show anything"
    assert bool(resets) == (memory == 1)
