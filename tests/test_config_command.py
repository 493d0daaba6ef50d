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
