# SPDX-License-Identifier: LGPL-2.1-or-later
"""A fourth part of the second recording of port 443, `drawn`: relays, fronts and programs put together by lot.

The programs are those of the other parts: it measures whether the signatures hold for combinations that nobody
chose. LOT=777 in the environment draws others.
"""

from __future__ import annotations

import os
import random

from lab import tlsserve
from lab.crowd import Activity
from lab.network import PASSWORD, SERVER
from lab.tls import Serve, nothing
from lab.tlsforeign import NODE, go, java, new
from lab.tlsfresh import PHP, RUBY, asks, erlang, go_web, other
from lab.tlsfronts import (
    GO_WEB,
    OLD_WEB,
    SSHD13,
    apache,
    go_front,
    go_proxy,
    java_front,
    mitmproxy,
    pproxy,
    proxy_py,
    squid,
    stunnel_new,
)
from lab.tlsmore import PAGE, behind, direct, library, reverse, ssh
from lab.tlsmoretunnels import CBC, CFFI, CHACHA, HTTPX, python, rows
from lab.tlsserve import INNER, INNER_WEB, PROXY, SSHD

RNG = random.Random(int(os.environ.get("LOT", "443")))
LOCALS = ("stunnel", "go", "go24", "java", "node", "socat", "socat13", "haproxy", "nginx", "stunnel13", "erlang")
AGENTS = ("openssl35", "gnutls", "gnutls13", "go", "go24", "openssl-chacha")
LIBRARIES = ("paramiko", "asyncssh", "dbclient", "plink")


def fronts(port: int) -> list[Serve]:
    """Return a relay of each kind before a port of the server."""
    host = SERVER if port == SSHD else INNER
    relays = (tlsserve.stunnel, tlsserve.haproxy, tlsserve.socat, tlsserve.ncat, tlsserve.stream)
    plain = [lambda lab, address, start=start: start(lab, address, f"{host}:{port}") for start in relays]
    return [
        *plain,
        *(
            lambda lab, address, more=more: tlsserve.haproxy(lab, address, f"{host}:{port}", more)
            for more in (CBC, CHACHA)
        ),
        *(go_front("", port, host), go_front("24", port, host), java_front(port, host), stunnel_new(port, host)),
        erlang(port, host),
    ]


def insides(kind: str) -> list[tuple[str, ...]]:
    """Return command lines that ask a web server behind a relay, with a CONNECT or without."""
    if kind == "bare":
        return [
            ("curl", "-sk", "-o", "/dev/null", "https://127.0.0.1:@/code.js"),
            ("wget", "-q", "--no-check-certificate", "-O", "/dev/null", "https://127.0.0.1:@/style.css"),
            ("php", "-r", PHP),
            tuple(new("curl", "-sk", "-o", "/dev/null", "https://127.0.0.1:@/style.css")),
            (go("24"), "get", "-", "20", "https://127.0.0.1:@/", "https://127.0.0.1:@/style.css"),
        ]
    proxy = "http://127.0.0.1:@"
    return [
        ("curl", "-sk", "-o", "/dev/null", "-x", proxy, f"{PAGE}/code.js"),
        ("curl", "-sk", "--http1.1", "-x", proxy, f"https://{INNER}:{OLD_WEB}/style.css"),
        tuple(new("curl", "-sk", "-x", proxy, f"https://{INNER}:{GO_WEB}/style.css")),
        ("ruby", "-e", RUBY, "@"),
        python(f"import httpx; httpx.Client(verify=False,proxy='{proxy}').get('{PAGE}/style.css')"),
    ]


def proxies() -> list[Serve]:
    """Return the forward proxies that are reached by TLS."""
    return [apache, squid(), squid("options=NO_TICKET"), go_proxy(""), go_proxy("24"), proxy_py, pproxy, mitmproxy]


