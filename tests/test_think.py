# SPDX-License-Identifier: LGPL-2.1-or-later
"""Think codes: monotone, exact where people write thresholds, and their own inverse at the lower end of a step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigdb import think

TIMES = st.one_of(st.integers(0, 10**11), *(st.integers(10**n - 50, 10**n + 50) for n in range(2, 11)))


@pytest.mark.parametrize(
    ("microseconds", "code"),
    [
        (0, 0),
        (1, 1),
        (9_999, 9_999),
        (10_000, 10_000),
        (10_009, 10_000),
        (10_010, 10_001),
        (60_000, 15_000),
        (99_999, 18_999),
        (100_000, 19_000),
        (400_000, 22_000),
        (999_999, 27_999),
        (1_000_000, 28_000),
        (2_000_000, 28_100),
        (9_999_999, 28_899),
        (10_000_000, 28_900),
        (99_999_999, 29_799),
        (100_000_000, 29_800),
        (999_999_999, 30_699),
        (1_000_000_000, 30_700),
        (9_990_000_000, 31_599),
        (10_000_000_000, 31_599),
        (10**18, 31_599),
    ],
)
def test_encode(microseconds: int, code: int) -> None:
    assert think.encode(microseconds) == code


def test_every_code_decodes_to_the_start_of_its_step() -> None:
    times = [think.decode(code) for code in range(think.MAX + 1)]
    assert times == sorted(set(times))
    assert [think.encode(time) for time in times] == list(range(think.MAX + 1))
    assert [think.encode(time - 1) for time in times[1:]] == list(range(think.MAX))


@given(TIMES, TIMES)
def test_monotone(a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert 0 <= think.encode(low) <= think.encode(high) <= think.MAX


@given(TIMES)
def test_a_step_is_at_most_one_percent(time: int) -> None:
    start = think.decode(think.encode(time))
    assert start <= time
    assert time > think.decode(think.MAX) or time - start <= time / 100


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "0s"), (7, "7us"), (1500, "1.5ms"), (15_000, "60ms"), (22_000, "400ms"), (28_050, "1.5s"), (31_599, "9990s")],
)
def test_describe(code: int, text: str) -> None:
    assert think.describe(code) == text
