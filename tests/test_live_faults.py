# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes die, stop and come back under a flood; interfaces go and come back; the ledger says what was lost."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.replay import Cable
from lab.network import PYTHON, WAIT, LabError, until
from lab.pipeline import Pipeline
from lab.talk import SHAPE

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]
RATE = 100_000
TALK = [sys.executable, str(Path(__file__).parents[1] / "lab" / "talk.py")]


class Flood:
    """A flood on its way into the gateway."""

    def __init__(self, cable: Cable, packets: int, rate: int = RATE, **options: object) -> None:
        more = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [*PYTHON, "-m", "bench.flood", "in", "--packets", str(packets), "--rate", str(rate), *more]
        self._process = subprocess.Popen(cable.gateway.inside(*command), stdout=subprocess.PIPE)

    def ends(self) -> int:
        """Wait for the end and return how many packets were sent."""
        out, _ = self._process.communicate(timeout=90)
        return int(json.loads(out)["sent"])


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.close()


@pytest.fixture(params=["ebpf", "afpacket"])
def pipeline(cable: Cable, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    settings: dict[str, dict[str, object]] = {"events": {"flows": True}, "capture": {"queue": 64}}
    pipeline = Pipeline(cable.gateway, tmp_path, settings=settings)
    try:
        pipeline.begin("in", backend=request.param)
        yield pipeline
    finally:
        pipeline.close()


def again(pipeline: Pipeline, name: str) -> None:
    """Start a killed process again, as its supervisor would."""
    arguments = pipeline.processes.pop(name).args
    assert isinstance(arguments, list)
    pipeline.start(name, *arguments[arguments.index(str(pipeline.config)) + 1 :])


def closes(pipeline: Pipeline) -> None:
    """Wait until every packet is accounted for at every hop."""
    with contextlib.suppress(LabError):
        until(lambda: not pipeline.gaps(), "the ledger closes")
    assert not pipeline.gaps()


def grows(pipeline: Pipeline, page: str, counter: str, by: int = RATE // 4) -> None:
    """Wait until a counter has grown: the process lives and works."""
    before = pipeline.counters(page)[counter]
    until(lambda: pipeline.counters(page)[counter] >= before + by, f"{page}: {counter}", 30)


def test_worker_killed_under_flood(cable: Cable, pipeline: Pipeline) -> None:
    flood = Flood(cable, 5 * RATE)
    grows(pipeline, "worker", "received")
    pipeline.processes["worker-0"].kill()
    grows(pipeline, "capture", "seen")
    again(pipeline, "worker-0")
    grows(pipeline, "worker", "received", 64 * 128)  # what waited for it has that many, if it is back after the flood
    sent = flood.ends()
    until(lambda: pipeline.counters("capture")["seen"] >= sent, "all packets seen")
    closes(pipeline)
    assert pipeline.counters("capture")["seen"] == sent


def test_capture_killed_under_flood(cable: Cable, pipeline: Pipeline) -> None:
    flood = Flood(cable, 5 * RATE)
    grows(pipeline, "worker", "received")
    pipeline.processes["capture-in"].kill()
    time.sleep(0.3)
    again(pipeline, "capture-in")
    grows(pipeline, "worker", "received")
    flood.ends()
    closes(pipeline)
    for hook in ("ingress", "egress"):
        show = cable.gateway.inside("tc", "filter", "show", "dev", "in", hook)
        told = subprocess.run(show, capture_output=True, timeout=WAIT, text=True, check=True).stdout
        assert told.count("direct-action") == (1 if pipeline.backend == "ebpf" else 0)
    pipeline.finish()
    left = subprocess.run(cable.gateway.inside("tc", "qdisc", "show", "dev", "in"), capture_output=True, check=True)
    assert b"clsact" not in left.stdout


def test_collector_killed_under_flood(cable: Cable, pipeline: Pipeline) -> None:
    flood = Flood(cable, 4 * RATE, kind="udp", flows=1000)
    grows(pipeline, "worker", "received")
    pipeline.processes["collector"].kill()
    grows(pipeline, "worker", "received")
    again(pipeline, "collector")
    flood.ends()
    closes(pipeline)
    pipeline.finish()
    assert not pipeline.gaps()
    assert pipeline.events()


def test_stopped_worker_does_not_stall_capture(cable: Cable, pipeline: Pipeline) -> None:
    flood = Flood(cable, 10 * RATE, rate=2 * RATE)
    grows(pipeline, "worker", "received")
    pipeline.processes["worker-0"].send_signal(signal.SIGSTOP)
    grows(pipeline, "capture", "dropped")
    grows(pipeline, "capture", "forwarded")
    pipeline.processes["worker-0"].send_signal(signal.SIGCONT)
    flood.ends()
    closes(pipeline)


def test_capture_ends_while_a_worker_hangs(cable: Cable, pipeline: Pipeline) -> None:
    pipeline.processes["worker-0"].send_signal(signal.SIGSTOP)
    Flood(cable, RATE).ends()
    assert pipeline.end("capture-in") == 0
    pipeline.processes["worker-0"].send_signal(signal.SIGCONT)
    pipeline.start("capture-in", "--capture", pipeline.backend)
    closes(pipeline)
    assert pipeline.counters("worker")["missed"]


def test_interface_deleted_and_made_again(cable: Cable, pipeline: Pipeline) -> None:
    for _ in range(2):
        cable.gateway.do("ip", "link", "delete", "in")
        until(lambda: not pipeline.taps("in"), "the interface is given up")
        cable.plug()
        until(lambda: pipeline.taps("in"), "the interface is tapped again")
        before = pipeline.counters("worker")["received"]
        sent = Flood(cable, 5000, rate=RATE // 5).ends()  # slow enough for the short queue
        until(lambda: pipeline.counters("worker")["received"] >= before + sent // 2, "records come")  # noqa: B023
    closes(pipeline)


def test_syn_flood_leaves_open_sessions_alone(cable: Cable, tmp_path: Path) -> None:
    signature = tmp_path / "talk.fp"
    shape = SHAPE.replace(" ", " ~ ")
    signature.write_text(f"tcp 7001 = < {shape} : the conversation\n    id = test.talk\n")
    settings: dict[str, dict[str, object]] = {
        "workers": {"flows": 20_000},
        "signatures": {"files": [str(signature)]},
        "events": {"flows": False},
    }
    folder = tmp_path / "pipeline"
    folder.mkdir()
    pipeline = Pipeline(cable.gateway, folder, settings=settings)
    cable.gateway.do("ip", "address", "add", "10.78.1.1/24", "dev", "in")
    cable.sender.do("ip", "address", "add", "10.78.1.2/24", "dev", "out")
    try:
        pipeline.begin("in")
        server = cable.gateway.start(*TALK, "serve", "10.78.1.1", "7001")
        cable.gateway.await_port(7001)
        caller = subprocess.Popen(
            cable.sender.inside(*TALK, "call", "10.78.1.1", "7001", "slowly"), stdout=subprocess.PIPE
        )
        rss = [_rss(pipeline)]
        flood = Flood(cable, 300_000, rate=0, kind="syn", flows=300_000)
        flood.ends()
        rss.append(_rss(pipeline))
        caller.communicate(timeout=WAIT)
        server.kill()
        until(lambda: any(e["event_type"] == "alert" for e in pipeline.events()), "the open session matches")
        assert rss[1] < rss[0] + 100, "MB"
        assert pipeline.counters("worker")["engine_ended_half_open"] > 200_000
    finally:
        pipeline.close()


def _rss(pipeline: Pipeline) -> int:
    status = Path(f"/proc/{pipeline.processes['worker-0'].pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024
