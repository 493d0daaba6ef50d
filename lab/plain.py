# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D401
"""What is typed, and what programs send, in SMTP, FTP, telnet and HTTP without encryption, with its truth.

`human.lines`: a person typed whole lines; `human.typing`: keys went out one by one; `human.password`: a person typed a
password; `automated.lines`: a program spoke what a person could have typed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from lab import tlsserve
from lab.crowd import Activity
from lab.network import PASSWORD, USER, Lab
from lab.people import Person, program

Act = Callable[[Lab, str, int], None]
MAILS = [
    [
        ("220 ", "HELO lab.example"),
        ("250 ", "MAIL FROM:<someone@lab.example>"),
        ("250 ", "RCPT TO:<a@lab.example>"),
        ("250 ", "DATA"),
        ("354 ", "Subject: test"),
        ("", ""),
        ("", "typed by hand"),
        ("", "."),
        ("250 ", "QUIT"),
    ],
    [
        ("220 ", "ehlo me"),
        ("250 ", "mail from:<root@lab.example>"),
        ("250 ", "rcpt to:<student@lab.example>"),
        ("250 ", "rcpt to:<nobody@lab.example>"),
        ("250 ", "data"),
        ("354 ", "hello"),
        ("", "."),
        ("250 ", "quit"),
    ],
    [
        ("220 ", "EHLO host"),
        ("250 ", "VRFY root"),
        ("25", "MAIL FROM:<x@y.example>"),
        ("250 ", "RSET"),
        ("250 ", "NOOP"),
        ("250 ", "QUIT"),
    ],
]
FTPS = [
    [
        ("220 ", f"USER {USER}"),
        ("331 ", f"PASS {PASSWORD}"),
        ("230 ", "SYST"),
        ("215 ", "PWD"),
        ("257 ", "HELP"),
        ("214 ", "QUIT"),
    ],
    [
        ("220 ", "USER anonymous"),
        ("331 ", "PASS me@here"),
        ("230 ", "PWD"),
        ("257 ", "CWD /"),
        ("250 ", "TYPE I"),
        ("200 ", "NOOP"),
        ("200 ", "QUIT"),
    ],
]


def smtp(lab: Lab, address: str) -> None:
    """Start a mail server that keeps nothing."""
    handler = ["-c", "aiosmtpd.handlers.Sink"]
    line = ["/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", f"{address}:25", *handler]
    lab.server.start(*line, log=lab.folder / f"smtp-{address}.log")


def ftp(lab: Lab, address: str) -> None:
    """Start an FTP server with a user and an anonymous one."""
    code = (
        "import sys\nfrom pyftpdlib.authorizers import DummyAuthorizer\nfrom pyftpdlib.handlers import FTPHandler\n"
        "from pyftpdlib.servers import FTPServer\na = DummyAuthorizer()\n"
        f"a.add_user({USER!r}, {PASSWORD!r}, sys.argv[2], perm='elradfmw')\na.add_anonymous(sys.argv[2])\n"
        "class H(FTPHandler):\n authorizer = a\nFTPServer((sys.argv[1], 21), H).serve_forever()\n"
    )
    root = tlsserve.web_root(lab)
    lab.server.start("/usr/bin/python3", "-c", code, address, str(root), log=lab.folder / f"ftp-{address}.log")


def telnet(lab: Lab, address: str) -> None:
    """Start GNU telnetd, which asks login(1)."""
    listen = f"TCP4-LISTEN:23,bind={address},fork,reuseaddr,nodelay"
    lab.server.start("socat", listen, "EXEC:/usr/sbin/telnetd -h,nofork", log=lab.folder / f"telnetd-{address}.log")


def web(lab: Lab, address: str) -> None:
    """Start Python's web server."""
    root = str(tlsserve.web_root(lab))
    line = ["/usr/bin/python3", "-m", "http.server", "80", "-b", address, "-d", root]
    lab.server.start(*line, log=lab.folder / f"http-{address}.log")


