# SPDX-License-Identifier: LGPL-2.1-or-later
"""One SSH session each: a client program, driven as a person or as a program would, and what was done by it.

A session knows only what its driver did (who answered, what was typed, what was run); what the server thought of the
credentials is read from the server's log.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pexpect  # type: ignore[import-untyped]

from lab import servers
from lab.debian import TRIXIE, inside_debian
from lab.network import SERVER, SERVER6, USER, Lab, LabError
from lab.people import Person
from lab.scenarios import askpass
from lab.sshservers import Server, authorize

LINES = (
    "uname -a",
    "ls -l /etc | head -30",
    "cat /etc/hostname",
    "df -h",
    "w",
    "id",
    "ps aux | tail -5",
    "cd /var/log",
    "echo hello world",
    "tail -3 /etc/passwd",
    "date",
    "free -m",
)
WRONG = ("123456", "letmein", "Summer2024!", "correct horse 8", "student", "qwertyuiop12", "hunter2", "P@ssw0rd", "root")
MISTAKES = 2  # wrong passwords that a person types at most before the right one


@dataclass
class Truth:
    """What the driver did in one session, in the words of the labels."""

    password: str = ""  # who answered questions for a password: human, automated
    hostkey: str = ""  # accepted, refused: by a person, or refused by a setting
    session: str = ""  # interactive, exec, transfer, forward: what is done once logged in
    typed: str = ""  # human.typing, human.lines, automated.typing
    refused_key: bool = False  # a key was offered that the server does not know
    preauth: str = ""  # banner, scan: what kind of caller left before credentials


class Typist(Person):
    """A person with a pace of their own, drawn from the seed: log-normal gaps of keys and times to think."""

    def __init__(self, lab: Lab, command: list[str], seed: int) -> None:
        super().__init__(lab.client, command, seed)
        self._key = self._random.uniform(-2.4, -1.5)  # 90 to 220 ms
        self._spread = self._random.uniform(0.3, 0.55)

    def thinks(self, least: float = 0.9, most: float = 9.0) -> None:
        """Let a time pass: log-normal around 2 s."""
        time.sleep(min(most, max(least, self._random.lognormvariate(0.6, 0.55))))

    def types(self, line: str, end: str = "\r") -> None:
        """Think, type a line key by key, sometimes with a slip that is taken back, and press return."""
        self.thinks()
        slip = self._random.randrange(len(line) + 1) if self._random.random() < 0.15 and end == "\r" else -1
        for place, key in enumerate(line + end):
            keys = f"x\x7f{key}" if place == slip else key
            for each in keys:
                self._program.send(each)
                time.sleep(min(1.5, self._random.lognormvariate(self._key, self._spread)))

    def pastes(self, line: str) -> None:
        """Take a line out of a password manager: think, then all of it at once, then return."""
        self.thinks()
        self._program.send(line)
        time.sleep(self._random.uniform(0.15, 0.6))
        self._program.send("\r")

    def presses(self, key: str) -> None:
        """Think and press one key."""
        self.thinks()
        self._program.send(key)

    def asked(self, *texts: str) -> int:
        """Wait for one of the texts and return which; the number of texts when the program ended.

        Raises:
            LabError: nothing of that within the time an answer may take.

        """
        try:
            return int(self._program.expect([*texts, pexpect.EOF]))
        except pexpect.TIMEOUT as error:
            raise LabError(f"waited for {texts}, saw {self._program.before!r}") from error


@dataclass
class Stage:
    """Where sessions of one recording play: the lab, its server, and what random choices are drawn from."""

    lab: Lab
    server: Server
    random: random.Random
    v6: bool
    number: int = 0
    notes: list[str] = field(default_factory=list)
    _keys: dict[str, Path] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The server's address."""
        return SERVER6 if self.v6 else SERVER

    @property
    def target(self) -> str:
        """The user at the server's address."""
        return f"{USER}@{self.address}"

    def key(self, good: bool) -> Path:
        """Return a private key that the server knows, or does not."""
        name = "good" if good else "bad"
        if name not in self._keys:
            kind = self.random.choice(("ed25519", "ed25519", "rsa", "ecdsa"))
            self._keys[name] = servers.keygen(self.lab.folder / f"id_{name}", "ed25519" if good else kind)
            if good:
                authorize(self.lab, self._keys[name].with_suffix(".pub"))
        return self._keys[name]

    def wrong(self, count: int) -> list[str]:
        """Return so many wrong passwords."""
        return self.random.sample(WRONG, count)

    def run(self, *command: str, stdin: bytes = b"", seconds: float = 60, **variables: str) -> bytes:
        """Run a program without a terminal, as a service would; how it ends is its own affair."""
        settings = ["HOME=/root", *(f"{name}={value}" for name, value in variables.items())]
        line = self.lab.client.inside("setsid", "-w", "env", *settings, "timeout", str(seconds), *command)
        done = subprocess.run(line, input=stdin, capture_output=True, timeout=seconds + 10, check=False)
        self.notes.append(f"{' '.join(command)[:150]}: {done.returncode} {done.stderr.decode(errors='replace')[-150:]}")
        return done.stdout


