# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.tlsrun -o DIR`: record TLS (or `--kind plain`) at all round trips, with offloads on and off, as root.

DIR gets `train` and `test`, each with captures, labels.csv (for `flowtap eval`) and flows.csv (which activity each flow
belongs to). Debian packages: aria2, curl, dropbear-bin, expect, ftp,
git, gnutls-bin, haproxy, hydra, lftp, libnginx-mod-stream, ncat, netcat-openbsd, nghttp2-client, nghttp2-proxy, nginx,
openssh-client, openssh-server, openssl, php-cli, putty-tools, python3-aiosmtpd, python3-asyncssh, python3-paramiko,
python3-pexpect, python3-pyftpdlib, ruby, socat, squid-openssl, stunnel4, swaks, telnet, telnetd, tinyproxy, w3m, wget.

`--kind more` and `--kind new` need the packages APT_MORE and APT_NEW of the Makefile besides, and the environments that
`python -m lab.tlstools` makes. Debian 13 is made by debootstrap at the first run.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.crowd import Activity, Run, record
from lab.network import LabError

ROUND_TRIPS = (0, 10, 40, 80, 160)  # milliseconds
PLANS = {
    "tls": "lab.tlsplan",
    "more": "lab.tlsmoreplan",
    "new": "lab.tlsnewplan",
    "plain": "lab.plain",
    "plain-more": "lab.plainmore",
}
PARTS = {
    "tls": ("train", "test"),
    "more": ("train", "test", "fresh", "drawn"),
    "new": ("a", "b"),
    "plain": ("train", "test"),
    "plain-more": ("test",),
}


def recorded(path: Path, activities: Sequence[Activity], run: Run) -> bool:
    """Record one run and say how many flows it has, or what went wrong."""
    try:
        print(f"{path} {record(path, activities, run)} flows", flush=True)
    except LabError as error:
        print(f"{path}: {error}", file=sys.stderr, flush=True)
        return False
    return True


def main() -> int:
    """Record what was asked for; 1 when a run failed."""
    parser = argparse.ArgumentParser(prog="python -m lab.tlsrun", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--kind", choices=tuple(PLANS), default="tls")
    parser.add_argument("--part", action="append", choices=sorted({part for parts in PARTS.values() for part in parts}))
    parser.add_argument("--rtt", type=int, action="append", help="milliseconds; may be given several times")
    parser.add_argument("--offload", choices=("on", "off", "both"), default="both")
    parser.add_argument("--only", default="", help="activities whose name begins with this")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    module = importlib.import_module(PLANS[options.kind])
    failed = 0
    for part in options.part or PARTS[options.kind]:
        chosen = [one for one in module.ACTIVITIES if one.part == part and one.name.startswith(options.only)]
        for index, rtt in enumerate(options.rtt or ROUND_TRIPS):
            for offload in {"on": (True,), "off": (False,), "both": (False, True)}[options.offload]:
                seed = options.seed * 100 + index * 2 + offload
                name = f"{options.kind}-{rtt}ms-{'on' if offload else 'off'}-{options.seed}.pcap.gz"
                run = Run(
                    seed,
                    module.prepare,
                    delay=rtt / 2000,
                    jitter=rtt / 20000,
                    offload=offload and not rtt,
                    merged=offload,
                )
                failed += not recorded(options.output / part / name, chosen, run)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
