"""How far customers' own rates move beyond the window tested: learned where it is so, and kept out of means."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from shopkeeper.predict.value.calibration import Case, Learned, coverage_of, learn_distribution
from shopkeeper.predict.value.interval import Group
from shopkeeper.predict.value.level import Level, Unsure, Wander, at_levels, mixed
from shopkeeper.predict.value.rules import SteadyFuture
from shopkeeper.predict.value.wander import Longer, learn_wander, looked_at

TESTED = 10.0


def came(mean: NDArray[np.float64], growth: float, weeks: float, seed: int) -> NDArray[np.float64]:
    """Counts whose rates are gamma around the mean and wander by ``growth`` per unit of the logarithm of time."""
    rng = np.random.default_rng(seed)
    beyond = growth * np.log(max(weeks / TESTED, 1.0))
    own = np.exp(rng.normal(-beyond / 2.0, np.sqrt(beyond), mean.size))
    return rng.poisson(own * rng.gamma(20.0 * mean, weeks / 200.0)).astype(np.float64)


def longer(growth: float, weeks: float, seed: int) -> Longer:
    mean = np.random.default_rng(seed).uniform(0.1, 2.0, 1_500)
    orders = came(mean, growth, weeks, seed + 1)
    return Longer(SteadyFuture(20.0 * mean, 200.0), orders, np.full(mean.size, weeks), weeks)


@pytest.mark.parametrize("growth", [0.02, 0.14, 0.3])
def test_it_is_found_where_windows_were_longer(growth: float) -> None:
    seen = [longer(growth, weeks, 10 * place) for place, weeks in enumerate((18.0, 26.0))]
    assert learn_wander(seen, TESTED).growth == pytest.approx(growth, abs=0.06)


def test_where_nothing_longer_was_seen_it_is_what_is_usual() -> None:
    assert 0.05 < learn_wander([], TESTED).growth < 0.15
    few = longer(0.5, 26.0, 3)
    rows = np.arange(2)
    little = Longer(few.future.take(rows), few.orders[rows], few.at[rows], few.weeks)
    assert learn_wander([little], TESTED).growth < 0.25


def test_up_to_the_window_tested_nothing_is_added_and_means_are_kept() -> None:
    wander = Wander(growth=0.2, tested=TESTED)
    future = SteadyFuture(np.array([1.0, 8.0]), 20.0)
    plain, moved = (Unsure(future, Level(), wander=one) for one in (Wander(), wander))
    np.testing.assert_array_equal(moved.at_least(2.0, 10.0), plain.at_least(2.0, 10.0))
    np.testing.assert_array_equal(moved.mean(40.0), plain.mean(40.0))
    assert (moved.square(40.0) > plain.square(40.0)).all()
    assert mixed(at_levels(40.0, Level(), wander=wander)) == pytest.approx(40.0, rel=0.002)
    # One time for all, one for each customer and one level for all give the same.
    groups = tuple(Group(first=k, n=1, level=Level(deviation=0.3)) for k in (0, 2))
    frequency = np.array([0.0, 5.0])
    for t in (40.0, np.array([40.0, 40.0])):
        times = Learned(groups=groups, wander=wander).times(t, frequency)
        alone = at_levels(40.0, Level(deviation=0.3), wander=wander)
        np.testing.assert_allclose(times, np.stack([alone, alone], axis=1))


def test_ranges_four_times_as_far_as_tested_hold_for_who_wanders() -> None:
    """Learned on windows of 10 weeks, asked for 40; without it the same ranges are too narrow."""

    def window(day: int, weeks: float) -> Case:
        frequency = np.random.default_rng(day).integers(0, 9, 3_000).astype(np.float64)
        mean = 0.1 + 0.2 * frequency
        orders = came(mean, 0.3, weeks, day + 1)
        return Case(
            SteadyFuture(20.0 * mean, 200.0), False, frequency, orders, weeks, day, Level(deviation=0.05)
        )

    past = [window(70 * place, TESTED) for place in range(4)]
    learned = learn_distribution(past, Level(deviation=0.05), [window(7, 24.0), window(0, 31.0)])
    assert learned.wander.tested == TESTED
    far = window(900, 40.0)
    held, narrow = (
        [one.expected for one in coverage_of(far, each)]
        for each in (learned, msgspec.structs.replace(learned, wander=Wander()))
    )
    assert all(0.76 < share < 0.86 for share in held)
    assert narrow[-1] < 0.74
    assert narrow[-1] < held[-1] - 0.05


def test_what_an_earlier_version_learned_is_read_as_steady() -> None:
    assert msgspec.json.decode(b'{"groups": []}', type=Learned).wander == Wander()


def test_of_many_customers_some_of_each_group_are_looked_at() -> None:
    group = np.repeat([0, 1, 2], [5_000, 40, 900])
    counts = np.bincount(group[looked_at(group)])
    assert counts.tolist() == [250, 40, 250]
    assert looked_at(np.empty(0, dtype=np.int64)).size == 0


def test_without_end_it_stays_finite() -> None:
    assert np.isfinite(Wander(growth=0.2, tested=TESTED).variance(np.inf))
