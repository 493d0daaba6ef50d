# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.tlstools`, as root: make what recordings `more` and `new` take from PyPI and npm, where it is missing.

FLOWTAP_TLSLAB (/opt/tlslab) is a virtual environment for `more`; FLOWTAP_TLSNEW (/opt/tlsnew) holds for `new` one in
`py`, `node_modules`, and privoxy, unpacked only, as its package would add a user while other recordings run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

MORE = os.environ.get("FLOWTAP_TLSLAB", "/opt/tlslab")
NEW = os.environ.get("FLOWTAP_TLSNEW", "/opt/tlsnew")
PYTHON = "/usr/bin/python3"  # Debian's: other interpreters may lie where the lab's machines see nothing
FOR_MORE = "aiohttp asyncssh curl_cffi grpcio httpx[http2,socks] paramiko pproxy proxy.py requests uv"
FOR_NEW = "aiohttp pyopenssl service_identity tlslite-ng twisted[conch] websockets"
PACKAGES = "axios got@11 https-proxy-agent proxy-chain ssh2 undici ws wstunnel"


def run(folder: Path, *command: str) -> None:
    """Run a command in a folder."""
    subprocess.run(command, cwd=folder, check=True, timeout=900)


def environment(folder: Path, packages: str) -> None:
    """Make a virtual environment with these packages, unless it is there."""
    if not (folder / "bin" / "pip").exists():
        run(Path("/"), PYTHON, "-m", "venv", str(folder))
        run(Path("/"), str(folder / "bin" / "pip"), "install", "-q", *packages.split())


def main() -> int:
    """Make what is missing."""
    new = Path(NEW)
    new.mkdir(parents=True, exist_ok=True)
    environment(Path(MORE), FOR_MORE)
    environment(new / "py", FOR_NEW)
    if shutil.which("npm") is None:  # nodejs of others than Debian brings it
        run(new, "apt-get", "install", "-y", "-q", "--no-install-recommends", "npm")
    if not (new / "node_modules").exists():
        run(new, "npm", "install", "--no-audit", "--no-fund", *PACKAGES.split())
    if not (new / "privoxy").exists():
        run(new, "apt-get", "download", "privoxy")
        run(new, "dpkg", "-x", str(next(new.glob("privoxy_*.deb"))), "privoxy")
    return 0


if __name__ == "__main__":
    sys.exit(main())
