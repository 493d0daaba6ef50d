# SPDX-License-Identifier: LGPL-2.1-or-later
"""The signatures of TLS, mail, FTP, telnet and web on recordings whose labels come from the script that drove them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CAPTURES = Path(__file__).parent / "captures"
NAMES = ("tls-443", "tls-443-offload", "tls-drawn", "tls-new", "tls-new-b", "plain", "plain-far")
OURS = ("tls.", "human.lines", "human.password.", "automated.lines")


@pytest.mark.parametrize("name", NAMES)
def test_labels(name: str) -> None:
    labels, capture = CAPTURES / f"{name}.labels.csv", CAPTURES / f"{name}.pcap.gz"
    command = [sys.executable, "-m", "flowtap", "eval", "--json", str(labels), str(capture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    judged = {row["id"]: row for row in json.loads(done.stdout)["labels"] if row["id"].startswith(OURS)}
    assert judged, done.stderr
    assert {label: row["false_positives"] for label, row in judged.items() if row["false_positives"]} == {}
    assert all(row["true_positives"] >= 0.85 * (row["true_positives"] + row["misses"]) for row in judged.values())
