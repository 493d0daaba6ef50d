# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Prometheus endpoint: what it serves of the pages, and what is said when it cannot be had."""

import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flowtap.metrics import MetricsError, serve
from tests import pages

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture
def scrape(port: int, tmp_path: Path) -> Iterator[str]:
    close = serve(f"127.0.0.1:{port}", tmp_path)
    yield f"http://127.0.0.1:{port}/metrics"
    close()
    assert threading.active_count() == 1


def samples(url: str) -> Samples:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def label(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def test_scrapes(scrape: str, tmp_path: Path) -> None:
    assert samples(scrape) == {}
    pages.closed(tmp_path)
    pages.change(tmp_path, "worker-1", missed=3, flows_now=12)
    found = samples(scrape)
    assert found["flowtap_process_up", label(process="worker-0")] == 0
    assert found["flowtap_capture_packets_seen_total", label(capture="eth0", cpu="1")] == 100
    assert found["flowtap_capture_packets_filtered_total", label(capture="eth0", cpu="0", reason="no_payload")] == 30
    place = label(capture="eth0", cpu="0", shard="1", counter="batched")
    assert found["flowtap_capture_records_total", place] == 30
    assert found["flowtap_capture_interfaces", label(capture="eth0")] == 1
    assert found["flowtap_worker_received_total", label(worker="1")] == 60
    assert found["flowtap_worker_flows", label(worker="1")] == 12
    assert found["flowtap_collector_published_total", label()] == 9
    assert found["flowtap_lost_total", label(place="worker 1", hop="worker", counter="missed")] == 3
    pages.change(tmp_path, "worker-1", received=61)
    assert samples(scrape)["flowtap_worker_received_total", label(worker="1")] == 61


def test_ipv6(port: int, tmp_path: Path) -> None:
    close = serve(f"[::1]:{port}", tmp_path)
    pages.closed(tmp_path)
    assert samples(f"http://[::1]:{port}/metrics")
    close()


@pytest.mark.parametrize(
    ("listen", "reason"),
    [("192.0.2.1:{}", "Cannot assign requested address"), ("nobody.invalid:{}", ""), ("127.0.0.1:70000", "port")],
)
def test_refused(listen: str, reason: str, port: int, tmp_path: Path) -> None:
    listen = listen.format(port)
    with pytest.raises(MetricsError) as error:
        serve(listen, tmp_path)
    assert str(error.value).startswith(f"metrics.listen: {listen}: ")
    assert reason in str(error.value)


def test_port_in_use(port: int, tmp_path: Path) -> None:
    close = serve(f"127.0.0.1:{port}", tmp_path)
    with pytest.raises(MetricsError, match="Address already in use"):
        serve(f"127.0.0.1:{port}", tmp_path)
    close()
    serve(f"127.0.0.1:{port}", tmp_path)()