def through() -> list[tuple[str, ...]]:
    """Return command lines that ask a web server through a proxy reached by TLS."""
    curl = ("-sk", "-o", "/dev/null", "--proxy-insecure", "-x", "https://#:443")
    cffi = "r.get('https://127.0.0.1:9443/style.css',impersonate='{}',verify=False,curl_options=O,proxies=p)"
    return [
        ("curl", *curl, f"{PAGE}/style.css"),
        ("curl", *curl, "--tls-max", "1.2", f"{PAGE}/style.css"),
        tuple(new("curl", *curl, f"https://{INNER}:{GO_WEB}/code.js")),
        (go(), "get", "#:443", "100", f"{PAGE}/", f"{PAGE}/style.css"),
        (go("24"), "get", "#:443", "100", f"https://{INNER}:{OLD_WEB}/"),
        ("node", NODE, "get", "@", "443", f"{INNER}:{GO_WEB}"),
        (*java(), "get", "@", "443", f"{INNER}:{OLD_WEB}", "2"),
        python(CFFI + "p={'https':'https://#:443'}\n" + cffi.format("chrome")),
        python(CFFI + "p={'https':'https://#:443'}\n" + cffi.format("firefox")),
        python(HTTPX.format(True) + f"c.get('{PAGE}/style.css')"),
    ]


def drawn() -> list[Activity]:
    """Draw the activities."""
    made = []
    for number in range(12):
        what = RNG.choice(("exec", "type", "fail", "script", "copy", "sftp"))
        kind = RNG.choice([*AGENTS, *(f"local-{one}" for one in LOCALS)])
        serve = RNG.choice(fronts(RNG.choice((SSHD, SSHD13))))
        made += rows("drawn", "tls.tunnel.ssh", (f"d-s-{number}-{what}-{kind}", serve, ssh(kind, what)))
    for number in range(8):
        name, kind = RNG.choice(LIBRARIES), RNG.choice(LOCALS)
        word = RNG.choice((PASSWORD, PASSWORD, "wrong"))
        serve = RNG.choice(fronts(RNG.choice((SSHD, SSHD13))))
        made += rows("drawn", "tls.tunnel.ssh", (f"d-l-{number}-{name}-{kind}", serve, library(kind, name, word)))
    for number in range(12):
        words, kind = RNG.choice(insides("connect")), RNG.choice(LOCALS)
        act = behind(kind, *words)
        made += rows("drawn", "tls.tunnel.tls", (f"d-c-{number}-{kind}", RNG.choice(fronts(PROXY)), act))
    for number in range(6):
        words, kind = RNG.choice(insides("bare")), RNG.choice(LOCALS)
        serve = RNG.choice(fronts(RNG.choice((INNER_WEB, GO_WEB, OLD_WEB))))
        made += rows("drawn", "tls.tunnel.tls", (f"d-b-{number}-{kind}", serve, behind(kind, *words)))
    for number in range(14):
        made += rows(
            "drawn", "tls.tunnel.tls", (f"d-p-{number}", RNG.choice(proxies()), direct(*RNG.choice(through())))
        )
    shells = ("go", "go-cmd", "go24-ps", "java", "node", "perl", "python", "lua", "tcl", "ncat-sh", "bash-openssl35")
    for number in range(8):
        gives, kind = RNG.choice(shells), RNG.choice(("ncat", "openssl35", "socat", "go", "python"))
        act = reverse(kind, gives, RNG.randint(4, 6), gives == "ncat-sh", RNG.choice((3, 5, 9)))
        made += rows("drawn", "tls.reverse_shell", (f"d-r-{number}-{gives}-{kind}", nothing, act))
    for number, role in enumerate(("api", "api", "api", "api", "events", "events", "grpc")):
        made += rows("drawn", "", (f"d-f-{number}-{role}", other(role), asks(role)))
    for number in range(6):
        words = RNG.choice([one for one in insides("bare") if "php" not in one])
        line = [word.replace("127.0.0.1:@", "#") for word in words]
        made += rows("drawn", "", (f"d-w-{number}", RNG.choice((nothing, go_web, apache)), direct(*line)))
    return made
