# SPDX-License-Identifier: LGPL-2.1-or-later
"""A collection of captures from elsewhere: each is read to its end or its damage, and capinfos counts the same.

The collection is not part of the project: FLOWTAP_CAPTURES names its folder, by default ../shared/captures.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from capture import Batch, CaptureError, open_capture

HERE = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("FLOWTAP_CAPTURES", HERE.parent / "shared" / "captures"))
FILES = sorted(q for q in FOLDER.rglob("*") if q.suffix in (".pcap", ".pcapng", ".trace")) if FOLDER.is_dir() else []


def capinfos_count(path):
    """Packets by capinfos; None when it does not read the file. Of a damaged file it tells them on stderr."""
    done = subprocess.run(
        ["capinfos", "-c", "-T", "-m", "-r", "-M", path], capture_output=True, text=True, timeout=60, check=False
    )
    if damaged := re.search(r"An error occurred after reading (\d+) packets", done.stderr):
        return int(damaged[1])
    counted = done.stdout.strip().rpartition(",")[2]
    return int(counted) if counted.isdecimal() else None


@pytest.mark.skipif(not FILES, reason=f"no captures in {FOLDER}; FLOWTAP_CAPTURES may name another folder")
@pytest.mark.parametrize("path", FILES, ids=lambda q: str(q.relative_to(FOLDER)))
@pytest.mark.timeout(30)
def test_capture(path):
    batch = Batch()
    records, error = 0, None
    with open_capture(path, decap=True) as reader:
        try:
            while (count := reader.read(batch)) >= 0:
                records += count
        except CaptureError as damage:
            error = damage
    counters = reader.counters()
    assert counters["record"] == records
    assert counters["packets"] == sum(v for k, v in counters.items() if k not in ("packets", "bytes"))
    if error is not None:
        assert re.match(re.escape(str(path)) + r": offset \d+: .+", str(error))
    if shutil.which("capinfos"):
        expected = capinfos_count(path)
        assert expected is None or counters["packets"] == expected
