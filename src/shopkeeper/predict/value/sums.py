"""The range of what several customers are worth together, from the mean and the variance of their sum.

Many customers make a normal sum; of a few, most of whom may bring nothing, it is skewed and never below nothing. The
gamma distribution with the same mean and variance is both: for a sum far above its deviation it is the normal one.
A sum expected to be a loss, or none, keeps the normal range.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

_NORMAL: Final = 1e6
"""Squared ratio of mean and deviation from which on the two distributions are one."""
_NOTHING: Final = 1e-6
"""The same below which nearly everything is nothing."""


def range_of_sum(mean: float, variance: float, level: float) -> tuple[float, float]:
    """Give the bounds within which the sum lies with probability ``level``, with the mean between them.

    >>> [round(bound) for bound in range_of_sum(100.0, 100.0**2, 0.8)]  # one customer
    [11, 230]
    >>> [round(bound) for bound in range_of_sum(10_000.0, 1_000_000.0, 0.8)]  # a hundred of them
    [8742, 11301]
    """
    from scipy.special import gammaincinv, ndtri

    tail = (1.0 - level) / 2.0
    if variance <= 0:
        return mean, mean
    if mean <= 0 or mean / variance * mean > _NORMAL:
        width = float(ndtri(1.0 - tail)) * sqrt(variance)
        return mean - width, mean + width
    shape = mean / variance * mean
    if shape < _NOTHING:
        return 0.0, mean
    scale = variance / mean
    low, high = (float(gammaincinv(shape, at)) * scale for at in (tail, 1.0 - tail))
    return min(low, mean), max(high, mean)
