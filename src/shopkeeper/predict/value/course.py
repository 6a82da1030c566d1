"""The course of a shop's level: how far all customers together are above or below a model's forecast, week by week.

The logarithm of repeat purchases over what a model expects is taken as the sum of five things that a level is made of,
each a Gaussian process in time: a slow drift (Ornstein-Uhlenbeck, two years), swings that come once (ten weeks), the
season that retail has, more or less of it, the shop's own seasons (periodic; MacKay, 1998, Introduction to Gaussian
Processes), and a beginning that tells little: in a log that starts in the midst of a shop's life the first purchases
are none. How large each is the shop's own weeks say, weighed by what is usual; what cannot be told apart stays doubt. A
swing seen once is so part season, part chance; two years tell which. Weeks of the year not seen yet are as uncertain as
seasons are from shop to shop, and all doubt grows with the horizon.

The season of retail: US Census Bureau, Monthly Retail Trade Survey, 1992, not adjusted, log sales per day of eleven
kinds of business (gifts, toys, jewelry, mail order, clothing, grocery, books, furniture, sporting goods, hardware, all
retail). Their mean over kinds is the shape; the shares of it in them are 0.18 in the mean with a standard deviation of
0.13 (grocery 0.02, mail order 0.17, gifts 0.32, toys 0.44), and what is left has standard deviations of 0.02 to 0.18.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.level import Level
from shopkeeper.predict.value.model import OrderFit
from shopkeeper.predict.value.summary import PurchaseDays
from shopkeeper.predict.value.weekly import Weekly, weekly

_YEAR = 365.25 / 7.0
_SLOW_WEEKS, _SWING_WEEKS, _BEGIN_WEEKS = 104.0, 10.0, 13.0
_SEASON_WIDTH = 0.5  # of the periodic kernel: months six weeks apart are correlated by a third
_BEGIN = 0.3
_OFFSET = 0.1
_OWN = 0.1  # what a model's sum is off by for reasons of its own, such as the form of dropout
_SLOW = ((0.1, 0.3), (0.2, 0.4), (0.4, 0.3))
_SWING = ((0.05, 0.4), (0.12, 0.4), (0.25, 0.2))
_SEASON = ((0.03, 4 / 11), (0.07, 3 / 11), (0.1, 2 / 11), (0.15, 2 / 11))
"""Standard deviations that may be, and how usual each is."""
_RETAIL = (-1.09, -0.73, -0.83, -0.39, -0.29, -0.1, -0.26, -0.01, -0.04, 0.02, 0.77, 2.95)
"""The season of retail by month, of mean 0 and variance 1 ..."""
_SHARE, _SHARE_SPREAD = 0.18, 0.13
"""... and how much of it a shop has."""
_BLOCK = 2
_MOST_BLOCKS = 104
FARTHEST = 156
"""Weeks ahead for which the course is told; later ones are as the last of them."""


@dataclass(frozen=True)
class Course:
    """What the weeks seen say of the weeks to come.

    Attributes:
        mean: expected log level of each week to come.
        covariance: of those weeks' log levels.
        weight: expected purchases in each of them, at level 1.
    """

    mean: Floats
    covariance: Floats
    weight: Floats

    def level(self, weeks: float) -> Level:
        """Give the level of the weeks from now to ``weeks``, all taken together."""
        share = self._share(weeks)
        variance = float(share @ self.covariance @ share)
        return Level(mean=float(share @ self.mean), deviation=float(np.sqrt(variance + _OWN**2)))

    def _share(self, weeks: float) -> Floats:
        within = np.clip(weeks - np.arange(self.weight.size), 0.0, 1.0)
        share = within * self.weight
        return np.asarray(share / share.sum())


def course(days: PurchaseDays, *, last: int, fit: OrderFit, weeks: float) -> Course:
    """Foretell the level of so many weeks after day ``last``; ``fit`` is a model of orders, its time in weeks."""
    ahead = int(np.ceil(np.clip(weeks, 1.0, FARTHEST)))
    return course_of(weekly(days, last=last, fit=fit, unit=7.0, ahead=ahead))


def course_of(seen: Weekly) -> Course:
    """Foretell the level of the weeks ahead from the weeks seen."""
    count, expected, middle = _blocks(seen)
    last = float(seen.middle[-1]) if seen.middle.size else 0.0
    ahead = 1.0 + np.arange(seen.ahead.size, dtype=np.float64)
    at = (middle - last) / 7.0
    retail, retail_ahead = of_retail(middle), of_retail(last + 7.0 * ahead)
    level = np.log((count + 0.5) / (expected + 0.5)) - _SHARE * retail
    sizes = np.array([(a, b, c) for (a, _), (b, _), (c, _) in product(_SLOW, _SWING, _SEASON)]) ** 2
    usual = np.array([a * b * c for (_, a), (_, b), (_, c) in product(_SLOW, _SWING, _SEASON)])
    own = _kinds(at, at)
    age = at - (at.min() if at.size else 0.0) + 1.0
    fixed = _BEGIN**2 * np.exp(
        -(age[:, None] + age + 2.0 * np.abs(age[:, None] - age)) / (2.0 * _BEGIN_WEEKS)
    )
    fixed += _always(retail, retail) + np.diag(_noise(level, expected))
    cross, prior = _kinds(at, ahead), _kinds(ahead, ahead)
    always, always_ahead = _always(retail, retail_ahead), _always(retail_ahead, retail_ahead)
    root = np.linalg.cholesky(np.tensordot(sizes, own, 1) + fixed)
    turned = np.linalg.solve(root, np.broadcast_to(level[:, None], (len(sizes), level.size, 1)))[..., 0]
    likely = -0.5 * (turned**2).sum(axis=1) - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    weight = usual * np.exp(likely - likely.max())
    weight /= weight.sum()
    mean = np.zeros(ahead.size)
    square = np.zeros((ahead.size, ahead.size))
    for place in np.flatnonzero(weight > 1e-3):
        seen_ahead = np.tensordot(sizes[place], cross, 1) + always
        half = np.linalg.solve(root[place], seen_ahead)
        one = half.T @ turned[place]
        mean += weight[place] * one
        left = np.tensordot(sizes[place], prior, 1) + always_ahead - half.T @ half
        square += weight[place] * (left + np.outer(one, one))
    return Course(mean + _SHARE * retail_ahead, square - np.outer(mean, mean), seen.ahead)


def of_retail(day: Floats) -> Floats:
    """Give the season of retail, of variance 1 over the year, at days since 1970-01-01.

    >>> of_retail(np.array([18_977.0, 19_008.0])).round(1).tolist()  # mid-December and mid-January
    [2.9, -1.1]
    """
    month = (np.asarray(day) / 365.25 % 1.0 * 12.0 - 0.5) % 12.0
    return np.asarray(np.interp(month, np.arange(13), (*_RETAIL, _RETAIL[0])))


def _blocks(seen: Weekly) -> tuple[Floats, Floats, Floats]:
    """Two weeks make a block: half the work, and counts are less coarse."""
    over = seen.count.size % _BLOCK
    count, expected, middle = (
        one[over:].reshape(-1, _BLOCK)[-_MOST_BLOCKS:] for one in (seen.count, seen.expected, seen.middle)
    )
    return count.sum(axis=1), expected.sum(axis=1), middle.mean(axis=1)


def _kinds(one: Floats, other: Floats) -> Floats:
    """Correlations of drift, swings and seasons between weeks."""
    apart = np.abs(one[:, None] - other)
    return np.stack(
        [
            np.exp(-apart / _SLOW_WEEKS),
            np.exp(-apart / _SWING_WEEKS),
            np.exp(-2.0 * np.sin(np.pi * apart / _YEAR) ** 2 / _SEASON_WIDTH**2),
        ]
    )


def _always(one: Floats, other: Floats) -> Floats:
    """Covariances of what stays as it is: how far the model is off, and the shop's share of the season of retail."""
    return np.asarray(_OFFSET**2 + _SHARE_SPREAD**2 * np.outer(one, other))


def _noise(level: Floats, expected: Floats) -> Floats:
    """Variances of the log counts, as much above Poisson as neighbours show."""
    chance = 1.0 / (expected + 0.5)
    if level.size < 5:
        return 2.0 * chance
    bend = level[:-2] - 2.0 * level[1:-1] + level[2:]
    usual = chance[:-2] + 4.0 * chance[1:-1] + chance[2:]
    return np.asarray(max(1.0, float((bend**2 / usual).mean())) * chance)
