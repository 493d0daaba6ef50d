# SPDX-License-Identifier: LGPL-2.1-or-later
"""A system booted by its own systemd in namespaces of its own, driven from outside by nsenter.

It dies with this process, whatever happens: its first process is killed, and the kernel ends the rest with it. Its
mounts, its network and its files in memory have no name outside and vanish too.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lab.network import LabError, until

START = 60.0  # seconds for booting
WAIT = 60.0  # seconds for one command


class Booted:
    """A running system whose files are those of `layers`, the first one uppermost; they stay as they are."""

    def __init__(self, layers: Sequence[Path]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="flowtap-systemd-"))
        self._log = self._folder.with_suffix(".log")
        lower = ":".join(map(str, layers))
        alone = ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--net", "--ipc", "--uts", "--cgroup"]
        boot = ["bash", str(Path(__file__).with_name("boot.sh")), lower, str(self._folder)]
        self._outer = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *alone, "--propagation", "private", *boot])
        try:
            until(self._runs, "systemd", START)
            until(lambda: self.state() in ("running", "degraded"), "booting", START)
        except BaseException as error:
            said = self._log.read_text(errors="replace") if self._log.exists() else ""
            self.close()
            if isinstance(error, LabError):
                raise LabError(f"{error}\n{said}") from error
            raise

    def __enter__(self) -> Booted:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill everything in it and wait for that."""
        self._outer.kill()
        self._outer.wait(WAIT)
        self._log.unlink(missing_ok=True)
        self._folder.rmdir()

    def _runs(self) -> bool:
        if self._outer.poll() is not None:
            raise LabError("the system ended while booting")
        first = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
        if not first or Path(f"/proc/{first[0]}/comm").read_text() != "systemd\n":
            return False
        self.pid = int(first[0])
        return True

    def state(self) -> str:
        """Return what `systemctl is-system-running` says."""
        return self.run("systemctl", "is-system-running", expected=None).strip()

    def inside(self, *command: str) -> list[str]:
        """Return the command line that runs `command` in this system."""
        spaces = ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i", "-u", "-C", "--"]
        return [*spaces, "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *command]

    def run(self, *command: str, expected: int | None = 0, stdin: str = "") -> str:
        """Run a command and return what it wrote; another status than `expected` is a LabError (None: any will do)."""
        done = subprocess.run(
            self.inside(*command), input=stdin, capture_output=True, timeout=WAIT, check=False, text=True
        )
        if expected is not None and done.returncode != expected:
            raise LabError(f"{' '.join(command)}: status {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def systemctl(self, *arguments: str) -> str:
        """Run systemctl and return what it wrote; a failure is a LabError."""
        return self.run("systemctl", "--no-pager", *arguments)

    def shows(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.systemctl("show", "--value", "-p", name, unit).strip()

    def main_pid(self, unit: str) -> int:
        """Return the process id, as seen inside, of the main process of a unit; 0 when it has none."""
        return int(self.shows(unit, "MainPID"))

    def journal(self, *units: str) -> str:
        """Return what units logged, or everything."""
        return self.run("journalctl", "--no-pager", "-o", "cat", *(word for unit in units for word in ("-u", unit)))

    def until_active(self, *units: str, limit: float = START) -> float:
        """Wait until all these units are active; return how many seconds that took. LabError tells their journal."""
        begin = time.monotonic()
        try:
            until(lambda: all(self.shows(unit, "ActiveState") == "active" for unit in units), "active", limit)
        except LabError as error:
            raise LabError(f"{', '.join(units)}: {error}\n{self.journal(*units)}") from error
        return time.monotonic() - begin
