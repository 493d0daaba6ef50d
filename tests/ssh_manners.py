# SPDX-License-Identifier: LGPL-2.1-or-later
"""How clients open a session and ask, and how servers reply: kinds of both, as programs and libraries do it.

By RFC 4254 and what programs must do; nothing here comes from a recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.ssh_talk import (
    ADJUST,
    AGENT,
    BYE,
    CLOSE,
    CONFIRMED,
    DEBUG,
    EOF,
    EXIT,
    HOSTKEYS,
    NO_MORE,
    OK,
    OPEN,
    PROOF,
    PROVE,
    REPLY,
    SHELL,
    SIMPLE,
    X11,
    Talk,
    data,
    env,
    pty,
)  # fmt: skip


@dataclass(frozen=True)
class Client:
    """How a client asks."""

    name: str
    no_more: bool = False  # OpenSSH's no-more-sessions, with the channel's opening
    before: tuple[int, ...] = ()  # requests without replies, before the others (env, simple)
    asked: tuple[int, ...] = ()  # requests with replies, before the others (env)
    extra: tuple[int, ...] = ()  # the same, before a terminal alone (agent, X11)
    proves: bool = False  # asks for proofs of the host keys that are announced
    joined: bool = True  # requests share a packet
    waits: bool = False  # for each reply
    replies: tuple[bool, bool] = (True, True)  # wants one for the terminal, for shell and command
    modes: int = 1  # bytes of the terminal's modes
    term: str = "xterm"
    adjusts: bool = False  # acknowledges output at once
    login: str = "password"
    bye: int = 0  # DISCONNECT


@dataclass(frozen=True)
class Server:
    """How a server replies."""

    name: str
    keys: bool = False  # announces its host keys
    adjust: bool = False  # opens its window with the reply to shell and command
    joined: bool = True  # replies share a packet
    eager: bool = False  # a reply shares its packet with the first output
    ignores: bool = False
    debug: bool = False
    wants: bool = False  # acknowledges input at once


ENV = (env("LANG", "en_US.UTF-8"),)
CLIENTS = [
    Client("openssh", True, modes=256, term="xterm-256color", login="key", bye=BYE),
    Client("openssh-env", True, (*ENV, env("LC_ALL", "C"), env("LC_TIME", "de_DE.UTF-8")), modes=256, bye=BYE),
    Client("openssh-agent-x11", True, ENV, extra=(X11, AGENT), modes=256, login="padded", bye=BYE),
    Client("openssh-proves", True, ENV, modes=256, proves=True, login="no none", bye=BYE),
    Client("openssh-split", True, joined=False, modes=256, login="rsa", bye=BYE),
    Client("putty", False, (SIMPLE,), modes=11, term="xterm"),
    Client("putty-agent", False, (SIMPLE,), extra=(AGENT,), modes=61, login="asked"),
    Client("dropbear", False, (), modes=130, replies=(False, False)),
    Client("dropbear-env", False, (), modes=130, term="screen", replies=(False, True)),
    Client("waits", waits=True, joined=False, login="no none"),
    Client("waits-env", waits=True, joined=False, asked=(*ENV, env("TZ", "UTC")), modes=6, term="vt100"),
    Client("waits-adjusts", waits=True, joined=False, adjusts=True, modes=0, term="vt100", login="key"),
    Client("waits-modes", waits=True, joined=False, modes=256, term="xterm-256color", adjusts=True),
    Client("pipelines", joined=False, modes=1, term="vt100", login="no none"),
    Client("pipelines-env", before=ENV, joined=False, replies=(False, True), modes=16, term="dumb"),
    Client("silent", True, replies=(False, False), modes=1),
    Client("silent-split", joined=False, replies=(False, False), modes=1, term="ansi"),
    Client("pty-silent", joined=True, replies=(False, True), modes=36, term="xterm-256color", adjusts=True),
]
SERVERS = [
    Server("openssh", True, adjust=True),
    Server("openssh-split", True, adjust=True, joined=False),
    Server("plain", joined=False),
    Server("plain-joined"),
    Server("eager", eager=True),
    Server("ignores", ignores=True, joined=False),
    Server("debug", True, adjust=True, debug=True),
    Server("wants", wants=True, joined=False),
]


class Session(Talk):
    """A session of one client at one server."""

    def __init__(self, cipher: str, port: int, client: Client, server: Server, random: Random, rtt: float) -> None:
        super().__init__(cipher, port, rtt=rtt, login=client.login, ignores=server.ignores)
        self.client, self.server, self.random, self.channels = client, server, random, 0

    def opens(self, *more: int) -> None:
        """Open a channel for a session."""
        after = 0.02 * self.random.random()
        if self.client.no_more and self.client.joined:
            self.c(OPEN, NO_MORE, *more, after=after)
        else:
            self.c(OPEN, *more, after=after)
            if self.client.no_more:
                self.c(NO_MORE)
        proves = self.client.proves and self.server.keys and not self.channels
        if self.server.keys and not self.channels:
            self.s(HOSTKEYS)
        self.channels += 1
        if proves:
            self.c(PROVE)
        if self.server.debug:
            self.s(DEBUG, CONFIRMED)
        else:
            if self.client.no_more and not self.server.keys:
                self.s(REPLY)
            self.s(CONFIRMED)
        if proves:
            self.s(PROOF)

    def asks(self, *requests: int, first: Sequence[int] = (), output: int = 0) -> None:
        """Ask for the last of the requests, before it for a terminal perhaps, and whatever the client asks always.

        `first` is what the client sends without waiting for a reply, `output` what the server shows at once.
        """
        client = self.client
        asked = [*(client.extra if len(requests) > 1 else ()), *client.asked]
        wanted = [*((size, True) for size in asked), *((size, False) for size in client.before)]
        wanted += [(size, client.replies[size == requests[-1]]) for size in requests]
        replies: list[int] = []
        if client.waits:
            for size, reply in wanted[:-1]:
                self.c(size)
                if reply:
                    self.s(OK)
            self.c(wanted[-1][0])
        elif client.joined:
            self.c(*(size for size, _ in wanted))
        else:
            self.cs(*(size for size, _ in wanted))
        if first:
            self.c(*first)
        if not client.waits:
            replies += [OK for _, reply in wanted[:-1] if reply]
        if self.server.adjust:
            replies.append(ADJUST)
        if wanted[-1][1]:
            replies.append(OK)
        if not replies:
            self.shows(output)
        elif self.server.eager and output:
            self.s(*replies, data(output))
        else:
            (self.s if self.server.joined else self.ss)(*replies)
            self.shows(output)

    def shows(self, count: int, after: float = 0.0) -> None:
        """Show output, which the client may acknowledge."""
        if count:
            self.s(data(count), after=after)
            if self.client.adjusts:
                self.c(ADJUST)

    def terminal(self, *, output: int = 300) -> None:
        """Open a shell on a terminal that shows its greeting and a prompt."""
        self.opens()
        self.asks(pty(self.client.term, self.client.modes), SHELL, output=output)
        self.s(data(self.random.randint(8, 30)), after=0.02)

    def sends(self, *payloads: int, after: float = 0.0) -> None:
        """Send input, which the server may acknowledge."""
        self.c(*payloads, after=after)
        if self.server.wants:
            self.s(ADJUST)

    def finishes(self, *, status: bool = True) -> None:
        """End the channel from the server's side, then the connection."""
        self.s(*([EXIT] if status else []), EOF, CLOSE)
        self.c(CLOSE)
        if self.client.bye:
            self.c(self.client.bye)
