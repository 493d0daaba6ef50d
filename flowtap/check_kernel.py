# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks of `flowtap doctor`: what the kernel offers, and what it permits this process."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from flowtap.finding import Finding, fail, number, ok, read, warn
from flowtap.settings import Settings

# From linux/capability.h. CAP_BPF and CAP_PERFMON are there since Linux 5.8; CAP_SYS_ADMIN holds both.
CAPABILITIES = {"cap_net_admin": 12, "cap_net_raw": 13, "cap_perfmon": 38, "cap_bpf": 39}
_SYS_ADMIN = 21
_OLDEST, _WITH_CAPABILITIES = (5, 4), (5, 8)
_FALLBACK = 'or watch by AF_PACKET: capture.backend = "afpacket"'


def kernel(settings: Settings) -> Iterator[Finding]:
    """Check all of it."""
    version = _version(os.uname().release)
    yield from _kernel_version(version)
    yield from _lockdown()
    yield from _sysctls(version)
    missing = missing_capabilities()
    yield from _capabilities(missing)
    if settings.capture.backend == "afpacket":
        yield ok("ebpf", "not asked for: capture.backend is afpacket")
    else:
        yield from _ebpf(settings, missing)


def missing_capabilities() -> list[str]:
    """Return what this process lacks of the capabilities that a capture process begins with."""
    status = read("/proc/self/status") or ""
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    effective = int(match[1], 16) if match else 0
    held = {name for name, bit in CAPABILITIES.items() if effective >> bit & 1}
    if effective >> _SYS_ADMIN & 1:
        held |= {"cap_perfmon", "cap_bpf"}
    return [name for name in CAPABILITIES if name not in held]


def _version(release: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", release)[:2]))


def _kernel_version(version: tuple[int, ...]) -> Iterator[Finding]:
    release = os.uname().release
    if version < _OLDEST:
        yield fail("kernel", f"Linux {release}: too old for the eBPF program", f"use 5.4 or newer, {_FALLBACK}")
    elif version < _WITH_CAPABILITIES:
        yield warn(
            "kernel", f"Linux {release} knows no CAP_BPF and CAP_PERFMON", "use 5.8 or newer, or run capture as root"
        )
    else:
        yield ok("kernel", f"Linux {release}")


def _lockdown() -> Iterator[Finding]:
    text = read("/sys/kernel/security/lockdown")
    match = re.search(r"\[(\w+)\]", text or "")
    mode = match[1] if match else "none"
    if mode == "confidentiality":
        yield warn(
            "lockdown", "the kernel is locked down (confidentiality): eBPF and perf events may be refused", _FALLBACK
        )
    else:
        yield ok("lockdown", f"{mode}" if text is not None else "this kernel has none")


def _sysctls(version: tuple[int, ...]) -> Iterator[Finding]:
    unprivileged = number("/proc/sys/kernel/unprivileged_bpf_disabled")
    if unprivileged == 0:
        yield warn(
            "unprivileged_bpf",
            "any user may load eBPF programs; flowtap does not need that",
            "sysctl kernel.unprivileged_bpf_disabled=2",
        )
    elif unprivileged is not None:
        yield ok("unprivileged_bpf", f"kernel.unprivileged_bpf_disabled is {unprivileged}")
    paranoid = number("/proc/sys/kernel/perf_event_paranoid")
    if paranoid is None:
        yield warn(
            "perf_events", "this kernel has no perf events, which eBPF needs here", f"another kernel, {_FALLBACK}"
        )
    elif paranoid > 2 and version < _WITH_CAPABILITIES:
        yield warn(
            "perf_events", f"kernel.perf_event_paranoid is {paranoid}: root alone may use them", "run capture as root"
        )
    else:
        yield ok("perf_events", f"kernel.perf_event_paranoid is {paranoid}; cap_perfmon suffices")
    jit = number("/proc/sys/net/core/bpf_jit_enable")
    if jit == 0:
        yield warn("bpf_jit", "eBPF programs are interpreted, several times slower", "sysctl net.core.bpf_jit_enable=1")
    elif jit is not None:
        yield ok("bpf_jit", "eBPF programs are compiled")


def _capabilities(missing: list[str]) -> Iterator[Finding]:
    if missing:
        yield warn(
            "capabilities",
            f"this process lacks {', '.join(missing)}: it can check less, and could not capture",
            "run as root; services get them from their unit",
        )
    else:
        yield ok("capabilities", "all that capture needs")


def _ebpf(settings: Settings, missing: list[str]) -> Iterator[Finding]:
    """Import bcc, and compile and load the program as the capture process does."""
    lowest = warn if settings.capture.backend == "auto" else fail
    try:
        import bcc  # type: ignore[import-untyped]
    except ImportError as error:
        yield lowest("bcc", f"cannot be imported: {error}", f"apt-get install python3-bpfcc, {_FALLBACK}")
        return
    yield ok("bcc", f"version {getattr(bcc, '__version__', 'unknown')}")
    if missing:
        yield warn("ebpf", "not tried: not permitted", "run doctor as root")
        return
    from capture.live import TapError
    from capture.program import load

    try:
        load(settings.workers.count, decap=settings.capture.decap, cutoff=settings.capture.cutoff > 0).close()
    except TapError as error:
        yield lowest("ebpf", str(error), _FALLBACK.removeprefix("or "))
    else:
        yield ok("ebpf", "the program compiles and loads")
