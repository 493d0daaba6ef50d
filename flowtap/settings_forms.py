# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a text in the settings must look like: addresses, endpoints, names of interfaces, paths. Nothing is looked up.

Each of these says whether a text has the form, so that a file is right or wrong on every host alike. What is asked of
this host is in flowtap.settings_host.
"""

from __future__ import annotations

import os
import re
from ipaddress import IPv6Address, ip_address, ip_network

LONGEST_SOCKET = 107  # bytes of a Unix socket's path: sockaddr_un.sun_path holds 108 with the final 0
_LONGEST_PATH, _LONGEST_NAME = 4095, 255  # bytes: PATH_MAX less the final 0, NAME_MAX
_LONGEST_INTERFACE, _LONGEST_PATTERN = 15, 255  # bytes: IFNAMSIZ less the final 0; ours
_LABEL = re.compile(r"(?!-)[0-9A-Za-z-]{1,63}(?<!-)")  # of a host's name, RFC 1123 section 2.1


def host_and_port(text: str) -> tuple[str, int] | None:
    """Return what ADDRESS:PORT or [ADDRESS]:PORT says, without brackets; None when it has not that form."""
    host, _, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        return None
    if host[:1] == "[" or ":" in host:
        try:
            inside = host[1:-1] if host[-1:] == "]" else ""
            return (inside, int(port)) if "%" not in inside and IPv6Address(inside) else None
        except ValueError:
            return None
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return None
    if labels[-1].isdigit():  # no name ends so
        try:
            ip_address(host)
        except ValueError:
            return None
    return host, int(port)


def is_listen(text: str) -> bool:
    """Whether an HTTP server can be told to listen there; "" is nowhere."""
    return not text or host_and_port(text) is not None


def is_feed(endpoint: str) -> bool:
    """Whether it is an endpoint of ZeroMQ that does not leave this host; "" is the default."""
    if endpoint.startswith("tcp://"):
        found = host_and_port(endpoint.removeprefix("tcp://"))
        try:
            return found is not None and ip_address(found[0]).is_loopback
        except ValueError:
            return False
    if endpoint.startswith("ipc://"):
        path = endpoint.removeprefix("ipc://")
        return is_file(path) and len(os.fsencode(path)) <= LONGEST_SOCKET
    return not endpoint


def is_network(text: str) -> bool:
    """Whether it is an address or a network."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_interface(text: str) -> bool:
    """Whether it can be the name of an interface (as the kernel has it) or a pattern of such; with ! before it, too."""
    name = text.removeprefix("!")
    if not name or name in (".", "..") or re.search(r"[\s/:\0!]", name):
        return False
    is_pattern = re.search(r"[*?\[]", name) is not None
    return len(os.fsencode(name)) <= (_LONGEST_PATTERN if is_pattern else _LONGEST_INTERFACE)


def is_path(text: str) -> bool:
    """Whether it is an absolute path that a file system can hold."""
    try:
        path = os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return (
        path[:1] == b"/"
        and not re.search(r"[\0-\x1f\x7f]", text)
        and len(path) <= _LONGEST_PATH
        and max(map(len, path.split(b"/"))) <= _LONGEST_NAME
    )


def is_file(text: str) -> bool:
    """Whether it is an absolute path whose last part can be a file's name."""
    return is_path(text) and text.rpartition("/")[2] not in ("", ".", "..")
