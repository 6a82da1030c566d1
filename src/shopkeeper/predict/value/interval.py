"""Predictive ranges that hold: how many orders, how sure, checked on the past by groups of frequency.

Orders are counts, and most customers will have none: a range [0, 0] may hold for 95 of 100 whatever its level. So
coverage is counted in two ways:

* *closed*: the share of customers whose count is within [low, high], ends included. It is at least the level where
  the distribution is right, often far above it.
* *expected*: the probability that a uniform draw between P(Y < y) and P(Y <= y) lies between the two tail levels: the
  randomised probability integral transform, averaged over its randomness (Czado, Gneiting and Held, 2009, Predictive
  Model Assessment for Count Data). It is the level, exactly, where the distribution is right, so it can show too narrow
  and too wide.

Two things are learned at the origins in the past, per group of frequency, from forecasts that did not see what came:

* `Shape`: who has a right mean only (a rule, a learner, a mean of two) gets a distribution around it: zero with a
  probability of its own, else negative binomial, with a mean a little above so that a forecast of 0 is not a certainty.
* `Recalibrated`: where the transforms of a distribution are not uniform, their own distribution corrects it
  (Kuleshov, Fenner and Ermon, 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.level import Level, Unsure, mixed
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.origin import Shared

LEVEL = 0.8
FIRST_OF_GROUP = (0, 1, 2, 4, 7)
"""The repeat purchases at which a group of frequency begins."""
_LEAST_IN_GROUP = 100
_ENDS = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 5e-3, 1e-2)
_KNOTS = np.unique(np.concatenate([_ENDS, np.linspace(0.025, 0.975, 39), np.subtract(1.0, _ENDS)]))
_PRIOR = 25.0


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned of customers with ``first`` and more repeat purchases, up to the next group.

    Attributes:
        first: least frequency.
        n: customers seen, over all origins.
        floor: expected orders per week beside the forecast's.
        spread: shape of the negative binomial; infinite would be Poisson.
        zero: probability of a zero of its own.
        levels: the levels of the transform ...
        reached: ... and the share of transforms that were up to there.
        level: the level to come of this group; where it is not told, that of all holds.
        follows: of worth, the power by which the amount of an order follows the level of orders (`follow`) ...
        usual: ... from this logarithm of the level, at which it was learned.
    """

    first: int
    n: int
    floor: float = 0.0
    spread: float = 1.0
    zero: float = 0.0
    levels: tuple[float, ...] = (0.0, 1.0)
    reached: tuple[float, ...] = (0.0, 1.0)
    level: Level | None = None
    follows: float = 0.0
    usual: float = 0.0


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How a predictive range of ``level`` did in one group of frequency: expected and closed coverage (see module)."""

    group: str
    n: int
    level: float
    expected: float
    closed: float


@dataclass(frozen=True, slots=True)
class Around:
    """A future with the means of another and the shape of its customers' groups."""

    base: Future
    floor: Floats
    spread: Floats
    zero: Floats

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``."""
        return self.base.mean(t)

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit."""
        return self.base.discounted(t, rate)

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t``."""
        inside = self._inside(t)
        return np.asarray((1.0 - self.zero) * (inside + inside**2 * (1.0 + 1.0 / self.spread)))

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""
        from scipy.special import betainc

        inside = self._inside(t)
        return np.asarray((1.0 - self.zero) * betainc(k, self.spread, inside / (inside + self.spread)))

    def take(self, rows: Ints) -> Around:
        """Give the future of some of the customers."""
        return Around(self.base.take(rows), self.floor[rows], self.spread[rows], self.zero[rows])

    def centre(self, t: float | Floats) -> Floats:
        """Give the mean of the distribution, the floor included."""
        return np.asarray((1.0 - self.zero) * self._inside(t))

    def _inside(self, t: float | Floats) -> Floats:
        """The mean of those who have no zero of their own."""
        return np.asarray((self.base.mean(t) + self.floor * np.minimum(t, 520.0)) / (1.0 - self.zero))


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """A future whose distribution is corrected by what was learned of its customers' groups; the means stay."""

    base: Future
    group: Ints
    learned: Sequence[Group]

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``, as forecast."""
        return self.base.mean(t)

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit, as forecast."""
        return self.base.discounted(t, rate)

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t`` of the distribution before."""
        return self.base.square(t)

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""
        return 1.0 - recalibrated(1.0 - self.base.at_least(k, t), self.group, self.learned)

    def take(self, rows: Ints) -> Recalibrated:
        """Give the future of some of the customers."""
        return Recalibrated(self.base.take(rows), self.group[rows], self.learned)


def recalibrated(levels: Floats, group: Ints, learned: Sequence[Group]) -> Floats:
    """Correct probabilities P(Y <= y) by what was learned of each customer's group."""
    found = np.array(levels)
    for place, one in enumerate(learned):
        here = group == place
        found[here] = np.interp(found[here], one.levels, one.reached)
    return found


