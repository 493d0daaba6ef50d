# SPDX-License-Identifier: LGPL-2.1-or-later
"""SSH sessions of further programs: libraries of other languages, file copiers, tunnels, guessers.

All of them are optional: `absent` tells which this machine lacks. `EXTRA` has the form of `PROGRAMS`.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from lab import servers, sshbuild, sshpeople
from lab.debian import LIBRARIES, inside_debian
from lab.network import SERVER, USER
from lab.scenarios import askpass
from lab.sshsessions import PROGRAMS, Play
from lab.sshstage import Stage, Truth, openssh, options


def _here(stage: Stage, name: str) -> str:
    """Copy a script to the lab's folder, which a chroot sees too."""
    target = stage.lab.folder / name
    if not target.exists():
        target.write_text(Path(__file__).with_name(name).read_text())
    return str(target)


def _called(stage: Stage, client: str) -> list[str]:
    other = sshbuild.SOURCES
    python = "/usr/bin/python3"
    java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    if client in ("paramiko13", "asyncssh13"):
        return inside_debian(LIBRARIES, [python, _here(stage, "sshpython.py"), client.removesuffix("13")])
    if client == "libssh13":
        return inside_debian(LIBRARIES, [python, _here(stage, "sshlibssh.py"), "libssh"])
    return {
        "go": [str(sshbuild.GO), "client"],
        "libssh": [python, _here(stage, "sshlibssh.py"), "libssh"],
        "php": ["php", str(other / "ssh.php")],
        "ruby": ["ruby", str(other / "ssh.rb")],
        "jsch": [*java, "-cp", f"{sshbuild.JAVA}:{sshbuild.JSCH}", "Jsch"],
    }[client]


