"""The rules that every model has to beat: repeat rate x window, last period = next period, hiatus.

Each has a full predictive distribution, so that it can be used where it wins. A rule says that somebody who bought
n times within L goes on at n/L; the rate is taken as Gamma(n, L), whose mean that is, so that the purchases to come
are negative binomial. The rules know no dropout, so they say nothing about P(alive).

* *Repeat rate*: n is the number of repeat purchases, L the time the shop was observed. L is the same for everybody,
  which is kind to newcomers' variance: dividing by a customer's own few weeks makes one lucky repeat a weekly habit.
* *Last period*: n is the number of purchases, the first one too, in the last period, which is as long as the one
  asked for where the shop has been observed for that long.
* *Hiatus*: silent for longer than a limit means gone; all others go on at their repeat rate. Wübben and Wangenheim
  (2008), Instant Customer Base Analysis: Managerial Heuristics Often "Get It Right", take the limit from managers;
  here it is the one that told active from inactive best in the shop's own last period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.predict.value.history import Floats, Ints, checked, column

_LIMITS = 40


@dataclass(frozen=True, slots=True)
class SteadyFuture:
    """Purchases to come at the customer's own rate so far: ``frequency`` of them within ``observed``."""

    frequency: Floats
    observed: float

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``."""
        return np.asarray(self.frequency * self._share(t))

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit."""
        return self.mean(t if rate == 0 else -np.expm1(-rate * np.asarray(t)) / rate)

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t``."""
        mean = self.mean(t)
        return np.asarray(mean * (1.0 + self._share(t)) + mean**2)

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""
        from scipy.special import betainc

        share = self._share(t)
        buys = (self.frequency > 0) & (np.asarray(share) > 0)
        return np.where(buys, betainc(k, np.where(buys, self.frequency, 1.0), share / (1.0 + share)), 0.0)

    def take(self, rows: Ints) -> SteadyFuture:
        """Give the future of some of the customers."""
        return SteadyFuture(self.frequency[rows], self.observed)

    def _share(self, t: float | Floats) -> Floats:
        return np.asarray(t) / self.observed if self.observed > 0 else np.zeros_like(t, dtype=np.float64)


class RepeatRate(msgspec.Struct, frozen=True, kw_only=True, tag_field="model", tag="repeat_rate"):
    """Repeat rate x window, for a shop ``observed`` for so long (in the unit of the histories).

    >>> RepeatRate(observed=8.0).future(frequency=[4], recency=[7.0], T=[8.0]).mean(2.0).tolist()
    [1.0]
    """

    observed: float

    name: ClassVar[str] = "repeat rate x window"

    def future(self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> SteadyFuture:
        """Give the future of customers with these histories."""
        return SteadyFuture(checked(frequency, recency, T).frequency, self.observed)


class LastPeriod(msgspec.Struct, frozen=True, kw_only=True, tag_field="model", tag="last_period"):
    """The last period comes again; ``period`` is its length.

    >>> LastPeriod(period=4.0).of_counts([3, 0]).mean(8.0).tolist()
    [6.0, 0.0]
    """

    period: float

    name: ClassVar[str] = "last period = next period"

    def of_counts(self, purchases: ArrayLike) -> SteadyFuture:
        """Give the future of customers with so many ``purchases`` in the last period."""
        return SteadyFuture(column("purchases", purchases), self.period)


class Hiatus(msgspec.Struct, frozen=True, kw_only=True, tag_field="model", tag="hiatus"):
    """Who was silent for longer than ``limit`` is gone, all others keep their repeat rate; one unit for all times.

    >>> rule = Hiatus(limit=3.0, observed=8.0)
    >>> rule.future(frequency=[4, 4], recency=[7.0, 2.0], T=[8.0, 8.0]).mean(2.0).tolist()
    [1.0, 0.0]
    """

    limit: float
    observed: float

    name: ClassVar[str] = "hiatus"

    def future(self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> SteadyFuture:
        """Give the future of customers with these histories."""
        history = checked(frequency, recency, T)
        active = history.T - history.recency <= self.limit
        return SteadyFuture(np.where(active, history.frequency, 0.0), self.observed)


def hiatus_limit(silence: Floats, came_back: NDArray[np.bool_]) -> float:
    """Give the silence that tells best who came back from who did not; the shortest if equal.

    Best is the mean of two shares told right, of those who came back and of those who did not: where few come back,
    the share of all told right is highest for a rule that takes everybody as gone.

    >>> hiatus_limit(np.array([1.0, 2.0, 8.0, 9.0]), np.array([True, True, False, False]))
    2.0
    """
    if not silence.size:
        return 0.0
    limits = np.unique(np.quantile(silence, np.linspace(0.0, 1.0, _LIMITS), method="inverted_cdf"))
    back, gone = np.sort(silence[came_back]), np.sort(silence[~came_back])
    kept = np.searchsorted(back, limits, side="right") / max(back.size, 1)
    told = 1.0 - np.searchsorted(gone, limits, side="right") / max(gone.size, 1)
    return float(limits[int(np.argmax(kept + told))])
