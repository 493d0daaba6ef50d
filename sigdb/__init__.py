# SPDX-License-Identifier: LGPL-2.1-or-later
"""The signature language: text files to a Program for the engine.

The modules in the order a text travels: tokens, grammar (to written), definitions, expand, parse (with where), sizes,
check, rule, reader; automaton, ports, compile; program. Databases of TCP fingerprints are another language: tcp, with
tcp_parse, tcp_cover, tcp_nodes.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from dataclasses import replace
from glob import glob
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sigdb import cache, includes
from sigdb.errors import SignatureError, SignatureErrors
from sigdb.nodes import Rule, Signature
from sigdb.program import Program, Stream

if TYPE_CHECKING:
    from sigdb.compile import Settings
    from sigdb.reader import Read
    from sigdb.tcp import load_tcp, loads_tcp
    from sigdb.tcp_nodes import TcpDatabase, TcpLabel, TcpSignature

__all__ = [
    "Program",
    "Rule",
    "Signature",
    "SignatureError",
    "SignatureErrors",
    "Stream",
    "TcpDatabase",
    "TcpLabel",
    "TcpSignature",
    "load",
    "load_tcp",
    "loads",
    "loads_tcp",
    "read",
    "shipped",
    "shipped_tcp",
]

Path = str | os.PathLike[str]

DEFAULTS = (400_000, True, 2, 5)  # of load: threshold_us, fuzzy, fuzz_bytes, fuzz_percent

# What takes long to import is imported when it is used: a database from the cache needs no compiler.
_LAZY = {
    "load_tcp": "sigdb.tcp",
    "loads_tcp": "sigdb.tcp",
    "TcpDatabase": "sigdb.tcp_nodes",
    "TcpLabel": "sigdb.tcp_nodes",
    "TcpSignature": "sigdb.tcp_nodes",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'sigdb' has no attribute '{name}'")
    return getattr(import_module(_LAZY[name]), name)


def load(
    paths: Iterable[Path],
    *,
    threshold_us: int = 400_000,
    fuzzy: bool = True,
    fuzz_bytes: int = 2,
    fuzz_percent: int = 5,
    cached: bool = False,
) -> Program:
    """Read and compile signature files, in their order; `cached`: take what was compiled before, which has no trees.

    `threshold_us` is the pause threshold in microseconds. A bare size n without `=` means n +- max(fuzz_bytes,
    n*fuzz_percent//100), or n alone when not `fuzzy`. Raises SignatureErrors with every mistake of every file, a file
    that cannot be read included; then nothing is loaded. Raises ValueError for settings out of range.
    """
    files = [os.fspath(path) for path in paths]
    values = (threshold_us, fuzzy, fuzz_bytes, fuzz_percent)
    name = cache.key(files, values) if cached else ""
    known = cache.get(name)
    if known is not None:
        return known
    from sigdb import compile as compiler
    from sigdb import reader

    settings = compiler.Settings(*values)
    collecting = gc.isenabled()
    gc.disable()  # trees are no garbage, and to look through them while they grow takes a fifth of the time
    try:
        program = _finish(reader.read(files), settings)
    finally:
        if collecting:
            gc.enable()
    if name and cache.key(files, values) == name:  # no file has changed in between
        cache.put(name, program)
    return program


def loads(
    text: str | bytes,
    name: str = "text",
    *,
    threshold_us: int = 400_000,
    fuzzy: bool = True,
    fuzz_bytes: int = 2,
    fuzz_percent: int = 5,
) -> Program:
    """Compile the text of one signature file; `name` stands for the file in errors and ids. Else as load()."""
    from sigdb import compile as compiler
    from sigdb import reader

    library = reader.Library()
    file = reader.File(name, library)
    file.read(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    settings = compiler.Settings(threshold_us, fuzzy, fuzz_bytes, fuzz_percent)
    return _finish(reader.finish([file], library), settings)


def read(paths: Iterable[Path], *, cached: bool = False) -> tuple[tuple[Signature, ...], tuple[Rule, ...]]:
    """Return the signatures and rules of files without compiling them. Raises SignatureErrors.

    `cached`: take them from what load() compiled with its defaults, if there is that; they have no trees.
    """
    files = [os.fspath(path) for path in paths]
    known = cache.get(cache.key(files, DEFAULTS)) if cached else None
    if known is not None:
        return known.signatures, known.rules
    from sigdb import reader

    signatures, rules, errors = reader.read(files)
    if errors:
        raise SignatureErrors(_ordered(errors))
    return tuple(signatures), tuple(rules)


def _finish(found: Read, settings: Settings) -> Program:
    from sigdb import compile as compiler

    signatures, rules, errors = found
    try:
        program = compiler.build(signatures, settings)
    except SignatureErrors as wrong:
        errors = errors + wrong.errors
    if errors:
        raise SignatureErrors(_ordered(errors))
    return replace(program, rules=tuple(rules))


def _ordered(errors: list[SignatureError]) -> list[SignatureError]:
    """Sort by file, in the order files first appear, then by place."""
    order: dict[str, int] = {}
    for error in errors:
        order.setdefault(error.file, len(order))
    return sorted(errors, key=lambda error: (order[error.file], error.line, error.column))


def shipped() -> list[str]:
    """Return the paths of the shipped database's files, sorted."""
    return sorted(entry.path for entry in os.scandir(includes.SHIPPED) if entry.name.endswith(".fp"))


def shipped_tcp() -> list[str]:
    """Return the paths of the shipped databases of TCP fingerprints, sorted."""
    return sorted(glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tcp", "*.fp")))
