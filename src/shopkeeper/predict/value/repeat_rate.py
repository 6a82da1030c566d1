"""The rule every model has to beat: repeat rate x window.

Whoever came back x times while the shop was observed for L goes on at x/L. L is the same for everybody,
which is kind to newcomers' variance: dividing by a customer's own few weeks makes one lucky repeat a weekly
habit. To give a range too, the rate is taken as Gamma(x, L): its mean is x/L, and the purchases to come are
negative binomial. The rule knows no dropout, so it says nothing about P(alive).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.predict.value.history import Floats, Ints, checked


@dataclass(frozen=True, slots=True)
class SteadyFuture:
    """Purchases to come at the customer's own rate so far."""

    frequency: Floats
    observed: float

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``."""
        return np.asarray(self.frequency * self._share(t))

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit."""
        return self.mean(t if rate == 0 else np.asarray(-np.expm1(-rate * np.asarray(t)) / rate))

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t``."""
        mean = self.mean(t)
        return mean * (1.0 + self._share(t)) + mean**2

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""
        from scipy.special import betainc

        share = self._share(t)
        buys = (self.frequency > 0) & (share > 0)
        return np.where(buys, betainc(k, np.where(buys, self.frequency, 1.0), share / (1.0 + share)), 0.0)

    def take(self, rows: Ints) -> SteadyFuture:
        """Give the future of some of the customers."""
        return SteadyFuture(self.frequency[rows], self.observed)

    def _share(self, t: float | Floats) -> Floats:
        return np.asarray(t / self.observed if self.observed > 0 else np.zeros(np.shape(t)))


class RepeatRate(msgspec.Struct, frozen=True, kw_only=True, tag_field="model", tag="repeat_rate"):
    """The rule, for a shop ``observed`` for so long (in the unit of the histories). It has nothing to fit.

    >>> RepeatRate(observed=8.0).future(frequency=[4], recency=[7.0], T=[8.0]).mean(2.0).tolist()
    [1.0]
    """

    observed: float

    name: ClassVar[str] = "repeat rate x window"

    def future(self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> SteadyFuture:
        """Give the future of customers with these histories."""
        return SteadyFuture(checked(frequency, recency, T).frequency, self.observed)
