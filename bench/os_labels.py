# SPDX-License-Identifier: LGPL-2.1-or-later
"""How often a database of TCP fingerprints names the right system: `python -m bench.os_labels LABELS` prints JSON.

LABELS is a CSV file with the columns repo, file, ip, mod (syn, syn+ack), evidence_os, p0f_os (??? where p0f knows none)
and raw_sig. The evidence comes from what the host said of itself in the same capture: a User-Agent, the banner of an
SSH server, a Server header. Each raw signature is made into a packet again (bench/raw_packets.py) and goes through the
parser and the matcher; rows whose packet gives another signature are counted as not_made.

Outcomes: right and wrong compare families (Windows, Linux with Android, Apple, BSD, Cisco); `program` is a label that
names a tool or a device in between, which says nothing of the system; unknown. `contested` are those of the wrong ones
where p0f names the same family as ours for that host: there the evidence probably speaks of another machine than the
packet (a proxy, a false User-Agent). The captures are split by project: entries were tuned with those of TUNING only.

`sound` leaves out the rows whose evidence cannot be about the machine that sent the packet, for one of two reasons that
no database of fingerprints is asked for, whatever both programs say of the row:
- `ttl`: it says Windows, which begins with a TTL of 128 (Microsoft, "TCP/IP Registry Values", DefaultTTL), and the IPv4
  packet has 64 or less: more than 63 routers in between;
- `two`: the host says two families of itself, in the same capture (with --captures, which tshark reads).
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TypedDict

from bench.raw_packets import ImpossibleError, packet
from capture._message import parse_handshake
from engine.fingerprint import Fingerprinter
from engine.fingerprints import RESULT_SIZE, Fingerprint, results
from sigdb import TcpDatabase, load_tcp, shipped_tcp

TUNING = frozenset({"CESNET", "OISF", "arkime", "cisco", "seladb"})  # owners of the projects, as in `repo`
KEPT = ("repo", "file", "ip", "mod", "evidence_os", "raw_sig", "p0f_os")
OUTCOMES = ("right", "wrong", "unknown", "program", "not_made")
PROGRAMS = (("flowtap", "ours"), ("p0f", "p0f"))
# What a User-Agent or a Server header says, in small letters: families.
SAID = {
    "windows nt": "Windows", "microsoft-iis": "Windows", "microsoft-httpapi": "Windows", "(win32)": "Windows",
    "linux": "Linux", "android": "Linux", "ubuntu": "Linux", "debian": "Linux", "centos": "Linux", "fedora": "Linux",
    "red hat": "Linux", "darwin": "Apple", "mac os x": "Apple", "iphone": "Apple", "freebsd": "BSD", "openbsd": "BSD",
}  # fmt: skip
FAMILIES = {
    "windows": "Windows",
    "linux": "Linux",
    "android": "Linux",
    "mac os": "Apple",
    "macos": "Apple",
    "darwin": "Apple",
    "ios": "Apple",
    "freebsd": "BSD",
    "openbsd": "BSD",
    "netbsd": "BSD",
    "solaris": "Solaris",
    "cisco": "Cisco",
}


class Row(TypedDict):
    """What is known of one labelled handshake."""

    repo: str
    file: str
    ip: str
    mod: str
    evidence_os: str
    p0f_os: str
    raw_sig: str


def family(name: str) -> str | None:
    """Return the family that a system's name begins with, None for another thing than a system."""
    low = name.lower()
    return next((known for word, known in FAMILIES.items() if low.startswith(word)), None)


def named(database: TcpDatabase, raw: str, *, response: bool) -> Fingerprint | None:
    """Return what the matcher says of a packet with this raw signature; None when no such packet can be made."""
    try:
        record = parse_handshake(packet(raw, response=response), ts=1)
    except ImpossibleError:
        return None
    printer = Fingerprinter(database)
    found = bytearray(RESULT_SIZE)
    if printer.process(record, found) != 1:
        return None
    fingerprint = printer.describe(next(results(found, 1)))
    return fingerprint if fingerprint.raw.split(":", 2)[2] == raw.split(":", 2)[2] else None


def outcome(evidence: str, system: str | None) -> str:
    """Compare the family of the evidence with that of a name."""
    if system is None:
        return "unknown"
    told = family(system)
    if told is None:
        return "program"
    return "right" if told == family(evidence) else "wrong"


