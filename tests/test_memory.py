# SPDX-License-Identifier: LGPL-2.1-or-later
"""A value that is whole after a kill at any time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.memory import Memory, MemoryFileError
from tests.conftest import environment


def test_a_value_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    memory = Memory(path)
    assert memory.load() is None
    for value in ([1, 2], {"a": "b" * 60000}, None, [2**64 - 1, [3, 4]]):
        memory.store(value)
        assert memory.load() == value
        other = Memory(path)
        assert other.load() == value
        other.close()
    memory.close()
    memory = Memory(path)
    assert memory.load() == [2**64 - 1, [3, 4]]
    with pytest.raises(ValueError, match="at most"):
        memory.store("x" * 70000)
    assert memory.load() == [2**64 - 1, [3, 4]]
    memory.close()


@pytest.mark.parametrize(
    "data", [b"", b"x", b"x" * 131136, bytes(131136), b"ft_memy1" + b"\x01" * 131128, b"ft_memy1" + b"\x09" * 131128]
)
def test_a_foreign_file_holds_nothing(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    memory = Memory(tmp_path / "a")
    assert memory.load() is None
    memory.store([1])
    assert memory.load() == [1]
    memory.close()


def test_a_file_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(MemoryFileError, match="no/a: No such file"):
        Memory(tmp_path / "no" / "a")


STORE = """
import sys
from pathlib import Path
from engine.memory import Memory
memory = Memory(Path(sys.argv[1]))
n = (memory.load() or [0])[0]
print("begun", flush=True)
while True:
    n += 1
    memory.store([n, [n] * (n % 50), n])
"""


def test_a_kill_leaves_the_old_value_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    last = 0
    for _ in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", STORE, str(path)], stdout=subprocess.PIPE, env=environment()
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            watcher = Memory(path)
            while (watcher.load() or [0])[0] == last:
                os.sched_yield()
            process.send_signal(signal.SIGKILL)
        n, several, again = watcher.load()
        watcher.close()
        assert several == [n] * (n % 50)
        assert again == n
        assert n > last
        last = n
