# SPDX-License-Identifier: LGPL-2.1-or-later
"""The query socket: what the host table says of an address, over a Unix socket, as JSON lines or in p0f's binary form.

The collector serves it between two rounds of events. Everything about a connection is bounded (its input, its output,
the queries answered in one turn, the time without progress) and nothing ever waits for a client.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import zmq

from engine.hosts import Host
from engine.hosts_watch import HostWatch
from engine.page import Counters
from engine.sightings import KINDS, is_address
from flowtap.query_p0f import QUERY_SIZE, answer

CONNECTIONS = 20  # at a time, as p0f has it; further ones are closed at once
PAGE = 200  # hosts in one answer at most
_LINE = 4096  # bytes of a query at most
_TURN = 16  # queries of a connection in one turn
_READ = 4096
_PATIENCE_NS = 60_000_000_000  # without progress
_FILTERS = {"query", "limit", "class", "mixed", "port"}

log = logging.getLogger(__name__)


class QueryError(ValueError):
    """A query that cannot be answered; the text is for who asked."""


class _Connection:
    """One client."""

    def __init__(self, sock: socket.socket, now_ns: int) -> None:
        self.socket = sock
        self.input = bytearray()
        self.output = bytearray()
        self.progress_ns = now_ns
        self.ended = False  # it sends no more
        self.rest: Iterator[Host] | None = None  # of a list that did not fit in one answer


class Queries:
    """Serves `watch` at the Unix socket `path`; counts in `page`. Raises OSError when the socket cannot be had.

    Whoever calls it makes sure that it is the only one: a socket that a killed predecessor left is removed.
    """

    def __init__(self, path: Path, watch: HostWatch, page: Counters) -> None:
        self._watch = watch
        self._page = page
        self._path = path
        with suppress(FileNotFoundError):
            path.unlink()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._connections: dict[int, _Connection] = {}
        self._full = False
        try:
            old = os.umask(0o177)
            try:
                self._listening.bind(str(path))
            finally:
                os.umask(old)
            self._listening.listen(CONNECTIONS)
        except OSError:
            self._listening.close()
            raise

    def wanted(self) -> Iterator[tuple[int, int]]:
        """Yield each file descriptor to wait for, and for what (zmq.POLLIN, zmq.POLLOUT)."""
        if not self._full:
            yield self._listening.fileno(), zmq.POLLIN
        for number, one in self._connections.items():
            yield number, zmq.POLLOUT if one.output or self._whole(one) else zmq.POLLIN

    def work(self, now_ns: int) -> None:
        """Take, answer and send what can be without waiting; `now_ns` is any clock that only goes on."""
        self._accept(now_ns)
        for number, one in list(self._connections.items()):
            try:
                alive = self._serve(one, now_ns)
            except OSError:  # it has gone
                alive = False
            if alive and now_ns - one.progress_ns > _PATIENCE_NS:
                self._page.add("queries_refused")
                alive = False
            if not alive:
                one.socket.close()
                del self._connections[number]

    def close(self) -> None:
        """Close all sockets and remove the path."""
        for one in self._connections.values():
            one.socket.close()
        self._connections.clear()
        self._listening.close()
        with suppress(OSError):
            self._path.unlink()

    def _accept(self, now_ns: int) -> None:
        for _ in range(CONNECTIONS):
            try:
                sock, _ = self._listening.accept()
            except BlockingIOError:
                self._full = False
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE) and not self._full:
                    self._full = True  # or poll would come back at once, again and again
                    log.warning("query socket: %s", error.strerror)
                return
            if len(self._connections) >= CONNECTIONS:
                self._page.add("queries_refused")
                sock.close()
                continue
            sock.setblocking(False)
            self._connections[sock.fileno()] = _Connection(sock, now_ns)

    def _serve(self, one: _Connection, now_ns: int) -> bool:
        """Go on with a connection; False: it is at its end. Raises OSError when the client has gone."""
        if not one.output and not one.ended and not self._whole(one):
            with suppress(BlockingIOError):
                data = one.socket.recv(_READ)
                one.ended = not data
                one.input += data
                one.progress_ns = now_ns
        for _ in range(_TURN):
            if one.output:
                with suppress(BlockingIOError):
                    sent = one.socket.send(one.output)
                    del one.output[:sent]
                    one.progress_ns = now_ns
            if one.output:
                return True
            if not self._answer(one):
                break
            self._page.add("queries")
        if one.output or self._whole(one):
            return True
        if len(one.input) > _LINE:
            self._page.add("queries_refused")
            return False
        return not one.ended

    def _whole(self, one: _Connection) -> bool:
        """Return whether the input holds a whole query."""
        return b"\n" in one.input if one.input[:1] == b"{" else len(one.input) >= QUERY_SIZE

    def _answer(self, one: _Connection) -> bool:
        """Answer the first query of the input, if it is whole; whether it was."""
        while one.input[:1].isspace():  # between two lines
            del one.input[:1]
        if not self._whole(one):
            return False
        if one.input[:1] != b"{":
            query = bytes(one.input[:QUERY_SIZE])
            del one.input[:QUERY_SIZE]
            one.output += answer(query, self._watch)
            return True
        line, _, rest = bytes(one.input).partition(b"\n")
        one.input[:] = rest
        try:
            told = self._told(one, orjson.loads(line))
        except orjson.JSONDecodeError as error:
            told = {"error": f"no JSON: {error}"}
        except QueryError as error:
            told = {"error": str(error)}
        one.output += orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
        return True

    def _told(self, one: _Connection, query: Any) -> dict[str, Any]:
        """Return the answer to a query of JSON. Raises QueryError."""
        match query.get("query"):
            case "host":
                address = query.get("address")
                if not isinstance(address, str) or not is_address(address):
                    raise QueryError("address: expected an IPv4 or IPv6 address")
                host = self._watch.hosts.get(canonical(address))
                return {"host": None if host is None else self._watch.describe(host)}
            case "hosts":
                limit = query.get("limit", PAGE)
                if type(limit) is not int or limit < 1:
                    raise QueryError("limit: expected a number above 0")
                if unknown := query.keys() - _FILTERS:
                    raise QueryError(f"{min(unknown)}: expected one of {', '.join(sorted(_FILTERS))}")
                one.rest = _limited(chosen(list(self._watch.hosts), self._watch, query), limit)
            case "more" if one.rest is not None:
                pass
            case _:
                raise QueryError("query: expected host, hosts, or more after hosts")
        hosts = [self._watch.describe(host) for host in _limited(one.rest, PAGE)]
        more = len(hosts) == PAGE
        if not more:
            one.rest = None
        return {"hosts": hosts, "known": len(self._watch.hosts), "more": more}


def canonical(address: str) -> str:
    """Return an address as the host table has it: IPv6 in its shortest form, mapped IPv4 as IPv4."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    if packed.startswith(bytes(10) + b"\xff\xff") and len(packed) == 16:
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(family, packed)


def chosen(hosts: list[Host], watch: HostWatch, query: Mapping[str, Any]) -> Iterator[Host]:
    """Return the hosts of this class of systems, mixed or not, serving this port. Raises QueryError."""
    kind, mixed, port = query.get("class"), query.get("mixed"), query.get("port")
    if kind is not None and kind not in KINDS:
        raise QueryError(f"class: expected one of {', '.join(KINDS)}")
    if mixed is not None and not isinstance(mixed, bool):
        raise QueryError("mixed: expected true or false")
    if port is not None and (type(port) is not int or not 0 <= port <= 65535):
        raise QueryError("port: expected 0 to 65535")
    return (
        host
        for host in hosts
        if (kind is None or any(e.last.kind == kind for e in host.entries.values()))
        and (port is None or any(k.side == "server" and k.port == port and e.answered for k, e in host.entries.items()))
        and (mixed is None or watch.mixed(host) == mixed)
    )


def _limited(hosts: Iterator[Host], limit: int) -> Iterator[Host]:
    for _ in range(limit):
        try:
            yield next(hosts)
        except StopIteration:
            return
