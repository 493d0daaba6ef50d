# SPDX-License-Identifier: LGPL-2.1-or-later
"""numpy's view of records, tags and messages, derived from the lists of fields in bpf/*.h.

There is no list of fields here: the extension hands over the text that the header expands to. A dtype whose size is
not that of the C struct (a padding hole, a wrong code) is an ImportError. Only this module of `capture` needs numpy.

    records = numpy.frombuffer(batch.records, dtype=RECORD)[:count]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from capture._message import HANDSHAKE_SIZE, HANDSHAKE_TEXT, MESSAGE_SIZE, MESSAGE_TEXT
from capture._packet import RECORD_SIZE, RECORD_TEXT, TAG_SIZE, TAG_TEXT, VERDICT_TEXT


def dtype_of(text: str, size: int) -> np.dtype[Any]:
    """Make the dtype of "name code elements meaning" lines; ImportError when it is not `size` bytes long."""
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = []
    for line in text.splitlines():
        name, code, elements, _ = line.split("\t")
        fields.append((name, f"={code}") if elements == "1" else (name, f"={code}", (int(elements),)))
    made = np.dtype(fields)
    if made.itemsize != size:
        raise ImportError(f"the fields of its header make {made.itemsize} bytes, its struct has {size}")
    return made


RECORD = dtype_of(RECORD_TEXT, RECORD_SIZE)
TAG = dtype_of(TAG_TEXT, TAG_SIZE)
MESSAGE = dtype_of(MESSAGE_TEXT, MESSAGE_SIZE)
HANDSHAKE = dtype_of(HANDSHAKE_TEXT, HANDSHAKE_SIZE)

FIELD_MEANINGS = {line.split("\t")[0]: line.split("\t")[3] for line in (RECORD_TEXT + TAG_TEXT).splitlines()}
VERDICT_MEANINGS = {name.lower(): text for name, text in (line.split("\t") for line in VERDICT_TEXT.splitlines())}
