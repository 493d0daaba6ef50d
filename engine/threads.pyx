# SPDX-License-Identifier: LGPL-2.1-or-later
"""Follows signatures with references past a flow's history, which is bounded.

The exact matcher needs every packet of a match. So before a flow loses a packet from its history, what each signature
that begins with the flow and may still match has come to is worked out once: *threads*, each a position and the sizes
that later references want there. From then on every packet moves the threads of its flow, and whether such a
signature matches is read from them. That is also faster than to compare again at each packet at which it may, so
threads begin at the first such packet, unless half of the room for them is in use.

What keeps this small: a thread holds only the sizes that are still referred to, so paths that differ in others
are one; most flows then have one or two threads or none. A packet like the one before that changed nothing changes
nothing either. The number of such flows, of their threads and of the sizes are bounded; beyond a bound the history
is all that is known, as without threads, and THREADS_DROPPED counts.
"""

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

from engine.automaton cimport LOST, POSITION_END, POSITION_FIRST, POSITION_LAST, Automaton, State, pause_class_of
from engine.core cimport THREADS, VALUES, Following, Live, Thread, Threads, pool_give, pool_take, threads_at
from engine.counters cimport THREADS_BEGUN, THREADS_DROPPED, bump
from engine.exact cimport NO_MATCH, Exact, Extent, Want, accepts, exact_match, item_at, look_at
from engine.flow cimport F_BEGUN, F_FOLLOWED, F_NOT_FOLLOWED, F_THREADS
from engine.record cimport u8, u16, u32, u64
from engine.table cimport cold_of, packet_history

cdef enum:
    SEEDS = 1024            # threads while the history is gone through
    SIGNATURES = 64         # of one flow
    ROUNDS = 64             # for the sizes wanted at each position to settle
    REFERENCED = 64         # slots of a signature


cdef int threads_load(Core *c, object program) except -1:
    """Find out which signatures over packets can be followed, and what their threads hold. Raises MemoryError."""
    cdef Following *w = &c.following
    cdef const Exact *x = &c.exact[0]
    cdef u64 *wanted = <u64 *>calloc(x.position_count + 1, sizeof(u64))
    cdef u32 signatures = len(program.signatures)
    cdef u32 i
    w.live = <Live *>calloc(x.position_count + 1, sizeof(Live))
    w.followed = <u8 *>calloc(signatures + 1, 1)
    w.seed[0] = <Thread *>malloc((SEEDS + 1) * sizeof(Thread))
    w.seed[1] = <Thread *>malloc((SEEDS + 1) * sizeof(Thread))
    if not (wanted and w.live and w.followed and w.seed[0] and w.seed[1]):
        free(wanted)
        raise MemoryError()
    for i in range(signatures):
        if program.references[i] and program.begin[i] and not program.stream[i]:
            w.followed[i] = settle_live(w, x, i, wanted)
            w.any = w.any or w.followed[i]
    free(wanted)
    return 0


cdef void threads_free(Core *c) noexcept nogil:
    free(c.following.live)
    free(c.following.followed)
    free(c.following.seed[0])
    free(c.following.seed[1])
    memset(&c.following, 0, sizeof(Following))


cdef u64 bit_of(const Exact *x, const Extent *e, u16 slot) noexcept nogil:
    """A slot's bit among those that a signature refers to; 0 for one that it does not."""
    cdef u32 k
    if slot:
        for k in range(e.referenced):
            if x.referenced[e.referenced_at + k] == slot:
                return <u64>1 << k
    return 0


cdef u64 used_by(const Exact *x, const Extent *e, u32 p) noexcept nogil:
    """The slots that a position's own sizes refer to."""
    cdef u64 bits = bit_of(x, e, x.want[p].reference)
    cdef u32 k
    for k in range(x.want[p].tests, x.want[p].tests_end):
        bits |= bit_of(x, e, x.test[k].reference)
    return bits


