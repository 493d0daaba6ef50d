# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C face of _filter: a compiled program and how it is run."""

cdef extern from "pcap/pcap.h" nogil:
    struct bpf_insn:
        pass

    struct bpf_program:
        unsigned int bf_len
        bpf_insn *bf_insns

    unsigned int bpf_filter(const bpf_insn *program, const unsigned char *data, unsigned int wire,
                            unsigned int caplen)


cdef class Filter:
    cdef bpf_program program
