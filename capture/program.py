# SPDX-License-Identifier: LGPL-2.1-or-later
"""Loads the eBPF programs of bpf/flowtap.c and makes their maps; keeps what the compiler made of them for next time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgpack

from capture import _bpf
from capture._message import CUTOFFS
from capture.compile import PROGRAMS, SOURCES
from capture.live import TapError

COMPILE_SECONDS = 120.0
KINDS = dict(zip(PROGRAMS, (3, 7, 17), strict=True))  # BPF_PROG_TYPE_SCHED_CLS, _PERF_EVENT, _RAW_TRACEPOINT
LOG_BYTES = 1 << 24  # of the verifier's words, which end with what is wrong
STATUS = Path("/proc/self/status")
NEEDED = {"cap_bpf": 39, "cap_net_admin": 12, "cap_perfmon": 38}  # numbers in linux/capability.h
SYS_ADMIN = 21


class Program:
    """The loaded programs and their maps, by file descriptor, until close()."""

    def __init__(self, compiled: dict[str, Any]) -> None:
        self.maps: dict[str, int] = {}
        self._programs: dict[str, int] = {}
        try:
            for name, kind, key_size, value_size, entries in compiled["maps"]:
                self.maps[name] = _bpf.create_map(kind, key_size, value_size, entries, name)
            for name, (code, uses) in compiled["programs"].items():
                self._programs[name] = self._load(name, bytearray(code), uses)
        except BaseException:
            self.close()
            raise

    def _load(self, name: str, code: bytearray, uses: list[list[int]]) -> int:
        maps = list(self.maps.values())
        for number, used in uses:
            struct.pack_into("=i", code, number * 8 + 4, maps[used])
        try:
            return _bpf.load_program(KINDS[name], code, name)
        except PermissionError:
            log = bytearray(LOG_BYTES)
            with contextlib.suppress(OSError):
                return _bpf.load_program(KINDS[name], code, name, log)
            lines = [line for line in log.split(b"\0")[0].decode(errors="replace").splitlines() if line.strip()]
            said = [line for line in lines if not line.startswith("processed ")]
            raise TapError(f"the kernel refuses {name}: {said[-1] if said else 'not permitted'}") from None

    @property
    def tap(self) -> int:
        """For tc, both directions."""
        return self._programs["flowtap"]

    @property
    def flush(self) -> int:
        """For the clocks."""
        return self._programs["flowtap_flush"]

    @property
    def nudge(self) -> int:
        """The same as `flush`, to be run on a CPU by hand."""
        return self._programs["flowtap_nudge"]

    def close(self) -> None:
        """Give programs and maps back; may be called again. A filter keeps those that it uses."""
        for descriptor in (*self._programs.values(), *self.maps.values()):
            os.close(descriptor)
        self._programs.clear()
        self.maps.clear()


def load(shards: int, *, decap: bool, cutoff: bool, cache: Path | None = None) -> Program:
    """Load for so many shards, with or without tunnels opened and room for a cut-off. Raises TapError.

    `cache` is a directory that keeps what was compiled: so a process that was killed is back without a compiler.
    """
    flags = [f"-DFT_SHARDS={shards}", f"-DFT_DECAP={int(decap)}", f"-DFT_CUTOFF_ENTRIES={CUTOFFS if cutoff else 1}"]
    if missing := missing_capabilities():
        raise TapError(f"an eBPF program cannot be loaded: {', '.join(missing)} missing")
    kept = cache / f"flowtap-{digest(flags)}.bpf" if cache is not None else None
    compiled = read(kept) if kept is not None else None
    if compiled is None:
        compiled = compile_apart(flags)
        if kept is not None:
            write(kept, compiled)
    with contextlib.suppress(OSError, ValueError):  # before Linux 5.11 maps count as locked memory
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        return Program(msgpack.unpackb(compiled))
    except OSError as error:
        refused(os.strerror(error.errno or 0), error)
    except (ValueError, KeyError, TypeError, struct.error) as error:  # the file was damaged: compile it next time
        if kept is not None:
            kept.unlink(missing_ok=True)
        refused(f"{kept} is damaged, and was removed", error)


def refused(why: str, error: Exception) -> NoReturn:
    """Raise the TapError of a program that cannot be loaded."""
    raise TapError(f"the eBPF program was not loaded: {why}") from error


def compile_apart(flags: list[str]) -> bytes:
    """Compile in another process; TapError with its first error."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "capture.compile", *flags],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(SOURCES.parent), *path())))},
            capture_output=True,
            timeout=COMPILE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        refused(str(error), error)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        wrong = [line for line in lines if "error:" in line] or lines[-1:] or [f"exit code {done.returncode}"]
        raise TapError(f"the eBPF program was not compiled: {wrong[0].removeprefix('error: ')}")
    return done.stdout


def path() -> Iterator[str]:
    """Yield what PYTHONPATH holds."""
    yield from os.environ.get("PYTHONPATH", "").split(os.pathsep)


def digest(flags: list[str]) -> str:
    """Return a number of what the compiler reads."""
    known = hashlib.sha256(repr(flags).encode())
    for source in sorted(SOURCES.rglob("*.[ch]")):
        known.update(source.name.encode() + b"\0" + source.read_bytes())
    return known.hexdigest()[:24]


def read(kept: Path) -> bytes | None:
    """Return what was kept, unless anybody else could have written it."""
    try:
        with kept.open("rb") as file:
            status = os.fstat(file.fileno())
            mine = status.st_uid in (0, os.geteuid()) and stat.S_IMODE(status.st_mode) & 0o022 == 0
            return file.read() if mine else None
    except OSError:
        return None


def write(kept: Path, compiled: bytes) -> None:
    """Keep it if the directory lets us: whoever starts next only starts later without."""
    new = kept.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(compiled)
        new.replace(kept)


def missing_capabilities() -> list[str]:
    """Return the names of capabilities that loading needs and this process lacks."""
    effective = int(next(line for line in STATUS.read_text().splitlines() if line.startswith("CapEff:")).split()[1], 16)
    if effective >> SYS_ADMIN & 1:  # contains the two younger ones
        effective |= 1 << NEEDED["cap_bpf"] | 1 << NEEDED["cap_perfmon"]
    return [name for name, bit in NEEDED.items() if not effective >> bit & 1]
