# SPDX-License-Identifier: LGPL-2.1-or-later
"""p0f beside flowtap: both read a file, and their lines are made comparable."""

from __future__ import annotations

import os
import shutil
import subprocess
from calendar import timegm
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from time import strptime

import sigdb
from capture import Batch, CaptureError, open_capture
from capture.handshake import handshakes
from engine import Fingerprinter
from engine.fingerprints import RESULT_SIZE, Flag, results

P0F = shutil.which("p0f", path=os.environ.get("PATH", "") + ":/usr/sbin")
FP = Path("/etc/p0f/p0f.fp")
MISSING = None if P0F and FP.exists() else "needs p0f and its database (apt-get install p0f)"


@dataclass(frozen=True)
class Line:
    """What p0f says of a SYN or SYN+ACK."""

    second: int = field(compare=False)
    side: str
    client: tuple[str, int]
    server: tuple[str, int]
    system: str
    distance: str
    params: str
    raw: str

    @property
    def flow(self) -> tuple[str, tuple[str, int], tuple[str, int]]:
        """What tells the lines of one side of a connection from others."""
        return self.side, self.client, self.server


def _end(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition("/")
    return str(ip_address(address)), int(port)


def _second(text: str) -> int:
    return timegm(strptime(text, "%Y/%m/%d %H:%M:%S"))


def p0f_log(path: Path, folder: Path) -> list[dict[str, str]] | None:
    """Return the lines p0f logs of a file; None when it cannot read it. p0f appends, so the log is new each time."""
    log = folder / "p0f.log"
    log.unlink(missing_ok=True)
    done = subprocess.run(
        [P0F, "-f", FP, "-r", path, "-o", log], capture_output=True, timeout=60, check=False, env={"TZ": "UTC"}
    )
    if done.returncode != 0:
        return None
    lines = []
    for text in log.read_text(errors="replace").splitlines():
        time, _, rest = text.partition("] ")
        fields = dict(field.partition("=")[::2] for field in rest.split("|"))
        lines.append(fields | {"time": time[1:]})
    return lines


def p0f_lines(path: Path, folder: Path) -> list[Line] | None:
    """Return p0f's lines about SYNs and SYN+ACKs; None when it cannot read the file."""
    log = p0f_log(path, folder)
    if log is None:
        return None
    return [
        Line(
            _second(f["time"]),
            f["mod"],
            _end(f["cli"]),
            _end(f["srv"]),
            f.get("os", f.get("app", "")),
            f["dist"],
            f["params"],
            f["raw_sig"],
        )
        for f in log
        if f["mod"] in ("syn", "syn+ack")
    ]


def our_lines(path: Path, database: sigdb.TcpDatabase, *, decap: bool = False) -> list[Line]:
    """Return the same of flowtap, what was sent again included, up to the damage of a damaged file."""
    batch = Batch(handshakes=True)
    fingerprinter = Fingerprinter(database)
    found = bytearray(batch.capacity * RESULT_SIZE)
    lines = []
    with open_capture(path, decap=decap) as capture:
        try:
            while capture.read(batch) >= 0:
                count = batch.handshake_count
                assert fingerprinter.process(batch.handshakes, found, 0, count) == count
                for h, r in zip(handshakes(batch.handshakes, count), results(found, count), strict=True):
                    f = fingerprinter.describe(r)
                    ends = (_address(h.src), h.sport), (_address(h.dst), h.dport)
                    client, server = reversed(ends) if r.flags & Flag.RESPONSE else ends
                    system = f.system or "???"
                    second = h.ts // 1_000_000_000
                    lines.append(Line(second, f.side, client, server, system, f.distance_text, f.params, f.raw))
        except CaptureError:
            pass
    return lines


def _address(address: bytes) -> str:
    return str(ip_address(address[12:] if address.startswith(bytes(10) + b"\xff\xff") else address))


def differences(theirs: list[Line], ours: list[Line]) -> list[tuple[Line, list[Line]]]:
    """Return each line of p0f that is not among ours in the same order, with ours of that flow in that second."""
    waiting: dict[object, list[Line]] = {}
    for line in ours:
        waiting.setdefault(line.flow, []).append(line)
    wrong = []
    for line in theirs:
        of_flow = waiting.get(line.flow, [])
        if line in of_flow:
            del of_flow[: of_flow.index(line) + 1]
        else:
            wrong.append((line, [other for other in of_flow if other.second == line.second]))
    return wrong
