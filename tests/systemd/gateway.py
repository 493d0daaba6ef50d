# SPDX-License-Identifier: LGPL-2.1-or-later
"""A booted gateway with an SSH server behind its tapped interface `eth0`, and a client machine at the other end."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from lab.network import PASSWORD, USER, LabError, Machine, until
from tests.systemd.machine import Booted

ADDRESS = "10.78.1.1"
SETTINGS = "/etc/flowtap/flowtap.toml"
FILE = "/var/log/flowtap/events.json"
WAIT = 20.0  # seconds that an event may take
SSH = ["ssh", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
SERVICES = ("flowtap-collector", "flowtap-worker@0", "flowtap-worker@1", "flowtap-capture@eth0")


class Gateway(Booted):
    """The booted system, connected with `client`."""

    def __init__(self, layers: list[Path]) -> None:
        super().__init__(layers)
        self.client = Machine()
        self.folder = Path(tempfile.mkdtemp(prefix="flowtap-gateway-"))
        try:
            self.client.do("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(self.pid))
            self.client.do("ip", "address", "add", "10.78.1.2/24", "dev", "eth0")
            self.client.do("ip", "link", "set", "eth0", "up")
            self.run("ip", "address", "add", f"{ADDRESS}/24", "dev", "eth0")
            self.run("ip", "link", "set", "eth0", "up")
            self.run("useradd", "-m", USER)
            self.run("chpasswd", stdin=f"{USER}:{PASSWORD}\n")
            # PAM waits for seconds after a wrong password.
            self.run("tee", "/etc/ssh/sshd_config.d/test.conf", stdin="UsePAM no\nUseDNS no\nMaxStartups 100\n")
            self.systemctl("restart", "ssh")
            self.set("capture", ring_bytes=1 << 20)  # a sandbox may not let systemd raise the limit of locked memory
            self.set("events", flows=True, stats_interval=0)
            self.set("file", path=FILE)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Kill both machines."""
        self.client.close()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        super().close()

    def set(self, section: str, **values: object) -> None:
        """Write settings."""
        text = self.run("cat", SETTINGS)
        for name, value in values.items():
            line = f"{name} = {json.dumps(value)}"
            pattern = rf"(?ms)(^\[{section}\]$.*?)^#?{name} = [^\n]*$"
            text, found = re.subn(pattern, rf"\g<1>{line}", text, count=1)
            if not found:
                raise LabError(f"no setting {section}.{name}")
        self.run("tee", SETTINGS, stdin=text)

    def ssh(self, *guesses: str, command: str = "true") -> subprocess.Popen[bytes]:
        """Start a login by program that tries these passwords, and what it runs when one is right."""
        script, count = self.folder / f"askpass-{time.monotonic_ns()}", self.folder / f"count-{time.monotonic_ns()}"
        cases = "".join(f"{i}) echo '{guess}';;\n" for i, guess in enumerate(guesses))
        count.write_text("0")
        script.write_text(f"#!/bin/sh\nn=$(cat {count})\necho $((n + 1)) >{count}\ncase $n in\n{cases}esac\n")
        script.chmod(0o700)
        ask = ["env", f"SSH_ASKPASS={script}", "SSH_ASKPASS_REQUIRE=force"]
        line = self.client.inside("setsid", "-w", *ask, *SSH, f"{USER}@{ADDRESS}", command)
        return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def login(self, *guesses: str) -> None:
        """Log in by program with the last one of these passwords, or be refused, and leave."""
        self.ssh(*guesses).communicate(timeout=30)

    def events(self) -> list[dict[str, Any]]:
        """Return what the file holds."""
        text = self.run("cat", FILE, expected=None)
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def until_alert(self, signature: str, after: int = 0, packets: int = 0) -> dict[str, Any]:
        """Wait for an alert in the file, and return it: its sequence number is above `after`.

        Its flow's client has sent at least so many packets.
        """
        found: list[dict[str, Any]] = []

        def there() -> bool:
            alerts = [event for event in self.events() if _is_alert(event, signature, packets)]
            found[:] = [event for event in alerts if event["flowtap"]["seq"] > after]
            return bool(found)

        try:
            until(there, f"alert {signature}", WAIT)
        except LabError as error:
            raise LabError(f"{error}\n{self.journal(*SERVICES)[-4000:]}") from error
        return found[-1]

    def last(self) -> int:
        """Return the highest sequence number in the file."""
        return max((event["flowtap"]["seq"] for event in self.events()), default=0)


def _is_alert(event: dict[str, Any], signature: str, packets: int) -> bool:
    if event["event_type"] != "alert" or event["flowtap"]["id"] != signature:
        return False
    return bool(event["flow"]["pkts_toserver"] >= packets)
