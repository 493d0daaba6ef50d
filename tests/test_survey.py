# SPDX-License-Identifier: LGPL-2.1-or-later
"""A survey of thousands of hosts, which one process plays behind a TUN interface, in a namespace of its own."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from bench.os_labels import named
from lab.network import Machine, until
from sigdb import load_tcp, shipped_tcp

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
PREFIX = Path(__file__).parents[1] / "lab" / "prefix.py"
NETWORK = ip_network("10.80.0.0/18")
HOSTS = 10_808  # as many as in 2009
# Signatures as in a database, with what a host of each answers: the same system, in ways that the signature allows.
DATABASE = """
classes = win,unix,other
[tcp:response]
label = s:win:Desktop:1
class = client
sig = 4:128:0:*:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0
label = s:unix:Server:1
class = server
sig = *:64:0:*:mss*45,7:mss,sok,ts,nop,ws:df:0
label = s:other:Box:1
class = embedded
sig = 4:255:0:*:4096,0:mss::0
"""
STACKS = {
    "client": "4:128:0:1460:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0",
    "server": "4:64:0:1460:mss*45,7:mss,sok,ts,nop,ws:df:0",
    "embedded": "4:255:0:1460:4096,0:mss::0",
    None: "4:64:0:1400:12345,3:mss,ws,nop:df:0",  # in no database
}
CLEAN = [("server", 70), ("embedded", 15), (None, 8), ("client", 2), ("refused", 3), ("silent", 2)]
MALICIOUS = [("client", 80), ("server", 6), (None, 6), ("refused", 4), ("silent", 4)]


def plan(seed: int, count: int) -> tuple[dict[str, tuple[str, str]], list[tuple[str, str]], Counter[tuple[str, str]]]:
    """Return the hosts, the labelled list, and the matrix that is right, label and verdict."""
    chance = random.Random(seed)
    hosts, labels, right = {}, [], Counter[tuple[str, str]]()
    for address in list(NETWORK.hosts())[:count]:
        label = "malicious" if chance.random() < 0.25 else "clean"
        kinds = MALICIOUS if label == "malicious" else CLEAN
        [kind] = chance.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
        hosts[str(address)] = (kind, STACKS["server"]) if kind in ("refused", "silent") else ("open", STACKS[kind])
        told = {"client": "client", "server": "other", "embedded": "other", None: "unknown"}.get(kind, "no answer")
        labels.append((str(address), label))
        right[label, told] += 1
    chance.shuffle(labels)
    return hosts, labels, right


class Field:
    """A namespace with the hosts of a plan, and the survey's files."""

    def __init__(self, machine: Machine, folder: Path, count: int, stacks: list[str] | None = None) -> None:
        self.machine, self.folder = machine, folder
        hosts, labels, self.right = plan(7, count)
        if stacks is not None:
            hosts = {host: ("open", stacks[number % len(stacks)]) for number, host in enumerate(hosts)}
        self.hosts = hosts
        (folder / "plan.json").write_text(json.dumps(hosts))
        (folder / "db.fp").write_text(DATABASE)
        with (folder / "hosts.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("host", "label"), *labels])
        log = folder / "prefix.out"
        machine.start(sys.executable, str(PREFIX), "field", str(folder / "plan.json"), log=log)
        until(lambda: log.exists() and "ready" in log.read_text(), "the hosts")
        for command in (
            "link set field txqueuelen 5000 up",
            "address add 10.70.0.1/32 dev field",
            f"route add {NETWORK} dev field src 10.70.0.1",
        ):
            machine.do("ip", *command.split())

    def command(self, *options: str) -> list[str]:
        """Return the command line of a survey."""
        files = ["-o", str(self.folder / "j"), "--p0f-fp", str(self.folder / "db.fp"), str(self.folder / "hosts.csv")]
        flowtap = [sys.executable, "-m", "flowtap", "survey", "--yes", *options, *files]
        return self.machine.inside("env", f"PYTHONPATH={PREFIX.parents[1]}", *flowtap)

    def syns(self) -> list[tuple[float, str]]:
        """Return time and addressee of all SYNs that came."""
        lines = (self.folder / "field.log").read_text().splitlines()
        return [(float(line.split()[0]), line.split()[1]) for line in lines]


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.close()


def test_survey_of_a_prefix(machine: Machine, tmp_path: Path) -> None:
    """It is killed in the middle, goes on, keeps its rate and gets the matrix right."""
    field = Field(machine, tmp_path, HOSTS)
    rate = 1500
    bounds = ["--rate", str(rate), "--concurrency", "3000", "--timeout", "1.5"]
    with subprocess.Popen(field.command(*bounds), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as killed:
        until(lambda: (tmp_path / "j").exists() and len((tmp_path / "j").read_bytes()) > 300_000, "half of it")
        killed.send_signal(signal.SIGKILL)
    before = len(field.syns())
    done = subprocess.run(field.command(*bounds, "--resume", "--json"), capture_output=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["hosts"] == HOSTS
    matrix = {(label, name): n for label, row in told["matrix"].items() for name, n in row.items() if n}
    assert matrix == dict(field.right)
    syns = field.syns()
    assert 0 < before < len(syns)
    counts = Counter(host for _, host in syns)
    assert len(counts) == HOSTS
    first = sorted({host: at for at, host in reversed(syns[:before])}.values())
    for begun in (first, sorted({host: at for at, host in reversed(syns[before:])}.values())):
        # Beginnings in any second: at most the rate, and those that this machine's delays pushed into it.
        most = max(sum(start <= at < start + 1 for at in begun) for start in begun[:: rate // 4])
        assert most <= rate * 1.1


def test_stacks_of_real_captures(machine: Machine, captures: Path, tmp_path: Path) -> None:
    """Each host answers as a server of a public capture did, and is named as that packet is."""
    database = load_tcp(shipped_tcp())
    with (captures / "labels" / "os.csv").open(newline="") as file:
        raws = {row["raw_sig"] for row in csv.DictReader(file) if row["mod"] == "syn+ack"}
    stacks = sorted(raw for raw in raws if raw.startswith("4:") and "?" not in raw.split(":", 2)[2])
    assert len(stacks) > 20
    names = {raw: made.system for raw in stacks if (made := named(database, raw, response=True)) is not None}
    field = Field(machine, tmp_path, 1000, stacks)
    command = field.command("--rate", "1000", "--concurrency", "1000", "--timeout", "5")
    begin = command.index("--p0f-fp")
    del command[begin : begin + 2]
    subprocess.run(command, capture_output=True, timeout=90, check=True)
    results = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()[1:]]
    assert len(results) == 1000
    assert [one for one in results if one.get("system") != names[field.hosts[one["host"]][1]]] == []


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 1, "nobody is there to agree; --yes agrees"),
        (["--plot", "a.gif"], 2, "expected a name that ends in .png or .svg"),
        (["--port", "0"], 2, "0 is not in the range"),
        (["--rate", "nan"], 2, "'nan' is not a number"),
    ],
)
def test_refusals(machine: Machine, options: list[str], code: int, message: str, tmp_path: Path) -> None:
    field = Field(machine, tmp_path, 10)
    command = [word for word in field.command(*options) if word != "--yes"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    time.sleep(0.2)
    assert not field.syns()


def test_no_list_no_survey() -> None:
    command = [sys.executable, "-m", "flowtap", "survey", "-o", "/nowhere/j"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "Missing argument 'LIST...'" in done.stderr
