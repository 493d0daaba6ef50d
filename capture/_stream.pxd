# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C face of _stream: what the reader of a ring calls for each record."""

from libc.stdint cimport uint16_t, uint32_t, uint64_t

from capture._message cimport ft_handshake_record, ft_message
from capture._packet cimport ft_headers, ft_packet, ft_record, ft_tag


cdef struct Shard:
    ft_message *message
    ft_tag *tag
    ft_record *record
    ft_message *opening             # of the message of handshake records
    ft_handshake_record *handshake
    uint64_t counter[8]             # FT_STREAM_*


cdef class Stream:
    cdef readonly uint16_t number
    cdef readonly uint32_t shards
    cdef Shard *shard
    cdef object forward
    cdef list records
    cdef list handshakes
    cdef uint64_t seen
    cdef uint64_t verdict[16]
    cdef uint64_t reason[16]
    cdef uint64_t last              # ns, time of the newest packet

    cdef int put(self, const ft_record *record, const ft_tag *tag, const ft_packet *packet,
                 const ft_headers *at) except -1 nogil
    cdef int hand_over(self, uint32_t shard) except -1
    cdef int hand_over_handshakes(self, uint32_t shard) except -1
