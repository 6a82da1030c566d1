"""Intervals of shares hold what they promise, checked by adding up the binomial distribution itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shopkeeper.know.insight.shares import cohen_h, difference, effect_limits, fisher, p_values, ratio, wilson


def coverage(interval, truth, p1, n1, p2, n2):
    """Exact chance that the interval holds the truth."""
    k1, k2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    chance = stats.binom.pmf(k1, n1, p1) * stats.binom.pmf(k2, n2, p2)
    with np.errstate(invalid="ignore"):
        low, high = interval(k1.ravel(), n1, k2.ravel(), n2)
    return float(chance.ravel()[(low <= truth) & (truth <= high)].sum())


WORLDS = [
    (0.5, 40, 0.5, 40),
    (0.1, 60, 0.3, 90),
    (0.02, 150, 0.05, 300),
    (0.9, 30, 0.6, 200),
    (0.2, 20, 0.2, 400),
]


@pytest.mark.parametrize("world", WORLDS)
def test_the_difference_is_covered_as_often_as_said(world):
    p1, _, p2, _ = world
    assert 0.93 <= coverage(difference, p1 - p2, *world) <= 0.985


@pytest.mark.parametrize("world", WORLDS)
def test_the_ratio_is_covered_as_often_as_said(world):
    p1, _, p2, _ = world
    assert 0.93 <= coverage(ratio, p1 / p2, *world) <= 0.99


@given(st.data())
def test_intervals_hold_the_estimate_and_agree_about_no_difference(data):
    n1, n2 = (data.draw(st.integers(1, 5000)) for _ in range(2))
    k1, k2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    low, high = difference(k1, n1, k2, n2)
    assert -1 - 1e-9 <= low <= k1 / n1 - k2 / n2 + 1e-9
    assert k1 / n1 - k2 / n2 - 1e-9 <= high <= 1 + 1e-9
    below, above = ratio(k1, n1, k2, n2)
    assert below >= 0
    if k2:
        assert below - 1e-9 <= (k1 / n1) / (k2 / n2) <= above + 1e-9
    ends = effect_limits(k1, n1, k2, n2)
    assert ends[0] - 1e-9 <= cohen_h(k1 / n1, k2 / n2) <= ends[1] + 1e-9
    assert abs(low) < 1e-9 or np.sign(ends[0]) == np.sign(low)
    assert abs(high) < 1e-9 or np.sign(ends[1]) == np.sign(high)
    back = difference(k2, n2, k1, n1)
    assert np.allclose([low, high], [-back[1], -back[0]])
    one, two = wilson(k1, n1)
    assert 0 <= one <= k1 / n1 <= two <= 1


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 60), st.integers(1, 60))
def test_fisher_agrees_with_scipy(k1, n1, k2, n2):
    k1, k2 = min(k1, n1), min(k2, n2)
    assert fisher(k1, n1, k2, n2) == pytest.approx(
        stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]])[1], abs=1e-9
    )


def test_the_test_is_pearsons_where_enough_is_expected():
    table = np.array([[120, 380], [90, 610]])
    expected = stats.chi2_contingency(table, correction=False)[1]
    assert p_values(120, 500, 90, 700)[0] == pytest.approx(expected)
    assert p_values([0, 5], [10, 5], [0, 7], [20, 7]).tolist() == [1.0, 1.0], (
        "nothing differs where nobody or all have it"
    )
