# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which capture process taps which interface: a file of each in one folder, so that no interface is tapped twice.

FOLDER/NAME.json  {"pid": 1, "netns": 4026531840, "sender": 7, "interfaces": [{"index": 2, "name": "eth0"}]}
FOLDER/NAME.lock  locked by the process NAME while it lives: the file of one that was killed counts for nothing
FOLDER/lock       held by whoever decides what to tap, so that two processes do not decide for the same

What is to be tapped is written before it is. So a worker that looks at the files knows whose records may come, and
waits for the first promise of each `sender` (of its messages, bpf/batch.h) to put all of them in order.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep

from capture.live import Interface, TapError

_TRIES = 200  # of 10 ms each, for a lock that others hold for a moment
_BIGGEST_FILE = 1 << 20


class Claims:
    """What the process `name` taps, and what others do. Raises TapError: another one of this name is alive, ...

    `sender` is the number in its messages.
    """

    def __init__(self, folder: Path, name: str, sender: int = 0) -> None:
        self._folder = folder
        self._name = name
        self._sender = sender
        self._seen = -1
        self._netns = os.stat("/proc/self/ns/net").st_ino
        self._file = folder / f"{name}.json"
        self._lock = _open(folder / f"{name}.lock")
        self._turn = -1
        try:
            _take(self._lock, f"{folder / name}.lock: another capture process named {name} is running", tries=20)
            self._turn = _open(folder / "lock")
        except TapError:
            self.close()
            raise

    @contextmanager
    def deciding(self, tries: int = _TRIES) -> Iterator[dict[int, str]]:
        """Keep others from deciding; yields the interfaces, by index, that others tap, with the process's name.

        Raises TapError when another one decides for longer than `tries` times 10 ms.
        """
        _take(self._turn, f"{self._folder / 'lock'}: held by another process for too long", tries)
        try:
            yield self.others()
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def others(self) -> dict[int, str]:
        """Return the interfaces, by index, that other live processes tap, with the name of the process."""
        found: dict[int, str] = {}
        for path in self._folder.glob("*.json"):
            if path == self._file or not is_held(path.with_suffix(".lock")):
                continue
            with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
                with path.open("rb") as file:
                    told = json.loads(file.read(_BIGGEST_FILE))
                if told["netns"] == self._netns:
                    found |= {int(interface["index"]): path.stem for interface in told["interfaces"]}
        return found

    def moved(self) -> bool:
        """Return whether anybody has said something new since the last call; a process that was killed says nothing."""
        with suppress(OSError):
            now = os.stat(self._folder).st_mtime_ns
            if now != self._seen:
                self._seen = now
                return True
        return False

    def write(self, interfaces: Collection[Interface]) -> None:
        """Say what this process taps from now on. Raises TapError."""
        told = {
            "pid": os.getpid(),
            "netns": self._netns,
            "sender": self._sender,
            "interfaces": [{"index": one.index, "name": one.name} for one in interfaces],
        }
        new = self._file.with_suffix(".new")
        try:
            new.write_text(json.dumps(told) + "\n")
            new.replace(self._file)
        except OSError as error:
            raise TapError(f"{new}: {error.strerror}") from error

    def close(self) -> None:
        """Tap nothing any more; may be called again."""
        if self._turn >= 0:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)
            os.close(self._turn)
            self._turn = -1
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise TapError(f"{path}: {error.strerror}") from error


def _take(file: int, otherwise: str, tries: int = _TRIES) -> None:
    """Lock a file. Raises TapError with the text `otherwise` when it stays locked."""
    for _ in range(tries):
        with suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sleep(0.01)
    raise TapError(otherwise)


def is_held(path: Path) -> bool:
    """Return whether a live process holds this lock."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
