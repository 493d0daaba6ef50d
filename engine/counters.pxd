# SPDX-License-Identifier: LGPL-2.1-or-later
"""The one list of the engine's counters: each is a place where a record, a flow or a hit may go.

Python reads the names from the enum itself (lower case, in this order), so there is no second list. The counters are
plain 64-bit integers that only the engine's own thread writes.
"""

from engine.record cimport i64, u64

cpdef enum Counter:
    RECORDS             # records taken in
    SHAPE_PACKETS       # packets of a shape: after expansion, without what follows
    SHAPE_BYTES         # their payload bytes
    RETRANSMITTED       # segments that held nothing new, keep-alives apart
    KEEPALIVES          # 0 or 1 byte just before the next sequence number
    REORDERED           # segments put in order after a hole was filled
    GAPS                # holes that were not filled in time: the flow is marked
    OUT_OF_WINDOW       # segments and SYNs too far from what the flow expects
    CUT                 # merged segments that would be more packets than any real one: the flow is marked
    RST_IGNORED         # RSTs outside the window: they end nothing
    AFTER_CLOSE         # segments after the end of their flow
    STRAY               # FIN or RST of a flow that was never seen
    HELD_FULL           # segments not held back because the pool for it was used up: a gap
    NO_ROOM             # records of new flows for which nothing could make room
    FLOWS               # flows begun
    MIDSTREAM           # of these, TCP flows whose SYN was not seen
    ENDED_FIN
    ENDED_RST
    ENDED_TIMEOUT
    ENDED_REUSE         # a new connection took over the same addresses and ports
    ENDED_OPEN          # still open when the capture ended
    ENDED_EVICTED       # complete connections that had to make room
    ENDED_HALF_OPEN     # unanswered or half-open flows that had to make room
    HITS                # hits of signatures, before where-conditions
    HITS_DROPPED        # hits of a further signature not kept: the pool of hits was used up
    WHERE_REFUSED       # signature hits of a flow that its where-condition refused
    VERIFIED            # exact comparisons made for signatures with references
    VERIFIED_AWAY       # of these, the ones that did not match
    HISTORY_SHORT       # of these, the ones that would need packets no longer in the history
    VERIFY_GAVE_UP      # of these, the ones that took too many steps
    THREADS_BEGUN       # flows whose signatures with references are followed, past the history too
    THREADS_DROPPED     # flows in which they are not, or no longer: one of the bounds was met
    STATES_BUILT        # automaton states made
    TRANSITIONS_BUILT   # automaton transitions made
    AUTOMATON_RESETS    # times an automaton spent its memory budget and was thrown away
    STATES_MOVED        # states that flows were in at that time and that were kept
    STATES_REFOUND      # flows that found their state again from their history
    STATES_LOST         # flows longer than their history whose state was found from its end only
    COUNTERS            # how many there are; not a counter

cdef inline void bump(u64 *counters, int counter, i64 by=1) noexcept nogil:
    counters[counter] += by
