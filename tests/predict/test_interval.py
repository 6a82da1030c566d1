"""Predictive ranges: counted as they should be, and holding where they are learned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.predict.value.calibration import Case, Learned, coverage_of, learn_distribution
from shopkeeper.predict.value.interval import (
    Around,
    Group,
    asked,
    bounds,
    fit_levels,
    fit_shape,
    group_of,
    groups,
    label,
    quantile,
    transforms,
)
from shopkeeper.predict.value.level import Level, Unsure
from shopkeeper.predict.value.rules import SteadyFuture

SURE = Learned(groups=(Group(first=0, n=1),))


def people(n: int, seed: int) -> tuple[SteadyFuture, np.ndarray, np.ndarray]:
    """Customers whose purchases to come are as their future says, and their frequency."""
    rng = np.random.default_rng(seed)
    frequency = rng.integers(1, 12, n).astype(np.float64)
    return SteadyFuture(frequency, 20.0), rng.poisson(rng.gamma(frequency, 10.0 / 20.0)), frequency


def test_expected_coverage_is_the_level_where_the_distribution_is_right() -> None:
    future, came, frequency = people(20_000, 1)
    found = coverage_of(Case(future, True, frequency, came.astype(np.float64), 10.0), SURE)
    assert found[0].expected == pytest.approx(0.8, abs=0.01)
    assert found[0].closed > 0.84  # counts are lumps: ends included, more are inside


@pytest.mark.parametrize(("wrong", "low", "high"), [(0.5, 0.0, 0.77), (2.0, 0.0, 0.77)])
def test_expected_coverage_shows_a_wrong_distribution(wrong: float, low: float, high: float) -> None:
    future, came, frequency = people(5_000, 2)
    found = coverage_of(Case(future, True, frequency, came.astype(np.float64), 10.0 * wrong), SURE)
    assert low < found[0].expected < high


def test_what_is_learned_on_two_windows_holds_on_a_third() -> None:
    """Counts vary far more than the forecast's own distribution says; after learning, ranges hold in every group."""
    rng = np.random.default_rng(3)

    def window(day: int) -> Case:
        frequency = rng.integers(0, 9, 8_000).astype(np.float64)
        mean = 0.2 + 0.4 * frequency
        came = rng.poisson(mean * rng.gamma(0.6, 1 / 0.6, mean.size)).astype(np.float64)
        return Case(SteadyFuture(20.0 * mean, 200.0), True, frequency, came, 10.0, day)

    before, held = [window(0), window(70)], window(140)
    raw = coverage_of(held, Learned(groups=tuple(Group(first=k, n=1) for k in (0, 1, 2, 4, 7))))
    learned = learn_distribution(before)
    found = coverage_of(held, learned)
    assert min(one.expected for one in raw) < 0.7
    assert [one.group for one in found] == ["0", "1", "2-3", "4-6", "7+"]
    for one in found:
        assert 0.77 < one.expected < 0.84, one
    # The same without a distribution of its own: a shape is fitted around the mean.
    bare = [Case(c.future, False, c.frequency, c.orders, c.window, c.day) for c in (*before, held)]
    for one in coverage_of(bare[2], learn_distribution(bare[:2])):
        assert 0.77 < one.expected < 0.84, one


def test_a_forecast_of_nothing_is_no_certainty() -> None:
    """Under a rule that expects nothing of one-time buyers, ranges still hold what they buy."""
    rng = np.random.default_rng(4)

    def window() -> Case:
        frequency = np.repeat([0.0, 1.0], 4_000)
        came = rng.poisson(rng.gamma(0.5, np.where(frequency > 0, 1.5, 0.3) / 0.5)).astype(np.float64)
        rule = SteadyFuture(np.where(frequency > 0, 9.0, 0.0), 50.0)
        return Case(rule, False, frequency, came, 10.0)

    learned = learn_distribution([window(), window()])
    assert learned.groups[0].floor > 0.01
    assert coverage_of(window(), learned)[0].expected == pytest.approx(0.8, abs=0.04)


