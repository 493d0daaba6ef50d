# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people and programs do at a terminal over SSH, message by message."""

from __future__ import annotations

from tests.ssh_manners import Session
from tests.ssh_talk import ALIVE, CLOSE, EOF, REPLY, SHELL, data, pty


def key(s: Session, after: float, echo: int = 1) -> None:
    """Press a key, which is echoed."""
    s.sends(data(1), after=after)
    if echo:
        s.s(data(echo), after=0.0003)


def line_typed(s: Session, letters: int, output: int, think: float) -> None:
    """Type a line key by key, and return."""
    for place in range(letters):
        key(s, think if place == 0 else min(0.9, s.random.lognormvariate(-2, 0.4)))
    s.sends(data(1), after=0.2)
    s.s(data(2))
    if output:
        s.shows(output, after=0.005)
    s.s(data(s.random.randint(8, 30)), after=0.005)


def leaves_terminal(s: Session) -> None:
    """Say exit."""
    s.s(data(8))
    s.finishes()


def person(s: Session) -> None:
    """Type commands at a terminal."""
    s.terminal()
    for number in range(3):
        line_typed(s, s.random.randint(2, 12), s.random.choice([0, 60, 900]), 1.2 + number)
    leaves_terminal(s)


def person_short(s: Session) -> None:
    """Type one command and leave."""
    s.terminal()
    line_typed(s, s.random.randint(6, 12), s.random.choice([60, 900]), 1.2)
    line_typed(s, 4, 0, 2)
    leaves_terminal(s)


def person_pastes(s: Session) -> None:
    """Type, then paste a line and press return."""
    s.terminal()
    line_typed(s, 7, 80, 2)
    s.sends(data(40), after=3)
    s.s(data(40))
    s.sends(data(1), after=0.8)
    s.s(data(2))
    s.shows(300)
    s.s(data(20))
    line_typed(s, 5, 80, 2)
    leaves_terminal(s)


def person_cursor(s: Session) -> None:
    """Fetch earlier lines with cursor keys, then type, delete and go on."""
    s.terminal()
    for _ in range(3):
        s.sends(data(3), after=0.6)
        s.s(data(s.random.randint(6, 30)))
    s.sends(data(1), after=0.5)
    s.s(data(2))
    s.shows(200)
    s.s(data(20))
    line_typed(s, 8, 60, 2)
    line_typed(s, 5, 60, 2)
    leaves_terminal(s)


def person_editor(s: Session) -> None:
    """Edit with a full screen: each key changes parts of it."""
    s.terminal()
    line_typed(s, 6, 1900, 1.5)
    for _ in range(20):
        key(s, min(0.9, s.random.lognormvariate(-1.8, 0.4)), s.random.choice([1, 9, 14, 40]))
    leaves_terminal(s)


def person_idle(s: Session) -> None:
    """Leave at once."""
    s.terminal()
    s.sends(data(1), after=4)
    s.s(data(8))
    s.finishes()


def person_alive(s: Session) -> None:
    """Sit before a terminal without typing; the client asks whether the server is alive."""
    s.terminal()
    for _ in range(4):
        s.c(ALIVE, after=15)
        s.s(REPLY)


def program_lines(s: Session) -> None:
    """Send a line when the prompt has come, as expect does."""
    s.terminal()
    for _ in range(3):
        size = s.random.randint(12, 40)
        s.sends(data(size), after=0.003)
        s.s(data(size + 1))
        s.shows(s.random.choice([30, 300, 1400]), after=0.004)
        s.s(data(20))
    s.sends(data(5))
    s.s(data(6))
    leaves_terminal(s)


def program_device(s: Session) -> None:
    """Work a network device as Netmiko, Scrapli, Ansible do: turn paging off, show; echoes and output together."""
    s.terminal(output=80)
    s.sends(data(1), after=0.1)
    s.s(data(14))
    for size in (18, 17, 13, 24):
        s.sends(data(size), after=0.1)
        s.s(data(size + 14))
        s.shows(s.random.choice([120, 1400]), after=0.01)
        s.s(data(12))
    s.sends(data(5), after=0.2)
    leaves_terminal(s)


def program_sleeps(s: Session) -> None:
    """Send lines a second apart without looking."""
    s.terminal()
    for _ in range(4):
        size = s.random.randint(12, 40)
        s.sends(data(size), after=1.0)
        s.s(data(size + 1))
        s.shows(s.random.choice([30, 300, 1400]), after=0.004)
        s.s(data(20))
    leaves_terminal(s)


def program_pipe(s: Session) -> None:
    """Send all lines at once, before the prompt (`ssh -tt HOST < file`)."""
    s.opens()
    s.asks(pty(s.client.term, s.client.modes), SHELL, output=0)
    s.sends(data(60), after=0.001)
    s.sends(EOF, after=0.0005)
    s.s(data(62))
    s.shows(300)
    s.s(data(80))
    s.shows(300)
    leaves_terminal(s)


def program_invoke(s: Session) -> None:
    """Send a few lines with pauses of half a second (Paramiko's invoke_shell, as people write it), read, and close."""
    s.terminal()
    for _ in range(3):
        size = s.random.randint(12, 30)
        s.sends(data(size), after=0.5)
        s.s(data(size + 1))
        s.shows(s.random.choice([30, 300, 1400]), after=0.004)
        s.s(data(20))
    s.c(EOF, CLOSE, after=0.5)
