# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keeps a tap on the interfaces that are asked for: as they come, go, get other names, or are tapped elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress

from capture.claims import Claims
from capture.filters import Filters
from capture.interfaces import is_plain, matches, select
from capture.links import Links
from capture.live import Interface, Tap, TapError

LOG = logging.getLogger(__name__)
_TRIES_AT_FIRST, _TRIES = 200, 5  # of 10 ms each, to get a turn to decide: later on packets wait meanwhile
_AGAIN_NS = 5_000_000_000  # between two tries to tap an interface that refused


class Following:
    """Adds interfaces to `tap` and removes them. Raises OSError where netlink is not to be had."""

    def __init__(self, tap: Tap, filters: Filters, claims: Claims, patterns: Sequence[str], *, decap: bool) -> None:
        self.tapped: dict[int, Interface] = {}
        self._tap = tap
        self._filters = filters
        self._claims = claims
        self._patterns = patterns
        self._decap = decap
        self._links = Links()
        self._others: dict[int, str] = {}
        self._failed: dict[int, str] = {}
        self._try_again = 0
        self._postponed = ""
        self._said: dict[str, str] = {}

    def begin(self) -> None:
        """Tap what is there. Raises TapError when there is something and nothing of it can be tapped."""
        self._decide(first=True)
        if self._failed and not self.tapped:
            why = next(iter(self._failed.values()))
            if not self._failed.keys() <= self._links.look().gone:
                raise TapError(why)
            self._decide()  # it went before it could be tapped

    def look(self, *, others: bool) -> None:
        """Follow what has changed; `others` also asks what other processes tap."""
        changes = self._links.look()
        for index in changes.gone & self.tapped.keys():
            self._drop(index, "is gone")
        again = bool(self._failed or self._postponed) and time.monotonic_ns() >= self._try_again
        others = self._claims.moved() or others
        if changes.links or again or (others and self._claims.others() != self._others):
            self._decide()
        if self._tap.backend == "ebpf":
            for index in changes.filters & self.tapped.keys():
                self._check(self.tapped[index])

    def close(self) -> None:
        """Stop following."""
        self._links.close()

    def _decide(self, *, first: bool = False) -> None:
        """Choose what to tap and do so."""
        try:
            with self._claims.deciding(_TRIES_AT_FIRST if first else _TRIES) as others:
                chosen = select(self._links.links, self._patterns, decap=self._decap, others=others)
                self._claims.write(chosen.tapped.values())
        except TapError as error:
            if first:
                raise
            self._postpone(f"interfaces stay as they are for now: {error}")
            return
        self._others = others
        self._postponed = ""
        self._tap.elsewhere(others.keys() | chosen.upon)
        for index in self.tapped.keys() - chosen.tapped.keys():
            name = self.tapped[index].name
            self._drop(index, chosen.refused.get(name, "is not asked for any more"))
        self._failed = {}
        for index, interface in chosen.tapped.items():
            if index not in self.tapped:
                self._add(interface)
            elif self.tapped[index] != interface:
                LOG.info("%s: is called %s now", self.tapped[index].name, interface.name)
                self.tapped[index] = interface
        if self._failed:
            self._try_again = time.monotonic_ns() + _AGAIN_NS
            with suppress(TapError):  # it claims more than it taps until it tries again
                self._claims.write(self.tapped.values())
        self._say(chosen.refused | {self._links.links[i].name: text for i, text in self._failed.items()}, first=first)

    def _postpone(self, why: str) -> None:
        """Decide later, and say once why."""
        if self._postponed != why:
            LOG.error("%s", why)
        self._postponed = why
        self._try_again = time.monotonic_ns() + _AGAIN_NS

    def _add(self, interface: Interface) -> None:
        try:
            self._tap.add(interface)
        except TapError as error:
            self._failed[interface.index] = str(error)
            return
        self.tapped[interface.index] = interface
        self._said.pop(interface.name, None)
        LOG.info("%s: tapped", interface.name)

    def _drop(self, index: int, why: str) -> None:
        interface = self.tapped.pop(index)
        self._tap.remove(interface)
        self._said[interface.name] = why
        LOG.info("%s: not tapped any more: %s", interface.name, why)

    def _check(self, interface: Interface) -> None:
        """Put filters back that somebody else has removed."""
        if self._filters.intact(interface):
            return
        LOG.warning("%s: its filter was removed by someone else; packets until now were not seen", interface.name)
        try:
            self._tap.add(interface)
        except TapError as error:
            LOG.warning("%s", error)
            self._drop(interface.index, "cannot be tapped again")
            self._failed[interface.index] = str(error)
            self._try_again = time.monotonic_ns() + _AGAIN_NS

    def _say(self, reasons: dict[str, str], *, first: bool) -> None:
        """Say once for each interface that is asked for why it is not tapped."""
        names = {link.name for link in self._links.links.values()}
        if first:
            for pattern in self._patterns:
                if is_plain(pattern) and pattern not in names:
                    LOG.warning("%s: there is no such interface; waits for it", pattern)
            if not any(matches(name, self._patterns) for name in names) and not all(map(is_plain, self._patterns)):
                LOG.warning("%s: no interface matches; waits for one", " ".join(self._patterns))
        for name, why in reasons.items():
            if self._said.get(name) != why:
                LOG.warning("%s", why if why.startswith(f"{name}:") else f"{name}: not tapped: {why}")
        self._said = {**{name: why for name, why in self._said.items() if name in names}, **reasons}
