# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests share: the folder of public captures, and the command."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from tests.conversation import PASSWORD, login, other, pcap

ROOT = Path(__file__).parent.parent
_CACHE = tempfile.TemporaryDirectory(prefix="flowtap-tests-")  # commands compile signatures once, for these tests alone
os.environ.setdefault("FLOWTAP_CACHE", _CACHE.name)


def environment() -> dict[str, str]:
    """Return the environment in which `python -m flowtap` is this checkout, from whatever folder."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def captures() -> Path:
    """Return the folder of public captures, which the project does not contain: FLOWTAP_CAPTURES names it."""
    folder = Path(os.environ.get("FLOWTAP_CAPTURES", ROOT / ".." / "shared" / "captures"))
    if not folder.is_dir():
        pytest.skip(f"no public captures: {folder} does not exist; FLOWTAP_CAPTURES can name it")
    return folder


@pytest.fixture
def flowtap(tmp_path: Path) -> Command:
    """Return a function that runs `flowtap` with arguments, in the test's folder, and returns what came of it."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> "subprocess.CompletedProcess[str]":
        result = subprocess.run(
            [sys.executable, "-m", "flowtap", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
            env=environment(),
        )
        return subprocess.CompletedProcess(
            result.args, result.returncode, result.stdout.decode(), result.stderr.decode()
        )

    return run


@pytest.fixture
def context() -> Iterator["zmq.Context[zmq.Socket[bytes]]"]:
    """Return a ZeroMQ context, whose sockets are closed after the test."""
    made = zmq.Context()
    yield made
    made.destroy(linger=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a.pcap, two flows, and a.fp, which matches one of them."""
    (tmp_path / "a.pcap").write_bytes(pcap(login(), other()))
    (tmp_path / "a.fp").write_text(PASSWORD)
    return tmp_path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs more than an ordinary run has: time, or root."""
    for item in items:
        if item.get_closest_marker("nightly") and os.environ.get("FLOWTAP_NIGHTLY") != "1":
            item.add_marker(pytest.mark.skip(reason="long: set FLOWTAP_NIGHTLY=1"))
        if item.get_closest_marker("systemd") and os.environ.get("FLOWTAP_SYSTEMD") != "1":
            item.add_marker(pytest.mark.skip(reason="boots a system of its own: make test-systemd"))
        if item.get_closest_marker("live") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root and network namespaces"))
