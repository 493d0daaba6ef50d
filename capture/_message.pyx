# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bpf/batch.h and bpf/handshake_record.h say, for Python: texts, sizes, kinds, names of counters."""

from sys import byteorder

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.string cimport memcpy, memset

from capture._packet cimport FT_RECORD, ft_key, ft_parse_link

cdef Py_ssize_t settings_offset() noexcept:
    cdef flowtap_state state
    return <char *>&state.settings - <char *>&state


MESSAGE_TEXT: str = (<bytes>ft_message_text).decode()
HANDSHAKE_TEXT: str = (<bytes>ft_handshake_text).decode()
TAP_REASON_TEXT: str = (<bytes>ft_tap_reason_text).decode()
STREAM_COUNTER_TEXT: str = (<bytes>ft_stream_text).decode()
MESSAGE_SIZE: int = sizeof(ft_message)
HANDSHAKE_SIZE: int = sizeof(ft_handshake_record)
SETTINGS_SIZE: int = sizeof(ft_settings)
BATCH: int = FT_BATCH
MAX_SHARDS: int = FT_MAX_SHARDS
CUTOFFS: int = FT_CUTOFFS
STATE_VERSION: int = FT_STATE_VERSION
STATE_SIZE: int = sizeof(flowtap_state)  # with one shard
SETTINGS_OFFSET: int = settings_offset()
MESSAGE_VERSION: int = FT_MESSAGE_VERSION
KIND_RECORDS: int = FT_KIND_RECORDS
KIND_HANDSHAKES: int = FT_KIND_HANDSHAKES
KIND_WATERMARK: int = FT_KIND_WATERMARK
TAP_REASONS: tuple = tuple(line.split("\t")[0].lower() for line in TAP_REASON_TEXT.splitlines())
STREAM_COUNTERS: tuple = tuple(line.split("\t")[0].lower() for line in STREAM_COUNTER_TEXT.splitlines())


def port_set(ports):
    """Return struct ft_ports with the bits of these ports set."""
    bits = 0
    for port in ports:
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port}, expected 0 to 65535")
        bits |= 1 << port
    words = bits.to_bytes(sizeof(ft_ports), "little")
    return b"".join(int.from_bytes(words[i : i + 8], "little").to_bytes(8, byteorder) for i in range(0, len(words), 8))


def parse_handshake(const uint8_t[::1] data not None, *, uint32_t link=1, object wire=None, bint decap=False,
                    const uint8_t[::1] key=bytes(sizeof(ft_key)), uint64_t ts=0):
    """Parse one packet by itself; return its handshake record's bytes, b"" when it makes none."""
    cdef ft_handshake_record handshake
    cdef ft_packet packet
    cdef ft_headers at
    cdef ft_record record
    cdef ft_tag tag
    cdef ft_key k
    cdef uint8_t nothing = 0
    if key.shape[0] != sizeof(ft_key):
        raise ValueError(f"key of {key.shape[0]} bytes, expected {sizeof(ft_key)}")
    memcpy(&k, &key[0], sizeof(ft_key))
    packet.data = &data[0] if data.shape[0] else &nothing
    packet.caplen = <uint32_t>data.shape[0]
    packet.wire = max(packet.caplen, <uint32_t>(0 if wire is None else wire))
    memset(&record, 0, sizeof(record))
    memset(&tag, 0, sizeof(tag))
    memset(&at, 0, sizeof(at))
    record.ts = ts
    if (ft_parse_link(link, &packet, decap, &k, &record, &tag, &at) != FT_RECORD or not ft_is_handshake(&record)
            or ft_fill_handshake(&packet, &at, &record, &tag, &handshake)):
        return b""
    return PyBytes_FromStringAndSize(<char *>&handshake, sizeof(handshake))