cdef bint settle_live(Following *w, const Exact *x, u32 signature, u64 *wanted) noexcept nogil:
    """List for each position which slots are read behind it before they are bound anew; False when too many are."""
    cdef const Extent *e = &x.extent[signature]
    cdef u32 begin = e.first
    cdef u32 end = x.extent[signature + 1].first
    cdef u32 p, q, k, left
    cdef u64 bits
    cdef bint changed = True
    if e.referenced > REFERENCED:
        return False
    for left in range(ROUNDS):
        if not changed:
            break
        changed = False
        for p in range(end, begin, -1):
            bits = 0
            for k in range(x.want[p - 1].follow, x.want[p - 1].follow_end):
                q = x.follow[k]
                bits |= used_by(x, e, q) | wanted[q] & ~bit_of(x, e, x.want[q].slot)
            if bits != wanted[p - 1]:
                wanted[p - 1] = bits
                changed = True
    if changed:
        return False
    for p in range(begin, end):
        for k in range(e.referenced):
            if wanted[p] >> k & 1:
                if w.live[p].count == VALUES:
                    return False
                w.live[p].slot[w.live[p].count] = x.referenced[e.referenced_at + k]
                w.live[p].count += 1
    return True


cdef inline bint add(Exact *x, const Following *w, u32 p, u32 size, Thread *threads, u32 count) noexcept nogil:
    """Make a thread at `count` that has just taken a packet at a position; False when there is one like it."""
    cdef Thread *t = &threads[count]
    cdef u32 k
    memset(t, 0, sizeof(Thread))
    t.position = p
    for k in range(w.live[p].count):
        t.value[k] = size if w.live[p].slot[k] == x.want[p].slot else x.bound[w.live[p].slot[k]]
    for k in range(count):
        if memcmp(&threads[k], t, sizeof(Thread)) == 0:
            return False
    return True


cdef u32 advance(Exact *x, const Following *w, const Thread *old, u32 count, Thread *after, u32 room,
                 Item item) noexcept nogil:
    """Move threads by a packet; returns how many there are then, or room + 1 when they are too many.

    `after` has room for one more.
    """
    cdef u32 i, k, q, n = 0
    for i in range(count):
        for k in range(w.live[old[i].position].count):
            x.bound[w.live[old[i].position].slot[k]] = old[i].value[k]
        for k in range(x.want[old[i].position].follow, x.want[old[i].position].follow_end):
            q = x.follow[k]
            if accepts(x, &x.want[q], item) and add(x, w, q, item.size, after, n):
                n += 1
                if n > room:
                    return n
    return n


cdef void threads_begin(Core *c, Flow *f) noexcept nogil:
    """Begin to follow a flow whose history is still whole, if anything in it is to be followed."""
    cdef Following *w = &c.following
    cdef Automaton *a = &c.automaton[0]
    cdef Exact *x = &c.exact[0]
    cdef u32 chosen[SIGNATURES]
    cdef u32 i, k, p, part, many = 0, n = 0, now = 0
    cdef const State *state
    cdef const u32 *list_
    cdef Threads *t
    if f.flags & (F_BEGUN | F_FOLLOWED | F_NOT_FOLLOWED) != F_BEGUN or f.packet_state == LOST:
        return
    state = &a.built.states[f.packet_state]
    for part in range(2):
        # what begins with the flow is a start at its first packet, deep at every other
        list_ = a.built.arena + (state.list if part else a.built.starts[state.starts].list)
        for i in range(state.count if part else a.built.starts[state.starts].count):
            p = a.position[list_[i]].signature
            if not w.followed[p]:
                continue
            for k in range(many, 0, -1):
                if chosen[k - 1] == p:
                    break
            else:
                if many == SIGNATURES:
                    let_go(c, f)
                    return
                chosen[many] = p
                many += 1
    if many == 0:
        return
    look_at(x, packet_history(&c.table, f), NULL, f.packets)
    for i in range(many):
        for p in range(x.extent[chosen[i]].first, x.extent[chosen[i] + 1].first):
            if x.want[p].flags & POSITION_FIRST and accepts(x, &x.want[p], item_at(x, 0)) and n <= SEEDS:
                n += add(x, w, p, item_at(x, 0).size, w.seed[0], n)
    for i in range(1, x.items):
        if n > SEEDS:
            break
        n = advance(x, w, w.seed[now], n, w.seed[1 - now], SEEDS, item_at(x, i))
        now = 1 - now
    i = pool_take(&c.threads) if 0 < n <= THREADS else 0
    if n and i == 0:
        let_go(c, f)
        return
    c.threads_used += n != 0
    bump(c.counters, THREADS_BEGUN)
    f.flags |= F_FOLLOWED
    if n == 0:
        return
    f.flags |= F_THREADS
    cold_of(&c.table, f).threads = i
    t = threads_at(c, i)
    t.count = n
    t.steady = False
    memcpy(t.thread, w.seed[now], n * sizeof(Thread))