@cache
def sayings(path: Path) -> dict[str, set[str]]:
    """Return the families that each IPv4 address of a capture says it is of, in a User-Agent or a Server header.

    Raises OSError and subprocess.SubprocessError where tshark does not run.
    """
    fields = ("ip.src", "http.user_agent", "http.server")
    command = ["tshark", "-r", path, "-Y", "http.user_agent or http.server", "-T", "fields", "-E", "occurrence=l"]
    command += [word for field in fields for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    found: dict[str, set[str]] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        address, _, said = line.partition("\t")
        words = said.lower()
        found.setdefault(address, set()).update(known for word, known in SAID.items() if word in words)
    return found


def unsound(label: Row, captures: Path | None) -> str:
    """Return why the evidence cannot be about the machine that sent the packet, "" when nothing speaks against it."""
    version, ttl, _ = label["raw_sig"].split(":", 2)
    if family(label["evidence_os"]) == "Windows" and version == "4" and int(ttl.split("+")[0].rstrip("-")) <= 64:
        return "ttl"
    if captures is not None and len(sayings(captures / label["repo"] / label["file"]).get(label["ip"], ())) > 1:
        return "two"
    return ""


def _shares(rows: list[dict[str, str]], key: str) -> dict[str, object]:
    count = Counter(row[key] for row in rows)
    total = len(rows)
    table: dict[str, object] = {"rows": total}
    for name in OUTCOMES:
        if count[name] or name in OUTCOMES[:3]:
            table[name] = count[name]
            table[f"{name}_percent"] = round(100 * count[name] / total, 1) if total else None
    return table


def _part(rows: list[dict[str, str]]) -> dict[str, object]:
    """Tabulate SYN and SYN+ACK by themselves, and p0f beside."""
    table: dict[str, object] = {}
    for mod in ("syn", "syn+ack"):
        some = [row for row in rows if row["mod"] == mod]
        once = list({(row["evidence_os"], row["raw_sig"]): row for row in some}.values())
        nameless = [row for row in once if row["p0f_os"] == "???"]
        table[mod] = {
            "flowtap": _shares(some, "ours"),
            "p0f": _shares(some, "p0f"),
            "contested": sum(row["contested"] == "yes" for row in some),
            "unsound": Counter(row["unsound"] for row in some if row["unsound"]),
            "sound": {name: _shares([row for row in some if not row["unsound"]], key) for name, key in PROGRAMS},
            "distinct": {"flowtap": _shares(once, "ours"), "p0f": _shares(once, "p0f")},
            "distinct_unknown_to_p0f": _shares(nameless, "ours"),
        }
    return table


def evaluate(labels: list[Row], database: TcpDatabase, captures: Path | None = None) -> dict[str, object]:
    """Return the table for both halves and for all, with every row that is not right.

    `captures` is the folder of the projects' captures.
    """
    rows = []
    for label in labels:
        print_ = named(database, label["raw_sig"], response=label["mod"] == "syn+ack")
        system = None if print_ is None else print_.system
        ours = "not_made" if print_ is None else outcome(label["evidence_os"], system)
        p0f = outcome(label["evidence_os"], None if label["p0f_os"] == "???" else label["p0f_os"])
        same = ours == "wrong" and system is not None and family(system) == family(label["p0f_os"])
        row = {name: str(label[name]) for name in KEPT}  # type: ignore[literal-required]
        row |= {"ours": ours, "p0f": p0f, "system": system or "", "contested": "yes" if same else ""}
        rows.append(row | {"unsound": unsound(label, captures)})
    hosts = {(row["repo"], row["file"], row["ip"]) for row in rows if row["contested"]}
    for row in rows:
        if row["ours"] == "wrong" and (row["repo"], row["file"], row["ip"]) in hosts:
            row["contested"] = "yes"
    tuning = [row for row in rows if row["repo"].split("+")[0] in TUNING]
    measuring = [row for row in rows if row["repo"].split("+")[0] not in TUNING]
    return {
        "tuning": _part(tuning),
        "measuring": _part(measuring),
        "all": _part(rows),
        "not_right": [row for row in rows if row["ours"] != "right"],
    }


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.os_labels", description=__doc__.split("\n", 1)[0])
    parser.add_argument("labels", type=Path, help="CSV file")
    parser.add_argument("--database", type=Path, nargs="+", help="files of fingerprints (default: the shipped ones)")
    parser.add_argument("--captures", type=Path, help="folder of the captures, for what else hosts say of themselves")
    options = parser.parse_args(arguments)
    with options.labels.open(newline="") as stream:
        labels: list[Row] = list(csv.DictReader(stream))  # type: ignore[arg-type]
    database = load_tcp(options.database or shipped_tcp())
    print(
        json.dumps({"signatures": len(database.signatures), **evaluate(labels, database, options.captures)}, indent=2)
    )


if __name__ == "__main__":
    main()