def by_hand(how: str, port: int, talks: Sequence[Sequence[tuple[str, str]]], last: str) -> Act:
    """A person speaks a protocol of lines: line by line (nc, telnet) or key by key (raw)."""

    def act(lab: Lab, address: str, seed: int) -> None:
        family = "TCP6" if ":" in address else "TCP4"
        command = {
            "nc": ["nc", "-C", address, str(port)],
            "ncat": ["ncat", "-C", address, str(port)],
            "telnet": ["telnet", address, str(port)],
            "raw": ["socat", "-,raw,echo=0", f"{family}:{tlsserve.bracketed(address)}:{port},nodelay"],
        }[how]
        rng = random.Random(seed)
        with Person(lab.client, command, seed) as person:
            for answer, line in rng.choice(talks):
                if answer:
                    person.sees(answer)
                person.types(line, "\r\n" if how == "raw" else "\r")
                if rng.random() < 0.3:
                    person.thinks(0.5, 4)
            if last:
                person.sees(last)
            person.interrupts()

    return act


def telnet_login(count: int, wrong: int) -> Act:
    """A person logs in by telnet and types commands."""

    def act(lab: Lab, address: str, seed: int) -> None:
        rng = random.Random(seed)
        with Person(lab.client, ["telnet", address], seed) as person:
            for word in (*["wrong1"] * wrong, PASSWORD):
                person.sees("login: ")
                person.types(USER)
                person.sees("assword: ")
                person.types(word)
            for line in (*rng.sample(["ls /", "id", "cat /etc/hostname", "df", "uname -a", "w"], count), "exit"):
                person.sees(r"\$ ")
                person.types(line)
            person.leaves()

    return act


def telnet_expect(*lines: str) -> Act:
    """A program logs in by telnet and runs commands."""

    def act(lab: Lab, address: str, seed: int) -> None:
        sent = "".join(f'expect "$ "; send "{line}\\r"\n' for line in (*lines, "exit"))
        script = lab.folder / f"telnet-{seed}.exp"
        script.write_text(
            f'set timeout 40\nspawn telnet {address}\nexpect "login: "; send "{USER}\\r"\n'
            f'expect "assword: "; send "{PASSWORD}\\r"\n{sent}expect eof\n'
        )
        program(lab, "expect", "-f", str(script))

    return act


def run(*words: str, expected: Sequence[int] = (0,)) -> Act:
    """Run a program; `@` stands for the address, `#` for it in brackets."""

    def act(lab: Lab, address: str, seed: int) -> None:
        line = [word.replace("@", address).replace("#", tlsserve.bracketed(address)) for word in words]
        program(lab, *line, expected=expected, stdin=b"Subject: x\r\n\r\ntext\r\n")

    return act


def ftp_client(lab: Lab, address: str, seed: int) -> None:
    """A person uses the command line client ftp."""
    with Person(lab.client, ["ftp", "-n", "-4", address], seed) as person:
        person.sees("ftp> ")
        person.types(f"user {USER}")
        person.sees("assword:")
        person.types(PASSWORD)
        for line in ("pwd", "cd /", "system", "bye"):
            person.sees("ftp> ")
            person.types(line)
        person.leaves()


PYTHON_MAIL = (
    "import smtplib, sys\nwith smtplib.SMTP(sys.argv[1]) as s:\n"
    " for n in range(2):\n  s.sendmail('a@lab.example', ['b@lab.example'], 'Subject: x\\n\\ntext\\n')\n"
)
PYTHON_FTP = (
    "import ftplib, sys\nf = ftplib.FTP(sys.argv[1], sys.argv[2], sys.argv[3])\nf.pwd()\nf.nlst()\n"
    "f.retrbinary('RETR code.js', len)\nf.quit()\n"
)
WEBS = [
    [("", "GET / HTTP/1.1"), ("", "Host: lab.example"), ("", "Connection: close"), ("", "")],
    [("", "GET /index.html HTTP/1.0"), ("", "")],
    [("", "HEAD / HTTP/1.0"), ("", "User-Agent: me"), ("", "")],
]
MAIL_TO = ["--mail-from", "a@lab.example", "--mail-rcpt", "b@lab.example"]
LOGIN = f"{USER}:{PASSWORD}"


def _one(name: str, serve: Callable[[Lab, str], None], act: Act, labels: str, part: str, six: bool = True) -> Activity:
    port = {"smtp": 25, "ftp": 21, "telnet": 23, "web": 80}[name.partition("-")[0]]
    return Activity(name, serve, act, tuple(labels.split("|")) if labels else (), part, six, port)


