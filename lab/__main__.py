# SPDX-License-Identifier: LGPL-2.1-or-later
"""Record scenarios: `python -m lab [SCENARIO...] [-o DIR]`, as root.

Debian packages: aiosmtpd's python3-aiosmtpd, curl, dropbear-bin, ethtool, hydra, iproute2, netcat-openbsd,
openssh-client, openssh-server, python3-paramiko, python3-pexpect, socat, tcpdump, telnet, telnetd.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from lab.network import Lab, LabError
from lab.scenarios import SCENARIOS


def record(name: str, folder: Path) -> Path:
    """Play one scenario and return its capture."""
    plan = SCENARIOS[name]
    with Lab(server_delay=plan.server_delay, client_delay=plan.client_delay, offload=plan.offload) as lab:
        raw = lab.folder / "capture.pcap"
        with lab.record(raw, plan.port):
            plan.act(lab)
        path = folder / f"{name}.pcap.gz"
        path.write_bytes(gzip.compress(raw.read_bytes(), 9, mtime=0))
    return path


def main() -> int:
    """Record several scenarios at once, each in a lab of its own; they mostly wait for their people."""
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("-o", "--output", type=Path, default=Path("tests/captures"))
    parser.add_argument("-j", "--jobs", type=int, default=6)
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    options.output.mkdir(parents=True, exist_ok=True)
    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(record, name, options.output): name for name in options.scenarios or SCENARIOS}
        for job in as_completed(jobs):
            try:
                path = job.result()
                print(f"{path} {path.stat().st_size}")
            except LabError as error:
                failed += 1
                print(f"{jobs[job]}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
