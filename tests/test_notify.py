# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages to systemd: over a real socket, by path and abstract; nothing outside of systemd."""

import os
import socket
from pathlib import Path

import pytest

from flowtap.notify import Notify


def received(server: socket.socket) -> list[str]:
    server.setblocking(False)
    messages = []
    while True:
        try:
            messages.append(server.recv(4096).decode())
        except BlockingIOError:
            return messages


@pytest.mark.parametrize("abstract", [False, True])
def test_messages(abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"\0flowtap-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(name)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        monkeypatch.setenv("WATCHDOG_USEC", "3600000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        notify = Notify()
        notify.ready()
        notify.status("two\nlines")
        notify.status("two\nlines")
        for _ in range(3):
            notify.alive()
        notify.reloading()
        notify.stopping()
        ready, status, watchdog, reloading, stopping = received(server)
    assert (ready, status, watchdog, stopping) == ("READY=1", "STATUS=two lines", "WATCHDOG=1", "STOPPING=1")
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    notify.ready()  # nobody listens any more


@pytest.mark.parametrize(
    ("pid", "period", "count"), [("1", "1000", 0), ("", "", 0), ("", "x", 0), ("", "0", 0), ("", "1000000", 1)]
)
def test_watchdog(pid: str, period: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_PID", pid)
        monkeypatch.setenv("WATCHDOG_USEC", period)
        Notify().alive()
        assert received(server) == ["WATCHDOG=1"] * count


@pytest.mark.parametrize("address", [None, "", "relative", "vsock:2:1"])
def test_outside_of_systemd(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if address is None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    else:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify = Notify()
    notify.ready()
    notify.alive()
    notify.stopping()
