# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients as people and as programs use them.

A person reads before typing and types key by key; the pace is drawn from a seeded generator, log-normal around 140 ms
per key, as studies of typing find. Programs answer at once.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections.abc import Mapping, Sequence

import pexpect  # type: ignore[import-untyped]

from lab.network import Lab, LabError, Machine

ANSWER = 30.0  # seconds that a server may take to answer a person


class Person:
    """Someone at the keyboard of `machine`, running one interactive program."""

    def __init__(self, machine: Machine, command: Sequence[str], seed: int) -> None:
        self._random = random.Random(seed)
        line = machine.inside("env", "HOME=/root", "TERM=xterm", *command)
        self._program = pexpect.spawn(line[0], line[1:], timeout=ANSWER, encoding="utf-8")
        self._program.delaybeforesend = None

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        # On a busy machine a killed program may not be gone at once; it ends with its machine.
        with contextlib.suppress(pexpect.ExceptionPexpect):
            self._program.close(force=True)

    def sees(self, *texts: str) -> None:
        """Read on until one of the texts (regular expressions) appears.

        Raises:
            LabError: the program ended or stayed silent instead.

        """
        try:
            self._program.expect(list(texts))
        except (pexpect.EOF, pexpect.TIMEOUT) as error:
            raise LabError(f"waited for {texts}, saw {self._program.before!r}") from error

    def thinks(self, least: float = 0.7, most: float = 1.6) -> None:
        """Let time pass."""
        time.sleep(self._random.uniform(least, most))

    def types(self, line: str, end: str = "\r") -> None:
        """Think, type a line key by key, and press return."""
        self.thinks()
        for key in line + end:
            self._program.send(key)
            time.sleep(min(1.2, self._random.lognormvariate(-1.97, 0.45)))

    def leaves(self) -> None:
        """Wait for the program to end by itself."""
        self.sees_end()
        self._program.close()

    def interrupts(self) -> None:
        """End the program by force, where it does not notice that the other side is gone (netcat)."""
        self.thinks()
        self._program.close(force=True)

    def sees_end(self) -> None:
        """Read until the other side has closed.

        Raises:
            LabError: it did not within the time that an answer may take.

        """
        try:
            self._program.expect(pexpect.EOF)
        except pexpect.TIMEOUT as error:
            raise LabError(f"waited for the end, saw {self._program.before!r}") from error


def program(
    lab: Lab,
    *command: str,
    expected: Sequence[int] = (0,),
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a program on the client machine without a terminal and return its output.

    Raises:
        LabError: it took longer than a minute or ended with a status that is not `expected`.

    """
    settings = [f"{name}={value}" for name, value in (variables or {}).items()]
    line = lab.client.inside("setsid", "-w", "env", "HOME=/root", *settings, *command)
    try:
        done = subprocess.run(line, input=stdin, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command)}: {error}") from error
    if done.returncode not in expected:
        raise LabError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")
