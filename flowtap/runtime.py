# SPDX-License-Identifier: LGPL-2.1-or-later
"""The one home of what processes meet at: the runtime directory, its sockets, its files, the hash key.

    RUNTIME/key             64 random bytes; all processes that exchange records hash flows with it
    RUNTIME/shard-N         worker N receives messages of bpf/batch.h here (PULL)
    RUNTIME/events          the collector receives events of the workers here (PULL)
    RUNTIME/feed            the collector publishes here (PUB), unless the settings say otherwise
    RUNTIME/query           the collector answers questions about hosts here (flowtap.query)
    RUNTIME/ledger/*.page   counters of each process (flowtap.ledger); they outlive the process
    RUNTIME/taps/*.json     which interfaces each capture process taps

Whoever may enter the directory may send events: it belongs to flowtap's user alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from flowtap.settings_forms import LONGEST_SOCKET

KEY_SIZE = 64


class RuntimeDirectoryError(Exception):
    """The runtime directory cannot be used; the text is ready for the user."""


class Runtime:
    """The runtime directory at `path`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        longest = len(os.fsencode(self.path)) + len("/shard-99")
        if longest > LONGEST_SOCKET:
            raise RuntimeDirectoryError(f"{path}: too long by {longest - LONGEST_SOCKET} bytes for its sockets")

    def make(self) -> None:
        """Make the directory and those in it, for this user alone. Raises RuntimeDirectoryError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.ledger, self.taps):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise RuntimeDirectoryError(f"{error.filename}: {error.strerror}") from error

    @property
    def ledger(self) -> Path:
        """Folder of ledger pages."""
        return self.path / "ledger"

    @property
    def taps(self) -> Path:
        """Folder of what capture processes say of their interfaces."""
        return self.path / "taps"

    def shard(self, number: int) -> str:
        """Endpoint of worker `number`."""
        return f"ipc://{self.path}/shard-{number}"

    @property
    def events(self) -> str:
        """Endpoint of the collector."""
        return f"ipc://{self.path}/events"

    @property
    def feed(self) -> str:
        """Endpoint of the feed by default."""
        return f"ipc://{self.path}/feed"

    @property
    def query(self) -> Path:
        """Socket at which the host table is asked."""
        return self.path / "query"

    def key(self) -> bytes:
        """Return the hash key, made by whoever asks first. Raises RuntimeDirectoryError."""
        path = self.path / "key"
        own = self.path / f"key.{os.getpid()}"
        try:
            if not path.exists():
                descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(os.urandom(KEY_SIZE))
                with suppress(FileExistsError):
                    os.link(own, path)  # whole or not at all, and the first one stays
                own.unlink()
            key = path.read_bytes()
        except OSError as error:
            raise RuntimeDirectoryError(f"{error.filename}: {error.strerror}") from error
        if len(key) != KEY_SIZE:
            raise RuntimeDirectoryError(f"{path}: {len(key)} bytes, expected {KEY_SIZE}; remove it")
        return key
