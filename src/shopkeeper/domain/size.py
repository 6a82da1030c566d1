"""How many customers a condition is true of, and what they are worth: known exactly, or estimated from a sample."""

from __future__ import annotations

from datetime import datetime
from math import sqrt

from msgspec import Struct

_Z = 1.959963984540054
"""Standard errors on either side of an interval of 95 %."""


class Size(Struct, frozen=True, kw_only=True):
    """What a condition comes to. Money is in units of the reporting currency, shares are of all customers."""

    customers: int
    of: int
    """Customers there are."""
    share: float
    expected: float
    """Contribution margin they are expected to bring within the horizon."""
    expected_share: float
    margin: float
    """Contribution margin they brought so far."""
    currency: str
    as_of: datetime
    exact: bool = True
    low: int
    high: int
    """Between how many customers it is: 95 % of such intervals hold the true number. The number itself where exact."""
    expected_low: float
    expected_high: float


def proportion(met: int, asked: int, of: int) -> tuple[float, float]:
    """Wilson's interval of 95 % for the share of ``of`` that has what ``met`` of ``asked`` drawn ones have.

    The variance is that of drawing without putting back (finite population correction). Source: Wilson, Probable
    inference, the law of succession, and statistical inference, JASA 22 (1927).

    >>> low, high = proportion(0, 100, 10_000)
    >>> low, round(high, 3)
    (0.0, 0.037)
    >>> proportion(3, 10, 10)
    (0.3, 0.3)
    """
    if asked == 0:
        return 0.0, 1.0
    share = met / asked
    z2 = _Z * _Z * (of - asked) / max(of - 1, 1)
    middle = (share + z2 / (2 * asked)) / (1 + z2 / asked)
    half = sqrt(z2 * (share * (1 - share) / asked + z2 / (4 * asked * asked))) / (1 + z2 / asked)
    low, high = middle - half, middle + half
    return (0.0 if met == 0 else max(low, 0.0)), (1.0 if met == asked else min(high, 1.0))


def total(sum_: float, squares: float, asked: int, of: int) -> tuple[float, float, float]:
    """A total of ``of`` customers, and its interval of 95 %, from the sum and the sum of squares of ``asked`` ones.

    >>> total(10.0, 30.0, 10, 10)
    (10.0, 10.0, 10.0)
    """
    if asked == 0:
        return 0.0, 0.0, 0.0
    mean = sum_ / asked
    variance = max(squares / asked - mean * mean, 0.0) * asked / max(asked - 1, 1)
    half = _Z * of * sqrt(variance / asked * (1 - asked / of))
    return mean * of, mean * of - half, mean * of + half