def options(stage: Stage, client: str, *, ask: bool = False, strict: bool = False) -> list[str]:
    """Return OpenSSH's words for a client of this session: its host keys, and ciphers as somebody set them up."""
    stage.number += 1
    known = f"/root/known-{stage.number}" if ask or strict else "/root/known"
    check = "ask" if ask else "yes" if strict else "no"
    words = ["-F", "none", "-o", f"UserKnownHostsFile={known}", "-o", f"StrictHostKeyChecking={check}"]
    if stage.random.random() < 0.5 and stage.server.ciphers:
        cipher = stage.random.choice(stage.server.ciphers)
        if cipher:
            words += ["-c", cipher]
        if "ctr" in cipher and stage.server.kind != "dropbear" and stage.random.random() < 0.7:
            macs = ("hmac-sha2-256", "hmac-sha2-512", "umac-64@openssh.com", "umac-128-etm@openssh.com", "hmac-sha1")
            words += ["-o", f"MACs={stage.random.choice(macs)},hmac-sha2-256"]
    if stage.random.random() < 0.25:
        exchange = ("curve25519-sha256", "ecdh-sha2-nistp256", "diffie-hellman-group14-sha256")
        words += ["-o", f"KexAlgorithms={stage.random.choice(exchange)}"]
    if stage.random.random() < 0.15:
        words.append("-C")
    return words


def openssh(client: str, program: str = "ssh") -> list[str]:
    """Return how this version of OpenSSH is called."""
    return inside_debian(TRIXIE, [program]) if client.endswith("13") else [program]


def _yes(person: Typist, truth: Truth, answer: str, question: str) -> bool:
    """Answer the host key question; whether the session goes on."""
    person.sees(question)
    if answer == "accepted":
        person.types("yes" if "fingerprint" in question else "y")
        truth.hostkey = "accepted"
        return True
    truth.hostkey = "refused"
    if answer == "aborted":
        person.presses("\x03")
    else:
        person.types("no" if "fingerprint" in question else "n")
    person.asked()
    return False


def _shell(person: Typist, stage: Stage, truth: Truth, action: str) -> None:
    """Do in a shell what the action says, and leave."""
    truth.session = "interactive"
    if action == "idle":
        person.sees(r"\$ ")
        time.sleep(stage.random.uniform(8, 20))
        person.presses("\x04" if stage.server.kind != "asyncssh" else "exit\r")
    else:
        truth.typed = "human.typing"
        for line in (*stage.random.sample(LINES, stage.random.randint(1, 4)), "exit"):
            person.sees(r"\$ ")
            person.types(line)
    person.asked()


