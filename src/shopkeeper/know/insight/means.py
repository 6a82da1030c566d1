"""Means of skewed money and ratios of sums over customers, with intervals."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.know.insight.shares import wilson

_LEAST = 3
_FEW = 10
"""Fewer values than this tell nothing of a skewed column's spread."""


class Estimate(Struct, frozen=True):
    """A figure with its 95 % interval (or the asked one); limits are None where too few tell of it."""

    value: float
    low: float | None
    high: float | None
    n: int
    """Customers it rests on."""


def mean(values: NDArray[np.float64], alpha: float = 0.05) -> Estimate:
    """The mean of a skewed column, with the interval of Hall (1992), "On the removal of skewness by transformation".

    Money spent is skewed to the right; the usual interval then misses on the upper side. Hall's is the usual one bent
    by the column's own skewness.

    >>> seen = mean(np.array([1.0, 2.0, 2.0, 3.0, 30.0] * 4))
    >>> round(seen.value, 1), round(seen.low, 1), round(seen.high, 1)
    (7.6, 3.2, 15.2)
    """
    from scipy.special import stdtrit

    n = values.size
    if n < _FEW:
        return Estimate(float(values.mean()) if n else 0.0, None, None, n)
    middle, spread = float(values.mean()), float(values.std(ddof=1))
    if spread == 0:
        return Estimate(middle, middle, middle, n)
    skew = float((((values - middle) / spread) ** 3).mean())
    limits = []
    for quantile in (stdtrit(n - 1, 1 - alpha / 2), stdtrit(n - 1, alpha / 2)):
        bent = float(quantile)
        if abs(skew) > 1e-6:
            root = np.sqrt(n)
            bent = float(3 * root / skew * (np.cbrt(1 + skew / root * (bent - skew / (6 * root))) - 1))
        limits.append(middle - bent * spread / np.sqrt(n))
    return Estimate(middle, float(limits[0]), float(limits[1]), n)


def share_of_sums(
    part: NDArray[np.float64], whole: NDArray[np.float64], who: NDArray[np.int64], alpha: float = 0.05
) -> Estimate:
    """``sum(part) / sum(whole)`` over rows that belong to customers, whose rows are alike and count as one draw.

    The variance is that of a ratio of customers' totals (Taylor, as for a cluster sample; Cochran 1977, 6.4). Where
    every row's whole is the same (a share of orders) the interval is Wilson's with the effective number of rows (Korn
    and Graubard 1998), which stays within 0 and 1; otherwise the usual one.

    >>> one = np.ones(4)
    >>> round(share_of_sums(np.array([1.0, 1.0, 0.0, 0.0]), one, np.array([1, 1, 2, 3])).value, 2)
    0.5
    """
    from scipy.special import stdtrit

    total = float(whole.sum())
    people, at = np.unique(who, return_inverse=True)
    n = people.size
    if not total:
        return Estimate(0.0, None, None, n)
    share = float(part.sum()) / total
    if n < _LEAST:
        return Estimate(share, None, None, n)
    off = np.bincount(at, part - share * whole)
    variance = n / (n - 1) * float((off**2).sum()) / total**2
    z = float(stdtrit(n - 1, 1 - alpha / 2))
    if np.ptp(whole) == 0 and whole[0] > 0 and ((part >= 0) & (part <= whole)).all():
        rows = share * (1 - share) / variance if variance > 0 else n
        rows = min(rows, whole.size)
        low, high = wilson(share * rows, rows, z)
        return Estimate(share, float(low), float(high), n)
    return Estimate(share, share - z * variance**0.5, share + z * variance**0.5, n)


def mean_per_row(part: NDArray[np.float64], who: NDArray[np.int64], alpha: float = 0.05) -> Estimate:
    """The mean of rows that belong to customers, whose rows are alike: of a difference of two flags, for one."""
    from scipy.special import stdtrit

    people, at = np.unique(who, return_inverse=True)
    n = people.size
    middle = float(part.mean()) if part.size else 0.0
    if n < _LEAST:
        return Estimate(middle, None, None, n)
    off = np.bincount(at, part - middle)
    error = (n / (n - 1) * float((off**2).sum())) ** 0.5 / part.size
    z = float(stdtrit(n - 1, 1 - alpha / 2))
    return Estimate(middle, middle - z * error, middle + z * error, n)
