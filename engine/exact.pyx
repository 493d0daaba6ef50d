# SPDX-License-Identifier: LGPL-2.1-or-later
"""The exact matcher: compares one signature, references included, with the history of one flow.

It is asked where the automaton says "maybe", and where evidence of a match is wanted: it walks the signature's
positions through the history by backtracking and says where the match begins. The latest beginning is tried first, so
the evidence is the shortest match.

Most signatures are a chain: one position after the other, no repetition to choose a count for, no alternatives. The
automaton has then settled everything but the references, there is one way to lay the chain over the newest packets,
and only its references are compared (`chain_matches`). For the others the least and the most packets that a match can
have bound the beginnings to try.

What has left the history is one item, a hole (where threads.pyx follows a flow past its history, it is asked instead).
Only `...` may pass over it: anything else there is not known to match, and unknown is no match (x.hole_refused says so).

Backtracking can take exponential time, and whoever sends the packets may want it to. So a comparison that goes on for
long remembers where it was in vain (position, item, sizes bound so far), and it gives up after MAX_STEPS: then it is
not known whether the signature matches. Remembering is by a 64-bit hash; a collision could only hide a match.
"""

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from engine.arrays cimport copy_u8, copy_u32
from engine.automaton cimport POSITION_ANY, POSITION_END, POSITION_FIRST, POSITION_LAST
from engine.record cimport i64, u8, u16, u32, u64


cdef int exact_init(Exact *x, object stream, object program, u32 first, u32 ring) except -1:
    """Read a stream of a program, for histories of these lengths. Raises MemoryError; the caller frees."""
    cdef u32 i, n = len(stream.signature)
    cdef u32 signatures = len(program.signatures)
    cdef u32 checks = 0, referenced = 0
    cdef u32 *scratch
    memset(x, 0, sizeof(Exact))
    x.first, x.ring = first, ring
    x.position_count = n
    x.follow = copy_u32(stream.follow)
    x.sig_begin = copy_u8(program.begin)
    x.fuzz_bytes = program.fuzz_bytes
    x.fuzz_percent = program.fuzz_percent
    x.extent = <Extent *>calloc(signatures + 1, sizeof(Extent))
    x.want = <Want *>calloc(n + 1, sizeof(Want))
    x.more = <Check *>calloc(n + 1, sizeof(Check))
    x.test = <Test *>calloc(len(stream.test_low) + 1, sizeof(Test))
    x.referenced = <u16 *>calloc(n + len(stream.test_low) + 1, sizeof(u16))
    x.failed = <u64 *>calloc(MEMO, sizeof(u64))
    scratch = <u32 *>malloc(8 * (n + 1))
    if not (x.extent and x.want and x.test and x.more and x.referenced and x.failed and scratch):
        free(scratch)
        raise MemoryError()
    try:
        load_wants(x, stream)
        for i in range(n):
            x.extent[<u32>stream.signature[i] + 1].first = i + 1
        for i in range(signatures):
            if x.extent[i + 1].first == 0:
                x.extent[i + 1].first = x.extent[i].first
        for i in range(signatures):
            measure(x, i, scratch, scratch + n)
            checks = list_checks(x, i, checks)
            referenced = list_referenced(x, i, referenced)
    finally:
        free(scratch)
    return 0


cdef int load_wants(Exact *x, object stream) except -1:
    cdef u32 i
    cdef Want *w
    for i in range(x.position_count):
        w = &x.want[i]
        w.low = stream.low[i]
        w.high = stream.high[i]
        w.follow = stream.follow_start[i]
        w.follow_end = stream.follow_start[i + 1]
        w.plus = stream.plus[i]
        w.tolerance = stream.tolerance[i]
        w.pause_low = stream.pause_low[i]
        w.pause_high = stream.pause_high[i]
        w.tests = stream.test_start[i]
        w.tests_end = stream.test_start[i + 1]
        w.reference = stream.reference[i]
        w.slot = stream.slot[i]
        if w.slot >= SLOTS:
            raise ValueError(f"the slot {w.slot} of a program; expected less than {SLOTS}")
        w.side = stream.side[i]
        w.flags = stream.flags[i]
    for i in range(len(stream.test_low)):
        x.test[i].low = stream.test_low[i]
        x.test[i].high = stream.test_high[i]
        x.test[i].plus = stream.test_plus[i]
        x.test[i].tolerance = stream.test_tolerance[i]
        x.test[i].reference = stream.test_reference[i]
        x.test[i].excluded = stream.test_excluded[i]
    return 0


