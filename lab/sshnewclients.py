# SPDX-License-Identifier: LGPL-2.1-or-later
"""The clients of `ssh-new`: people, libraries, tools, guessers and scanners that no other kind plays."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

from lab import sshbuild, sshextra, sshpeople
from lab.debian import LIBRARIES, inside_debian
from lab.network import USER
from lab.scenarios import askpass
from lab.sshnewservers import here
from lab.sshnewsystem import ROOT, inside, python
from lab.sshpeople import Typist
from lab.sshstage import Stage, Truth, known_hosts, openssh, options

NODE = ("env", "NODE_PATH=/opt/node/node_modules", "node")
JAVA = ("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
ASKS = {"node-ssh2", "python-libssh", "trilead", "jenkins", "ganymed", "perl-ssh2"}  # keyboard-interactive, too
CAREFUL = {"sftp", "mosh", "pssh", "clush", "qemu-img", "telnet", "keyscan13", "check-ssh"}  # they send no password unasked
CONFIG = "StrictHostKeyChecking no\nUserKnownHostsFile /root/known\nNumberOfPasswordPrompts 1\n"


def called(stage: Stage, client: str) -> list[str]:
    """Return how a library's client is called, without address, user, action and words."""
    lab = stage.lab
    python3 = {
        "python-libssh": ("ssh2", "libssh"),
        "ccssh": ("ccssh", "ccssh"),
        "fabric": ("none", "fabric"),
    }
    if client in python3:
        folder, name = python3[client]
        return python(folder, here(lab, "sshnewpython.py"), name)
    if client == "asyncssh24":
        return python("asyncssh", here(lab, "sshpython.py"), "asyncssh")
    if client == "node-ssh2":
        return inside(*NODE, here(lab, "other/ssh.js"), "client")
    if client.startswith("phpseclib"):
        return inside("php", here(lab, "other/phpseclib.php"), client[-1])
    if client == "erlang-ssh":
        source = here(lab, "other/sshtalk.erl")
        words = ["erl", "-noshell", "-pa", str(lab.folder), "-run", "sshtalk", "main", "client"]
        return inside("sh", "-c", f'cd {lab.folder} && mkdir -p /root/erlang && erlc {source} && exec "$@"', "sh", *words)
    classes = lab.folder / sshbuild.TRILEAD[client].name
    if not classes.exists():
        classes.symlink_to(sshbuild.TRILEAD[client])
    return [*JAVA, "-cp", f"{sshbuild.TRILEAD[client]}:{ROOT}{sshbuild.JARS[client]}", "Trilead"]


