# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tools of `ssh-new` that work over SSH: copiers, backups, tools that run commands on many machines."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import sshextra
from lab.network import USER
from lab.scenarios import askpass
from lab.sshnewsystem import ROOT, inside
from lab.sshstage import Stage, Truth, known_hosts

CONFIG = "StrictHostKeyChecking no\nUserKnownHostsFile /root/known\nNumberOfPasswordPrompts 1\n"
COMMAND = "uname -a; uptime"
# Debian 12's programs for the server's machine, which is another Debian 12.
THERE = f"env LD_LIBRARY_PATH={ROOT}/usr/lib/x86_64-linux-gnu PYTHONPATH={ROOT}/usr/lib/python3/dist-packages"
CLONE = """\
import pygit2, sys
url, folder, user, word = sys.argv[1:]
class Calls(pygit2.RemoteCallbacks):
    left = 1
    def credentials(self, *_):
        if not self.left: raise SystemExit("refused")
        self.left -= 1
        if word[:4] != "key:": return pygit2.UserPass(user, word)
        return pygit2.Keypair(user, word[4:] + ".pub", word[4:], "")
    def certificate_check(self, *_): return True
pygit2.clone_repository(url, folder, callbacks=Calls())
"""
FOREIGN = """\
use Net::SFTP::Foreign;
my ($host, $user, @more) = @ARGV;
my $files = Net::SFTP::Foreign->new($host, user => $user, timeout => 30, more => [@more], autodie => 1);
$files->ls("/etc");
$files->get("/etc/services", "/root/foreign-back");
$files->put("/etc/services", "/tmp/foreign-file");
"""


def host(stage: Stage) -> str:
    """Return the server's address as a part of a URL."""
    return f"[{stage.address}]" if stage.v6 else stage.address


@dataclass
class Job:
    """One call of a tool: by a key, or with a password from a program."""

    stage: Stage
    action: str
    key: str  # its path; empty: by password
    word: str
    where: Path  # a folder of its own, which every system sees

    @property
    def target(self) -> str:
        """User and server as a part of a URL."""
        return f"{USER}@{host(self.stage)}"

    def script(self, text: str) -> str:
        """Write a script and return its path."""
        path = self.where / "script"
        path.write_text(text)
        return str(path)


def _rclone(job: Job) -> list[str]:
    how = f"--sftp-key-file {job.key}" if job.key else f"--sftp-pass $(rclone obscure '{job.word}')"
    do = {"up": "copy /etc/ssl :sftp:/tmp/copied", "down": f"copy :sftp:/etc/ssh {job.where}"}
    words = f"--sftp-host {job.stage.address} --sftp-user {USER} {how} --sftp-shell-type none --sftp-disable-hashcheck"
    once = "--retries 1 --low-level-retries 1 --contimeout 30s --transfers 1 --checkers 1"
    return inside("sh", "-c", f"timeout 40 rclone {do.get(job.action, 'lsl :sftp:/etc')} {words} {once}")


def _duplicity(job: Job) -> list[str]:
    how = [f"--ssh-options=-oIdentityFile={job.key}"] if job.key else []
    word = [] if job.key else [f"FTP_PASSWORD={job.word}"]
    line = ["duplicity", "full", "--no-encryption", "--num-retries", "1", *how, "--allow-source-mismatch"]
    return inside("env", *word, *line, "/usr/share/perl5", f"paramiko+sftp://{job.target}//tmp/dup")


def _pygit2(job: Job) -> list[str]:
    job.stage.lab.server.do("sh", "-c", sshextra.TREE, "sh", f"/home/{USER}")
    url = f"ssh://{job.target}/home/{USER}/tree"
    word = f"key:{job.key}" if job.key else job.word
    return inside("python3", job.script(CLONE), url, str(job.where / "tree"), USER, word)


def _qemu_img(job: Job) -> list[str]:
    job.stage.run("sh", "-c", f"cp {job.key} /root/.ssh/id_ed25519; cp {job.key}.pub /root/.ssh/id_ed25519.pub")
    url = f"ssh://{job.target}/etc/services?host_key_check=no"
    return inside("timeout", "40", "qemu-img", "convert", "-f", "raw", "-O", "raw", url, str(job.where / "out"))


