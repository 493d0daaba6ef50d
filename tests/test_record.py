# SPDX-License-Identifier: LGPL-2.1-or-later
"""The record: 64 bytes, and the dtype that is derived from the header."""

import subprocess
import sys

import pytest

from capture import Batch, _packet
from capture.record import FIELD_MEANINGS, RECORD, TAG, VERDICT_MEANINGS, dtype_of


def test_sizes():
    assert (RECORD.itemsize, TAG.itemsize) == (_packet.RECORD_SIZE, _packet.TAG_SIZE) == (64, 8)


def test_no_holes():
    assert sum(RECORD[name].itemsize for name in RECORD.names) == 64


def test_a_wrong_size_fails_loudly():
    with pytest.raises(ImportError, match="make 64 bytes, its struct has 63"):
        dtype_of(_packet.RECORD_TEXT, 63)


def test_every_field_and_verdict_has_a_meaning():
    assert [*RECORD.names, *TAG.names] == list(FIELD_MEANINGS)
    assert list(VERDICT_MEANINGS) == list(_packet.VERDICTS)
    assert all([*FIELD_MEANINGS.values(), *VERDICT_MEANINGS.values()])


def test_batch_is_aligned_memory():
    batch = Batch(10)
    view = memoryview(batch.records)
    assert (view.nbytes, view.format, view.readonly) == (640, "B", False)
    assert memoryview(batch.tags).nbytes == 80
    assert len(batch) == 0


@pytest.mark.parametrize("capacity", [0, -1, 1 << 25])
def test_batch_of_no_sensible_size(capacity):
    with pytest.raises(ValueError, match="capacity"):
        Batch(capacity)


def test_reading_needs_no_numpy():
    code = "import sys; sys.modules['numpy'] = None; import capture"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
