# SPDX-License-Identifier: LGPL-2.1-or-later
"""What settings ask of this host and do not get: directories, files, addresses. For `flowtap config check`.

The processes do not ask beforehand: a disk may be mounted later, an address may come. What is missing when they need
it, each of them tells.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from flowtap.settings_forms import host_and_port

if TYPE_CHECKING:
    from flowtap.settings import Settings

Place = tuple[str, ...]  # section, setting


def missing(settings: Settings) -> Iterator[tuple[Place, str]]:
    """Yield each setting that this host cannot meet, and what was found and expected."""
    yield from _runtime(settings.runtime.dir)
    for number, pattern in enumerate(settings.capture.interfaces):
        if all(one.startswith("!") for one in settings.capture.interfaces):
            yield ("capture", "interfaces"), f'[{number}]: found "{pattern}", expected one without ! beside it'
            break
    for section in ("signatures", "fingerprints"):
        for number, path in enumerate(getattr(settings, section).files):
            yield from (((section, "files"), f"[{number}]: {text}") for text in _database(path))
    if settings.file.path:
        yield from ((("file", "path"), f": {text}") for text in _file(settings.file.path))
    if settings.feed.bind.startswith("ipc://"):
        path = Path(settings.feed.bind.removeprefix("ipc://"))
        if path.parent != Path(settings.runtime.dir):
            yield from ((("feed", "bind"), f": {text}") for text in _file(str(path), socket=True))
    if settings.metrics.listen:
        yield from ((("metrics", "listen"), f": {text}") for text in _listen(settings))


def _runtime(text: str) -> Iterator[tuple[Place, str]]:
    from flowtap.runtime import Runtime, RuntimeDirectoryError

    place = ("runtime", "dir")
    try:
        path = Runtime(text).path
    except RuntimeDirectoryError as error:
        yield place, f": {error}, expected a shorter path"
        return
    while not path.exists() and path != path.parent:
        path = path.parent  # the processes make what is missing
    if not path.is_dir():
        yield place, f': found "{text}", expected a directory or none yet: {path} is a file'


def _database(text: str) -> Iterator[str]:
    path = Path(text)
    try:
        if not path.is_dir():
            with path.open("rb"):
                return
        if not any(path.glob("*.fp")):
            yield f'found "{text}", expected a directory that holds *.fp files: it holds none'
    except OSError as error:
        yield f'found "{text}", expected a file that can be read, or a directory: {error.strerror}'


def _file(text: str, *, socket: bool = False) -> Iterator[str]:
    """Look where a file is to be written, or a socket is to be made."""
    path = Path(text)
    expected = f'found "{text}", expected a {"socket" if socket else "file"} in a directory that is there'
    try:
        if not stat.S_ISDIR(os.stat(path.parent).st_mode):
            yield f"{expected}: {path.parent} is no directory"
        elif path.is_dir():
            yield f"{expected}: it is a directory itself"
        elif socket and path.exists() and not path.is_socket():
            yield f"{expected}: it is a file, which would be lost"
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            yield f"{expected}: this user may not write there"
    except OSError as error:
        yield f"{expected}: {path.parent}: {error.strerror}"


def _listen(settings: Settings) -> Iterator[str]:
    listen = settings.metrics.listen
    found = host_and_port(listen)
    if found is None:
        return
    host, port = found
    expected = f'found "{listen}", expected an address of this host'
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family, kind, protocol) as probe:
            probe.bind((address[0], 0))  # whether the port is free is nothing that the settings could know
    except OSError as error:
        yield f"{expected}: {error.strerror}"
        return
    feed = settings.feed.bind.removeprefix("tcp://")
    told = host_and_port(feed) if feed != settings.feed.bind else None
    if told is None or told[1] != port:
        return
    bound = ip_address(str(address[0]))
    if bound == ip_address(told[0]) or bound.is_unspecified:
        yield f'found "{listen}", expected another port than that of feed.bind'
