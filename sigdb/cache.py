# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keeps compiled databases in files, so that a command need not compile the same texts again.

A file's name is a hash of all that a compiled database depends on: the texts, included ones too, and their names, the
settings, the modules of this package, the version of Python. So nothing is ever out of date. What cannot be read or
written is as if there were no cache.

A file is read back as Python objects; so it counts only when it belongs to whoever runs this, when nobody else may
write it or into its folder, when its checksum is right, and when it names no classes but the few expected.

The folder is the environment variable FLOWTAP_CACHE (empty: no cache), else /var/cache/flowtap for root, and
$XDG_CACHE_HOME/flowtap or ~/.cache/flowtap for others.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import io
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace

from sigdb import includes, nodes
from sigdb.program import Program

MAX_FILES = 16  # that are kept
MAX_SIZE = 256 << 20  # bytes of a file
LEAST_TEXT = 16_384  # bytes; what is shorter compiles as fast as it is read back
_MAGIC = b"flowtap program\n"
_CLASSES = {
    ("array", "array"),
    ("array", "_array_reconstructor"),
    ("sigdb.program", "Program"),
    ("sigdb.program", "Stream"),
    *(("sigdb.nodes", name) for name in ("Signature", "Sequence", "Rule", "Chain", "Step", "Threshold", "Suppress")),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _CLASSES:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def folder() -> str:
    """Return where compiled databases are kept; empty when they are not."""
    given = os.environ.get("FLOWTAP_CACHE")
    if given is not None:
        return given
    if os.geteuid() == 0:
        return "/var/cache/flowtap"
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "flowtap") if os.path.isabs(base) else ""


def key(paths: Sequence[str], settings: tuple[object, ...]) -> str:
    """Return the name under which the database of these files is kept; empty when it is not to be kept."""
    digest = hashlib.sha256(repr((settings, sys.version, sys.byteorder, sys.maxsize)).encode())
    total = 0
    try:
        with os.scandir(os.path.dirname(__file__)) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith(".py"):
                    about = entry.stat()
                    digest.update(repr((entry.name, about.st_size, about.st_mtime_ns)).encode())
        seen: set[str] = set()
        work = list(reversed(paths))
        while work:
            path = work.pop()
            if path in seen:
                digest.update(b"again")
                continue
            seen.add(path)
            with open(path, "rb") as stream:
                data = stream.read(MAX_SIZE + 1)
            total += len(data)
            if total > MAX_SIZE:
                return ""
            digest.update(repr((path, len(data))).encode() + data)
            for line in data.removeprefix(codecs.BOM_UTF8).splitlines():
                if line.startswith(b"include"):
                    match = includes.INCLUDE.match(line.decode("utf-8", "replace"))
                    other = includes.find(match[1], path) if match and includes.NAME.fullmatch(match[1]) else None
                    work += [other] if other is not None else []
    except OSError:
        return ""
    return digest.hexdigest() if total >= LEAST_TEXT else ""


def get(name: str) -> Program | None:
    """Return the database kept under a name, without syntax trees; None when there is none that may be trusted."""
    where = folder()
    if not name or not where:
        return None
    try:
        _trust(os.lstat(where), stat.S_ISDIR)
        file = os.open(os.path.join(where, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(file, "rb") as stream:
            _trust(os.fstat(file), stat.S_ISREG)
            data = stream.read(MAX_SIZE + 1)
        magic, checksum, body = data[: len(_MAGIC)], data[len(_MAGIC) : len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
        if magic != _MAGIC or checksum != hashlib.sha256(body).digest():
            return None
        found = _Unpickler(io.BytesIO(body)).load()
    except (OSError, pickle.UnpicklingError, ValueError, TypeError, AttributeError, EOFError, IndexError, KeyError):
        return None
    return found if isinstance(found, Program) else None


def put(name: str, program: Program) -> None:
    """Keep a database under a name, if that is possible."""
    where = folder()
    if not name or not where:
        return
    bare = tuple(replace(one, sequence=nodes.Sequence(()), elements=()) for one in program.signatures)
    body = pickle.dumps(replace(program, signatures=bare), protocol=5)
    temporary = ""
    try:
        os.makedirs(where, mode=0o700, exist_ok=True)
        _trust(os.lstat(where), stat.S_ISDIR)
        file, temporary = tempfile.mkstemp(dir=where, prefix="new-")
        with open(file, "wb") as stream:
            stream.write(_MAGIC + hashlib.sha256(body).digest() + body)
        os.replace(temporary, os.path.join(where, name))
        _tidy(where)
    except OSError:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _trust(about: os.stat_result, kind: Callable[[int], bool]) -> None:
    """Raise OSError unless what was asked about is of a kind, our own, and only ours to write."""
    if not kind(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o022:
        raise PermissionError("not ours alone")


def _tidy(where: str) -> None:
    """Remove all but the newest files."""
    with os.scandir(where) as entries:
        files = [(entry.stat(follow_symlinks=False).st_mtime_ns, entry.path) for entry in entries]
    for _, path in sorted(files, reverse=True)[MAX_FILES:]:
        os.unlink(path)
