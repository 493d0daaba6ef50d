# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C face of messages: bpf/batch.h and bpf/handshake_record.h for the extensions of this package."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from capture._packet cimport (
    ft_fill_handshake, ft_handshake_record, ft_handshake_text, ft_headers, ft_is_handshake, ft_packet, ft_record, ft_tag,
)


cdef extern from "choice.h" nogil:
    struct ft_message:
        uint64_t sender
        uint64_t seq
        uint64_t first
        uint64_t ts
        uint32_t count
        uint16_t cpu
        uint16_t shard
        uint8_t kind
        uint8_t version
        uint64_t began

    struct ft_settings:
        pass

    struct ft_ports:
        pass

    int FT_BATCH
    int FT_HANDSHAKE_BATCH
    int FT_MAX_SHARDS
    int FT_MESSAGE_VERSION
    int FT_KIND_RECORDS
    int FT_KIND_HANDSHAKES
    int FT_KIND_WATERMARK
    int FT_CUTOFFS
    int FT_TAP_FORWARDED
    int FT_TAP_PORT
    int FT_TAP_CUTOFF
    int FT_TAP_RING_FULL
    int FT_TAP_REASON_COUNT
    int FT_STREAM_BATCHED
    int FT_STREAM_FORWARDED
    int FT_STREAM_HANDSHAKES
    int FT_STREAM_HANDSHAKES_FORWARDED
    int FT_STREAM_COUNTER_COUNT
    uint32_t ft_shard(uint32_t hash, uint32_t shards)
    bint ft_port_is_watched(uint32_t mode, const ft_ports *ports, const ft_record *record)
    bint ft_is_cut_off(uint64_t *entry, const ft_record *record, uint32_t cutoff)
    const char[] ft_message_text
    const char[] ft_tap_reason_text
    const char[] ft_stream_text


cdef extern from "state.h" nogil:
    struct flowtap_state:
        uint32_t version
        uint32_t shards
        uint64_t seen
        uint64_t *verdict
        uint64_t *reason
        ft_settings settings
        uint64_t *stream

    int FT_STATE_VERSION
