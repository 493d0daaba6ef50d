# SPDX-License-Identifier: LGPL-2.1-or-later
"""Children that die: which end the run, which come back and when, and that one which hangs is killed."""

import signal
from pathlib import Path
from time import sleep

import pytest

from flowtap import supervisor
from flowtap.supervisor import Child, ChildError
from tests.live import until


def steps(child: Child) -> bool:
    child.step()
    return child.ready


def collector(folder: Path, said: list[str]) -> Child:
    (folder / "f.toml").write_text('[metrics]\nlisten = ""\n')
    arguments = ["collector", "--config", str(folder / "f.toml"), "--runtime", str(folder / "run")]
    return Child("collector", arguments, folder, said.append)


def test_it_comes_back_after_longer_and_longer(tmp_path: Path) -> None:
    said: list[str] = []
    child = collector(tmp_path, said)
    try:
        child.start()
        until(lambda: steps(child))
        for _ in range(3):
            assert child.process is not None
            child.process.kill()
            child.process.wait(20)
            child.step()
            assert not child.ready
            until(lambda: steps(child))
        lines = [line for line in said if "was killed by SIGKILL" in line]
        assert [line.rpartition(", ")[2] for line in lines] == ["again in 0.2 s", "again in 0.4 s", "again in 0.8 s"]
        assert child.restarts == 3
        child.end()
        until(lambda: (child.step(), child.process is None)[1])
        sleep(0.01)
        child.step()
        assert child.process is None
    finally:
        child.close()
    assert not (tmp_path / "notify-collector").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [(["nonsense"], 2, "No such command"), (["worker", "5", "--runtime", "/proc/x"], 2, "shard 5: expected 0 to 0")],
)
def test_one_that_cannot_begin(arguments: list[str], code: int, text: str, tmp_path: Path) -> None:
    child = Child("x", arguments, tmp_path, lambda line: None)
    try:
        child.start()
        with pytest.raises(ChildError, match=text) as error:
            until(lambda: steps(child))
        assert error.value.code == code
    finally:
        child.close()


def test_one_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    child = collector(tmp_path, said)
    try:
        child.start()
        until(lambda: steps(child))
        assert child.process is not None
        first = child.process.pid
        child.process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(supervisor, "WATCHDOG", 0.5)
        until(lambda: (child.step(), any("said nothing" in line for line in said))[1])
        monkeypatch.setattr(supervisor, "WATCHDOG", 30.0)
        until(lambda: steps(child) and child.process is not None and child.process.pid != first)
    finally:
        child.close()
