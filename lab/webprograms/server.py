# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D103, UP031, PLC0415 - each role has its own library and is named for what it does
"""Web servers in Python: `server.py KIND PLACES PEM`, PLACES as JSON: [[ADDRESS, PORT, FLAVOUR], ...].

KIND is aiohttp, hypercorn, uvicorn, tornado or cheroot. All answer what a path asks for (lab/webplan.py);
`/ws` is a websocket of several kinds of talk. FLAVOUR `plain` is without TLS; the others are in `context`.
"""

import asyncio
import json
import os
import random
import ssl
import sys
import time
import urllib.parse


def context(pem, flavour):
    """Return the TLS settings of a flavour, None for `plain`."""
    if flavour == "plain":
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    if flavour in ("old", "cbc", "chacha"):
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    if flavour == "cbc":
        made.set_ciphers("ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0")
    if flavour == "chacha":
        made.set_ciphers("ECDHE+CHACHA20")
    if flavour == "retry":  # most clients offer another group first
        made.set_ecdh_curve("secp384r1")
    if flavour == "ticketless":
        made.num_tickets = 0
        made.options |= ssl.OP_NO_TICKET
    return made


def asked(url):
    """Return status, size, seconds, pieces and size of further headers that a URL asks for."""
    given = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    number = {key: int(given.get(key) or 0) for key in "snkth"}
    return number["s"] or 200, number["n"], number["t"] / 1000, max(1, number["k"]), number["h"]


def headers(status, size, more):
    """Return headers of an answer."""
    made = {"Content-Type": "application/json"}
    if status not in (204, 304):
        made["Content-Length"] = str(size)
    if status == 302:
        made["Location"] = "/b/?n=9"
    if more:
        made["X-Trace-Id"] = "t" * more
    return made


def said(size):
    """Return text that does not get much shorter when it is compressed, as many websockets do."""
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz    0123456789", k=max(1, int(size))))


async def talk(kind, send, receive):
    """Hold a websocket talk: what the client says is answered by kind; some kinds speak by themselves."""

    async def speak():
        if kind == "ticker":
            while True:
                await asyncio.sleep(random.expovariate(3))
                await send(said(random.randint(60, 190)))
        elif kind == "game":
            while True:
                await asyncio.sleep(0.05)
                await send(os.urandom(random.randint(40, 260)))
        elif kind == "board":
            while True:
                await asyncio.sleep(2)
                await send(said(random.choice((120, 121, 122, 480))))
        elif kind == "chat":
            while True:  # others write
                await asyncio.sleep(random.uniform(1, 7))
                for _ in range(random.randint(0, 3)):
                    await send('{"typing":"someone"}')
                    await asyncio.sleep(random.uniform(0.3, 1))
                await send(said(20 + random.lognormvariate(3.5, 0.8)))
        elif kind == "notes":
            while True:
                await asyncio.sleep(random.uniform(0.8, 6))
                await send(said(4 + random.lognormvariate(3.3, 1)))

    speaking = asyncio.ensure_future(speak())
    try:
        while (heard := await receive()) is not None:
            if kind == "editor":
                await send('{"ack":%d}' % random.randrange(1000))
            elif kind == "echo":
                await send(heard)
            elif kind in ("chat", "rpc"):
                await send(said(random.choice((12, 30, random.lognormvariate(4.5, 1)))))
    finally:
        speaking.cancel()


