# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap deploy` where there is no systemd, and what it writes to the settings; test_systemd.py tries the rest."""

import os
import re
from pathlib import Path

import pytest

from flowtap.deploy import write_setting
from flowtap.settings import Settings, load
from tests.conftest import ROOT, Command

EXAMPLE = ROOT / "deploy" / "systemd" / "flowtap.toml"

FILE = """\
# Of the gateway in the cellar.
[workers]
count = 1  # a small one

[feed]
topic = "cellar"
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "[workers]\ncount = 3\n"),
        ("", "[workers]\ncount = 3\n"),
        (FILE, FILE.replace("count = 1", "count = 3")),
        ('[feed]\ntopic = "a"\n', '[feed]\ntopic = "a"\n[workers]\ncount = 3\n'),
        ("[workers]\nflows = 7\n", "[workers]\nflows = 7\ncount = 3\n"),
    ],
)
def test_the_number_of_workers_is_written_and_nothing_else(before: str | None, after: str, tmp_path: Path) -> None:
    file = tmp_path / "etc" / "flowtap.toml"
    if before is not None:
        file.parent.mkdir()
        file.write_text(before)
        file.chmod(0o640)
    write_setting(file, "workers", "count", 3)
    assert file.read_text().replace("\n\n[workers]", "\n[workers]") == after
    assert file.stat().st_mode & 0o777 == (0o644 if before is None else 0o640)
    assert load(file).workers.count == 3
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("number", ["0", "65", "-1", "many", "1.5", "9" * 5000, ""])
def test_a_wrong_number_of_workers_is_refused(number: str, flowtap: Command) -> None:
    result = flowtap("deploy", "--workers", number)
    assert result.returncode == 2
    assert "expected auto or a number from 1 to 64" in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.skipif(Path("/run/systemd/system").exists(), reason="systemd runs here")
@pytest.mark.parametrize("option", ["--dry-run", "--undo"])
def test_without_systemd_it_says_so(option: str, flowtap: Command) -> None:
    result = flowtap("deploy", option)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "flowtap: systemd does not run here; `flowtap run` needs none\n"


def test_the_shipped_settings_file_holds_all_defaults_as_comments(flowtap: Command) -> None:
    """Made by: flowtap config show --config /dev/null | sed -E 's/^[a-z_]+ = /#&/'."""
    shown = flowtap("config", "show", "--config", "/dev/null").stdout
    assert EXAMPLE.read_text() == re.sub(r"(?m)^([a-z_]+ = )", r"#\1", shown)
    assert load(EXAMPLE) == Settings()


def test_the_shipped_settings_file_is_written_and_mended(tmp_path: Path) -> None:
    file = tmp_path / "flowtap.toml"
    file.write_text(EXAMPLE.read_text())
    write_setting(file, "workers", "count", 3)
    write_setting(file, "capture", "interfaces", ["eth0", "br-*"])
    assert load(file).workers.count == 3
    assert load(file).capture.interfaces == ["eth0", "br-*"]
    write_setting(file, "workers", "count", None)
    write_setting(file, "capture", "interfaces", None)
    assert file.read_text() == EXAMPLE.read_text()
