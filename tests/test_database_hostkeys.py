# SPDX-License-Identifier: LGPL-2.1-or-later
"""The signatures of SSH connections that end before a login: on shapes as clients and scanners make them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Command
from tests.conversation import Tcp, pcap

REFUSED, CLOSED = "ssh.hostkey.refused", "ssh.preauth.closed"
SCAN, BANNER, AUTH = f"{CLOSED}.scan", f"{CLOSED}.banner", f"{CLOSED}.auth"
OURS = (REFUSED, CLOSED, SCAN, BANNER, AUTH)
# What was sent, as steps of `Tcp.send`, what is to be found.
SHAPES = {
    # Clients that people use, at the question whether they trust the server's key.
    "ssh, hybrid": ("c41 s41 c1448 c112 s1112 c1208 s1448 s116", (REFUSED, CLOSED)),
    "ssh, all lists short": ("c41 s41 c704 s1016 c48 s500", (REFUSED, CLOSED)),
    "ssh, group exchange": ("c41 s41 s1112 c1160 c24 s280 c272 s748", (REFUSED, CLOSED)),
    "ssh, banner of 21": ("c21 s41 c1448 c112 s1112 c1208 s1448 s116", (REFUSED, CLOSED)),
    "ssh, banner of 33, lists short": ("c33 s41 c712 s1112 c48 s576", (REFUSED, CLOSED)),
    "ssh of Windows": ("c33 s41 c1432 s1112 c48 s524", (REFUSED, CLOSED)),
    "plink, server in two parts": ("c28 s25 s1448 c1448 c80 s104 c72 s216 s16 s896", (REFUSED, CLOSED)),
    "dbclient": ("c738 s41 s1112 c48 s524", (REFUSED, CLOSED)),
    "dbclient, Dropbear": ("c738 s538 s428", (REFUSED, CLOSED)),
    "conch, DISCONNECT": ("c760 s41 s1112 c48 s1256 + c40", (REFUSED, CLOSED)),
    "libssh": ("c23 s41 c936 s1112 c48 s524 c16", (REFUSED, CLOSED)),
    "Net::SSH, GRO": ("s25 c46 s1552 c856 c152 s296 s16", (REFUSED, CLOSED)),
    "JSch": ("c20 s12 s592 c648 c88 s896 s16 c88", (REFUSED, CLOSED)),
    "PHP": ("c28 s41 c1128 s1112 c48 s208 c16 c64 s64 c112", (REFUSED, CLOSED)),
    # Scanners leave at the same place.
    "ssh-audit": ("c21 s41 s1112 c784 c48 s888", (CLOSED,)),
    "ssh-audit, group exchange": ("c21 s41 c832 s1112 c24 s280 c272 s432", (CLOSED,)),
    "ssh-audit, group refused": ("c21 s41 c832 s1112 c24", (CLOSED,)),
    "ssh-audit, few methods": ("c21 s41 c248 s336 c112 s952", (CLOSED,)),
    "nmap's scripts": ("s41 c27 s1112 c520 c272 s432", (CLOSED,)),
    "nmap's scripts, protocol 1": ("s41 c27 s31 s2", (CLOSED, BANNER)),
    "nmap's scripts, KEXINIT": ("s41 c27 c528 s1016", (CLOSED,)),
    "Go": ("c12 s41 s1112 c960 c48 s208", (CLOSED,)),
    "ssh-keyscan": ("s41 c25 c1080 s1112 c1208 s1448 s472", (CLOSED, SCAN)),
    "connect": ("s41", (BANNER,)),
    # Left later, at the question for a password.
    "Paramiko, NEWKEYS crosses": ("c25 s24 c1168 s928 c48 s192 c16 s208", (CLOSED,)),
    "conch, no common method": ("c688 s41 s336 c56", (CLOSED,)),
    "ssh": ("c41 s41 c1448 c112 s1112 c1208 s1448 s116 c16 c44 s44 c68 s52", (AUTH,)),
    "ncrack, long name": ("s41 c20 c1448 s1016 c400 c48 s208 c16 c44 s44 c84 s76", (AUTH,)),
    # A credential was sent.
    "password refused": ("c41 s41 c1448 c112 s1112 c1208 s1448 s116 c16 c44 s44 c68 s52 + c148 s52", ()),
    "a first password, refused later": ("c24 s41 c1128 s1112 c48 s208 c80 s64 c96 + s96", ()),
    "a first password, refused with EXT_INFO": ("c24 s41 c1128 s1112 c48 s208 c80 s64 c96 s336", ()),
}


def test_shapes(flowtap: Command, tmp_path: Path) -> None:
    """Each shape is found as what it is, and as nothing else of these five."""
    flows = []
    for index, (steps, _) in enumerate(SHAPES.values()):
        flow = Tcp(cport=10_000 + index, start=1165124468.0 + index * 30).open()
        flows.append(flow.send(0.01, *steps.split()).close(4.0))
    (tmp_path / "flows.pcap").write_bytes(pcap(*flows))
    done = flowtap("read", "--json", "--flows", str(tmp_path / "flows.pcap"))
    found = {}
    for line in done.stdout.splitlines():
        event = json.loads(line)
        if event["event_type"] == "flow":
            named = event["flowtap"].get("signatures", ())
            found[event["src_port"]] = {name for name in named if name in OURS}
    wanted = {10_000 + index: set(ids) for index, (_, ids) in enumerate(SHAPES.values())}
    names = list(SHAPES)
    wrong = {names[port - 10_000]: (found.get(port), ids) for port, ids in wanted.items() if found.get(port) != ids}
    assert not wrong
