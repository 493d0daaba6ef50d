# SPDX-License-Identifier: LGPL-2.1-or-later
"""Conditions: what the parser makes of them, and the batch evaluator against a plain one."""

import math
from array import array
from random import Random

import pytest

from engine.where import evaluate
from sigdb import where
from sigdb.errors import Mistake
from sigdb.where import VARIABLES

NAN = math.nan
VALUES = {
    "bytes": 12_000, "c.bytes": 2_000, "s.bytes": 10_000, "packets": 20, "c.packets": 8, "s.packets": 12, "turns": 6,
    "c.turns": 3, "s.turns": 3, "duration": 90, "c.duration": 80, "s.duration": 85, "rtt": NAN, "c.rtt": 0.015,
    "s.rtt": NAN,
}  # fmt: skip


def run(text: str, rows: list[dict[str, float]]) -> list[int]:
    program = where.parse(text, 0, len(text))
    columns = array("d", [row[name] for name in VARIABLES for row in rows])
    out = array("B", [7] * len(rows))
    evaluate(array("B", [op for op, _ in program]), array("d", [arg for _, arg in program]), columns, out)
    return list(out)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes > 10k", 1),
        ("bytes >= 12kB and bytes <= 12000B", 1),
        ("bytes > 12000", 0),
        ("bytes == 12k", 1),
        ("bytes != 12k", 0),
        ("bytes < 1M", 1),
        ("s.bytes / c.bytes == 5", 1),
        ("s.bytes - c.bytes * 2 > 5k", 1),
        ("(s.bytes - c.bytes) * 2 == 16k", 1),
        ("bytes / packets / 2 == 300", 1),
        ("20 - 8 - 2 == 10", 1),
        ("-packets < -19.5", 1),
        ("--packets == 20", 1),
        ("duration > 1min and duration < 1h", 1),
        ("duration == 1.5min", 1),
        ("c.rtt == 15ms", 1),
        ("c.rtt < 15000us or turns > 100", 0),
        ("c.rtt<20ms and not(packets<5)", 1),
        ("not not packets > 5", 1),
        ("turns == 6 or turns == 7 and turns == 8", 1),
        ("(turns == 6 or turns == 7) and turns == 8", 0),
        ("rtt < 1", 0),
        ("not rtt < 1", 0),
        ("rtt < 1 or bytes > 5", 1),
        ("rtt < 1 and bytes > 5", 0),
        ("not (rtt < 1 and bytes < 5)", 1),
        ("not (rtt < 1 or bytes < 5)", 0),
        ("rtt == rtt", 0),
        ("rtt != rtt", 0),
        ("bytes / (c.turns - 3) > 0", 0),
        ("not bytes / (c.turns - 3) > 0", 0),
        ("0 / 0 == 0 / 0 or 1 == 1", 1),
    ],
)
def test_condition(text: str, expected: int) -> None:
    assert run(text, [VALUES]) == [expected]


def plain(program: where.Program, row: dict[str, float]) -> bool:
    stack: list[float] = []
    for op, arg in program:
        if op == where.CONST:
            stack.append(arg)
        elif op == where.VAR:
            stack.append(row[VARIABLES[int(arg)]])
        elif op == where.NEG:
            stack.append(-stack.pop())
        elif op == where.NOT:
            stack.append({0.0: 1.0, 1.0: 0.0}.get(stack.pop(), NAN))
        else:
            b, a = stack.pop(), stack.pop()
            unknown = math.isnan(a) or math.isnan(b)
            if op == where.AND:
                stack.append(0.0 if 0.0 in (a, b) else NAN if unknown else 1.0)
            elif op == where.OR:
                stack.append(1.0 if 1.0 in (a, b) else NAN if unknown else 0.0)
            elif unknown or (op == where.DIV and b == 0):
                stack.append(NAN)
            else:
                table = {
                    where.ADD: a + b, where.SUB: a - b, where.MUL: a * b, where.DIV: a / (b or 1), where.LT: a < b,
                    where.LE: a <= b, where.GT: a > b, where.GE: a >= b, where.EQ: a == b, where.NE: a != b,
                }  # fmt: skip
                stack.append(float(table[op]))
    return stack == [1.0]


def number(random: Random, depth: int) -> str:
    if depth == 0 or random.random() < 0.3:
        return random.choice(("0", "1", "2.5", "3k", "10ms", *VARIABLES))
    if random.random() < 0.1:
        return f"-{number(random, depth - 1)}"
    return f"({number(random, depth - 1)} {random.choice('+-*/')} {number(random, depth - 1)})"


def truth(random: Random, depth: int) -> str:
    if depth == 0 or random.random() < 0.3:
        return f"{number(random, 2)} {random.choice(('<', '<=', '>', '>=', '==', '!='))} {number(random, 2)}"
    if random.random() < 0.2:
        return f"not ({truth(random, depth - 1)})"
    return f"({truth(random, depth - 1)}) {random.choice(('and', 'or'))} ({truth(random, depth - 1)})"


@pytest.mark.parametrize("seed", range(4))
def test_batches_agree_with_plain_evaluation(seed: int) -> None:
    random = Random(seed)
    for _ in range(150):
        text = truth(random, 4)
        rows = [
            {name: random.choice((NAN, 0, 1, 2.5, 3000, 0.01, 7)) for name in VARIABLES}
            for _ in range(random.choice((1, 3, 255, 256, 257, 600)))
        ]
        try:
            program = where.parse(text, 0, len(text))
        except Mistake as mistake:
            assert "a time" in mistake.message
            continue
        assert run(text, rows) == [plain(program, row) for row in rows], text


def test_no_flows_is_no_work() -> None:
    evaluate(array("B", [0]), array("d", [1]), array("d"), array("B"))


@pytest.mark.parametrize(
    ("ops", "args", "columns", "message"),
    [
        ([0], [], [1], "arguments"),
        ([0], [1], [1, 2, 3], "multiple of 2"),
        ([0], [1], [], "multiple of 2"),
        ([], [], [1, 2], "empty"),
        ([99], [0], [1, 2], "malformed"),
        ([where.ADD], [0], [1, 2], "malformed"),
        ([where.NOT], [0], [1, 2], "malformed"),
        ([where.CONST, where.CONST], [0, 0], [1, 2], "malformed"),
        ([where.VAR], [1], [1, 2], "malformed"),
        ([where.VAR], [-1], [1, 2], "malformed"),
        ([where.VAR], [NAN], [1, 2], "malformed"),
    ],
)
def test_wrong_programs_are_refused(ops: list[int], args: list[float], columns: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(array("B", ops), array("d", args), array("d", columns), array("B", [0, 0]))


def test_operations_are_numbered_alike() -> None:
    names = ["CONST", "VAR", "ADD", "SUB", "MUL", "DIV", "NEG", "LT", "LE", "GT", "GE", "EQ", "NE", "AND", "OR", "NOT"]
    assert [getattr(where, name) for name in names] == list(range(16))
