# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is done in an SSH session, message by message, and which ids are meant by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
from random import Random

from tests.conversation import Tcp
from tests.ssh_manners import CLIENTS, SERVERS, Session
from tests.ssh_talk import (
    ALIVE,
    CIPHERS,
    CLOSE,
    CONFIRMED,
    EOF,
    EXIT,
    HOSTKEYS,
    NO_MORE,
    REPLY,
    SFTP,
    data,
    direct,
    execute,
    pty,
)  # fmt: skip
from tests.ssh_terminals import (
    person,
    person_alive,
    person_cursor,
    person_editor,
    person_idle,
    person_pastes,
    person_short,
    program_device,
    program_invoke,
    program_lines,
    program_pipe,
    program_sleeps,
)  # fmt: skip


def command(s: Session) -> None:
    """Run a command that says something."""
    s.opens()
    s.asks(execute(s.random.randint(4, 40)))
    s.shows(s.random.choice([7, 60, 900]), after=0.004)
    s.finishes()


def command_output(s: Session) -> None:
    """Run a command that says much."""
    s.opens()
    s.asks(execute(s.random.randint(8, 40)))
    for _ in range(12):
        s.shows(s.random.choice([1400, 1400, 4000]), after=0.001)
    s.finishes()


def command_slow(s: Session) -> None:
    """Run a command that says something now and then."""
    s.opens()
    s.asks(execute(s.random.randint(8, 40)))
    for _ in range(5):
        s.shows(70, after=1.0)
    s.finishes()


def command_silent(s: Session) -> None:
    """Run a command that says nothing."""
    s.opens()
    s.asks(execute(s.random.randint(4, 40)), output=0)
    s.finishes()


def command_long(s: Session) -> None:
    """Run a long command, as Ansible does."""
    s.opens()
    s.asks(execute(s.random.randint(180, 600)))
    s.shows(s.random.choice([60, 900]), after=0.2)
    s.finishes()


def command_input(s: Session) -> None:
    """Run a command that reads a script and ends with it."""
    s.opens()
    s.asks(execute(7), output=0)
    s.sends(data(400), after=0.001)
    s.c(EOF)
    s.shows(200, after=0.01)
    s.finishes()


def command_upload(s: Session) -> None:
    """Run a command that reads much (tar)."""
    s.opens()
    s.asks(execute(24), output=0)
    for _ in range(10):
        s.sends(data(8000), after=0.0005)
    s.c(EOF)
    s.finishes()


def commands(s: Session) -> None:
    """Run three commands over one connection, each in a channel of its own."""
    for _ in range(3):
        s.opens()
        s.asks(execute(s.random.randint(4, 40)))
        s.shows(s.random.choice([7, 60, 900]), after=0.004)
        s.s(EXIT, EOF, CLOSE)
        s.c(CLOSE)


def terminal_command(s: Session) -> None:
    """Run a command on a terminal (`ssh -t HOST COMMAND`)."""
    s.opens()
    s.asks(pty(s.client.term, s.client.modes), execute(12), output=0)
    s.shows(400, after=0.01)
    s.finishes()


def lines_shell(s: Session) -> None:
    """Type lines to a shell without a terminal."""
    s.opens()
    s.asks(execute(2), output=0)
    for pause in (2.3, 3.45, 1.7, 2.65):
        s.sends(data(s.random.randint(3, 14)), after=pause)
        s.shows(s.random.choice([20, 300]), after=0.004)
    s.sends(data(5), after=1.9)
    s.finishes()


def sftp_begins(s: Session) -> None:
    """Ask for SFTP, exchange versions."""
    s.opens()
    s.asks(SFTP, output=0)
    s.sends(data(9), after=0.0005)
    s.s(data(s.random.choice([9, 90, 170])))


