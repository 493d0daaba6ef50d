# SPDX-License-Identifier: LGPL-2.1-or-later
"""Gives up capabilities for good: this thread, and what it starts, keeps only those that are named (capabilities(7)).

No Python library that is kept up does this; the kernel's interface is two system calls with a small fixed struct. They
work on the calling thread alone, so this must come before any other thread begins.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

# Numbers of linux/capability.h.
NUMBERS = {
    "cap_dac_override": 1,
    "cap_net_admin": 12,
    "cap_net_raw": 13,
    "cap_ipc_lock": 14,
    "cap_sys_admin": 21,
    "cap_sys_resource": 24,
    "cap_perfmon": 38,
    "cap_bpf": 39,
}
_VERSION_3 = 0x20080522
_PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 23, 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4


class CapabilityError(Exception):
    """Capabilities could not be given up; the text says why."""


def effective() -> frozenset[str]:
    """Return the capabilities in use by this thread; those without a name in NUMBERS as cap_N."""
    status = Path("/proc/thread-self/status").read_text()
    bits = int(next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1], 16)
    names = {number: name for name, number in NUMBERS.items()}
    return frozenset(names.get(number, f"cap_{number}") for number in range(64) if bits >> number & 1)


def keep_only(names: frozenset[str]) -> None:
    """Give up all capabilities but these, in all sets, and the way to new ones through programs that are run.

    One that is named and not there is no error. Raises CapabilityError, also when this is not the only thread.
    """
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise CapabilityError(f"capabilities must be given up before threads begin, there are {threads}")
    libc = ctypes.CDLL(None, use_errno=True)
    keep = sum(1 << NUMBERS[name] for name in names)
    permitted = _get(libc) & keep
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    for number in range(64):
        present = libc.prctl(_PR_CAPBSET_READ, number, 0, 0, 0)
        if present < 0:
            break  # no such capability in this kernel, nor any higher one
        if present and not keep >> number & 1 and libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            break  # without cap_setpcap the bounding set stays: nothing in it can be had with no_new_privs
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _set(libc, permitted)
    if _get(libc) != permitted:
        raise CapabilityError("capabilities were given up and are still there")


def _header() -> ctypes.Array[ctypes.c_uint32]:
    return (ctypes.c_uint32 * 2)(_VERSION_3, 0)


def _get(libc: ctypes.CDLL) -> int:
    """Return the permitted set."""
    data = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: low words, then high words
    _check(libc.capget(_header(), data), "capget")
    return int(data[1]) | int(data[4]) << 32


def _set(libc: ctypes.CDLL, bits: int) -> None:
    """Make this the effective and the permitted set; the inheritable one becomes empty."""
    low, high = bits & 0xFFFFFFFF, bits >> 32
    _check(libc.capset(_header(), (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)), "capset")


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise CapabilityError(f"capabilities: {what}: {errno.errorcode.get(code, code)} ({os.strerror(code)})")
