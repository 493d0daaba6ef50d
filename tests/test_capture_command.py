# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap capture`: its arguments, and what the process is called."""

import pytest

from flowtap.capture import name_of
from tests.conftest import Command


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "no interface"),
        (["-i", "!eth0"], "no interface"),
        (["-i", "a/b"], "'a/b'"),
        (["-i", "x" * 16], "expected the name of an interface"),
        (["-i", "eth0", "--capture", "pcap"], "'pcap'"),
    ],
)
def test_wrong_arguments(flowtap: Command, arguments: list[str], expected: str) -> None:
    done = flowtap("capture", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["eth0"], "eth0"),
        (["eth0", "wg0.5"], "eth0+wg0.5"),
        (["eth*"], "eth_-"),
        (["!eth1", "eth*"], "_eth1+eth_-"),
        (["a" * 60], "a" * 48 + "-"),
        ([".x"], "x-"),
        (["a/b"], "a_b-"),
    ],
)
def test_a_name_is_fit_for_a_file(patterns: list[str], expected: str) -> None:
    assert name_of(patterns).startswith(expected)
    assert len(name_of(patterns)) <= 64
    assert name_of(patterns) == name_of(list(patterns))
