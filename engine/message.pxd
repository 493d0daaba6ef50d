# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Cython sees of bpf/batch.h: a view for the C compiler to check, not a second list of fields."""

from engine.record cimport u8, u16, u32, u64

cdef extern from "batch.h" nogil:
    struct ft_message:
        u64 sender
        u64 seq
        u64 first
        u64 ts
        u32 count
        u16 cpu
        u16 shard
        u8 kind
        u8 version
        u64 began
        u64 lost_since

    int FT_BATCH
    int FT_HANDSHAKE_BATCH
    int FT_MAX_SHARDS
    int FT_MESSAGE_VERSION
    int FT_KIND_RECORDS
    int FT_KIND_HANDSHAKES
    int FT_KIND_WATERMARK
