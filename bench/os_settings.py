# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the database says of this kernel under other settings: `python -m bench.os_settings` prints JSON (root).

Each line of the table is a network namespace's state: sysctls and the MTU of its loopback. A server and a client shake
hands there, over IPv4 and IPv6, and a packet socket takes SYN and SYN+ACK. The namespace is made with unshare and ends
with the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from capture._message import parse_handshake
from engine.fingerprint import Fingerprinter
from engine.fingerprints import RESULT_SIZE, results
from sigdb import load_tcp, shipped_tcp

PORT = 8080
MPTCP = 262  # IPPROTO_MPTCP, which Python 3.11 does not name
DEFAULTS = {
    "tcp_timestamps": "1",
    "tcp_sack": "1",
    "tcp_window_scaling": "1",
    "tcp_ecn": "2",
    "tcp_rmem": "4096 131072 6291456",
    "tcp_fastopen": "3",
    "ip_no_pmtu_disc": "0",
    "ip_default_ttl": "64",
}
CASES: dict[str, dict[str, str]] = {
    "loopback, MTU 65536": {"mtu": "65536"},
    "MTU 1500": {},
    "MTU 1492": {"mtu": "1492"},
    "MTU 1400": {"mtu": "1400"},
    "MTU 1280": {"mtu": "1280"},
    "MTU 9000": {"mtu": "9000"},
    "tcp_timestamps = 0": {"tcp_timestamps": "0"},
    "tcp_sack = 0": {"tcp_sack": "0"},
    "tcp_window_scaling = 0": {"tcp_window_scaling": "0"},
    "tcp_timestamps = tcp_sack = 0": {"tcp_timestamps": "0", "tcp_sack": "0"},
    "tcp_timestamps = tcp_window_scaling = 0": {"tcp_timestamps": "0", "tcp_window_scaling": "0"},
    "tcp_sack = tcp_window_scaling = 0": {"tcp_sack": "0", "tcp_window_scaling": "0"},
    "all three 0": {"tcp_timestamps": "0", "tcp_sack": "0", "tcp_window_scaling": "0"},
    "tcp_ecn = 1": {"tcp_ecn": "1"},
    "tcp_rmem = 4096 1048576 6291456": {"tcp_rmem": "4096 1048576 6291456"},
    "tcp_rmem = 4096 87380 6291456": {"tcp_rmem": "4096 87380 6291456"},
    "SO_RCVBUF = 16384": {"buffer": "16384"},
    "TCP Fast Open": {"open": "fast"},
    "Multipath TCP": {"open": "multipath"},
    "ip_no_pmtu_disc = 1": {"ip_no_pmtu_disc": "1"},
    "ip_default_ttl = 128": {"ip_default_ttl": "128"},
}


def _prepare(case: dict[str, str]) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up", "mtu", case.get("mtu", "1500")], check=True, timeout=10)
    for name, value in (DEFAULTS | case).items():
        if name in DEFAULTS:
            Path("/proc/sys/net/ipv4", name).write_text(value)


@contextlib.contextmanager
def _served(family: socket.AddressFamily, case: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Listen on the loopback; yields the address."""
    multipath = MPTCP if case.get("open") == "multipath" else 0
    with socket.socket(family, socket.SOCK_STREAM, multipath) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if case.get("open") == "fast":
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
        if "buffer" in case:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(case["buffer"]))
        server.bind(("127.0.0.1" if family == socket.AF_INET else "::1", PORT))
        server.listen()
        yield server.getsockname()[:2]


def _connect(family: socket.AddressFamily, case: dict[str, str], address: tuple[str, int]) -> None:
    multipath = MPTCP if case.get("open") == "multipath" else 0
    with socket.socket(family, socket.SOCK_STREAM, multipath) as client:
        if "buffer" in case:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(case["buffer"]))
        if case.get("open") == "fast":
            client.sendto(b"hello", socket.MSG_FASTOPEN, address)
        else:
            client.connect(address)


def handshake(family: socket.AddressFamily, case: dict[str, str]) -> tuple[bytes, bytes]:
    """Return the handshake records of a SYN and its SYN+ACK in this namespace's loopback.

    Raises:
        TimeoutError: nothing was seen within a second.

    """
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as tap:
        tap.bind(("lo", 0))
        tap.settimeout(1)
        with _served(family, case) as address:
            _connect(family, case, address)
            found: list[bytes] = []
            while len(found) < 2:
                data, where = tap.recvfrom(65536)
                record = parse_handshake(data, ts=time.monotonic_ns())
                if record and where[2] != socket.PACKET_OUTGOING and record not in found:  # each is seen twice
                    found.append(record)
    return found[0], found[1]


def table() -> list[dict[str, object]]:
    """Return a line for each case, IP version and side: the raw signature and the system's name."""
    database = load_tcp(shipped_tcp())
    lines: list[dict[str, object]] = []
    for name, case in CASES.items():
        _prepare(case)
        for family in (socket.AF_INET, socket.AF_INET6):
            printer, found = Fingerprinter(database), bytearray(2 * RESULT_SIZE)
            try:
                records = handshake(family, case)
            except OSError as error:
                lines.append({"case": name, "version": 4 if family == socket.AF_INET else 6, "error": str(error)})
                continue
            printer.process(b"".join(records), found)
            for result in results(found, 2):
                print_ = printer.describe(result)
                line = {"case": name, "version": result.version, "side": print_.side}
                lines.append(line | {"system": print_.system, "fuzzy": print_.fuzzy, "raw": print_.raw})
    return lines


def main() -> None:
    """Print the table from inside a new network namespace."""
    if os.environ.pop("FLOWTAP_IN_NAMESPACE", "") != "yes":
        command = ["unshare", "--net", sys.executable, "-m", "bench.os_settings"]
        there = Path(__file__).parents[1]
        done = subprocess.run(
            command, env=os.environ | {"FLOWTAP_IN_NAMESPACE": "yes"}, cwd=there, timeout=60, check=False
        )
        raise SystemExit(done.returncode)
    print(json.dumps(table(), indent=2))


if __name__ == "__main__":
    main()
