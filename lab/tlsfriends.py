# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: PLC0415 - only some roles need a library; nothing here is secret
"""What looks like a shell or a tunnel and is none, by Python: `tlsfriends.py ROLE ADDRESS PORT [CERTIFICATE]`.

Servers with a certificate, clients without. `chat`: two people write to each other over a websocket, and what comes is
acknowledged; `desk`: a remote desktop's pictures and its keys and mouse; `feed`: server-sent events; `long`: long
polls, with a request for what is new; `term`: a person types to a terminal of the server; `push`: the server tells that
something changed, the client fetches it; `agent`: a server asks an agent for its state at regular times; `lines`: a
protocol of lines as mail and news have it, by hand; `binary`: one of small requests and answers, as databases have it.
"""

import asyncio
import json
import os
import random
import ssl
import sys
import time


def trusting():
    """TLS without concern for certificates."""
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def text(mean):
    """Return a text as a person may write it."""
    return "t" * max(2, int(random.lognormvariate(3.3, 0.8) * mean / 30))


def human(least, most):
    """Return a pause of a person."""
    return asyncio.sleep(random.uniform(least, most))


async def chat_serve(web):
    """Write like a person, acknowledge what comes."""

    async def writes():
        for number in range(9):
            await human(2, 9)
            await web.send(json.dumps({"type": "message", "id": number, "from": "someone", "text": text(50)}))

    task = asyncio.ensure_future(writes())
    async for data in web:
        if json.loads(data)["type"] == "message":
            await web.send(json.dumps({"type": "ack", "id": json.loads(data)["id"]}))
    task.cancel()


async def chat(web):
    """Acknowledge what comes, say that one is typing, and write."""

    async def reads():
        async for data in web:
            got = json.loads(data)
            if got["type"] == "message":
                await web.send(json.dumps({"type": random.choice(("ack", "read")), "id": got["id"]}))

    task = asyncio.ensure_future(reads())
    for number in range(8):
        await human(2, 7)
        await web.send(json.dumps({"type": "typing"}))
        await human(1, 5)
        await web.send(json.dumps({"type": "message", "id": number, "text": text(60)}))
    task.cancel()


async def desk_serve(web):
    """Send pictures, more when there are keys."""

    async def draws():
        while True:
            await asyncio.sleep(random.choice((0.03, 0.1, 1, 3)))
            await web.send(os.urandom(int(random.expovariate(1 / 1500)) + 16))

    task = asyncio.ensure_future(draws())
    async for _ in web:
        if random.random() < 0.6:
            await web.send(os.urandom(int(random.expovariate(1 / 300)) + 16))
    task.cancel()


async def desk(web):
    """Ask for pictures, move the mouse, press keys."""

    async def reads():
        async for _ in web:
            await web.send(os.urandom(10))

    task = asyncio.ensure_future(reads())
    for _ in range(25):
        await human(0.3, 3)
        for _ in range(random.randrange(9)):
            await web.send(os.urandom(random.choice((6, 8))))
            await human(0.02, 0.3)
    task.cancel()


async def term_serve(web):
    """Give a terminal."""
    import pty

    pid, terminal = pty.fork()
    if not pid:
        os.execvp("bash", ["bash", "-i"])
    loop, out = asyncio.get_running_loop(), asyncio.Queue()
    loop.add_reader(terminal, lambda: out.put_nowait(os.read(terminal, 4096)))

    async def shows():
        while True:
            await web.send(await out.get())

    task = asyncio.ensure_future(shows())
    async for data in web:
        os.write(terminal, data)
    task.cancel()
    loop.remove_reader(terminal)


async def term(web):
    """Type commands, key by key."""

    async def reads():
        async for _ in web:
            pass

    task = asyncio.ensure_future(reads())
    for line in ("ls -la", "cat /etc/passwd", "uname -a", "ps aux"):
        await human(1, 5)
        for key in line + "\r":
            await web.send(key.encode())
            await asyncio.sleep(random.lognormvariate(-1.97, 0.45))
    await human(1, 3)
    task.cancel()


