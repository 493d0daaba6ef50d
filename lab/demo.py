# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m lab.demo`: flowtap on a gateway, live, while real programs and a typing person pass through it.

Client, gateway and server are network namespaces without names that vanish with this process. flowtap taps the port of
the gateway to the client; what it finds appears when it happens, between the lines that tell what is done.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from lab import servers
from lab.network import PYTHON, WAIT, Lab, LabError, until
from lab.people import Person, program
from lab.scenarios import SSH, TARGET, TRUST, askpass, log_in_typing

READY = 60.0  # seconds that flowtap may take to begin: the first start compiles
SHOWN = 2.0  # seconds in which matches of what is over appear, before the next line tells of something else


def say(text: str) -> None:
    """Tell what is being done."""
    print(f"\n--- {text}", flush=True)


def tapped(lab: Lab, port: str) -> bool:
    """Whether a filter of flowtap sees what comes in by this port of the gateway."""
    show = lab.gateway.inside("tc", "filter", "show", "dev", port, "ingress")
    return b"flowtap" in subprocess.run(show, capture_output=True, timeout=WAIT, check=False).stdout


@contextlib.contextmanager
def watching(lab: Lab, port: str) -> Iterator[None]:
    """Run flowtap on a port of the gateway while the block runs; it ends as by Ctrl-C.

    Raises:
        LabError: it did not begin or did not end well.

    """
    command = [*PYTHON, "-m", "flowtap", "run", "-i", port]
    tap = subprocess.Popen(lab.gateway.inside(*command), stdin=subprocess.DEVNULL)
    try:
        until(lambda: tapped(lab, port) or tap.poll() is not None, "flowtap", READY)
        yield
        time.sleep(0.5)  # the last FIN is on its way
        tap.send_signal(signal.SIGINT)
        code = tap.wait(WAIT)
        if code not in (0, 130):
            raise LabError(f"flowtap ended with status {code}")
    finally:
        tap.kill()
        tap.wait(WAIT)


def play(lab: Lab) -> None:
    """Play what the demonstration shows."""
    key = servers.keygen(lab.folder / "id", "ed25519")
    servers.authorize(lab, key.with_suffix(".pub"))
    say("A person at the client types three wrong passwords.")
    with Person(lab.client, [*SSH, *TRUST, TARGET], seed=2) as person:
        for word in ("letmein", "student1", "Student1!"):
            person.sees("password: ")
            person.types(word)
        person.leaves()
    say("A program guesses three passwords.")
    program(lab, *SSH, *TRUST, TARGET, "true", expected=[255], variables=askpass(lab, "1234", "root", "test"))
    time.sleep(SHOWN)
    say("The person mistypes once, gets in and looks around.")
    log_in_typing(lab, seed=1, wrong=("correct horse 8",), lines=("uname -a", "exit"))
    say("A program logs in by key and runs a command.")
    program(lab, *SSH, *TRUST, "-i", str(key), "-o", "BatchMode=yes", TARGET, "true")
    time.sleep(SHOWN)


def main() -> int:
    """Play the demonstration; 1 when something in it went wrong."""
    try:
        with Lab() as lab:
            servers.openssh(lab)
            say("flowtap run -i client, on the gateway between a client and a server with a real sshd")
            with watching(lab, "client"):
                play(lab)
                say("Ctrl-C: what was seen, and where every packet went.")
    except (LabError, OSError, subprocess.SubprocessError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
