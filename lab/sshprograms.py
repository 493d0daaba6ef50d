# SPDX-License-Identifier: LGPL-2.1-or-later
"""SSH sessions of programs: password helpers, scripts, libraries, guessers and scanners, none with a person."""

from __future__ import annotations

import sys
from pathlib import Path

from lab import servers
from lab.debian import release
from lab.network import SERVER, USER
from lab.scenarios import askpass
from lab.sshstage import LINES, Stage, Truth, fingerprints, openssh, options

SCRIPT = b"id\nw\n"  # commands for a shell without terminal


def _blob(stage: Stage) -> str:
    path = stage.lab.folder / "blob"
    path.write_bytes(bytes(stage.random.choice((3_000, 60_000, 400_000))))
    return str(path)


def _remote(action: str, truth: Truth) -> list[str]:
    truth.session = "exec"
    return {"exec": ["uname -a; id; uptime"], "script": ["/bin/sh -s"]}.get(action, ["true"])


def sshpass(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Give one password to OpenSSH by sshpass, which leaves when it is asked again."""
    truth = Truth(password="automated")
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    words = ["sshpass", "-p", word]
    new = release(client)
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
        stage.run(*words, *openssh(new), *options(stage, client), stage.target, *_remote(action, truth), stdin=SCRIPT)
    else:
        stage.run(*words, *openssh(new), *options(stage, client), stage.target, *_remote(action, truth))
    return truth


def asked(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Give OpenSSH passwords from a program (SSH_ASKPASS): wrong ones first, or only wrong ones."""
    truth = Truth(password="automated")
    count = 3 if outcome == "all" else int(outcome)
    guesses = [*stage.wrong(count), *([] if outcome == "all" else [stage.lab.password])]
    new = release(client)
    command = [*openssh(new), *options(stage, client), stage.target, *_remote(action, truth)]
    stage.run(*command, stdin=SCRIPT if action == "script" else b"", **askpass(stage.lab, *guesses))
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
    """Let an expect script answer every question at once and work through a list of commands in the shell."""
    truth = Truth(password="automated", session="interactive", typed="automated.typing")
    script = stage.lab.folder / "script.exp"
    script.write_text(EXPECT)
    count = 3 if outcome == "all" else int(outcome)
    words = [*stage.wrong(count), *([] if outcome == "all" else [stage.lab.password])]
    if client == "expect-dbclient":
        command = ["dbclient", "-y", "-y", stage.target]
    else:
        command = [*openssh(client), *options(stage, client), stage.target]
    lines = stage.random.sample(LINES, 3)
    stage.run("expect", str(script), "|".join(words), "|".join(lines), *command, TERM="xterm")
    return truth


def dbclient(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Call Dropbear's client, which takes one password from its environment."""
    truth = Truth(password="automated")
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    command = ["dbclient", "-y", "-y", stage.target, *_remote(action, truth)]
    stage.run(*command, stdin=SCRIPT if action == "script" else b"", DROPBEAR_PASSWORD=word)
    return truth


def plink(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Call PuTTY's client or copier with a password on the command line."""
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
        script = SCRIPT if action == "script" else b""
        stage.run("plink", "-ssh", "-no-antispoof", *common, stage.target, *_remote(action, truth), stdin=script)
    return truth


def python(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Offer passwords or a key by Paramiko or AsyncSSH, then do the action."""
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
    """Call OpenSSH by key without a terminal: accepted, or refused and no other way; a command, a copy, a tunnel."""
    truth = Truth(refused_key=outcome == "badkey")
    new = release(client)
    words = ["-o", "BatchMode=yes", "-i", str(stage.key(outcome == "key"))]
    if outcome == "refused":
        truth = Truth(hostkey="refused")
        stage.run(*openssh(new), *options(stage, client, strict=True), *words, stage.target, "true")
    elif outcome == "none":
        stage.run(*openssh(new), *options(stage, client), "-o", "BatchMode=yes", stage.target, "true")
    elif action == "transfer":
        truth.session = "transfer"
        host = f"{USER}@[{stage.address}]" if stage.v6 else stage.target
        up = stage.random.random() < 0.5
        pair = [_blob(stage), f"{host}:file"] if up else [f"{host}:/etc/services", "/root/back"]
        stage.run(*openssh(new, "scp"), *options(stage, client), *words, "-q", *pair)
    elif action == "forward":
        truth.session = "forward"
        forward = ["-N", "-L", "127.0.0.1:8080:127.0.0.1:80", "-o", "ExitOnForwardFailure=yes"]
        call = "for n in 1 2 3; do sleep 1; curl -s -o /dev/null http://127.0.0.1:8080/; done"
        line = [*openssh(new), *options(stage, client), *words, *forward, stage.target]
        stage.run("sh", "-c", f'timeout 6 "$@" & {call}; wait', "sh", *line)
    else:
        command = [*openssh(new), *options(stage, client), *words, stage.target, *_remote(action, truth)]
        stage.run(*command, stdin=SCRIPT if action == "script" else b"")
    return truth


def curl(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """List a directory or send a file over SFTP by curl (libssh2)."""
    truth = Truth(password="automated", session="transfer")
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    host = f"[{stage.address}]" if stage.v6 else stage.address
    up = ["-T", _blob(stage)] if action == "upload" else []
    stage.run("curl", "-sk", "-g", *up, "-u", f"{USER}:{word}", f"sftp://{host}/tmp/" + ("file" if up else ""))
    return truth


def guesser(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Try a short list by hydra, medusa or ncrack; with `0` the right password is at its end."""
    truth = Truth(password="automated")
    words = stage.wrong(stage.random.randint(3, 5)) + ([stage.lab.password] if outcome == "0" else [])
    path = stage.lab.folder / "words"
    path.write_text("\n".join(words) + "\n")
    tasks = str(stage.random.choice((1, 2, 4)))
    user = ["-l" if client == "hydra" else "-u" if client == "medusa" else "--user", USER, "-P", str(path)]
    if client == "hydra":
        six = ["-6"] if stage.v6 else []
        host = f"[{stage.address}]" if stage.v6 else stage.address
        stage.run("hydra", "-I", "-q", *six, "-t", tasks, *user, f"ssh://{host}", seconds=50)
    elif client == "medusa":  # this one and the next know IPv4 only
        stage.run("medusa", "-h", SERVER, *user, "-M", "ssh", "-t", tasks, seconds=50)
    else:
        stage.run("ncrack", "-T4", "-g", "CL=3", *user, f"ssh://{SERVER}", seconds=50)
    return truth


def scan(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Look who is there and leave before any credential."""
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
            "if sys.argv[2]=='read': s.recv(200)\n"
            "if sys.argv[2]=='speak':\n s.sendall(b'SSH-2.0-check\\r\\n'); s.recv(2000)\n"
        )
        stage.run(sys.executable, "-c", code, address, stage.random.choice(("close", "read", "speak")))
    return Truth(preauth="banner")
