# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap os`: its lines, its JSON and its exit codes."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from flowtap.os import os_
from tests.handshakes import MSS, Syn
from tests.packets import Packet, pcap

DATABASE = """classes = unix
[tcp:request]
label = s:unix:Linux:3.x
class = server
sig = *:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+:0
label = s:!:Scanner:
sig = *:64-:0:*:1024,0:mss:df,id+:0
[mtu]
label = Ethernet
sig = 1500
"""
FLOW = "cli=10.0.0.1/40000|srv=10.0.0.2/80"
RAW = "raw_sig=4:60+4:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0"
ANSWER = "raw_sig=4:60+4:0:1460:1000,0:mss:df,id+:0"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Return the paths of a database and of a capture: a SYN, the same again, its SYN+ACK, a scanner's SYN."""
    syn = Syn(ttl=60)
    syns = [syn, syn, syn.answer(window=1000, options=MSS), Syn(ttl=60, sport=5, window=1024, options=MSS)]
    capture, database = tmp_path / "a.pcap", tmp_path / "a.fp"
    capture.write_bytes(pcap(Packet(s.frame()) for s in syns))
    database.write_text(DATABASE)
    return str(database), str(capture)


def run(*arguments: str) -> tuple[int, list[str], str]:
    result = CliRunner().invoke(os_, arguments)
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_lines(files: tuple[str, str], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code, _, errors = run("--p0f-fp", *files)
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert code == 0
    assert errors == "flowtap: 3 handshakes, 1 of unknown systems\n"
    assert lines == [
        f"[2020/09/13 12:26:40] mod=syn|{FLOW}|subj=cli|os=Linux 3.x|dist=4|params=none|{RAW}|link=Ethernet",
        f"[2020/09/13 12:26:40] mod=syn+ack|{FLOW}|subj=srv|os=???|dist=4|params=none|{ANSWER}|link=Ethernet",
        f"[2020/09/13 12:26:40] mod=syn|{FLOW.replace('40000', '5')}|subj=cli|app=Scanner|dist=<= 4|params=random_ttl|"
        f"{ANSWER.replace('1000', '1024')}|link=Ethernet",
    ]


def test_json(files: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert run("--json", "--all", "-o", str(out), "--p0f-fp", *files) == (0, [], "")
    lines = [orjson.loads(line) for line in out.read_text().splitlines()]
    assert [line["repeated"] for line in lines] == [False, True, False, False]
    assert lines[0] == {
        "timestamp": "2020-09-13T12:26:40.123456Z",
        "capture": files[1],
        "side": "syn",
        "client": "10.0.0.1",
        "client_port": 40000,
        "server": "10.0.0.2",
        "server_port": 80,
        "system": "Linux 3.x",
        "label": "s:unix:Linux:3.x",
        "name": "Linux",
        "flavor": "3.x",
        "os_class": "unix",
        "class": "server",
        "generic": False,
        "fuzzy": False,
        "distance": 4,
        "distance_at_most": False,
        "params": "none",
        "raw": RAW.removeprefix("raw_sig="),
        "mtu": 1500,
        "link": "Ethernet",
        "ts": 1,
        "repeated": False,
    }
    assert (lines[2]["system"], lines[2]["label"], lines[2]["class"]) == (None, None, None)


def test_mistakes(files: tuple[str, str], tmp_path: Path) -> None:
    database, capture = files
    wrong = tmp_path / "wrong.fp"
    wrong.write_text("[tcp:request]\nsig = 4\n")
    assert run("--p0f-fp", str(wrong), capture)[::2] == (
        2,
        f"flowtap: {wrong}:2:1: sig without a correct label before it\n",
    )
    assert run("--p0f-fp", str(tmp_path / "no.fp"), capture)[0] == 2
    assert run("--p0f-fp", database, "--filter", "prot 5", capture)[0] == 2
    code, _, errors = run("-q", "--p0f-fp", database, database, capture)
    assert code == 1
    assert "expected pcap or pcapng" in errors
    assert run("--p0f-fp", database, "-o", "/dev/full", capture)[0] == 3
    absent = str(tmp_path / "absent.pcap")
    code, _, errors = run("--p0f-fp", database, absent, capture, absent)
    assert code == 1
    assert errors.count(f"flowtap: {absent}: No such file or directory\n") == 2
    assert "3 handshakes, 1 of unknown systems" in errors


def test_files_of_the_settings(
    files: tuple[str, str], tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    database, capture = files
    settings = tmp_path / "flowtap.toml"
    settings.write_text(f'[fingerprints]\nfiles = ["{database}"]\n')
    assert run("-q", "--config", str(settings), capture)[0] == 0
    assert b"Linux 3.x" in capfdbinary.readouterr().out
