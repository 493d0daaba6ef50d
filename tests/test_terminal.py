# SPDX-License-Identifier: LGPL-2.1-or-later
"""What commands do when nobody takes their output."""

import os
import subprocess
import sys

import pytest

from tests.conftest import environment

COMMANDS = (["config", "show"], ["config", "check", "--json"], ["sigs", "list"], ["doctor"])


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_disk(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        result = _run(arguments, full.fileno())
    assert (result.returncode, result.stderr) == (3, b"flowtap: standard output: No space left on device\n")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = _run(arguments, writer)
    finally:
        os.close(writer)
    assert (result.returncode, result.stderr) == (141, b"")


def _run(arguments: list[str], output: int) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "flowtap", *arguments]
    return subprocess.run(command, stdout=output, stderr=subprocess.PIPE, timeout=60, check=False, env=environment())
