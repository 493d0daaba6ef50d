# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap run`: real packets in a network namespace of the test's own, processes that are killed, the way down."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import orjson
import pytest

from flowtap.ledger import writer
from tests.conftest import Command, environment
from tests.live import until
from tests.veth import namespace

PATIENCE = 60.0
PORT = 7777
SIGNATURE = "tcp 7777 = < c5 s10 > : one question, one answer\n    id = test.one\n"
MATCH = re.compile(
    r"\(tcp\) 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:7777\n"
    r"    Observed for: 15B, 2 packets, spans \d seconds\n"
    r"    Matches: one question, one answer \(hit: 1, confidence: \d+\)\n"
)


@pytest.fixture
def gateway() -> Iterator[None]:
    """Be in a namespace whose loopback interface is up."""
    with namespace():
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
        yield


@pytest.fixture
def signature(tmp_path: Path) -> Path:
    path = tmp_path / "test.fp"
    path.write_text(SIGNATURE)
    return path


class Run:
    """A `flowtap run` on the loopback interface."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.runtime = folder / "run"
        self._errors = folder / "stderr"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flowtap", "run", "-i", "lo", "--runtime", str(self.runtime), *options],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(),
                cwd=folder,
            )
        assert self.process.stdout is not None
        self._out = self.process.stdout
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while data := os.read(self._out.fileno(), 65536):
            self.text += data.decode()

    def errors(self) -> str:
        """Return what was said on standard error."""
        return self._errors.read_text()

    def pid(self, name: str) -> int | None:
        """Return the process that has this page."""
        return writer(self.runtime / "ledger" / f"{name}.page")

    def pids(self) -> dict[str, int]:
        """Wait until all processes work, and return them."""
        names = ("capture-lo", "worker-0", "collector")
        until(lambda: all(self.pid(name) for name in names) and self._tapped(), self.errors)
        return {name: self.pid(name) or 0 for name in names}

    def _tapped(self) -> bool:
        shown = subprocess.run(
            ["tc", "filter", "show", "dev", "lo", "ingress"], capture_output=True, timeout=10, check=False
        )
        return b"flowtap" in shown.stdout and self.process.poll() is None

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal, wait for the end, and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def close(self) -> None:
        """Kill it if it is still there."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._out.close()


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Run]:
    run = Run(folder, "--workers", "1", *options)
    try:
        yield run
    finally:
        run.close()


@contextmanager
def server() -> Iterator[None]:
    """Answer each question, in the namespace of the caller's thread."""
    listening = socket.create_server(("127.0.0.1", PORT))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(100)
                connection.sendall(b"0123456789")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(PATIENCE)


def ask(times: int = 1) -> None:
    for _ in range(times):
        with socket.create_connection(("127.0.0.1", PORT), timeout=10) as client:
            client.sendall(b"hello")
            while client.recv(100):
                pass


def filters() -> str:
    """Return what of tc is on the loopback interface."""
    command = ["tc", "qdisc", "show", "dev", "lo"]
    return subprocess.run(command, capture_output=True, timeout=10, check=True).stdout.decode()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.live
def test_matches_as_they_happen(gateway: None, signature: Path, tmp_path: Path) -> None:
    with running(tmp_path, "-f", str(signature)) as run, server():
        pids = run.pids()
        ask()
        until(lambda: MATCH.fullmatch(run.text), lambda: run.text + run.errors())
        ask(2)
        assert run.end() == 0
        assert len(MATCH.findall(run.text)) == 3
        assert re.search(
            r"^flowtap: \d+ packets, 3 flows, 3 events; left out: .*\d+ no payload.*; lost: nothing$",
            run.errors(),
            re.M,
        )
        assert not any(alive(pid) for pid in pids.values())
    assert "clsact" not in filters()


@pytest.mark.live
def test_what_is_open_at_the_end(gateway: None, signature: Path, tmp_path: Path) -> None:
    with running(tmp_path, "-f", str(signature), "--json", "--flows") as run, server():
        run.pids()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            client = socket.create_connection(listening.getsockname(), timeout=10)
            other, _ = listening.accept()
            client.sendall(b"1234")
            assert other.recv(10) == b"1234"
            assert run.end(signal.SIGTERM) == 0
            client.close()
            other.close()
    flow, stats = map(orjson.loads, run.text.splitlines())
    assert (flow["event_type"], flow["flow"]["state"], flow["flowtap"]["shape"]) == ("flow", "open", "< c4")
    assert (stats["event_type"], stats["stats"]["lost"], stats["stats"]["collector"]["published"]) == ("stats", [], 1)
    assert run.errors() == ""


