# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules over several flows, live: real guessers and scanners, several workers, a collector that begins anew."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import servers
from lab.network import CLIENT, PASSWORD, SERVER, USER, WAIT, Lab, until
from lab.pipeline import Pipeline, of_one_flow
from lab.talk import SHAPE
from sigdb import shipped
from tests.test_live_faults import closes

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]
TALK = [sys.executable, str(Path(__file__).parents[1] / "lab" / "talk.py")]
PORT = 7001
OTHERS = [f"10.77.2.{number}" for number in range(3, 7)]
WRONG = 14
RULES = f"""
tcp {PORT} = < {" ~ ".join(SHAPE.split())} : the conversation
    id = test.talk
    threshold = 4 in 60s by src
flows : five conversations
    id = test.five
    sequence = 5 test.talk in 60s by src,dst
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


@pytest.fixture
def pipeline(lab: Lab, tmp_path: Path) -> Iterator[Pipeline]:
    own = tmp_path / "test.fp"
    own.write_text(RULES)
    settings: dict[str, dict[str, object]] = {"signatures": {"files": [*map(str, shipped()), str(own)]}}
    made = Pipeline(lab.gateway, tmp_path, workers=3, settings=settings)
    try:
        made.begin("client")
        yield made
    finally:
        made.close()


def alerts(pipeline: Pipeline, name: str) -> list[dict[str, Any]]:
    """Return what is told of the alerts of this id so far."""
    events = [event for event in pipeline.events() if event["event_type"] == "alert"]
    return [event["flowtap"] for event in events if event["flowtap"]["id"] == name]


def run(lab: Lab, *command: str) -> None:
    """Run a program at the client."""
    subprocess.run(lab.client.inside(*command), capture_output=True, timeout=WAIT * 3, check=True)


def test_guessers_and_scanners(lab: Lab, pipeline: Pipeline) -> None:
    for address in OTHERS:
        lab.server.do("ip", "address", "add", f"{address}/24", "dev", "eth0")
    servers.openssh(lab, more="Port 2222\n" + "".join(f"ListenAddress {address}\n" for address in OTHERS))

    words = lab.folder / "words"
    words.write_text("".join(f"guess{number}\n" for number in range(WRONG)) + PASSWORD + "\n")
    run(lab, "hydra", "-I", "-t", "4", "-l", USER, "-P", str(words), f"ssh://{SERVER}")
    until(lambda: bool(alerts(pipeline, "ssh.success-after-failures")), "success after failures")
    until(lambda: bool(alerts(pipeline, "ssh.bruteforce")), "brute force")
    (right,), (guessed,) = alerts(pipeline, "ssh.success-after-failures"), alerts(pipeline, "ssh.bruteforce")
    assert right["key"] == {"src": CLIENT, "dst": SERVER}
    assert guessed["key"] == {"src": CLIENT}
    assert guessed["hits"] >= 10 > guessed["flows"]  # attempts inside of connections
    last = {e["flow_id"]: e["flowtap"]["hits"] for e in pipeline.events() if _is(e, "ssh.auth.failure")}
    assert sum(last.values()) == WRONG

    assert not alerts(pipeline, "ssh.scan")
    run(lab, "nmap", "-n", "-Pn", "-sV", "--version-light", "-p", "22,2222", SERVER, *OTHERS)
    for port in ("22", "2222"):
        run(lab, "ssh-keyscan", "-T", "5", "-t", "rsa,ed25519", "-p", port, SERVER, *OTHERS)
    until(lambda: bool(alerts(pipeline, "ssh.scan")), "a scan")
    (scan,) = alerts(pipeline, "ssh.scan")
    assert (scan["hits"], scan["flows"], scan["key"]) == (20, 20, {"src": CLIENT})
    run(lab, "ssh-keyscan", "-T", "5", "-t", "rsa,ed25519", SERVER, *OTHERS, *OTHERS)
    closes(pipeline)
    assert len(alerts(pipeline, "ssh.scan")) == 1  # suppressed
    busy = [values["engine_flows"] for values in map(pipeline.counters, ("worker-0", "worker-1", "worker-2"))]
    assert all(busy), "the flows were those of several workers"


def _is(event: dict[str, Any], name: str) -> bool:
    return of_one_flow(event) and bool(event["flowtap"]["id"] == name)


def test_thresholds_and_a_collector_that_begins_anew(lab: Lab, pipeline: Pipeline) -> None:
    lab.server.start(*TALK, "serve", SERVER, str(PORT))
    lab.server.await_port(PORT)

    def calls(number: int) -> None:
        before = pipeline.counters("worker")["events_made"]
        run(lab, *TALK, "call", SERVER, str(PORT), str(number))
        # each is told twice, at its match and at its end, and the second has nothing new
        until(lambda: pipeline.counters("worker")["events_made"] >= before + number, "matches")
        closes(pipeline)

    calls(9)
    assert len(alerts(pipeline, "test.talk")) == 2  # each fourth
    (five,) = alerts(pipeline, "test.five")
    assert (five["hits"], five["flows"]) == (5, 5)
    assert pipeline.counters("collector")["rules_withheld"] >= 7

    pipeline.processes["collector"].kill()
    pipeline.processes.pop("collector").wait()
    pipeline.start("collector")
    calls(4)  # with the four before there were more than five
    assert len(alerts(pipeline, "test.talk")) == 3
    assert len(alerts(pipeline, "test.five")) == 1
    calls(1)
    assert len(alerts(pipeline, "test.five")) == 2
