# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.browser -o DIR`: record Chromium on pages of nginx over TLS, in which no signature may find anything.

Headless Chromium opens pages whose scripts do what people and applications do on the web: read on, look for
something with a request for each key, fill in forms, download, watch a film in pieces, ask again and again for news.
Every flow is labelled `web`. Debian packages: chromium, nginx. The files are as those of lab.tlsrun.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lab.crowd import Activity, Run
from lab.network import Lab
from lab.tlsrun import ROUND_TRIPS, recorded
from lab.tlsserve import bracketed, nginx, web_root

TYPES = "types { text/html html; text/css css; application/javascript js; image/jpeg jpg; application/json json; }"
CALLS = ("uname", "weather tomorrow", "how to boil an egg", "cheap flights", "ssh failure", "train times")

# Shared by all pages: random numbers from the seed in the address, pauses as people make them, a request of no use.
COMMON = """\
let seed = Number(new URLSearchParams(location.search).get('seed'));
function random() {  // Lehmer's generator
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647;
}
function normal() { return Math.sqrt(-2 * Math.log(random())) * Math.cos(6.2831853 * random()); }
function pause(seconds, spread) {
  return new Promise(done => setTimeout(done, 1000 * seconds * Math.exp(spread * normal())));
}
async function get(name, options) { return (await fetch(name + '?' + seed, options)).arrayBuffer(); }
"""
SCRIPTS = {
    "read": """\
for (const page of ['a', 'b', 'c']) {
  document.body.innerHTML = '<link rel=stylesheet href=style.css>' + [...Array(4 + Math.floor(9 * random())).keys()]
    .map(n => `<img src="photo.jpg?${page}${n}" width=99>`).join('');
  await pause(4, 0.5);
}""",
    "search": """\
for (const text of TEXTS) {
  await pause(2, 0.5);
  for (let n = 1; n <= text.length; n++) {
    fetch('hints.json?q=' + encodeURIComponent(text.slice(0, n)));
    await pause(0.16, 0.5);
  }
  await get('found.json');
}""",
    "form": """\
for (let n = 0; n < 5; n++) {
  await pause(3, 0.5);
  await get('post', {method: 'POST', body: 'name=someone&text=' + 'x'.repeat(20 + 400 * random())});
  await get('found.json');
}""",
    "download": "await pause(1, 0.3); await get('film.bin'); await pause(3, 0.3); await get('film.bin');",
    "film": """\
for (let n = 0; n < 10; n++) {
  await get('film.bin', {headers: {Range: `bytes=${n * 280000}-${n * 280000 + 279999}`}});
  await pause(2, 0.1);
}""",
    "news": "for (let n = 0; n < 8; n++) { await pause(3, 0.05); await get('hints.json'); }",
    "chat": """\
for (const text of TEXTS) {
  await pause(4, 0.6);
  await get('post', {method: 'POST', body: JSON.stringify({text, at: Date.now()})});
  await pause(1, 0.4);
  await get('hints.json');
}""",
    "work": """\
for (let n = 0; n < 25; n++) {
  await Promise.all([get('hints.json'), get('found.json'), random() < 0.3 ? get('code.js') : 0]);
  await pause(0.9, 0.7);
}""",
}
HEAD = "<!doctype html><title>{name}</title><body>{name}<script src=common.js></script>"
PAGE = HEAD + "<script type=module>{script}</script>"


def serve(lab: Lab, address: str) -> None:
    """Start nginx with the pages on port 443 of the address."""
    root = web_root(lab)
    (root / "common.js").write_text(COMMON)
    (root / "hints.json").write_text('["' + '", "'.join(CALLS) + '"]')
    (root / "found.json").write_text('{"found": "' + "something " * 700 + '"}')
    for name, script in SCRIPTS.items():
        (root / f"{name}.html").write_text(PAGE.format(name=name, script=f"const TEXTS = {list(CALLS[:4])};\n{script}"))
    nginx(lab, [f"{bracketed(address)}:443"], f"web-{address.replace(':', '_')}", TYPES)


def visit(name: str, *flags: str) -> Callable[[Lab, str, int], None]:
    """Return what opens one page and stays on it for 30 s or so."""

    def act(lab: Lab, address: str, seed: int) -> None:
        seconds = random.Random(seed).uniform(25, 35)
        profile = lab.folder / f"chromium-{seed}"
        words = ["env", "HOME=/root", "timeout", "-k", "5", f"{seconds:.0f}"]
        words += ["chromium", "--headless=new", "--no-sandbox"]
        words += ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]
        words += ["--disable-component-update", "--ignore-certificate-errors", f"--user-data-dir={profile}", *flags]
        url = f"https://{bracketed(address)}/{name}.html?seed={seed % 2147483646 + 1}"
        calm = ["nice", "setpriv", "--bounding-set=-sys_nice"]  # as root it would put itself before all others
        subprocess.run(lab.client.inside(*calm, *words, url), capture_output=True, timeout=60, check=False)
        shutil.rmtree(profile, ignore_errors=True)

    return act


ACTIVITIES = [
    Activity(f"{name}{'-1.1' if flags else ''}", serve, visit(name, *flags), ("web",), "train")
    for name, flags in [
        *((name, ()) for name in SCRIPTS),
        *((name, ("--disable-http2",)) for name in ("read", "search", "work")),
    ]
]


def main() -> int:
    """Record what was asked for; 1 when a run failed."""
    parser = argparse.ArgumentParser(prog="python -m lab.browser", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--rtt", type=int, action="append", help="milliseconds; may be given several times")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if shutil.which("chromium") is None:
        print("lab.browser: no chromium: apt-get install chromium", file=sys.stderr)
        return 1
    failed = 0
    for index, rtt in enumerate(options.rtt or ROUND_TRIPS):
        merged = (index + options.seed) % 2 == 0
        path = options.output / f"browser-{rtt}ms-{'on' if merged else 'off'}-{options.seed}.pcap.gz"
        seed = options.seed * 100 + index
        run = Run(seed, lambda *_: None, rtt / 2000, rtt / 20000, merged and not rtt, merged)
        failed += not recorded(path, ACTIVITIES, run)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
