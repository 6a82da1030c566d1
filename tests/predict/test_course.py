"""The course of a level: what one year tells of the next, how far it is trusted, and that groups swing differently."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shopkeeper.predict.value import MBGNBD
from shopkeeper.predict.value.calibration import Case, Learned, coverage_of, learn_distribution
from shopkeeper.predict.value.course import FARTHEST, course, course_of
from shopkeeper.predict.value.interval import Group, bounds, centre
from shopkeeper.predict.value.level import Level, Window, learn_level
from shopkeeper.predict.value.origin import Shared
from shopkeeper.predict.value.rules import SteadyFuture
from shopkeeper.predict.value.summary import purchase_days
from shopkeeper.predict.value.weekly import Weekly, weekly

NOON = 20_089.0  # 2025-01-01
PER_WEEK = 200.0


def log_weeks(
    levels: NDArray[np.float64], seen: int, rng: np.random.Generator, last: float = NOON
) -> tuple[Weekly, float]:
    """Draw counts of ``seen`` weeks up to a day and give them, with the log level of the weeks after them."""
    expected = np.full(seen, PER_WEEK)
    middle = last - 7.0 * np.arange(seen)[::-1]
    count = rng.poisson(expected * np.exp(levels[:seen])).astype(np.float64)
    ahead = levels[seen:]
    return Weekly(count, expected, middle, np.full(ahead.size, PER_WEEK)), float(np.log(np.exp(ahead).mean()))


def of_year(weeks: int, last: float = NOON) -> NDArray[np.float64]:
    """Give the part of the year of each of ``weeks`` weeks that end 26 weeks after ``last``."""
    return (last + 7.0 * (np.arange(weeks) - weeks + 27)) / 365.25 % 1.0


def gifts(weeks: int) -> NDArray[np.float64]:
    """Give the log level of a shop whose autumn is strong and whose first months are weak."""
    year = of_year(weeks)
    peak, trough = (np.exp(-0.5 * (((year - at + 0.5) % 1.0 - 0.5) / 0.06) ** 2) for at in (0.89, 0.08))
    return np.asarray(0.6 * peak - 0.4 * trough)


@settings(deadline=None, max_examples=30)
@given(
    counts=st.lists(st.integers(0, 5000), max_size=120),
    expected=st.floats(0.01, 2000.0),
    ahead=st.integers(1, FARTHEST),
)
def test_the_level_is_foretold_whatever_was_seen(counts: list[int], expected: float, ahead: int) -> None:
    size = len(counts)
    middle = NOON - 7.0 * np.arange(size)[::-1]
    table = Weekly(np.array(counts, float), np.full(size, expected), middle, np.full(ahead, expected))
    found = course_of(table)
    for weeks in (1.0, ahead / 2.0 + 0.5, float(ahead), 1e6):
        level = found.level(weeks)
        assert np.isfinite(level.mean)
        assert 0.1 <= level.deviation < 1.0
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-9


def test_a_season_seen_once_is_believed_in_part_and_seen_twice_nearly() -> None:
    """At new year, after a strong autumn: the coming half-year is below the mean of what was seen."""
    rng = np.random.default_rng(1)
    one, told_one = log_weeks(gifts(53 + 26), 53, rng)
    two, told_two = log_weeks(gifts(130 + 26), 130, rng)
    once, twice = course_of(one).level(26.0), course_of(two).level(26.0)
    first = course_of(Weekly(one.count[27:], one.expected[27:], one.middle[27:], one.ahead)).level(26.0)
    assert told_one == pytest.approx(told_two)
    assert abs(once.mean - told_one) < once.deviation
    assert abs(twice.mean - told_two) < 0.05
    assert twice.deviation < once.deviation < first.deviation  # those weeks of the year were never seen


def test_a_level_that_fell_stays_down() -> None:
    levels = np.where(np.arange(106) < 50, 0.0, -0.5)
    seen, _ = log_weeks(levels, 80, np.random.default_rng(2))
    assert -0.65 < course_of(seen).level(26.0).mean < -0.3


def test_doubt_grows_with_the_horizon_and_falls_with_what_was_seen() -> None:
    rng = np.random.default_rng(3)
    long, _ = log_weeks(np.zeros(104 + 156), 104, rng)
    found = course_of(long)
    assert found.level(13.0).deviation < found.level(52.0).deviation < found.level(156.0).deviation
    nothing = course_of(Weekly(*(np.empty(0),) * 3, long.ahead)).level(26.0)
    assert nothing.deviation > 1.5 * found.level(26.0).deviation


@pytest.mark.parametrize("kind", ["still", "waves", "wander", "gifts"])
def test_ranges_of_the_level_hold_in_worlds_of_other_making(kind: str) -> None:
    """Worlds drawn without Gaussian processes: of eighty draws 64 are expected inside, fewer than 54 once in 200."""
    inside = 0
    for seed in range(80):
        rng = np.random.default_rng([seed, 7])
        seen = int(rng.integers(40, 110))
        weeks = seen + 26
        levels = np.zeros(weeks)
        if kind == "waves":
            turn = 2.0 * np.pi * of_year(weeks)
            levels = sum(rng.normal(0.0, 0.1) * np.cos(k * turn + rng.uniform(0, 6)) for k in (1, 2, 3))
        elif kind == "wander":
            levels = np.cumsum(rng.laplace(0.0, 0.02, weeks))
        elif kind == "gifts":
            levels = rng.uniform(0.2, 1.0) * gifts(weeks)
        table, told = log_weeks(levels - levels[:seen].mean(), seen, rng)
        level = course_of(table).level(26.0)
        inside += abs(told - level.mean) < 1.2816 * level.deviation
    assert inside >= 54, inside


def test_weeks_are_counted_and_expected_as_one_by_one() -> None:
    rng = np.random.default_rng(4)
    who, when = rng.integers(0, 40, 400), np.datetime64("2024-01-01") + rng.integers(0, 200, 400)
    days = purchase_days(customer=who, occurred_at=when)
    fit = MBGNBD().fit(frequency=[0, 2, 5], recency=[0, 8.0, 20.0], T=[20.0, 21.0, 25.0])
    last = int(days.day.max()) - 10
    table = weekly(days, last=last, fit=fit, unit=7.0, ahead=5)
    first = {code: int(days.day[days.code == code].min()) for code in np.unique(days.code)}
    start = last + 1 - 7 * table.count.size
    assert 0 <= start - int(days.day.min()) < 7
    for week in range(table.count.size):
        begin = start + 7 * week
        mine = (days.day >= begin) & (days.day < begin + 7)
        repeats = sum(first[c] < d for c, d in zip(days.code[mine], days.day[mine], strict=True))
        assert table.count[week] == repeats
        assert table.middle[week] == begin + 3.5
    ages = [(last - day) / 7.0 for day in first.values() if day <= last]
    exact = sum(float(np.diff(fit.expected_repeats([age, age + 5.0]))[0]) for age in ages)
    assert table.ahead.sum() == pytest.approx(exact, rel=0.05)
    level = course(days, last=last, fit=fit, weeks=5.0).level(5.0)
    assert level == course_of(table).level(5.0)


def test_what_was_missed_at_the_origins_widens_the_doubt() -> None:
    usual = Level(mean=0.1, deviation=0.15)
    right = learn_level([Window(np.exp(0.1), 1e6, usual)] * 5, usual, 3.0)
    wrong = learn_level([Window(np.exp(-0.5), 1e6, usual)] * 5, usual, 3.0)
    by_chance = learn_level([Window(np.exp(-0.5), 5.0, usual)] * 5, usual, 3.0)
    assert right == usual
    assert 0.3 < wrong.deviation <= 0.5
    assert by_chance == usual  # of five orders much is chance
    # A pick whose sum lies below the model's has the level that makes up for it.
    low = learn_level([Window(np.exp(0.3), 1e6, usual, apart=-0.2)] * 5, usual, 3.0)
    assert low.mean == pytest.approx(0.3)


def test_ranges_are_not_drawn_to_a_model_that_was_passed_over_for_being_wrong() -> None:
    usual = Level(deviation=0.2)
    # The pick was right five times and expected three times what the model did.
    found = learn_level([Window(1.0, 1e6, usual, apart=float(np.log(3.0)))] * 5, usual, 3.0)
    assert found == usual
    # Where it was the pick that was wrong, the model is heeded.
    heeded = learn_level([Window(1.0 / 3.0, 1e6, usual, apart=float(np.log(3.0)))] * 5, usual, 3.0)
    assert heeded.mean == pytest.approx(-np.log(3.0))


def test_groups_that_swing_differently_each_get_ranges_that_hold() -> None:
    """Who bought seldom feels the level thrice as much as who buys often."""
    rng = np.random.default_rng(5)
    usual = Level(deviation=0.25)

    def window(day: int, height: float) -> Case:
        frequency = rng.integers(0, 9, 4_000).astype(np.float64)
        mean = 0.4 + 0.5 * frequency
        moved = np.where(frequency < 2, 1.5, 0.5) * height
        came = rng.poisson(mean * np.exp(moved) * rng.gamma(1.5, 1 / 1.5, mean.size)).astype(np.float64)
        return Case(SteadyFuture(20.0 * mean, 200.0), False, frequency, came, 10.0, day, usual)

    past = [window(70 * at, height) for at, height in enumerate((-0.3, 0.25, -0.1, 0.3, -0.15))]
    learned = learn_distribution(past, usual)
    rare, often = learned.groups[0].level, learned.groups[-1].level
    assert rare is not None
    assert often is not None
    assert rare.deviation > 1.5 * often.deviation
    seen: dict[str, list[float]] = {}
    for at in range(12):
        for one in coverage_of(window(700 + at, 0.25 * float(rng.normal())), learned):
            seen.setdefault(one.group, []).append(one.expected)
    for group, own in seen.items():
        assert 0.75 < np.mean(own) < 0.85, group


def test_customers_who_share_a_history_get_what_each_would_get_alone() -> None:
    where = np.array([2, 0, 1, 2, 1])
    base = SteadyFuture(np.array([0.0, 3.0, 9.0]), 20.0)
    frequency = np.array([9.0, 0.0, 3.0, 9.0, 3.0])
    levels = [Level(mean=0.1 * place, deviation=0.1 + 0.2 * place) for place in range(3)]
    groups = tuple(Group(first=k, n=9, level=level) for k, level in zip((0, 2, 5), levels, strict=True))
    shared = Learned(groups=groups).applied(Shared(base, where), frequency)
    alone = Learned(groups=groups).applied(base.take(where), frequency)
    np.testing.assert_allclose(shared.at_least(2.0, 10.0), alone.at_least(2.0, 10.0))
    ks = np.arange(1.0, 6.0)
    np.testing.assert_allclose(shared.at_least(ks, 10.0), alone.at_least(ks, 10.0))
    for level in (0.1, 0.9):
        np.testing.assert_array_equal(bounds(shared, level, 10.0), bounds(alone, level, 10.0))
    np.testing.assert_allclose(centre(shared, 10.0), centre(alone, 10.0))
    few = np.array([0, 2])
    np.testing.assert_allclose(shared.take(few).at_least(1.0, 10.0), alone.at_least(1.0, 10.0)[few])
