# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tc filters of one capture process: puts them in place, finds them again, and touches nothing of others.

A filter belongs to the capture process whose name it bears (`flowtap-NAME`). While that one lives it also holds an
abstract socket of this name, which belongs to the network namespace as the filter does. So the successor of a process
that was killed finds its filters, and swaps the program in place: no packet is missed, none is seen twice; and filters
whose process never comes back can be told from those in use.

A filter gets a preference of its own, the lowest that nobody uses. The clsact qdisc that filters need is removed only
where flowtap made it, which a bit in the filter's classid says, and when no filter is left in it.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute, NetlinkError

from capture.links import whole
from capture.live import Interface, TapError

LOG = logging.getLogger(__name__)
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3  # parents of filters
_PREFIX = "flowtap-"
_BPF_ID = 11  # TCA_BPF_ID of linux/pkt_cls.h, which pyroute2 does not name
_MADE = 1 << 16  # of a classid: its clsact qdisc was made by flowtap; programs see only the low 16 bits
_TRIES = 8  # others may take a preference between look and use
_GONE = (errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.EINVAL)  # interface, qdisc or filter; EINVAL: no such qdisc


@dataclass(frozen=True, slots=True)
class Filter:
    """A tc filter as the kernel tells it."""

    index: int  # interface
    parent: int  # INGRESS or EGRESS
    preference: int
    handle: int
    name: str  # "" unless it is an eBPF program
    program: int  # id of the program; 0 when it is none
    classid: int


class Filters:
    """The filters of the capture process `name`. Raises TapError: another one of this name is alive."""

    def __init__(self, name: str) -> None:
        self.name = _PREFIX + name
        self.handle = zlib.crc32(self.name.encode()) & 0x7FFFFFFF or 1
        self._attached: dict[int, bool] = {}  # whether the clsact qdisc of this interface was made here
        self._said: set[int] = set()
        self._hold: Callable[[int], None] = lambda _: None
        self._alive = _life(self.name)
        if self._alive is None:
            raise TapError(f"another capture process named {name} is running in this network namespace")
        self._netlink = IPRoute()
        self._closed = False

    def attach(
        self, interface: Interface, program: int, classids: tuple[int, int], hold: Callable[[int], None]
    ) -> None:
        """Attach a program (file descriptor) in both directions, or only inwards to a loopback interface.

        `classids` are the filters' for ingress and egress. `hold` gets the id of each program that is about to be
        replaced. Raises TapError.
        """
        self._hold = hold
        directions = zip((INGRESS, EGRESS), classids, strict=True)
        try:
            made = self._clsact(interface) or self._attached.get(interface.index, False)
            for parent, classid in list(directions)[: 1 if interface.loopback else 2]:
                made = self._put(interface, parent, program, classid, made=made)
            self._attached[interface.index] = made
        except NetlinkError as error:
            self.detach(interface)
            raise TapError(f"{interface.name}: {_said(error)}") from error

    def intact(self, interface: Interface) -> bool:
        """Whether the filters that attach() put there are still there. Others may have removed them."""
        parents = {found.parent for found in self._all(interface.index) if found.name == self.name}
        return parents == ({INGRESS} if interface.loopback else {INGRESS, EGRESS})

    def detach(self, interface: Interface) -> None:
        """Remove the own filters of an interface, which may be gone already."""
        self._remove(interface.index, {self.name})

    def sweep(self) -> None:
        """Remove filters that nobody uses: own ones that attach() did not take over, and those of dead processes."""
        for index in self._with_clsact():
            names = {found.name for found in self._all(index) if found.name.startswith(_PREFIX)}
            dead = {name for name in names - {self.name} if _is_dead(name)}
            try:
                self._remove(index, dead if index in self._attached else dead | {self.name})
            except NetlinkError as error:  # an AF_PACKET tap may do without the permission for it
                LOG.warning("interface %s: filters of a process that was killed stay: %s", index, _said(error))

    def close(self) -> None:
        """Remove all own filters, and the clsact qdiscs that were made for them; may be called again."""
        if self._closed:
            return
        self._closed = True
        try:
            for index in self._with_clsact():
                self._remove(index, {self.name})
        finally:
            self._netlink.close()
            if self._alive is not None:
                self._alive.close()

    def _clsact(self, interface: Interface) -> bool:
        """Make the clsact qdisc unless it is there; returns whether it was made."""
        try:
            self._netlink.tc("add", "clsact", interface.index)
        except NetlinkError as error:
            if error.code != errno.EEXIST:
                raise
            if interface.index not in self._with_clsact():
                raise TapError(
                    f"{interface.name}: has an ingress qdisc, which leaves no room for clsact; replace it by clsact,"
                    " or use --capture afpacket"
                ) from error
            return False
        return True

    def _put(self, interface: Interface, parent: int, program: int, classid: int, *, made: bool) -> bool:
        """Swap the own filter's program, or add the filter; second own ones, which should not be, go.

        Returns whether the clsact qdisc is known to be made by flowtap.
        """
        for tries_left in reversed(range(_TRIES)):
            filters = self._filters(interface.index, parent)
            own = [found for found in filters if found.name == self.name]
            for found in own:
                self._hold(found.program)
            # whoever is the last of flowtap's processes here removes the qdisc, not only the one that made it
            made = made or any(found.classid & _MADE for found in filters if found.name.startswith(_PREFIX))
            taken = {found.preference for found in filters}
            preference = own[0].preference if own else min(set(range(1, len(taken) + 2)) - taken)
            try:
                self._netlink.tc(
                    "replace-filter" if own else "add-filter",
                    "bpf",
                    interface.index,
                    own[0].handle if own else self.handle,
                    parent=parent,
                    prio=preference,
                    fd=program,
                    name=self.name,
                    classid=classid | (_MADE if made else 0),
                    direct_action=True,
                )
            except NetlinkError as error:
                if not tries_left or error.code not in (errno.EEXIST, errno.ENOENT, errno.EINVAL, errno.EAGAIN):
                    raise
                made = self._clsact(interface) or made  # somebody else was quicker
                continue
            for found in own[1:]:
                self._delete(found)
            self._warn(interface, [found for found in filters if found.preference < preference and found.handle])
            break
        return made

    def _warn(self, interface: Interface, first: list[Filter]) -> None:
        """Say once that filters of others come before the own one. Those of flowtap decide on nothing."""
        names = (found.name for found in first if not found.name.startswith(_PREFIX))
        strangers = [name or "one that is no eBPF program" for name in names]
        if strangers and interface.index not in self._said:
            self._said.add(interface.index)
            told = ", ".join(strangers)
            LOG.warning("%s: other tc filters come first (%s): what they decide on is not seen", interface.name, told)

    def _remove(self, index: int, names: set[str]) -> None:
        """Remove filters of these names from an interface, and its clsact qdisc if that is right."""
        made = self._attached.pop(index, False) if self.name in names else False
        for found in self._all(index):
            if found.name in names:
                self._hold(found.program)
                made = made or bool(found.classid & _MADE)
                self._delete(found)
        if made and not self._all(index):
            with _gone():
                self._netlink.tc("del", "clsact", index)

    def _delete(self, found: Filter) -> None:
        with _gone():
            self._netlink.tc("del-filter", "bpf", found.index, found.handle, parent=found.parent, prio=found.preference)

    def _all(self, index: int) -> list[Filter]:
        return [found for parent in (INGRESS, EGRESS) for found in self._filters(index, parent)]

    def _filters(self, index: int, parent: int) -> list[Filter]:
        """Return all filters in one direction of an interface, those with handle 0 that stand for a preference too."""
        try:
            messages = whole(lambda: self._netlink.get_filters(index=index, parent=parent))
        except NetlinkError as error:
            if error.code in _GONE:
                return []
            raise
        return [_filter(message) for message in messages if message["index"] == index]

    def _with_clsact(self) -> set[int]:
        messages = whole(self._netlink.get_qdiscs)
        return {message["index"] for message in messages if message.get_attr("TCA_KIND") == "clsact"}


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    """Take it well when what is to be removed is gone already."""
    try:
        yield
    except NetlinkError as error:
        if error.code not in _GONE:
            raise


