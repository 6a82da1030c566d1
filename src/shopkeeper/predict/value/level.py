"""The level of all customers together: it differs from window to window, and nobody knows it ahead.

Customers are many, windows few: what the origins in the past say of one customer's chance they say thousands of times,
but how far all were above or below what was foretold they say five times. So the two are told apart. At each origin
the level is what came over what was foretold, in sum; distributions are learned at that level (as if time had run
faster or slower). The level to come is foretold from the shop's weeks (`course`), as a mean and a doubt; where the
levels at the origins lay further from what was foretold of them there, the doubt is widened.

Not all are moved alike: before Christmas who bought once comes back more often, who buys each week does so as ever. So
each group of frequency has a level of its own, which follows the level of all by a slope, one where little is known.

And each customer's own rate wanders: what a customer will do in a year is less sure than four times what a quarter
taught. How much, `wander` learns; in a customer's distribution it adds to the doubt about the level of the group, of
a sum of many it averages out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.model import Future

_WORTH = 4.0
_MOST = 0.5
_WRONG = np.log(2.0)  # as in `bias`: half or twice of what came
_APART = 0.1  # what is usual of a group's level beside that of all, worth two windows
_APART_WORTH = 2.0
_SLOPE_SPREAD = 0.5
_MOST_APART = 0.8
_FARTHEST = 520.0  # weeks; whoever is still there in ten years
# Three points that have the moments of a normal distribution up to the fifth (Gauss-Hermite).
_POINTS = ((-np.sqrt(3.0), 1.0 / 6.0), (0.0, 2.0 / 3.0), (np.sqrt(3.0), 1.0 / 6.0))


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """The logarithm of the level to come is taken as normal: its mean and its standard deviation."""

    mean: float = 0.0
    deviation: float = 0.0

    @property
    def factors(self) -> tuple[float, ...]:
        """The levels that stand for all that may come, to be averaged by `mixed`."""
        return tuple(at_levels(1.0, self))


class Wander(msgspec.Struct, frozen=True, kw_only=True):
    """How far customers' own rates move away from what was learned of them over ``tested`` weeks.

    Attributes:
        growth: variance of the logarithm of a customer's rate, by unit of the logarithm of time over ``tested``.
        tested: weeks over which distributions were learned; up to there nothing is added.
    """

    growth: float = 0.0
    tested: float = 0.0

    def variance(self, t: float | Floats) -> Any:
        """Give the variance of the logarithm of a customer's rate over ``t`` weeks, beyond what was learned.

        >>> Wander(growth=0.1, tested=13.0).variance(np.array([4.0, 13.0, 13.0 * np.e])).round(3).tolist()
        [0.0, 0.0, 0.1]
        """
        if not self.growth or not self.tested:
            return 0.0
        return self.growth * np.log(np.maximum(np.minimum(t, _FARTHEST) / self.tested, 1.0))


STEADY = Wander()


def mixed(values: Sequence[Floats]) -> Floats:
    """Average over levels: one value for each of `at_levels`."""
    return np.asarray(sum(weight * own for (_, weight), own in zip(_POINTS, values, strict=True)))


def level_of(foretold: float, came: float) -> float:
    """Give the level of one window: what came over what was foretold, one order added to both; between 1/4 and 4.

    >>> level_of(99.0, 199.0)
    2.0
    """
    return float(np.clip((came + 1.0) / (foretold + 1.0), 0.25, 4.0))


@dataclass(frozen=True, slots=True)
class Window:
    """The level of a past window, through so many orders seen.

    Attributes:
        level: what came over what the pick foretold.
        orders: that came.
        foretold: the level that was foretold there, of the model from which the course is told.
        apart: logarithm of the pick's sum over that model's.
    """

    level: float
    orders: float
    foretold: Level
    apart: float = 0.0


def learn_level(past: Sequence[Window], ahead: Level, windows: float) -> Level:
    """Learn the level to come from the one foretold, ``ahead``, and from past windows, together worth ``windows``.

    Windows that overlap are worth less than their number: the time they cover over the length of one. How far the
    pick's sum lay from the model's is expected to stay, as surely as it did; unless that was the model's error: where
    the pick was right and the model off by half or twice, ranges are not drawn to the model that was passed over.

    >>> usual = Level(deviation=0.2)
    >>> learn_level([Window(1.0, 1e9, usual), Window(1.1, 1e9, usual)], usual, 2.0)
    Level(mean=0.0, deviation=0.2)
    >>> learn_level([Window(0.6, 1e9, usual), Window(1.7, 1e9, usual)], usual, 2.0).deviation > 0.3
    True
    """
    logs, apart = np.log([one.level for one in past]), np.array([one.apart for one in past])
    foretold = np.array([one.foretold.mean for one in past])
    by_model, by_pick = (float(((logs - one) ** 2).mean()) for one in (foretold - apart, foretold))
    if by_model > max(by_pick, _WRONG**2):
        apart = np.zeros(apart.size)
    mean = foretold - apart
    variance = np.array([one.foretold.deviation for one in past]) ** 2
    chance = 2.0 / np.maximum(
        [one.orders for one in past], 1.0
    )  # of counts somewhat more variable than Poisson
    missed = float((np.maximum((logs - mean) ** 2 - chance, 0.0) / np.maximum(variance, 1e-12)).mean())
    wider = max(1.0, (_WORTH + windows * missed) / (_WORTH + windows))
    deviation = np.sqrt(wider * ahead.deviation**2 + float(apart.var()))
    return Level(mean=ahead.mean - float(apart.mean()), deviation=float(min(deviation, _MOST)))


def own_level(foretold: float, came: float, log_level: float) -> float:
    """Give the log level of a group in one window, drawn to that of all where the group saw few orders.

    >>> round(own_level(1e6, 2e6, 0.0), 2), own_level(0.0, 0.0, 0.3)
    (0.69, 0.3)
    """
    expected = foretold * np.exp(log_level)
    apart = float(np.log((came + 1.0) / (expected + 1.0)))
    return float(log_level + apart * _APART**2 / (_APART**2 + 2.0 / max(expected, 1e-9)))


def learn_group_level(own: Sequence[float], every: Sequence[float], ahead: Level, windows: float) -> Level:
    """Learn a group's level to come from its log levels in past windows, those of all, and the level of all to come.

    >>> swings = [-0.4, 0.0, 0.4]
    >>> calm = learn_group_level([-0.1, 0.0, 0.1], swings, Level(deviation=0.3), 3.0)
    >>> learn_group_level(swings, swings, Level(deviation=0.3), 3.0).deviation > 0.3 > 1.5 * calm.deviation
    True
    """
    group, level = np.asarray(own), np.asarray(every)
    around, moved = group - group.mean(), level - level.mean()
    share, prior = windows / group.size, (_APART / _SLOPE_SPREAD) ** 2
    slope = (share * float(around @ moved) + prior) / (share * float(moved @ moved) + prior)
    slope = float(np.clip(slope, 0.0, 2.0))
    left = around - slope * moved
    apart = (share * float(left @ left) + _APART_WORTH * _APART**2) / (windows + _APART_WORTH)
    deviation = np.sqrt((slope * ahead.deviation) ** 2 + apart)
    mean = float(group.mean()) + slope * (ahead.mean - float(level.mean()))
    return Level(mean=mean, deviation=float(min(deviation, _MOST_APART)))


@dataclass(frozen=True, slots=True)
class Unsure:
    """A future whose level is uncertain. The mean stays the forecast's; the distribution is a mixture over levels.

    There is one level for all, or one for each group, and each customer's group; and how far each one wanders.
    """

    base: Future
    level: Level | tuple[Level, ...]
    group: Ints | None = None
    wander: Wander = STEADY

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
        group = None if self.group is None else self.group[rows]
        return Unsure(self.base.take(rows), self.level, group, self.wander)

    def times(self, t: float | Floats) -> list[Any]:
        """Give ``t`` at each level."""
        return at_levels(t, self.level, self.group, self.wander)


def at_levels(
    t: float | Floats, level: Level | tuple[Level, ...], group: Ints | None = None, wander: Wander = STEADY
) -> list[Any]:
    """Give a time as it would run at each level that may come (see `mixed`), per customer where groups differ.

    Who wanders keeps the mean: half the variance is taken off the logarithm.
    """
    beyond = wander.variance(t)
    if isinstance(level, Level):
        mean, deviation = level.mean - beyond / 2.0, np.sqrt(level.deviation**2 + beyond)
        return [t * np.exp(mean + point * deviation) for point, _ in _POINTS]
    means, deviations = (np.array([getattr(one, name) for one in level]) for name in ("mean", "deviation"))
    if np.ndim(beyond):
        means, deviations = means[group], deviations[group]
    means, deviations = means - beyond / 2.0, np.sqrt(deviations**2 + beyond)
    factors = [np.exp(means + point * deviations) for point, _ in _POINTS]
    return [t * (one if np.ndim(beyond) else one[group]) for one in factors]


def shared_levels(
    t: float | Floats, level: Level | tuple[Level, ...], group: Ints | None = None, wander: Wander = STEADY
) -> list[Any]:
    """Give the logarithm of the level that customers share at each of `at_levels`: what is left without wandering."""
    beyond = wander.variance(t)
    mean: Any = 0.0
    variance: Any = 0.0
    if isinstance(level, Level):
        mean, variance = level.mean, level.deviation**2
    else:
        mean = np.array([one.mean for one in level])[group]
        variance = np.array([one.deviation for one in level])[group] ** 2
    # Of a sum of two normal doubts each has its part in proportion to its variance.
    part = variance / np.maximum(np.sqrt(variance + beyond), 1e-12)
    return [mean + point * part for point, _ in _POINTS]
