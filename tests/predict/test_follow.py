"""The amount of an order follows the level of orders: learned, and in the ranges of money."""

from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.predict.value.calibration import Learned
from shopkeeper.predict.value.follow import following, learn_power
from shopkeeper.predict.value.gammagamma import GammaGammaFit
from shopkeeper.predict.value.interval import Group
from shopkeeper.predict.value.level import Level, Wander
from shopkeeper.predict.value.worth import UnsureWorth, worth, worth_coverage

AMOUNTS = GammaGammaFit(
    p=4.0, q=40.0, v=195.0, log_likelihood=0.0, n=1, n_fenced=0, gradient_norm=0.0, converged=True
)
DEVIATION = 0.35


def test_the_power_is_the_shops_own_where_levels_varied() -> None:
    rng = np.random.default_rng(1)
    orders = rng.normal(0.0, 0.3, 8)
    for power in (0.0, 0.2, 0.6):
        amounts = power * orders + rng.normal(0.0, 0.01, 8)
        assert learn_power(orders.tolist(), amounts.tolist(), 8.0) == pytest.approx(power, abs=0.06)
    assert learn_power([0.1] * 5, [0.0, 0.3, -0.2, 0.1, 0.2], 5.0) == 0.25
    assert learn_power([-0.9, 0.9], [0.9, -0.9], 9.0) == 0.0


def test_what_customers_share_is_told_apart_from_who_wanders() -> None:
    learned = Learned(groups=(Group(first=0, n=1, level=Level(mean=0.1, deviation=0.3)),), level=Level())
    frequency = np.zeros(2)
    together = learned.shared(40.0, frequency)
    np.testing.assert_allclose(np.exp(together), np.array(learned.times(40.0, frequency)) / 40.0)
    apart = Learned(groups=learned.groups, wander=Wander(growth=0.2, tested=10.0)).shared(40.0, frequency)
    assert (apart[2] - apart[0] < together[2] - together[0]).all()
    np.testing.assert_allclose(apart[1], 0.1)
    assert [one.shape for one in Learned().shared(40.0, frequency)] == [(2,)] * 3


def test_ranges_of_money_hold_where_amounts_follow() -> None:
    """Over 60 windows of doubtful level; with amounts that stay as they are, ranges are too narrow."""
    rng = np.random.default_rng(4)
    n, mean, weeks = 1_500, 12.0, 10.0
    zeros = np.zeros(n)
    learned = Learned(groups=(Group(first=0, n=n, level=Level(deviation=DEVIATION)),))

    def coverage(power: float) -> float:
        groups = [Group(first=0, n=n, follows=power)]
        at_level = [
            worth(
                some=-np.expm1(-mean * t / weeks), number=mean * t / weeks,
                square=(mean * t / weeks) ** 2 + mean * t / weeks, per_order=np.full(n, 20.0),
                orders_seen=np.full(n, 60.0), amounts=AMOUNTS,
            )
            for t in learned.times(weeks, zeros)
        ]  # fmt: skip
        told = following(at_level, learned.shared(weeks, zeros), zeros.astype(np.int64), groups)
        unsure = UnsureWorth(told, zeros.astype(np.int64), groups)
        return float(np.mean([worth_coverage(unsure, money)[0].expected for money in came]))

    came = []
    for _ in range(60):
        level = float(np.exp(rng.normal(0.0, DEVIATION)))
        orders = rng.poisson(mean * level, n)
        came.append(rng.gamma(np.maximum(AMOUNTS.p * orders, 1e-9), 20.0 * level**0.5 / AMOUNTS.p))
    assert coverage(0.5) == pytest.approx(0.8, abs=0.03)
    assert coverage(0.0) < 0.74


def test_without_groups_nothing_follows() -> None:
    assert following([], [], np.empty(0, dtype=np.int64), ()) == []
