"""How many customers a condition is true of, and what they are worth: known exactly, or estimated from a sample."""

from __future__ import annotations

from datetime import datetime
from math import exp, log, log1p, sqrt
from typing import Final

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


class Amounts(Struct, frozen=True):
    """What is kept of a group's amounts: of those above 0, or, turned round, of those below."""

    count: float = 0
    total: float = 0.0
    squares: float = 0.0
    roots: float = 0.0
    """Sum of their square roots."""
    logs: float = 0.0
    """Sum of their logarithms, each as often as its square root says; and of the squares of these."""
    logs2: float = 0.0

    @property
    def spread(self) -> float:
        """Variance of the logarithms, amounts weighted by their square roots so that tiny ones do not say what the
        total depends on. Of log-normal amounts it is the same under any such weights.
        """
        return max(self.logs2 / self.roots - (self.logs / self.roots) ** 2, 0.0) if self.roots else 0.0

    @property
    def peaks(self) -> float:
        """The mean square over the square of the mean: 1 where all are equal."""
        return self.count * self.squares / self.total**2 if self.total else 1.0


_OTHERS: Final = 10
"""Members for which the spread of everybody's amounts counts beside a group's own."""
_MOST: Final = 50.0
"""A spread of logarithms beyond which nothing can be said."""


def total(seen: Amounts, everybody: Amounts, asked: int, of: int) -> tuple[float, float]:
    """An interval of 95 % for the total of a group among ``of`` customers, of whom ``asked`` were drawn; ``seen`` are
    the amounts of the drawn ones who are in the group, ``everybody`` those of all who were drawn.

    What a few members add up to says little of what the others do: amounts are skewed, and the few that are most of a
    total are mostly not among those drawn. So the total is taken for log-normal (Fenton, The sum of log-normal
    probability distributions in scatter transmission systems, 1960), which gives an interval that is longer above. Its
    variance is the larger of what log-normal amounts with the group's spread of logarithms would have and of what the
    group's own squares say; both drawn towards everybody's spread as if that had been seen in 10 further members. The
    number of members varies, too: a sum of so many terms has the variance of its second moment. Where nobody of the
    group was drawn it may hold as many as Wilson's interval allows, each with everybody's mean.

    >>> one = Amounts(4, 40.0, 400.0, 4 * 10**0.5, 0.0, 0.0)
    >>> low, high = total(one, one, 40, 4_000)
    >>> low > 1_000, low < 4_000 < high, high < 16_000
    (True, True, True)
    >>> total(one, one, 40, 40)
    (40.0, 40.0)
    """
    if not asked or not everybody.count:
        return 0.0, 0.0
    if asked >= of:
        return seen.total, seen.total
    _, most = _of_amounts(everybody, everybody, asked, of)
    low, high = _of_amounts(seen, everybody, asked, of)
    return low, min(high, most)


def _of_amounts(seen: Amounts, everybody: Amounts, asked: int, of: int) -> tuple[float, float]:
    if not seen.count or not seen.roots:
        _, share = proportion(0, asked, of)
        return 0.0, share * of * everybody.total / everybody.count
    count = seen.count
    spread = (count * seen.spread + _OTHERS * everybody.spread) / (count + _OTHERS)
    peaks = (count * seen.peaks + _OTHERS * everybody.peaks) / (count + _OTHERS)
    as_logs = exp(0.75 * min(spread, _MOST)) * seen.total / seen.roots**2
    variance = log1p(max(as_logs, peaks / count) * (1 - asked / of))
    middle = log(seen.total) + log(of / asked) + variance / 2
    half = _Z * sqrt(variance)
    return max(seen.total, exp(middle - half)), exp(min(middle + half, 700.0))


def difference(more: tuple[float, float, float], less: tuple[float, float, float]) -> tuple[float, float]:
    """An interval for one total less another, each given as (estimate, low, high).

    Source: Zou and Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008).

    >>> difference((10.0, 8.0, 15.0), (0.0, 0.0, 0.0))
    (8.0, 15.0)
    """
    (one, low, high), (other, least, most) = more, less
    return (
        one - other - sqrt((one - low) ** 2 + (most - other) ** 2),
        one - other + sqrt((high - one) ** 2 + (other - least) ** 2),
    )
