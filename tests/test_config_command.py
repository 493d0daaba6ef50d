# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap config`: what it prints and its exit codes."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from flowtap.config import config
from flowtap.settings import Settings, parse

WRONG = '[capture]\nbackend = "bpf"\n[workers]\ncount = 0\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flowtap.toml"
    path.write_text("[workers]\ncount = 3\n")
    return path


def test_show(file: Path) -> None:
    result = CliRunner().invoke(config, ["show", "--config", str(file)])
    assert result.exit_code == 0
    assert "# Worker processes, and shards of the traffic.\n# A whole number from 1 to 64. Default: 1\ncount = 3\n" in (
        result.stdout
    )
    assert parse(result.stdout.encode(), "shown").workers.count == 3


def test_show_json(file: Path) -> None:
    shown = orjson.loads(CliRunner().invoke(config, ["show", "--json", "--config", str(file)]).stdout)
    assert shown["workers"]["count"] == 3
    assert shown.keys() == Settings.model_fields.keys()


@pytest.mark.parametrize("command", ["show", "check"])
def test_wrong(command: str, file: Path) -> None:
    file.write_text(WRONG)
    result = CliRunner().invoke(config, [command, "--config", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.split(": ")[2] for line in result.stderr.splitlines()] == ["capture.backend", "workers.count"]


def test_check(file: Path) -> None:
    result = CliRunner().invoke(config, ["check", "--config", str(file)])
    assert (result.exit_code, result.stdout) == (0, f"{file}: correct\n")


@pytest.mark.parametrize(("text", "code", "count"), [("", 0, 0), (WRONG, 2, 2)])
def test_check_json(text: str, code: int, count: int, file: Path) -> None:
    file.write_text(text)
    result = CliRunner().invoke(config, ["check", "--json", "--config", str(file)])
    told = orjson.loads(result.stdout)
    assert (result.exit_code, told["file"], len(told["errors"])) == (code, str(file), count)


def told(file: Path, text: str) -> list[str]:
    """Return what `flowtap config check` says of a file of this text."""
    file.write_text(text)
    result = CliRunner().invoke(config, ["check", "--config", str(file)])
    assert result.exit_code == (2 if result.stderr else 0)
    return [line.removeprefix(f"flowtap: {file}:") for line in result.stderr.splitlines()]


IN_A_DIRECTORY = "expected a file in a directory that is there"
NOT_HERE = "expected an address of this host"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[file]\npath = "/no/events"', f'2: file.path: found "/no/events", {IN_A_DIRECTORY}: /no: No such file'),
        ('[file]\npath = "/proc/self/status/x"', f"{IN_A_DIRECTORY}: /proc/self/status is no directory"),
        ('[file]\npath = "/tmp"', f"{IN_A_DIRECTORY}: it is a directory itself"),
        ('\n[metrics]\nlisten = "192.0.2.1:9477"', f'3: metrics.listen: found "192.0.2.1:9477", {NOT_HERE}: Cannot'),
        ('[metrics]\nlisten = "no.invalid:9477"', f'2: metrics.listen: found "no.invalid:9477", {NOT_HERE}: '),
        ('[metrics]\nlisten = "[2001:db8::1]:1"', f'2: metrics.listen: found "[2001:db8::1]:1", {NOT_HERE}: '),
        (
            '[feed]\nbind = "tcp://127.0.0.1:9477"',
            'found "127.0.0.1:9477", expected another port than that of feed.bind',
        ),
        (
            '[feed]\nbind = "tcp://127.0.0.2:80"\n[metrics]\nlisten = "0.0.0.0:80"',
            '4: metrics.listen: found "0.0.0.0:80", expected another port than that of feed.bind',
        ),
        ('[feed]\nbind = "ipc:///no/feed"', "expected a socket in a directory that is there: /no: No such file"),
        ('[feed]\nbind = "ipc:///etc/passwd"', "it is a file, which would be lost"),
        ('[runtime]\ndir = "/etc/passwd/run"', '2: runtime.dir: found "/etc/passwd/run", expected a directory or none'),
        (f'[runtime]\ndir = "/tmp/{"x" * 100}"', "too long by 7 bytes for its sockets, expected a shorter path"),
        ('[capture]\ninterfaces = ["!eth0"]', 'capture.interfaces[0]: found "!eth0", expected one without ! beside it'),
        (
            '[signatures]\nfiles = ["/no.fp"]',
            '2: signatures.files[0]: found "/no.fp", expected a file that can be read',
        ),
        (
            '[fingerprints]\nfiles = [\n"/etc/hostname", "/proc/self/task"]',
            "expected a directory that holds *.fp files",
        ),
    ],
)
def test_what_this_host_does_not_have(text: str, line: str, file: Path) -> None:
    (found,) = told(file, text)
    assert line in found


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[file]\npath = "/tmp/events.json"',
        '[metrics]\nlisten = "localhost:9477"',
        '[metrics]\nlisten = "0.0.0.0:80"\n[feed]\nbind = "tcp://127.0.0.1:81"',
        '[metrics]\nlisten = "127.0.0.2:80"\n[feed]\nbind = "tcp://127.0.0.1:80"',
        '[feed]\nbind = "ipc:///tmp/feed"',
        '[runtime]\ndir = "/no/such/yet"\n[feed]\nbind = "ipc:///no/such/yet/feed"',
        '[capture]\ninterfaces = ["!eth0", "eth*", "nosuch0"]',
        '[signatures]\nfiles = ["/etc/hostname"]',
    ],
)
def test_what_this_host_has(text: str, file: Path) -> None:
    assert told(file, text) == []


def test_all_that_is_missing_is_told_in_order(file: Path) -> None:
    text = '[metrics]\nlisten = "192.0.2.1:1"\n[file]\npath = "/no/a"\n[signatures]\nfiles = ["/b", "/c"]\n'
    assert [line.split(": ")[:2] for line in told(file, text)] == [
        ["2", "metrics.listen"], ["4", "file.path"], ["6", "signatures.files[0]"], ["6", "signatures.files[1]"],
    ]  # fmt: skip
