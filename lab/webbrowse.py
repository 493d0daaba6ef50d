# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium and Firefox on pages that have parts from many servers: pictures, calls, polls, events, sockets.

The script of a page does for half a minute what applications in browsers do, drawn anew each time, with some servers
of different programs. All connections of these servers are a browser's own. For lab/web.py.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from functools import partial

from lab import webserve
from lab.crowd import Activity
from lab.network import Lab
from lab.tlsserve import bracketed

VISITS = 4  # one after the other, by each activity that opens pages
SECONDS = 26
BROWSERS = {"chromium": "chromium", "firefox": "firefox-esr"}
QUIET = ("background-networking", "component-update", "default-apps", "sync", "extensions", "gpu", "dev-shm-usage")
SCRIPT = (webserve.PROGRAMS / "browse.html").read_text()


def activities(seed: int, _count: int) -> list[Activity]:
    """Draw two sets of servers, one for each browser, and those who open pages."""
    draw = random.Random(seed)
    made = []
    for browser, program in BROWSERS.items():
        if shutil.which(program) is None:
            continue
        for number in range(14):
            kind = draw.choice(list(webserve.KINDS))
            flavour = draw.choice([one for one in webserve.FLAVOURS[kind] if one != "asking"])
            if number > 11:
                kind, flavour = ("aiohttp", "nginx")[number % 2], "new"  # these have sockets
            made.append(Activity(f"parts/{browser}/{kind}/{flavour}", _none, lambda *_: None))
        visits = 3 if browser == "chromium" else 1
        made += [Activity(f"page/{browser}/nginx/new", _none, partial(_visit, browser=browser)) for _ in range(visits)]
    return made


def _none(_lab: Lab, _address: str) -> None:
    """Serve nothing: `prepare` starts all servers."""


def prepare(seed: int, lab: Lab, chosen: dict[str, Activity]) -> None:
    """Start the servers and write the page of each browser."""
    kinds: dict[str, list[webserve.Place]] = {}
    for address, one in chosen.items():
        words = one.name.split("/")
        kinds.setdefault(words[2], []).append((address, one.port, words[3]))
    webserve.start(lab, kinds, seed, named=True)
    for browser in BROWSERS:
        parts = [(bracketed(a), one.name) for a, one in chosen.items() if one.name.startswith(f"parts/{browser}/")]
        hosts, sockets = [name for name, _ in parts[:12]], [name for name, _ in parts[12:]]
        page = SCRIPT.replace("HOSTS.", f"{json.dumps(hosts)}.").replace("SOCKETS.", f"{json.dumps(sockets)}.")
        (lab.folder / "site" / f"{browser}.html").write_text(page)


def _visit(lab: Lab, address: str, seed: int, *, browser: str) -> None:
    for number in range(VISITS):
        profile = lab.folder / f"{browser}-{seed}-{number}"
        profile.mkdir()
        url = f"https://{bracketed(address)}/{browser}.html?seed={(seed + number) % 2147483646 + 1}"
        if browser == "chromium":
            words = [
                "setpriv",
                "--bounding-set=-sys_nice",
                "chromium",
                "--headless=new",
                "--no-sandbox",
                "--no-first-run",
            ]
            words += [
                *(f"--disable-{what}" for what in QUIET),
                "--ignore-certificate-errors",
                f"--user-data-dir={profile}",
            ]
            words += ["--disable-http2"] if (seed + number) % 4 == 0 else []
        else:
            settings = {
                "network.proxy.type": 0,
                "datareporting.policy.dataSubmissionEnabled": False,
                "browser.shell.checkDefaultBrowser": False,
                "network.captive-portal-service.enabled": False,
                "browser.safebrowsing.malware.enabled": False,
                "security.OCSP.enabled": 0,
                "network.http.http2.enabled": (seed + number) % 4 != 0,
                "marionette.enabled": False,
            }
            lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
            (profile / "user.js").write_text("".join(lines))
            trust = [
                "certutil",
                "-A",
                "-n",
                "lab",
                "-t",
                "C,,",
                "-i",
                str(lab.folder / "tls.pem"),
                "-d",
                f"sql:{profile}",
            ]
            subprocess.run(lab.client.inside(*trust), capture_output=True, timeout=30, check=False)
            words = ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile)]
        line = ["env", "HOME=/root", "MOZ_DISABLE_CONTENT_SANDBOX=1", "timeout", "-k", "5", str(SECONDS), *words, url]
        subprocess.run(lab.client.inside(*line), capture_output=True, timeout=60, check=False)
        shutil.rmtree(profile, ignore_errors=True)
