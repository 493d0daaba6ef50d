# SPDX-License-Identifier: LGPL-2.1-or-later
"""Start a program for each connection to port 22, and log what it says with the client's port, as OpenSSH does.

`sshinetd.py LOG PROGRAM WORD...`: the program has the connection as standard input and output. It writes to standard
error, or to the file LOG (a dash: it does not), where each line has its process's number. Lines that tell of a
credential are written once more in OpenSSH's words; the others as they are.
"""

import os
import re
import socket
import subprocess
import sys
import threading
import time

SAYS = (  # of ProFTPD's mod_sftp, TinySSH
    (re.compile(r"user '.*' authenticated via '(\S+)' method"), "Accepted {0}"),
    (re.compile(r"USER \S+ \(Login failed\): Incorrect password"), "Failed password"),
    (re.compile(r"USER \S+ \(Login failed\): authentication via '.*' public key failed"), "Failed publickey"),
    (re.compile(r"auth: \S+: \S+ [A-Za-z0-9+/=]{20,} accepted"), "Accepted publickey"),
    (re.compile(r"auth: \S+: ssh-\S+ rejected"), "Failed publickey"),
)
# TinySSH says this of the method "none" and of all that it does not know, as other kinds of keys.
UNKNOWN = re.compile(r"auth: \S+: unknown rejected")
unknown: dict[str, int] = {}


def told(line, peer):
    """Write a line, and what it says of a credential."""
    print(line, flush=True)
    for pattern, text in SAYS:
        if found := pattern.search(line):
            print(f"{text.format(*found.groups())} for user from {peer} ssh2", flush=True)
    if UNKNOWN.search(line):
        unknown[peer] = unknown.get(peer, 0) + 1
        if unknown[peer] > 1:  # callers of a server of keys alone offer nothing else
            print(f"Failed publickey for user from {peer} ssh2", flush=True)


def follow(path, peers):
    """Read a log for ever; the number of a process in brackets tells whose line it is."""
    while not os.path.exists(path):
        time.sleep(0.05)
    with open(path, errors="replace") as lines:
        rest = ""
        while True:
            rest += lines.readline()
            if not rest.endswith("\n"):
                time.sleep(0.05)
                continue
            found = re.search(r"\[(\d+)\]", rest)
            if found and int(found[1]) in peers:
                told(rest.rstrip(), peers[int(found[1])])
            rest = ""


def speak(child, peer):
    """Write what one process says."""
    for line in child.stderr:
        told(line.decode(errors="replace").rstrip(), peer)
    child.wait()


def main(log, *program):
    """Serve for ever."""
    peers = {}
    if log != "-":
        threading.Thread(target=follow, args=(log, peers), daemon=True).start()
    listener = socket.create_server(("", 22), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    while True:
        connection, (ip, port, *_) = listener.accept()
        peer = f"{ip.removeprefix('::ffff:')} port {port}"
        print(f"Connection from {peer} on server", flush=True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        child = subprocess.Popen(program, stdin=connection, stdout=connection, stderr=subprocess.PIPE)
        connection.close()
        peers[child.pid] = peer
        threading.Thread(target=speak, args=(child, peer), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