def run_aiohttp(places, pem):
    from aiohttp import WSMsgType, web

    async def answer(request):
        status, size, pause, pieces, more = asked(request.path_qs)
        await request.read()
        if pieces == 1:
            await asyncio.sleep(pause)
            body = b"" if status in (204, 304) else b"x" * size
            return web.Response(status=status, body=body, headers={**headers(status, size, more)})
        made = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await made.prepare(request)
        for _ in range(pieces):
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            await made.write(b"x" * (size // pieces + random.randint(0, 20)))
        return made

    async def socket(request):
        made = web.WebSocketResponse(heartbeat=random.choice((None, 5, 20)))
        await made.prepare(request)

        async def receive():
            message = await made.receive()
            return message.data if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) else None

        async def send(text):
            await (made.send_str(text) if isinstance(text, str) else made.send_bytes(text))

        await talk(request.query.get("kind", ""), send, receive)
        return made

    async def main():
        app = web.Application(client_max_size=1 << 24)
        app.router.add_get("/ws", socket)
        app.router.add_route("*", "/b/{rest:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        for host, port, flavour in places:
            await web.TCPSite(runner, host, port, ssl_context=context(pem, flavour)).start()
        await asyncio.Event().wait()

    asyncio.run(main())


async def asgi(scope, receive, send):
    """Answer as an ASGI application."""
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        kind = dict(urllib.parse.parse_qsl(scope["query_string"].decode())).get("kind", "")

        async def hear():
            message = await receive()
            if message["type"] != "websocket.receive":
                return None
            return message.get("text") or message.get("bytes") or ""

        async def say(text):
            await send({"type": "websocket.send", "text" if isinstance(text, str) else "bytes": text})

        await talk(kind, say, hear)
        return
    while (await receive()).get("more_body"):
        pass
    status, size, pause, pieces, more = asked("?" + scope["query_string"].decode())
    head = [(key.lower().encode(), value.encode()) for key, value in headers(status, size, more).items()]
    if pieces > 1:
        head = [pair for pair in head if pair[0] != b"content-length"]
    await asyncio.sleep(pause)
    await send({"type": "http.response.start", "status": status, "headers": head})
    if status in (204, 304) or scope["method"] == "HEAD":
        size = 0
    for number in range(pieces):
        if number:
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        body = b"x" * (size // pieces if pieces > 1 else size)
        await send({"type": "http.response.body", "body": body, "more_body": number < pieces - 1})


def run_hypercorn(places, pem):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    class Flavoured(Config):
        flavour = ""

        def create_ssl_context(self):
            made = context(pem, self.flavour)
            if made:
                made.set_alpn_protocols(["h2", "http/1.1"])
            return made

        @property
        def ssl_enabled(self):
            return self.flavour != "plain"

    async def main():
        tasks = []
        for host, port, flavour in places:
            made = Flavoured()
            made.flavour = flavour
            made.bind = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
            tasks.append(serve(asgi, made, shutdown_trigger=asyncio.Event().wait))
        await asyncio.gather(*tasks)

    asyncio.run(main())


def run_uvicorn(places, pem):
    import uvicorn

    class Quiet(uvicorn.Server):
        def install_signal_handlers(self):
            pass

    async def main():
        servers = []
        for host, port, flavour in places:
            config = uvicorn.Config(asgi, host=host, port=port, log_level="error", ws="wsproto", lifespan="off")
            config.load()
            config.ssl = context(pem, flavour)
            servers.append(Quiet(config).serve())
        await asyncio.gather(*servers)

    asyncio.run(main())


def run_tornado(places, pem):
    import tornado.httpserver
    import tornado.web

    class Any(tornado.web.RequestHandler):
        SUPPORTED_METHODS = (*tornado.web.RequestHandler.SUPPORTED_METHODS, "PROPFIND")

        async def answer(self, *_):
            status, size, pause, pieces, more = asked(self.request.uri)
            await asyncio.sleep(pause)
            self.set_status(status)
            for key, value in headers(status, size, more).items():
                if pieces == 1:
                    self.set_header(key, value)
            for number in range(pieces if status not in (204, 304) else 0):
                if number:
                    await self.flush()
                    await asyncio.sleep(pause)
                if self.request.method != "HEAD":
                    self.write(b"x" * (size // pieces))

        get = post = put = patch = delete = head = propfind = answer

    async def main():
        app = tornado.web.Application([("/b/.*", Any)], log_function=lambda _: None)
        for host, port, flavour in places:
            tornado.httpserver.HTTPServer(app, ssl_options=context(pem, flavour)).listen(port, host)
        await asyncio.Event().wait()

    asyncio.run(main())


def run_cheroot(places, pem):
    import threading

    from cheroot import wsgi
    from cheroot.ssl.builtin import BuiltinSSLAdapter

    def app(environ, start):
        status, size, pause, pieces, more = asked("?" + environ["QUERY_STRING"])
        time.sleep(pause)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        head = headers(status, size, more)
        if pieces > 1:
            head.pop("Content-Length")
        start(f"{status} Said", list(head.items()))
        if status in (204, 304) or environ["REQUEST_METHOD"] == "HEAD":
            return
        yield b"x" * (size // pieces)
        for _ in range(pieces - 1):
            time.sleep(pause)
            yield b"x" * (size // pieces)

    for host, port, flavour in places:
        server = wsgi.Server((host, port), app, numthreads=24, timeout=60)
        if flavour != "plain":
            server.ssl_adapter = BuiltinSSLAdapter(pem, pem)
            server.ssl_adapter.context = context(pem, flavour)
        threading.Thread(target=server.start).start()


if __name__ == "__main__":
    kind, given, certificate = sys.argv[1:]
    {
        "aiohttp": run_aiohttp,
        "hypercorn": run_hypercorn,
        "uvicorn": run_uvicorn,
        "tornado": run_tornado,
        "cheroot": run_cheroot,
    }[kind](json.loads(given), certificate)
