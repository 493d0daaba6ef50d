# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks of `flowtap doctor`: clock, limits, memory, files, signatures, fingerprints, and what the ledger says."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from flowtap.finding import Finding, fail, number, ok, read, warn
from flowtap.settings import Settings

_SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit")
_TIME_ERROR, _UNSYNCHRONISED = 5, 0x40  # of adjtimex(2): TIME_ERROR, STA_UNSYNC
_TIMEX_SIZE, _TIMEX_STATUS = 256, 40  # struct timex (208 bytes with 64-bit longs), and its member `status`
_FILES = 256  # descriptors that a process uses, beside one perf buffer for each CPU
_FLOW_BYTES = 1024
_LITTLE_SPACE = 1 << 30
_OWN_FILES = 0o077


def host(settings: Settings) -> Iterator[Finding]:
    """Check all of it."""
    yield from _clock()
    yield from _limits(settings)
    yield from _memory(settings)
    yield from _runtime(settings)
    yield from _signatures(settings)
    yield from _fingerprints(settings)
    yield from _file(settings)
    yield from _metrics(settings)
    yield from _nat(settings)
    yield from _ledger(settings)


def _clock() -> Iterator[Finding]:
    source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    if source in _SLOW_CLOCKS:
        yield warn(
            "clock",
            f"the clock source is {source}: reading it for each packet takes long",
            "see /sys/devices/system/clocksource/clocksource0/available_clocksource",
        )
    elif source is not None:
        yield ok("clock", f"the clock source is {source}")
    timex = ctypes.create_string_buffer(_TIMEX_SIZE)
    if ctypes.sizeof(ctypes.c_long) != 8 or (state := ctypes.CDLL(None, use_errno=True).adjtimex(timex)) < 0:
        return
    status = int.from_bytes(timex.raw[_TIMEX_STATUS : _TIMEX_STATUS + 4], "little")
    if state == _TIME_ERROR or status & _UNSYNCHRONISED:
        yield warn(
            "time",
            "the clock is not synchronised: times of events may be wrong",
            "run an NTP client (chrony, timesyncd)",
        )
    else:
        yield ok("time", "the clock is synchronised")


def _limits(settings: Settings) -> Iterator[Finding]:
    cpus = os.cpu_count() or 1
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _FILES + 2 * cpus
    if soft < needed:
        yield warn(
            "nofile", f"{soft} open files, expected {needed}", f"ulimit -n {needed}, or LimitNOFILE= in the unit"
        )
    else:
        yield ok("nofile", f"{soft} open files")
    locked, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    free = (number("/proc/sys/kernel/perf_event_mlock_kb") or 0) * 1024 * cpus
    ring = settings.capture.ring_bytes * cpus
    if os.geteuid() == 0 or locked == resource.RLIM_INFINITY or locked + free >= ring:
        yield ok("memlock", "enough for the rings")
    else:
        yield warn(
            "memlock",
            f"{locked >> 20} MiB may be locked, {ring >> 20} MiB are needed (capture.ring_bytes for each CPU)",
            "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit",
        )


def _memory(settings: Settings) -> Iterator[Finding]:
    workers = settings.workers
    each = workers.flows * _FLOW_BYTES + workers.buffer_records * 72
    total = (each * workers.count + settings.capture.ring_bytes * (os.cpu_count() or 1)) >> 20
    match = re.search(r"^MemAvailable:\s*(\d+) kB$", read("/proc/meminfo") or "", re.MULTILINE)
    available = int(match[1]) >> 10 if match else 0
    text = f"up to about {total:,} MiB are used with full tables, {available:,} MiB are available"
    if total > available:
        yield warn("memory", text, "lower workers.flows, workers.count or capture.ring_bytes")
    else:
        yield ok("memory", text)
    cpus = os.cpu_count() or 1
    if workers.count > max(1, cpus - 1):
        yield warn(
            "workers", f"{workers.count} workers for {cpus} CPUs: capture needs one, too", "one for each CPU but one"
        )


def _runtime(settings: Settings) -> Iterator[Finding]:
    from flowtap.runtime import Runtime, RuntimeDirectoryError

    path = Path(settings.runtime.dir)
    try:
        Runtime(path)
        status = path.lstat()
    except RuntimeDirectoryError as error:
        yield fail("runtime", str(error), "set a shorter runtime.dir")
        return
    except FileNotFoundError:
        yield ok("runtime", f"{path} is not there yet")
        return
    except OSError as error:
        yield warn("runtime", f"{path}: {error.strerror}", "run doctor as root or as flowtap's user")
        return
    if not stat.S_ISDIR(status.st_mode):
        yield fail("runtime", f"{path} is no directory", "remove it, or set runtime.dir")
    elif status.st_mode & _OWN_FILES:
        yield fail(
            "runtime",
            f"{path} may be entered by others (mode {stat.S_IMODE(status.st_mode):04o}): they could forge events",
            f"chmod 0700 {path}",
        )
    else:
        yield ok("runtime", f"{path} belongs to one user alone")


