# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D401
"""What happens in each capture: one function per scenario, in the words of who does what.

A scenario's flows are told apart by their server ports, because client ports differ from one recording to the next.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import servers
from lab.network import PASSWORD, SERVER, USER, Lab
from lab.people import Person, program

SSH = ["ssh", "-F", "none", "-o", "UserKnownHostsFile=/root/known", "-o", "LogLevel=ERROR"]
TRUST = ["-o", "StrictHostKeyChecking=no"]
TARGET = f"{USER}@{SERVER}"


@dataclass(frozen=True)
class Scenario:
    """A lab and what happens in it."""

    act: Callable[[Lab], None]
    server_delay: float = 0  # seconds, one way
    client_delay: float = 0  # seconds, one way
    offload: bool = False
    port: str = "client"  # the gateway's port that is recorded


def askpass(lab: Lab, *guesses: str) -> dict[str, str]:
    """Environment in which ssh takes one guess after the other from a script, without a terminal."""
    script = lab.folder / "askpass"
    count = lab.folder / "askpass.count"
    count.write_text("0")
    cases = "".join(f"{i}) echo {guess!r};;\n" for i, guess in enumerate(guesses))
    script.write_text(f"#!/bin/sh\nn=$(cat {count})\necho $((n + 1)) >{count}\ncase $n in\n{cases}esac\n")
    script.chmod(stat.S_IRWXU)
    return {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}


def _commands(person: Person, *lines: str) -> None:
    for line in lines:
        person.sees(r"\$ ")
        person.types(line)


def log_in_typing(lab: Lab, seed: int, wrong: Sequence[str], lines: Sequence[str]) -> None:
    """A person types wrong passwords, then the right one, then commands; the last one ends the session."""
    with Person(lab.client, [*SSH, *TRUST, TARGET], seed=seed) as person:
        for word in (*wrong, PASSWORD):
            person.sees("password: ")
            person.types(word)
        _commands(person, *lines)
        person.leaves()


def ssh_typed(lab: Lab) -> None:
    """A person mistypes the password twice, gets in, types three commands and leaves."""
    servers.openssh(lab)
    lines = ("uname -a", "ls /etc | head", "cat /etc/hostname", "exit")
    log_in_typing(lab, seed=1, wrong=("correct horse 8", "Correct horse 7"), lines=lines)


def ssh_typed_failure(lab: Lab) -> None:
    """A person types three wrong passwords and is turned away."""
    servers.openssh(lab)
    with Person(lab.client, [*SSH, *TRUST, TARGET], seed=2) as person:
        for word in ("letmein", "student1", "Student1!"):
            person.sees("password: ")
            person.types(word)
        person.leaves()


def ssh_key(lab: Lab) -> None:
    """A person logs in by key and types; then a program runs a command by key and copies a file both ways."""
    servers.openssh(lab)
    key = servers.keygen(lab.folder / "id", "ed25519")
    servers.authorize(lab, key.with_suffix(".pub"))
    by_key = [*SSH, *TRUST, "-i", str(key)]
    with Person(lab.client, [*by_key, TARGET], seed=3) as person:
        _commands(person, "w", "df -h", "exit")
        person.leaves()
    program(lab, *by_key, "-o", "BatchMode=yes", TARGET, "true")
    (lab.folder / "file").write_bytes(bytes(300_000))
    copy = ["scp", *by_key[1:], "-q"]
    program(lab, *copy, str(lab.folder / "file"), f"{TARGET}:file")
    program(lab, *copy, f"{TARGET}:file", str(lab.folder / "back"))


def ssh_guess(lab: Lab) -> None:
    """Guessing programs built on four SSH implementations: OpenSSH, libssh (hydra), libssh2 (curl), Paramiko."""
    servers.openssh(lab)
    wrong = askpass(lab, "123456", "password", "root")
    program(lab, *SSH, *TRUST, TARGET, "true", expected=[255], variables=wrong)
    program(lab, *SSH, *TRUST, TARGET, "true", variables=askpass(lab, "123456", "admin", PASSWORD))
    words = lab.folder / "words"
    words.write_text("123456\npassword\nqwerty\nletmein\nadmin\nroot\n")
    program(lab, "hydra", "-I", "-q", "-t", "2", "-l", USER, "-P", str(words), f"ssh://{SERVER}", expected=[0, 255])
    for word in ("123456", "password"):
        program(lab, "curl", "-sk", f"sftp://{USER}:{word}@{SERVER}/", expected=[67])
    program(lab, "/usr/bin/python3", str(Path(__file__).with_name("guess.py")), SERVER, USER, "123456", "password")


def ssh_ciphers(lab: Lab) -> None:
    """One wrong and one right password by program, each cipher and MAC on a port of its own (2200 and on)."""
    for number, (cipher, mac) in enumerate(CIPHERS):
        port = 2200 + number
        macs = f"MACs {mac}" if mac else ""
        servers.openssh(lab, port, f"Ciphers {cipher}\n{macs}")
        once = [*SSH, *TRUST, "-c", cipher, "-p", str(port), TARGET, "true"]
        program(lab, *once, variables=askpass(lab, "wrong", PASSWORD))


CIPHERS = [
    ("chacha20-poly1305@openssh.com", ""),
    ("aes128-gcm@openssh.com", ""),
    ("aes256-gcm@openssh.com", ""),
    ("aes128-ctr", "umac-64-etm@openssh.com"),
    ("aes128-ctr", "hmac-sha2-256-etm@openssh.com"),
    ("aes256-ctr", "hmac-sha2-512-etm@openssh.com"),
    ("aes256-ctr", "umac-128-etm@openssh.com"),
    ("aes256-ctr", "hmac-sha1-etm@openssh.com"),
    ("aes128-ctr", "umac-64@openssh.com"),
    ("aes128-ctr", "hmac-sha2-256"),
    ("aes256-ctr", "hmac-sha2-512"),
    ("aes256-ctr", "hmac-sha1"),
    ("aes128-cbc", "hmac-sha2-256"),
]


def ssh_dropbear(lab: Lab) -> None:
    """Dropbear's server with OpenSSH and with its own client, by program; then a person types to it."""
    servers.dropbear(lab)
    servers.openssh(lab, 2222)
    program(lab, *SSH, *TRUST, TARGET, "true", variables=askpass(lab, "wrong", "bad", PASSWORD))
    dbclient = ["dbclient", "-y", "-y"]
    program(lab, *dbclient, TARGET, "true", variables={"DROPBEAR_PASSWORD": PASSWORD})
    program(lab, *dbclient, TARGET, "true", variables={"DROPBEAR_PASSWORD": "wrong"}, expected=[0, 1])
    program(lab, *dbclient, "-p", "2222", TARGET, "true", variables={"DROPBEAR_PASSWORD": "wrong"}, expected=[0, 1])
    program(lab, *dbclient, "-p", "2222", TARGET, "true", variables={"DROPBEAR_PASSWORD": PASSWORD})
    with Person(lab.client, [*SSH, *TRUST, TARGET], seed=4) as person:
        for word in ("correct horse 8", PASSWORD):
            person.sees("password: ")
            person.types(word)
        _commands(person, "id", "exit")
        person.leaves()