def test_the_shape_of_a_known_world_is_found() -> None:
    rng = np.random.default_rng(5)
    mean = rng.uniform(0.5, 4.0, 20_000)
    alive = rng.random(mean.size) > 0.3
    came = np.where(alive, rng.poisson(rng.gamma(2.0, mean / 0.7 / 2.0)), 0).astype(np.float64)
    _, spread, zero = fit_shape(mean, came, np.full(mean.size, 10.0))
    assert zero == pytest.approx(0.3, abs=0.05)
    assert spread == pytest.approx(2.0, rel=0.2)


@settings(deadline=None, max_examples=40)
@given(
    mean=st.lists(st.floats(0, 50), min_size=1, max_size=4),
    spread=st.floats(0.05, 50),
    zero=st.floats(0, 0.9),
    level=st.floats(0.01, 0.99),
)
def test_a_quantile_is_the_smallest_count_that_reaches_the_level(
    mean: list[float], spread: float, zero: float, level: float
) -> None:
    size = len(mean)
    base = SteadyFuture(np.array(mean), 1.0)
    future = Around(base, np.full(size, 0.01), np.full(size, spread), np.full(size, zero))
    found = quantile(future, level, 1.0)
    assert (1.0 - future.at_least(found + 1.0, 1.0) >= level - 1e-9).all()
    below = np.where(found > 0, 1.0 - future.at_least(np.maximum(found, 1.0), 1.0), 0.0)
    assert (below < level + 1e-9).all()
    down, up = transforms(future, found, 1.0)
    assert (down <= up).all()
    assert (future.square(1.0) >= 0).all()
    # Customers alike share the work, within 1 % of the mean.
    np.testing.assert_array_equal(bounds(future, level, 1.0) >= 0, True)


def test_groups_are_merged_where_customers_are_few() -> None:
    frequency = np.repeat([0.0, 1.0, 2.0, 5.0, 9.0], [500, 300, 120, 60, 70])
    firsts = groups(frequency)
    assert firsts == (0, 1, 2, 4)
    assert np.bincount(group_of(frequency, firsts)).tolist() == [500, 300, 120, 130]
    assert [label(firsts, place) for place in range(4)] == ["0", "1", "2-3", "4+"]
    assert groups(np.zeros(3)) == (0,)


def test_few_transforms_move_the_levels_little() -> None:
    levels, few = fit_levels(np.full(2, 0.99), np.full(2, 1.0))
    _, many = fit_levels(np.full(2000, 0.99), np.full(2000, 1.0))
    assert np.interp(0.9, levels, few) > 0.8
    assert np.interp(0.9, levels, many) < 0.02
    assert list(many) == sorted(many)


def test_without_customers_levels_are_left_as_they_are() -> None:
    assert asked(0.9, np.zeros(2, np.int64), [Group(first=0, n=0)]).tolist() == pytest.approx([0.9, 0.9])
    assert asked(0.9, np.zeros(2, np.int64), []).tolist() == [0.9, 0.9]


def test_an_uncertain_level_widens_and_keeps_the_mean() -> None:
    future, _, _ = people(50, 6)
    unsure = Unsure(future, Level(mean=0.0, deviation=0.4))
    np.testing.assert_array_equal(unsure.mean(10.0), future.mean(10.0))
    assert (quantile(unsure, 0.95, 10.0) >= quantile(future, 0.95, 10.0)).all()
    assert (unsure.square(10.0) > future.square(10.0)).all()
    same = Unsure(future, Level())
    np.testing.assert_allclose(same.at_least(2.0, 10.0), future.at_least(2.0, 10.0))


def test_the_time_of_each_group_runs_at_its_own_levels() -> None:
    groups = (
        Group(first=0, n=1, level=Level(deviation=0.5)),
        Group(first=1, n=1, level=Level(mean=np.log(2.0))),
    )
    learned = Learned(groups=groups, level=Level(deviation=0.1))
    slow, middle, fast = learned.times(10.0, np.array([0.0, 1.0, 5.0]))
    assert slow[0] < middle[0] == 10.0 < fast[0] == 10.0 * np.exp(np.sqrt(3.0) / 2.0)
    assert [one[1:].tolist() for one in (slow, middle, fast)] == [pytest.approx([20.0, 20.0])] * 3
    plain = Learned(level=Level(deviation=0.1)).times(10.0, np.array([0.0]))
    assert plain == pytest.approx([10.0 * factor for factor in Level(deviation=0.1).factors])
