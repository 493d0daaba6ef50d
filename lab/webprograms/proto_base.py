# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D103, PLC0415 - each role has its own library and is named for what it does
"""What all roles of protocols.py share: who is asked, sockets, hands on a keyboard."""

import os
import random
import socket
import ssl
import subprocess
import sys
import time

HOST, PORT, TLS = sys.argv[2], int(sys.argv[3]), sys.argv[4] == "tls"
AT = f"[{HOST}]" if ":" in HOST else HOST
COMMANDS = ("ls -l", "uname -a", "ps ax", "cat /etc/hosts", "df -h", "id", "cd /tmp", "echo hello world", "date", "w")
NAMES = ("example.org", "lab.example", "mail.lab.example", "a.very.long.name.of.a.host.example.net", "x.org")


def trusting():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if random.random() < 0.25:
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    return made


def run(*words, given=b"", limit=60, **more):
    """Run a program, whatever comes of it."""
    change = {**os.environ, "HOME": "/root", **more}
    kinds = {"input": given} if given is not None else {"stdin": subprocess.DEVNULL}
    try:
        return subprocess.run(words, capture_output=True, timeout=limit, check=False, env=change, **kinds).stdout
    except subprocess.TimeoutExpired:
        return b""


def connect():
    """Return a socket to the server, in TLS if it is so."""
    made = socket.create_connection((HOST, PORT), 20)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return trusting().wrap_socket(made, server_hostname="lab.example") if TLS else made


class Outside:
    """A local port whose connections go to the server in TLS (socat), or the server itself where there is none."""

    def __enter__(self):
        if not TLS:
            self.host, self.port, self._socat = HOST, PORT, None
            return self
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host, self.port = free.getsockname()
        words = ["socat", f"TCP4-LISTEN:{self.port},bind=127.0.0.1,fork,reuseaddr", f"OPENSSL:{AT}:{PORT},verify=0"]
        self._socat = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        time.sleep(1)
        return self

    def __exit__(self, *_):
        if self._socat:
            self._socat.terminate()
            self._socat.wait()


def text(draw, median=60, spread=0.8):
    return "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=max(1, int(median * draw.lognormvariate(0, spread)))))


def letter(draw, median, spread):
    """Return a mail, in lines of at most 70 letters."""
    size = max(1, int(median * draw.lognormvariate(0, spread)))
    return "Subject: lab\r\n\r\n" + ("t" * 70 + "\r\n") * (size // 70) + "t" * (size % 70) + "\r\n"


def typed(draw, line):
    """Yield the keys of a line at the pace of a hand."""
    time.sleep(draw.uniform(0.7, 4))
    for key in line:
        time.sleep(min(1.2, draw.lognormvariate(-1.97, 0.45)))
        yield key


def person(draw, words, prompt, lines, end="\r"):
    """Someone at a program with a prompt."""
    import pexpect

    program = pexpect.spawn(
        words[0], list(words[1:]), timeout=20, encoding="utf-8", env={**os.environ, "HOME": "/root"}
    )
    program.delaybeforesend = None
    try:
        for line in lines:
            program.expect(prompt)
            for key in typed(draw, line):
                program.send(key)
            program.send(end)
        program.expect([prompt, pexpect.EOF])
    except (pexpect.EOF, pexpect.TIMEOUT):
        pass
    time.sleep(draw.uniform(0.5, 2))
    program.close(force=True)
