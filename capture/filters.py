# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tc filters of one capture process: puts them in place, finds them again, and touches nothing of others.

A filter belongs to the capture process whose name it bears (`flowtap-NAME`); so the successor of one that was killed
finds it, and swaps its program in place: no packet is missed, none is seen twice. It gets a preference of its own, the
lowest that nobody uses. The clsact qdisc that filters need is removed only where this process made it, which a file
remembers beyond a kill, and only when no filter is left in it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute, NetlinkError

from capture.live import Interface, TapError

LOG = logging.getLogger(__name__)
CLSACT = 0xFFFFFFF1
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3  # parents of filters
_PREFIX = "flowtap-"
_BPF_ID = 11  # TCA_BPF_ID of linux/pkt_cls.h, which pyroute2 does not name
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


class Filters:
    """The filters of the capture process `name`; `folder` keeps what must be remembered. Raises TapError."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = _PREFIX + name
        self.handle = zlib.crc32(self.name.encode()) & 0x7FFFFFFF or 1
        self._file = folder / f"{name}.clsact"
        self._made = _remembered(self._file)
        self._attached: set[int] = set()
        self._said: set[int] = set()
        self._netlink = IPRoute()

    def attach(
        self, interface: Interface, program: int, classids: tuple[int, int], hold: Callable[[int], None]
    ) -> None:
        """Attach a program (file descriptor) in both directions, or only inwards to a loopback interface.

        `classids` are the filters' for ingress and egress. `hold` gets the id of each program that is about to be
        replaced. Raises TapError.
        """
        directions = [(INGRESS, classids[0])] if interface.loopback else list(zip((INGRESS, EGRESS), classids))
        try:
            self._clsact(interface)
            for parent, classid in directions:
                self._put(interface, parent, program, classid, hold)
            self._attached.add(interface.index)
        except NetlinkError as error:
            self.detach(interface)
            raise TapError(f"{interface.name}: {_said(error)}") from error

    def intact(self, interface: Interface) -> bool:
        """Whether the filters that attach() put there are still there. Others may have removed them."""
        parents = {found.parent for found in self._own(interface.index)}
        return parents == ({INGRESS} if interface.loopback else {INGRESS, EGRESS})

    def detach(self, interface: Interface) -> None:
        """Remove the own filters of an interface, which may be gone already."""
        self._attached.discard(interface.index)
        self._remove(interface.index)

    def sweep(self, hold: Callable[[int], None] = lambda _: None) -> None:
        """Remove the own filters that a killed predecessor left and attach() did not take over."""
        for index in self._with_clsact() - self._attached:
            for found in self._own(index):
                if found.program:
                    hold(found.program)
            self._remove(index)
        for index in self._made - self._attached:
            self._remove(index)

    def close(self) -> None:
        """Remove all own filters, and the clsact qdiscs that were made for them; may be called again."""
        if self._netlink is None:
            return
        self._attached.clear()
        try:
            self.sweep()
        finally:
            self._netlink.close()
            self._netlink = None

    def _clsact(self, interface: Interface) -> None:
        """Make the clsact qdisc unless it is there."""
        try:
            self._netlink.tc("add", "clsact", interface.index)
        except NetlinkError as error:
            if error.code != errno.EEXIST:
                raise
            if "clsact" not in self._kinds(interface.index):
                raise TapError(
                    f"{interface.name}: has an ingress qdisc, which leaves no room for clsact; replace it by clsact,"
                    " or use --capture afpacket"
                ) from error
        else:
            self._remember(self._made | {interface.index})

    def _put(self, interface: Interface, parent: int, program: int, classid: int, hold: Callable[[int], None]) -> None:
        """Swap the own filter's program, or add the filter; second own ones, which should not be, go."""
        for last in range(_TRIES):
            filters = list(self._filters(interface.index, parent))
            own = [found for found in filters if found.name == self.name]
            for found in own:
                if found.program:
                    hold(found.program)
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
                    classid=classid,
                    direct_action=True,
                )
            except NetlinkError as error:
                if last == _TRIES - 1 or error.code not in (errno.EEXIST, errno.ENOENT, errno.EINVAL, errno.EAGAIN):
                    raise
                self._clsact(interface)
                continue
            for found in own[1:]:
                self._delete(found)
            first = [found for found in filters if found.name != self.name and found.preference < preference]
            if first and interface.index not in self._said:
                self._said.add(interface.index)
                names = ", ".join(sorted({found.name or "no eBPF program" for found in first if found.handle}))
                LOG.warning("%s: other tc filters come first (%s): what they decide is not seen", interface.name, names)
            return

    def _remove(self, index: int) -> None:
        """Remove the own filters of an interface, and its clsact qdisc if that is right."""
        for found in self._own(index):
            self._delete(found)
        if index in self._made and not any(self._filters(index, parent) for parent in (INGRESS, EGRESS)):
            with _gone():
                self._netlink.tc("del", "clsact", index)
        if index in self._made:
            self._remember(self._made - {index})

    def _delete(self, found: Filter) -> None:
        with _gone():
            self._netlink.tc("del-filter", "bpf", found.index, found.handle, parent=found.parent, prio=found.preference)

    def _own(self, index: int) -> list[Filter]:
        return [
            found for parent in (INGRESS, EGRESS) for found in self._filters(index, parent) if found.name == self.name
        ]

    def _filters(self, index: int, parent: int) -> list[Filter]:
        """Return all filters in one direction of an interface, those with handle 0 that stand for a preference too."""
        try:
            messages = list(self._netlink.get_filters(index=index, parent=parent))
        except NetlinkError as error:
            if error.code in _GONE:
                return []
            raise
        return [_filter(message) for message in messages if message["index"] == index]

    def _kinds(self, index: int) -> set[str]:
        return {str(message.get_attr("TCA_KIND")) for message in self._qdiscs() if message["index"] == index}

    def _with_clsact(self) -> set[int]:
        return {int(message["index"]) for message in self._qdiscs() if message.get_attr("TCA_KIND") == "clsact"}

    def _qdiscs(self) -> list[Any]:
        return list(self._netlink.get_qdiscs())

    def _remember(self, made: set[int]) -> None:
        """Note the interfaces whose clsact qdisc was made here; TapError when that cannot be written."""
        self._made = made
        own = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            if made:
                own.write_text(json.dumps(sorted(made)))
                own.replace(self._file)
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            raise TapError(f"{self._file}: {error.strerror}") from error


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
    name, program = "", 0
    if message.get_attr("TCA_KIND") == "bpf" and options is not None:
        name = options.get_attr("TCA_BPF_NAME") or ""
        program = _program(options)
    return Filter(message["index"], message["parent"], message["info"] >> 16, message["handle"], name, program)


def _program(options: Any) -> int:
    """Return TCA_BPF_ID, 0 without one."""
    for attribute in options["attrs"]:
        name, raw = attribute.cell
        if name == "UNKNOWN":
            size, kind = struct.unpack_from("=HH", raw.data, raw.offset)
            if kind == _BPF_ID and size == 8:
                return int(struct.unpack_from("=I", raw.data, raw.offset + 4)[0])
    return 0


def _remembered(file: Path) -> set[int]:
    try:
        return {int(index) for index in json.loads(file.read_text())}
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, TypeError) as error:
        LOG.warning("%s: cannot be read, clsact qdiscs of an earlier run stay (%s)", file, error)
        return set()


def _said(error: NetlinkError) -> str:
    if error.code in (errno.EPERM, errno.EACCES):
        return "attaching a tc filter needs cap_net_admin"
    return f"no tc filter can be attached: {os.strerror(error.code)}"