def _filter(message: Any) -> Filter:
    options = message.get_attr("TCA_OPTIONS")
    name, program, classid = "", 0, 0
    if message.get_attr("TCA_KIND") == "bpf" and options is not None:
        name = options.get_attr("TCA_BPF_NAME") or ""
        program = _program(options)
        classid = options.get_attr("TCA_BPF_CLASSID") or 0
    return Filter(message["index"], message["parent"], message["info"] >> 16, message["handle"], name, program, classid)


def _program(options: Any) -> int:
    """Return TCA_BPF_ID, 0 without one."""
    for attribute in options["attrs"]:
        name, raw = attribute.cell
        if name == "UNKNOWN":
            size, kind = struct.unpack_from("=HH", raw.data, raw.offset)
            if kind == _BPF_ID and size == 8:
                return int(struct.unpack_from("=I", raw.data, raw.offset + 4)[0])
    return 0


def _life(name: str) -> socket.socket | None:
    """Return the socket that says that the process of this name is alive; None when it is another one's."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        made.bind("\0" + name)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise TapError(f"the socket that shows others that this process lives: {error.strerror}") from error
    return made


def _is_dead(name: str) -> bool:
    """Whether no process of this name is alive."""
    life = _life(name)
    if life is not None:
        life.close()
    return life is not None


def _said(error: NetlinkError) -> str:
    if error.code in (errno.EPERM, errno.EACCES):
        return "tc filters need cap_net_admin"
    return f"tc filter: {os.strerror(error.code)}"