def sftp_lists(s: Session) -> None:
    """List a folder by SFTP."""
    sftp_begins(s)
    for request, reply in ((22, 40), (26, 22), (17, 1200), (17, 30), (17, 24)):
        s.sends(data(request))
        s.shows(reply)
    s.c(EOF, CLOSE)
    s.s(EXIT, EOF, CLOSE)


def sftp_up(s: Session) -> None:
    """Upload a file by SFTP."""
    sftp_begins(s)
    for request, reply in ((22, 40), (40, 37), (45, 17)):
        s.sends(data(request))
        s.shows(reply)
    for _ in range(4):
        s.sends(data(8000), after=0.0003)
    for _ in range(4):
        s.s(data(24))
    s.sends(data(17))
    s.s(data(24))
    s.c(EOF, CLOSE)
    s.s(EXIT, EOF, CLOSE)


def sftp_down(s: Session) -> None:
    """Download a file by SFTP, with several requests under way."""
    sftp_begins(s)
    for request, reply in ((40, 37), (45, 17)):
        s.sends(data(request))
        s.shows(reply)
    for _ in range(4):
        s.c(data(29))
    for _ in range(4):
        s.shows(8000)
    s.sends(data(17))
    s.s(data(24))
    s.c(EOF, CLOSE)
    s.s(EXIT, EOF, CLOSE)


def sftp_person(s: Session) -> None:
    """Work with sftp by hand."""
    sftp_begins(s)
    s.sends(data(22))
    s.s(data(40))
    for _ in range(3):
        for request, reply in ((26, 22), (17, 1200), (17, 30), (17, 24)):
            s.sends(data(request), after=3 if request == 26 else 0)
            s.shows(reply)
    s.c(EOF, CLOSE, after=2)
    s.s(EXIT, EOF, CLOSE)


def scp_up(s: Session) -> None:
    """Upload by scp's own protocol."""
    s.opens()
    s.asks(execute(20), output=0)
    s.s(data(1), after=0.003)
    s.sends(data(22))
    s.s(data(1))
    for _ in range(3):
        s.sends(data(4000))
    s.sends(data(1))
    s.s(data(1))
    s.c(EOF)
    s.finishes()


def scp_down(s: Session) -> None:
    """Download by scp's own protocol."""
    s.opens()
    s.asks(execute(20), output=0)
    s.sends(data(1), after=0.0005)
    s.s(data(22), after=0.002)
    s.sends(data(1))
    for _ in range(3):
        s.shows(4000)
    s.s(data(1))
    s.sends(data(1))
    s.finishes()


def rsync_up(s: Session) -> None:
    """Push by rsync: versions, a list, indices, data."""
    s.opens()
    s.asks(execute(46), output=0)
    s.sends(data(4), after=0.001)
    s.s(data(4), after=0.002)
    s.sends(data(50))
    s.s(data(30))
    s.sends(data(300))
    s.s(data(60))
    s.sends(data(6000))
    s.s(data(30))
    s.sends(data(40))
    s.s(data(30))
    s.c(EOF)
    s.finishes()


def git_clone(s: Session) -> None:
    """Fetch by git."""
    s.opens()
    s.asks(execute(34), output=0)
    s.shows(500, after=0.003)
    s.sends(data(170))
    s.sends(data(60))
    s.sends(data(13))
    s.s(data(8))
    s.shows(4000)
    s.shows(2000)
    s.s(data(4))
    s.finishes()


def forward_local(s: Session) -> None:
    """Forward a web page and no more (`-N -L`)."""
    if s.client.no_more:
        s.c(NO_MORE)
    if s.server.keys:
        s.s(HOSTKEYS)
    for _ in range(2):
        s.c(direct(), after=2)
        s.s(CONFIRMED)
        s.sends(data(90))
        s.shows(900)
        s.s(EOF)
        s.c(CLOSE)
        s.s(CLOSE)


