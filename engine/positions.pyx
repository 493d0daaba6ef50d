# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program's positions as the automaton reads them: one struct each, symbol classes by table, beginnings by port."""

from libc.stdlib cimport calloc, free, malloc

from engine.arrays cimport copy_u8, copy_u16, copy_u32
from engine.automaton cimport POSITION_FIRST, Position
from engine.record cimport u16, u32, u64


cdef int load_positions(Automaton *a, object stream, object program) except -1:
    """Fill the read-only part of an automaton. Raises MemoryError; free_positions frees in that case too."""
    cdef u32 n = len(stream.signature)
    cdef const unsigned int[::1] signature = stream.signature
    cdef const unsigned int[::1] follow_start = stream.follow_start
    cdef const unsigned short[::1] size_first = stream.size_first
    cdef const unsigned short[::1] size_last = stream.size_last
    cdef const unsigned short[::1] pause_first = stream.pause_first
    cdef const unsigned short[::1] pause_last = stream.pause_last
    cdef const unsigned char[::1] side = stream.side
    cdef const unsigned char[::1] flags = stream.flags
    cdef const unsigned int[::1] range_start = stream.range_start
    cdef u32 i
    a.sig_begin = copy_u8(program.begin)
    a.sig_end = copy_u8(program.end)
    a.sig_references = copy_u8(program.references)
    a.size_classes = len(stream.size_cuts)
    a.pause_classes = len(stream.pause_cuts)
    a.size_cuts = copy_u32(stream.size_cuts)
    a.size_class = classes_of(stream.size_cuts, 65536)
    a.pause_cuts = copy_u16(stream.pause_cuts)
    a.follow = copy_u32(stream.follow)
    a.range_first = copy_u16(stream.range_first)
    a.range_last = copy_u16(stream.range_last)
    a.position_count = n
    a.position = <Position *>calloc(n + 1, sizeof(Position))
    if not a.position:
        raise MemoryError()
    for i in range(n):
        a.position[i].signature = signature[i]
        a.position[i].follow = follow_start[i]
        a.position[i].follow_end = follow_start[i + 1]
        a.position[i].size_first = size_first[i]
        a.position[i].size_last = size_last[i]
        a.position[i].pause_first = pause_first[i]
        a.position[i].pause_last = pause_last[i]
        a.position[i].ranges = range_start[i]
        a.position[i].range_count = range_start[i + 1] - range_start[i]
        a.position[i].side = side[i]
        a.position[i].flags = flags[i]
    return load_classes(a, program.class_start, program.class_signatures, len(program.signatures))


cdef void free_positions(Automaton *a) noexcept nogil:
    free(a.position)
    free(a.follow)
    free(a.range_first)
    free(a.range_last)
    free(a.sig_begin)
    free(a.sig_end)
    free(a.sig_references)
    free(a.class_start)
    free(a.class_list)
    free(a.size_cuts)
    free(a.size_class)
    free(a.pause_cuts)


cdef u16 *classes_of(const unsigned int[::1] cuts, u32 values) except NULL:
    """The class of each value below `values`, for ascending lower bounds `cuts` that begin with 0."""
    cdef u16 *out = <u16 *>malloc(2 * values)
    cdef u32 i, k = 0
    cdef u32 n = cuts.shape[0]
    if not out:
        raise MemoryError()
    for i in range(values):
        while k + 1 < n and i >= cuts[k + 1]:
            k += 1
        out[i] = k
    return out


cdef int load_classes(Automaton *a, const unsigned int[::1] start, const unsigned int[::1] member,
                      u32 signatures) except -1:
    """Per port class, its positions that may begin a match, ascending."""
    cdef u32 *first = <u32 *>calloc(signatures + 1, 4)      # per signature: where its first positions begin in ...
    cdef u32 *listed = <u32 *>malloc(4 * (a.position_count + 1))
    cdef u32 c, i, k, p, used = 0
    cdef u64 total = 0
    a.class_count = start.shape[0] - 1
    a.class_start = <u32 *>malloc(4 * (a.class_count + 1))
    if not (first and listed and a.class_start):
        free(first)
        free(listed)
        raise MemoryError()
    for p in range(a.position_count):
        if a.position[p].flags & POSITION_FIRST:
            listed[used] = p
            used += 1
            first[a.position[p].signature + 1] += 1
    for i in range(signatures):
        first[i + 1] += first[i]
    for k in range(member.shape[0]):
        total += first[member[k] + 1] - first[member[k]]
    a.class_list = <u32 *>malloc(4 * (total + 1)) if total < <u32>-1 else NULL
    if not a.class_list:
        free(first)
        free(listed)
        raise MemoryError()
    used = 0
    for c in range(a.class_count):
        a.class_start[c] = used
        for k in range(start[c], start[c + 1]):
            for i in range(first[member[k]], first[member[k] + 1]):
                a.class_list[used] = listed[i]
                used += 1
    a.class_start[a.class_count] = used
    free(first)
    free(listed)
    return 0
