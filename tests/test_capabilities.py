# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capabilities are given up for good, by root and by an unprivileged user with ambient ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import environment

pytestmark = pytest.mark.live
NET_ADMIN, BPF, NET_RAW = 12, 39, 13

# The module as text and the system's Python: a user may not be allowed to read this folder, nor the environment in it.
MODULE = (Path(__file__).parent.parent / "capture" / "capabilities.py").read_text()
PYTHON = "/usr/bin/python3"

# Gives up all but what is named, and prints its sets, those of a thread, and those of a program that it runs.
SCRIPT = """
import subprocess, sys, threading
def show():
    lines = Path("/proc/thread-self/status").read_text().splitlines()
    print(*(line.split()[1] for line in lines if line.startswith(("Cap", "NoNewPrivs"))), flush=True)
keep_only(frozenset(sys.argv[1:]))
show()
thread = threading.Thread(target=show)
thread.start()
thread.join()
subprocess.run(["grep", "-E", "^Cap(Prm|Eff)", "/proc/self/status"], check=True)
print(*sorted(effective()))
"""


def run(*names: str, prefix: tuple[str, ...] = ()) -> list[str]:
    done = subprocess.run(
        [*prefix, PYTHON, "-c", MODULE + SCRIPT, *names],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.splitlines()


def bits(*numbers: int) -> str:
    return f"{sum(1 << number for number in numbers):016x}"


ZERO = bits()
AMBIENT = (
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=+net_admin,+net_raw",
    "--ambient-caps=+net_admin,+net_raw",
)


@pytest.mark.parametrize("names", [("cap_net_admin",), ("cap_net_admin", "cap_bpf"), ()])
def test_root_keeps_what_is_named(names: tuple[str, ...]) -> None:
    kept = bits(*({"cap_net_admin": NET_ADMIN, "cap_bpf": BPF}[name] for name in names))
    own, thread, permitted, effective, told = run(*names)
    assert own == thread == f"{ZERO} {kept} {kept} {kept} {ZERO} 1"
    # root's programs get what the bounding set still has
    assert permitted.split()[1] == effective.split()[1] == kept
    assert told.split() == sorted(names)


def test_ambient_capabilities_of_a_user() -> None:
    kept = bits(NET_ADMIN)
    own, thread, permitted, effective, _ = run("cap_net_admin", "cap_bpf", prefix=AMBIENT)
    inherited, has, uses, _, ambient, no_new = own.split()
    assert (inherited, has, uses, ambient, no_new) == (ZERO, kept, kept, ZERO, "1")
    assert own == thread
    assert permitted.split()[1] == effective.split()[1] == ZERO  # what it runs has none at all


def test_after_threads_have_begun() -> None:
    text = """
import threading
from capture.capabilities import CapabilityError, keep_only
stop = threading.Event()
thread = threading.Thread(target=stop.wait)
thread.start()
try:
    keep_only(frozenset())
except CapabilityError as error:
    print(error)
stop.set()
"""
    done = subprocess.run(
        [sys.executable, "-c", text], env=environment(), capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "capabilities must be given up before threads begin, there are 2\n"