def forward_names(s: Session) -> None:
    """Forward two connections of a SOCKS client to names (`-N -D`), TLS inside."""
    if s.client.no_more:
        s.c(NO_MORE)
    if s.server.keys:
        s.s(HOSTKEYS)
    for name in ("www.lab.example", "a-longer-name.of-a-site.lab.example"):
        s.c(direct(name), after=1.4)
        s.s(CONFIRMED)
        s.sends(data(517))
        s.shows(3800)
        s.sends(data(80))
        s.sends(data(200))
        s.shows(5000)


def forward_remote(s: Session) -> None:
    """Let the server listen; somebody comes (`-N -R`)."""
    s.c(*([NO_MORE] if s.client.no_more else []), 27 + 9)
    if s.server.keys:
        s.s(HOSTKEYS)
    s.s(REPLY)
    for _ in range(2):
        s.s(45 + 9 + 9 + 3, after=2)
        s.c(CONFIRMED)
        s.s(data(90))
        s.c(data(900))
        s.c(EOF)
        s.s(EOF, CLOSE)
        s.c(CLOSE)


def forward_jump(s: Session) -> None:
    """Carry an SSH connection to another host (`-W`, `-J`)."""
    s.c(*([NO_MORE] if s.client.no_more else []), direct("host.lab.example"))
    if s.server.keys:
        s.s(HOSTKEYS)
    s.s(CONFIRMED)
    s.c(data(41))
    s.s(data(41))
    s.sends(data(1400))
    s.s(data(1100))
    s.sends(data(48))
    s.s(data(540))
    for request, reply in ((80, 44), (68, 52), (148, 28), (120, 500), (400, 44)):
        s.sends(data(request))
        s.s(data(reply))


def forward_idle(s: Session) -> None:
    """Keep a connection open for others (`-N`), with keep-alives."""
    if s.client.no_more:
        s.c(NO_MORE)
    if s.server.keys:
        s.s(HOSTKEYS)
    for _ in range(3):
        s.c(ALIVE, after=5)
        s.s(REPLY)


Action = Callable[[Session], None]
ACTIONS: dict[Action, str] = {
    person: "human.typing interactive",
    person_short: "human.typing interactive",
    person_pastes: "human.typing interactive",
    person_cursor: "human.typing interactive",
    person_editor: "human.typing interactive",
    person_idle: "interactive",
    person_alive: "interactive",
    program_lines: "automated.typing interactive",
    program_device: "automated.typing interactive",
    program_sleeps: "automated.typing interactive",
    program_pipe: "automated.typing interactive",
    program_invoke: "automated.typing interactive",
    command: "exec",
    command_output: "exec",
    command_slow: "exec",
    command_silent: "exec",
    command_long: "exec",
    command_input: "exec",
    command_upload: "exec",
    commands: "exec",
    terminal_command: "interactive",
    lines_shell: "human.lines exec",
    sftp_lists: "transfer",
    sftp_up: "transfer",
    sftp_down: "transfer",
    sftp_person: "transfer",
    scp_up: "transfer",
    scp_down: "transfer",
    rsync_up: "transfer",
    git_clone: "transfer",
    forward_local: "forward",
    forward_names: "forward",
    forward_remote: "forward",
    forward_jump: "forward",
    forward_idle: "forward",
}


def sessions(step: int) -> Iterator[tuple[str, int, str, Tcp]]:
    """Return each `step`-th session of all clients, servers, ciphers, round trips and actions.

    Of each: what it is, its client's port, the ids that are meant, and the connection.
    """
    everything = product(CIPHERS, CLIENTS, SERVERS, (0.0, 0.08), ACTIONS.items())
    for number, (cipher, client, server, rtt, (action, words)) in enumerate(islice(everything, 0, None, step)):
        session = Session(cipher, 1024 + number, client, server, Random(number), rtt)
        action(session)
        # Programs do that (Ansible); the same in one breath is taken for a shell.
        ids = "exec" if client.waits and action is terminal_command else words
        name = f"{client.name} to {server.name}, {cipher}, {rtt} s: {action.__name__}"
        yield name, 1024 + number, ids, session.end()
