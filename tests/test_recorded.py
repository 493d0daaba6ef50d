# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `flowtap read` finds in recorded captures: tests/captures/NAME.pcap.gz with NAME.expect beside it.

A line of NAME.expect is a flow in which something is found: protocol, server port, and each signature's id with its
hits, ascending. Lines are sorted; client ports differ between recordings and are left out. A new case is a new pair of
files and needs no code here; `python -m lab NAME` records one, and

    python -m tests.test_recorded NAME...

writes the expectation from what flowtap finds now, to be read before it is kept.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

CAPTURES = Path(__file__).parent / "captures"
NAMES = sorted(path.name.removesuffix(".pcap.gz") for path in CAPTURES.glob("*.pcap.gz"))


def found(path: Path) -> list[str]:
    """Run `flowtap read --json` on a capture and return its alerts as lines of an expectation."""
    command = [sys.executable, "-m", "flowtap", "read", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    flows: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for event in map(json.loads, done.stdout.splitlines()):
        if event["event_type"] == "alert" and "flows" not in event["flowtap"]:  # those of rules are about several flows
            key = ("proto", "src_ip", "src_port", "dest_ip", "dest_port")
            flow = event["flowtap"]
            flows[tuple(str(event[name]) for name in key)].append(f"{flow['id']}={flow['hits']}")
    return sorted(" ".join([key[0].lower(), key[4], *sorted(hits)]) for key, hits in flows.items())


def expected(name: str) -> list[str]:
    """Return the lines of an expectation, without comments."""
    lines = (CAPTURES / f"{name}.expect").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("name", NAMES)
def test_recorded(name: str) -> None:
    assert found(CAPTURES / f"{name}.pcap.gz") == expected(name)


@pytest.mark.parametrize("far", ["ssh-typed-satellite", "ssh-typed-satellite-client", "ssh-typed-failure-satellite"])
def test_login_looks_the_same_over_a_long_link(far: str) -> None:
    near = far.split("-satellite", maxsplit=1)[0]
    assert login(expected(far)) == login(expected(near))


def login(lines: list[str]) -> list[str]:
    """Return what an expectation says about logins; how much typing is recognized depends on the link."""
    typing = ("human.", "ssh.session.interactive")  # of which each key may be a hit
    return [" ".join(word for word in line.split() if not word.startswith(typing)) for line in lines]


if __name__ == "__main__":
    for wanted in sys.argv[1:] or NAMES:
        text = "".join(line + "\n" for line in found(CAPTURES / f"{wanted}.pcap.gz"))
        (CAPTURES / f"{wanted}.expect").write_text(text)