cdef void let_go(Core *c, Flow *f) noexcept nogil:
    """Leave a flow to its history for good."""
    threads_end(c, f)
    f.flags |= F_NOT_FOLLOWED
    bump(c.counters, THREADS_DROPPED)


cdef void threads_step(Core *c, Flow *f, Item item) noexcept nogil:
    """Move a flow's threads by its newest packet."""
    cdef Threads *t = threads_at(c, cold_of(&c.table, f).threads)
    cdef Thread after[THREADS + 1]
    cdef u32 key = item.size | pause_class_of(&c.automaton[0], item.code) << 16 | <u32>item.kind << 31
    cdef u32 n
    if t.steady and t.key == key:
        return
    n = advance(&c.exact[0], &c.following, t.thread, t.count, after, THREADS, item)
    if n == 0:
        threads_end(c, f)
        f.flags |= F_FOLLOWED
    elif n > THREADS:
        let_go(c, f)
    else:
        t.steady = n == t.count and memcmp(t.thread, after, n * sizeof(Thread)) == 0
        t.key = key
        t.count = n
        memcpy(t.thread, after, n * sizeof(Thread))


cdef void threads_end(Core *c, Flow *f) noexcept nogil:
    """Follow a flow no more."""
    if f.flags & F_THREADS:
        pool_give(&c.threads, cold_of(&c.table, f).threads)
        c.threads_used -= 1
    f.flags &= ~<u32>(F_THREADS | F_FOLLOWED)


cdef bint threads_match(Core *c, Flow *f, u32 signature) noexcept nogil:
    """Whether a signature that is followed matches at the newest packet of a flow with F_FOLLOWED."""
    cdef const Threads *t
    cdef u32 i, p
    cdef u8 last = POSITION_LAST | POSITION_END if c.exact[0].ending else POSITION_LAST
    if not f.flags & F_THREADS:
        return False
    t = threads_at(c, cold_of(&c.table, f).threads)
    for i in range(t.count):
        p = t.thread[i].position
        if c.automaton[0].position[p].signature == signature and c.exact[0].want[p].flags & last:
            return True
    return False


cdef void threads_early(Core *c, const Exact *x, u32 signature, Flow *f) noexcept nogil:
    """Begin to follow a flow at the first packet at which a signature may match, while there is room for others."""
    if (x == &c.exact[0] and c.following.followed[signature] and not f.flags & (F_FOLLOWED | F_NOT_FOLLOWED)
            and x.count == x.items and not x.ending and c.threads_used < c.threads.capacity // 2):
        threads_begin(c, f)


cdef u32 threads_or_history(Core *c, Exact *x, u32 signature, Flow *f) noexcept nogil:
    """The item at which a match that ends at the newest one begins, or NO_MATCH; threads do not say which: 0."""
    if threads_know(c, x, signature, f):
        return 0 if threads_match(c, f, signature) else NO_MATCH
    return exact_match(x, signature, (f.flags & F_BEGUN) != 0)
