# SPDX-License-Identifier: LGPL-2.1-or-later
"""The clients of `ssh-new`: people, libraries, tools, guessers and scanners that no other kind plays."""

from __future__ import annotations

import shlex

from lab import sshbuild, sshextra, sshpeople, sshsessions
from lab.debian import LIBRARIES, inside_debian
from lab.network import USER
from lab.sshnewsystem import ROOT, inside, python
from lab.sshnewtools import host, tool
from lab.sshpeople import Typist
from lab.sshservers import here
from lab.sshstage import Stage, Truth, openssh, options

NODE = ("env", "NODE_PATH=/opt/node/node_modules", "node")
JAVA = ("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
ASKS = {"node-ssh2", "python-libssh", "trilead", "jenkins", "ganymed", "perl-ssh2"}  # keyboard-interactive, too
CAREFUL = {"sftp", "mosh", "pssh", "clush", "qemu-img", "telnet", "keyscan13", "check-ssh", "ssh7"}
CAREFUL |= {"grab", "audit3", "ssh-sftp", "unison", "copy-id"}  # they send no password unasked


# Clients of sshnewpython.py, by their names here: folder below /opt/py, and what the script calls them.
PYTHON = {
    "python-libssh": ("ssh2", "libssh"),
    "python-ssh2": ("ssh2", "ssh2"),
    "parallel-ssh": ("ssh2", "parallel"),
    "ccssh": ("ccssh", "ccssh"),
    "hussh": ("hussh", "hussh"),
    "fabric": ("none", "fabric"),
    "netmiko": ("none", "netmiko"),
}


def called(stage: Stage, client: str) -> list[str]:
    """Return how a library's client is called, without address, user, action and words."""
    lab = stage.lab
    if client in PYTHON:
        folder, name = PYTHON[client]
        return python(folder, here(lab, "sshnewpython.py"), name)
    if client in sshbuild.TRILEAD:
        return [*JAVA, "-cp", f"{sshbuild.TRILEAD[client]}:{ROOT}{sshbuild.JARS[client]}", "Trilead"]
    if client == "erlang-ssh":
        source = here(lab, "other/sshtalk.erl")
        words = ["erl", "-noshell", "-pa", str(lab.folder), "-run", "sshtalk", "main", "client"]
        before = f"cd {lab.folder} && mkdir -p /root/erlang && erlc {source}"
        return inside("sh", "-c", f'{before} && exec "$@"', "sh", *words)
    return {
        "asyncssh24": lambda: python("asyncssh", here(lab, "sshpython.py"), "asyncssh"),
        "paramiko5": lambda: python("paramiko", here(lab, "sshpython.py"), "paramiko"),
        "node-ssh2": lambda: inside(*NODE, here(lab, "other/ssh.js"), "client"),
        "tunnels-js": lambda: inside(*NODE, here(lab, "other/sshtunnels.js"), "client"),
        "perl-ssh2": lambda: inside("perl", here(lab, "other/sshperl.pl")),
        "perl-openssh": lambda: inside("perl", here(lab, "other/sshopenperl.pl")),
        "phpseclib2": lambda: inside("php", here(lab, "other/phpseclib.php"), "2"),
        "phpseclib3": lambda: inside("php", here(lab, "other/phpseclib.php"), "3"),
        "ruby": lambda: inside("ruby", here(lab, "other/ssh.rb")),
    }[client]()


def library(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Offer passwords, keyboard-interactive answers or a key, then do the action; see `sshextra.library`."""
    if client == "erlang-ssh" and outcome == "key":  # it wants a folder
        folder = stage.lab.folder / "erlang-keys"
        stage.run("install", "-D", "-m", "600", str(stage.key(True)), str(folder / "id_ed25519"))
    if outcome == "refuse":
        stage.run("rm", "-f", "/root/.ssh/known_hosts")
    return sshextra.offer(
        stage, called(stage, client), outcome, action, asks=client in ASKS, rsa=client == "phpseclib2"
    )


LOOPS = {
    "loop-erlang": "erlang-ssh", "loop-node": "node-ssh2", "loop-trilead": "trilead", "loop-perl": "perl-ssh2",
    "loop-paramiko5": "paramiko5", "loop-ruby": "ruby",
}  # fmt: skip


def loop(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Guess by a library with a connection for each password, one after the other; with `0` the last is right."""
    words = stage.wrong(stage.random.randint(2, 4)) + ([stage.lab.password] if outcome == "0" else [])
    command = shlex.join([*called(stage, LOOPS[client]), stage.address, USER, "none"])
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
        telnet = shlex.join(inside("telnet", stage.address, "22"))
        line = f"(sleep {wait:.1f}; printf '{word}\\r\\n'; sleep 1) | {telnet}"
        stage.run("sh", "-c", line, seconds=15)
    elif client == "grab":
        depth = stage.random.choice(("banner", "offer", "keys"))
        stage.run("/usr/bin/python3", here(stage.lab, "sshgrab.py"), stage.address, depth)
        return Truth(preauth="scan" if depth == "keys" else "banner")
    elif client == "audit3":
        stage.run(*python("audit", "-m", "ssh_audit.ssh_audit", *(["-6"] if stage.v6 else []), stage.address))
        return Truth()
    else:
        six = ["-6"] if stage.v6 else ["-4"]
        stage.run(*inside("/usr/lib/nagios/plugins/check_ssh", *six, "-t", "10", stage.address))
    return Truth(preauth="banner")


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
            typist.interrupts()  # sftp takes Ctrl-C for an empty password
            return False
        truth.password = "human"
        (typist.pastes if stage.random.random() < 0.2 else typist.types)(word)
    if outcome == "all":
        if typist.asked("[Pp]assword(?: for [^:]*)?: ?") == 0:
            typist.interrupts()
        return False
    return True


LINES = ("ls -l /etc", "cd /etc", "get /etc/services /root/got", "put /etc/hosts /tmp/hosts", "ls", "pwd")


def person(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Play a person at sftp, mosh or a terminal built on a library; outcomes as those of `sshpeople.person`."""
    truth = Truth()
    seed = stage.random.randrange(1 << 30)
    key = ["-i", str(stage.key(True))] if outcome == "key" else []
    target = f"{USER}@{host(stage)}"
    if client == "sftp":
        command = [*openssh("", "sftp"), *options(stage, client), *key, target]
    elif client == "mosh":
        words = shlex.join([*openssh(""), *options(stage, client), *key])
        server = f"env LD_LIBRARY_PATH={ROOT}/usr/lib/x86_64-linux-gnu LC_ALL=C.UTF-8 {ROOT}/usr/bin/mosh-server"
        command = inside("env", "LC_ALL=C.UTF-8", "mosh", f"--ssh={words}", f"--server={server}", stage.target)
    else:
        command = [*called(stage, "node-ssh2"), stage.address, USER, "tty"]
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
            truth.session = "interactive"  # OpenSSH asks for a terminal there
            if typist.asked(r"\$ ") == 0:
                typist.types("uptime")
                typist.types("exit")
                typist.asked()
        else:
            sshpeople.shell(typist, stage, truth, action)
    return truth


PEOPLE = {"sftp", "mosh", "node-tty", "ssh7"}
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
    "ssh7": ("usr/bin/ssh1",),
    **dict.fromkeys(("python-ssh2", "parallel-ssh"), ("opt/py/ssh2/ssh2",)),
    "hussh": ("opt/py/hussh/hussh",),
    "ganymed": ("usr/bin/java", "usr/share/java/ganymed-ssh2.jar"),
    "jenkins": ("usr/bin/java", "usr/share/java/jenkins-trilead-ssh2.jar"),
    **dict.fromkeys(("paramiko5", "loop-paramiko5"), ("opt/py/paramiko/paramiko",)),
    "tunnels-js": ("usr/bin/node", "opt/node/node_modules/@microsoft/dev-tunnels-ssh"),
    "perl-openssh": ("usr/share/perl5/Net/OpenSSH.pm", "usr/lib/x86_64-linux-gnu/perl5/*/IO/Pty.pm"),
    "netmiko": ("usr/lib/python3/dist-packages/netmiko",),
    **dict.fromkeys(("perl-ssh2", "loop-perl"), ("usr/lib/x86_64-linux-gnu/perl5/*/Net/SSH2.pm",)),
    "loop-ruby": ("usr/bin/ruby", "usr/share/rubygems-integration/*/gems/net-ssh-*"),
    "ansible": ("usr/bin/ansible", "usr/bin/sshpass"),
    "borg": ("usr/bin/borg",),
    "aria2": ("usr/bin/aria2c",),
    "ssh-sftp": ("usr/share/perl5/Net/SFTP/Foreign.pm",),
    "unison": ("usr/bin/unison",),
    "audit3": ("opt/py/audit/ssh_audit",),
    "check-ssh": ("usr/lib/nagios/plugins/check_ssh",),
}
PERSON = sshsessions.PROGRAMS["ssh"][1:]
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
    "ssh7": (sshpeople.person, *PERSON),
    "python-ssh2": (library, LOGINS, DO),
    "hussh": (library, ("0", "0", "1", "2", "all", "key"), ("exec", "transfer", "none")),
    "ganymed": (library, ("0", "1", "2", "all", "refuse"), DO),
    "jenkins": (library, ("0", "1", "2", "all", "refuse"), DO),
    "paramiko5": (library, ("0", "1", "2", "all", "key", "badkey"), DO),
    "tunnels-js": (library, ("0", "0", "1", "2", "all", "refuse"), ("exec", "none")),
    "perl-openssh": (library, ("0", "1", "2", "all", "key"), ("exec", "none", "transfer")),
    "netmiko": (library, ("0", "1", "2", "all", "key"), ("shell",)),
    "perl-ssh2": (library, LOGINS, DO),
    "parallel-ssh": (library, ("0", "0", "1", "2", "all", "key"), ("exec", "shell", "transfer", "none")),
    "ansible": (tool, ("0", "wrong", "key", "badkey"), ("exec",)),
    "borg": (tool, ("0", "wrong", "key", "badkey"), ("transfer",)),
    "aria2": (tool, ("0", "0", "wrong"), ("transfer",)),
    "ssh-sftp": (tool, ("0", "wrong", "key", "badkey"), ("transfer",)),
    "unison": (tool, ("0", "wrong", "key", "badkey"), ("transfer",)),
    "copy-id": (tool, ("0", "wrong"), ("exec",)),
    **dict.fromkeys(LOOPS, (loop, ("0", "all"), ("none",))),
    "grab": (scan, ("scan",), ("none",)),
    "audit3": (scan, ("scan",), ("none",)),
    "telnet": (scan, ("scan",), ("none",)),
    "keyscan13": (scan, ("scan",), ("none",)),
    "check-ssh": (scan, ("scan",), ("none",)),
}
