# SPDX-License-Identifier: LGPL-2.1-or-later
"""Start a server whose log is of another form, and log what it says in OpenSSH's words.

`sshtranslate.py KIND PROGRAM WORD...`. KIND: cowrie, endlessh, sshesame. Connections are told of by the server, and
where it is silent about those that end early (sshesame) by their first packets.
"""

import json
import re
import subprocess
import sys
import threading

FIRST = "dst port 22 and (tcp[13] & 0x12 = 2 or ip6[53] & 0x12 = 2)"  # SYN without ACK


def say(text):
    """Write one line at once."""
    print(text, flush=True)


def cowrie(line, ports):
    """Take a line of Cowrie's JSON log, where each event has its session."""
    try:
        event = json.loads(line)
    except ValueError:
        return
    ip, kind = event.get("src_ip", "").removeprefix("::ffff:"), event.get("eventid")
    if kind == "cowrie.session.connect":
        ports[event["session"]] = event["src_port"]
        say(f"Connection from {ip} port {event['src_port']} on server")
    elif kind in ("cowrie.login.success", "cowrie.login.failed"):
        what = "Accepted" if kind.endswith("success") else "Failed"
        how = "password" if "password" in event else "publickey"
        say(f"{what} {how} for user from {ip} port {ports[event['session']]} ssh2")


def endlessh(line, ports):
    """Take a line of endlessh's log."""
    if found := re.search(r"ACCEPT host=(\S+) port=(\d+)", line):
        say(f"Connection from {found[1].removeprefix('::ffff:')} port {found[2]} on server")


def sshesame(line, ports):
    """Take a line of sshesame's JSON log."""
    try:
        event = json.loads(line)
        ip, _, port = event["source"].rpartition(":")
    except (ValueError, KeyError):
        return
    how = {
        "password_auth": "password",
        "public_key_auth": "publickey",
        "keyboard_interactive_auth": "keyboard-interactive",
    }
    if event["event_type"] in how:
        what = "Accepted" if event["event"]["accepted"] else "Failed"
        name = how[event["event_type"]]
        say(f"{what} {name} for user from {ip.strip('[]').removeprefix('::ffff:')} port {port} ssh2")


def watch():
    """Tell of connections by their first packets."""
    tcpdump = ["tcpdump", "-i", "eth0", "-nn", "-l", "-Z", "root", FIRST]
    with subprocess.Popen(tcpdump, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as dump:
        for line in dump.stdout:
            if found := re.search(r"IP6? (\S+)\.(\d+) > ", line.decode()):
                say(f"Connection from {found[1]} port {found[2]} on server")


def main(kind, *program):
    """Translate until the server ends."""
    take = {"cowrie": cowrie, "endlessh": endlessh, "sshesame": sshesame}[kind]
    if kind == "sshesame":
        threading.Thread(target=watch, daemon=True).start()
    ports = {}
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        for line in child.stdout:
            text = line.decode(errors="replace").rstrip()
            say(text)
            take(text, ports)


if __name__ == "__main__":
    main(*sys.argv[1:])
