# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runtime directory of one run: it is private, it goes, and what a killed run left goes with the next one."""

from pathlib import Path

import pytest

from flowtap.private import private_directory


def test_it_goes(tmp_path: Path) -> None:
    with private_directory(tmp_path) as path:
        assert (path.parent, path.stat().st_mode & 0o777) == (tmp_path, 0o700)
        (path / "ledger").mkdir()
        (path / "ledger" / "a.page").touch()
    assert list(tmp_path.iterdir()) == []


def test_stale_ones_go_and_others_stay(tmp_path: Path) -> None:
    stale = tmp_path / "flowtap-run-killed"
    stale.mkdir()
    (stale / "key").touch()
    (tmp_path / "else").mkdir()
    (tmp_path / "flowtap-run-link").symlink_to(tmp_path / "else")
    with private_directory(tmp_path) as one, private_directory(tmp_path) as other:
        assert {path.name for path in tmp_path.iterdir()} == {one.name, other.name, "else", "flowtap-run-link"}
    assert (tmp_path / "else").is_dir()


def test_nowhere(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file or directory"), private_directory(tmp_path / "absent"):
        pass
