# SPDX-License-Identifier: LGPL-2.1-or-later
"""`where` conditions over a batch of ended flows: which hits stand."""

from array import array
from math import nan

from engine.results import Flow
from engine.where import evaluate
from sigdb.program import Program


def _seconds(ns: int | None) -> float:
    return nan if ns is None else ns / 1e9


def _row(flow: Flow) -> tuple[float, ...]:
    """Return a flow's values in the order of sigdb.where.VARIABLES."""
    rtt_c, rtt_s = _seconds(flow.rtt_c_ns), _seconds(flow.rtt_s_ns)
    return (
        *(flow.bytes_c + flow.bytes_s, flow.bytes_c, flow.bytes_s),
        *(flow.packets_c + flow.packets_s, flow.packets_c, flow.packets_s),
        *(flow.turns_c + flow.turns_s, flow.turns_c, flow.turns_s),
        *((flow.end_ns - flow.start_ns) / 1e9, flow.duration_c_ns / 1e9, flow.duration_s_ns / 1e9),
        *(rtt_c + rtt_s, rtt_c, rtt_s),
    )


def apply_conditions(program: Program, flows: list[Flow]) -> int:
    """Take from `flows` the hits whose condition does not hold; returns how many were taken."""
    asked: dict[int, list[Flow]] = {}
    starts = program.where_start
    for flow in flows:
        for hit in flow.hits:
            if starts[hit.signature] != starts[hit.signature + 1]:
                asked.setdefault(hit.signature, []).append(flow)
    refused = 0
    for signature, batch in asked.items():
        place = slice(starts[signature], starts[signature + 1])
        columns = array("d")
        for column in zip(*map(_row, batch), strict=True):
            columns.extend(column)
        holds = bytearray(len(batch))
        evaluate(program.where_ops[place], program.where_args[place], columns, holds)
        for flow, stands in zip(batch, holds, strict=True):
            if not stands:
                flow.hits = [hit for hit in flow.hits if hit.signature != signature]
                refused += 1
    return refused
