# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times in which records were lost, and which flows may have lost some of theirs.

Nobody knows whose records they were, so each flow that lived at that time is marked. That is looked up when a flow is
reported: a loss costs nothing for the million flows in the table. Few intervals are kept; when there is no room for
one more, the two that are closest become one.
"""

from libc.string cimport memmove

from engine.core cimport LOST_ROOM, Core, Lost
from engine.flow cimport END_FIN, END_RST, F_HAVE_SYN, F_ICMP, F_OPEN, F_UDP, Flow
from engine.record cimport u32, u64

cdef u64 BEGINS_BEFORE = 1_000_000_000      # ns; a flow whose first packets were lost seems to begin so much later


cdef void lost_between(Core *c, u64 begin, u64 end) noexcept nogil:
    """Enter an interval, joined with those that it touches."""
    cdef u32 i = 0
    cdef u32 k
    if end < begin:
        return
    while i < c.lost_count and c.lost[i].end < begin:
        i += 1
    k = i
    while k < c.lost_count and c.lost[k].begin <= end:
        begin = min(begin, c.lost[k].begin)
        end = max(end, c.lost[k].end)
        k += 1
    if k == i:
        if c.lost_count == LOST_ROOM:
            join_closest(c)
            lost_between(c, begin, end)
            return
        memmove(&c.lost[i + 1], &c.lost[i], (c.lost_count - i) * sizeof(Lost))
        c.lost_count += 1
    else:
        memmove(&c.lost[i + 1], &c.lost[k], (c.lost_count - k) * sizeof(Lost))
        c.lost_count -= k - i - 1
    c.lost[i].begin = begin
    c.lost[i].end = end


cdef void join_closest(Core *c) noexcept nogil:
    """Make one of the two intervals with the least between them."""
    cdef u32 i, best = 1
    for i in range(2, c.lost_count):
        if c.lost[i].begin - c.lost[i - 1].end < c.lost[best].begin - c.lost[best - 1].end:
            best = i
    c.lost[best - 1].end = c.lost[best].end
    memmove(&c.lost[best], &c.lost[best + 1], (c.lost_count - best - 1) * sizeof(Lost))
    c.lost_count -= 1


cdef bint was_lost(const Core *c, const Flow *f) noexcept nogil:
    """Whether records were lost while a flow lived, or might have lived on: all that is known of its end is silence."""
    cdef u64 begin = f.start
    cdef u64 end = f.last
    cdef u32 i
    if c.lost_count == 0:
        return False
    if not f.flags & F_HAVE_SYN:
        begin -= min(begin, BEGINS_BEFORE)
    if f.reason != END_FIN and f.reason != END_RST:
        if f.flags & (F_UDP | F_ICMP):
            end += c.idle_udp if f.flags & F_UDP else c.idle_icmp
        else:
            end += c.idle_tcp if f.flags & F_OPEN or f.packets else c.idle_half_open
    for i in range(c.lost_count, 0, -1):
        if c.lost[i - 1].end < begin:
            break
        if c.lost[i - 1].begin <= end:
            return True
    return False