def ssh_hostkey(lab: Lab) -> None:
    """A person refuses an unknown host key, then a program does, then a person accepts it and gives up."""
    servers.openssh(lab)
    with Person(lab.client, [*SSH, TARGET], seed=5) as person:
        person.sees("yes/no/")
        person.types("no")
        person.leaves()
    program(lab, *SSH, "-o", "BatchMode=yes", TARGET, "true", expected=[255])
    with Person(lab.client, [*SSH, TARGET], seed=6) as person:
        person.sees("yes/no/")
        person.types("yes")
        person.sees("password: ")
        person.types("", end="\x03")
        person.leaves()


def telnet_typed(lab: Lab) -> None:
    """A person logs in by telnet, mistyping the password once, and types two commands."""
    servers.telnet(lab)
    with Person(lab.client, ["telnet", SERVER], seed=7) as person:
        for word in ("wrong", PASSWORD):
            person.sees("login: ")
            person.types(USER)
            person.sees("assword: ")
            person.types(word)
        _commands(person, "ls /", "cat /etc/hostname", "exit")
        person.leaves()


MAIL = [
    ("220 ", "HELO lab.example"),
    ("250 ", "MAIL FROM:<someone@lab.example>"),
    ("250 ", "RCPT TO:<student@lab.example>"),
    ("250 ", "DATA"),
    ("354 ", "Subject: test"),
    ("", ""),
    ("", "typed by hand"),
    ("", "."),
    ("250 ", "QUIT"),
]


def smtp_typed(lab: Lab) -> None:
    """A person sends a mail by hand: with netcat and with telnet, line by line, and key by key in raw mode."""
    servers.smtp(lab)
    raw = ["socat", "-,raw,echo=0", f"TCP4:{SERVER}:25,nodelay"]
    for seed, (command, end) in enumerate(
        ((["nc", "-C", SERVER, "25"], "\r"), (["telnet", SERVER, "25"], "\r"), (raw, "\r\n")), start=8
    ):
        with Person(lab.client, command, seed) as person:
            for answer, line in MAIL:
                if answer:
                    person.sees(answer)
                person.types(line, end)
            person.sees("221 ")
            person.interrupts()


