"""The range of a sum of worths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.predict.value.sums import of_both_signs, range_of_sum


@given(st.floats(-1e9, 1e9), st.floats(0.0, 1e18), st.floats(0.5, 0.99))
def test_the_mean_lies_inside_and_nothing_is_lost(mean: float, variance: float, level: float) -> None:
    low, high = range_of_sum(mean, variance, level)
    assert low <= mean <= high
    assert math.isfinite(low)
    assert math.isfinite(high)
    if mean > 0:
        assert low >= 0 or mean / variance * mean > 1e6, (
            "who is expected to bring something does not cost money"
        )


@pytest.mark.parametrize("customers", [1, 3, 10, 100])
def test_it_covers_the_sum_of_few_customers_and_of_many(customers: int) -> None:
    """Each orders a Poisson number of times at a rate of their own, for amounts that vary, as customers do."""
    rng = np.random.default_rng(customers)
    draws = 20_000
    orders = rng.poisson(rng.gamma(2.0, 1.5, (draws, customers)))
    worth = np.where(orders > 0, rng.gamma(np.maximum(orders, 1) * 3.0, 10.0), 0.0).sum(axis=1)
    low, high = range_of_sum(float(worth.mean()), float(worth.var()), 0.8)
    least = 0.7 if customers == 1 else 0.75  # one who may bring nothing is no gamma
    assert least < ((worth >= low) & (worth <= high)).mean() < 0.85


def test_a_sum_of_losses_lies_below_nothing_as_each_of_them_does() -> None:
    low, high = range_of_sum(-100.0, 100.0**2, 0.8)
    assert (-high, -low) == range_of_sum(100.0, 100.0**2, 0.8)
    assert high < 0
    _, high = range_of_sum(-100.0, 100.0**2, 0.8, both_signs=True)
    assert high > 0, "gains may outweigh losses"


@pytest.mark.parametrize("gains", [3, 5])
def test_it_covers_the_sum_of_gains_and_losses(gains: int) -> None:
    rng = np.random.default_rng(gains)
    each = np.append(np.full(gains, 10.0), np.full(4, -10.0))
    worth = (rng.gamma(1.0, 1.0, (20_000, each.size)) * each).sum(axis=1)
    assert of_both_signs(each)
    low, high = range_of_sum(float(each.sum()), float((each**2).sum()), 0.8, both_signs=True)
    assert 0.75 < ((worth >= low) & (worth <= high)).mean() < 0.85
