"""Two shares compared: intervals for each, for their difference and for their ratio, and a test.

All functions take arrays of counts and work on many facts at once: ``k`` of ``n``. ``z`` is the normal quantile of the
wanted level and may differ from fact to fact.

Sources: Wilson (1927) for one share; Newcombe (1998), "Interval estimation for the difference between independent
proportions", method 10, for the difference; Donner and Zou (2012), "Closed-form confidence intervals for functions of
the normal mean and standard deviation", for the ratio of the same two Wilson intervals (MOVER-R), so that difference
and ratio never contradict each other by more than rounding; Pearson's chi-square for the test, Fisher's exact one
where fewer than five are expected somewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_FEW = 5.0
"""Expected counts below this are no matter for chi-square (Cochran 1954)."""


def wilson(k: ArrayLike, n: ArrayLike, z: ArrayLike = 1.959964) -> tuple[Floats, Floats]:
    """Wilson's interval of a share. ``n`` may be an effective number and need not be whole.

    >>> low, high = wilson([0, 81], [20, 263])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.2553], [0.1611, 0.3662])
    """
    k, n, z = (np.asarray(a, float) for a in (k, n, z))
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        middle = p + z**2 / (2 * n)
        spread = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        low, high = (middle - spread) / (1 + z**2 / n), (middle + spread) / (1 + z**2 / n)
    return np.where(k <= 0, 0.0, np.clip(low, 0, 1)), np.where(k >= n, 1.0, np.clip(high, 0, 1))


def difference(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, z: ArrayLike = 1.959964
) -> tuple[Floats, Floats]:
    """Newcombe's interval of ``k1/n1 - k2/n2`` (his method 10, from two Wilson intervals).

    The first example of Newcombe's table II, 56/70 against 48/80:

    >>> low, high = difference(56, 70, 48, 80)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    k1, n1, k2, n2 = (np.asarray(a, float) for a in (k1, n1, k2, n2))
    p1, p2 = k1 / n1, k2 / n2
    l1, u1 = wilson(k1, n1, z)
    l2, u2 = wilson(k2, n2, z)
    return (
        p1 - p2 - np.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2),
        p1 - p2 + np.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2),
    )


def ratio(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, z: ArrayLike = 1.959964
) -> tuple[Floats, Floats]:
    """The interval of ``(k1/n1) / (k2/n2)`` from the same two Wilson intervals. Infinite above where ``k2`` is 0.

    >>> low, high = ratio([56, 3], [70, 50], [48, 0], [80, 50])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([1.078, 0.634], [1.663, inf])
    """
    k1, n1, k2, n2 = (np.asarray(a, float) for a in (k1, n1, k2, n2))
    p1, p2 = k1 / n1, k2 / n2
    l1, u1 = wilson(k1, n1, z)
    l2, u2 = wilson(k2, n2, z)
    product = p1 * p2
    below = np.sqrt(np.maximum(product**2 - l1 * u2 * (2 * p1 - l1) * (2 * p2 - u2), 0))
    above = np.sqrt(np.maximum(product**2 - u1 * l2 * (2 * p1 - u1) * (2 * p2 - l2), 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        # The lower limit's usual form divides two numbers near zero; this one is the same and does not.
        low = np.where(k1 <= 0, 0.0, l1 * (2 * p1 - l1) / (product + below))
        high = np.where(k2 <= 0, np.inf, (product + above) / (l2 * (2 * p2 - l2)))
    return low, high


def cohen_h(p1: ArrayLike, p2: ArrayLike) -> Floats:
    """Difference of two shares on the arcsine scale (Cohen 1988): 0.2 is small, 0.5 medium, 0.8 large.

    >>> cohen_h([0.18, 0.6], [0.08, 0.5]).round(2).tolist()
    [0.3, 0.2]
    """
    one, two = (np.clip(np.asarray(p, float), 0, 1) for p in (p1, p2))
    return np.asarray(2 * np.arcsin(np.sqrt(one)) - 2 * np.arcsin(np.sqrt(two)))


def effect_limits(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, z: ArrayLike = 1.959964
) -> tuple[Floats, Floats]:
    """Cohen's h at the two ends of the difference's interval: of the two shares moved towards (and away from) each
    other until their difference is the limit, each by its part of the interval's width. Holds zero when the
    difference does.

    >>> low, high = effect_limits(56, 70, 48, 80)
    >>> round(float(low), 3), round(float(high), 3)
    (0.114, 0.739)
    """
    k1, n1, k2, n2 = (np.asarray(a, float) for a in (k1, n1, k2, n2))
    p1, p2 = k1 / n1, k2 / n2
    l1, u1 = wilson(k1, n1, z)
    l2, u2 = wilson(k2, n2, z)
    ends = []
    for one, two, sign in ((p1 - l1, u2 - p2, -1), (u1 - p1, p2 - l2, 1)):
        width = np.sqrt(one**2 + two**2)
        with np.errstate(invalid="ignore", divide="ignore"):
            own, other = (np.where(width > 0, part**2 / width, 0.0) for part in (one, two))
        ends.append(cohen_h(p1 + sign * own, p2 - sign * other))
    return ends[0], ends[1]


def p_values(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike) -> Floats:
    """Two-sided p-values of equal shares.

    >>> p_values([56, 3, 5], [70, 4, 10], [48, 0, 5], [80, 5, 10]).round(4).tolist()
    [0.008, 0.0476, 1.0]
    """
    from scipy.special import chdtrc

    counts = [np.atleast_1d(np.asarray(a, float)) for a in (k1, n1, k2, n2)]
    a, m, b, n = np.broadcast_arrays(*counts)
    total, hits = m + n, a + b
    with np.errstate(invalid="ignore", divide="ignore"):
        square = (a * n - b * m) ** 2 * total / (hits * (total - hits) * m * n)
        expected = np.minimum(hits, total - hits) * np.minimum(m, n) / total
    p = np.asarray(chdtrc(1, np.nan_to_num(square, nan=0.0)), float)
    for at in np.flatnonzero((expected < _FEW) & (hits > 0) & (hits < total)):
        p[at] = fisher(int(a[at]), int(m[at]), int(b[at]), int(n[at]))
    return p


def fisher(k1: int, n1: int, k2: int, n2: int) -> float:
    """Fisher's exact test, two-sided by the sum of all tables no likelier than the one seen.

    >>> round(fisher(3, 4, 1, 4), 4)
    0.4857
    """
    hits, total = k1 + k2, n1 + n2
    count = np.arange(max(0, hits - n2), min(hits, n1) + 1)
    chance = np.exp(_log_choose(n1, count) + _log_choose(n2, hits - count) - _log_choose(total, hits))
    seen = chance[k1 - int(count[0])]
    return float(min(1.0, chance[chance <= seen * (1 + 1e-7)].sum()))


def _log_choose(n: ArrayLike, k: ArrayLike) -> NDArray[Any]:
    from scipy.special import gammaln

    n, k = np.asarray(n, float), np.asarray(k, float)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
