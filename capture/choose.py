# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chooses the tap: eBPF, or AF_PACKET where that is not to be had."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from capture.ebpf import Attacher, EbpfTap
from capture.live import Forward, Tap, TapError, TapSettings

LOG = logging.getLogger(__name__)
BACKENDS = ("auto", "ebpf", "afpacket")
_LOCKDOWN = Path("/sys/kernel/security/lockdown")


def make_tap(
    backend: str,
    settings: TapSettings,
    forward: Forward,
    attacher: Attacher,
    pins: Path | None = None,
    cache: Path | None = None,
) -> Tap:
    """Make the tap that was asked for; for "auto" one over eBPF, else one over AF_PACKET and a line that says why.

    `attacher`, `pins` and `cache` are EbpfTap's. Raises TapError when that tap, or for "auto" neither of them, can be
    had; and ValueError for another `backend`.
    """
    if backend not in BACKENDS:
        raise ValueError(f"capture backend {backend!r}, expected one of {', '.join(BACKENDS)}")
    if backend == "afpacket":
        return _afpacket(settings, forward)
    try:
        return EbpfTap(settings, forward, attacher, pins, cache)
    except TapError as error:
        why = f"{error}{_lockdown()}"
        if backend == "ebpf":
            raise TapError(why) from error
    try:
        tap = _afpacket(settings, forward)
    except TapError as error:
        raise TapError(f"neither eBPF ({why}) nor AF_PACKET ({error}) is to be had") from error
    LOG.warning("captures by AF_PACKET, as eBPF is not to be had: %s", why)
    return tap


def _afpacket(settings: TapSettings, forward: Forward) -> Tap:
    from capture.afpacket import AfPacketTap  # noqa: PLC0415 - most hosts need only the other tap

    return AfPacketTap(settings, forward)


def _lockdown() -> str:
    """Say so where the kernel is locked down: it then refuses eBPF whatever one is permitted."""
    with contextlib.suppress(OSError):
        text = _LOCKDOWN.read_text()
        if "[none]" not in text:
            mode = text.partition("[")[2].partition("]")[0]
            return f" (the kernel is locked down: {mode})"
    return ""
