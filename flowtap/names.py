# SPDX-License-Identifier: LGPL-2.1-or-later
"""Host names for addresses, by reverse DNS, with a bound on the time spent waiting.

A reverse look-up can take a resolver's full time-out, and there can be one for each address of a capture. So look-ups
run in daemon threads, each answer is waited for only briefly, and all waiting together is bounded: past that, addresses
whose name is not yet known stay addresses. The threads are never joined: what is under way dies with the process.
"""

import re
import socket
import threading
from queue import SimpleQueue
from time import monotonic

# What a host name may consist of. An answer is written by whoever owns the address: nothing else reaches a terminal.
_HOST_NAME = re.compile(r"[A-Za-z0-9_-](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_-])?")


class Names:
    """Looks up and remembers names. `wait` bounds the seconds for one address, `total` for all together."""

    def __init__(self, *, wait: float = 1.0, total: float = 20.0, threads: int = 8, remember: int = 65536) -> None:
        self._wait = wait
        self._left = total
        self._remember = remember
        self._known: dict[str, str | None] = {}  # None: asked, no answer yet
        self._answered = threading.Condition()
        self._questions: SimpleQueue[str] = SimpleQueue()
        for _ in range(threads):
            threading.Thread(target=self._work, daemon=True, name="names").start()

    def __call__(self, address: str) -> str:
        """Return the name of `address`, or `address` when there is none or it is not known in time."""
        with self._answered:
            if address not in self._known:
                if len(self._known) >= self._remember:
                    return address
                self._known[address] = None
                self._questions.put(address)
            if self._known[address] is None and self._left > 0:
                start = monotonic()
                self._answered.wait_for(lambda: self._known[address] is not None, min(self._wait, self._left))
                self._left -= monotonic() - start
            return self._known[address] or address

    def _work(self) -> None:
        while True:
            address = self._questions.get()
            try:
                name = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
            except OSError:
                name = address
            with self._answered:
                self._known[address] = name if _HOST_NAME.fullmatch(name) else address
                self._answered.notify_all()