cdef void measure(Exact *x, u32 signature, u32 *least, u32 *queue) noexcept nogil:
    """Find the extent of a signature: shortest paths breadth first, longest ones where no position leads back."""
    cdef Extent *e = &x.extent[signature]
    cdef u32 begin = e.first
    cdef u32 end = x.extent[signature + 1].first
    cdef u32 p, k, q, head = 0, tail = 0, firsts = 0, lasts = 0
    cdef bint leads_back = False
    e.chain = end > begin
    for p in range(begin, end):
        least[p] = 0
        firsts += x.want[p].flags & POSITION_FIRST != 0
        lasts += x.want[p].flags & (POSITION_LAST | POSITION_END) != 0
        if x.want[p].flags & POSITION_FIRST:
            least[p] = 1
            queue[tail] = p
            tail += 1
        for k in range(x.want[p].follow, x.want[p].follow_end):
            leads_back = leads_back or x.follow[k] <= p
        if x.want[p].flags & POSITION_ANY or x.want[p].follow_end - x.want[p].follow > 1:
            e.chain = False
        for k in range(x.want[p].tests, x.want[p].tests_end):
            if x.test[k].reference:
                e.chain = False     # several sizes, and the automaton has not settled which
    e.chain = e.chain and firsts == 1 and lasts == 1 and not leads_back
    while head < tail:
        p = queue[head]
        head += 1
        if x.want[p].flags & (POSITION_LAST | POSITION_END) and (e.least == 0 or least[p] < e.least):
            e.least = least[p]
        for k in range(x.want[p].follow, x.want[p].follow_end):
            q = x.follow[k]
            if least[q] == 0:
                least[q] = least[p] + 1
                queue[tail] = q
                tail += 1
    # no position leads back, so none is on a path twice
    e.most = 0 if leads_back else end - begin
    if e.chain:
        e.most = e.least


cdef u32 list_checks(Exact *x, u32 signature, u32 used) noexcept nogil:
    """List the references of a chain behind the `used` checks there are; returns how many there are now."""
    cdef Extent *e = &x.extent[signature]
    cdef u32 i, k
    cdef Check *check
    e.more = used
    if not e.chain:
        return used
    for i in range(e.least):
        if x.want[e.first + i].reference:
            check = &x.more[used] if e.check_count else &e.check
            check.place = <u16>i
            # the newest one of the slot, as the path binds it
            for k in range(i):
                if x.want[e.first + k].slot == x.want[e.first + i].reference:
                    check.target = <u16>k
            check.plus = x.want[e.first + i].plus
            check.tolerance = x.want[e.first + i].tolerance
            used += e.check_count != 0
            e.check_count += 1
    return used


cdef u32 list_referenced(Exact *x, u32 signature, u32 used) noexcept nogil:
    """List each slot that a signature refers to once, behind the `used` ones there are; returns how many now."""
    cdef Extent *e = &x.extent[signature]
    cdef u32 p, k
    e.referenced_at = used
    for p in range(e.first, x.extent[signature + 1].first):
        used = list_slot(x, e.referenced_at, used, x.want[p].reference)
        for k in range(x.want[p].tests, x.want[p].tests_end):
            used = list_slot(x, e.referenced_at, used, x.test[k].reference)
    e.referenced = <u16>(used - e.referenced_at)
    return used


cdef u32 list_slot(Exact *x, u32 begin, u32 used, u16 slot) noexcept nogil:
    cdef u32 k
    if slot == 0:
        return used
    for k in range(begin, used):
        if x.referenced[k] == slot:
            return used
    x.referenced[used] = slot
    return used + 1


cdef void exact_free(Exact *x) noexcept nogil:
    free(x.want)
    free(x.test)
    free(x.follow)
    free(x.extent)
    free(x.more)
    free(x.referenced)
    free(x.failed)
    free(x.sig_begin)
    memset(x, 0, sizeof(Exact))


