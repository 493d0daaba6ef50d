# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap doctor`: what it finds on real interfaces, in wrong settings, without rights; exit codes."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from pyroute2 import IPRoute

from capture.program import load
from flowtap import check_host, check_interfaces, check_kernel
from flowtap.finding import Finding
from flowtap.settings import Settings, parse
from tests import pages
from tests.conftest import Command, environment
from tests.veth import EGRESS, namespace, pair

LINK_CREATE = 28  # bpf(2)


def settings(text: str = "") -> Settings:
    return parse(text.encode(), "test")


def texts(found: Iterator[Finding], check: str) -> list[tuple[str, str]]:
    """Return level and text of the findings of one check."""
    return [(finding.level, finding.text) for finding in found if finding.check == check]


@pytest.fixture
def interface() -> Iterator[str]:
    with namespace(), pair() as (one, _):
        yield one.name


def tc(*arguments: str) -> None:
    subprocess.run(["tc", *arguments], check=True, timeout=10)


def on(interface: str, text: str = "") -> list[tuple[str, str]]:
    return texts(check_interfaces.interfaces(settings(text), [interface]), interface)


@pytest.mark.live
def test_nobody_else(interface: str) -> None:
    found = on(interface)
    assert {level for level, _ in found} == {"ok"}
    assert ("ok", "nobody comes before flowtap at tc") in found
    assert any(text.startswith("offloads: GRO") or "TSO" in text for _, text in found)


@pytest.mark.live
def test_ingress_qdisc(interface: str) -> None:
    tc("qdisc", "add", "dev", interface, "ingress")
    assert ("fail", "has an ingress qdisc, which leaves no room for clsact") in on(interface)


@pytest.mark.live
def test_filters_of_others(interface: str) -> None:
    tc("qdisc", "add", "dev", interface, "clsact")
    program = load(1, cutoff=False, decap=False)
    index = socket.if_nametoindex(interface)
    with IPRoute() as route:

        def put(name: str, preference: int) -> None:
            options = {"fd": program.tap, "name": name, "classid": 2, "direct_action": True}
            route.tc("add-filter", "bpf", index, handle=1, prio=preference, parent=EGRESS, **options)

        put("flowtap-eth0", 2)
        put("behind", 3)
        assert ("ok", "nobody comes before flowtap at tc") in on(interface)
        put("cil_to_netdev", 1)
    told = "other tc filters come first at egress (cil_to_netdev): what they end is not seen"
    assert ("warn", told) in on(interface)


@pytest.mark.live
def test_tcx_programs(interface: str) -> None:
    number = check_interfaces._BPF_SYSCALL[platform.machine()]
    index = socket.if_nametoindex(interface)
    program = load(1, cutoff=False, decap=False)
    attributes = struct.pack("=IIIIIIQ", program.tap, index, check_interfaces._TCX_INGRESS, 0, 0, 0, 0)
    link = ctypes.CDLL(None, use_errno=True).syscall(number, LINK_CREATE, attributes, len(attributes))
    if link < 0:
        pytest.skip(f"this kernel has no tcx: {os.strerror(ctypes.get_errno())}")
    try:
        (found,) = [text for level, text in on(interface) if level == "warn"]
        assert found.startswith("1 tcx program comes before tc at ingress: ")
    finally:
        os.close(link)


@pytest.mark.live
def test_which_interfaces(interface: str) -> None:
    subprocess.run(["ip", "link", "add", "upon", "type", "bridge"], check=True, timeout=10)
    subprocess.run(["ip", "link", "set", interface, "master", "upon"], check=True, timeout=10)
    found = list(check_interfaces.interfaces(settings(), [interface, "upon", "nobody*", "absent", "!x"]))
    assert texts(iter(found), "upon") == [
        ("warn", f"will not be watched: lies on {interface}, which is tapped: packets would count twice")
    ]
    assert texts(iter(found), "nobody*") == [("warn", "matches no interface now; it is watched when it comes")]
    assert texts(iter(found), "absent") == [("warn", "is not there now; it is watched when it comes")]
    assert texts(iter(found), "!x") == []
    assert texts(check_interfaces.interfaces(settings(), []), "interfaces")[0][0] == "warn"


@pytest.mark.live
def test_kernel() -> None:
    found = list(check_kernel.kernel(settings("[workers]\ncount = 3")))
    assert [finding for finding in found if finding.level == "fail"] == []
    assert texts(iter(found), "ebpf") == [("ok", "the program compiles and loads")]
    assert texts(iter(found), "capabilities") == [("ok", "all that capture needs")]
    found = list(check_kernel.kernel(settings('[capture]\nbackend = "afpacket"')))
    assert texts(iter(found), "ebpf") == [("ok", "not asked for: capture.backend is afpacket")]


