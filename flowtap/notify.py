# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tells systemd how the service is: ready, alive, stopping (sd_notify(3)). Outside of systemd all of it does nothing.

The protocol is a datagram to the socket that $NOTIFY_SOCKET names. A message that cannot be sent is given up: what
systemd makes of its absence is systemd's business, and no reason to stop work.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from time import monotonic


class Notify:
    """Messages to systemd about this process."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        address = os.environ.get("NOTIFY_SOCKET", "")
        if address[:1] in ("/", "@"):
            self._address = "\0" + address[1:] if address[0] == "@" else address
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._watchdog = _watchdog_seconds() if self._socket is not None else 0.0
        self._next = 0.0
        self._status = ""

    def ready(self) -> None:
        """Say that the service does its work from now on."""
        self._send("READY=1")

    def stopping(self) -> None:
        """Say that the service ends."""
        self._send("STOPPING=1")

    def reloading(self) -> None:
        """Say that the service reads its settings anew; ready() ends that."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic() * 1e6)}")

    def alive(self) -> None:
        """Say that the main loop goes round. May be called at any rate: few messages go out per watchdog period."""
        if self._watchdog and (now := monotonic()) >= self._next:
            self._next = now + self._watchdog / 4
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Show a line in `systemctl status`; sent when it differs from the last one."""
        if text != self._status:
            self._status = text
            self._send("STATUS=" + text.replace("\n", " "))

    def _send(self, message: str) -> None:
        if self._socket is None:
            return
        with suppress(OSError):
            self._socket.sendto(message.encode(), self._address)


def _watchdog_seconds() -> float:
    """Return the period of the watchdog, 0 when there is none for this process."""
    pid = os.environ.get("WATCHDOG_PID", "")
    if pid and pid != str(os.getpid()):
        return 0.0
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0
