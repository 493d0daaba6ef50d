# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap read` beside a terminal, a pipe and a resolver: what it does when they are slow, or gone."""

import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import Any

import pytest

from flowtap.names import Names
from tests.conftest import environment
from tests.conversation import Tcp, login, pcap


def start(folder: Path, *arguments: str, **streams: Any) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "flowtap", "read", *arguments],
        cwd=folder,
        env=environment(),
        **streams,
    )


def test_a_reader_that_goes_away(folder: Path) -> None:
    there, gone = os.pipe()
    os.close(there)
    with start(folder, "--json", "a.pcap", stdout=gone, stderr=subprocess.PIPE) as process:
        os.close(gone)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (141, b"")


def test_interrupt_prints_what_was_found(folder: Path) -> None:
    """The capture comes through a pipe that stays open: flowtap waits for more until it is interrupted."""
    with start(
        folder, "-f", "a.fp", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(pcap(login(), Tcp(cport=9, start=1165125000.0).open().send(1, "s12", "c12", "s28")))
        process.stdin.flush()
        bound = threading.Timer(60, process.kill)
        bound.start()
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdin = None  # communicate would close it: the end of the file is not what ends this
        output, errors = process.communicate(timeout=60)
        bound.cancel()
    assert first == b"(tcp) 83.31.193.40:3406 -> 213.134.128.25:22\n"
    assert b"(tcp) 83.31.193.40:9 -> 213.134.128.25:22\n" in output
    assert errors.startswith(b"flowtap: 1 file, ")
    assert process.returncode == 130


def test_progress_on_a_terminal_only(folder: Path) -> None:
    terminal, other_end = pty.openpty()
    termios.tcsetwinsize(other_end, (24, 80))
    with start(folder, "-f", "a.fp", "-o", "out", "a.pcap", stdin=subprocess.DEVNULL, stderr=other_end) as process:
        os.close(other_end)
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            shown += piece
        process.wait(timeout=60)
    os.close(terminal)
    assert b"a.pcap:" in shown
    assert b"1 identified" in shown


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_names_never_wait_long(address: str) -> None:
    """Documentation addresses have no name, and a machine without DNS does not answer: both give the address."""
    names = Names(wait=0.1, total=0.2, threads=1)
    assert [names(address) for _ in range(3)] == [address] * 3
