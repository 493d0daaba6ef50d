# SPDX-License-Identifier: LGPL-2.1-or-later
"""Think codes: a think time in microseconds, squeezed monotonically into 15 bits.

A flow keeps a think time for each packet of its history, so the code must be small; a person compares it with times
written in a signature, so the steps are decimal: each pause of at most three significant digits (four below 10 ms and
between 100 ms and 1 s) is the exact lower end of a step, and `+400ms` means 400.0 ms.

    time               step        codes
    0 - 10 ms          1 us        0 ... 9,999
    10 ms - 100 ms     10 us       10,000 ... 18,999
    100 ms - 1 s       100 us      19,000 ... 27,999
    1 s - 10 s         10 ms       28,000 ... 28,899
    10 s - 100 s       100 ms      28,900 ... 29,799
    100 s - 1,000 s    1 s         29,800 ... 30,699
    1,000 s and more   10 s        30,700 ... 31,599 (all from 9,990 s)

The engine has the same function in Cython; a test compares the two.
"""

from bisect import bisect_right

MAX = 31_599

_BANDS = (
    (0, 1, 0),
    (10_000, 10, 10_000),
    (100_000, 100, 19_000),
    (1_000_000, 10_000, 28_000),
    (10_000_000, 100_000, 28_900),
    (100_000_000, 1_000_000, 29_800),
    (1_000_000_000, 10_000_000, 30_700),
)
_TIMES = [band[0] for band in _BANDS]
_CODES = [band[2] for band in _BANDS]


def encode(microseconds: int) -> int:
    """Return the code (0..MAX) of a think time >= 0 in microseconds; times are rounded down to their step."""
    start, step, code = _BANDS[bisect_right(_TIMES, microseconds) - 1]
    return min(code + (microseconds - start) // step, MAX)


def decode(code: int) -> int:
    """Return the shortest think time, in microseconds, that has this code (0..MAX)."""
    start, step, first = _BANDS[bisect_right(_CODES, code) - 1]
    return start + (code - first) * step


def describe(code: int) -> str:
    """Return the time of a code as a signature writes it: "400ms", "2s", "1.5s"."""
    return write(decode(code))


def write(microseconds: int) -> str:
    """Return a time as a signature writes it, in the largest of us, ms, s whose number is at least 1."""
    for unit, size in (("s", 1_000_000), ("ms", 1_000)):
        if microseconds >= size:
            whole, rest = divmod(microseconds, size)
            fraction = f"{rest:0{len(str(size)) - 1}d}".rstrip("0")
            return f"{whole}.{fraction}{unit}" if fraction else f"{whole}{unit}"
    return f"{microseconds}us" if microseconds else "0s"
