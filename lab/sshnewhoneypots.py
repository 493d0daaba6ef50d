# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers of `ssh-new` that log in another form than OpenSSH: honeypots, a tarpit, TinySSH; how each is started."""

from __future__ import annotations

import base64

from lab.network import USER, Lab
from lab.sshnewsystem import inside
from lab.sshservers import Server, here, hosts

COWRIE = """\
[honeypot]
hostname = web1
log_path = {state}/log
download_path = {state}/downloads
state_path = {state}
etc_path = {state}/etc
ttylog = false
timezone = UTC
[ssh]
listen_endpoints = tcp6:22:interface=\\:\\:
[telnet]
enabled = false
[output_jsonlog]
enabled = true
logfile = {state}/log/cowrie.json
"""
# Cowrie does not run as root; its log of events is what is translated.
COWRIE_RUNS = """\
cd {state} && mkdir -p log downloads etc && touch log/cowrie.json && chown -R 7077:7077 . &&
setpriv --reuid 7077 --regid 7077 --clear-groups env HOME={state} PYTHONPATH=/opt/py/cowrie PYTHONWARNINGS=ignore \
/usr/bin/python3 /opt/py/cowrie/bin/twistd --nodaemon --pidfile= --umask=0022 cowrie &
exec tail -n +1 -F {state}/log/cowrie.json
"""
SSHESAME = """\
server:
  listen_address: "[::]:22"
  host_keys: [{keys}]
logging:
  json: true
auth:
  max_tries: 6
  password_auth: {{enabled: true, accepted: true}}
  public_key_auth: {{enabled: true, accepted: false}}
  keyboard_interactive_auth: {{enabled: false, accepted: false}}
"""


def translated(lab: Lab, kind: str, *command: str) -> list[str]:
    """Return the command line of a server whose log is translated; `command` runs in the system of `sshnewsystem`."""
    return ["/usr/bin/python3", here(lab, "sshtranslate.py"), kind, *inside(*command)]


def cowrie(lab: Lab, server: Server) -> list[str]:
    """Serve by Cowrie, which knows one password and has a shell of its own."""
    state = lab.folder / "cowrie"
    (state / "etc").mkdir(parents=True)
    (state / "etc/cowrie.cfg").write_text(COWRIE.format(state=state))
    (state / "etc/userdb.txt").write_text(f"{USER}:x:{lab.password}\n")
    lab.server.do("sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=0")
    return translated(lab, "cowrie", "sh", "-c", COWRIE_RUNS.format(state=state))


def endlessh(lab: Lab, server: Server) -> list[str]:
    """Keep clients waiting for a version that never comes; a line each two seconds."""
    return translated(lab, "endlessh", "endlessh", "-v", "-p", "22", "-d", "2000")


def sshesame(lab: Lab, server: Server) -> list[str]:
    """Serve by sshesame, which takes every password and has a shell of its own."""
    config = lab.folder / "sshesame.yaml"
    config.write_text(SSHESAME.format(keys=", ".join(hosts(lab))))
    return translated(lab, "sshesame", "sshesame", "-config", str(config), "-data_dir", str(lab.folder))


def tinyssh(lab: Lab, server: Server) -> list[str]:
    """Serve by TinySSH, which knows keys alone, one process for each connection."""
    keys = lab.folder / "tinyssh"
    lab.server.do("chmod", "755", "/home")  # or it trusts no keys below
    lab.server.do(*inside("tinysshd-makekey", "-q", str(keys)))
    public = (keys / "ed25519.pk").read_bytes()  # 32 bytes
    blob = b"".join(len(part).to_bytes(4) + part for part in (b"ssh-ed25519", public))
    (lab.folder / "host_tiny.pub").write_text(f"ssh-ed25519 {base64.b64encode(blob).decode()} lab\n")
    sftp = "sftp=/usr/lib/openssh/sftp-server"
    return inside("python3", here(lab, "sshinetd.py"), "-", "tinysshd", "-vvv", "-x", sftp, str(keys))
