# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ledger pages: they outlive their writer, grow, have one writer, and say who it is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowtap.ledger import LedgerError, Page, read_page, read_pages, writer
from tests.conftest import environment

WRITE = """
import sys, time
from pathlib import Path
from flowtap.ledger import Page
page = Page(Path(sys.argv[1]), ["a", "b"])
page.add("a", 7)
print("ready", flush=True)
time.sleep(60)
"""


def test_counters(tmp_path: Path) -> None:
    page = Page(tmp_path / "x.page", ["a", "b"])
    page.add("a")
    page.add("a", 2)
    page.set("b", 2**64 - 1)
    page.cells[page.index["a"]] += 1
    assert (page.get("a"), page.names, read_page(page.path)) == (4, ("a", "b"), {"a": 4, "b": 2**64 - 1})
    page.add("b")  # wraps, as C does
    assert read_page(page.path) == {"a": 4, "b": 0}
    page.close()
    assert writer(page.path) is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "b"], {"a": 1, "b": 2}),
        (["b", "a"], {"b": 2, "a": 1}),
        (["c", "b"], {"c": 0, "b": 2, "a": 1}),
        ([], {"a": 1, "b": 2}),
        ([f"cpu{n}.shard{m}.forwarded" for n in range(64) for m in range(64)], {"a": 1, "b": 2}),
    ],
)
def test_values_stay(names: list[str], expected: dict[str, int], tmp_path: Path) -> None:
    path = tmp_path / "x.page"
    page = Page(path, ["a", "b"])
    page.set("a", 1)
    page.set("b", 2)
    page.close()
    Page(path, names).close()
    found = read_page(path)
    assert {name: found[name] for name in expected} == expected
    assert list(found)[: len(names)] == names
    assert len(found) == len({*names, "a", "b"})
    before = path.stat().st_size
    Page(path, names).close()
    assert (read_page(path), path.stat().st_size) == (found, before)


def test_killed_writer(tmp_path: Path) -> None:
    path = tmp_path / "x.page"
    command = [sys.executable, "-c", WRITE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert writer(path) == process.pid
        with pytest.raises(LedgerError, match="another process of the same name is running"):
            Page(path, ["a", "b"])
        process.send_signal(signal.SIGKILL)
    assert writer(path) is None
    page = Page(path, ["a", "b"])
    page.add("a")
    assert (read_page(path), writer(path)) == ({"a": 8, "b": 0}, os.getpid())
    page.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"x" * 9000,
        b"{}",
        b'{"page": "flowtap ledger 1", "names": ["a"]}\n',
        b'{"page": "flowtap ledger 1", "names": 3}\n',
        b'{"page": 1, "names": []}\n',
        b"[1]\n",
        b"\xff\n",
    ],
)
def test_no_page(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.page"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"x\.page: not a ledger page"):
        read_page(path)
    assert list(read_pages(tmp_path)) == []
    Page(path, ["a"]).close()
    assert list(read_pages(tmp_path)) == [("x", {"a": 0})]


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"no/x\.page: No such file or directory"):
        Page(tmp_path / "no" / "x.page", ["a"])
    with pytest.raises(LedgerError, match="No such file or directory"):
        read_page(tmp_path / "x.page")
    assert writer(tmp_path / "x.page") is None


def test_what_is_no_file_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "x.page"
    os.mkfifo(path)
    assert list(read_pages(tmp_path)) == []
    with pytest.raises(LedgerError, match=r"x\.page: not a regular file"):
        writer(path)
    with pytest.raises(LedgerError, match=r"x\.page: "):
        Page(path, ["a"])
