# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ledger for Prometheus: the pages are read anew for each scrape, those of processes that have ended included.

All counters keep their names of the pages. A counter that only grows becomes `flowtap_..._total`; it continues when a
process is killed and comes back, and begins at 0 with a new runtime directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flowtap.accounts import Capture, Ledger, read_ledger


class MetricsError(Exception):
    """The endpoint cannot be had; the text is ready for the user."""


class LedgerMetrics(Collector):
    """Makes metrics of the pages in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics; nothing is kept between two scrapes."""
        ledger = read_ledger(self._folder)
        yield from _processes(ledger)
        yield from _captures(ledger.captures)
        yield from _pages("flowtap_worker", "worker", {str(n): page for n, page in ledger.workers.items()})
        if ledger.collector is not None:
            yield from _pages("flowtap_collector", None, {"": ledger.collector})
        lost = CounterMetricFamily(
            "flowtap_lost",
            "Lost packets, records, events or flows; `flowtap stats` says why.",
            labels=["place", "hop", "counter"],
        )
        for loss in ledger.losses():
            lost.add_metric([loss.place, loss.hop, loss.counter], loss.number)
        yield lost


def serve(listen: str, folder: Path) -> Callable[[], None]:
    """Serve the ledger in `folder` at `listen` (ADDRESS:PORT) from threads of this process; returns what ends that.

    Raises MetricsError when the address cannot be used.
    """
    host, _, port = listen.rpartition(":")
    registry = CollectorRegistry()
    registry.register(LedgerMetrics(folder))
    try:
        server, thread = start_http_server(int(port), host.removeprefix("[").removesuffix("]"), registry)
    except (OSError, OverflowError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MetricsError(f"metrics.listen: {listen}: {reason}") from error

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return close


def _processes(ledger: Ledger) -> Iterator[Metric]:
    up = GaugeMetricFamily("flowtap_process_up", "1 while the process runs.", labels=["process"])
    for process in ledger.processes:
        up.add_metric([process.name], process.pid is not None)
    yield up


def _captures(captures: Mapping[str, Capture]) -> Iterator[Metric]:
    where = ["capture", "cpu"]
    seen = CounterMetricFamily("flowtap_capture_packets_seen", "Packets that the tap saw.", labels=where)
    filtered = CounterMetricFamily(
        "flowtap_capture_packets_filtered", "Packets that made no record.", labels=[*where, "reason"]
    )
    records = CounterMetricFamily(
        "flowtap_capture_records", "Records, by how far they came.", labels=[*where, "shard", "counter"]
    )
    for name, capture in captures.items():
        for cpu, stream in capture.streams.items():
            labels = [name, str(cpu)]
            seen.add_metric(labels, stream.seen)
            for reason, number in stream.filtered.items():
                filtered.add_metric([*labels, reason], number)
            for shard, counters in stream.shards.items():
                for counter, number in counters.items():
                    records.add_metric([*labels, str(shard), counter], number)
    yield from (seen, filtered, records)
    yield from _pages("flowtap_capture", "capture", {name: capture.other for name, capture in captures.items()})


def _pages(prefix: str, label: str | None, pages: Mapping[str, Mapping[str, int]]) -> Iterator[Metric]:
    """Yield a metric for each counter that any of the pages has."""
    labels = [label] if label else []
    for name in dict.fromkeys(name for page in pages.values() for name in page):
        metric: CounterMetricFamily | GaugeMetricFamily
        text = f"Counter {name} of the ledger."
        told = f"{prefix}_{name.replace('.', '_')}"
        if name.endswith("_now"):
            metric = GaugeMetricFamily(told.removesuffix("_now"), text, labels=labels)
        else:
            metric = CounterMetricFamily(told, text, labels=labels)
        for value, page in pages.items():
            if name in page:
                metric.add_metric([value] if label else [], page[name])
        yield metric
