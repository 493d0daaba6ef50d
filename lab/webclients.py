# SPDX-License-Identifier: LGPL-2.1-or-later
"""Web clients of many programs: players of the plans of lab/webplan.py, crawlers and load generators."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.network import Lab
from lab.webplan import path, size
from lab.webserve import PROGRAMS, PYTHON, go, java

TOOLS = "/opt/tlslab/bin/python"  # where httpx, curl_cffi are (lab/tlsfronts.py)
LIMIT = 120  # seconds that all sessions of one program may take


def _json(lab: Lab, base: str, sessions: list[dict[str, Any]], name: str) -> str:
    file = lab.folder / f"{name}.json"
    pem = str(lab.folder / "both.pem")
    file.write_text(json.dumps({"base": base, "pem": pem, "sessions": sessions}))
    return str(file)


def _lines(lab: Lab, base: str, sessions: list[dict[str, Any]], name: str) -> str:
    lines = [base]
    for one in sessions:
        lines.append(f"S\t{one['at']}\t{int(one['old'])}\t{int(one['h2'])}")
        for pause, method, where, head, length in one["steps"]:
            lines.append(f"R\t{pause}\t{method}\t{where}\t{length}")
            lines += [f"H\t{key}\t{value}" for key, value in head.items()]
    file = lab.folder / f"{name}.txt"
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def _python(kind: str, python: str = PYTHON) -> Callable[[], list[str]]:
    return lambda: [python, str(PROGRAMS / "client.py"), kind]


def _node(kind: str) -> Callable[[], list[str]]:
    return lambda: ["node", str(PROGRAMS / "client.js"), kind]


# Programs that play a plan: how they are called, and the file of the plan.
PLAYERS: dict[str, tuple[Callable[[], list[str]], Callable[..., str]]] = {
    **{kind: (_python(kind), _json) for kind in ("requests", "urllib3", "http.client", "pycurl", "curl", "aiohttp")},
    **{kind: (_python(kind, TOOLS), _json) for kind in ("httpx", "cffi")},
    **{f"node-{kind}": (_node(kind), _json) for kind in ("agent", "http2", "fetch")},
    "go": (lambda: [go(), "play"], _json),
    "java-client": (lambda: [*java(), "client"], _lines),
    "java-connection": (lambda: [*java(), "connection"], _lines),
    "ruby": (lambda: ["ruby", str(PROGRAMS / "client.rb")], _json),
    "perl": (lambda: ["perl", str(PROGRAMS / "client.pl")], _json),
    "php-curl": (lambda: ["php", str(PROGRAMS / "client.php"), "curl"], _json),
    "php-stream": (lambda: ["php", str(PROGRAMS / "client.php"), "stream"], _json),
}
TLS_ONLY = ("node-http2", "cffi")  # without TLS they would speak HTTP/1.1 as their neighbours do, or nothing


def play(lab: Lab, client: str, base: str, sessions: list[dict[str, Any]], name: str) -> None:
    """Play sessions with a program; what has not ended in time is cut off. Raises CalledProcessError when it fails."""
    command, write = PLAYERS[client]
    line = [*command(), write(lab, base, sessions, name)]
    with (lab.folder / f"{name}.err").open("wb") as errors, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            lab.client.inside("env", "HOME=/root", *line), stdout=errors, stderr=errors, timeout=LIMIT, check=True
        )


def _urls(draw: random.Random, base: str, count: int) -> list[str]:
    return [base + path(draw, draw.randint(4, 50), n=size(draw, 3_000, 1.6)) for _ in range(count)]


def _page(draw: random.Random, base: str) -> str:
    return f"{base}/p{draw.randrange(120)}.html"


def _folder(draw: random.Random) -> str:
    return f"/tmp/flowtap-web/{draw.randrange(10**12)}"


APT = """mkdir -p FOLDER/l/partial FOLDER/c && echo "deb [trusted=yes] BASE/apt ./" > FOLDER/s && apt-get update \\
-o Dir::Etc::sourcelist=FOLDER/s -o Dir::Etc::sourceparts=- -o Dir::State::Lists=FOLDER/l -o Dir::Cache=FOLDER/c \\
-o Acquire::https::Verify-Peer=false -o Acquire::https::Verify-Host=false -o APT::Sandbox::User=root"""


# Programs that decide for themselves: what is called again and again, from a generator and the server's URL.
CRAWLERS: dict[str, Callable[[random.Random, str], list[str]]] = {
    "wget": lambda draw, base: [
        *("wget", "-q", "--no-check-certificate", "-O", "/dev/null", "-T", "20", "-t", "1"),
        *([f"--wait={draw.choice((0.3, 1))}", "--random-wait"] if draw.random() < 0.3 else []),
        *(["--secure-protocol=TLSv1_2"] if draw.random() < 0.2 else []),
        *_urls(draw, base, draw.randint(1, 7)),
    ],
    "wget-pages": lambda draw, base: [
        *(
            "wget",
            "-q",
            "--no-check-certificate",
            "-P",
            "/tmp/flowtap-web/wget",
            "-T",
            "20",
            "-t",
            "1",
            "-p",
            "-r",
            "-l",
            "1",
        ),
        *("-Q", "900k", "--delete-after", _page(draw, base)),
    ],
    "wget2": lambda draw, base: [
        *("wget2", "-q", "--no-check-certificate", "-O", "/dev/null", "--timeout=20", "--tries=1"),
        *_urls(draw, base, draw.randint(2, 9)),
    ],
    "aria2": lambda draw, base: [
        *(
            "aria2c",
            "-q",
            "--check-certificate=false",
            "-d",
            "/tmp/flowtap-web/aria",
            "-x",
            "4",
            "--allow-overwrite=true",
        ),
        *("--connect-timeout=20", "-t", "20", "-Z", *_urls(draw, base, draw.randint(1, 4))),
    ],
    "axel": lambda draw, base: [
        *("axel", "-q", "-k", "-n", "3", "-T", "20", "-o", _folder(draw)),
        f"{base}/o{draw.randrange(150)}.jpg",
    ],
    "h2load": lambda draw, base: [
        *("h2load", "-n", str(draw.randint(20, 200)), "-c", "10", "-m", str(draw.randint(1, 8)), "-T", "20"),
        *(["--h1"] if draw.random() < 0.3 else []),
        *_urls(draw, base, draw.randint(1, 4)),
    ],
    "ab": lambda draw, base: [
        *("ab", "-q", "-n", str(draw.randint(10, 60)), "-c", "5", "-s", "20"),
        *(["-k"] if draw.random() < 0.7 else []),
        _urls(draw, base, 1)[0],
    ],
    "wrk": lambda draw, base: [
        *("wrk", "-t", "1", "-c", "4", "-d", "1", "--timeout", "20"),
        base + path(draw, 15, n=size(draw, 500), t=draw.randint(20, 200)),
    ],
    "siege": lambda draw, base: [
        *("siege", "-q", "-b", "-c", "4", "-r", str(draw.randint(1, 6)), "--no-parser", _urls(draw, base, 1)[0]),
    ],
    "hey": lambda draw, base: [
        *("hey", "-n", "40", "-c", "5", "-q", "20", "-t", "20", *(["-h2"] if draw.random() < 0.5 else [])),
        *(["-disable-keepalive"] if draw.random() < 0.2 else []),
        _urls(draw, base, 1)[0],
    ],
    "pip": lambda draw, base: [
        *("/usr/bin/python3", "-m", "pip", "-q", "download", "--no-deps", "--no-cache-dir", "--retries", "0", "-d"),
        *(_folder(draw), "--trusted-host", base.partition("//")[2], "-i", f"{base}/simple/"),
        *(f"lab{number}" for number in draw.sample(range(8), draw.randint(1, 4))),
    ],
    "npm": lambda draw, base: [
        *("npm", "view", f"lab{draw.randrange(8)}", "--registry", base, "--strict-ssl=false", "--cache", _folder(draw)),
        *("--fetch-retries=0", "--update-notifier=false"),
    ],
    "git": lambda draw, base: [
        *("git", "-c", "http.sslVerify=false", "clone", "-q", f"{base}/repo.git", _folder(draw)),
    ],
    "rclone": lambda draw, base: [
        *(
            "rclone",
            *draw.choice((("lsf", ":http:simple"), ("cat", f":http:lab{draw.randrange(8)}"))),
            "--http-url",
            base,
            "--no-check-certificate",
        ),
        *("--retries", "1", "--config", "/dev/null", "--max-transfer", "300k", "--contimeout", "20s"),
    ],
    "apt": lambda draw, base: [
        *("sh", "-c", APT.replace("BASE", base).replace("FOLDER", _folder(draw))),
    ],
    "http": lambda draw, base: [
        *("http", "--verify=no", "--ignore-stdin", "--timeout=20", draw.choice(("GET", "POST", "HEAD"))),
        _urls(draw, base, 1)[0],
    ],
    "lynx": lambda draw, base: ["lynx", "-dump", "-nolist", "-connect_timeout=20", _page(draw, base)],
    "w3m": lambda draw, base: ["sh", "-c", f"yes | w3m -dump -o ssl_verify_server=0 {_page(draw, base)}"],
    "links": lambda draw, base: ["links", "-dump", "-ssl.certificates", "0", _page(draw, base)],
    "elinks": lambda draw, base: [
        *("elinks", "-dump", "1", "-eval", "set connection.ssl.cert_verify = 0", _page(draw, base)),
    ],
    "curl-pages": lambda draw, base: [
        *(
            "curl",
            "-sk",
            "-m",
            "30",
            "-o",
            "/dev/null",
            f"{base}/o[{draw.randrange(140)}-{draw.randrange(140, 150)}:3].jpg",
        ),
    ],
    "curl-parallel": lambda draw, base: [
        *("curl", "-sk", "-Z", "-m", "30", "--parallel-max", str(draw.randint(2, 8))),
        *(word for url in _urls(draw, base, draw.randint(4, 30)) for word in ("-o", "/dev/null", url)),
    ],
    "httrack": lambda draw, base: [
        *(
            "httrack",
            "-q",
            "-r2",
            "-m60000",
            "-M600000",
            "-c3",
            "-E15",
            "-O",
            _folder(draw),
        ),
        _page(draw, base),
    ],
    "lftp": lambda draw, base: [
        *("lftp", "-c"),
        "set ssl:verify-certificate no; set net:timeout 20; set net:max-retries 1; "
        + "; ".join(f"cat {base}/o{draw.randrange(150)}.jpg > /dev/null" for _ in range(draw.randint(1, 5))),
    ],
}
NEED_FILES = (
    "pip",
    "npm",
    "git",
    "rclone",
    "apt",
    "wget-pages",
    "axel",
    "lynx",
    "w3m",
    "links",
    "elinks",
    "curl-pages",
    "httrack",
    "lftp",
)  # of `site`
SERVE_FILES = ("nginx", "apache", "caddy", "lighttpd", "h2o")
NEED_SECRET = ("httrack",)  # checks certificates or cannot do TLS here: plain only


def crawl(lab: Lab, client: str, base: str, seed: int, times: int, seconds: float) -> None:
    """Call a program again and again for some time, each time for something else."""
    lab.client.do("mkdir", "-p", "/tmp/flowtap-web")
    draw, end = random.Random(seed), time.monotonic() + seconds
    for _ in range(times):
        if time.monotonic() > end:
            break
        words = ["timeout", "40", *CRAWLERS[client](draw, base)]
        subprocess.run(
            lab.client.inside("env", "HOME=/root", *words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        time.sleep(draw.expovariate(1))


def players(*, tls: bool) -> list[str]:
    """Return the programs that are here and play plans."""
    known = [name for name in PLAYERS if tls or name not in TLS_ONLY]
    return [name for name in known if name not in ("httpx", "cffi") or Path(TOOLS).exists()]
