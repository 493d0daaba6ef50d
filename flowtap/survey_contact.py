# SPDX-License-Identifier: LGPL-2.1-or-later
"""Contacts hosts for `flowtap survey`: one TCP connection each, at a bounded rate, few at a time, closed politely.

A connection carries no data. When the host has accepted it, it is ended by FIN and the host's FIN is awaited for a
moment, so that nothing half open stays behind there. The kernel repeats a SYN that nobody answers once.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from time import monotonic

from flowtap.survey_list import Target

SYN_REPEATS = 1
POLITE = 2.0  # seconds for which the host's FIN is awaited

_OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "silent",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EACCES: "unreachable",  # a firewall or a route of this host
    errno.EPERM: "unreachable",
    errno.ECONNRESET: "refused",
}
# open: accepted. refused: answered by RST. silent: no answer. unreachable: a router or this host says so.
# unresolved: the name has no address. error: this host could not even try.
OUTCOMES = ("open", "refused", "silent", "unreachable", "unresolved", "error")


@dataclass(frozen=True, slots=True)
class Contact:
    """What came of contacting a host."""

    target: Target
    outcome: str  # one of OUTCOMES
    address: str = ""  # the host's, where it was resolved
    seconds: float = 0.0  # from the SYN to the outcome
    reason: str = ""  # of an error


class Pace:
    """Spreads beginnings over time: never two closer than 1 / `rate` seconds, also after a delay."""

    def __init__(self, rate: float, clock: Callable[[], float] = monotonic) -> None:
        self._step = 1 / rate
        self._clock = clock
        self._next = clock()

    def wait(self) -> float:
        """Take the next place; return the seconds until it."""
        now = self._clock()
        begin = max(now, self._next)
        self._next = begin + self._step
        return begin - now


async def contact(target: Target, port: int, timeout: float) -> Contact:
    """Connect to a host once and close. `timeout` is in seconds; never raises OSError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            found = await loop.getaddrinfo(target.host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError, TimeoutError) as error:
        return Contact(target, "unresolved", reason=str(error) or "no answer in time")
    family, kind, proto, _, where = found[0]
    address = str(where[0])
    begin = monotonic()
    try:
        with socket.socket(family, kind, proto) as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_REPEATS)
            async with asyncio.timeout(timeout):
                await loop.sock_connect(sock, where)
            seconds = monotonic() - begin
            await _leave(loop, sock)
            return Contact(target, "open", address, seconds)
    except TimeoutError:
        return Contact(target, "silent", address, monotonic() - begin)
    except OSError as error:
        outcome = _OUTCOMES.get(error.errno or 0, "error")
        reason = error.strerror or str(error) if outcome in ("error", "unreachable") else ""
        return Contact(target, outcome, address, monotonic() - begin, reason)


async def _leave(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    """End the connection; what the host still says is not read beyond a little."""
    try:
        sock.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(POLITE):
            for _ in range(4):
                if not await loop.sock_recv(sock, 4096):
                    break
    except (OSError, TimeoutError):
        pass


async def contact_all(
    targets: Iterable[Target], port: int, *, rate: float, concurrency: int, timeout: float
) -> AsyncGenerator[Contact, None]:
    """Contact all hosts, at most `rate` a second and `concurrency` at a time; yield what came of each as it ends."""
    pace = Pace(rate)
    rest = iter(targets)
    running: set[asyncio.Task[Contact]] = set()
    more = True
    try:
        while more or running:
            while more and len(running) < concurrency:
                target = next(rest, None)
                if target is None:
                    more = False
                    break
                if (delay := pace.wait()) > 0:
                    await asyncio.sleep(delay)
                running.add(asyncio.create_task(contact(target, port, timeout)))
                if any(task.done() for task in running):
                    break
            if not running:
                break
            done, running = await asyncio.wait(
                running, timeout=0 if more and len(running) < concurrency else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
