# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compiles bpf/flowtap.c with bcc and loads it: the only place that knows bcc."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capture._message import CUTOFFS
from capture.live import TapError

SOURCES = Path(__file__).resolve().parent.parent / "bpf"
STATUS = Path("/proc/self/status")
NEEDED = {"cap_bpf": 39, "cap_net_admin": 12, "cap_perfmon": 38}  # numbers in linux/capability.h
SYS_ADMIN = 21
MAPS = ("flowtap_state", "expected", "cutoffs", "ports", "interfaces", "ticks", "events")


@dataclass(frozen=True)
class Program:
    """The loaded programs and their maps, by file descriptor; they live as long as this object."""

    tap: int  # for tc, both directions
    flush: int  # for perf events
    nudge: int  # the same, to be run on a CPU by hand
    maps: dict[str, int]
    keep: Any


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Catch what bcc's C++ writes to standard error; the list gets its lines at the end."""
    lines: list[str] = []
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with tempfile.TemporaryFile() as caught:
            os.dup2(caught.fileno(), 2)
            try:
                yield lines
            finally:
                sys.stderr.flush()
                os.dup2(saved, 2)
                caught.seek(0)
                lines += caught.read().decode(errors="replace").splitlines()
    finally:
        os.close(saved)


def because(error: Exception, lines: list[str]) -> str:
    """Say in one line why it failed: the compiler's first error, or the last words of the verifier."""
    wrong = [line for line in lines if "error:" in line]
    text = wrong[:1] or [line for line in lines if line and not line.startswith("processed ")][-1:] or [str(error)]
    return text[0].strip()


def load(shards: int, *, cutoff: bool) -> Program:
    """Compile and load for so many shards, with or without room for a cut-off. Raises TapError."""
    try:
        from bcc import BPF, lib  # type: ignore[import-untyped]  # noqa: PLC0415  # of the system, slow to import
    except ImportError as error:
        raise TapError(f"bcc cannot be imported: {error} (Debian: install python3-bpfcc)") from error
    os.environ["BCC_KERNEL_SOURCE"] = str(SOURCES / "shim")
    flags = [f"-I{SOURCES}", f"-DFT_SHARDS={shards}", f"-DFT_CUTOFF_ENTRIES={CUTOFFS if cutoff else 1}", "-w"]
    lines: list[str] = []
    try:
        with quiet() as lines:
            bpf = BPF(src_file=str(SOURCES / "flowtap.c").encode(), cflags=flags)
            tap = bpf.load_func(b"flowtap", BPF.SCHED_CLS).fd
            flush = bpf.load_func(b"flowtap_flush", BPF.PERF_EVENT).fd
            nudge = bpf.load_func(b"flowtap_nudge", BPF.RAW_TRACEPOINT).fd
            maps = {name: lib.bpf_table_fd(bpf.module, name.encode()) for name in MAPS}
    except Exception as error:  # bcc raises nothing more exact
        if missing := missing_capabilities():
            raise TapError(f"the eBPF program was not loaded: {', '.join(missing)} missing") from error
        raise TapError(f"the eBPF program was not loaded: {because(error, lines)}") from error
    return Program(tap, flush, nudge, maps, bpf)


def missing_capabilities() -> list[str]:
    """Return the names of capabilities that loading needs and this process lacks."""
    effective = int(next(line for line in STATUS.read_text().splitlines() if line.startswith("CapEff:")).split()[1], 16)
    if effective >> SYS_ADMIN & 1:  # contains the two younger ones
        effective |= 1 << NEEDED["cap_bpf"] | 1 << NEEDED["cap_perfmon"]
    return [name for name, bit in NEEDED.items() if not effective >> bit & 1]