def _signatures(settings: Settings) -> Iterator[Finding]:
    from flowtap.arguments import ArgumentError
    from flowtap.database import load_database

    own = settings.signatures
    try:
        program = load_database(own.files, pause_ms=own.pause_ms, exact=own.exact)
    except (ArgumentError, OSError) as error:
        for line in str(error).splitlines()[:10]:
            yield fail("signatures", line, "flowtap sigs check")
    else:
        yield ok("signatures", f"{len(program.signatures)} of {', '.join(own.files) or 'the shipped database'}")


def _fingerprints(settings: Settings) -> Iterator[Finding]:
    """Tell of the databases of systems, and whether they say what the rules on hosts go by."""
    from flowtap.arguments import ArgumentError
    from flowtap.database import load_fingerprints

    if not settings.hosts.enabled:
        yield ok("fingerprints", "not used (hosts.enabled)")
        return
    files = settings.fingerprints.files
    try:
        database = load_fingerprints(files)
    except (ArgumentError, OSError) as error:
        for line in str(error).splitlines()[:10]:
            yield fail("fingerprints", line, "docs/fingerprints.md has the format")
        return
    labels = [signature.label for signature in database.signatures]
    client, classed, all_ = (
        len({str(label) for label in labels if label.role in roles})
        for roles in (("client",), ("client", "server", "embedded"), ("client", "server", "embedded", "tool", ""))
    )
    text = (
        f"{len(labels)} of {', '.join(files) or 'the shipped database'}: {all_} systems and programs, {classed} with "
    )
    text += f"a class, {client} of them client-class"
    if client or settings.hosts.client_systems:
        yield ok("fingerprints", text)
    else:
        yield warn(
            "fingerprints",
            f"{text}: no host will be told as client-class",
            "add `class = client` below labels, or set hosts.client_systems",
        )


def _file(settings: Settings) -> Iterator[Finding]:
    if not settings.file.path:
        return
    path = Path(settings.file.path)
    try:
        usage = shutil.disk_usage(path.parent)
    except OSError as error:
        yield fail("file", f"{path.parent}: {error.strerror}", "make the directory, for flowtap's user")
        return
    if usage.free < max(_LITTLE_SPACE, usage.total // 20):
        yield warn(
            "file",
            f"{usage.free >> 20:,} MiB are free at {path.parent}; on a full disk events are dropped from the file",
            "make room, rotate the file more often (SIGHUP to the collector reopens it)",
        )
    else:
        yield ok("file", f"{usage.free >> 30:,} GiB are free at {path.parent}")


def _metrics(settings: Settings) -> Iterator[Finding]:
    from flowtap.ledger import LedgerError, writer

    listen = settings.metrics.listen
    try:
        running = writer(Path(settings.runtime.dir) / "ledger" / "collector.page") is not None
    except LedgerError:
        running = True
    if not listen or running:
        return
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        yield fail("metrics", f"{listen} cannot be used: {error.strerror}", 'change metrics.listen, or set it to ""')
    else:
        yield ok("metrics", f"{listen} is free")


def _nat(settings: Settings) -> Iterator[Finding]:
    """Tell of address translation: both sides of it would show each flow twice, under different addresses."""
    tables = [
        name for name in ("/proc/net/ip_tables_names", "/proc/net/ip6_tables_names") if "nat" in (read(name) or "")
    ]
    if (tables or _nft_nat()) and len(settings.capture.interfaces) != 1:
        yield warn(
            "nat",
            "this host translates addresses: a flow looks like two where both sides are watched",
            "watch the inside interfaces only",
        )


def _nft_nat() -> bool:
    """Whether a chain of nftables is of the type nat; what cannot be asked does not count."""
    try:
        from pyroute2.nftables.main import NFTables

        with NFTables(nfgen_family=0) as tables:
            return any(chain.get_attr("NFTA_CHAIN_TYPE") == "nat" for chain in tables.get_chains())
    except Exception:  # no nftables in this kernel, no permission, another pyroute2
        return False


def _ledger(settings: Settings) -> Iterator[Finding]:
    from flowtap.accounts import read_ledger

    ledger = read_ledger(Path(settings.runtime.dir) / "ledger")
    if not ledger.processes:
        return
    ended = [process.name for process in ledger.processes if process.pid is None]
    if len(ended) < len(ledger.processes) and ended:
        yield warn("processes", f"not running: {', '.join(ended)}", "systemctl status 'flowtap-*'")
    losses = list(ledger.losses())
    for loss in losses:
        yield warn("losses", f"{loss.number:,} {loss.counter.replace('_', ' ')} at {loss.place}", loss.why)
    if not losses:
        yield ok("losses", "none so far")
