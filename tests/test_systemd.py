# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `make install` and `flowtap deploy` put in place, in a Debian system that its own systemd has booted."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from lab.network import PASSWORD, until
from tests.systemd.gateway import FILE, SERVICES, SETTINGS, Gateway
from tests.systemd.root import SOURCE, debian, installed

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(300)]

# The highest exposure that `systemd-analyze security` may find.
SCORES = {"flowtap-runtime": 2.0, "flowtap-collector": 2.0, "flowtap-worker@0": 2.0, "flowtap-capture@eth0": 4.5}
CAPABILITIES = {"cap_bpf", "cap_net_admin", "cap_net_raw", "cap_perfmon"}
OWN_SIGNATURE = """\
tcp * = x* > : A flow that has ended
    id = test.any
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Return a gateway with flowtap installed and deployed."""
    layer = Path(tempfile.mkdtemp(prefix="flowtap-layer-"))
    try:
        layer.chmod(0o755)
        installed(layer)
        with Gateway([layer, debian()]) as gateway:
            gateway.run("flowtap", "deploy", "--workers", "2", "-i", "eth0")
            yield gateway
    finally:
        shutil.rmtree(layer, ignore_errors=True)


@pytest.fixture(autouse=True)
def up(gateway: Gateway) -> None:
    """Have everything up before each test."""
    gateway.systemctl("start", "flowtap.target")
    gateway.until_active(*SERVICES)


@pytest.mark.parametrize("service", SCORES)
def test_the_sandbox_is_tight(service: str, gateway: Gateway) -> None:
    said = gateway.run("systemd-analyze", "security", "--no-pager", "--json=short", f"{service}.service")
    overall = gateway.run("systemd-analyze", "security", "--no-pager", f"{service}.service").splitlines()
    score = next(float(line.split(":")[1].split()[0]) for line in overall if "Overall exposure level" in line)
    assert score <= SCORES[service], said


