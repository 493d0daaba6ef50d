# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exact binomial (Clopper-Pearson) confidence intervals of a proportion."""

from math import exp, lgamma, log, log1p

_TINY = 1e-300
_STEPS = 10_000


def clopper_pearson(right: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of `right` of `total` at a confidence `level`; (0, 1) when there is nothing to go by.

    C. J. Clopper, E. S. Pearson, Biometrika 26 (1934): its ends are the proportions at which as many, or as few, as
    were counted would come up with a probability of (1 - level) / 2. Raises ValueError for impossible numbers.
    """
    if not 0 <= right <= total or not 0 < level < 1:
        raise ValueError(f"{right} of {total} at {level}: expected 0 <= right <= total and 0 < level < 1")
    tail = (1 - level) / 2
    low = 0.0 if right == 0 else _solve(right, total, tail)
    high = 1.0 if right == total else _solve(right + 1, total, 1 - tail)
    return low, high


def at_least(count: int, total: int, proportion: float) -> float:
    """Return the probability of `count` or more of `total`, each with `proportion`.

    It is the regularised incomplete beta function I_p(count, total - count + 1), NIST DLMF 8.17.5.
    """
    if count <= 0:
        return 1.0
    if count > total or proportion <= 0:
        return 0.0
    if proportion >= 1:
        return 1.0
    a, b = float(count), float(total - count + 1)
    if proportion > (a + 1) / (a + b + 2):  # where the fraction converges slowly, its mirror image does not
        return 1 - _beta(b, a, 1 - proportion)
    return _beta(a, b, proportion)


def _solve(count: int, total: int, wanted: float) -> float:
    """Return the proportion at which `count` or more of `total` have the probability `wanted`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if at_least(count, total, middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(a: float, b: float, x: float) -> float:
    """Return I_x(a, b) by its continued fraction (NIST DLMF 8.17.22), worked out with Lentz's method."""
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    ratio, value = 1.0, 1.0
    below = 1 - (a + b) * x / (a + 1)
    below = 1 / (below if abs(below) > _TINY else _TINY)
    value = below
    for m in range(1, _STEPS):
        before = value
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            below = 1 + term * below
            below = 1 / (below if abs(below) > _TINY else _TINY)
            ratio = 1 + term / ratio
            ratio = ratio if abs(ratio) > _TINY else _TINY
            value *= below * ratio
        if abs(value - before) <= 1e-15 * abs(value):
            break
    return front * value
