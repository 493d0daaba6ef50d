# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes SSH sessions out of messages: what clients and servers of many kinds say in what order, by RFC 4253 and 4254.

A session is a client's manners (how it opens a channel and asks), a server's (how it replies), and what is done.
Sizes are those of the messages in a cipher, so nothing here comes from a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.conversation import ACK, SYN, Tcp

# Block size, whether the length is outside it, bytes of the MAC.
CIPHERS = {
    "chacha20-poly1305": (8, True, 16),
    "aes-gcm": (16, True, 16),
    "aes-ctr, umac-64-etm": (16, True, 8),
    "aes-ctr, hmac-sha1-etm": (16, True, 20),
    "aes-ctr, hmac-sha2-256-etm": (16, True, 32),
    "aes-ctr, hmac-sha2-512-etm": (16, True, 64),
    "aes-ctr, hmac-sha1": (16, False, 20),
    "aes-ctr, hmac-sha2-256": (16, False, 32),
    "aes-ctr, hmac-sha2-512": (16, False, 64),
}
SUCCESS = REPLY = 1  # of the login; to a global request
OK = EOF = CLOSE = 5
IGNORE = 5
ADJUST = 9
SHELL, CONFIRMED, OPEN, EXIT, SFTP, NO_MORE = 15, 17, 24, 25, 27, 34
X11, AGENT, SIMPLE, BYE = 80, 36, 44, 33
HOSTKEYS, PROVE, PROOF, ALIVE, DEBUG = 476, 426, 390, 27, 126
FORWARDED = 48  # and two names


def data(count: int) -> int:
    """Return the payload of CHANNEL_DATA with so many bytes."""
    return 9 + count


def execute(count: int) -> int:
    """Return the payload of a request to execute a command of so many bytes."""
    return 18 + count


def pty(term: str = "xterm", modes: int = 1) -> int:
    """Return the payload of a request for a terminal."""
    return 41 + len(term) + modes


def env(name: str, value: str) -> int:
    """Return the payload of a request to set a variable."""
    return 21 + len(name) + len(value)


def direct(host: str = "127.0.0.1") -> int:
    """Return the payload that opens a connection to a host (direct-tcpip)."""
    return 45 + len(host) + 9


class Talk:
    """A connection with its login; then packets of messages, given as payloads."""

    def __init__(
        self, cipher: str, port: int, *, rtt: float = 0.0, login: str = "password", ignores: bool = False
    ) -> None:
        self.block, self.outside, self.mac = CIPHERS[cipher]
        self.rtt, self.at, self.last = rtt, 0.0, "s"
        self.ignores = False  # the server sends IGNORE before each message
        self.tcp = Tcp(cport=port)
        self.tcp._send("c", 0.0, SYN)
        self.tcp._send("s", 0.0002, SYN | ACK)
        self.at = 0.0002 + rtt + 0.0002
        self.tcp._send("c", self.at, ACK)
        self.last = "c"
        for packet in ("c41", "s41", "c1208", "s1112", "c48", "s564", "c16"):
            self._put(packet[0], int(packet[1:]))
        self.c(17).s(17)
        self.ignores = ignores
        for side, payload in LOGINS[login]:
            self._say(side, payload)
        self.s(SUCCESS)

    def size(self, payload: int) -> int:
        """Return the size on the wire (RFC 4253, 6)."""
        part = payload + (1 if self.outside else 5)
        part += 4 + -(part + 4) % self.block
        return part + (4 if self.outside else 0) + self.mac

    def _put(self, side: str, size: int, after: float = 0.0) -> None:
        if side != self.last:
            after += self.rtt if side == "c" else 0.0002
        self.at += after + 0.0003
        self.last = side
        while size:
            self.tcp.send(self.at, f"{side}{min(size, 1448)}")
            size -= min(size, 1448)
            self.at += 0.0001

    def _say(self, side: str, *payloads: int, after: float = 0.0) -> Talk:
        if side == "s" and self.ignores:
            for payload in payloads:
                self._put(side, self.size(IGNORE), after)
                self._put(side, self.size(payload))
                after = 0.0
        else:
            self._put(side, sum(self.size(payload) for payload in payloads), after)
        return self

    def c(self, *payloads: int, after: float = 0.0) -> Talk:
        """Send messages of the client, joined in one packet."""
        return self._say("c", *payloads, after=after)

    def s(self, *payloads: int, after: float = 0.0) -> Talk:
        """Send messages of the server, joined in one packet."""
        return self._say("s", *payloads, after=after)

    def cs(self, *payloads: int) -> Talk:
        """Send messages of the client, each in a packet of its own."""
        for payload in payloads:
            self.c(payload)
        return self

    def ss(self, *payloads: int) -> Talk:
        """Send messages of the server, each in a packet of its own."""
        for payload in payloads:
            self.s(payload)
        return self

    def end(self) -> Tcp:
        """Close the connection."""
        return self.tcp.close(self.at + 0.01)


LOGINS: dict[str, list[tuple[str, int]]] = {
    "password": [("c", 45), ("s", 26), ("c", 63)],
    "no none": [("c", 58)],
    "padded": [("c", 45), ("s", 44), ("c", 148)],
    "key": [("c", 44), ("s", 44), ("c", 120), ("s", 71), ("c", 208)],
    "rsa": [("c", 44), ("s", 44), ("c", 360), ("s", 311), ("c", 640)],
    "asked": [("c", 45), ("s", 44), ("c", 69), ("s", 37), ("c", 17), ("s", 17), ("c", 5)],
}


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


def sessions(
    clients: Sequence[Client] = CLIENTS, servers: Sequence[Server] = SERVERS, rtts: Sequence[float] = (0.0, 0.08)
) -> Iterator[tuple[tuple[str, str, str, float, str], int, str, Tcp]]:
    """Return what each session is, its client's port, the ids that are meant, and the connection."""
    port = 1024
    for cipher in CIPHERS:
        for client in clients:
            for server in servers:
                for rtt in rtts:
                    for action, words in ACTIONS.items():
                        s = Session(cipher, port, client, server, Random(port), rtt)
                        action(s)
                        # Programs do that (Ansible); the same in one breath is taken for a shell.
                        ids = "exec" if client.waits and action is terminal_command else words
                        yield (cipher, client.name, server.name, rtt, action.__name__), port, ids, s.end()
                        port = port + 1 if port < 65_535 else 1024
