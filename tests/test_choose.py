# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which tap is taken: eBPF, or AF_PACKET where eBPF is not to be had, and what is said of it."""

import os
import subprocess
import sys

import pytest
from veth import Filters

from capture import choose
from capture.live import TapSettings

CHOICE = """
import logging, sys
sys.path[:0] = {path!r}
{spoil}
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from capture import choose
from capture.live import TapError, TapSettings
from veth import Filters
try:
    tap = choose.make_tap({backend!r}, TapSettings(bytes(64), 1), lambda *_: None, Filters())
    print(tap.backend)
    tap.close()
except TapError as error:
    print("error:", error)
"""
NO_BCC = "import os; os.environ['PYTHONPATH'] = sys.argv[1]"
NO_BPF = "from capture.capabilities import keep_only; keep_only(frozenset(('cap_net_raw',)))"
NOTHING = "from capture.capabilities import keep_only; keep_only(frozenset())"


@pytest.mark.live
@pytest.mark.parametrize(
    ("backend", "spoil", "told"),
    [
        ("auto", "", ["ebpf"]),
        ("ebpf", "", ["ebpf"]),
        ("afpacket", "", ["afpacket"]),
        (
            "auto",
            NO_BCC,
            [
                "captures by AF_PACKET, as eBPF is not to be had: the eBPF program was not compiled: bcc cannot",
                "afpacket",
            ],
        ),
        ("ebpf", NO_BCC, ["error: the eBPF program was not compiled: bcc cannot be imported: none"]),
        (
            "auto",
            NO_BPF,
            ["captures by AF_PACKET, as eBPF is not to be had: an eBPF program cannot be loaded: cap_bpf,", "afpacket"],
        ),
        ("auto", NOTHING, ["error: neither eBPF (an eBPF program cannot be loaded: cap_bpf,"]),
        ("afpacket", NOTHING, ["error: a packet socket is not permitted: cap_net_raw is needed"]),
    ],
)
def test_the_choice(backend, spoil, told, tmp_path):
    (tmp_path / "bcc.py").write_text("raise ImportError('none')")
    code = CHOICE.format(path=[os.getcwd(), os.path.dirname(__file__)], spoil=spoil, backend=backend)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(told), done
    for line, begin in zip(lines, told, strict=True):
        assert line.startswith(begin)


def test_no_such_backend():
    with pytest.raises(ValueError, match="expected one of auto, ebpf, afpacket"):
        choose.make_tap("pcap", TapSettings(bytes(64), 1), lambda *_: None, Filters())
