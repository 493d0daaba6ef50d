# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bpf/batch.h and bpf/handshake_record.h say, for Python: texts, sizes, kinds, names of counters."""

from typing_extensions import Buffer

MESSAGE_TEXT: str  # "name<TAB>numpy code<TAB>elements<TAB>meaning" lines
HANDSHAKE_TEXT: str
TAP_REASON_TEXT: str  # "NAME<TAB>meaning" lines
STREAM_COUNTER_TEXT: str
MESSAGE_SIZE: int  # bytes
HANDSHAKE_SIZE: int
SETTINGS_SIZE: int
BATCH: int  # records in a message at most, and tags in each
MAX_SHARDS: int
CUTOFFS: int
STATE_VERSION: int
STATE_SIZE: (
    int  # of struct flowtap_state for one shard: version, shards, seen, verdicts, reasons, settings, ..., stream
)
SETTINGS_OFFSET: int  # in struct flowtap_state
MESSAGE_VERSION: int
KIND_RECORDS: int
KIND_HANDSHAKES: int
KIND_WATERMARK: int
TAP_REASONS: tuple[str, ...]  # in lower case, by number
STREAM_COUNTERS: tuple[str, ...]  # in lower case, by number

def port_set(ports: frozenset[int]) -> bytes:
    """Return struct ft_ports with the bits of these ports set. Raises ValueError for what is no port."""

def parse_handshake(
    data: Buffer, *, link: int = 1, wire: int | None = None, decap: bool = False, key: Buffer = ..., ts: int = 0
) -> bytes:
    """Parse one packet by itself; return its handshake record's bytes, b"" when it makes none.

    `link` is the number of its link type as in files, `wire` its length on the wire (default: as captured), `ts` its
    time in nanoseconds. Raises ValueError for a key of another size than KEY_SIZE.
    """
