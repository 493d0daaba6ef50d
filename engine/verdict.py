# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether enough of a flow was seen to claim something about it: if not, the verdict is `unknown`, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.results import Reason

if TYPE_CHECKING:
    from engine.results import Flow

Verdict = Literal["match", "unknown"]

# In the order in which they are told.
DOUBTS = ("gap", "midstream", "one-sided", "truncated")

_TCP = 6
_CUT = (Reason.EVICTED, Reason.HALF_OPEN)


def doubts(flow: Flow) -> list[str]:
    """Return why what matched in `flow` is no claim, as words of DOUBTS; nothing when it is one.

    gap: packets are missing. midstream: the beginning of the connection was not seen. one-sided: the capture holds
    one direction of a TCP connection only. truncated: the flow was dropped to make room, so that its end was not seen.

    A TCP server that answered the SYN and then said nothing was seen well enough: its round trip is known. In UDP and
    ICMP one side may speak alone. A flow that is open when the capture ends is no doubt: all until then was seen.
    """
    found = []
    if flow.gap:
        found.append("gap")
    if flow.midstream:
        found.append("midstream")
    if flow.proto == _TCP and not (flow.packets_c and flow.packets_s) and flow.rtt_s_ns is None:
        found.append("one-sided")
    if flow.reason in _CUT:
        found.append("truncated")
    return found
