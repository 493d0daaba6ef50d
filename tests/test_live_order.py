# SPDX-License-Identifier: LGPL-2.1-or-later
"""Workers that begin, and begin again, amid the traffic of two capture processes: what was whole is told whole."""

from __future__ import annotations

import contextlib
import signal
import time
from datetime import datetime
from pathlib import Path

import pytest

from lab.network import LabError, until
from lab.pipeline import NOTICED, Event, Pipeline
from lab.talk import SHAPE
from tests.test_live_topologies import BACKENDS, PORT, TALK, Net, bare, net, routed

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
CALLS = 600
FOR_EVER = 1_000_000  # calls
PAUSE = 0.3  # seconds for which one of two capture processes is not heard
UNDER_WAY = 0.05  # seconds after a kill in which messages still leave for the dead
SETTINGS = {"events": {"flows": True}, "capture": {"queue": 4096}}
assert net  # the fixture


def began(event: Event) -> float:
    """Return when a flow began, in seconds since 1970."""
    return datetime.fromisoformat(event["flow"]["start"]).timestamp()


def flows(pipeline: Pipeline, since: float = 0) -> list[Event]:
    """Return the flow events so far of calls that began after `since`."""
    found = [event for event in pipeline.events() if event["event_type"] == "flow" and event.get("dest_port") == PORT]
    return [event for event in found if began(event) > since]


def start_worker(pipeline: Pipeline) -> None:
    """Start the worker; by eBPF, it hears the second capture process only when it has long heard the first.

    The ring of AF_PACKET does not outlast such a pause.
    """
    right, socket = pipeline.processes["capture-right"], pipeline.runtime / "shard-0"
    socket.unlink(missing_ok=True)
    if pipeline.backend == "ebpf":
        right.send_signal(signal.SIGSTOP)
    pipeline.start("worker-0")
    pipeline.await_up("worker-0", socket.exists)
    time.sleep(PAUSE)
    right.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_knows_of_capture_processes_that_it_has_not_heard(net: Net, tmp_path: Path, backend: str) -> None:
    client, gateway, server = routed(net)
    pipeline = Pipeline(gateway, tmp_path, settings=SETTINGS)
    pipeline.backend = backend
    server.start(*TALK, "serve", "10.78.2.2", str(PORT))
    server.await_port(PORT)
    try:
        pipeline.start("collector")
        for interface in ("left", "right"):
            pipeline.start(f"capture-{interface}", "--capture", backend)
        for interface in ("left", "right"):
            pipeline.await_up(f"capture-{interface}", lambda name=interface: pipeline.taps(name))  # type: ignore[misc]
        time.sleep(NOTICED)
        caller = client.start(*TALK, "call", "10.78.2.2", str(PORT), str(FOR_EVER))
        start_worker(pipeline)
        until(lambda: len(flows(pipeline)) > CALLS // 20, "flows")
        before = flows(pipeline)
        pipeline.processes["worker-0"].kill()
        pipeline.processes.pop("worker-0").wait()
        killed = time.time() + UNDER_WAY
        start_worker(pipeline)
        until(lambda: len(flows(pipeline, killed)) > CALLS // 20, "flows of the second worker")
        after = flows(pipeline, killed)
        caller.kill()
        caller.wait()
        with contextlib.suppress(LabError):
            until(lambda: not pipeline.gaps(), "the ledger closes")
        assert not pipeline.gaps()
        pipeline.finish()
    finally:
        pipeline.close()
    assert not pipeline.counters("capture")["dropped"]
    for event in before + after:
        assert (bare(event), event["flowtap"]["gap"], event["flow"]["state"]) == (SHAPE, False, "closed"), event


def test_what_the_ring_of_af_packet_had_no_room_for_is_a_gap(net: Net, tmp_path: Path) -> None:
    """Nobody knows whose packets they were, so the flows of that time are marked, and no others."""
    client, gateway, server = routed(net)
    settings = {**SETTINGS, "capture": {"ring_bytes": 1 << 20}}
    pipeline = Pipeline(gateway, tmp_path, settings=settings)
    server.start(*TALK, "serve", "10.78.2.2", str(PORT))
    server.await_port(PORT)
    try:
        pipeline.begin("left", backend="afpacket")
        caller = client.start(*TALK, "call", "10.78.2.2", str(PORT), str(CALLS // 2))
        until(lambda: len(flows(pipeline)) > CALLS // 20, "flows")
        pipeline.processes["capture-left"].send_signal(signal.SIGSTOP)
        time.sleep(3 * PAUSE)
        pipeline.processes["capture-left"].send_signal(signal.SIGCONT)
        assert caller.wait(60) == 0
        pipeline.finish()
    finally:
        pipeline.close()
    assert pipeline.counters("capture")["filtered.ring_full"]
    assert any(event["flowtap"]["gap"] for event in flows(pipeline))
    assert all(event["flowtap"]["gap"] for event in flows(pipeline) if bare(event) != SHAPE)
    assert sum(not event["flowtap"]["gap"] for event in flows(pipeline)) > CALLS // 20
