# SPDX-License-Identifier: LGPL-2.1-or-later
"""Think time in microseconds to its 15-bit code; the twin of sigdb.think.encode, held to it by a test.

Decimal steps, so that every threshold a person writes with three digits is exact: a flow's history keeps the code,
and comparing codes is then the same as comparing times.
"""

from engine.record cimport u16, u64

cdef enum:
    THINK_MAX = 31599

cdef inline u16 think_code(u64 us) noexcept nogil:
    if us < 10_000:
        return <u16>us
    if us < 100_000:
        return <u16>(10_000 + (us - 10_000) // 10)
    if us < 1_000_000:
        return <u16>(19_000 + (us - 100_000) // 100)
    if us < 10_000_000:
        return <u16>(28_000 + (us - 1_000_000) // 10_000)
    if us < 100_000_000:
        return <u16>(28_900 + (us - 10_000_000) // 100_000)
    if us < 1_000_000_000:
        return <u16>(29_800 + (us - 100_000_000) // 1_000_000)
    if us < 10_000_000_000ULL:
        return <u16>(30_700 + (us - 1_000_000_000) // 10_000_000)
    return THINK_MAX
