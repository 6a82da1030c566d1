"""The range of what customers are worth within a window: how many orders, and how much each.

Worth is 0 with the exact probability of no order; given at least one, it is taken as log-normal with the exact mean and
variance of number and amounts under the models (an approximation of shape only). As with orders, what was learned at
the origins in the past says which levels must be asked for so that the wanted ones are got (see `interval`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from shopkeeper.predict.value.gammagamma import GammaGammaFit
from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.interval import (
    Coverage,
    Group,
    asked,
    covered,
    fit_levels,
    group_of,
    groups,
    recalibrated,
)
from shopkeeper.predict.value.level import mixed

_VARIANCE_SHAPE = 2.5
_SURE = 1.0 - 1e-12
_NEVER = 1e-300
"""A chance below this is none: what is divided by it is beyond all numbers."""
_HALVINGS = 16


@dataclass(frozen=True, slots=True)
class Worth:
    """The distribution of each customer's worth.

    Attributes:
        some: probability of an order.
        middle: mean of the logarithm of worth over ``scale``, given an order.
        deviation: its standard deviation.
        scale: amount of an order, with its sign and its discount.
    """

    some: Floats
    middle: Floats
    deviation: Floats
    scale: Floats

    def at(self, level: Floats | float) -> Floats:
        """Give the worth that is not exceeded with probability ``level`` (in size; a loss is negative)."""
        from scipy.special import ndtri

        live = self.some > _NEVER
        safe = np.where(live, self.some, 1.0)
        inside = (level - (1.0 - safe)) / safe
        reached = live & (inside > 0)
        z = ndtri(np.where(reached, np.minimum(inside, _SURE), 0.5))
        found = np.where(reached, np.exp(self.middle + self.deviation * z), 0.0) * self.scale
        return np.asarray(found + 0.0)  # nothing of a loss is 0, not -0

    def transforms(self, came: Floats) -> tuple[Floats, Floats]:
        """Give P(W < w) and P(W <= w) of what came."""
        from scipy.special import ndtr

        ratio = np.divide(came, self.scale, out=np.zeros_like(came), where=self.scale != 0)
        bought = ratio > 0
        z = (np.log(np.where(bought, ratio, 1.0)) - self.middle) / np.maximum(self.deviation, 1e-9)
        inside = 1.0 - self.some + self.some * ndtr(z)
        # Money came back where some was expected to come in: as far below as can be.
        lost = ratio < 0
        below = np.where(bought, inside, 0.0)
        return below, np.where(bought, inside, np.where(lost, 0.0, 1.0 - self.some))


def worth(
    *,
    some: Floats,
    number: Floats,
    square: Floats,
    per_order: Floats,
    orders_seen: Floats,
    amounts: GammaGammaFit,
    factor: Floats | float = 1.0,
) -> Worth:
    """Match the moments of the number of orders and of the amounts.

    Args:
        some: probability of at least one order.
        number: expected number of orders.
        square: expectation of its square.
        per_order: expected amount of an order.
        orders_seen: from which that is known, per customer.
        amounts: the fitted amounts.
        factor: mean discount.
    """
    live = (some > 0) & (number > 0)
    safe_some, safe_number = np.where(live, some, 1.0), np.where(live, number, 1.0)
    mean = safe_number / safe_some
    moment = second_moment(number, square, orders_seen, amounts)
    second = np.where(live, moment, 1.0) / safe_some
    log_variance = np.log(np.maximum(second / mean**2, 1.0))
    return Worth(
        some=np.where(live, some, 0.0),
        middle=np.log(mean) - log_variance / 2.0,
        deviation=np.sqrt(log_variance),
        scale=factor * per_order,
    )


def second_moment(number: Floats, square: Floats, orders_seen: Floats, amounts: GammaGammaFit) -> Floats:
    """Give E(worth^2) in units of the expected amount of an order, from the first moments of the number of orders.

    Amounts of one customer vary by 1/p, and the customer's own mean is known the better the more of them were seen.
    """
    # E(amount of a customer's mean squared) / its square; the shape is held where the variance exists.
    shape = np.maximum(amounts.p * orders_seen + amounts.q, _VARIANCE_SHAPE)
    return (number / amounts.p + square) * (shape - 1.0) / (shape - 2.0)


@dataclass(frozen=True, slots=True)
class UnsureWorth:
    """Worth at each level that may come (see `level`), corrected by group of frequency."""

    at_level: Sequence[Worth]
    group: Ints
    learned: Sequence[Group]

    def at(self, level: float) -> Floats:
        """Give the worth that is not exceeded with probability ``level`` (in size; a loss is negative), by halving."""
        wanted = asked(level, self.group, self.learned)
        ends = np.abs([one.at(wanted) for one in self.at_level])
        low, high = ends.min(axis=0), ends.max(axis=0)
        sign = np.sign(self.at_level[0].scale)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            enough = self.transforms(middle * sign)[1] >= level
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.asarray(high * sign + 0.0)

    def transforms(self, came: Floats) -> tuple[Floats, Floats]:
        """Give P(W < w) and P(W <= w) of what came."""
        pairs = [one.transforms(came) for one in self.at_level]
        below, up_to = (
            mixed([recalibrated(pair[side], self.group, self.learned) for pair in pairs]) for side in (0, 1)
        )
        return below, up_to


def learn_worth(
    foretold: Sequence[Worth],
    came: Sequence[Floats],
    frequency: Sequence[Floats],
    follows: float = 0.0,
    usual: Floats | None = None,
) -> tuple[Group, ...]:
    """Learn the correction of each group of frequency from distributions (the latest first) and what came.

    ``follows`` and the ``usual`` level of each group are kept with it (see `Group`).
    """
    firsts = groups(frequency[0])
    pairs = [one.transforms(money) for one, money in zip(foretold, came, strict=True)]
    at = [group_of(own, firsts) for own in frequency]
    found = []
    for place, first in enumerate(firsts):
        below, up_to = (
            np.concatenate([pair[side][own == place] for pair, own in zip(pairs, at, strict=True)])
            for side in (0, 1)
        )
        level = 0.0 if usual is None else float(usual[place])
        group = Group(first=first, n=int(below.size), follows=follows, usual=level)
        if group.n:  # all may have bought so often that nobody is left in the first group
            levels, reached = fit_levels(below, up_to)
            group = msgspec.structs.replace(group, levels=levels, reached=reached)
        found.append(group)
    return tuple(found)


def worth_coverage(one: UnsureWorth, came: Floats) -> tuple[Coverage, ...]:
    """Give the coverage by group of ranges of worth."""
    return covered(*one.transforms(came), one.group, [group.first for group in one.learned])
