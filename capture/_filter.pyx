# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pcap filter expressions (pcap-filter(7)), compiled by libpcap for one link type each."""

cimport cython

from capture.errors import FilterError

cdef extern from "pcap/pcap.h" nogil:
    ctypedef struct pcap_t:
        pass

    unsigned int PCAP_NETMASK_UNKNOWN
    pcap_t *pcap_open_dead(int link, int snaplen)
    void pcap_close(pcap_t *handle)
    int pcap_compile(pcap_t *handle, bpf_program *program, const char *expression, int optimize, unsigned int netmask)
    void pcap_freecode(bpf_program *program)
    const char *pcap_geterr(pcap_t *handle)
    const char *pcap_datalink_val_to_name(int link)

# Files and libpcap's functions number these link types differently (LINKTYPE_* against DLT_* on Linux).
cdef dict LIBRARY_NUMBERS = {100: 11, 101: 12, 102: 15, 103: 16, 106: 19}

# Read without a filter, longest possible: the length limits only what "accept" returns.
cdef int SNAPLEN = 262144


@cython.final
cdef class Filter:
    """The expression as a program for packets of the link type (number as in files). Raises FilterError."""

    def __cinit__(self, str expression not None, unsigned int link):
        cdef pcap_t *handle
        if "\0" in expression:
            raise FilterError(expression, "contains a NUL character")
        text = expression.encode("utf-8", "surrogateescape")
        handle = pcap_open_dead(LIBRARY_NUMBERS.get(link, link), SNAPLEN)
        if handle == NULL:
            raise MemoryError("no memory for the filter")
        try:
            if pcap_compile(handle, &self.program, text, 1, PCAP_NETMASK_UNKNOWN):
                raise FilterError(expression, (<bytes>pcap_geterr(handle)).decode("utf-8", "replace"))
        finally:
            pcap_close(handle)

    def instructions(self):
        return (<char *>self.program.bf_insns)[:self.program.bf_len * 8]

    def __dealloc__(self):
        if self.program.bf_insns != NULL:
            pcap_freecode(&self.program)


def check_filter(str expression not None):
    """Raise FilterError when the expression is wrong for every kind of link; some primitives suit only one."""
    wrong = None
    for link in (1, 113, 101):
        try:
            Filter(expression, link)
        except FilterError as error:
            wrong = wrong or error
        else:
            return
    raise wrong


def link_name(unsigned int link):
    """Name a link type as libpcap does, with its number, as `IEEE802_11_RADIO (127)`."""
    cdef const char *name = pcap_datalink_val_to_name(LIBRARY_NUMBERS.get(link, link))
    return f"{(<bytes>name).decode()} ({link})" if name != NULL else f"link type {link}"