def person(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """A person at a terminal with OpenSSH, dbclient or plink; `outcome` is what happens before the shell.

    Outcomes: `N` (wrong passwords first), `all` (only wrong ones), `leave` (at the first question for a password), `key`
    (accepted), `badkey` (refused, then a password), `yes`, `no`, `aborted` (to the host key question).
    """
    truth = Truth()
    ask = outcome in ("yes", "no", "aborted")
    seed = stage.random.randrange(1 << 30)
    remote: list[str] = []
    if action == "exec":
        remote = [stage.random.choice(("uptime", "ls -la /etc", "cat /etc/passwd"))]
        truth.session = "exec"
    elif action == "lines":
        truth.session, truth.typed = "exec", "human.lines"
        remote = ["/bin/sh"]
    keys: list[str] = []
    if outcome in ("key", "badkey"):
        keys = ["-i", str(stage.key(outcome == "key"))]
        truth.refused_key = outcome == "badkey"
    if client.startswith("ssh"):
        words = [*openssh(client), *options(stage, client, ask=ask), *keys]
        question = "fingerprint\\]\\)\\? "
        command = [*words, *(["-T"] if action == "lines" else []), stage.target, *remote]
    elif client == "dbclient":
        if keys:
            old = stage.lab.folder / f"dropbear-{outcome}"
            if not old.exists():
                convert = ["dropbearconvert", "openssh", "dropbear", keys[1], str(old)]
                subprocess.run(convert, check=True, capture_output=True, timeout=30)
            keys = ["-i", str(old)]
        question = r"\(y/n\) "
        if ask:
            stage.run("rm", "-f", "/root/.ssh/known_hosts")
        command = ["dbclient", *([] if ask else ["-y", "-y"]), *keys, stage.target, *remote]
    else:
        question = r"\(y/n, Return cancels connection, i for more info\) |Update cached key\? "
        if ask:
            stage.run("rm", "-rf", "/root/.putty")
        hosts = [] if ask else [word for print_ in fingerprints(stage) for word in ("-hostkey", print_)]
        command = ["plink", "-ssh", "-no-antispoof", *hosts, stage.target, *remote]
    wrong = {"all": 3}.get(outcome, int(outcome) if outcome.isdigit() else stage.random.choice((0, 0, 1)))
    answers = stage.wrong(min(wrong, stage.server.tries))
    if outcome != "all":
        answers.append(stage.lab.password)
    with Typist(stage.lab, command, seed) as typist:
        if ask and not _yes(typist, truth, "accepted" if outcome == "yes" else outcome, question):
            return truth
        if outcome != "key":
            for word in answers:
                if typist.asked("[Pp]assword(?: for [^:]*)?: ") == 1:
                    return truth
                if outcome == "leave":
                    typist.presses("\x03")
                    typist.asked()
                    return truth
                truth.password = "human"
                (typist.pastes if stage.random.random() < 0.2 else typist.types)(word)
            if outcome == "all":
                if typist.asked("[Pp]assword(?: for [^:]*)?: ") == 0:
                    typist.presses("\x03")
                    typist.asked()
                return truth
        if action == "lines":
            for line in stage.random.sample(LINES, 3):
                typist.types(line)
            typist.types("exit")
            typist.asked()
        elif action == "exec":
            typist.asked()
        else:
            _shell(typist, stage, truth, action)
    return truth


def fingerprints(stage: Stage) -> list[str]:
    """Return the fingerprints of the server's host keys as plink wants them."""
    found = []
    for path in stage.lab.folder.glob("host_*.pub"):
        done = subprocess.run(["ssh-keygen", "-lf", str(path)], capture_output=True, check=True, timeout=30, text=True)
        found.append(done.stdout.split()[1])
    if stage.server.kind == "dropbear":
        command = ["dropbearkey", "-y", "-f", str(stage.lab.folder / "dropbear_ed25519")]
        done = subprocess.run(command, capture_output=True, check=True, timeout=30, text=True)
        line = next(line for line in done.stdout.splitlines() if line.startswith("ssh-"))
        public = stage.lab.folder / "dropbear.pub"
        public.write_text(line)
        done = subprocess.run(["ssh-keygen", "-lf", str(public)], capture_output=True, check=True, timeout=30, text=True)
        found.append(done.stdout.split()[1])
    return found


def _blob(stage: Stage) -> str:
    path = stage.lab.folder / "blob"
    path.write_bytes(bytes(stage.random.choice((3_000, 60_000, 400_000))))
    return str(path)


def _remote(action: str, truth: Truth) -> list[str]:
    if action in ("exec", "script"):
        truth.session = "exec"
        return ["uname -a; id; uptime"] if action == "exec" else ["/bin/sh -s"]
    return ["true"]


def sshpass(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """sshpass gives one password to OpenSSH; with a wrong one OpenSSH is asked once."""
    truth = Truth(password="automated")
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    words = ["sshpass", "-p", word]
    new = "13" if client.endswith("13") else ""
    if action == "transfer":
        truth.session = "transfer"
        blob = _blob(stage)
        tool = stage.random.choice(("scp", "sftp"))
        host = f"{USER}@[{stage.address}]" if stage.v6 else stage.target
        if tool == "scp":
            pair = [blob, f"{host}:file"] if stage.random.random() < 0.5 else [f"{host}:/etc/services", "/root/back"]
            stage.run(*words, *openssh(new, "scp"), *options(stage, client), "-q", *pair)
        else:
            batch = f"put {blob} file\nget file /root/back\nls -l\n".encode()
            stage.run(*words, *openssh(new, "sftp"), *options(stage, client), host, stdin=batch)
    elif action == "script":
        stage.run(*words, *openssh(new), *options(stage, client), stage.target, *_remote(action, truth), stdin=b"id\nw\n")
    else:
        stage.run(*words, *openssh(new), *options(stage, client), stage.target, *_remote(action, truth))
    return truth


def asked(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """OpenSSH takes passwords from a program (SSH_ASKPASS): wrong ones first, or only wrong ones."""
    truth = Truth(password="automated")
    count = 3 if outcome == "all" else int(outcome)
    guesses = [*stage.wrong(count), *([] if outcome == "all" else [stage.lab.password])]
    new = "13" if client.endswith("13") else ""
    command = [*openssh(new), *options(stage, client), stage.target, *_remote(action, truth)]
    stage.run(*command, stdin=b"id\nw\n" if action == "script" else b"", **askpass(stage.lab, *guesses))
    return truth


EXPECT = """\
set timeout 40
log_user 0
set words [split [lindex $argv 0] "|"]
set lines [split [lindex $argv 1] "|"]
eval spawn -noecho [lrange $argv 2 end]
set n 0
expect {
  "fingerprint])? " { send "yes\\r"; exp_continue }
  -re {\\(y/n\\) ?$} { send "y\\r"; exp_continue }
  -nocase "password*: " {
    if {$n >= [llength $words]} { exit 1 }
    send "[lindex $words $n]\\r"; incr n; exp_continue
  }
  -re {[$] $} {}
  timeout { exit 2 }
  eof { exit 3 }
}
foreach line $lines { send "$line\\r"; expect -re {[$] $} }
send "exit\\r"
expect eof
"""


def expect(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """An expect script answers every question at once and works through a list of commands in the shell."""
    truth = Truth(password="automated", session="interactive", typed="automated.typing")
    script = stage.lab.folder / "script.exp"
    script.write_text(EXPECT)
    count = 3 if outcome == "all" else int(outcome)
    words = [*stage.wrong(count), *([] if outcome == "all" else [stage.lab.password])]
    if client == "dbclient":
        command = ["dbclient", "-y", "-y", stage.target]
    else:
        command = [*openssh(client), *options(stage, client), stage.target]
    lines = stage.random.sample(LINES, 3)
    stage.run("expect", str(script), "|".join(words), "|".join(lines), *command, TERM="xterm")
    return truth


def dbclient(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Dropbear's client takes one password from its environment."""
    truth = Truth(password="automated")
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    command = ["dbclient", "-y", "-y", stage.target, *_remote(action, truth)]
    stage.run(*command, stdin=b"id\nw\n" if action == "script" else b"", DROPBEAR_PASSWORD=word)
    return truth


def plink(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """PuTTY's client and copier, with a password on the command line."""
    truth = Truth(password="automated")
    if outcome == "refused":
        truth = Truth(hostkey="refused")
        stage.run("rm", "-rf", "/root/.putty")
        stage.run("plink", "-ssh", "-batch", stage.target, "true")
        return truth
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    hosts = [word for print_ in fingerprints(stage) for word in ("-hostkey", print_)]
    common = ["-batch", *hosts, "-pw", word]
    if action == "transfer":
        truth.session = "transfer"
        host = f"{USER}@[{stage.address}]" if stage.v6 else stage.target
        stage.run("pscp", "-q", *common, _blob(stage), f"{host}:file")
    else:
        script = b"id\nw\n" if action == "script" else b""
        stage.run("plink", "-ssh", "-no-antispoof", *common, stage.target, *_remote(action, truth), stdin=script)
    return truth


def python(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Paramiko or AsyncSSH: passwords or a key, then an action."""
    truth = Truth(session={"shell": "interactive", "none": ""}.get(action, action))
    truth.typed = "automated.typing" if action == "shell" else ""
    if outcome == "key":
        words = [f"key:{stage.key(True)}"]
    elif outcome == "badkey":
        bad = stage.lab.folder / "id_bad_ed"
        if not bad.exists():
            servers.keygen(bad, "ed25519")
        words = [f"key:{bad}", stage.lab.password]
        truth.refused_key, truth.password = True, "automated"
    else:
        count = 3 if outcome == "all" else int(outcome)
        words = [*stage.wrong(count), *([] if outcome == "all" else [stage.lab.password])]
        truth.password = "automated"
    script = str(Path(__file__).with_name("sshpython.py"))
    stage.run("/usr/bin/python3", script, client, stage.address, USER, action, *words)
    return truth


def key(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """OpenSSH by key without a terminal: accepted, or refused and no other way, with a command, a copy, or a tunnel."""
    truth = Truth(refused_key=outcome == "badkey")
    new = "13" if client.endswith("13") else ""
    words = ["-o", "BatchMode=yes", "-i", str(stage.key(outcome == "key"))]
    if outcome == "refused":
        truth = Truth(hostkey="refused")
        stage.run(*openssh(new), *options(stage, client, strict=True), *words, stage.target, "true")
    elif outcome == "none":
        stage.run(*openssh(new), *options(stage, client), "-o", "BatchMode=yes", stage.target, "true")
    elif action == "transfer":
        truth.session = "transfer"
        host = f"{USER}@[{stage.address}]" if stage.v6 else stage.target
        pair = [_blob(stage), f"{host}:file"] if stage.random.random() < 0.5 else [f"{host}:/etc/services", "/root/back"]
        stage.run(*openssh(new, "scp"), *options(stage, client), *words, "-q", *pair)
    elif action == "forward":
        truth.session = "forward"
        forward = ["-N", "-L", "127.0.0.1:8080:127.0.0.1:80", "-o", "ExitOnForwardFailure=yes"]
        call = "for n in 1 2 3; do sleep 1; curl -s -o /dev/null http://127.0.0.1:8080/; done"
        line = [*openssh(new), *options(stage, client), *words, *forward, stage.target]
        stage.run("sh", "-c", f'timeout 6 "$@" & {call}; wait', "sh", *line)
    else:
        command = [*openssh(new), *options(stage, client), *words, stage.target, *_remote(action, truth)]
        stage.run(*command, stdin=b"id\nw\n" if action == "script" else b"")
    return truth


def curl(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """curl (libssh2) lists a directory or sends a file by SFTP."""
    truth = Truth(password="automated", session="transfer")
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    host = f"[{stage.address}]" if stage.v6 else stage.address
    up = ["-T", _blob(stage)] if action == "upload" else []
    stage.run("curl", "-sk", "-g", *up, "-u", f"{USER}:{word}", f"sftp://{host}/tmp/" + ("file" if up else ""))
    return truth


def guesser(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """hydra, medusa or ncrack tries a short list; `0` has the right password at its end."""
    truth = Truth(password="automated")
    words = stage.wrong(stage.random.randint(3, 5)) + ([stage.lab.password] if outcome == "0" else [])
    path = stage.lab.folder / "words"
    path.write_text("\n".join(words) + "\n")
    tasks = str(stage.random.choice((1, 2, 4)))
    if client == "hydra":
        six = ["-6"] if stage.v6 else []
        host = f"[{stage.address}]" if stage.v6 else stage.address
        stage.run("hydra", "-I", "-q", *six, "-t", tasks, "-l", USER, "-P", str(path), f"ssh://{host}", seconds=50)
    elif client == "medusa":
        stage.run("medusa", "-h", stage.address, "-u", USER, "-P", str(path), "-M", "ssh", "-t", tasks, seconds=50)
    else:
        six = ["-6"] if stage.v6 else []
        host = f"[{stage.address}]" if stage.v6 else stage.address
        stage.run("ncrack", *six, "-T4", "-g", "CL=3", "--user", USER, "-P", str(path), f"ssh://{host}", seconds=50)
    return truth


def scan(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Somebody looks who is there and leaves before any credential."""
    address = stage.address
    if client == "keyscan":
        stage.run("ssh-keyscan", "-T", "10", "-t", stage.random.choice(("rsa", "ed25519", "rsa,ed25519")), address)
        return Truth(preauth="scan")
    if client == "nmap":
        stage.run("nmap", "-n", "-Pn", *(["-6"] if stage.v6 else []), "-sV", "-p", "22", address)
    elif client == "nc":
        stage.run("sh", "-c", f"sleep {stage.random.uniform(0.3, 3):.1f} | nc -w 5 {address} 22")
    elif client == "http":
        stage.run("curl", "-s", "-g", "-m", "5", f"http://[{address}]:22/" if stage.v6 else f"http://{address}:22/")
    else:
        code = (
            "import socket,sys\ns=socket.create_connection((sys.argv[1],22))\n"
            "if sys.argv[2]=='read': s.recv(200)\nif sys.argv[2]=='speak':\n s.sendall(b'SSH-2.0-check\\r\\n'); s.recv(2000)\n"
        )
        stage.run(sys.executable, "-c", code, address, stage.random.choice(("close", "read", "speak")))
    return Truth(preauth="banner")


Play = Callable[[Stage, str, str, str], Truth]
SHELLS = ("shell", "shell", "shell", "idle", "exec", "lines")
# By program: how it is played, its outcomes, its actions. A program listed twice in a word is drawn twice as often.
PROGRAMS: dict[str, tuple[Play, tuple[str, ...], tuple[str, ...]]] = {
    "ssh": (person, ("0", "1", "2", "all", "leave", "key", "badkey", "yes", "no", "no", "aborted"), SHELLS),
    "ssh13": (person, ("0", "1", "2", "all", "leave", "key", "badkey", "yes", "no", "aborted"), SHELLS),
    "dbclient": (person, ("0", "1", "2", "leave", "key", "yes", "no"), ("shell", "shell", "exec")),
    "plink": (person, ("0", "1", "2", "all", "leave", "yes", "no"), ("shell", "shell", "exec")),
    "sshpass": (sshpass, ("0", "0", "wrong"), ("exec", "script", "transfer", "transfer")),
    "sshpass13": (sshpass, ("0", "0", "wrong"), ("exec", "script", "transfer")),
    "askpass": (asked, ("0", "1", "2", "all"), ("exec", "script", "none")),
    "askpass13": (asked, ("0", "1", "2", "all"), ("exec", "script", "none")),
    "expect-ssh": (expect, ("0", "1", "2", "all"), ("shell",)),
    "expect-dbclient": (expect, ("0", "1"), ("shell",)),
    "dbclient-env": (dbclient, ("0", "wrong"), ("exec", "script", "none")),
    "plink-pw": (plink, ("0", "0", "wrong", "refused"), ("exec", "script", "transfer")),
    "paramiko": (python, ("0", "1", "2", "all", "key", "badkey"), ("exec", "shell", "transfer", "none")),
    "asyncssh": (python, ("0", "1", "2", "all", "key", "badkey"), ("exec", "shell", "transfer", "none")),
    "key": (key, ("key", "key", "badkey", "refused", "none"), ("exec", "script", "transfer", "forward")),
    "key13": (key, ("key", "key", "badkey", "refused", "none"), ("exec", "script", "transfer", "forward")),
    "curl": (curl, ("0", "wrong"), ("list", "upload")),
    "hydra": (guesser, ("0", "all"), ("none",)),
    "medusa": (guesser, ("0", "all"), ("none",)),
    "ncrack": (guesser, ("0", "all"), ("none",)),
    "keyscan": (scan, ("scan",), ("none",)),
    "nmap": (scan, ("scan",), ("none",)),
    "nc": (scan, ("scan",), ("none",)),
    "http": (scan, ("scan",), ("none",)),
    "connect": (scan, ("scan",), ("none",)),
}


def missing() -> list[str]:
    """Return the programs that this machine lacks."""
    tools = ("sshpass", "expect", "dbclient", "plink", "hydra", "medusa", "ncrack", "nmap", "nc", "curl", "ssh-keyscan")
    return [tool for tool in tools if shutil.which(tool) is None]