async def head(reader):
    """Read an HTTP head and its body; return the path."""
    lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    size = [int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")]
    await reader.readexactly(size[0] if size else 0)
    return lines[0].split()[1].decode()


def page(body, kind="application/json"):
    """Return an HTTP answer."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


async def web_serve(reader, writer):
    """Answer pages, events and long polls."""
    while True:
        path = await head(reader)
        if path == "/events":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for number in range(10):
                await human(0.5, 7)
                note = "" if random.random() < 0.3 else f"id: {number}\ndata: {text(80)}"
                writer.write(f"{note or ': ping'}\n\n".encode())
                await writer.drain()
            return
        if path.startswith("/poll"):
            await human(0.7, 9)
            body = "" if random.random() < 0.4 else json.dumps({"event": random.randrange(99), "what": text(30)})
            writer.write(page(body))
        else:
            writer.write(page(json.dumps({"text": text(random.choice((30, 300, 2000)))})))
        await writer.drain()


def asks(path, more=""):
    """Return a request."""
    return f"GET {path} HTTP/1.1\r\nHost: lab.example\r\nUser-Agent: lab/1.0\r\nAccept: */*\r\n{more}\r\n".encode()


async def feed(reader, writer):
    """Follow server-sent events."""
    writer.write(asks("/events", "Accept-Language: en\r\nCache-Control: no-cache\r\n"))
    while await reader.readline():
        pass


async def long(reader, writer):
    """Poll; fetch or report something after some of the answers."""
    for number in range(9):
        writer.write(asks(f"/poll?since={number}&session={'s' * 32}"))
        body = await answer(reader)
        if body and random.random() < 0.6:
            if random.random() < 0.5:
                writer.write(asks(f"/items/{random.randrange(10**7)}?fields={'f' * random.randrange(60)}"))
            else:
                said = json.dumps({"done": number, "text": text(90)})
                writer.write(
                    f"POST /done HTTP/1.1\r\nHost: lab.example\r\nContent-Length: {len(said)}\r\n\r\n{said}".encode()
                )
            await answer(reader)


async def answer(reader):
    """Read an HTTP answer's body."""
    lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    size = [int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")]
    return await reader.readexactly(size[0])


async def push_serve(web):
    """Tell that something changed, and give it when it is asked for."""

    async def tells():
        for number in range(9):
            await human(1, 8)
            await web.send(json.dumps({"changed": f"item/{number * 7919}", "by": "u" * random.randrange(3, 20)}))

    task = asyncio.ensure_future(tells())
    async for _ in web:
        await web.send(json.dumps({"item": text(random.choice((40, 400, 3000)))}))
    task.cancel()


async def push(web):
    """Fetch what changed, and now and then change something."""
    async for data in web:
        if "changed" in json.loads(data):
            await web.send(json.dumps({"get": json.loads(data)["changed"], "fields": ["a", "b"]}))
            if random.random() < 0.3:
                await web.send(json.dumps({"put": text(60)}))
            if '/55433"' in data:
                await human(1, 2)
                return


async def agent_serve(reader, writer):
    """Ask an agent for its state, at regular times."""
    for number in range(10):
        await asyncio.sleep(random.choice((3, 3.1, 5)))
        writer.write(json.dumps({"id": number, "check": random.choice(("load", "disk", "memory", "users"))}).encode())
        await reader.read(65_536)
    writer.close()


async def agent(reader, writer):
    """Tell one's state."""
    while data := await reader.read(4096):
        kind = json.loads(data)["check"]
        values = {"load": 3, "disk": 9, "memory": 6, "users": 1}[kind]
        writer.write(json.dumps({"id": 1, kind: [random.random() * 100 for _ in range(values)]}).encode())


async def lines_serve(reader, writer):
    """Greet, and answer lines."""
    writer.write(b"220 lab.example ready, be polite\r\n")
    while line := await reader.readline():
        writer.write(f"250 {text(30)}\r\n".encode())
        if line.startswith(b"QUIT"):
            break
    writer.close()


async def lines(reader, writer):
    """Type lines to a server."""
    await reader.readline()
    for line in ("HELO lab", "LIST", "STAT something", "HELP", "NOOP", "QUIT"):
        await human(1, 6)
        writer.write(f"{line} {text(9)}\r\n".encode())
        await reader.readline()


async def binary_serve(reader, writer):
    """Answer requests of a length and a body."""
    while True:
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
        size = int(random.expovariate(1 / random.choice((20, 90, 900))))
        writer.write(size.to_bytes(4, "big") + os.urandom(size))


async def binary(reader, writer):
    """Ask small things, many at once or after a pause."""
    for _ in range(random.randint(10, 30)):
        size = int(random.expovariate(1 / random.choice((12, 60, 200)))) + 5
        writer.write(size.to_bytes(4, "big") + os.urandom(size))
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
        await asyncio.sleep(random.choice((0, 0, 0, 0.02, 0.6, 2)))


SOCKETS = {
    "chat": (chat_serve, chat),
    "desk": (desk_serve, desk),
    "term": (term_serve, term),
    "push": (push_serve, push),
}
STREAMS = {
    "feed": (web_serve, feed),
    "long": (web_serve, long),
    "agent": (agent_serve, agent),
    "lines": (lines_serve, lines),
    "binary": (binary_serve, binary),
}


async def serve(role, host, port, pem):
    """Serve for ever."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    if role in STREAMS:
        await (await asyncio.start_server(STREAMS[role][0], host, port, ssl=made)).serve_forever()
    import websockets

    async with websockets.serve(SOCKETS[role][0], host, port, ssl=made):
        await asyncio.Future()


async def call(role, host, port):
    """Play the client for at most 45 s."""
    if role in STREAMS:
        reader, writer = await asyncio.open_connection(host, port, ssl=trusting(), server_hostname="lab.example")
        await asyncio.wait_for(STREAMS[role][1](reader, writer), 45)
        writer.close()
    else:
        import websockets

        place = f"wss://{'[' + host + ']' if ':' in host else host}:{port}/"
        async with websockets.connect(place, ssl=trusting(), origin="https://lab.example") as web:
            await asyncio.wait_for(SOCKETS[role][1](web), 45)


if __name__ == "__main__":
    name, address, number, *pems = sys.argv[1:]
    random.seed(time.time_ns())
    if pems:
        asyncio.run(serve(name, address, int(number), pems[0]))
    else:
        asyncio.run(call(name, address, int(number)))
