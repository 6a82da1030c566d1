"""The level of all customers together: it differs from window to window, and nobody knows it ahead.

Customers are many, windows few: what the origins in the past say of one customer's chance they say thousands of times,
but how far all were above or below what was foretold they say five times. So the two are told apart. At each origin
the level is what came over what was foretold, in sum; distributions are learned at that level (as if time had run
faster or slower), and the level to come is uncertain: half the mean of the past levels (what was missed there is part
lasting error, part season of those weeks), with the spread they had around that, drawn to what is usual: a fifth up
or down, which is worth two windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.model import Future

_KEPT = 0.5
_USUAL = 0.2
_WORTH = 2.0
_MOST = 0.5
# Three points that have the moments of a normal distribution up to the fifth (Gauss-Hermite).
_POINTS = ((-np.sqrt(3.0), 1.0 / 6.0), (0.0, 2.0 / 3.0), (np.sqrt(3.0), 1.0 / 6.0))


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """The logarithm of the level to come is taken as normal: its mean and its standard deviation."""

    mean: float = 0.0
    deviation: float = 0.0

    @property
    def factors(self) -> tuple[float, ...]:
        """The levels that stand for all that may come, to be averaged by `mixed`."""
        return tuple(float(np.exp(self.mean + point * self.deviation)) for point, _ in _POINTS)


def mixed(values: Sequence[Floats]) -> Floats:
    """Average over levels: one value for each of `Level.factors`."""
    return np.asarray(sum(weight * own for (_, weight), own in zip(_POINTS, values, strict=True)))


def level_of(foretold: float, came: float) -> float:
    """Give the level of one window: what came over what was foretold, one order added to both; between 1/4 and 4.

    >>> level_of(99.0, 199.0)
    2.0
    """
    return float(np.clip((came + 1.0) / (foretold + 1.0), 0.25, 4.0))


def learn_level(levels: Sequence[float], orders: Sequence[float], windows: float) -> Level:
    """Learn from the levels of past windows, each seen through so many orders; together they are worth ``windows``.

    Windows that overlap are worth less than their number: the time they cover over the length of one.

    >>> learn_level([1.0, 1.0], [1e9, 1e9], 2.0).deviation < 0.2 < learn_level([0.6, 1.4], [1e9, 1e9], 2.0).deviation
    True
    """
    logs = np.log(np.asarray(levels))
    centre = _KEPT * float(logs.mean())
    chance = 2.0 / np.maximum(np.asarray(orders), 1.0)  # of counts somewhat more variable than Poisson
    seen = float(np.maximum((logs - centre) ** 2 - chance, 0.0).mean())
    deviation = np.sqrt((windows * seen + _WORTH * _USUAL**2) / (windows + _WORTH))
    return Level(mean=centre, deviation=float(min(deviation, _MOST)))


@dataclass(frozen=True, slots=True)
class Unsure:
    """A future whose level is uncertain. The mean stays the forecast's; the distribution is a mixture over levels."""

    base: Future
    level: Level

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``, as forecast."""
        return self.base.mean(t)

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit, as forecast."""
        return self.base.discounted(t, rate)

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t``."""
        return mixed([self.base.square(own) for own in self.times(t)])

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""
        return mixed([self.base.at_least(k, own) for own in self.times(t)])

    def take(self, rows: Ints) -> Unsure:
        """Give the future of some of the customers."""
        return Unsure(self.base.take(rows), self.level)

    def times(self, t: float | Floats) -> list[float | Floats]:
        """Give ``t`` at each level."""
        return [t * factor for factor in self.level.factors]
