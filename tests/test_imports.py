# SPDX-License-Identifier: LGPL-2.1-or-later
"""Imports point one way: flowtap -> capture, engine -> sigdb; capture never imports sigdb."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("bpf", "capture", "engine", "flowtap", "sigdb")
ALLOWED = {
    "bpf": set[str](),
    "sigdb": set[str](),
    "capture": {"bpf"},
    "engine": {"bpf", "sigdb"},
    "flowtap": {"bpf", "capture", "engine", "sigdb"},
}

CYTHON_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+c?import\b|c?import\s+([\w., ]+))", re.MULTILINE)


def python_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "" if not node.level else path.parent.name


def cython_imports(path: Path) -> Iterator[str]:
    for module, names in CYTHON_IMPORT.findall(path.read_text()):
        if module.startswith("."):
            yield path.parent.name
        else:
            yield from (name.split()[0] for name in (module or names).split(",") if name.strip())


def imports(path: Path) -> set[str]:
    """Return the top-level names that a source file imports or cimports, type-checking imports included."""
    found = python_imports(path) if path.suffix in (".py", ".pyi") else cython_imports(path)
    return {name.split(".")[0] for name in found}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    others = {*PACKAGES, "bench", "fuzz", "lab", "tests"} - {package}
    sources = [path for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".pyi", ".pyx", ".pxd", ".pxi")]
    assert sources
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources
        for name in imports(path) & others
        if name not in ALLOWED[package]
    }
    assert not wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from engine.record cimport u8, u16", {"engine"}),
        ("from sigdb.program import Program\nimport os, capture.files as files", {"sigdb", "os", "capture"}),
        ("cimport engine.flow\nfrom . cimport table", {"engine", "here"}),
        ("# import flowtap is wrong here\nx = 'from sigdb'", set[str]()),
    ],
)
def test_cython_imports_are_found(text: str, expected: set[str], tmp_path: Path) -> None:
    source = tmp_path / "here" / "a.pyx"
    source.parent.mkdir()
    source.write_text(text)
    assert imports(source) == expected
