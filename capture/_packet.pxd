# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C face of _packet: what the walkers of capture files call for each packet."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from capture._filter cimport bpf_program


cdef extern from "link.h" nogil:
    struct ft_record:
        uint64_t ts
        uint8_t src[16]
        uint32_t hash
        uint16_t seg
        uint8_t flags

    struct ft_tag:
        uint32_t iface
        uint16_t vlan
        uint16_t vlan2

    struct ft_key:
        pass

    struct ft_headers:
        uint32_t ip
        uint32_t tcp

    struct ft_packet:
        const uint8_t *data
        uint32_t caplen
        uint32_t wire

    int FT_RECORD
    int FT_NO_PAYLOAD
    int FT_OTHER_LINK
    int FT_VERDICT_COUNT
    const char[] ft_record_text
    const char[] ft_tag_text
    const char[] ft_verdict_text

    int FT_HANDSHAKES
    bint ft_in_handshake(int verdict, const ft_record *record)
    int ft_handshake(int verdict, const ft_record *record, uint32_t *entry)
    uint8_t FT_F_VLAN
    uint8_t FT_F_TRUNCATED
    uint8_t FT_F_EGRESS
    uint32_t FT_STEP_ETHERNET
    uint32_t FT_STEP_IP
    int ft_parse(const ft_packet *packet, uint32_t offset, uint32_t step, uint32_t decap, const ft_key *key,
                 ft_record *record, ft_tag *tag, ft_headers *at)
    bint ft_link_known(uint32_t link)
    int ft_parse_link(uint32_t link, const ft_packet *packet, uint32_t decap, const ft_key *key, ft_record *record,
                      ft_tag *tag, ft_headers *at)


cdef extern from "handshake_fill.h" nogil:
    struct ft_handshake_record:
        pass

    const char[] ft_handshake_text
    bint ft_is_handshake(const ft_record *record)
    int ft_fill_handshake(const ft_packet *packet, const ft_headers *at, const ft_record *record, const ft_tag *tag,
                          ft_handshake_record *handshake)


cdef class Aligned:
    cdef uint8_t *data
    cdef Py_ssize_t size


cdef class Batch:
    cdef ft_record *record
    cdef ft_tag *tag
    cdef readonly Py_ssize_t capacity
    cdef readonly Py_ssize_t count
    cdef readonly Aligned records
    cdef readonly Aligned tags
    cdef ft_handshake_record *handshake     # NULL: none are wanted
    cdef readonly Aligned handshakes        # None: likewise
    cdef readonly Py_ssize_t handshake_count
    cdef readonly Py_ssize_t handshakes_cut


cdef struct Interface:
    uint32_t link
    uint64_t other          # packets of a link type that is not read
    bpf_program *program    # NULL: no filter


cdef class Parser:
    cdef ft_key key
    cdef uint32_t *handshakes
    cdef uint32_t decap
    cdef Interface *interface
    cdef uint32_t interface_count
    cdef uint32_t interface_room
    cdef uint64_t packets
    cdef uint64_t octets
    cdef uint64_t filtered
    cdef uint64_t verdict[16]
    cdef uint64_t first
    cdef uint64_t last
    cdef readonly list interfaces
    cdef object expression
    cdef dict filters

    cpdef uint32_t add_interface(self, uint32_t link, str name) except? 0xFFFFFFFF
    cdef void packet(self, Batch batch, uint32_t iface, const uint8_t *data, uint32_t caplen, uint32_t wire,
                     uint64_t ts) noexcept nogil
