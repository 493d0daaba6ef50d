# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks of `flowtap doctor`: the interfaces, who else is on them, what they do to packets before flowtap sees them."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from flowtap.finding import Finding, fail, ok, warn
from flowtap.settings import Settings

_INGRESS, _EGRESS = 0xFFFFFFF2, 0xFFFFFFF3  # parents of filters in clsact
_OWN = "flowtap-"  # what flowtap's own filters are called
_BPF_SYSCALL = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
_PROG_QUERY, _TCX_INGRESS, _TCX_EGRESS = 16, 46, 47  # linux/bpf.h
_MOST_PROGRAMS = 64
_QUEUES_WITHOUT_RSS = 1


def interfaces(settings: Settings, names: Sequence[str]) -> Iterator[Finding]:
    """Check the interfaces of these names or patterns, or those of the settings."""
    from pyroute2 import IPRoute

    from capture.interfaces import is_plain, matches, select
    from capture.links import link_of

    patterns = list(names) or settings.capture.interfaces
    with IPRoute() as netlink:
        links = {message["index"]: link_of(message) for message in netlink.get_links()}
        xdp = {message["index"] for message in netlink.get_links() if _has_xdp(message)}
        if not patterns:
            yield warn("interfaces", "none is named, in the settings or with -i", "name some in capture.interfaces")
            return
        present = {link.name for link in links.values()}
        for pattern in patterns:
            if not pattern.startswith("!") and not any(matches(name, [pattern]) for name in present):
                what = "is not there" if is_plain(pattern) else "matches no interface"
                yield warn(pattern, f"{what} now; it is watched when it comes", "ip link shows what there is")
        selection = select(links, patterns, decap=settings.capture.decap, others={})
        for name, reason in selection.refused.items():
            yield warn(name, f"will not be watched: {reason}", "fine, unless you expect otherwise")
        for index, interface in selection.tapped.items():
            yield from _neighbours(netlink, interface.name, index)
            if index in xdp:
                yield warn(
                    interface.name,
                    "has an XDP program: what that drops or redirects is not seen",
                    f"ip link show {interface.name}",
                )
            if not interface.loopback:
                yield from _offloads(interface.name)
                yield from _queues(interface.name)


def _has_xdp(message: Any) -> bool:
    xdp = message.get_attr("IFLA_XDP")
    return xdp is not None and bool(xdp.get_attr("IFLA_XDP_ATTACHED"))


def _neighbours(netlink: Any, name: str, index: int) -> Iterator[Finding]:
    """Tell who else looks at packets at the place where flowtap does."""
    kinds = {message.get_attr("TCA_KIND") for message in netlink.get_qdiscs(index=index)}
    if "ingress" in kinds:
        yield fail(
            name,
            "has an ingress qdisc, which leaves no room for clsact",
            f'replace it (tc qdisc del dev {name} ingress), or capture.backend = "afpacket"',
        )
        return
    found = False
    for parent, direction in ((_INGRESS, "ingress"), (_EGRESS, "egress")) if "clsact" in kinds else ():
        others = sorted(set(_first_filters(netlink, index, parent)))
        if others:
            found = True
            yield warn(
                name,
                f"other tc filters come first at {direction} ({', '.join(others)}): what they end is not seen",
                f"tc filter show dev {name} {direction}; give them a preference behind flowtap's",
            )
    for kind, direction in ((_TCX_INGRESS, "ingress"), (_TCX_EGRESS, "egress")):
        count = tcx_programs(index, kind)
        if count:
            found = True
            yield warn(
                name,
                f"{count} tcx {'program comes' if count == 1 else 'programs come'} before tc at {direction}: "
                "packets that these end (as Cilium's do) are not seen",
                'bpftool net shows them; watch another interface, or capture.backend = "afpacket"',
            )
    if not found:
        yield ok(name, "nobody comes before flowtap at tc")