def centre(future: Future, t: float | Floats) -> Floats:
    """Give the mean of a future's distribution, which may differ from the forecast (see `Around`, `Unsure`)."""
    if isinstance(future, Shared) and np.ndim(t) == 0:
        return np.asarray(centre(future.base, t)[future.where])
    if isinstance(future, Unsure):
        return mixed([centre(future.base, own) for own in future.times(t)])
    if isinstance(future, Recalibrated):
        return centre(future.base, t)
    return future.centre(t) if isinstance(future, Around) else future.mean(t)


def group_of(frequency: Floats, firsts: Sequence[int]) -> Ints:
    """Give the number of each customer's group.

    >>> group_of(np.array([0.0, 3.0, 50.0]), [0, 1, 2, 4]).tolist()
    [0, 2, 3]
    """
    return np.asarray(np.searchsorted(np.asarray(firsts, np.float64), frequency, side="right") - 1)


def groups(frequency: Floats, least: int = _LEAST_IN_GROUP) -> tuple[int, ...]:
    """Give the firsts of the groups: those with fewer than ``least`` customers go to the group below.

    >>> groups(np.repeat([0.0, 1.0, 9.0], [200, 150, 99]))
    (0, 1)
    """
    firsts = list(FIRST_OF_GROUP)
    place = len(firsts) - 1
    while place > 0:
        if (group_of(frequency, firsts) == place).sum() < least:
            del firsts[place]
        place -= 1
    return tuple(firsts)


def label(firsts: Sequence[int], place: int) -> str:
    """Give a group's name: 0, 1, 2-3, 7+."""
    first = firsts[place]
    if place + 1 == len(firsts):
        return f"{first}+"
    last = firsts[place + 1] - 1
    return str(first) if last == first else f"{first}-{last}"


def shaped(future: Future, frequency: Floats, learned: Sequence[Group]) -> Future:
    """Give a future with right means the shape of its customers' groups."""
    if not learned:
        return future
    at = group_of(frequency, [group.first for group in learned])
    floor, spread, zero = (
        np.array([getattr(group, name) for group in learned])[at] for name in ("floor", "spread", "zero")
    )
    return Around(future, floor, spread, zero)


def fit_shape(mean: Floats, orders: Floats, weeks: Floats) -> tuple[float, float, float]:
    """Fit floor, spread and zero of one group by maximum likelihood to forecasts and what came."""
    from scipy.optimize import minimize
    from scipy.special import gammaln

    # Forecasts that differ by less than 2 % are as good as the same: few distinct rows, with weights.
    fine = np.rint(np.log(np.maximum(mean, 1e-9)) * 50.0)
    rows, weight = np.unique(np.stack([fine, orders, weeks]), axis=1, return_counts=True)
    mean, orders, weeks = np.where(rows[0] > -1000.0, np.exp(rows[0] / 50.0), 0.0), rows[1], rows[2]
    share, none = weight / weight.sum(), orders == 0
    constant = -gammaln(orders + 1.0)

    def loss(at: Floats) -> float:
        floor, spread, zero = np.exp(at[0]), np.exp(at[1]), 1.0 / (1.0 + np.exp(-at[2]))
        inside = (mean + floor * weeks) / (1.0 - zero)
        likely = (
            gammaln(spread + orders) - gammaln(spread) + constant
            + spread * np.log(spread / (spread + inside)) + orders * np.log(inside / (spread + inside))
            + np.log1p(-zero)
        )  # fmt: skip
        seen = np.where(none, np.logaddexp(np.log(zero), likely), likely)
        return -float(share @ seen) + 1e-4 * float(at[1] ** 2)

    bounds = ((-14.0, 0.0), (-4.0, 6.0), (-8.0, 3.0))
    found = minimize(loss, np.array([-7.0, 0.0, -3.0]), method="L-BFGS-B", bounds=bounds)
    floor, spread, zero = found.x.tolist()
    return float(np.exp(floor)), float(np.exp(spread)), float(1.0 / (1.0 + np.exp(-zero)))


