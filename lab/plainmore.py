# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D401
"""Other programs for SMTP, FTP and telnet without encryption than those of lab/plain.py, with the same labels.

`python -m lab.tlsrun --kind plain-more`. Debian packages besides those named there: busybox, msmtp, perl, putty-tools.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from lab.crowd import Activity
from lab.network import PASSWORD, USER, Lab
from lab.people import Person
from lab.plain import FTPS, HUMAN, MAILS, PROGRAM, Act, ftp, prepare, run, smtp, telnet

# Each tool that a person types into: its words, `@` for the address, `#` for the port; the end of a line.
TOOLS = {
    "busybox-telnet": (["busybox", "telnet", "@", "#"], "\r"),
    "plink-telnet": (["plink", "-telnet", "-P", "#", "@"], "\r"),
}
PERL_MAIL = (
    "use Net::SMTP; my $s = Net::SMTP->new($ARGV[0]) or die; for (1, 2) { $s->mail('a@lab.example'); "
    "$s->to('b@lab.example'); $s->data(); $s->datasend(\"Subject: x\\n\\ntext\\n\"); $s->dataend(); } $s->quit;"
)
PERL_FTP = (
    "use Net::FTP; my $f = Net::FTP->new($ARGV[0]) or die; $f->login($ARGV[1], $ARGV[2]) or die; $f->pwd; $f->ls; "
    "$f->get('code.js', '/dev/null'); $f->quit;"
)
# A program that refuses all options and sends lines when it sees what it waits for, as telnetlib does.
SOCKET_TELNET = (
    "import re, socket, sys\ns = socket.create_connection((sys.argv[1], 23))\nseen = b''\n"
    "def until(word):\n global seen\n while word not in seen:\n  data = s.recv(4096)\n"
    "  if not data:\n   sys.exit(1)\n"
    "  for verb, option in re.findall(rb'\\xff([\\xfb-\\xfe])(.)', data, re.S):\n"
    "   if verb in b'\\xfd\\xfb':\n    s.sendall(b'\\xff' + (b'\\xfc' if verb == b'\\xfd' else b'\\xfe') + option)\n"
    "  seen += data\n seen = b''\n"
    "for word, line in ((b'ogin: ', sys.argv[2]), (b'assword: ', sys.argv[3]), (b'$ ', 'ls /'), (b'$ ', 'id'), "
    "(b'$ ', 'uname -a'), (b'$ ', 'exit')):\n until(word)\n s.sendall(line.encode() + b'\\r\\n')\n"
    "while s.recv(4096):\n pass\n"
)


def spoken(tool: str, port: int, talks: list[list[tuple[str, str]]], last: str) -> Act:
    """A person speaks a protocol of lines through one of the tools."""

    def act(lab: Lab, address: str, seed: int) -> None:
        words, end = TOOLS[tool]
        rng = random.Random(seed)
        command = [word.replace("@", address).replace("#", str(port)) for word in words]
        with Person(lab.client, command, seed) as person:
            for answer, line in rng.choice(talks):
                if answer:
                    person.sees(answer)
                person.types(line, end)
                if rng.random() < 0.3:
                    person.thinks(0.5, 4)
            person.sees(last)
            person.interrupts()

    return act


def logged_in(tool: str) -> Act:
    """A person logs in by telnet through one of the tools and types commands."""

    def act(lab: Lab, address: str, seed: int) -> None:
        words, _ = TOOLS[tool]
        rng = random.Random(seed)
        with Person(lab.client, [word.replace("@", address).replace("#", "23") for word in words], seed) as person:
            person.sees("login: ")
            person.types(USER)
            person.sees("assword: ")
            person.types(PASSWORD)
            for line in (*rng.sample(["ls /", "id", "cat /etc/hostname", "df", "uname -a", "w"], 3), "exit"):
                person.sees(r"\$ ")
                person.types(line)
            person.thinks(0.5, 1)
            person.interrupts()

    return act


def _one(name: str, serve: Callable[[Lab, str], None], act: Act, labels: str, port: int) -> Activity:
    return Activity(name, serve, act, tuple(labels.split("|")), "test", six=False, port=port)


FTP_PERSON = "human.lines|human.password"
TELNET_PERSON = "human.typing|human.password"
MSMTP = ["msmtp", "--host=@", "--port=25", "--from=a@lab.example", "b@lab.example"]
ACTIVITIES = [
    _one("smtp-busybox", smtp, spoken("busybox-telnet", 25, MAILS, "221 "), HUMAN, 25),
    _one("smtp-msmtp", smtp, run(*MSMTP), PROGRAM, 25),
    _one("smtp-perl", smtp, run("perl", "-e", PERL_MAIL, "@"), PROGRAM, 25),
    _one("ftp-busybox", ftp, spoken("busybox-telnet", 21, FTPS, "221 "), FTP_PERSON, 21),
    _one("ftp-perl", ftp, run("perl", "-e", PERL_FTP, "@", USER, PASSWORD), PROGRAM, 21),
    _one(
        "ftp-ftpget",
        ftp,
        run("busybox", "ftpget", "-u", USER, "-p", PASSWORD, "@", "/dev/null", "code.js"),
        PROGRAM,
        21,
    ),
    _one("telnet-busybox", telnet, logged_in("busybox-telnet"), TELNET_PERSON, 23),
    _one("telnet-plink", telnet, logged_in("plink-telnet"), TELNET_PERSON, 23),
    _one("telnet-socket", telnet, run("/usr/bin/python3", "-c", SOCKET_TELNET, "@", USER, PASSWORD), PROGRAM, 23),
]
__all__ = ["ACTIVITIES", "prepare"]