def library(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Offer passwords, keyboard-interactive answers or a key by a library, then do the action.

    Outcomes: `N` (wrong ones first), `all`, `key`, `badkey` (then a password), `refuse` (an unknown host key).
    """
    asks = client in ("go", "libssh", "libssh13", "ruby", "jsch")
    return offer(stage, _called(stage, client), outcome, action, asks=asks, rsa=client in ("jsch", "php"))


def offer(stage: Stage, called: list[str], outcome: str, action: str, *, asks: bool, rsa: bool) -> Truth:
    """Do what `library` does by a program that is called with address, user, action and words.

    `asks`: it can answer questions (keyboard-interactive); `rsa`: it knows no other keys.
    """
    truth = Truth(session={"shell": "interactive", "none": ""}.get(action, action))
    truth.typed = "automated.typing" if action == "shell" else ""
    words: list[str] = []
    if outcome == "refuse":
        truth.hostkey, action, words = "refused", "refuse", [stage.lab.password]
    elif outcome == "key":
        words = [f"key:{stage.key(True)}"]
    else:
        count = 3 if outcome == "all" else int(outcome) if outcome.isdigit() else 0
        words = [*stage.wrong(count), *([] if outcome == "all" else [stage.lab.password])]
        if stage.server.keyboard and (not stage.server.password or stage.random.random() < 0.5) and asks:
            words = [f"kbd:{word}" for word in words]
        truth.password = "automated"
        if outcome == "badkey":
            bad = stage.lab.folder / "id_bad_extra"
            if not bad.exists():
                servers.keygen(bad, "rsa" if rsa else "ed25519")
            words.insert(0, f"key:{bad}")
            truth.refused_key = True
    stage.run(*called, stage.address, USER, action, *words)
    truth.broken = stage.status != 0
    return truth


def _shell_words(stage: Stage, client: str, outcome: str) -> tuple[list[str], dict[str, str]]:
    """Return how OpenSSH is called by another program, by key or with a password from a program; its environment."""
    words = [*openssh(""), *options(stage, client)]
    if outcome == "key":
        return [*words, "-o", "BatchMode=yes", "-i", str(stage.key(True))], {}
    guess = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    return [*words, "-o", "NumberOfPasswordPrompts=1"], askpass(stage.lab, guess)


def _host(stage: Stage) -> str:
    return f"{USER}@[{stage.address}]" if stage.v6 else stage.target


# Makes a repository that whoever serves it, the user or root, may read.
TREE = """\
cd "$1" && test -d tree && exit
git init -q tree && cp /etc/*.conf tree/ && cd tree && git add -A
git -c user.name=lab -c user.email=lab@localhost commit -qm first && chown -R 7077:7077 .
for home in /root "$1"; do HOME=$home git config --global safe.directory '*'; done
chown 7077:7077 "$1/.gitconfig"
"""


def copier(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Copy files by rsync, git, sshfs or lftp, by key or with a password from a program."""
    truth = Truth(session="transfer", password="" if outcome == "key" else "automated")
    words, settings = _shell_words(stage, client, outcome)
    where = stage.lab.folder / f"copy-{stage.number}"
    where.mkdir()
    if client == "rsync":
        up = ["/usr/share/perl5/", f"{_host(stage)}:copied"]
        pair = up if action == "up" else [f"{_host(stage)}:/etc/", str(where)]
        stage.run("rsync", "-a", "--timeout=20", "--max-size=20k", "-e", shlex.join(words), *pair, **settings)
    elif client == "git":
        stage.lab.server.do("sh", "-c", TREE, "sh", f"/home/{USER}")
        url = f"ssh://{_host(stage)}/home/{USER}/tree"
        settings |= {"GIT_SSH_COMMAND": shlex.join(words)}
        stage.run("git", "clone", "-q", url, str(where / "tree"), **settings)
    elif client == "sshfs":
        ssh = where.with_suffix(".sh")
        ssh.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        ssh.chmod(0o755)
        mount = f"sshfs {_host(stage)}:/ {where} -o ssh_command={ssh}"
        do = f"ls -l {where}/etc && cp {where}/etc/services /root/s && cp /root/s {where}/tmp/s"
        stage.run("sh", "-c", f"{mount} && {do}; sleep 1; umount {where}", seconds=40, **settings)
    else:
        guess = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
        ssh = shlex.join([*openssh(""), *options(stage, client), "-a", "-x"])
        setup = f'set sftp:connect-program "{ssh}"; set net:max-retries 1; set net:reconnect-interval-base 1'
        do = "ls /etc; get /etc/services -o /root/lftp" if action == "down" else "put /etc/services -o lftp-file"
        host = f"[{stage.address}]" if stage.v6 else stage.address
        stage.run("lftp", "-u", f"{USER},{guess}", "-e", f"{setup}; {do}; bye", f"sftp://{host}", seconds=40)
    return truth


def tunnel(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Forward a port by key: from here (-L), from there (-R), by SOCKS (-D); autossh keeps an idle one open."""
    truth = Truth(session="forward")
    words, _ = _shell_words(stage, client, "key")
    if client == "autossh":
        words = ["autossh", "-M", "0", *words[1:], "-o", "ServerAliveInterval=5"]
    name = {"local": "-L", "back": "-R", "socks": "-D", "idle": "-L"}[action]
    place = "127.0.0.1:8082" if action == "socks" else "127.0.0.1:8082:127.0.0.1:80"
    proxy = "-x socks5h://127.0.0.1:8082 http://127.0.0.1/" if action == "socks" else "http://127.0.0.1:8082/"
    call = f"for n in 1 2 3; do sleep 1; curl -s -m 5 -o /dev/null {proxy}; done"
    if action in ("idle", "back"):
        call = f"sleep {stage.random.randint(6, 15)}"
    line = [*words, "-N", name, place, "-o", "ExitOnForwardFailure=no", stage.target]
    if action == "back":  # somebody calls on the server's side
        far = "for n in 1 2 3; do sleep 2; curl -s -m 5 -o /dev/null http://127.0.0.1:8082/; done"
        stage.lab.server.start("sh", "-c", far)
    stage.run("sh", "-c", f'timeout 20 "$@" & P=$!; {call}; kill $P; wait', "sh", *line)
    return truth


def jump(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Log in by key through the server to itself, as through a jump host, and run a command there."""
    words, _ = _shell_words(stage, client, "key")
    hop = shlex.join([*words, "-W", "[%h]:%p", stage.target])
    stage.run(*words, "-o", f"ProxyCommand={hop}", stage.target, "uname -a; uptime", seconds=40)
    return Truth(session="forward")


def several(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Run commands one after the other over one connection that OpenSSH keeps open (ControlMaster), as Ansible does."""
    words, settings = _shell_words(stage, client, outcome)
    socket = stage.lab.folder / f"master-{stage.number}"
    keep = ["-o", f"ControlPath={socket}", "-o", "ControlMaster=auto", "-o", "ControlPersist=yes"]
    line = shlex.join([*words, *keep, stage.target])
    commands = ("id", "cat /etc/os-release", "sleep 0.3; uptime")[: stage.random.randint(2, 3)]
    calls = "; sleep 0.2; ".join(f"{line} {shlex.quote(command)} </dev/null" for command in commands)
    ending = shlex.join([*words, "-o", f"ControlPath={socket}", "-O", "exit", stage.target])
    stage.run("sh", "-c", f"{calls}; sleep 1; {ending}", **settings)
    return Truth(session="exec", password="" if outcome == "key" else "automated")


def guesser(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Try a short list by patator (Paramiko) or nmap's ssh-brute (libssh2); with `0` the right one is at its end."""
    words = stage.wrong(stage.random.randint(3, 5)) + ([stage.lab.password] if outcome == "0" else [])
    path = stage.lab.folder / "guesses"
    path.write_text("\n".join(words) + "\n")
    if client == "patator":  # knows IPv4 only
        what = [f"host={SERVER}", f"user={USER}", "password=FILE0", f"0={path}"]
        tasks = str(stage.random.choice((1, 2, 4)))
        stage.run("patator", "ssh_login", *what, "-t", tasks, "--max-retries=0", seconds=50, PYTHONWARNINGS="ignore")
    else:
        users = stage.lab.folder / "users"
        users.write_text(USER + "\n")
        lists = f"userdb={users},passdb={path},brute.firstonly=true,ssh-brute.timeout=10s"
        six = ["-6"] if stage.v6 else []
        stage.run("nmap", "-n", "-Pn", *six, "-p22", "--script", "ssh-brute", "--script-args", lists, stage.address)
    return Truth(password="automated")


def scan(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Look at the server's key exchange or its methods and leave: ssh-audit, nmap's scripts."""
    if client == "ssh-audit":
        stage.run("ssh-audit", *(["-6"] if stage.v6 else []), stage.address)
    else:
        six = ["-6"] if stage.v6 else []
        script = stage.random.choice(("ssh-auth-methods", "ssh2-enum-algos", "ssh-hostkey"))
        stage.run("nmap", "-n", "-Pn", *six, "-p22", "--script", script, stage.address)
    return Truth()


LOGINS = ("0", "0", "1", "2", "all", "key", "badkey", "refuse")
ACTIONS = ("exec", "shell", "transfer", "none")
EXTRA: dict[str, tuple[Play, tuple[str, ...], tuple[str, ...]]] = {
    "go": (library, LOGINS, (*ACTIONS, "forward")),
    "libssh": (library, LOGINS, ("exec", "shell", "none")),
    "libssh13": (library, LOGINS, ("exec", "shell", "none")),
    "ruby": (library, LOGINS, (*ACTIONS, "forward")),
    "php": (library, LOGINS, ACTIONS),
    "jsch": (library, ("0", "0", "1", "2", "all", "refuse"), ACTIONS),  # JSch 0.1.55 reads no key of today
    "paramiko13": (library, LOGINS[:-1], ACTIONS),
    "asyncssh13": (library, LOGINS[:-1], ACTIONS),
    "dbclient13": (sshpeople.person, ("0", "1", "2", "leave", "key", "yes", "no"), ("shell", "shell", "exec")),
    "plink13": (sshpeople.person, ("0", "1", "2", "all", "leave", "yes", "no"), ("shell", "shell", "exec")),
    "conch": (sshpeople.person, ("0", "1", "2", "leave", "yes", "no"), ("shell", "shell", "exec")),
    "ssh-both": (sshpeople.person, ("both",), ("shell", "shell", "exec", "lines")),
    "rsync": (copier, ("0", "wrong", "key", "key"), ("up", "down")),
    "git": (copier, ("0", "wrong", "key", "key"), ("clone",)),
    "sshfs": (copier, ("0", "wrong", "key", "key"), ("mount",)),
    "lftp": (copier, ("0", "0", "wrong"), ("up", "down")),
    "forwards": (tunnel, ("key",), ("local", "back", "socks")),
    "autossh": (tunnel, ("key",), ("local", "idle", "socks")),
    "patator": (guesser, ("0", "all"), ("none",)),
    "nmap-brute": (guesser, ("0", "all"), ("none",)),
    "ssh-audit": (scan, ("scan",), ("none",)),
    "nmap-scripts": (scan, ("scan",), ("none",)),
}
# These were added later: they play in further recordings, so that the earlier ones stay as they were drawn.
LATER: dict[str, tuple[Play, tuple[str, ...], tuple[str, ...]]] = {
    "paramiko-tty": (sshpeople.person, ("0", "1", "2", "leave"), ("shell", "shell", "idle", "exec")),
    "libssh-tty": (sshpeople.person, ("0", "1", "2", "leave"), ("shell", "shell", "idle", "exec")),
    "jump": (jump, ("key",), ("exec",)),
    "several": (several, ("key", "key", "0"), ("exec",)),
}
# OpenSSH of other releases; their names end as debian.RELEASES says.
RELEASED: dict[str, tuple[Play, tuple[str, ...], tuple[str, ...]]] = {
    f"{name}{suffix}": how
    for suffix in ("11", "-sid")
    for name, how in {
        "ssh": PROGRAMS["ssh13"],
        "sshpass": PROGRAMS["sshpass13"],
        "askpass": PROGRAMS["askpass13"],
        "expect-ssh": PROGRAMS["expect-ssh"],
        "key": PROGRAMS["key13"],
    }.items()
}
ALL = PROGRAMS | EXTRA | RELEASED | LATER
# What of sshbuild.OPTIONAL a program needs, where that is not its own name.
NEEDS = {
    **dict.fromkeys(("paramiko13", "asyncssh13", "libssh13", "dbclient13", "plink13"), "debian 13"),
    "libssh-tty": "libssh",
    **dict.fromkeys(("nmap-brute", "nmap-scripts"), "nmap"),
}


def needs(program: str) -> str:
    """Return the name in sshbuild.OPTIONAL of what a program or a kind of server needs."""
    return NEEDS.get(program, "debian 13" if program.endswith("13") and program != "openssh13" else program)
