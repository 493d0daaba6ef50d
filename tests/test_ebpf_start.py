# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the eBPF tap starts: after a killed process, with few capabilities, from what was compiled before."""

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest
from ebpf_tap import Tap
from tapped import KEY, frame, joined
from veth import Filters, send

from capture._bpf import program_info
from capture.ebpf import EbpfTap
from capture.live import TapError, TapSettings

pytestmark = pytest.mark.live


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    Tap.cache = tmp_path_factory.mktemp("programs")


@pytest.fixture
def cable():
    with joined() as ends:
        yield ends


def test_the_place_of_a_killed_process_is_taken(cable, tmp_path):
    with Tap(shards=2) as one, Tap(shards=3) as other:
        one.tap.add(cable[1])
        send(cable[0], [frame(i) for i in range(100)] + [frame(payload=b"", flags=0x10)])
        end = monotonic() + 10
        while one.totals()[0] < 101:
            assert monotonic() < end
        own = one.totals()[2]
        number = program_info(one.tap.program)[0]
        other.tap.hold(number)
        other.tap.hold(number)
        other.tap.add(cable[1])
        left = other.tap.left
        assert sum(c.seen for c in left.values()) == 101
        assert sum(c.filtered["no_payload"] for c in left.values()) == 1
        streams = [stream for c in left.values() for stream in c.shards]
        assert sum(s["batched"] for s in streams) == 100 == own["batched"]
        assert all(s["batched"] == s["forwarded"] + s["lost"] for s in streams)
        other.tap.hold(0xFFFFFFF)  # no such program
        assert other.tap.left == left


def test_counters_by_name(cable, tmp_path):
    """Where a successor may not open programs by id, a name in a BPF file system leads to the counters."""
    subprocess.run(["mount", "-t", "bpf", "bpf", str(tmp_path)], check=True, timeout=10)
    try:
        pins = tmp_path / "eth0"
        with Tap(pins=pins) as one:
            one.tap.add(cable[1])
            send(cable[0], [frame()])
            one.settle(1)
            (pin,) = pins.iterdir()
            script = (
                "import sys, pathlib; from capture.predecessor import find; path = pathlib.Path(sys.argv[1]);"
                "found = find(int(path.name), path.parent);"
                "print(sum(c.seen for c in found.counters().values())); found.close()"
            )
            done = limited(["bpf"], script, str(pin))
            assert (done.stdout, list(pins.iterdir())) == ("1\n", [])
        with Tap(pins=pins):
            assert len(list(pins.iterdir())) == 1
        assert not pins.exists()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True, timeout=10)


def limited(capabilities, script, *arguments):
    """Run Python code with no more than these capabilities."""
    allowed = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    root = Path(__file__).parent.parent
    return subprocess.run(
        ["setpriv", f"--bounding-set={allowed}", f"--inh-caps={allowed}", sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


START = """
import os, sys
from capture.ebpf import EbpfTap
from capture.live import TapError, TapSettings
try:
    EbpfTap(TapSettings(bytes(64), 1, ring_bytes=1 << 16), print, None).close()
except TapError as error:
    sys.exit(str(error))
"""


def test_three_capabilities_suffice():
    done = limited(["bpf", "perfmon", "net_admin"], START)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("given", [[], ["net_admin", "perfmon"], ["bpf", "net_admin"]])
def test_what_is_missing_is_said(given):
    done = limited(given, START)
    assert done.returncode == 1
    missing = [f"cap_{name}" for name in ("bpf", "net_admin", "perfmon") if name not in given]
    assert done.stderr == f"an eBPF program cannot be loaded: {', '.join(missing)} missing\n"


def test_what_was_compiled_is_kept(cable, tmp_path, monkeypatch):
    settings = TapSettings(KEY, 1)
    cache = tmp_path / "programs"

    def tap():
        EbpfTap(settings, print, Filters(), None, cache).close()

    tap()
    (kept,) = cache.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr("capture.program.compile_apart", lambda flags: pytest.fail("compiled again"))
    tap()
    kept.chmod(0o620)  # others could have written it
    with pytest.raises(pytest.fail.Exception, match="compiled again"):
        tap()
    kept.chmod(0o600)
    kept.write_bytes(kept.read_bytes()[:5000])
    with pytest.raises(TapError, match="damaged, and was removed"):
        tap()
    assert not list(cache.iterdir())


def test_a_compiler_that_fails_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("capture.program.SOURCES", Path("/nonexistent/bpf"))
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(TapError, match="was not compiled: exit code 1"):
        Tap.cache, cache = None, Tap.cache
        try:
            Tap()
        finally:
            Tap.cache = cache


def test_wrong_settings():
    for settings in ({"shards": 0}, {"shards": 65}, {"ring_bytes": 5000}):
        with pytest.raises(TapError, match="expected"):
            Tap(**settings)
    links = [fd.readlink().name for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
    assert not [name for name in links if "perf" in name]