def _first_filters(netlink: Any, index: int, parent: int) -> Iterator[str]:
    """Yield the names of filters that are asked before flowtap's, or all but flowtap's when it has none."""
    filters = []
    for message in netlink.get_filters(index=index, parent=parent):
        if not message["handle"]:  # stands for a preference, not for a filter
            continue
        options = message.get_attr("TCA_OPTIONS")
        kind = str(message.get_attr("TCA_KIND"))
        told = options.get_attr("TCA_BPF_NAME") if kind == "bpf" and options is not None else None
        filters.append((message["info"] >> 16, str(told or kind)))
    own = [preference for preference, name in filters if name.startswith(_OWN)]
    for preference, name in filters:
        if not name.startswith(_OWN) and (not own or preference < min(own)):
            yield name


def tcx_programs(index: int, kind: int) -> int:
    """Return how many tcx programs an interface has; 0 also where the kernel knows none, or does not tell us."""
    number = _BPF_SYSCALL.get(platform.machine())
    if number is None:
        return 0
    ids = (ctypes.c_uint32 * _MOST_PROGRAMS)()
    # struct query of union bpf_attr: target, attach type, flags, attach flags, ids, count, padding, and four pointers.
    attributes = bytearray(
        struct.pack("=IIIIQIIQQQQ", index, kind, 0, 0, ctypes.addressof(ids), _MOST_PROGRAMS, 0, 0, 0, 0, 0)
    )
    buffer = (ctypes.c_char * len(attributes)).from_buffer(attributes)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, _PROG_QUERY, buffer, len(attributes)) != 0:
        return 0
    return int(struct.unpack_from("=I", attributes, 24)[0])


def _offloads(name: str) -> Iterator[Finding]:
    from pyroute2.ethtool import Ethtool

    try:
        with Ethtool() as ethtool:
            flags = dict(ethtool.get_offload_flags(name))
            features = {key: value.enable for key, value in ethtool.get_features(name).features.items()}
    except Exception as error:  # drivers answer in many ways; nothing depends on it
        yield warn(name, f"its offloads cannot be asked for: {error}", f"ethtool -k {name}")
        return
    if features.get("rx-lro") or flags.get("large-receive-offload"):
        yield warn(
            name,
            "LRO merges packets in a way that forwarding cannot undo, and that hides their sizes",
            f"ethtool -K {name} lro off",
        )
    elif features.get("hw-tc-offload"):
        yield warn(
            name,
            "hw-tc-offload is on: flows that the hardware forwards by itself are not seen",
            f"ethtool -K {name} hw-tc-offload off",
        )
    else:
        on = [
            word
            for word, key in (("GRO", "rx-gro"), ("TSO", "tx-tcp-segmentation"), ("GSO", "tx-generic-segmentation"))
            if features.get(key)
        ]
        yield ok(name, f"offloads: {', '.join(on) or 'none'}; merged packets are told apart again")


def _queues(name: str) -> Iterator[Finding]:
    try:
        entries = os.listdir(f"/sys/class/net/{name}/queues")
    except OSError:
        return
    queues = sum(entry.startswith("rx-") for entry in entries)
    cpus = os.cpu_count() or 1
    physical = os.path.exists(f"/sys/class/net/{name}/device")
    if physical and queues <= _QUEUES_WITHOUT_RSS and cpus > 1 and not _rps(name):
        yield warn(
            name,
            f"one receive queue for {cpus} CPUs: a single CPU takes all packets that come in",
            f"ethtool -L {name} combined N, or spread them: /sys/class/net/{name}/queues/rx-0/rps_cpus",
        )
    else:
        # The directions of a flow may come to different CPUs, RSS symmetric or not: workers put them in order.
        yield ok(name, f"{queues} receive queue{'s' * (queues != 1)}; RSS need not be symmetric")


def _rps(name: str) -> bool:
    """Whether software spreads what the first queue receives."""
    try:
        with open(f"/sys/class/net/{name}/queues/rx-0/rps_cpus") as file:
            return any(digit not in "0,\n" for digit in file.read())
    except OSError:
        return False