@pytest.mark.live
def test_without_rights(tmp_path: Path) -> None:
    command = ["setpriv", "--bounding-set=-all", sys.executable, "-m", "flowtap", "doctor", "--json", "-i", "lo"]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment(), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    told = {finding["check"]: finding for finding in orjson.loads(result.stdout)}
    assert told["capabilities"]["text"].startswith(
        "this process lacks cap_net_admin, cap_net_raw, cap_perfmon, cap_bpf"
    )
    assert (told["ebpf"]["level"], told["ebpf"]["remedy"]) == ("warn", "run doctor as root")


@pytest.mark.parametrize(
    ("text", "check", "level", "told"),
    [
        ('[runtime]\ndir = "{0}/absent"', "runtime", "ok", "is not there yet"),
        ('[runtime]\ndir = "{0}/open"', "runtime", "fail", "may be entered by others (mode 0755)"),
        ('[runtime]\ndir = "{0}/own"', "runtime", "ok", "belongs to one user alone"),
        ('[runtime]\ndir = "{0}/file"', "runtime", "fail", "is no directory"),
        ('[runtime]\ndir = "/' + "x" * 120 + '"', "runtime", "fail", "too long"),
        ('[signatures]\nfiles = ["{0}/absent.fp"]', "signatures", "fail", "absent.fp: no such file"),
        ('[signatures]\nfiles = ["{0}/wrong.fp"]', "signatures", "fail", "wrong.fp:1:"),
        ("", "signatures", "ok", "of the shipped database"),
        ("", "fingerprints", "ok", "of the shipped database"),
        ('[fingerprints]\nfiles = ["{0}/absent.fp"]', "fingerprints", "fail", "absent.fp: no such file"),
        ('[fingerprints]\nfiles = ["{0}/wrong.fp"]', "fingerprints", "fail", "wrong.fp:1:"),
        ('[fingerprints]\nfiles = ["{0}/plain.fp"]', "fingerprints", "warn", "no host will be told as client-class"),
        ('[fingerprints]\nfiles = ["{0}/plain.fp"]\n[hosts]\nclient_systems = ["A"]', "fingerprints", "ok", "0 with"),
        ("[hosts]\nenabled = false", "fingerprints", "ok", "not used"),
        ('[file]\npath = "{0}/absent/events.json"', "file", "fail", "No such file or directory"),
        ('[file]\npath = "{0}/events.json"', "file", "", "free at"),
        ('[metrics]\nlisten = "192.0.2.1:9477"', "metrics", "fail", "Cannot assign requested address"),
        ("[workers]\ncount = 64", "workers", "warn", "64 workers for"),
        ("[workers]\ncount = 64\nflows = 67108864", "memory", "warn", "are available"),
    ],
)
def test_host(text: str, check: str, level: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "file").touch()
    (tmp_path / "plain.fp").write_text("classes = x\n[tcp:request]\nlabel = s:x:A:\nsig = *:64:0:*:*,*:mss:df,id+:0\n")
    (tmp_path / "wrong.fp").write_text("tcp\n")
    found = texts(check_host.host(settings(text.format(tmp_path))), check)
    assert len(found) == 1
    assert found[0][0] == level or not level
    assert told in found[0][1]


def test_losses(tmp_path: Path) -> None:
    pages.closed(tmp_path / "ledger")
    text = f'[runtime]\ndir = "{tmp_path}"'
    assert texts(check_host.host(settings(text)), "losses") == [("ok", "none so far")]
    pages.change(tmp_path / "ledger", "worker-1", died=5)
    assert texts(check_host.host(settings(text)), "losses") == [("warn", "5 died at worker 1")]


@pytest.mark.parametrize(
    ("options", "code", "level"),
    [
        (["--config", "right.toml"], 0, "ok"),
        (["--config", "wrong.toml"], 1, "fail"),
        (["--config", "no.toml"], 1, "fail"),
    ],
)
def test_command(options: list[str], code: int, level: str, tmp_path: Path, flowtap: Command) -> None:
    (tmp_path / "right.toml").write_text('[capture]\nbackend = "afpacket"\n')
    (tmp_path / "wrong.toml").write_text("[workers]\ncount = 0\n[x]\n")
    result = flowtap("doctor", "-i", "lo", *options)
    assert result.returncode == code, result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{level:<4} settings: {options[1]}")
    assert not any("could not be checked" in line for line in lines)


def test_command_quietly_as_json(tmp_path: Path, flowtap: Command) -> None:
    (tmp_path / "a.toml").write_text('[capture]\nbackend = "afpacket"\n')
    options = ("doctor", "-i", "lo", "--config", "a.toml")
    told = orjson.loads(flowtap(*options, "--json").stdout)
    assert {finding["check"] for finding in told} >= {"settings", "kernel", "lo", "clock", "runtime", "signatures"}
    result = flowtap(*options, "-q", "--strict")
    bad = [finding for finding in told if finding["level"] != "ok"]
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == [
        f"{f['level']:<4} {f['check']}" for f in bad
    ]
    assert result.returncode == (1 if bad else 0)
