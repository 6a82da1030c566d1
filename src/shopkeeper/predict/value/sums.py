"""The range of what several customers are worth together, from the mean and the variance of their sum.

Many customers make a normal sum; of a few, most of whom may bring nothing, it is skewed and never below nothing. The
gamma distribution with the same mean and variance is both: for a sum far above its deviation it is the normal one.
A sum of losses is the same below nothing. Where some are expected to be a gain and others a loss, both of some size,
the sum may be either and the normal range is kept.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

from shopkeeper.predict.value.history import Floats

_NORMAL: Final = 1e6
"""Squared ratio of mean and deviation from which on the two distributions are one."""
_NOTHING: Final = 1e-6
"""The same below which nearly everything is nothing."""


_SOME_SIZE: Final = 0.1
"""Share of the larger of gains and losses from which on the smaller counts."""


def of_both_signs(parts: Floats) -> bool:
    """Say whether some parts of a sum are expected to be a gain and others a loss, both of some size.

    >>> import numpy as np
    >>> of_both_signs(np.array([5.0, 3.0])), of_both_signs(np.array([5.0, -3.0])), of_both_signs(np.array([5.0, -0.1]))
    (False, True, False)
    """
    gains, losses = float(parts[parts > 0].sum()), -float(parts[parts < 0].sum())
    return min(gains, losses) > _SOME_SIZE * max(gains, losses)


def range_of_sum(
    mean: float, variance: float, level: float, *, both_signs: bool = False
) -> tuple[float, float]:
    """Give the bounds within which the sum lies with probability ``level``, with the mean between them.

    ``both_signs`` says that it is of gains and of losses (`of_both_signs`).

    >>> [round(bound) for bound in range_of_sum(100.0, 100.0**2, 0.8)]  # one customer
    [11, 230]
    >>> [round(bound) for bound in range_of_sum(10_000.0, 1_000_000.0, 0.8)]  # a hundred of them
    [8742, 11301]
    >>> [round(bound) for bound in range_of_sum(-100.0, 100.0**2, 0.8)]  # one who sends back more than is kept
    [-230, -11]
    """
    from scipy.special import gammaincinv, ndtri

    tail = (1.0 - level) / 2.0
    if variance <= 0:
        return mean, mean
    if mean < 0 and not both_signs:
        low, high = range_of_sum(-mean, variance, level)
        return -high, -low
    if mean == 0 or both_signs or mean / variance * mean > _NORMAL:
        width = float(ndtri(1.0 - tail)) * sqrt(variance)
        return mean - width, mean + width
    shape = mean / variance * mean
    if shape < _NOTHING:
        return 0.0, mean
    scale = variance / mean
    low, high = (float(gammaincinv(shape, at)) * scale for at in (tail, 1.0 - tail))
    return min(low, mean), max(high, mean)