def _ansible(job: Job, connection: str) -> list[str]:
    how = [f"--private-key={job.key}"] if job.key else ["-e", f"ansible_password='{job.word}'"]
    words = ["-i", f"{job.stage.address},", "-u", USER, "-c", connection, *how, "-m", "raw", "-a", "uname -a; id"]
    settings = ["ANSIBLE_HOST_KEY_CHECKING=False", "ANSIBLE_PARAMIKO_LOOK_FOR_KEYS=False"]
    settings.append("ANSIBLE_SSH_ARGS=-C -o ControlMaster=auto -o ControlPersist=2s")  # it is 60 s otherwise
    return inside("env", *settings, "ansible", "all", *words)


def _aria2(job: Job) -> list[str]:
    words = [
        f"--ftp-user={USER}",
        f"--ftp-passwd={job.word}",
        "-q",
        "-m",
        "1",
        "-d",
        str(job.where),
        "--allow-overwrite",
    ]
    return inside("timeout", "40", "aria2c", *words, f"sftp://{host(job.stage)}/etc/services")


def _borg(job: Job) -> list[str]:
    there = f"{THERE} python3 {ROOT}/usr/bin/borg"
    url = f"ssh://{job.target}/tmp/borg-{job.where.name}"
    return inside("env", "BORG_RELOCATED_REPO_ACCESS_IS_OK=yes", "timeout", "40", "borg", "init", "-e", "none",
                  f"--remote-path={there}", url)  # fmt: skip


def _unison(job: Job) -> list[str]:
    (job.where / "here").mkdir()
    (job.where / "here/file").write_bytes(bytes(30_000))
    there = f"{THERE} {ROOT}/usr/bin/unison"
    words = ["-batch", "-silent", "-confirmbigdel=false", "-servercmd", there]
    root = f"ssh://{job.target}//tmp/unison-{job.where.name}"
    return inside("env", "UNISON=/root/unison", "timeout", "40", "unison", str(job.where / "here"), root, *words)


def _copy_id(job: Job) -> list[str]:
    return inside("ssh-copy-id", "-i", f"{job.stage.key(False)}.pub", "-o", "IdentityFile=none", job.stage.target)


def _foreign(job: Job) -> list[str]:
    return inside("perl", job.script(FOREIGN), job.stage.address, USER, "-F", "/root/.ssh/config")


CALLS: dict[str, tuple[str, Callable[[Job], list[str]]]] = {  # by tool: what the session is, how it is called
    "rclone": ("transfer", _rclone),
    "duplicity": ("transfer", _duplicity),
    "pygit2": ("transfer", _pygit2),
    "qemu-img": ("transfer", _qemu_img),
    "aria2": ("transfer", _aria2),
    "borg": ("transfer", _borg),
    "unison": ("transfer", _unison),
    "ssh-sftp": ("transfer", _foreign),
    "ansible-paramiko": ("exec", lambda job: _ansible(job, "paramiko_ssh")),
    "ansible": ("exec", lambda job: _ansible(job, "ssh")),
    "copy-id": ("exec", _copy_id),
    "clush": ("exec", lambda job: inside("clush", "-S", "-l", USER, "-w", job.stage.address, COMMAND)),
    "pssh": ("exec", lambda job: inside("parallel-ssh", "-i", "-l", USER, "-H", job.stage.address, COMMAND)),
}


def tool(stage: Stage, client: str, outcome: str, action: str) -> Truth:
    """Run a tool: by key (`key`, `badkey`), or with a password from a program (`0`, `wrong`)."""
    session, call = CALLS[client]
    by_key = outcome in ("key", "badkey")
    truth = Truth(session=session, password="" if by_key else "automated", refused_key=outcome == "badkey")
    word = stage.lab.password if outcome == "0" else stage.wrong(1)[0]
    key = str(stage.key(outcome == "key")) if by_key else ""
    where = stage.lab.folder / f"tool-{stage.number}"
    stage.number += 1
    where.mkdir()
    config = CONFIG + (f"BatchMode yes\nIdentityFile {key}\nIdentitiesOnly yes\n" if by_key else "")
    for name, text in (("config", config), ("known_hosts", known_hosts(stage))):
        stage.run("sh", "-c", f"mkdir -p /root/.ssh; cat >/root/.ssh/{name}", stdin=text.encode())
    settings = {} if by_key else askpass(stage.lab, word)
    stage.run(*call(Job(stage, action, key, word, where)), **settings)
    truth.broken = stage.status == 124  # cut off; some end with an error over one file that they may not read
    stage.run("sh", "-c", "rm -f /root/.ssh/config /root/.ssh/known_hosts /root/.ssh/id_*")
    if client == "ansible":
        time.sleep(4)  # until the connection that it keeps is closed
    return truth