def smtp_program(lab: Lab) -> None:
    """Programs send mail: Python's smtplib, and curl, which pipelines nothing."""
    servers.smtp(lab)
    mail = b"Subject: test\r\n\r\n" + b"a line of text as a program sends it\r\n" * 40
    addresses = ["--mail-from", "a@lab.example", "--mail-rcpt", "b@lab.example"]
    program(lab, "curl", "-s", f"smtp://{SERVER}/lab", *addresses, "-T", "-", stdin=mail)
    code = (
        "import smtplib, sys\nwith smtplib.SMTP(sys.argv[1]) as s:\n"
        " for n in range(3):\n"
        "  s.sendmail('a@lab.example', ['b@lab.example', 'c@lab.example'], 'Subject: x\\n\\ntext\\n')\n"
    )
    program(lab, "/usr/bin/python3", "-c", code, SERVER)


def shell_typed(lab: Lab) -> None:
    """A person uses a bound shell through netcat, line by line; then a program does."""
    servers.shell(lab)
    with Person(lab.client, ["nc", SERVER, "4444"], seed=11) as person:
        for line in ("id", "uname -a", "ls /home", "cat /etc/passwd | head -3", "w"):
            person.types(line)
        person.types("exit")
        person.interrupts()
    program(lab, "nc", "-N", SERVER, "4444", stdin=b"id\nuname -a\nexit\n")


def web_download(lab: Lab) -> None:
    """Programs fetch a page list and a file; nothing here is typed."""
    servers.web(lab)
    for page in ("/", "/blob", "/missing"):
        program(lab, "curl", "-s", "-o", "/dev/null", f"http://{SERVER}{page}")


def copy_offload(lab: Lab) -> None:
    """A program copies a file by SSH, both ways, over cables that carry merged segments."""
    servers.openssh(lab)
    key = servers.keygen(lab.folder / "id", "ed25519")
    servers.authorize(lab, key.with_suffix(".pub"))
    (lab.folder / "file").write_bytes(bytes(300_000))
    copy = ["scp", *SSH[1:], *TRUST, "-i", str(key), "-q"]
    program(lab, *copy, str(lab.folder / "file"), f"{TARGET}:file")
    program(lab, *copy, f"{TARGET}:file", str(lab.folder / "back"))


def demo(lab: Lab) -> None:
    """What `make demo` shows: a person who mistypes, a guesser, a login by key, a mail by hand."""
    ssh_typed(lab)
    for guesses in (("1234", "root", "test"), ("toor", "user", "pass")):
        program(lab, *SSH, *TRUST, TARGET, "true", expected=[255], variables=askpass(lab, *guesses))
    key = servers.keygen(lab.folder / "id", "ed25519")
    servers.authorize(lab, key.with_suffix(".pub"))
    with Person(lab.client, [*SSH, *TRUST, "-i", str(key), TARGET], seed=12) as person:
        _commands(person, "uptime", "exit")
        person.leaves()
    servers.smtp(lab)
    with Person(lab.client, ["nc", "-C", SERVER, "25"], seed=13) as person:
        for answer, line in MAIL:
            if answer:
                person.sees(answer)
            person.types(line)
        person.sees("221 ")
        person.interrupts()


SCENARIOS = {
    "ssh-typed": Scenario(ssh_typed),
    "ssh-typed-satellite": Scenario(ssh_typed, server_delay=0.3),
    "ssh-typed-satellite-client": Scenario(ssh_typed, client_delay=0.3),
    "ssh-typed-failure": Scenario(ssh_typed_failure),
    "ssh-typed-failure-satellite": Scenario(ssh_typed_failure, server_delay=0.3),
    "ssh-key": Scenario(ssh_key),
    "ssh-guess": Scenario(ssh_guess),
    "ssh-guess-satellite": Scenario(ssh_guess, server_delay=0.3),
    "ssh-ciphers": Scenario(ssh_ciphers),
    "ssh-dropbear": Scenario(ssh_dropbear),
    "ssh-hostkey": Scenario(ssh_hostkey),
    "telnet-typed": Scenario(telnet_typed),
    "telnet-typed-satellite": Scenario(telnet_typed, server_delay=0.3),
    "smtp-typed": Scenario(smtp_typed),
    "smtp-program": Scenario(smtp_program),
    "shell-typed": Scenario(shell_typed),
    "web-download": Scenario(web_download),
    "copy-offload": Scenario(copy_offload, offload=True),
    "demo": Scenario(demo),
}