def transforms(future: Future, orders: Floats, t: float | Floats) -> tuple[Floats, Floats]:
    """Give P(Y < y) and P(Y <= y) of what came."""
    up_to = 1.0 - future.at_least(orders + 1.0, t)
    below = np.where(orders > 0, 1.0 - future.at_least(np.maximum(orders, 1.0), t), 0.0)
    below = np.clip(below, 0.0, 1.0)
    return below, np.clip(up_to, below, 1.0)


def fit_levels(below: Floats, up_to: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give the mean distribution of the transforms at many levels, drawn to uniform where customers are few."""
    levels = _KNOTS
    width = np.maximum(up_to - below, 1e-9)
    seen = np.array([float(np.clip((level - below) / width, 0.0, 1.0).mean()) for level in levels])
    reached = (below.size * seen + _PRIOR * levels) / (below.size + _PRIOR)
    reached[0], reached[-1] = 0.0, 1.0
    return tuple(levels.tolist()), tuple(np.maximum.accumulate(reached).tolist())


def asked(level: float, group: Ints, learned: Sequence[Group]) -> Floats:
    """Give the level to ask each customer's own distribution for so that ``level`` is got."""
    if not learned:
        return np.full(group.shape, level)
    per_group = np.array([np.interp(level, _rising(one.reached), one.levels) for one in learned])
    return np.asarray(per_group[group])


def covered(
    below: Floats, up_to: Floats, group: Ints, firsts: Sequence[int], level: float = LEVEL
) -> tuple[Coverage, ...]:
    """Give the coverage of ranges of ``level`` by group, from the transforms of what came."""
    low, high = (1.0 - level) / 2.0, (1.0 + level) / 2.0
    found = []
    for place in range(len(firsts)):
        here = group == place
        if not here.any():
            continue
        a, b = below[here], up_to[here]
        overlap = np.clip(np.minimum(b, high) - np.maximum(a, low), 0.0, None)
        sharp = b - a < 1e-9
        share = np.where(sharp, (b >= low) & (a < high), overlap / np.where(sharp, 1.0, b - a))
        found.append(
            Coverage(
                group=label(firsts, place),
                n=int(here.sum()),
                level=level,
                expected=float(share.mean()),
                closed=float(((b >= low) & (a < high)).mean()),
            )
        )
    return tuple(found)


def bounds(future: Future, level: float, t: float) -> Floats:
    """Give the number of orders within ``t`` that is not exceeded with ``level``, per customer.

    Customers who share a history share the work, and so do those of one group whose means differ by less than 1 %.
    """
    if isinstance(future, Shared):
        return np.asarray(quantile(future.base, level, t)[future.where])
    inner = future.base if isinstance(future, Unsure) else future
    base = inner.base if isinstance(inner, Recalibrated) else inner
    if isinstance(base, Around):
        fine = np.rint(np.log(np.maximum(base.mean(t), 1e-9)) * 100.0).astype(np.int64)
        key = fine * 64 + (inner.group if isinstance(inner, Recalibrated) else 0)
        _, rows, where = np.unique(key, return_index=True, return_inverse=True)
        return np.asarray(quantile(future.take(rows), level, t)[where])
    return quantile(future, level, t)


def quantile(future: Future, level: float | Floats, t: float, some: Floats | None = None) -> Floats:
    """Give the smallest number k of orders with P(Y <= k) >= level, by doubling and halving."""
    first = future.at_least(1.0, t) if some is None else some
    answer = np.zeros(first.shape)
    rest = np.broadcast_to(1.0 - np.asarray(level), first.shape)
    open_rows: Ints = np.flatnonzero(first > rest)
    below = np.ones(open_rows.size)  # P(Y >= below) > rest
    above = np.full(open_rows.size, np.inf)  # P(Y >= above) <= rest
    while open_rows.size:
        k = np.where(np.isinf(above), 2.0 * below, np.floor((below + above) / 2.0))
        more = future.take(open_rows).at_least(k, t) > rest[open_rows]
        below, above = np.where(more, k, below), np.where(more, above, k)
        done = above - below <= 1.0
        answer[open_rows[done]] = below[done]
        open_rows, below, above = open_rows[~done], below[~done], above[~done]
    return answer


def _rising(values: Sequence[float]) -> Floats:
    """A level that many transforms share belongs to its first place: no two equal values for the interpolation."""
    return np.asarray(values, dtype=np.float64) + 1e-12 * np.arange(len(values), dtype=np.float64)