@pytest.mark.live
@pytest.mark.parametrize("name", ["capture-lo", "worker-0", "collector"])
def test_a_killed_child_comes_back(name: str, gateway: None, signature: Path, tmp_path: Path) -> None:
    with running(tmp_path, "-f", str(signature), "-q") as run, server():
        before = run.pids()
        ask()
        until(lambda: MATCH.fullmatch(run.text), lambda: run.text + run.errors())
        os.kill(before[name], signal.SIGKILL)
        until(lambda: run.pid(name) not in (None, before[name]), run.errors)
        run.pids()

        def matched() -> bool:
            ask()
            sleep(0.1)
            return len(MATCH.findall(run.text)) > 1

        until(matched, lambda: run.text + run.errors())
        assert {key: pid for key, pid in run.pids().items() if key != name} == {
            key: pid for key, pid in before.items() if key != name
        }
        assert run.end() == 0
    assert re.search(rf"^flowtap: {name.partition('-')[0]}\S* was killed by SIGKILL, ", run.errors())
    assert "clsact" not in filters()


@pytest.mark.live
def test_killed_itself(gateway: None, signature: Path, tmp_path: Path) -> None:
    with running(tmp_path, "-f", str(signature)) as run:
        pids = run.pids()
        assert run.end(signal.SIGKILL) == -signal.SIGKILL
        until(lambda: not any(alive(pid) for pid in pids.values()))
    assert "clsact" not in filters()


@pytest.mark.live
def test_duration_and_unidentified(gateway: None, tmp_path: Path) -> None:
    (tmp_path / "none.fp").write_text("tcp 1 = < c1 > : nothing\n    id = test.none\n")
    with running(tmp_path, "-f", "none.fp", "-K", "-q", "--duration", "4", "-o", "out.fp") as run, server():
        run.pids()
        ask()
        assert run.wait() == 0
    assert run.text == run.errors() == ""
    assert re.search(r"^tcp 7777 = < c5 s10 > : unidentified ", (tmp_path / "out.fp").read_text(), re.M)


@pytest.mark.live
def test_without_permission(gateway: None, tmp_path: Path) -> None:
    command = ["setpriv", "--bounding-set=-all", sys.executable, "-m", "flowtap", "run", "-i", "lo"]
    command += ["--workers", "1", "--capture", "ebpf"]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment(), cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"cap_" in result.stderr
    assert b"Traceback" not in result.stderr


def test_wrong_signatures(tmp_path: Path, flowtap: Command) -> None:
    (tmp_path / "a.fp").write_text("tcp\n")
    result = flowtap("run", "-i", "lo", "-f", "a.fp")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{tmp_path}/a.fp:1:" in result.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "no interface"),
        (["-i", "a b"], 'capture.interfaces[0]: found "a b", expected the name of an interface'),
        (["-i", "x" * 16], "expected the name of an interface"),
        (["-i", "lo", "--duration", "nan"], "'nan' is not a number"),
        (["-i", "lo", "--flows"], "--flows needs --json"),
        (["-i", "lo", "--workers", "0"], "--workers"),
        (["-i", "lo", "--config", "absent.toml"], "absent.toml: No such file"),
    ],
)
def test_usage(options: list[str], reason: str, flowtap: Command) -> None:
    result = flowtap("run", "-q", *options)
    assert (result.returncode, result.stdout) == (2, "")
    assert reason in result.stderr


@pytest.mark.live
def test_an_interface_that_is_not_there_is_told(tmp_path: Path, flowtap: Command) -> None:
    result = flowtap("run", "-i", "absent0", "--duration", "0.1", "--workers", "1", "--runtime", tmp_path / "r")
    assert result.returncode == 0
    assert "absent0: there is no such interface; waits for it" in result.stderr


def test_closed_standard_output(tmp_path: Path) -> None:
    command = ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "flowtap", "run", "-i", "lo", "--duration", "0.1"]
    result = subprocess.run(command, stderr=subprocess.PIPE, timeout=60, check=False, env=environment(), cwd=tmp_path)
    assert (result.returncode, result.stderr) == (3, b"flowtap: standard output: closed\n")


@pytest.mark.parametrize(("runtime", "reason"), [("x" * 100, "too long"), ("/proc/run", "/proc/run: ")])
def test_no_runtime_directory(runtime: str, reason: str, flowtap: Command) -> None:
    result = flowtap("run", "-i", "lo", "--runtime", runtime)
    assert (result.returncode, result.stdout) == (1, "")
    assert reason in result.stderr
