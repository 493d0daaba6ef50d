# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is done with records: the flow table, sequence tracking, the automata, ended flows.

The hot modules in the order a record travels: loop, lifecycle, table, tcp, matching (with think), automaton, exact,
report. They import only one another. record, flow, core and counters are the structs that they share. merge, with
streams and window, puts live records in order before that. fingerprint, with fingerprint_facts and fingerprint_match,
tells systems by their handshake records.
"""

from engine.fingerprint import Fingerprinter
from engine.fingerprints import Fingerprint
from engine.loop import Engine
from engine.results import Flow, Hit, Limits, Reason

__all__ = ["Engine", "Fingerprint", "Fingerprinter", "Flow", "Hit", "Limits", "Reason"]