HUMAN, KEYS, PROGRAM = "human.lines", "human.typing", "automated.lines"
ACTIVITIES = [
    _one("smtp-nc", smtp, by_hand("nc", 25, MAILS, "221 "), HUMAN, "train"),
    _one("smtp-nc-2", smtp, by_hand("nc", 25, MAILS, "221 "), HUMAN, "train"),
    _one("smtp-telnet", smtp, by_hand("telnet", 25, MAILS, "221 "), HUMAN, "test"),
    _one("smtp-ncat", smtp, by_hand("ncat", 25, MAILS, "221 "), HUMAN, "test"),
    _one("smtp-raw", smtp, by_hand("raw", 25, MAILS, "221 "), KEYS, "train"),
    _one("smtp-raw-test", smtp, by_hand("raw", 25, MAILS[1:], "221 "), KEYS, "test"),
    _one("smtp-curl", smtp, run("curl", "-s", "smtp://#/lab", *MAIL_TO, "-T", "-"), PROGRAM, "train"),
    _one("smtp-swaks", smtp, run("swaks", "-n", "--to", "b@lab.example", "--server", "@"), PROGRAM, "test", False),
    _one("smtp-smtplib", smtp, run("/usr/bin/python3", "-c", PYTHON_MAIL, "@"), PROGRAM, "train"),
    _one("ftp-nc", ftp, by_hand("nc", 21, FTPS, "221 "), "human.lines|human.password", "train"),
    _one("ftp-telnet", ftp, by_hand("telnet", 21, FTPS, "221 "), "human.lines|human.password", "test"),
    _one("ftp-ncat", ftp, by_hand("ncat", 21, FTPS, "221 "), "human.lines|human.password", "test"),
    _one("ftp-client", ftp, ftp_client, "human.lines|human.password", "train", False),
    _one("ftp-curl", ftp, run("curl", "-s", "-u", LOGIN, "ftp://#/", "-o", "/dev/null"), PROGRAM, "train"),
    _one("ftp-ftplib", ftp, run("/usr/bin/python3", "-c", PYTHON_FTP, "@", USER, PASSWORD), PROGRAM, "train"),
    _one(
        "ftp-lftp",
        ftp,
        run("lftp", "-u", LOGIN.replace(":", ","), "-e", "ls; cat index.html >/dev/null; bye", "ftp://#"),
        PROGRAM,
        "test",
    ),
    _one(
        "ftp-wget",
        ftp,
        run("wget", "-q", "-O", "/dev/null", f"--user={USER}", f"--password={PASSWORD}", "ftp://#/index.html"),
        PROGRAM,
        "test",
    ),
    _one("telnet-typed", telnet, telnet_login(3, 0), "human.typing|human.password", "train", False),
    _one("telnet-wrong", telnet, telnet_login(2, 1), "human.typing|human.password", "train", False),
    _one("telnet-typed-test", telnet, telnet_login(4, 1), "human.typing|human.password", "test", False),
    _one("telnet-expect", telnet, telnet_expect("ls /", "id"), PROGRAM, "train", False),
    _one("telnet-expect-test", telnet, telnet_expect("w", "df", "cat /etc/hosts"), PROGRAM, "test", False),
    _one("web-nc", web, by_hand("nc", 80, WEBS, ""), HUMAN, "train"),
    _one("web-telnet", web, by_hand("telnet", 80, WEBS, ""), HUMAN, "test"),
    _one("web-raw", web, by_hand("raw", 80, WEBS, ""), KEYS, "train"),
    _one("web-raw-test", web, by_hand("raw", 80, WEBS, ""), KEYS, "test"),
    _one("web-curl", web, run("curl", "-s", "http://#/", "http://#/code.js"), "", "train"),
    _one("web-wget", web, run("wget", "-q", "-O", "/dev/null", "http://#/", "http://#/style.css"), "", "test"),
]


def prepare(lab: Lab, plan: dict[str, Activity]) -> None:
    """Make what all servers share before they start."""
    tlsserve.web_root(lab)
