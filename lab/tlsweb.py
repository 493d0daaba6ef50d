# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.tlsweb COUNT FILE [SEED]`, as root: a capture of so many connections of httpx to nginx.

Both run in a network namespace of their own, over lo with an MTU of 1,500. For false alarms: nothing of it is a
tunnel or a shell. HTTP/1.1 and HTTP/2, TLS 1.2 and 1.3, headers of a browser, of a program, of an interface with
tokens; files of 1 to 47,000 bytes, redirects, 204, 304, 404, small answers, posts. Needs the lab's environment
(lab/tlsfronts.py).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab.network import Machine
from lab.tlsfronts import TOOLS

CLIENT = """
import asyncio, httpx, os, random, ssl, sys
AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36'
ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
async def one(draw):
    context = httpx.create_ssl_context(verify=False)
    if draw.random() < .25: context.maximum_version = ssl.TLSVersion.TLSv1_2
    headers = draw.choice(({}, {'user-agent': AGENT, 'accept': ACCEPT,
        'cookie': 's=' + os.urandom(draw.choice((8, 40, 200, 600))).hex()},
        {'authorization': 'Bearer ' + os.urandom(draw.choice((16, 100, 300))).hex()}))
    async with httpx.AsyncClient(verify=context, http2=draw.random() < .6, headers=headers, timeout=20) as web:
        for _ in range(draw.randint(1, 9)):
            page = draw.choice(('go', 'ok', 'none', 'api', 'x' * draw.randint(1, 60)) + tuple(
                f'f{draw.randrange(60)}?q=' + 'z' * int(draw.expovariate(1 / 20)) for _ in range(8)))
            if draw.random() < .3:
                body = b'x' * int(draw.expovariate(1 / 300))
                await web.post('https://127.0.0.1/' + draw.choice(('api', 'ok', 'none')), content=body)
            else:
                new = {'if-modified-since': 'Wed, 25 Nov 2099 15:00:00 GMT'} if draw.random() < .2 else {}
                await web.get('https://127.0.0.1/' + page, headers=new)
            await asyncio.sleep(draw.choice((0, 0, 0, 0, .02, .5)))
async def main():
    few = asyncio.Semaphore(12)
    async def some(number):
        async with few: await one(random.Random(number))
    first = int(sys.argv[2])
    await asyncio.gather(*map(some, range(first, first + int(sys.argv[1]))), return_exceptions=True)
asyncio.run(main())
"""


def config(folder: Path) -> str:
    """Return nginx's configuration."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in kinds)
    return (
        f"user root; worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/err;\n"
        f"events {{ worker_connections 2048; }}\nhttp {{ access_log off; {temporary}\n"
        f"server {{ listen 127.0.0.1:443 ssl http2; ssl_certificate {folder}/pem; ssl_certificate_key {folder}/pem;\n"
        f"ssl_protocols TLSv1.2 TLSv1.3; root {folder}; "
        "location /go { return 302 /f5; } location /none { return 204; }\n"
        'location /ok { return 200 \'ok\'; } location /api { return 200 \'{"status":"ok","id":123456}\'; } } }\n'
    )


def main() -> None:
    """Record."""
    count, path, *seed = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="flowtap-web-") as name:
        folder = Path(name)
        pem = f"{folder}/pem"
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=lab.example"]
        subprocess.run([*make, "-keyout", pem + ".key", "-out", pem], check=True, capture_output=True, timeout=60)
        Path(pem).write_text(Path(pem).read_text() + Path(pem + ".key").read_text())
        for number in range(60):
            (folder / f"f{number}").write_bytes(bytes(int(1.2**number)))
        (folder / "conf").write_text(config(folder))
        machine = Machine()
        try:
            machine.do("ip", "link", "set", "lo", "mtu", "1500")
            machine.start("nginx", "-c", f"{folder}/conf")
            machine.await_port(443)
            machine.start("tcpdump", "-i", "lo", "-s", "96", "-B", "32000", "-U", "-Z", "root", "-w", path, "tcp")
            time.sleep(2)
            client = machine.inside(f"{TOOLS}/python", "-W", "ignore", "-c", CLIENT, count, *(seed or "0"))
            subprocess.run(client, check=True, timeout=3600)
            time.sleep(2)
        finally:
            machine.close()


if __name__ == "__main__":
    main()
