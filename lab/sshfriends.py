# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labelled SSH recordings of false friends: people and programs at terminals who look like one another.

People who paste, move the cursor, use full-screen programs, are kept alive; programs that sleep between lines, that
imitate a hand, that send lines through a pipe. With OpenSSH of Debian 13 on both sides keys are hidden among chaff.
"""

from __future__ import annotations

import random
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from lab import sshplan, sshrecord
from lab.network import USER
from lab.sshpeople import Typist
from lab.sshprograms import EXPECT
from lab.sshrecord import Plan, Session
from lab.sshservers import SERVERS
from lab.sshsessions import Play
from lab.sshstage import LINES, Stage, Truth, openssh, options

PARTS = ("friends",)
# Server, the suffix of the client's name (13: Debian 13's), round trip.
CONDITIONS = (
    ("deb12", "", 0.0),
    ("deb13", "13", 0.0),
    ("dropbear", "", 0.01),
    ("deb13", "13", 0.04),
    ("deb12", "", 0.12),
    ("deb13", "13", 0.16),
)
UP, DOWN = "\x1b[A", "\x1b[B"
KEYBOARD = ("arrows", "paste", "vim", "top", "less", "alive", "short", "tmux", "sftp")
SCRIPTS = ("sleep-1", "sleep-2", "sleep-5", "sleep-random", "expect", "send-slow", "send-human", "pipe")
COMMANDS = ("every-second", "every-while", "ansible", "terminal", "output", "input", "jump", "pauses")
SEND = """\
set timeout 20
set send_slow {1 .1}
set send_human {.1 .3 1 .05 2}
eval spawn -noecho [lrange $argv 1 end]
expect -re {[$] $}
foreach line {"uname -a" "id" "exit"} { send [lindex $argv 0] "$line\\r"; expect -re {[$] $} }
expect eof
"""
PIPED = 'for line in "uname -a" "ls -l /etc | head" "df -h" id exit; do sleep $(awk "BEGIN{$0}"); echo "$line"; done'
MAKES = 'mkdir -p "` echo /tmp/.a/tmp `" && mkdir "` echo /tmp/.a/tmp-{} `"'
ANSIBLE = f"/bin/sh -c '( umask 77 && {MAKES} && {{}} ) && sleep 0'"

prepare = sshplan.prepare


def _words(stage: Stage, client: str, *more: str) -> list[str]:
    """Return OpenSSH by key, without the target."""
    return [*openssh(client), *more, *options(stage, client), "-i", str(stage.key(True))]


def _uses(person: Typist, action: str) -> None:
    """Do at the shell's prompt what the action says, up to the last command."""
    if action == "arrows":
        person.types("uname -a")
        for count in (1, 2, 1):
            person.sees(r"\$ ")
            person.thinks()
            for _ in range(count):
                person.gives(UP, 0.25)
            person.gives("\r", 0.5)
    elif action == "paste":
        for line in LINES[:3]:
            person.thinks()
            person.gives(line, 0.4)
            person.gives("\r", 0)
            person.sees(r"\$ ")
    elif action == "vim":
        person.types("vim -u NONE /etc/services")
        time.sleep(1.5)
        for _ in range(12):
            person.gives(DOWN, 0.12)
        person.types("ihello", end="\x1b")
        person.types(":q!")
    elif action == "top":
        person.types("TERM=xterm top")
        time.sleep(8)
        person.presses("q")
    elif action == "less":
        person.types("less /etc/services")
        for key in "    q":
            person.presses(key)
        person.gives("\r", 0.3)  # where there is no such program the shell has been given the keys
    elif action == "alive":
        time.sleep(12)
        person.types("id")
        person.sees(r"\$ ")
        time.sleep(8)
    elif action == "short":
        person.types("w")
    else:
        person.types("tmux -f /dev/null new")
        time.sleep(2)
        person.types("ls")
        person.types("exit")
        time.sleep(1)


class _Person(Typist):
    """A typist who also sends what is no single key."""

    def gives(self, text: str, after: float) -> None:
        """Send a text at once and wait."""
        self._program.send(text)
        time.sleep(after)


