# SPDX-License-Identifier: LGPL-2.1-or-later
"""SSH sessions of people: OpenSSH, dbclient, plink, conch at a terminal, with pauses and keys as people have them."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pexpect  # type: ignore[import-untyped]

from lab.debian import LIBRARIES, inside_debian
from lab.network import USER, Lab, LabError
from lab.people import Person
from lab.sshstage import LINES, Stage, Truth, fingerprints, known_hosts, openssh, options


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


def _yes(person: Typist, truth: Truth, answer: str, question: str) -> bool:
    """Answer the host key question; whether the session goes on."""
    person.sees(question)
    whole = "fingerprint" in question or "yes" in question
    if answer == "accepted":
        person.types("yes" if whole else "y")
        truth.hostkey = "accepted"
        return True
    truth.hostkey = "refused"
    if answer == "aborted":
        person.presses("\x03")
    else:
        # PuTTY's "n" connects without keeping the key; only Return cancels
        person.types("no" if whole else "" if "Return" in question else "n")
    person.asked()
    return False


def shell(person: Typist, stage: Stage, truth: Truth, action: str) -> None:
    """Do in a shell what the action says, and leave."""
    truth.session = "interactive"
    if action == "idle":
        person.sees(r"\$ ")
        time.sleep(stage.random.uniform(8, 20))
        person.presses("exit\r" if stage.server.kind.startswith("asyncssh") else "\x04")
    else:
        truth.typed = "human.typing"
        for line in (*stage.random.sample(LINES, stage.random.randint(1, 4)), "exit"):
            person.sees(r"\$ ")
            person.types(line)
    person.asked()


def person(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Play a person at a terminal with OpenSSH, dbclient, plink or conch; `outcome` is what happens before the shell.

    Outcomes: `N` (wrong passwords first), `all` (only wrong ones), `leave` (at the first question for a password),
    `key` (accepted), `badkey` (refused, then a password), `both` (the server wants a key and then a
    password), `yes`, `no`, `aborted` (to the host key question).
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
    if outcome in ("key", "badkey", "both"):
        keys = ["-i", str(stage.key(outcome != "badkey"))]
        truth.refused_key = outcome == "badkey"
    if client.startswith("ssh"):
        words = [*openssh(client), *options(stage, client, ask=ask), *keys]
        question = r"(?:fingerprint\]|yes/no)\)\? "
        command = [*words, *(["-T"] if action == "lines" else []), stage.target, *remote]
    elif client.endswith("-tty"):
        question = ""  # they know no keys
        for name in ("sshterminal.py", "sshlibssh.py"):
            shutil.copy(Path(__file__).with_name(name), stage.lab.folder)
        script = str(stage.lab.folder / "sshterminal.py")
        command = ["/usr/bin/python3", script, client.removesuffix("-tty"), stage.address, USER, *remote]
    elif client == "conch":
        question = r"\(yes/no\)\? "
        known = stage.lab.folder / f"conch-{seed}"
        known.write_text("" if ask else known_hosts(stage))
        command = ["env", "PYTHONWARNINGS=ignore", "conch3", f"--known-hosts={known}", *keys, stage.target, *remote]
    elif client.startswith("dbclient"):
        if keys:
            old = stage.lab.folder / f"dropbear-{outcome}"
            if not old.exists():
                convert = ["dropbearconvert", "openssh", "dropbear", keys[1], str(old)]
                subprocess.run(convert, check=True, capture_output=True, timeout=30)
            keys = ["-i", str(old)]
        question = r"\(y/n\) "
        if ask:
            stage.run("rm", "-f", "/root/.ssh/known_hosts")
        words = inside_debian(LIBRARIES, ["dbclient"]) if client.endswith("13") else ["dbclient"]
        command = [*words, *([] if ask else ["-y", "-y"]), *keys, stage.target, *remote]
    else:
        question = r"\(y/n, Return cancels connection, i for more info\) |Update cached key\? "
        if ask:
            stage.run("rm", "-rf", "/root/.putty")
        hosts = [] if ask else [word for print_ in fingerprints(stage) for word in ("-hostkey", print_)]
        words = inside_debian(LIBRARIES, ["plink"]) if client.endswith("13") else ["plink"]
        command = [*words, "-ssh", "-no-antispoof", *hosts, stage.target, *remote]
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
                    if client.startswith("dbclient"):  # its question for a password ignores Ctrl-C
                        typist.interrupts()
                    else:
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
            shell(typist, stage, truth, action)
    return truth
