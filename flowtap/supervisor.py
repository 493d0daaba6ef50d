# SPDX-License-Identifier: LGPL-2.1-or-later
"""Child processes of `flowtap run`: started, watched, started again when they die, ended in order.

A child tells that it works as it tells systemd: by sd_notify, to a socket of its own. One that says nothing for
WATCHDOG seconds is killed. None outlives this process: the kernel ends them when it dies.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

WATCHDOG = 30.0  # seconds
_STEADY = 5.0  # a child that lived for so long is started again at once; else each time after twice as long,
_FIRST_DELAY = 0.2  # from this
_LONGEST_DELAY = 8.0  # to this
_LINES = 20  # of a child's last words
_LONGEST_LINE = 4096
_PR_SET_PDEATHSIG = 1

Tell = Callable[[str], None]


class ChildError(Exception):
    """A child could not even begin; the text is what it said, `code` its exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Child:
    """One process, `python -m flowtap ARGUMENTS`, and its successors. `tell` takes each line that it logs."""

    def __init__(self, name: str, arguments: Sequence[str], folder: Path, tell: Tell) -> None:
        self.name = name
        self.ready = False
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        self.wanted = False
        self._arguments = arguments
        self._tell = tell
        self._was_ready = False
        self._started = 0.0
        self._heard = 0.0
        self._delay = 0.0
        self._start_at = 0.0
        self._words: deque[str] = deque(maxlen=_LINES)
        self._partial = b""
        self._log: int | None = None
        self._address = folder / f"notify-{name}"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._address.unlink(missing_ok=True)
        self._notify.bind(str(self._address))

    def descriptors(self) -> list[int]:
        """Return what to poll for reading; step() does it."""
        return [self._notify.fileno(), *([] if self._log is None else [self._log])]

    def start(self) -> None:
        """Start the process."""
        self.wanted = True
        self.ready = False
        reader, writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reader, False)
        parent = os.getpid()
        prctl = ctypes.CDLL(None).prctl

        def bind_to_parent() -> None:  # SIGTERM, not SIGKILL: the tap takes its filter off the interfaces
            prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        try:
            self.process = subprocess.Popen(
                # -P: not what lies in the current directory
                [sys.executable, "-P", "-m", "flowtap", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=writer,
                env=self._environment(),
                process_group=0,  # Ctrl-C is for this process, which ends the others in order
                preexec_fn=bind_to_parent,  # noqa: PLW1509 - `flowtap run` has no Python threads
            )
        finally:
            os.close(writer)
        self._log = reader
        self._started = self._heard = monotonic()

    def step(self) -> None:
        """Take what the process said; start it again when it has died. Raises ChildError when it never worked."""
        self._hear()
        self._read_log()
        if self.process is None:
            if self.wanted and monotonic() >= self._start_at:
                self.restarts += 1
                self.start()
        elif self.process.poll() is not None:
            self._died(self.process.returncode)
        elif monotonic() > self._heard + WATCHDOG:
            self._tell(f"flowtap: {self.name} said nothing for {WATCHDOG:.0f} s and is killed")
            self._heard = monotonic()
            self.process.kill()

    def end(self, number: int = signal.SIGTERM) -> None:
        """Ask the process to end; it is not started again."""
        self.wanted = False
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)

    def close(self) -> None:
        """Kill what is left and give up the socket."""
        self.end(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
            self.process = None
        self._close_log()
        self._notify.close()
        self._address.unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        # The same code as this process's own, wherever that came from.
        path = os.pathsep.join(filter(None, [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "NOTIFY_SOCKET": str(self._address), "PYTHONPATH": path}
        environment["WATCHDOG_USEC"] = str(round(WATCHDOG * 1e6))
        environment.pop("WATCHDOG_PID", None)
        environment.setdefault("FLOWTAP_LOG", "WARNING")
        return environment

    def _hear(self) -> None:
        while True:
            try:
                message = self._notify.recv(4096)
            except BlockingIOError:
                return
            self._heard = monotonic()
            if b"READY=1" in message.split(b"\n") and self.process is not None:
                self._read_log()
                if not self._was_ready:  # what it said in the beginning was kept back in case it was why it cannot work
                    for line in self._words:
                        self._tell(line)
                self.ready = self._was_ready = True

    def _read_log(self) -> None:
        if self._log is None:
            return
        try:
            data = os.read(self._log, 1 << 16)
        except BlockingIOError:
            return
        *lines, partial = (self._partial + data).split(b"\n")
        self._partial = partial[:_LONGEST_LINE]
        for line in lines:
            text = line.decode(errors="replace")
            self._words.append(text)
            if self._was_ready:
                self._tell(text)
        if not data:
            self._close_log()

    def _close_log(self) -> None:
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _died(self, code: int) -> None:
        for _ in range(16):  # its last words; bounded, for its own children may go on writing
            if self._log is None:
                break
            self._read_log()
        self._close_log()
        self.process = None
        self.ready = False
        if not self.wanted:
            return
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        if not self._was_ready:
            words = "\n".join(self._words) or f"flowtap: {self.name} {how} before it worked"
            raise ChildError(words, code if code > 0 else 1)
        lived = monotonic() - self._started
        self._delay = 0.0 if lived >= _STEADY else min(max(2 * self._delay, _FIRST_DELAY), _LONGEST_DELAY)
        self._start_at = monotonic() + self._delay
        again = f"again in {self._delay:.1f} s" if self._delay else "started again"
        self._tell(f"flowtap: {self.name} was {how}, {again}" if code < 0 else f"flowtap: {self.name} {how}, {again}")


class Supervisor:
    """All children together."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children

    def step(self) -> None:
        """Do what is to be done for all children. Raises ChildError."""
        for child in self._children:
            child.step()

    def descriptors(self) -> list[int]:
        """Return what to poll for reading."""
        return [number for child in self._children for number in child.descriptors()]

    def close(self) -> None:
        """Kill what is left."""
        for child in self._children:
            child.close()
