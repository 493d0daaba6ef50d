# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D103, D401, PLC0415 - each role has its own library and is named for what it does
"""People at terminals and screens far away, in the browser and by VNC."""

import asyncio
import json
import socket
import threading
import time

from proto_base import AT, COMMANDS, HOST, PORT, TLS, Outside, run, trusting, typed


async def _terminal(draw):
    """A person at a shell in the browser (terminado): each key is a message, echoes come back."""
    import websockets

    more = {"ssl": trusting()} if TLS else {}
    async with websockets.connect(f"{'wss' if TLS else 'ws'}://{AT}:{PORT}/terminal", ping_interval=20, **more) as web:

        async def hear():
            async for _ in web:
                pass

        hearing = asyncio.ensure_future(hear())
        await web.send('["set_size",24,80,600,800]')
        for line in draw.sample(COMMANDS, draw.randint(2, 5)):
            await asyncio.sleep(draw.uniform(0.7, 4))
            for key in line + "\r":
                await asyncio.sleep(min(1.2, draw.lognormvariate(-1.97, 0.45)))
                await web.send(json.dumps(["stdin", key]))
        await asyncio.sleep(draw.uniform(0.5, 2))
        hearing.cancel()


def terminal(draw):
    asyncio.run(_terminal(draw))


def shellinabox(draw):
    """A person at a shell in the browser by long polls and posts of keys (shellinabox)."""
    import http.client
    import urllib.parse

    def made():
        if TLS:
            return http.client.HTTPSConnection(HOST, PORT, timeout=40, context=trusting())
        return http.client.HTTPConnection(HOST, PORT, timeout=40)

    head = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    first = made()
    first.request("POST", "/?", "width=80&height=24&rooturl=%2F", head)
    session = json.loads(first.getresponse().read()).get("session", "")
    over = threading.Event()

    def listen():
        web = made()
        while not over.is_set():
            try:
                web.request("POST", "/?", f"width=80&height=24&session={urllib.parse.quote(session)}", head)
                web.getresponse().read()
            except (OSError, http.client.HTTPException):
                return

    threading.Thread(target=listen, daemon=True).start()
    for line in draw.sample(COMMANDS, draw.randint(2, 4)):
        for key in typed(draw, line + "\r"):
            keys = key.encode().hex().upper()
            first.request("POST", "/?", f"width=80&height=24&session={urllib.parse.quote(session)}&keys={keys}", head)
            first.getresponse().read()
    over.set()


def vnc(draw):
    """A screen far away (RFB 3.8), plain or over a websocket (websockify): keys, the mouse, updates."""
    import struct

    with Outside() as out, socket.create_connection((out.host, out.port), 20) as stream:

        def exactly(count):
            data = b""
            while len(data) < count:
                more = stream.recv(count - len(data))
                if not more:
                    raise EOFError
                data += more
            return data

        exactly(12)
        stream.sendall(b"RFB 003.008\n")
        exactly(exactly(1)[0])
        stream.sendall(b"\1")
        exactly(4)
        stream.sendall(b"\1")
        width, height = struct.unpack(">HH", exactly(4))
        exactly(16)
        exactly(struct.unpack(">I", exactly(4))[0])
        stream.sendall(struct.pack(">BxH2i", 2, 2, 0, 1))

        def watch():
            try:
                while True:
                    if not stream.recv(65536):
                        return
                    stream.sendall(struct.pack(">BBHHHH", 3, 1, 0, 0, width, height))
            except OSError:
                return

        threading.Thread(target=watch, daemon=True).start()
        stream.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
        end = time.monotonic() + draw.uniform(8, 25)
        while time.monotonic() < end:
            if draw.random() < 0.5:
                for key in typed(draw, draw.choice(COMMANDS) + "\r"):
                    for down in (1, 0):
                        stream.sendall(struct.pack(">BBxxI", 4, down, 0xFF0D if key == "\r" else ord(key)))
            else:
                for _ in range(draw.randint(5, 40)):
                    stream.sendall(struct.pack(">BBHH", 5, 0, draw.randrange(width), draw.randrange(height)))
                    time.sleep(0.02)
                time.sleep(draw.uniform(0.2, 2))


def viewer(draw):
    """The same with a program: xtightvncviewer on a screen without glass."""
    with Outside() as out:
        words = ["timeout", "15", "xvfb-run", "-a", "xtightvncviewer", "-nocursorshape", f"{out.host}::{out.port}"]
        run(*words, limit=30)
