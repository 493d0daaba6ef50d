# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: PLC0415 - each role has its own library; nothing here is secret
"""What is no tunnel on TLS ports, by Python with the lab's libraries: `tlsothers.py ROLE ADDRESS PORT [CERTIFICATE]`.

Servers: `api` answers HTTP with small JSON, `events` pushes what the client acknowledges by itself, `grpc`. Clients of
the same names, and `imap`, `doh`, `film`: a mail client that waits, name queries over HTTP/2, a film in ranges.
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


def serving(pem):
    """TLS of a server."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    return made


async def serve_api(host, port, pem):
    """HTTP/1.1 with answers of 2 to 3,000 bytes, some with a redirection or no content."""

    async def caller(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            size = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            await reader.readexactly(size[0] if size else 0)
            body = os.urandom(random.choice((0, 2, 20, 60, 150, 400, 900, 3000))).hex()
            status = random.choice(("200 OK", "200 OK", "200 OK", "304 Not Modified", "302 Found"))
            lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
            lines += [f"X-Request-Id: {os.urandom(8).hex()}"] * random.randrange(2)
            writer.write("\r\n".join([*lines, "", body]).encode())
            await writer.drain()

    await (await asyncio.start_server(caller, host, port, ssl=serving(pem))).serve_forever()


async def call_api(host, port):
    """Log in, then ask and post at random, as programs do that use an interface over HTTP."""
    import httpx

    place = f"https://{'[' + host + ']' if ':' in host else host}:{port}"
    async with httpx.AsyncClient(verify=False, timeout=20) as client:
        await client.post(f"{place}/login", json={"user": "lab", "password": "x" * random.randint(8, 20)})
        client.headers["Authorization"] = "Bearer " + os.urandom(random.choice((20, 120, 400))).hex()
        for _ in range(random.randint(4, 14)):
            if random.random() < 0.5:
                await client.get(f"{place}/items/{random.randrange(10**6)}?page={random.randrange(9)}")
            else:
                await client.post(f"{place}/items", json={"text": "y" * int(random.expovariate(1 / 200))})
            await asyncio.sleep(random.choice((0, 0, 0.05, 0.6, 3)))


async def serve_events(host, port, pem):
    """Push notes after pauses of seconds; the client acknowledges each (as chat bots and push services do)."""

    async def caller(reader, writer):
        for number in range(12):
            await asyncio.sleep(random.uniform(0.8, 6))
            note = {"id": number, "text": "z" * int(random.expovariate(1 / 120))}
            writer.write(json.dumps(note).encode() + b"\n")
            await reader.readline()
        writer.close()

    await (await asyncio.start_server(caller, host, port, ssl=serving(pem))).serve_forever()


async def call_events(host, port):
    """Subscribe, and acknowledge what comes."""
    reader, writer = await asyncio.open_connection(host, port, ssl=trusting(), server_hostname="lab.example")
    writer.write(json.dumps({"subscribe": os.urandom(30).hex()}).encode() + b"\n")
    while line := await reader.readline():
        writer.write(json.dumps({"ack": json.loads(line)["id"]}).encode() + b"\n")


def serve_grpc(host, port, pem):
    """Unary and streaming calls of gRPC."""
    from concurrent import futures

    import grpc

    class Any(grpc.GenericRpcHandler):
        def service(self, details):
            if details.method.endswith("stream"):
                return grpc.unary_stream_rpc_method_handler(self.stream)
            return grpc.unary_unary_rpc_method_handler(lambda data, _: os.urandom(random.randrange(200)))

        def stream(self, data, _):
            for _ in range(8):
                time.sleep(random.uniform(0.2, 2))
                yield os.urandom(random.randrange(400))

    with open(pem, "rb") as file:
        text = file.read()
    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Any()])
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    server.add_secure_port(place, grpc.ssl_server_credentials([(text, text)]))
    server.start()
    server.wait_for_termination()


def call_grpc(host, port):
    """Call some methods, with pauses."""
    import grpc

    pem = ssl.get_server_certificate((host, port)).encode()
    options = [("grpc.ssl_target_name_override", "lab.example")]
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with grpc.secure_channel(place, grpc.ssl_channel_credentials(pem), options) as channel:
        for _ in range(5):
            channel.unary_unary("/lab.Items/get")(os.urandom(random.randrange(120)), timeout=20)
            time.sleep(random.choice((0, 0.1, 2)))
        list(channel.unary_stream("/lab.Items/stream")(b"x", timeout=30))


def call_imap(host, port):
    """Log in, look into folders, wait for new mail."""
    import imaplib

    mail = imaplib.IMAP4_SSL(host, port, ssl_context=trusting())
    mail.login("student", "lab")
    mail.list()
    for _ in range(3):
        mail.append("INBOX", None, None, b"Subject: lab\r\n\r\n" + b"x" * random.randrange(900))
    mail.select()
    mail.fetch("1:*", "(FLAGS BODY.PEEK[HEADER])")
    for _ in range(4):
        time.sleep(random.uniform(1, 4))
        mail.noop()
    mail.logout()


def call_http2(host, port, role):
    """Names by DNS over HTTPS, or a film in ranges, over one connection."""
    import httpx

    place = f"https://{'[' + host + ']' if ':' in host else host}:{port}"
    with httpx.Client(verify=False, http2=True, timeout=20) as client:
        for number in range(25 if role == "doh" else 8):
            if role == "doh":
                kind = {"Content-Type": "application/dns-message", "Accept": "application/dns-message"}
                client.post(f"{place}/post", content=os.urandom(random.randint(29, 60)), headers=kind)
                time.sleep(random.expovariate(1 / 0.4))
            else:
                start = number * 300_000
                client.get(
                    f"{place}/film.bin", headers={"Range": f"bytes={start}-{start + random.randint(9**4, 300_000)}"}
                )
                time.sleep(random.uniform(0.5, 3))


if __name__ == "__main__":
    name, address, number, *more = sys.argv[1:]
    if more:
        started = {"api": serve_api, "events": serve_events, "grpc": serve_grpc}[name](address, int(number), more[0])
    elif name in ("doh", "film"):
        started = call_http2(address, int(number), name)
    else:
        calls = {"api": call_api, "events": call_events, "grpc": call_grpc, "imap": call_imap}
        started = calls[name](address, int(number))
    if started:
        asyncio.run(started)
