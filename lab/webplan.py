# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is done on the web, as plans: each application yields sessions, and any HTTP program of the lab can play them.

A session is one connection: steps of (pause before it, method, path, headers, size of the body). The path tells the
server what to answer (lab/webprograms/server.py): `n` bytes, after `t` milliseconds, in `k` pieces with as much time
between them, status `s`, `h` bytes of further headers. A pause below zero: together with the step before, where the
program can.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from typing import Any

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
TEXTS = ("weather tomorrow", "train to the sea", "how to boil an egg", "cheap flights", "opening hours library")
BEACON = ("tls.beacon",)  # its kind: the same exchange again and again, with pauses, whatever it is for
UPLOAD = ("tls.upload",)
Step = tuple[float, str, str, dict[str, str], int]
Session = list[Step]


def word(draw: random.Random, least: int, most: int) -> str:
    """Return a word of letters and digits."""
    return "".join(draw.choices(string.ascii_lowercase + string.digits, k=draw.randint(least, most)))


def size(draw: random.Random, median: float, spread: float = 1.2, most: int = 250_000) -> int:
    """Return a size as files and answers have them: log-normal."""
    return min(most, max(1, int(median * draw.lognormvariate(0, spread))))


def path(draw: random.Random, length: int, **what: int) -> str:
    """Return a path of a readable name of about this length that asks for `what`."""
    name = "/".join(word(draw, 2, 12) for _ in range(1 + length // 9))
    return f"/b/{name}?" + "".join(f"{key}={value}&" for key, value in what.items())


def browser(draw: random.Random) -> dict[str, str]:
    """Return headers as a browser sends them."""
    made = {"User-Agent": AGENT, "Accept": PAGE, "Accept-Language": draw.choice(("en", "de,en;q=0.5", "fr-FR,fr"))}
    if draw.random() < 0.7:
        made["Cookie"] = "; ".join(f"{word(draw, 2, 9)}={word(draw, 8, 90)}" for _ in range(draw.randint(1, 6)))
    return made


def program(draw: random.Random) -> dict[str, str]:
    """Return headers as programs send them to interfaces: often a token."""
    made = {} if draw.random() < 0.3 else {"Accept": "application/json"}
    kind = draw.random()
    if kind < 0.4:
        made["Authorization"] = "Bearer " + word(draw, *draw.choice(((30, 40), (180, 400), (700, 1100))))
    elif kind < 0.6:
        made["X-Api-Key"] = word(draw, 32, 40)
    return made


def pages(draw: random.Random) -> Session:
    """Read one to three pages with their objects."""
    head, steps = browser(draw), Session()
    for _ in range(draw.randint(1, 3)):
        steps.append((draw.uniform(1, 6) if steps else 0, "GET", path(draw, 30, n=size(draw, 12_000)), head, 0))
        for number in range(min(40, int(draw.lognormvariate(1.6, 0.8)))):
            what = path(draw, draw.randint(5, 70), n=size(draw, 6_000, 1.6))
            if draw.random() < 0.1:
                what = path(draw, 20, s=draw.choice((204, 302, 304, 404)), n=draw.choice((0, 10, 150)))
            steps.append((-1 if number else 0.03, "GET", what, head, 0))
    return steps


def rest(draw: random.Random) -> Session:
    """Log in and work with an interface: small requests, small answers, now and then a list."""
    head = program(draw)
    steps: Session = [(0.0, "POST", path(draw, 12, n=draw.randint(40, 900)), {}, draw.randint(20, 120))]
    extra = draw.choice((0, 0, 40, 300))
    for _ in range(draw.randint(2, 16)):
        pause = draw.choice((0, 0, 0, 0.01, 0.05, 0.4, 1.5))
        kind = draw.random()
        if kind < 0.55:
            step = ("GET", path(draw, draw.randint(5, 40), n=size(draw, 250), h=extra), head, 0)
        elif kind < 0.85:
            answer = draw.choice((2, 15, 40, 130))
            step = (draw.choice(("POST", "PUT", "PATCH")), path(draw, 15, n=answer, h=extra), head, size(draw, 180))
        elif kind < 0.95:
            step = ("DELETE", path(draw, 25, s=204, n=0, h=extra), head, 0)
        else:
            step = ("GET", path(draw, 20, n=size(draw, 9_000)), head, 0)
        steps.append((pause, *step))
    return steps


def poll(draw: random.Random) -> Session:
    """Ask for the same thing again and again: dashboards, health checks, runners that wait for work."""
    head, least = program(draw), draw.choice((1.0, 1.5, 3.0))
    status = draw.choice((200, 200, 204))
    what = path(draw, draw.randint(5, 30), s=status, n=0 if status == 204 else draw.randint(2, 400))
    body = draw.choice((0, 0, draw.randint(60, 900)))
    count = draw.randint(6, 10)
    return [(least * draw.uniform(1.02, 1.2), "POST" if body else "GET", what, head, body) for _ in range(count)]


def varied_poll(draw: random.Random) -> Session:
    """Ask again and again, with answers that vary: news, mail counts, chats."""
    head = program(draw)
    places = [path(draw, draw.randint(5, 30)) for _ in range(draw.randint(1, 3))]
    return [
        (draw.uniform(0.8, 4), "GET", f"{draw.choice(places)}n={size(draw, 200)}", head, 0)
        for _ in range(draw.randint(4, 10))
    ]


def long_poll(draw: random.Random) -> Session:
    """Ask at once again when the answer has come after seconds; small answers, sometimes something is sent."""
    head, steps = draw.choice((browser, program))(draw), Session()
    place, extra = path(draw, draw.randint(5, 40)), draw.choice((0, 0, 60))
    for number in range(draw.randint(4, 11)):
        answer = draw.choice((2, 2, 15, 40, size(draw, 120)))
        wait = int(1000 * draw.uniform(0.4, 5))
        mark = f"&c={draw.randrange(10 ** draw.randint(1, 9))}" if draw.random() < 0.7 else f"&c={1000 + number}"
        steps.append((0, "GET", f"{place}n={answer}&t={wait}&h={extra}{mark}", head, 0))
        if draw.random() < 0.25:
            steps.append((draw.uniform(0.5, 3), "POST", path(draw, 12, n=draw.choice((2, 60))), head, size(draw, 80)))
    return steps


def events(draw: random.Random) -> Session:
    """Listen to server-sent events or a long answer that comes in pieces."""
    head = {**browser(draw), "Accept": "text/event-stream"}
    pieces = draw.randint(4, 25)
    wait = draw.randint(50, 1800)
    return [
        (0, "GET", path(draw, 15, n=size(draw, 3000)), head, 0),
        (0.2, "GET", path(draw, 12, n=pieces * draw.randint(15, 300), t=wait, k=pieces), head, 0),
    ]


def telemetry(draw: random.Random) -> Session:
    """Send measurements: bodies of all sizes, no or a small answer."""
    head, answer = program(draw), draw.choice((0, 0, 2, 20))
    place = path(draw, draw.randint(5, 30), s=200 if answer else 204, n=answer)
    return [
        (draw.choice((0, 0.2, 1, 4)) * draw.random(), "POST", place, head, size(draw, 900, 0.9, 60_000))
        for _ in range(draw.randint(1, 7))
    ]


def names(draw: random.Random) -> Session:
    """Ask for names over HTTPS (RFC 8484)."""
    head = {"Content-Type": "application/dns-message", "Accept": "application/dns-message"}
    padded = draw.random() < 0.4  # RFC 8467
    steps = Session()
    for _ in range(draw.randint(2, 24)):
        ask = 128 if padded else draw.randint(29, 60)
        answer = 468 if padded else draw.randint(45, 260)
        steps.append((draw.choice((0, 0, draw.expovariate(2))), "POST", f"/b/dns-query?n={answer}", head, ask))
    return steps


def status(draw: random.Random) -> Session:
    """Ask whether a certificate is still good (RFC 6960), or a time stamp."""
    head = {"Content-Type": "application/ocsp-request"}
    return [
        (0, "POST", path(draw, 1, n=draw.choice((471, 503, 1523, 2200))), head, draw.randint(70, 120))
        for _ in range(draw.randint(1, 3))
    ]


def film(draw: random.Random) -> Session:
    """Watch: a list, then segments every few seconds."""
    head, base = browser(draw), size(draw, 60_000, 0.4)
    steps = [(0.0, "GET", path(draw, 20, n=size(draw, 1500)), head, 0)]
    return steps + [
        (draw.uniform(0.8, 2.5), "GET", path(draw, 25, n=int(base * draw.uniform(0.7, 1.3))), head, 0) for _ in range(6)
    ]


def search(draw: random.Random) -> Session:
    """Type into a search box that asks at each key."""
    head = browser(draw)
    steps = [(0.0, "GET", path(draw, 1, n=size(draw, 20_000)), head, 0)]
    text = draw.choice(TEXTS)
    for count in range(1, len(text) + 1):
        pause = (1.5 if count == 1 else 0) + draw.lognormvariate(-1.9, 0.5)
        typed = text[:count].replace(" ", "%20")
        steps.append((pause, "GET", f"/b/hints?q={typed}&n={size(draw, 300, 0.6)}", head, 0))
    return [*steps, (0.4, "GET", path(draw, 9, n=size(draw, 30_000)), head, 0)]


def editor(draw: random.Random) -> Session:
    """Write together with others: a change for each key or a few of them, a small acknowledgement."""
    head = browser(draw)
    steps = [(0.0, "GET", path(draw, 20, n=size(draw, 15_000)), head, 0)]
    place, answer = path(draw, 20), draw.choice((2, 20, 45))
    for number in range(draw.randint(15, 60)):
        pause = draw.lognormvariate(-1.8, 0.6) + (draw.uniform(1, 4) if draw.random() < 0.06 else 0)
        body = draw.randint(70, 74) + len(str(number))
        steps.append((pause, "POST", f"{place}n={answer + draw.choice((0, 0, 0, 1))}", head, body))
    return steps


def talk(draw: random.Random) -> Session:
    """Chat over HTTP: what is typed goes out when it is done, receipts and answers come by asking."""
    head, steps = program(draw), Session()
    for _ in range(draw.randint(3, 9)):
        kind = draw.random()
        if kind < 0.4:
            steps.append((draw.uniform(1, 6), "POST", path(draw, 9, n=draw.randint(15, 90)), head, size(draw, 60, 0.7)))
        elif kind < 0.7:
            steps.append((draw.uniform(0.1, 1.5), "POST", path(draw, 9, s=204, n=0), head, draw.randint(18, 40)))
        else:
            steps.append((draw.uniform(0.5, 3), "GET", path(draw, 12, n=size(draw, 150), t=900), head, 0))
    return steps


def calls(draw: random.Random) -> Session:
    """Call procedures: POST of small JSON to one path, small answers (JSON-RPC, GraphQL, XML-RPC, SOAP)."""
    head = program(draw)
    place = f"/b/{draw.choice(('rpc', 'graphql', 'soap/service', 'xmlrpc.php'))}?n="
    ask, answer = draw.choice(((60, 60), (150, 40), (500, 300), (110, 100)))
    return [
        (
            draw.choice((0, 0, 0, 0.02, 0.3, 1.1)),
            "POST",
            f"{place}{size(draw, answer, 0.6)}",
            head,
            size(draw, ask, 0.5),
        )
        for _ in range(draw.randint(2, 20))
    ]


def sign_in(draw: random.Random) -> Session:
    """Sign in by redirections, then fetch a token and who one is."""
    head = browser(draw)
    steps = [
        (0.0, "GET", path(draw, 90, s=302, n=0, h=draw.randint(40, 600)), head, 0),
        (0.0, "GET", path(draw, 160, n=size(draw, 4_000)), head, 0),
        (
            draw.uniform(0.5, 5),
            "POST",
            path(draw, 20, s=302, n=0, h=draw.randint(100, 900)),
            head,
            draw.randint(30, 90),
        ),
        (0.0, "POST", path(draw, 15, n=draw.randint(300, 2500)), {}, draw.randint(150, 700)),
        (0.0, "GET", path(draw, 12, n=draw.randint(80, 500)), program(draw), 0),
    ]
    return steps


def package(draw: random.Random) -> Session:
    """Install something: metadata, then files."""
    head = {
        "User-Agent": draw.choice(("pip/24.0", "npm/10.8 node/v20", "Debian APT-HTTP/1.3", "cargo 1.80", "Go-http"))
    }
    steps = [
        (0.0, "GET", path(draw, 25, n=size(draw, 5_000, 1.5), s=draw.choice((200, 200, 304))), head, 0)
        for _ in range(draw.randint(1, 8))
    ]
    return steps + [(0.0, "GET", path(draw, 50, n=size(draw, 60_000, 1.0)), head, 0) for _ in range(draw.randint(0, 2))]


def once(draw: random.Random) -> Session:
    """Do one small thing: a web hook, a health check, a short link."""
    kind = draw.random()
    if kind < 0.4:
        return [(0, "POST", path(draw, 25, n=draw.choice((0, 2, 15, 60))), program(draw), size(draw, 700))]
    if kind < 0.7:
        return [(0, draw.choice(("GET", "HEAD")), path(draw, 5, n=draw.randint(2, 60)), {}, 0)]
    return [(0, "GET", path(draw, 8, s=302, n=0, h=draw.randint(0, 200)), browser(draw), 0)]


def files(draw: random.Random) -> Session:
    """Keep files in step with a server: WebDAV, object storage."""
    head, steps = program(draw), Session()
    for _ in range(draw.randint(2, 8)):
        kind = draw.random()
        if kind < 0.4:
            steps.append((0, "PROPFIND", path(draw, 20, s=207, n=size(draw, 900)), {**head, "Depth": "1"}, 180))
        elif kind < 0.7:
            steps.append((0.05, "PUT", path(draw, 30, s=201, n=0), head, size(draw, 5_000, 1.5, 200_000)))
        else:
            steps.append((0, "GET", path(draw, 30, n=size(draw, 8_000, 1.5)), head, 0))
    return steps


def upload(draw: random.Random) -> Session:
    """Send something large."""
    return [(0, "PUT", path(draw, 20, s=201, n=draw.randint(0, 90)), program(draw), draw.randint(1_200_000, 1_600_000))]


def download(draw: random.Random) -> Session:
    """Fetch something large, then the next page."""
    large = path(draw, 30, n=draw.randint(300_000, 900_000))
    return [(0, "GET", large, browser(draw), 0), (1, "GET", path(draw, 9, n=900), browser(draw), 0)]


def agent(draw: random.Random) -> Session:
    """Report to a management server after its small tasks: register, ask, do, report what came of it."""
    head = program(draw)
    steps = [(0.0, "POST", path(draw, 12, n=draw.randint(60, 400)), head, draw.randint(300, 1200))]
    for _ in range(draw.randint(4, 9)):
        wait = int(1000 * draw.uniform(0.8, 4))
        steps.append((0, "GET", path(draw, 12, n=draw.choice((2, 2, 25, size(draw, 90))), t=wait), head, 0))
        if draw.random() < 0.5:
            steps.append((draw.uniform(0, 0.3), "POST", path(draw, 12, s=204, n=0), head, size(draw, 300, 1.0, 8_000)))
    return steps


# By name: what makes a session, the labels of its flows, how often it is drawn.
APPLICATIONS: dict[str, tuple[Callable[[random.Random], Session], tuple[str, ...], int]] = {
    "pages": (pages, (), 6),
    "rest": (rest, (), 7),
    "poll": (poll, BEACON, 1),
    "varied-poll": (varied_poll, (), 3),
    "long-poll": (long_poll, (), 4),
    "events": (events, (), 2),
    "telemetry": (telemetry, (), 3),
    "names": (names, (), 4),
    "status": (status, (), 2),
    "film": (film, (), 1),
    "search": (search, (), 3),
    "editor": (editor, (), 3),
    "talk": (talk, (), 3),
    "calls": (calls, (), 6),
    "sign-in": (sign_in, (), 3),
    "package": (package, (), 2),
    "once": (once, (), 3),
    "files": (files, (), 3),
    "upload": (upload, UPLOAD, 1),
    "download": (download, (), 1),
    "agent": (agent, (), 3),
}
FEW = {"film": 0.3, "upload": 0.1, "download": 0.15}  # share of the sessions of others, for what is large


def plan(name: str, seed: int, count: int, spread: float) -> Iterator[dict[str, Any]]:
    """Yield `count` sessions of an application that begin within `spread` seconds."""
    make = APPLICATIONS[name][0]
    for number in range(max(2, int(count * FEW.get(name, 1)))):
        draw = random.Random(seed * 1009 + number)
        at = draw.uniform(0, spread)
        steps = make(draw)
        yield {"at": at, "old": draw.random() < 0.2, "h2": draw.random() < 0.6, "steps": steps}
