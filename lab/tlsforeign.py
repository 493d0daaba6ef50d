# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of lab/foreign (Go, Java) made once and kept in FLOWTAP_CACHE, and those of Debian 13, for lab/tlsmore.py.

Debian packages: golang-go, golang-golang-x-crypto-dev, openjdk-17-jdk-headless. Go is built twice: with Go 1.19 of
Debian 12, and with that of Debian 13, whose ClientHello has a post-quantum key share.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from lab import debian
from lab.network import Lab, LabError

SOURCES = Path(__file__).with_name("foreign")
PACKAGES = (
    "openssl,curl,gnutls-bin,wget,git,stunnel4,haproxy,socat,ncat,python3-requests,openssh-client,nginx,"
    "libnginx-mod-stream,golang-go,nodejs,proxytunnel,putty-tools,dropbear-bin"
)
RELAY = str(SOURCES / "relay.escript")
NODE = str(SOURCES / "nested.js")


@functools.cache
def trixie() -> Path:
    """Return the Debian 13 with TLS programs; OpenSSL 3.5 and its post-quantum ClientHello among them."""
    return debian.make("trixie", tuple(PACKAGES.split(",")))


def new(*command: str) -> list[str]:
    """Return the command line that runs a program of Debian 13; the machine must be prepared (`ready`)."""
    return debian.inside_debian(trixie(), list(command))


def _kept(name: str, *sources: Path) -> Path:
    """Return where something made of these sources is kept."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    return Path(os.environ.get("FLOWTAP_CACHE", "/var/cache/flowtap")) / f"{name}-{digest}"


def _make(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise LabError(f"{command}: {done.stderr[-1000:]}")


@functools.cache
def go(version: str = "") -> str:
    """Return the path of lab/foreign/tls.go built by Go of Debian 12, or of Debian 13 for the version "24"."""
    sources = sorted(SOURCES.glob("*.go"))
    path = _kept(f"gotls{version}", *sources)
    if path.exists():
        return str(path)
    build = f"cd SOURCES && GO111MODULE=off CGO_ENABLED=0 HOME=/tmp go build -tags ssh -o {path}.new ."
    if version:
        root, code = trixie(), "/usr/share/gocode/src"
        _make(
            [
                *("unshare", "-m", "sh", "-c"),
                f"R={root}; mount -t tmpfs tmpfs $R/tmp && mount -t proc proc $R/proc && mount --rbind /dev $R/dev && "
                f"mkdir -p $R/tmp/src $R/tmp/go {root}{path.parent} && cp {SOURCES}/*.go $R/tmp/src && "
                f"cp -r {code} $R/tmp/go/ && mount --bind {path.parent} {root}{path.parent} && "
                f"chroot $R env GOPATH=/tmp/go sh -c '{build.replace('SOURCES', '/tmp/src')}'",
            ]
        )
    else:
        _make(["sh", "-c", f"export GOPATH=/usr/share/gocode; {build.replace('SOURCES', str(SOURCES))}"])
    shutil.move(f"{path}.new", path)
    return str(path)


@functools.cache
def java() -> list[str]:
    """Return the command line of lab/foreign/Relay.java."""
    source = SOURCES / "Relay.java"
    path = _kept("relay", source)
    if not path.exists():
        _make(["javac", "-d", str(path), str(source)])
    return ["java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(path), "Relay"]


def ready(lab: Lab) -> None:
    """Make everything, and Debian 13 usable on both machines."""
    go()
    go("24")
    java()
    for machine in (lab.client, lab.server):
        debian.prepare(lab, machine, trixie())
