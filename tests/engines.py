# SPDX-License-Identifier: LGPL-2.1-or-later
"""An engine as a worker has it, and flows for it."""

import os
from random import Random

import sigdb
from engine import Engine, Flow, Limits
from sigdb import Program, think
from tests import signatures
from tests.records import RECORD_SIZE, START, TAG_SIZE, TCP, UDP, Conversation, Record

ROUNDS = 3000 if os.environ.get("FLOWTAP_NIGHTLY") == "1" else 200


def engine(text: str = "", *, report_all: bool = False, **limits: float) -> Engine:
    """Return an engine as a worker has it."""
    made = Limits(**({"flows": 64} | limits))  # type: ignore[arg-type]
    return Engine(sigdb.loads(text), made, report_all=report_all, early=True, live=True)


def feed(built: Engine, records: list[Record]) -> tuple[list[Flow], list[Flow]]:
    """Give records to an engine; return its news and the flows that ended."""
    data, done = b"".join(record.pack() for record in records), 0
    news: list[Flow] = []
    ended: list[Flow] = []
    while done < len(records):
        done += built.process(data, bytes(len(records) * TAG_SIZE), done, len(records) - done)
        news += built.news()
        ended += built.take()
    assert len(data) == len(records) * RECORD_SIZE
    return news, ended


def finish(built: Engine) -> list[Flow]:
    """Return what is left at the end."""
    ended = []
    done = False
    while not done:
        done = built.finish()
        ended += built.take()
    return ended


def hits(program: Program, flows: list[Flow]) -> dict[str, int]:
    """Return the counts of hits by the ids of their signatures."""
    return {program.signatures[hit.signature].id: hit.count for flow in flows for hit in flow.hits}


def named(*lines: str) -> str:
    """Return signatures whose ids end with the last word of their line."""
    return "".join(f"{line} : signature\n    id = test.{line.split()[-1]}\n" for line in lines)


def conversations(random: Random, program: Program, count: int) -> list[list[Record]]:
    """Return flows that match here and there, each as its records."""
    made = []
    for number in range(count):
        proto = random.choice((TCP, TCP, UDP))
        talk = Conversation(proto, client_port=20_000 + number, hash=number * 77, now=START + number * 1000)
        if proto == TCP:
            talk.handshake()
        for side, size, code in signatures.flow(random, random.choice(program.signatures)):
            if size or proto == UDP:
                talk.wait(min(think.decode(code), 10**6) / 1e6).send(side, size)
        if proto == TCP and random.random() < 0.5:
            talk.close()
        if talk.records:
            made.append(talk.records)
    return made


def merged(random: Random, program: Program) -> list[Record]:
    """Return the records of many such flows in order of time."""
    return sorted((r for part in conversations(random, program, 20) for r in part), key=lambda record: record.ts)