def keyboard(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Play a person at a terminal."""
    seed = stage.random.randrange(1 << 30)
    if action == "sftp":
        host = f"{USER}@[{stage.address}]" if stage.v6 else stage.target
        command = [*openssh(client, "sftp"), *options(stage, client), "-i", str(stage.key(True)), host]
        with _Person(stage.lab, command, seed) as person:
            for line in ("ls /etc", "cd /tmp", "pwd", "bye"):
                person.sees("sftp> ")
                person.types(line)
            person.asked()
        return Truth(session="transfer")
    alive = ["-o", "ServerAliveInterval=3"] if action == "alive" else []
    with _Person(stage.lab, [*_words(stage, client), *alive, stage.target], seed) as person:
        person.sees(r"\$ ")
        _uses(person, action)
        person.types("exit")
        person.asked()
    return Truth(session="interactive", typed="human.typing")


def script(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Play a program at a terminal."""
    truth = Truth(session="interactive", typed="automated.typing")
    lines = [*stage.random.sample(LINES, 4), "exit"]
    words = _words(stage, client)
    if action.startswith("sleep"):
        with _Person(stage.lab, [*words, stage.target], 1) as program:
            program.sees(r"\$ ")
            for line in lines:
                word = action.partition("-")[2]
                time.sleep(stage.random.uniform(0.5, 3) if word == "random" else int(word))
                program.gives(f"{line}\r", 0)
            program.asked()
    elif action == "pipe":
        call = f"({PIPED.replace('$0', 'print 1')}) | " + '"$@"'
        stage.run("sh", "-c", call, "sh", *_words(stage, client, "-tt"), stage.target)
    else:
        path = stage.lab.folder / f"{action}.exp"
        path.write_text(EXPECT if action == "expect" else SEND)
        first = ["x", "|".join(lines[:3])] if action == "expect" else ["-s" if action == "send-slow" else "-h"]
        stage.run("expect", str(path), *first, *words, stage.target, TERM="xterm")
    return truth


def command(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Run a command as programs do: with lines from a pipe, with much input or output, through another connection."""
    truth = Truth(session="exec")
    words = _words(stage, client)
    if action.startswith("every"):
        pause = "print 1" if action == "every-second" else f"srand({stage.random.randrange(9999)});print 1+rand()*3"
        call = f"({PIPED.replace('$0', pause)}) | " + '"$@"'
        stage.run("sh", "-c", call, "sh", *words, "-T", stage.target, "/bin/sh")
    elif action == "terminal":
        truth = Truth(session="interactive")
        stage.run(*_words(stage, client, "-tt"), stage.target, "uptime; sleep 1; id")
    elif action == "input":
        stage.run(*words, stage.target, "cat > /dev/null", stdin=bytes(30_000))
    elif action == "jump":
        truth = Truth(session="forward")
        host = f"[{stage.address}]" if stage.v6 else stage.address
        outer = shlex.join([*words, "-W", f"{host}:22", stage.target])
        inner = [
            "ssh",
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-i",
            str(stage.key(True)),
        ]
        stage.run(*inner, "-o", f"ProxyCommand={outer}", f"{USER}@inner", "id")
    else:
        number = stage.random.randrange(9999)
        lines = {"ansible": ANSIBLE.format(number, "echo x " * 20), "output": "cat /etc/passwd /etc/group"}
        stage.run(*words, stage.target, lines.get(action, "sleep 2; date; sleep 3; date"))
    return truth


_PLAYS: dict[str, tuple[Play, tuple[str, ...]]] = {
    "keyboard": (keyboard, KEYBOARD),
    "script": (script, SCRIPTS),
    "command": (command, COMMANDS),
}
FRIENDS: dict[str, tuple[Play, tuple[str, ...], tuple[str, ...]]] = {
    f"{name}{suffix}": (play, ("key",), actions) for name, (play, actions) in _PLAYS.items() for suffix in ("", "13")
}


def plans(part: str, numbers: range) -> Iterator[Plan]:
    """Return the recordings with these numbers, one condition after the other; each plays all sessions."""
    for number in numbers:
        name, _, rtt = CONDITIONS[number % len(CONDITIONS)]
        yield Plan(part, number, SERVERS[name], rtt, "server", rtt * 0.05, False, False, seed=f"friends {number}")


def sessions(plan: Plan, draw: random.Random) -> list[Session]:
    """Return all sessions of a condition in any order."""
    suffix = CONDITIONS[plan.number % len(CONDITIONS)][1]
    chosen = [(f"{name}{suffix}", "key", action) for name, (_, actions) in _PLAYS.items() for action in actions]
    draw.shuffle(chosen)
    return chosen


def record(plan: Plan, folder: Path, end: float) -> tuple[Path, list[str]]:
    """Play and record one; see `sshrecord.record`."""
    return sshrecord.record(plan, sessions, folder, end, FRIENDS)