cdef inline bint near(const Exact *x, i64 centre, i64 tolerance, u32 size) noexcept nogil:
    """Whether a size is what a reference wants; a tolerance below zero is the fuzzy rule."""
    if tolerance < 0:
        tolerance = max(<i64>x.fuzz_bytes, centre * x.fuzz_percent // 100)
    return centre - tolerance <= size <= centre + tolerance


cdef inline bint size_fits(const Exact *x, const Want *w, u32 size) noexcept nogil:
    if w.tests != w.tests_end:
        return tests_hold(x, w, size)
    if w.reference == 0:
        return w.low <= size <= w.high
    return near(x, <i64>x.bound[w.reference] + w.plus, w.tolerance, size)


cdef bint tests_hold(const Exact *x, const Want *w, u32 size) noexcept nogil:
    """Whether a size is one of several and none of those excluded."""
    cdef bint wanted = False
    cdef const Test *t
    cdef u32 k
    for k in range(w.tests, w.tests_end):
        t = &x.test[k]
        if t.excluded or not wanted:
            if t.reference:
                if not near(x, <i64>x.bound[t.reference] + t.plus, t.tolerance, size):
                    continue
            elif not t.low <= size <= t.high:
                continue
            if t.excluded:
                return False
            wanted = True
    return wanted


cdef bint accepts(const Exact *x, const Want *w, Item item) noexcept nogil:
    """Whether a position takes a packet, with the sizes that are bound."""
    return (w.side & (1 << item.kind) and w.pause_low <= item.code <= w.pause_high and size_fits(x, w, item.size))


cdef u64 situation(const Exact *x, u32 p, u32 at) noexcept nogil:
    """What the rest of a walk depends on, hashed: never 0."""
    cdef u64 h = (<u64>p << 32 | at) * <u64>0x9E3779B97F4A7C15 + 1
    cdef u32 k
    for k in range(x.extent_now.referenced_at, x.extent_now.referenced_at + x.extent_now.referenced):
        h = (h ^ (h >> 29) ^ x.bound[x.referenced[k]]) * <u64>0xBF58476D1CE4E5B9
    return h ^ (h >> 32) | 1


cdef bint walk(Exact *x, u32 p, u32 at) noexcept nogil:
    """Whether a match that has taken item `at` at position `p` can end exactly at the last item."""
    cdef u32 k, q, before
    cdef u64 now = 0
    cdef Item item
    cdef const Want *w
    if at + 1 == x.items:
        return x.want[p].flags & (POSITION_LAST | POSITION_END if x.ending else POSITION_LAST)
    x.steps += 1
    if x.steps > MEMO_FROM:
        if x.steps > MAX_STEPS:
            return False
        if x.steps == MEMO_FROM + 1:
            memset(x.failed, 0, MEMO * sizeof(u64))
        now = situation(x, p, at)
        if x.failed[now >> 1 & (MEMO - 1)] == now:
            return False
    item = item_at(x, at + 1)
    for k in range(x.want[p].follow, x.want[p].follow_end):
        q = x.follow[k]
        w = &x.want[q]
        if item.kind == HOLE:
            if w.flags & POSITION_ANY:
                if walk(x, q, at + 1):
                    return True
            else:
                x.hole_refused = True
            continue
        if not accepts(x, w, item):
            continue
        before = x.bound[w.slot]
        x.bound[w.slot] = item.size
        if walk(x, q, at + 1):
            return True
        x.bound[w.slot] = before
    if now:
        x.failed[now >> 1 & (MEMO - 1)] = now
    return False


cdef inline bint holds(const Exact *x, const Check *check, u32 at) noexcept nogil:
    return near(x, <i64>item_at(x, at + check.target).size + check.plus, check.tolerance,
                item_at(x, at + check.place).size)


cdef inline u32 chain_matches(Exact *x, const Extent *e) noexcept nogil:
    """exact_match of a chain whose positions the newest packets have just taken: its references remain."""
    cdef u32 at = x.items - e.least
    cdef u32 i
    if e.check_count and not holds(x, &e.check, at):
        return NO_MATCH
    for i in range(1, e.check_count):
        if not holds(x, &x.more[e.more + i - 1], at):
            return NO_MATCH
    return at


cdef u32 exact_match(Exact *x, u32 signature, bint begun) noexcept nogil:
    """The item at which the shortest match that ends at the last item begins, or NO_MATCH.

    The automaton has just reached the signature's last position with this item, whatever its references say. `begun`
    says that item 0 is the flow's first packet.
    """
    cdef const Extent *e = &x.extent[signature]
    cdef bint anchored = x.sig_begin[signature]
    cdef bint whole = x.count == x.items
    cdef u32 at, p, stop
    x.steps = 0
    x.extent_now = e
    x.hole_refused = not whole and x.items < e.least
    if x.items < e.least or anchored and not begun:
        return NO_MATCH
    if e.chain and (whole or x.ring >= e.least):
        return chain_matches(x, e)
    at = x.items - e.least + 1
    stop = x.items - e.most if 0 < e.most < x.items else 0
    while at > stop:
        at -= 1
        if anchored:
            at = stop = 0
        if item_at(x, at).kind == HOLE:
            x.hole_refused = True
            continue
        for p in range(e.first, x.extent[signature + 1].first):
            if not x.want[p].flags & POSITION_FIRST or not accepts(x, &x.want[p], item_at(x, at)):
                continue
            x.bound[x.want[p].slot] = item_at(x, at).size
            if walk(x, p, at):
                return at
            if x.steps > MAX_STEPS:
                return NO_MATCH
    return NO_MATCH


cdef u32 exact_evidence(const Exact *x, u32 at, int stream, u32 *word) noexcept nogil:
    """Write the items from `at` on as words; what is too long to keep loses its middle. Returns how many words."""
    cdef u32 count = x.items - at
    cdef u32 most = WORDS // 2 if stream else WORDS
    cdef u32 i, k = 0
    cdef Item item
    for i in range(count):
        if count > most and most // 2 <= i < count - most // 2 + 1:
            if i > most // 2:
                continue
            item.kind = HOLE
        else:
            item = item_at(x, at + i)
        if item.kind == HOLE:
            word[k] = HOLE_WORD
        elif stream:
            word[k] = item.size
            k += 1
            word[k] = item.code | <u32>item.kind << 16
        else:
            word[k] = item.size | <u32>item.code << 16 | <u32>item.kind << 31
        k += 1
    return k
