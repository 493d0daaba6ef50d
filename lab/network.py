# SPDX-License-Identifier: LGPL-2.1-or-later
"""Namespaces that vanish by themselves: client - [space] - gateway - [space] - server, and a recorder on the gateway.

No namespace has a name. Each is held by a sleeping process that the kernel kills when this one dies, and the virtual
cables are made inside, so that nothing is left behind after any failure, SIGKILL included. (Named namespaces, `ip
netns`, were tried: they stay after a kill, and their names and cables are visible to all.)

A long link is a machine of its own between two others, which forwards frames late (delay.py), because many kernels
lack netem. The server machine has users of its own: copies of the account files are mounted over the real ones in
its mount namespace only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

CLIENT, SERVER = "10.77.1.2", "10.77.2.2"
CLIENT6, SERVER6 = "fd77:1::2", "fd77:2::2"
# The sizes of SSH requests depend on the length of the name, so another one can be had.
USER, PASSWORD = os.environ.get("FLOWTAP_LAB_USER", "student"), "correct horse 7"
# Python with this checkout's modules: entering a mount namespace leaves the working directory.
PYTHON = ("env", f"PYTHONPATH={Path(__file__).parents[1]}", sys.executable)
WAIT = 30.0  # seconds that anything may take to become ready or to end


class LabError(Exception):
    """Something in the laboratory did not become ready in time or ended with an error."""


def until(ready: Callable[[], bool], what: str, limit: float = WAIT) -> None:
    """Wait until `ready` says so.

    Raises:
        LabError: it did not within `limit` seconds.

    """
    end = time.monotonic() + limit
    while not ready():
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {limit:g} s")
        time.sleep(0.02)


class Machine:
    """A network and mount namespace and the processes started in it."""

    def __init__(self) -> None:
        held = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "sleep", "infinity"]
        self._holder = subprocess.Popen(held, stdin=subprocess.DEVNULL)
        self._children: list[subprocess.Popen[bytes]] = []
        self.pid = self._holder.pid
        here = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink(f"/proc/{self.pid}/ns/net") != here, "network namespace")
        until(lambda: Path(f"/proc/{self.pid}/comm").read_text() == "sleep\n", "namespace holder")
        self.do("ip", "link", "set", "lo", "up")

    def inside(self, *command: str) -> list[str]:
        """Return the command line that runs `command` in this machine; it dies with us."""
        return ["setpriv", "--pdeathsig", "KILL", "nsenter", "-t", str(self.pid), "-n", "-m", *command]

    def do(self, *command: str) -> None:
        """Run a short command; its failure is a LabError with what it wrote."""
        done = subprocess.run(self.inside(*command), capture_output=True, timeout=WAIT, check=False)
        if done.returncode:
            raise LabError(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")

    def start(self, *command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Start a server in a process namespace of its own, so that what it forks ends with it."""
        alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *command]
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
            child = subprocess.Popen(self.inside(*alone), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self._children.append(child)
        return child

    def listens(self, port: int) -> bool:
        """Whether something listens on this TCP port."""
        ports = subprocess.run(self.inside("ss", "-Hltn"), capture_output=True, timeout=WAIT, check=True).stdout
        return any(line.split()[3].endswith(b":%d" % port) for line in ports.splitlines())

    def await_port(self, port: int) -> None:
        """Wait until something listens on this TCP port."""
        until(lambda: self.listens(port), f"server on port {port}")

    def close(self) -> None:
        """Kill everything started here and wait for it."""
        for child in [*self._children, self._holder]:
            child.kill()
        for child in [*self._children, self._holder]:
            child.wait(WAIT)


class Lab:
    """Client, gateway, server; `delay` seconds one way on the link to the server or to the client.

    Each way of a long link takes `jitter` seconds more, on average. Offloads are off unless `offload`: then cables
    (those of a long link excepted) carry merged segments, as a gateway with GRO sees them. Both ends have an IPv4 and
    an IPv6 address. The server has the user USER with `password`.
    """

    def __init__(
        self,
        *,
        server_delay: float = 0,
        client_delay: float = 0,
        jitter: float = 0,
        offload: bool = False,
        password: str = PASSWORD,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowtap-lab-"))
        self._jitter = jitter
        self.password = password
        self._word = ""
        self._machines: list[Machine] = []
        self._offload = offload
        try:
            self.client, self.gateway, self.server = (self._machine() for _ in range(3))
            self._link(self.client, "10.77.1", "fd77:1::", client_delay)
            self._link(self.server, "10.77.2", "fd77:2::", server_delay)
            self.gateway.do("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
            self._accounts()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every machine and remove the lab's folder."""
        for machine in reversed(self._machines):
            machine.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _machine(self) -> Machine:
        machine = Machine()
        self._machines.append(machine)
        return machine

    def _cable(self, left: Machine, name: str, right: Machine, peer: str, *, offload: bool) -> None:
        left.do("ip", "link", "add", name, "type", "veth", "peer", "name", peer, "netns", str(right.pid))
        for machine, port in ((left, name), (right, peer)):
            if not offload:
                machine.do("ethtool", "-K", port, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
            machine.do("ip", "link", "set", port, "up")

    def _link(self, end: Machine, network: str, network6: str, delay: float) -> None:
        """Connect `end` (.2) with the gateway (.1), through a slow machine where a delay is asked for."""
        port = "client" if end is self.client else "server"
        if delay:
            space = self._machine()
            self._cable(self.gateway, port, space, "near", offload=False)
            self._cable(space, "far", end, "eth0", offload=False)
            log = self.folder / f"delay-{port}.log"
            forward = [sys.executable, str(Path(__file__).with_name("delay.py")), "near", "far"]
            space.start(*forward, str(delay), str(self._jitter), log=log)
            until(lambda: log.exists() and b"ready" in log.read_bytes(), "delayed link")
        else:
            self._cable(self.gateway, port, end, "eth0", offload=self._offload)
        self.gateway.do("ip", "address", "add", f"{network}.1/24", "dev", port)
        end.do("ip", "address", "add", f"{network}.2/24", "dev", "eth0")
        end.do("ip", "route", "add", "default", "via", f"{network}.1")
        self.gateway.do("ip", "address", "add", f"{network6}1/64", "dev", port, "nodad")
        end.do("ip", "address", "add", f"{network6}2/64", "dev", "eth0", "nodad")
        end.do("ip", "-6", "route", "add", "default", "via", f"{network6}1")

    def accounts(self) -> dict[str, str]:
        """Return the lines of the user in each account file."""
        if not self._word:
            command = ["openssl", "passwd", "-6", self.password]
            done = subprocess.run(command, capture_output=True, timeout=WAIT, check=True, text=True)
            self._word = done.stdout.strip()
        return {
            "passwd": f"{USER}:x:7077:7077::/home/{USER}:/bin/bash\n",
            "shadow": f"{USER}:{self._word}:19000:0:99999:7:::\n",
            "group": f"{USER}:x:7077:\n",
        }

    def _accounts(self) -> None:
        """Give the server a user with a password, visible in its mount namespace only."""
        for machine in (self.server, self.client):
            machine.do("mount", "-t", "tmpfs", "tmpfs", "/run")
            machine.do("mkdir", "/run/sshd")
            for name, line in self.accounts().items():
                copy = self.folder / name
                copy.write_text(Path("/etc", name).read_text() + line)
                copy.chmod(0o644 if name != "shadow" else 0o600)
                machine.do("mount", "--bind", str(copy), f"/etc/{name}")
            machine.do("mount", "-t", "tmpfs", "tmpfs", "/home")
            machine.do("install", "-d", "-o", "7077", "-g", "7077", "-m", "700", f"/home/{USER}", f"/home/{USER}/.ssh")
            machine.do("mount", "-t", "tmpfs", "tmpfs", "/root")

    @contextlib.contextmanager
    def record(self, path: Path, port: str = "client", snaplen: int = 96) -> Iterator[None]:
        """Record TCP on one of the gateway's ports (`client` or `server`), headers only, while the block runs."""
        log = self.folder / "tcpdump.log"
        command = ["tcpdump", "-i", port, "-s", str(snaplen), "-B", "8192", "-U", "-w", str(path), "-Z", "root", "tcp"]
        with log.open("wb") as out:
            dump = subprocess.Popen(self.gateway.inside(*command), stdin=subprocess.DEVNULL, stderr=out)
        try:
            until(lambda: b"listening on" in log.read_bytes(), "tcpdump")
            yield
            time.sleep(2.5 if dump.poll() is None else 0)  # the last FIN crosses a slow link after the client is gone
            dump.send_signal(signal.SIGINT)
            dump.wait(WAIT)
            if b"0 packets dropped by kernel" not in log.read_bytes():
                raise LabError(f"tcpdump: {log.read_text().strip()}")
        finally:
            dump.kill()
            dump.wait(WAIT)


def words(*command: Sequence[str] | str) -> list[str]:
    """Flatten words and lists of words to one command line."""
    return [word for part in command for word in ([part] if isinstance(part, str) else part)]
