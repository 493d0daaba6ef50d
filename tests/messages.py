# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages of bpf/batch.h, made from records, for tests of those who receive them.

The binary form comes from the text of bpf/batch.h, like every other one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from capture._message import (
    BATCH,
    HANDSHAKE_SIZE,
    KIND_HANDSHAKES,
    KIND_RECORDS,
    KIND_WATERMARK,
    MESSAGE_SIZE,
    MESSAGE_TEXT,
    MESSAGE_VERSION,
)
from capture._packet import RECORD_SIZE, TAG_SIZE
from tests.records import Record

_FIELDS = [line.split("\t")[:2] for line in MESSAGE_TEXT.splitlines()]
_PACK = struct.Struct("<" + "".join({"u8": "Q", "u4": "I", "u2": "H", "u1": "B"}[code] for _, code in _FIELDS))
assert _PACK.size == MESSAGE_SIZE

ENDED = 2**64 - 1  # the watermark of a sender that will send nothing more


def header(**fields: int) -> bytes:
    """Return the 64 bytes of a header; what is not given is 0, the version that of this build."""
    known = {"version": MESSAGE_VERSION} | fields
    assert set(known) <= {name for name, _ in _FIELDS}
    return _PACK.pack(*(known.get(name, 0) for name, _ in _FIELDS))


def messages_in(parcel: bytes) -> Iterator[bytes]:
    """Yield the messages that came back to back."""
    while parcel:
        fields = dict(zip((name for name, _ in _FIELDS), _PACK.unpack_from(parcel), strict=True))
        count, kind = fields["count"], fields["kind"]
        tags, each = {
            KIND_RECORDS: (BATCH * TAG_SIZE, RECORD_SIZE),
            KIND_HANDSHAKES: (0, HANDSHAKE_SIZE),
            KIND_WATERMARK: (0, 8),
        }[kind]
        size = MESSAGE_SIZE + tags + count * each
        yield parcel[:size]
        parcel = parcel[size:]


@dataclass
class Sender:
    """A capture process: numbers its records as a tap does."""

    number: int = 1
    shard: int = 0
    sent: dict[int, int] = field(default_factory=dict)  # by CPU
    messages: dict[int, int] = field(default_factory=dict)

    def records(self, cpu: int, records: Sequence[Record], **other: int) -> bytes:
        """Return a message with these records; the next one of the CPU follows on it."""
        first, seq = self.sent.get(cpu, 0), self.messages.get(cpu, 0)
        self.sent[cpu] = first + len(records)
        self.messages[cpu] = seq + 1
        fields = {"kind": KIND_RECORDS, "sender": self.number, "shard": self.shard, "cpu": cpu, "first": first}
        fields |= {"seq": seq, "count": len(records), "began": records[0].ts, "ts": records[-1].ts} | other
        tags = b"".join(struct.pack("<IHH", cpu + 1, 0, 0) for _ in records)
        return header(**fields) + tags.ljust(BATCH * TAG_SIZE, b"\0") + b"".join(r.pack() for r in records)

    def watermark(self, ts: int, cpus: int | None = None, written: int = 0, lost_since: int = 0) -> bytes:
        """Return the promise that nothing as old as `ts` follows, with what was sent of each CPU until `written`."""
        words = [self.sent.get(cpu, 0) for cpu in range(max(self.sent, default=-1) + 1 if cpus is None else cpus)]
        fields = {"kind": KIND_WATERMARK, "sender": self.number, "shard": self.shard, "ts": ts, "count": len(words)}
        fields |= {"began": written, "lost_since": lost_since}
        return header(**fields) + struct.pack(f"<{len(words)}Q", *words)
