# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap stats`: the table, JSON, exit codes, watching."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from flowtap.accounts import read_ledger
from flowtap.ledger import Page
from flowtap.stats_text import table
from tests import pages
from tests.conftest import Command, environment


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    pages.closed(tmp_path / "ledger")
    return tmp_path


def test_table(runtime: Path, flowtap: Command) -> None:
    result = flowtap("stats", "--runtime", runtime)
    assert (result.returncode, result.stderr) == (0, "")
    table, end = result.stdout.split("\n\n")
    assert {tuple(line.rsplit(maxsplit=1)) for line in table.splitlines()} >= {
        ("packets seen", "200"),
        ("  left out: no payload", "60"),
        ("  became records", "120"),
        ("  sent to workers", "120"),
        ("  processed", "120"),
        ("flows", "14"),
        ("  published", "9"),
    }
    assert end.splitlines() == [
        "lost: nothing",
        "sums: 20 of 20 close",
        "capture-eth0: not running",
        "collector: not running",
        "worker-0: not running",
        "worker-1: not running",
    ]


def test_what_is_lost(runtime: Path, flowtap: Command) -> None:
    pages.change(runtime / "ledger", "capture-eth0", cpu0__shard0__lost=1234)
    lines = flowtap("stats", "--runtime", runtime).stdout.splitlines()
    assert "  lost: no room in the ring                            1,234" in lines
    assert any(line.startswith("lost: 1,234 lost at capture eth0, shard 0: no room between kernel") for line in lines)
    at = lines.index("sums: 19 of 20 close; not accounted for:")
    assert lines[at + 1] == "  capture eth0, CPU 0, shard 0: batched = forwarded + lost: 30 = 1,264 -1,234"


def test_rates(runtime: Path) -> None:
    before = read_ledger(runtime / "ledger")
    pages.change(runtime / "ledger", "capture-eth0", cpu0__seen=1100)
    text = table(read_ledger(runtime / "ledger"), before, 2.0)
    assert text.splitlines()[0].split() == ["packets", "seen", "1,200", "500/s"]


def test_json(runtime: Path, flowtap: Command) -> None:
    told = orjson.loads(flowtap("stats", "--json", "--runtime", runtime).stdout)
    assert told["processes"][0] == {"name": "capture-eth0", "pid": None}
    assert told["captures"]["eth0"]["streams"]["1"]["shards"]["0"]["batched"] == 30
    assert (told["workers"]["1"]["received"], told["collector"]["published"], told["lost"]) == (60, 9, [])
    assert {equation["difference"] for equation in told["sums"]} == {0}


@pytest.mark.parametrize(
    ("page", "counters", "code"),
    [
        ("worker-0", {}, 0),
        ("worker-0", {"died": 1}, 4),
        ("capture-eth0", {"cpu0__seen": 1}, 4),
    ],
)
def test_check(page: str, counters: dict[str, int], code: int, runtime: Path, flowtap: Command) -> None:
    pages.change(runtime / "ledger", page, **counters)
    assert flowtap("stats", "--check", "--runtime", runtime).returncode == code
    assert flowtap("stats", "--runtime", runtime).returncode == 0


def test_check_of_a_dead_process(runtime: Path, flowtap: Command) -> None:
    page = Page(runtime / "ledger" / "worker-0.page", ["received"])
    result = flowtap("stats", "--check", "--runtime", runtime)
    page.close()
    assert result.returncode == 4
    assert f"worker-0: alive, pid {os.getpid()}" in result.stdout


def test_none(tmp_path: Path, flowtap: Command) -> None:
    result = flowtap("stats", "--runtime", tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"flowtap: {tmp_path}/ledger: no ledger")


def test_too_long_runtime(tmp_path: Path, flowtap: Command) -> None:
    result = flowtap("stats", "--runtime", tmp_path / ("x" * 100))
    assert (result.returncode, result.stdout) == (2, "")
    assert "too long" in result.stderr


def test_watch(runtime: Path) -> None:
    command = [sys.executable, "-m", "flowtap", "stats", "--watch", "--json", "--interval", "0.1"]
    command += ["--runtime", str(runtime)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert orjson.loads(process.stdout.readline())["lost"] == []
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
