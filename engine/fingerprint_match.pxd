# SPDX-License-Identifier: LGPL-2.1-or-later
# Finds the signature that fits: the C interface.

from engine.fingerprint_facts cimport LAYOUT, Facts
from engine.record cimport i32, u8, u16, u32

cdef enum:
    BUCKETS = 1024

# Flags of a match and of a result (engine.fingerprints.Flag).
cdef enum:
    F_FUZZY = 1
    F_GENERIC = 2
    F_TOOL = 4
    F_BAD_TTL = 8
    F_RESPONSE = 16
    F_REPEATED = 32

# A signature of the database; -1 is a wildcard.
cdef struct Reference:
    u32 quirks
    i32 mss
    i32 scale
    i32 window
    i32 next        # in the same bucket, further on in the database; -1: none
    u16 olen
    u8 kind         # sigdb.tcp_nodes.Window
    u8 any_version
    u8 ttl
    u8 flags        # F_GENERIC, F_TOOL, F_BAD_TTL
    u8 eol_pad
    u8 response
    signed char payload
    u8 count
    u8 layout[LAYOUT]

cdef struct Match:
    i32 signature   # its place in the database; -1: none
    u8 flags        # F_FUZZY and those of the signature
    u8 distance

cdef u32 bucket_of(const u8 *layout, u8 count, u8 response) noexcept nogil
cdef Match find(const Reference *references, const i32 *first, const Facts *f) noexcept nogil
