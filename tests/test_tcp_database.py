# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shipped database of TCP fingerprints: complete entries, and right about handshakes made on this machine."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bench.os_labels import TUNING, evaluate, family, named, outcome
from bench.raw_packets import packet
from sigdb import TcpDatabase, load_tcp, shipped_tcp
from sigdb.tcp_nodes import ROLES

FILES = [Path(file) for file in shipped_tcp()]


@pytest.fixture(scope="module")
def database() -> TcpDatabase:
    return load_tcp(FILES)


def test_loads(database: TcpDatabase) -> None:
    assert {file.name for file in FILES} >= {"linux.fp", "windows.fp", "apple.fp", "bsd.fp", "devices.fp", "tools.fp"}
    assert {s.response for s in database.signatures} == {True, False}
    assert database.mtus[1500] == "Ethernet"


def test_every_label_has_a_class(database: TcpDatabase) -> None:
    for signature in database.signatures:
        assert signature.label.role in ROLES, f"{signature.file}:{signature.line}"
        assert (signature.label.role == "tool") == (signature.label.os_class == "!"), signature.label


def test_windows_is_client_class_only_where_it_connects(database: TcpDatabase) -> None:
    """Its server editions have the same stack, and what answers on a web port is mostly one of them."""
    found = {(s.response, s.label.role) for s in database.signatures if s.label.name == "Windows"}
    assert found == {(False, "client"), (True, "server")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_entry_has_its_source(file: Path) -> None:
    """The comment that begins with "Source:" stands right above the label; class right below it."""
    lines = file.read_text().splitlines()
    assert lines[0] == "; SPDX-License-Identifier: LGPL-2.1-or-later"
    section = ""
    for number, line in enumerate(lines):
        section = line if line.startswith("[") else section
        if not line.startswith("label"):
            continue
        above = number
        while lines[above - 1].startswith(";"):
            above -= 1
        assert lines[above].startswith("; Source: ") and len(lines[above]) > 15, f"{file}:{number + 1}: no source"
        if section != "[mtu]":
            assert lines[number + 1].startswith("class = "), f"{file}:{number + 1}: no class"


def test_no_signature_twice(database: TcpDatabase) -> None:
    count = Counter((s.response, s.text) for s in database.signatures)
    assert [text for text, times in count.items() if times > 1] == []


@pytest.mark.parametrize(
    ("response", "raw", "system"),
    [
        (False, "4:60+4:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", "Linux 4.20 or newer"),
        (False, "4:60+4:0:1360:mss*48,9:mss,sok,ts,nop,ws:df,id+:0", "Linux 4.20 or newer"),
        (False, "6:60+4:0:1440:mss*45,7:mss,sok,ts,nop,ws:flow:0", "Linux 4.20 or newer"),
        (False, "4:64+0:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0", "Linux 3.11-4.19"),
        (False, "4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+,ecn:0", "Linux"),
        (False, "4:120+8:0:1460:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0", "Windows 10, 11, Server 2016 or newer"),
        (False, "4:120+8:0:1460:8192,8:mss,nop,ws,nop,nop,sok:df,id+,ecn:0", "Windows Vista or newer"),
        (True, "4:110+18:0:1460:65535,8:mss,nop,ws,sok,ts:df,id+:0", "Windows 10, 11, Server 2016 or newer"),
        (False, "4:50+14:0:1460:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0", "macOS or iOS (since 10.14 or 12)"),
        (True, "4:50+14:0:1460:65535,6:mss,nop,ws,sok,ts:df:0", "FreeBSD 11 or newer"),
        (True, "4:50+14:0:1460:16384,6:mss,nop,nop,sok,nop,ws,nop,nop,ts:df,id+:0", "OpenBSD"),
        (True, "4:240+15:0:1360:8190,0:mss:df,id+:0", "Citrix NetScaler"),
        (False, "4:44+20:0:1460:1024,0:mss::0", "nmap SYN scan"),
        (False, "4:250+5:0:0:1024,0:::0", "masscan"),
    ],
)
def test_names(database: TcpDatabase, response: bool, raw: str, system: str) -> None:
    found = named(database, raw, response=response)
    assert found is not None
    assert found.system == system


def test_unlike_any_system(database: TcpDatabase) -> None:
    found = named(database, "4:64+0:0:1000:777,3:ws,mss,nop:df:0", response=False)
    assert found is not None
    assert found.system is None


@pytest.mark.parametrize(
    ("evidence", "system", "said"),
    [
        ("Windows NT 10.0", "Windows Vista or newer", "right"),
        ("Windows NT 10.0", "Linux 3.x", "wrong"),
        ("Darwin 14.5.0", "Mac OS X", "right"),
        ("Android 4.4.4", "Linux 3.1-3.10", "right"),
        ("Linux", "nmap", "program"),
        ("Linux", None, "unknown"),
    ],
)
def test_outcome(evidence: str, system: str | None, said: str) -> None:
    assert outcome(evidence, system) == said


def test_packet_is_an_ethernet_frame() -> None:
    made = packet("6:64+0:0:1440:mss*45,7:mss,sok,ts,nop,ws:flow:0", response=False)
    assert made[12:14] == b"\x86\xdd" and made[14] >> 4 == 6


def test_evidence_of_captures(database: TcpDatabase, captures: Path) -> None:
    """Projects whose captures were not looked at: no family wrong that p0f, independently, does not name too."""
    with (captures / "labels" / "os.csv").open(newline="") as stream:
        labels = [row for row in csv.DictReader(stream) if row["repo"].split("+")[0] not in TUNING]
    table = evaluate(labels, database)  # type: ignore[arg-type]
    for mod in ("syn", "syn+ack"):
        part = table["measuring"][mod]  # type: ignore[index]
        shares = part["flowtap"]
        assert shares["wrong"] == part["contested"]
        assert shares["right"] > part["p0f"]["right"]
        assert part["sound"]["flowtap"]["wrong"] <= 1  # one end of a loopback, which --captures would tell
    assert not [row for row in table["not_right"] if row["ours"] == "not_made"]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def settings() -> list[dict[str, object]]:
    if os.geteuid() != 0:
        pytest.skip("needs root for a network namespace")
    command = [sys.executable, "-m", "bench.os_settings"]
    done = subprocess.run(
        command, capture_output=True, timeout=60, check=True, text=True, cwd=Path(__file__).parents[1]
    )
    table: list[dict[str, object]] = json.loads(done.stdout)
    return table


@pytest.mark.live
def test_handshakes_of_this_machine_are_named_linux(settings: list[dict[str, object]]) -> None:
    """Real connections under 20 settings; a default MTU is named exactly, and nothing is called another system."""
    seen = [line for line in settings if "error" not in line]
    assert len(seen) >= 76  # a kernel may lack Multipath TCP or IPv6's part of a setting
    for line in seen:
        assert line["system"] is not None, line
        assert family(str(line["system"])) == "Linux", line
    for line in seen:
        if str(line["case"]).startswith("MTU"):
            assert (line["system"], line["fuzzy"]) == ("Linux 4.20 or newer", False), line
