"""The probability of superiority and its interval, on skewed, tied and tiny columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shopkeeper.know.insight.ranks import superiority


@given(
    st.lists(st.integers(-5, 5), min_size=2, max_size=40),
    st.lists(st.integers(-5, 5), min_size=2, max_size=40),
)
def test_the_chance_is_the_count_over_all_pairs(x, y):
    seen = superiority(np.array(x, float), np.array(y, float))
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in x for b in y]
    assert seen.chance == pytest.approx(sum(pairs) / len(pairs))
    assert (seen.median, seen.median_rest) == (np.median(x), np.median(y))
    low, high = seen.interval()
    assert -1 <= low <= seen.delta + 1e-9
    assert seen.delta - 1e-9 <= high <= 1
    back = superiority(np.array(y, float), np.array(x, float))
    assert back.delta == pytest.approx(-seen.delta)
    assert back.p == pytest.approx(seen.p)


def test_error_and_p_are_brunner_and_munzels_in_large_groups():
    draw = np.random.default_rng(3)
    x, y = draw.poisson(2.0, 400), draw.poisson(2.3, 900)
    seen, theirs = superiority(x, y), stats.brunnermunzel(x, y)
    assert seen.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_unchanged_by_any_rising_transformation():
    draw = np.random.default_rng(4)
    x, y = draw.lognormal(0.3, 2, 200), draw.lognormal(0, 1, 300)
    one, two = superiority(x, y), superiority(np.log(x), np.log(y))
    assert (one.chance, one.p, one.interval()) == (two.chance, two.p, two.interval())


def _normal(draw, size, shift):
    return draw.normal(shift, 1, size)


def _counts(draw, size, shift):
    return draw.poisson(np.exp(shift), size).astype(float)


def _spread(draw, size, shift):
    return draw.normal(shift, 1 + 3 * (shift != 0), size)


@pytest.mark.parametrize("world", [_normal, _counts, _spread])
@pytest.mark.parametrize("sizes", [(15, 15), (20, 400), (200, 200)])
@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_the_interval_covers_the_truth_about_as_often_as_said(world, sizes, shift):
    draw = np.random.default_rng(7)
    far = superiority(world(draw, 400_000, shift), world(draw, 400_000, 0.0))
    held, times = 0, 600
    for _ in range(times):
        low, high = superiority(world(draw, sizes[0], shift), world(draw, sizes[1], 0.0)).interval()
        held += low <= far.delta <= high
    # Binomial tolerance of 3 standard errors; the smallest groups may fall short by a point and a half.
    assert held / times >= 0.95 - 3 * (0.95 * 0.05 / times) ** 0.5 - (0.015 if min(sizes) < 30 else 0)


@pytest.mark.parametrize("sizes", [(5, 5), (12, 500), (60, 60)])
def test_no_more_false_alarms_than_said_even_far_out(sizes):
    draw = np.random.default_rng(11)
    p = np.array([
        superiority(draw.poisson(1.0, sizes[0]).astype(float), draw.poisson(1.0, sizes[1]).astype(float)).p
        for _ in range(4000)
    ])  # fmt: skip
    for level in (0.05, 0.01, 0.002):
        assert (p <= level).mean() <= level + 3 * (level / len(p)) ** 0.5


def test_columns_that_never_overlap_and_columns_that_are_one_value():
    apart = superiority(np.arange(10.0) + 100, np.arange(10.0))
    assert apart.delta == 1
    assert 0.5 < apart.interval()[0] < 1
    assert apart.p < 0.001
    same = superiority(np.zeros(10), np.zeros(20))
    assert (same.delta, same.p) == (0, 1)
    assert same.interval()[0] < 0 < same.interval()[1]
    assert superiority(np.zeros(1), np.zeros(5)) is None
