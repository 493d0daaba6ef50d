# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.web -o DIR`: record what is innocent, by the thousand, for false alarms, as root.

Each recording draws a lot: which applications (lab/webplan.py) are played by which programs (lab/webclients.py) on
which servers (lab/webserve.py) with which way of TLS; and other protocols, over TLS and plain (lab/webmore.py). Flows
are labelled by what the script had them do: nothing, but for polls that repeat one exchange (`tls.beacon`), large
uploads (`tls.upload`), mail and FTP by programs (`automated.lines`), and lines typed by people (`human.lines`). DIR
gets captures, labels.csv and flows.csv, which names application, client, server and way of TLS of each flow.

Debian packages: make lab ONLY=web installs them. What is not there is left out, and told.
"""

from __future__ import annotations

import argparse
import importlib
import random
import shutil
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lab import webclients, webserve
from lab.crowd import Activity, Run, record
from lab.network import Lab, LabError
from lab.tlsserve import bracketed
from lab.webplan import APPLICATIONS, plan

CONDITIONS = ((0, False), (10, False), (40, False), (0, True), (80, False), (160, False))  # round trip, offloads
TLS_PORTS = (443, 443, 443, 443, 443, 8443, 9443)
PLAIN_PORTS = (80, 80, 8080, 8000)
SESSIONS, WINDOW = 70, 65.0  # of each activity; seconds within which they begin
SPREAD, LIMIT = 45.0, 190.0  # seconds within which activities begin, and after which what still runs is left out


def nothing(_lab: Lab, _address: str) -> None:
    """Serve nothing: all servers are started at once by `prepare`."""


def _play(lab: Lab, address: str, seed: int, *, client: str, application: str, scheme: str, port: int) -> None:
    base = f"{scheme}://{bracketed(address)}:{port}"
    sessions = list(plan(application, seed, SESSIONS, WINDOW))
    webclients.play(lab, client, base, sessions, f"plan-{address.replace(':', '_')}")


def _crawl(lab: Lab, address: str, seed: int, *, client: str, scheme: str, port: int) -> None:
    webclients.crawl(lab, client, f"{scheme}://{bracketed(address)}:{port}", seed, SESSIONS, WINDOW)


def lot(seed: int, count: int) -> Iterator[Activity]:
    """Draw activities. Names are APPLICATION/CLIENT/SERVER/FLAVOUR."""
    draw = random.Random(seed)
    weights = [weight for _, _, weight in APPLICATIONS.values()]
    crawlers = [name for name in webclients.CRAWLERS if shutil.which(name.partition("-")[0].replace("aria2", "aria2c"))]
    for _ in range(count):
        tls = draw.random() < 0.85
        kind = draw.choice(list(webserve.KINDS) if tls else webserve.PLAIN)
        flavour = draw.choices(
            *zip(*((one, 4 if one == "new" else 1) for one in webserve.FLAVOURS[kind]), strict=True)
        )[0]
        flavour = flavour if tls else "plain"
        port = draw.choice(TLS_PORTS if tls else PLAIN_PORTS)
        scheme = "https" if tls else "http"
        if draw.random() < 0.2:
            client = draw.choice([one for one in crawlers if not tls or one not in webclients.NEED_SECRET])
            if client in webclients.NEED_FILES:
                kind = draw.choice([one for one in webclients.SERVE_FILES if tls or one in webserve.PLAIN])
                flavour = flavour if flavour in (*webserve.FLAVOURS[kind], "plain") else "new"
            act = partial(_crawl, client=client, scheme=scheme, port=port)
            yield Activity(f"crawl/{client}/{kind}/{flavour}", nothing, act, port=port)
            continue
        application = draw.choices(list(APPLICATIONS), weights)[0]
        client = draw.choice(webclients.players(tls=tls))
        if client == "node-http2" and (
            kind in ("ruby", "http1", "java", "tornado", "cheroot", "aiohttp", "uvicorn", "lighttpd")
            or flavour == "cbc"
        ):
            client = "node-fetch"
        act = partial(_play, client=client, application=application, scheme=scheme, port=port)
        labels = APPLICATIONS[application][1] if tls else ()
        yield Activity(f"{application}/{client}/{kind}/{flavour}", nothing, act, labels, port=port)


def prepare(seed: int, lab: Lab, activities: dict[str, Activity]) -> None:
    """Start the servers of all activities."""
    kinds: dict[str, list[webserve.Place]] = {}
    for address, one in activities.items():
        words = one.name.split("/")
        if len(words) == 4:
            kinds.setdefault(words[2], []).append((address, one.port, words[3]))
    webserve.start(lab, kinds, seed)
    time.sleep(12)
    missing = webserve.silent(lab, [place for places in kinds.values() for place in places])
    for kind, places in kinds.items():
        if lost := [place for place in missing if place in {f"{bracketed(h)}:{p}" for h, p, _ in places}]:
            said = "".join(log.read_text(errors="replace")[-300:] for log in lab.folder.glob(f"web-{kind}-*.log"))
            print(f"{kind}: {len(lost)} of {len(places)} places are silent: {said}", file=sys.stderr, flush=True)


def main() -> int:
    """Record what was asked for; 1 when a run failed."""
    parser = argparse.ArgumentParser(prog="python -m lab.web", description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument(
        "-n", "--runs", type=int, default=2, help="recordings (2), each of some 2,000 flows and 3 minutes"
    )
    parser.add_argument("--activities", type=int, default=100, help="in each recording (100)")
    parser.add_argument("--seed", type=int, default=1, help="of the first recording; each further one adds 1")
    parser.add_argument("--browsers", action="store_true", help="Chromium and Firefox (lab/webbrowse.py)")
    parser.add_argument("--more", action="store_true", help="other protocols than HTTP (lab/webmore.py)")
    options = parser.parse_args()
    failed = 0
    for seed in range(options.seed, options.seed + options.runs):
        rtt, offload = CONDITIONS[seed % len(CONDITIONS)]
        kind = "more" if options.more else "browsers" if options.browsers else "web"
        if kind == "web":
            activities, ready = list(lot(seed, options.activities)), partial(prepare, seed)
        else:
            module = importlib.import_module(f"lab.web{'more' if options.more else 'browse'}")
            activities, ready = module.activities(seed, options.activities), partial(module.prepare, seed)
        name = f"{kind}-{seed:03}-{rtt}ms{'-gro' if offload else ''}.pcap.gz"
        run = Run(seed, ready, rtt / 2000, rtt / 20000, offload, offload, LIMIT, SPREAD)
        try:
            print(f"{options.output / name} {record(options.output / name, activities, run)} flows", flush=True)
        except LabError as error:
            failed += 1
            print(f"{name}: {error}", file=sys.stderr, flush=True)
    shutil.rmtree("/tmp/flowtap-web", ignore_errors=True)  # what crawlers fetched
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
