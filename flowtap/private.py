# SPDX-License-Identifier: LGPL-2.1-or-later
"""A runtime directory for one `flowtap run`, that goes with it, also when it was killed: the next one removes it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

_PREFIX = "flowtap-run-"


@contextmanager
def private_directory(above: Path | None = None) -> Iterator[Path]:
    """Make a directory that nobody else may enter, and remove it in the end. Raises OSError.

    It is made in `above`; None: in /run, or where temporary files are.
    """
    if above is None:
        above = Path("/run") if os.access("/run", os.W_OK) else Path(gettempdir())
    _remove_stale(above)
    path, lock = _made(above)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _made(above: Path) -> tuple[Path, int]:
    """Return a new directory and the descriptor that holds it."""
    while True:
        path = Path(mkdtemp(prefix=_PREFIX, dir=above))
        with suppress(FileNotFoundError):  # another run took it for stale before it was locked
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
            os.close(lock)


def _remove_stale(above: Path) -> None:
    """Remove directories of this user whose owner has ended."""
    for path in above.glob(_PREFIX + "*"):
        with suppress(OSError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