def library(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Offer passwords, keyboard-interactive answers or a key by a library, then do the action; see `sshextra.library`."""
    if client == "erlang-ssh" and outcome == "key":  # it wants a folder
        folder = stage.lab.folder / "erlang-keys"
        stage.run("install", "-D", "-m", "600", str(stage.key(True)), str(folder / "id_ed25519"))
    if outcome == "refuse":
        stage.run("rm", "-f", "/root/.ssh/known_hosts")
    return sshextra.offer(
        stage, called(stage, client), outcome, action, asks=client in ASKS, rsa=client == "phpseclib2"
    )


def loop(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Guess by a library with a connection for each password, one after the other; with `0` the last is right."""
    name = {"loop-erlang": "erlang-ssh", "loop-node": "node-ssh2", "loop-trilead": "trilead"}[client]
    words = stage.wrong(stage.random.randint(2, 4)) + ([stage.lab.password] if outcome == "0" else [])
    command = shlex.join([*called(stage, name), stage.address, USER, "none"])
    calls = "; ".join(f"{command} {shlex.quote(word)}" for word in words)
    stage.run("sh", "-c", calls, seconds=100)
    return Truth(password="automated")


def scan(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Look who is there and leave before any credential."""
    if client == "keyscan13":
        kinds = stage.random.choice(("rsa", "ed25519", "rsa,ed25519,ecdsa"))
        stage.run(*inside_debian(LIBRARIES, ["ssh-keyscan", "-T", "10", "-t", kinds, stage.address]))
        return Truth(preauth="scan")
    if client == "telnet":
        word = stage.random.choice(("", "hello", "SSH-2.0-telnet"))
        wait = stage.random.uniform(0.5, 4)
        line = f"(sleep {wait:.1f}; printf '{word}\\r\\n'; sleep 1) | {shlex.join(inside('telnet', stage.address, '22'))}"
        stage.run("sh", "-c", line, seconds=15)
    else:
        six = ["-6"] if stage.v6 else ["-4"]
        stage.run(*inside("/usr/lib/nagios/plugins/check_ssh", *six, "-t", "10", stage.address))
    return Truth(preauth="banner")


def _host(stage: Stage) -> str:
    return f"[{stage.address}]" if stage.v6 else stage.address


def configured(stage: Stage, outcome: str) -> dict[str, str]:
    """Set OpenSSH up for tools that call it: a key, known or not, or a password from a program; their environment."""
    text = CONFIG
    if outcome in ("key", "badkey"):
        text += f"BatchMode yes\nIdentityFile {stage.key(outcome == 'key')}\nIdentitiesOnly yes\n"
    stage.run("sh", "-c", "mkdir -p /root/.ssh; rm -f /root/.ssh/id_*; cat >/root/.ssh/config", stdin=text.encode())
    stage.run("sh", "-c", "cat >/root/.ssh/known_hosts", stdin=known_hosts(stage).encode())
    if outcome in ("key", "badkey"):
        return {}
    return askpass(stage.lab, stage.lab.password if outcome == "0" else stage.wrong(1)[0])


CLONE = """\
import pygit2, sys
url, folder, user, word = sys.argv[1:]
class Calls(pygit2.RemoteCallbacks):
    left = 1
    def credentials(self, *_):
        if not self.left: raise SystemExit("refused")
        self.left -= 1
        return pygit2.Keypair(user, word[4:] + ".pub", word[4:], "") if word[:4] == "key:" else pygit2.UserPass(user, word)
    def certificate_check(self, *_): return True
pygit2.clone_repository(url, folder, callbacks=Calls())
"""


def tool(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Run a tool that works over SSH, by key or with a password from a program."""
    by_key = outcome in ("key", "badkey")
    truth = Truth(session="transfer", password="" if by_key else "automated", refused_key=outcome == "badkey")
    settings = configured(stage, outcome)
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    key = str(stage.key(outcome == "key")) if by_key else ""
    where = stage.lab.folder / f"tool-{stage.number}"
    stage.number += 1
    where.mkdir()
    host, target = _host(stage), f"{USER}@{_host(stage)}"
    if client == "rclone":
        how = ["--sftp-key-file", key] if by_key else ["--sftp-pass", f"$(rclone obscure '{word}')"]
        words = " ".join(["--sftp-host", stage.address, "--sftp-user", USER, *how, "--sftp-shell-type", "none"])
        words += " --sftp-disable-hashcheck --retries 1 --low-level-retries 1 --contimeout 30s --transfers 1 --checkers 1"
        do = {"up": "copy /etc/ssl :sftp:/tmp/copied", "down": f"copy :sftp:/etc/ssh {where}"}.get(action, "lsl :sftp:/etc")
        stage.run(*inside("sh", "-c", f"timeout 40 rclone {do} {words}"))
    elif client == "duplicity":
        how = [f"--ssh-options=-oIdentityFile={key}"] if by_key else []
        line = ["duplicity", "full", "--no-encryption", "--num-retries", "1", *how, "--allow-source-mismatch"]
        url = f"paramiko+sftp://{target}//tmp/dup"
        stage.run(*inside("env", *(["FTP_PASSWORD=" + word] if not by_key else []), *line, "/usr/share/perl5", url))
    elif client == "pygit2":
        stage.lab.server.do("sh", "-c", sshextra.TREE, "sh", f"/home/{USER}")
        script = where / "clone.py"
        script.write_text(CLONE)
        url = f"ssh://{target}/home/{USER}/tree"
        stage.run(*inside("python3", str(script), url, str(where / "tree"), USER, f"key:{key}" if by_key else word))
    elif client == "qemu-img":
        stage.run("sh", "-c", f"cp {key} /root/.ssh/id_ed25519; cp {key}.pub /root/.ssh/id_ed25519.pub")
        url = f"ssh://{target}/etc/services?host_key_check=no"
        stage.run(*inside("timeout", "40", "qemu-img", "convert", "-f", "raw", "-O", "raw", url, str(where / "out")))
        stage.run("sh", "-c", "rm -f /root/.ssh/id_*")
    elif client == "ansible-paramiko":
        truth.session = "exec"
        how = [f"--private-key={key}"] if by_key else ["-e", f"ansible_password='{word}'"]
        words = ["-i", f"{stage.address},", "-u", USER, "-c", "paramiko_ssh", *how, "-m", "raw", "-a", "uname -a; id"]
        stage.run(*inside("env", "ANSIBLE_HOST_KEY_CHECKING=False", "ANSIBLE_PARAMIKO_LOOK_FOR_KEYS=False",
                          "ansible", "all", *words))  # fmt: skip
    elif client == "clush":
        truth.session = "exec"
        stage.run(*inside("env", *_words(settings), "clush", "-S", "-l", USER, "-w", stage.address, "uname -a; uptime"))
    else:  # pssh
        truth.session = "exec"
        stage.run(*inside("parallel-ssh", "-i", "-l", USER, "-H", stage.address, "uname -a; uptime"))
    stage.run("rm", "-f", "/root/.ssh/config", "/root/.ssh/known_hosts")
    return truth


def _words(settings: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in settings.items()]


def _enters(typist: Typist, stage: Stage, truth: Truth, outcome: str) -> bool:
    """Give the passwords that the outcome says at a terminal; whether the person is in."""
    if outcome == "key":
        return True
    wrong = 3 if outcome == "all" else int(outcome) if outcome.isdigit() else 0
    words = stage.wrong(min(wrong, stage.server.tries)) + ([] if outcome == "all" else [stage.lab.password])
    for word in words:
        if typist.asked("[Pp]assword(?: for [^:]*)?: ?") == 1:
            return False
        if outcome == "leave":
            typist.presses("\x03")
            typist.asked()
            return False
        truth.password = "human"
        (typist.pastes if stage.random.random() < 0.2 else typist.types)(word)
    if outcome == "all":
        if typist.asked("[Pp]assword(?: for [^:]*)?: ?") == 0:
            typist.presses("\x03")
            typist.asked()
        return False
    return True


LINES = ("ls -l /etc", "cd /etc", "get /etc/services /root/got", "put /etc/hosts /tmp/hosts", "ls", "pwd")


def person(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Play a person at sftp, mosh or a terminal built on a library; outcomes as those of `sshpeople.person`."""
    truth = Truth()
    seed = stage.random.randrange(1 << 30)
    key = ["-i", str(stage.key(True))] if outcome == "key" else []
    host = f"{USER}@{_host(stage)}"
    if client == "sftp":
        command = [*openssh("", "sftp"), *options(stage, client), *key, host]
    elif client == "mosh":
        words = shlex.join([*openssh(""), *options(stage, client), *key])
        server = f"env LD_LIBRARY_PATH={ROOT}/usr/lib/x86_64-linux-gnu LC_ALL=C.UTF-8 {ROOT}/usr/bin/mosh-server"
        command = inside("env", "LC_ALL=C.UTF-8", "mosh", f"--ssh={words}", f"--server={server}", stage.target)
    else:
        command = [*called(stage, {"node-tty": "node-ssh2"}[client]), stage.address, USER, "tty"]
    with Typist(stage.lab, command, seed) as typist:
        if not _enters(typist, stage, truth, outcome):
            return truth
        if client == "sftp":
            truth.session = "transfer"
            for line in stage.random.sample(LINES, 3):
                typist.sees("sftp> ")
                typist.types(line)
            typist.sees("sftp> ")
            typist.types("bye")
            typist.asked()
        elif client == "mosh":
            truth.session = "exec"
            if typist.asked(r"\$ ") == 0:
                typist.types("uptime")
                typist.types("exit")
                typist.asked()
        else:
            sshpeople._shell(typist, stage, truth, action)  # noqa: SLF001
    return truth


PEOPLE = {"sftp", "mosh", "node-tty"}
FILES = {  # by client: what it needs of the system of `sshnewsystem`
    "mosh": ("usr/bin/mosh-server",),
    **dict.fromkeys(("node-tty", "node-ssh2", "loop-node"), ("usr/bin/node", "opt/node/node_modules/ssh2")),
    "python-libssh": ("opt/py/ssh2/ssh",),
    "ccssh": ("opt/py/ccssh/ccssh",),
    **dict.fromkeys(("trilead", "loop-trilead"), ("usr/bin/java", "usr/share/java/trilead-ssh2.jar")),
    "fabric": ("usr/lib/python3/dist-packages/fabric",),
    "phpseclib2": ("usr/bin/php", "usr/share/php/phpseclib"),
    "phpseclib3": ("usr/bin/php", "usr/share/php/phpseclib3"),
    "asyncssh24": ("opt/py/asyncssh/asyncssh",),
    **dict.fromkeys(("erlang-ssh", "loop-erlang"), ("usr/lib/erlang/lib/ssh-*",)),
    "duplicity": ("usr/bin/duplicity",),
    "pygit2": ("usr/lib/python3/dist-packages/pygit2",),
    "qemu-img": ("usr/bin/qemu-img", "usr/lib/x86_64-linux-gnu/qemu/block-ssh.so"),
    "pssh": ("usr/bin/parallel-ssh",),
    "clush": ("usr/bin/clush",),
    "ansible-paramiko": ("usr/bin/ansible",),
    "rclone": ("usr/bin/rclone",),
    "telnet": ("usr/bin/telnet",),
    "check-ssh": ("usr/lib/nagios/plugins/check_ssh",),
}
LOGINS = ("0", "0", "1", "2", "all", "key", "badkey", "refuse")
DO = ("exec", "shell", "transfer", "none")
PROGRAMS = {
    "sftp": (person, ("0", "1", "2", "all", "leave", "key"), ("transfer",)),
    "mosh": (person, ("0", "1", "key"), ("exec",)),
    "node-tty": (person, ("0", "1", "2", "all", "leave"), ("shell", "shell", "idle")),
    "python-libssh": (library, LOGINS, DO),
    "ccssh": (library, LOGINS, DO),
    "node-ssh2": (library, LOGINS, (*DO, "forward")),
    "trilead": (library, ("0", "1", "2", "all", "refuse"), DO),
    "fabric": (library, LOGINS, ("exec", "transfer", "none")),
    "phpseclib2": (library, ("0", "1", "2", "all", "refuse"), DO),
    "phpseclib3": (library, LOGINS, DO),
    "asyncssh24": (library, ("0", "1", "2", "all", "key", "badkey"), DO),
    "erlang-ssh": (library, ("0", "1", "2", "all", "key", "refuse"), DO),
    "duplicity": (tool, ("0", "wrong", "key"), ("transfer",)),
    "pygit2": (tool, ("0", "wrong", "key", "badkey"), ("transfer",)),
    "qemu-img": (tool, ("key", "badkey"), ("transfer",)),
    "pssh": (tool, ("key", "badkey"), ("exec",)),
    "clush": (tool, ("key", "badkey"), ("exec",)),
    "ansible-paramiko": (tool, ("0", "wrong", "key", "badkey"), ("exec",)),
    "rclone": (tool, ("0", "wrong", "key", "badkey"), ("up", "down", "list")),
    "loop-erlang": (loop, ("0", "all"), ("none",)),
    "loop-node": (loop, ("0", "all"), ("none",)),
    "loop-trilead": (loop, ("0", "all"), ("none",)),
    "telnet": (scan, ("scan",), ("none",)),
    "keyscan13": (scan, ("scan",), ("none",)),
    "check-ssh": (scan, ("scan",), ("none",)),
}
