# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cache of compiled databases: the same program, never an old, a damaged or somebody else's one."""

import dataclasses
import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import sigdb
from sigdb import cache, reader
from sigdb.nodes import Sequence
from tests.conftest import Command

FILLING = "# what is short is not kept\n" * 700


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a database of two files, of which one is only included, and begin an empty cache."""
    monkeypatch.setenv("FLOWTAP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "base.fp").write_text("let A(n) = c$n s$n-1\n")
    text = (
        f'include "base.fp"\n{FILLING}'
        "tcp 22 < $A(9) where bytes > 3 : one\n    id = a.b\n    threshold = 2 in 5s by src\n"
        "udp * C5 S@1 > : two\n"
        "flows : three\n    sequence = 2 a.b in 9s by src\n    suppress = 1h by src\n"
    )
    (tmp_path / "a.fp").write_text(text)
    return [str(tmp_path / "a.fp")]


def kept(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache").iterdir()) if (tmp_path / "cache").exists() else []


def bare(program: sigdb.Program) -> sigdb.Program:
    signatures = tuple(dataclasses.replace(s, sequence=Sequence(()), elements=()) for s in program.signatures)
    return dataclasses.replace(program, signatures=signatures)


def test_the_program_is_the_same(files: list[str], tmp_path: Path) -> None:
    first = sigdb.load(files, cached=True)
    assert len(kept(tmp_path)) == 1
    second = sigdb.load(files, cached=True)
    assert second == bare(first) == bare(sigdb.load(files))
    assert first.signatures[0].elements and not second.signatures[0].elements  # so it came from the file
    assert sigdb.read(files, cached=True) == (second.signatures, second.rules)
    assert (kept(tmp_path)[0].stat().st_mode & 0o777, (tmp_path / "cache").stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: (path / "a.fp").write_text((path / "a.fp").read_text().replace("$A(9)", "$A(8)")),
        lambda path: (path / "base.fp").write_text("let A(n) = c$n s$n-2\n"),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_change_is_seen(files: list[str], tmp_path: Path, change: Callable[[Path], object], mark: str) -> None:
    Path(files[0]).write_text(mark + Path(files[0]).read_text())
    before = sigdb.load(files, cached=True)
    change(tmp_path)
    after = sigdb.load(files, cached=True)
    assert after == sigdb.load(files) != before
    assert after.meaning[0] != before.meaning[0]
    assert after.meaning[1] == before.meaning[1]


def test_settings_are_told_apart(files: list[str]) -> None:
    for options in ({}, {"fuzzy": False}, {"threshold_us": 1000}, {"fuzz_bytes": 3}):
        for _ in range(2):
            assert bare(sigdb.load(files, cached=True, **options)) == bare(sigdb.load(files, **options))  # type: ignore[arg-type]


class Harmful:
    """What a file must not be able to bring in."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm",)


def harmful(data: bytes) -> bytes:
    body = pickle.dumps(Harmful())
    return cache._MAGIC + hashlib.sha256(body).digest() + body


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:200] + b"x" + data[201:],
        lambda data: data + b"x",
        harmful,
    ],
)
def test_what_is_damaged_is_not_used(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    program = sigdb.load(files, cached=True)
    (file,) = kept(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    assert sigdb.load(files, cached=True) == program  # with its trees: compiled anew
    assert not (tmp_path / "harm").exists()
    assert sigdb.load(files, cached=True) == bare(program)  # and kept anew


def others_may_write(path: Path) -> None:
    path.chmod(0o666)


def others_may_write_into_the_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def a_link(path: Path) -> None:
    shutil.move(path, path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


def no_file(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def another_owner(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(path, 12345, 12345)


@pytest.mark.parametrize("spoil", [others_may_write, others_may_write_into_the_folder, a_link, no_file, another_owner])
def test_what_may_be_somebody_elses_is_not_used(
    files: list[str], tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    program = sigdb.load(files, cached=True)
    spoil(kept(tmp_path)[0])
    assert sigdb.load(files, cached=True) == program


def test_without_a_place_it_works_as_well(files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = sigdb.load(files)
    (tmp_path / "file").write_text("")
    for place in ("", "/proc/flowtap", str(tmp_path / "file"), str(tmp_path / "file" / "below")):
        monkeypatch.setenv("FLOWTAP_CACHE", place)
        assert sigdb.load(files, cached=True) == program


def test_what_is_wrong_is_not_kept(files: list[str], tmp_path: Path) -> None:
    Path(files[0]).write_text(FILLING + "tcp * c9-1 : d\n")
    for _ in range(2):
        with pytest.raises(sigdb.SignatureErrors, match="is empty"):
            sigdb.load(files, cached=True)
    with pytest.raises(sigdb.SignatureErrors, match="cannot be read"):
        sigdb.load([str(tmp_path / "none.fp")], cached=True)
    assert kept(tmp_path) == []


def test_what_changes_meanwhile_is_not_kept(files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(paths: list[str]) -> reader.Read:
        Path(files[0]).write_text(Path(files[0]).read_text().replace("$A(9)", "$A(8)"))
        return original(paths)

    original = reader.read
    monkeypatch.setattr(reader, "read", read)
    sigdb.load(files, cached=True)
    assert kept(tmp_path) == []


def test_the_newest_are_kept(files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_FILES", 2)
    for threshold in (1000, 2000, 3000):
        sigdb.load(files, cached=True, threshold_us=threshold)
    assert len(kept(tmp_path)) == 2


def test_commands_say_the_same(flowtap: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWTAP_CACHE", str(tmp_path / "cache"))
    demo = Path(__file__).parent / "captures" / "demo.pcap.gz"
    said = [flowtap("read", "-q", "--json", demo).stdout for _ in range(2)]
    assert said[0] == said[1]
    assert len(kept(tmp_path)) == 1
