# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D401, UP031, PLC0415 - each role has its own library and is named for what it does
"""Chats and websockets."""

import asyncio
import json
import os
import ssl
import time

from proto_base import AT, PORT, TLS, connect, text, trusting


def irc(draw):
    """A program or a person in a chat room; the server pings."""
    with connect() as stream:
        nick = "n%06d" % draw.randrange(10**6)
        stream.sendall(f"NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n".encode())
        stream.settimeout(0.5)
        end = time.monotonic() + draw.uniform(12, 30)
        joined = False
        spoken = time.monotonic() + draw.uniform(2, 9)
        while time.monotonic() < end:
            try:
                got = stream.recv(8192)
            except (TimeoutError, ssl.SSLError):
                got = b""
            for line in got.split(b"\r\n"):
                if line.startswith(b"PING"):
                    stream.sendall(b"PONG" + line[4:] + b"\r\n")
            if got and not joined:
                stream.sendall(f"JOIN #room{draw.randrange(3)}\r\n".encode())
                joined = True
            if time.monotonic() > spoken:
                stream.sendall(f"PRIVMSG #room{draw.randrange(3)} :{text(draw, 30)}\r\n".encode())
                spoken = time.monotonic() + draw.uniform(2, 9)
        stream.sendall(b"QUIT\r\n")


def websocket(kind):
    """Return what one side of a websocket of this kind does (see `talk` of server.py)."""

    async def act(draw):
        import websockets

        place = f"{'wss' if TLS else 'ws'}://{AT}:{PORT}/ws?kind={kind}"
        more = {"ssl": trusting()} if TLS else {}
        beat = draw.choice((None, 3, 20))
        async with websockets.connect(place, ping_interval=beat, max_size=None, **more) as web:

            async def hear():
                async for said in web:
                    if kind == "notes" and isinstance(said, str):  # a receipt, as chats have it
                        await web.send('{"seen":%d,"at":"%d"}' % (len(said), time.time()))
                    elif kind == "chat" and draw.random() < 0.2:
                        await web.send('{"read":true}')

            hearing = asyncio.ensure_future(hear())
            end = time.monotonic() + draw.uniform(8, 28)
            while time.monotonic() < end and not hearing.done():
                if kind == "chat":
                    for _ in range(draw.randint(1, 3)):
                        await asyncio.sleep(draw.uniform(0.5, 2))
                        await web.send('{"typing":true}')
                    await asyncio.sleep(draw.uniform(0.5, 4))
                    await web.send(json.dumps({"text": text(draw, 35)}))
                elif kind == "editor":
                    await asyncio.sleep(draw.lognormvariate(-1.9, 0.5) + (2 if draw.random() < 0.05 else 0))
                    await web.send('{"op":"insert","at":%d,"text":"k"}' % draw.randrange(9999))
                elif kind == "game":
                    await asyncio.sleep(0.1)
                    await web.send(os.urandom(draw.randint(12, 40)))
                elif kind in ("rpc", "echo"):
                    await asyncio.sleep(draw.choice((0, 0.05, 0.5, 1.5)))
                    await web.send(json.dumps({"id": draw.randrange(10**6), "method": text(draw, 20)}))
                else:
                    await asyncio.sleep(3)
                    if draw.random() < 0.3:
                        await web.send('{"subscribe":"%s"}' % text(draw, 8))
            hearing.cancel()

    return lambda draw: asyncio.run(act(draw))