def test_only_capture_has_capabilities_and_workers_have_no_network(gateway: Gateway) -> None:
    host = gateway.run("readlink", "/proc/1/ns/net")
    for service in SERVICES:
        status = gateway.run("cat", f"/proc/{gateway.main_pid(service)}/status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["Uid"].split()[0] == gateway.run("id", "-u", "flowtap").strip()
        assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
        capture = service.startswith("flowtap-capture")
        allowed = sum(1 << bit for bit in (12, 13, 38, 39)) if capture else 0
        assert int(fields["CapPrm"], 16) & ~allowed == 0, service
        network = gateway.run("readlink", f"/proc/{gateway.main_pid(service)}/ns/net")
        assert (network == host) != service.startswith("flowtap-worker"), service


def test_logins_are_seen_in_the_feed_and_in_the_file(gateway: Gateway) -> None:
    before = gateway.last()
    output = "StandardOutput=file:/tmp/tail"
    gateway.run("systemd-run", "--unit=tail", f"--property={output}", "flowtap", "tail", "--json", "--timeout", "120")
    until(lambda: gateway.run("ss", "-xH", "state", "connected").count("/run/flowtap/feed") > 0, "subscriber")
    gateway.login("123456", "password", "letmein")
    gateway.login("123456", PASSWORD)
    gateway.until_alert("ssh.auth.failure", before)
    gateway.until_alert("ssh.auth.success", before)
    until(
        lambda: sum(e["event_type"] == "flow" and e["flowtap"]["seq"] > before for e in gateway.events()) >= 2, "flow"
    )
    last = gateway.last()
    until(lambda: f'"seq":{last}' in gateway.run("cat", "/tmp/tail"), "event in the feed")
    gateway.systemctl("stop", "tail")
    followed = [json.loads(line) for line in gateway.run("cat", "/tmp/tail").splitlines()]
    written = [event for event in gateway.events() if event["flowtap"]["seq"] > before]
    assert [event["flowtap"]["seq"] for event in written] == list(range(before + 1, gateway.last() + 1))
    assert followed[-2:] == written[-2:]
    # Hosts, and alerts that several flows make together, are of no interface.
    assert all(event["in_iface"] == "eth0" for event in written if "flow" in event)


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_process_comes_back_and_the_others_go_on(service: str, gateway: Gateway) -> None:
    before = {name: gateway.main_pid(name) for name in SERVICES}
    last = gateway.last()
    gateway.run("kill", "-KILL", str(before[service]))
    until(lambda: gateway.main_pid(service) not in (0, before[service]), "restart")
    gateway.until_active(service)
    after = {name: gateway.main_pid(name) for name in SERVICES}
    assert {name for name in SERVICES if after[name] != before[name]} == {service}
    gateway.login("123456", "password", "letmein")
    gateway.until_alert("ssh.auth.failure", last)
    assert gateway.run("tc", "filter", "show", "dev", "eth0", "ingress").count("direct-action") <= 1


def test_a_reload_swaps_the_signatures_and_keeps_the_flows(gateway: Gateway) -> None:
    pids = {name: gateway.main_pid(name) for name in SERVICES}
    before = gateway.last()
    gateway.run("tee", "/etc/flowtap/own.fp", stdin="tcp * = nonsense : x\n")
    gateway.set("signatures", files=["/etc/flowtap/own.fp"])
    session = gateway.ssh(PASSWORD, command="cat")
    assert session.stdin is not None
    assert session.stdout is not None
    try:
        session.stdin.write(b"x\n")
        session.stdin.flush()
        assert session.stdout.readline() == b"x\n"
        gateway.systemctl("reload", "flowtap.target")
        refused = "the signatures stay as they are"
        until(lambda: gateway.journal("flowtap-worker@0", "flowtap-worker@1").count(refused) == 2, "refusal")
        gateway.run("flowtap", "reload", expected=2)
        gateway.login("123456", "password", "letmein")
        gateway.until_alert("ssh.auth.failure", before)  # wrong signatures are refused, the old ones stay
        gateway.run("tee", "/etc/flowtap/own.fp", stdin=OWN_SIGNATURE)
        gateway.run("flowtap", "reload")
    finally:
        session.communicate(timeout=30)
        gateway.set("signatures", files=[])
    gateway.until_alert("test.any", before, packets=8)  # of the session, which began before the reload
    assert {name: gateway.main_pid(name) for name in SERVICES} == pids
    gateway.systemctl("reload", "flowtap.target")


def test_a_restart_goes_on_counting(gateway: Gateway) -> None:
    before = gateway.last()
    assert before
    gateway.systemctl("restart", "flowtap.target")
    gateway.until_active(*SERVICES)
    gateway.login("123456", "password", "letmein")
    assert gateway.until_alert("ssh.auth.failure", before)["flowtap"]["seq"] > before


def test_a_stop_leaves_nothing_behind(gateway: Gateway) -> None:
    session = gateway.ssh(PASSWORD, command="cat")
    assert session.stdin is not None
    assert session.stdout is not None
    session.stdin.write(b"x\n")
    session.stdin.flush()
    session.stdout.readline()
    last = gateway.last()
    gateway.systemctl("stop", "flowtap.target", "flowtap*")
    session.communicate(timeout=30)
    assert "flowtap" not in gateway.run("tc", "filter", "show", "dev", "eth0", "ingress")
    assert "clsact" not in gateway.run("tc", "qdisc", "show")
    assert gateway.run("ls", "/run").split().count("flowtap") == 0
    assert gateway.run("ls", "/sys/fs/bpf/flowtap") == ""
    assert gateway.run("pgrep", "-u", "flowtap", expected=1) == ""
    assert gateway.systemctl("--failed", "--plain", "--no-legend") == ""
    # What was in flight has arrived: the session that was open is told as far as it went.
    assert any(event["event_type"] == "flow" for event in gateway.events() if event["flowtap"]["seq"] > last)


def test_deploy_says_what_it_does_and_again_does_nothing(gateway: Gateway) -> None:
    said = gateway.run("flowtap", "deploy", "--workers", "1", "-i", "eth0", "-i", "wg-1", "--dry-run").splitlines()
    assert said == [
        f"write count = 1 to [workers] of {SETTINGS}",
        f'write interfaces = ["eth0", "wg-1"] to [capture] of {SETTINGS}',
        "systemctl disable --now flowtap-worker@1.service",
        r"systemctl enable flowtap.target flowtap-capture@wg\x2d1.service",
        "systemctl restart flowtap.target",
    ]
    assert gateway.run("flowtap", "deploy", "--workers", "2").splitlines() == [
        "systemctl enable flowtap.target",
        "systemctl start flowtap.target",
    ]
    gateway.until_active(*SERVICES)


def test_an_uninstall_leaves_nothing_behind(gateway: Gateway) -> None:
    """The last test: flowtap is gone after it."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(SOURCE / "deploy", arcname="deploy")
    subprocess.run(gateway.inside("tar", "-C", "/root", "-x"), input=archive.getvalue(), check=True, timeout=30)
    said = gateway.run("/root/deploy/install.sh", "uninstall")
    assert said.splitlines()[-1].startswith(
        "Kept, because it was changed or written since: /etc/flowtap /var/log/flowtap"
    )
    assert gateway.run("test", "-s", FILE) == ""
    gateway.run("/root/deploy/install.sh", "purge")
    gateway.run("rm", "-r", "/root/deploy")
    assert gateway.run("find", "/", "-xdev", "-name", "*flowtap*", "-not", "-path", "/proc/*") == ""
    assert gateway.run("getent", "passwd", "flowtap", expected=2) == ""
    assert "flowtap" not in gateway.systemctl("list-unit-files", "--plain", "--no-legend")
    assert "clsact" not in gateway.run("tc", "qdisc", "show")
