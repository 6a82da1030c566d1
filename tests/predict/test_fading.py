"""When silence becomes unusual by a customer's own rhythm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.fading import (
    OWN,
    POPULATION,
    STATES,
    Population,
    calendar,
    fading,
    fit_population,
    gaps,
)
from shopkeeper.predict.fading.rhythm import next_gap

from .conftest import Log

CROWD = Population(p=1.5, q=2.0, v=40.0, n=500)


def visits(gap: float, jitter: float, count: int, seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    steps = np.maximum(1, np.rint(rng.normal(gap, jitter, count)))
    return np.datetime64("2023-01-02") + np.concatenate(([0], np.cumsum(steps))).astype(int)


def judge(when: Any, silence: int, **terms: Any) -> Any:
    own = gaps(customer=np.zeros(len(when), dtype=int), occurred_at=when)
    return fading(
        count=own.count,
        mean_gap=own.mean,
        cv2=own.cv2,
        last=own.last,
        silence=[silence],
        population=CROWD,
        **terms,
    )


def test_a_regular_of_every_second_friday_misses_two() -> None:
    """Fading weeks before a 90-day rule; a monthly customer with the same silence is not."""
    fortnightly = judge(visits(14, 1.5, 25), 43)
    assert fortnightly.state[0] == "fading"
    assert fortnightly.basis[0] == OWN
    assert fortnightly.fading_after[0] < 43
    last = visits(14, 1.5, 25)[-1]
    assert last < fortnightly.fading_since[0] <= last + 43
    assert judge(visits(14, 1.5, 25), 15).state[0] == "active"
    monthly = judge(visits(30, 3, 18), 43)
    assert monthly.state[0] == "active"
    assert np.isnat(monthly.fading_since[0])
    assert monthly.unusual_from[0] > visits(30, 3, 18)[-1] + 43


def test_who_buys_once_every_december_is_not_fading_in_june() -> None:
    assert judge(visits(365, 5, 4), 180).state[0] == "active"


def test_without_a_rhythm_the_population_stands_in() -> None:
    answer = fading(count=[0, 1, 0], mean_gap=[0, 9, 0], silence=[5, 5, 4000], population=CROWD)
    assert answer.basis.tolist() == [POPULATION] * 3
    assert answer.state.tolist() == ["new", "active", "lapsed"]
    assert len(set(answer.fading_after.tolist())) == 1
    assert np.isnat(answer.unusual_from).all()


def test_false_alarms_per_year_do_not_depend_on_the_frequency() -> None:
    """Simulated customers with Poisson purchases who never leave: about as many alarms as asked for."""
    rng = np.random.default_rng(4)
    crowd = Population(p=1.0, q=2.0, v=30.0, n=1000)
    n, known = 40_000, 6
    mean = crowd.v / rng.gamma(crowd.q, 1.0, n)
    past = rng.gamma(known, 1.0, n) * mean / known
    following = rng.exponential(mean)
    answer = fading(
        count=np.full(n, known), mean_gap=past, silence=np.zeros(n), population=crowd, alarms_per_year=0.5
    )
    alarm = following > answer.fading_after
    for low, high in ((0, 10), (10, 20), (20, 40)):
        group = (past >= low) & (past < high)
        per_year = alarm[group].sum() / (following[group].sum() / 365.25)
        assert per_year == pytest.approx(0.5, abs=0.15), (low, high)


def test_alarm_comes_when_the_tail_reaches_its_share() -> None:
    answer = fading(count=[8], mean_gap=[20], silence=[0], population=CROWD)
    at = fading(count=[8], mean_gap=[20], silence=answer.fading_after, population=CROWD)
    past, scale = 2.0 + 1.5 * 8, 1.5 * 40.0 + 1.5 * 8 * 20
    assert at.tail[0] == pytest.approx(0.25 * scale / (past - 1) / 365.25, rel=1e-6)
    assert at.state[0] == "active"
    assert (
        fading(count=[8], mean_gap=[20], silence=answer.fading_after * 1.01, population=CROWD).state[0]
        == "fading"
    )
    assert (
        fading(count=[8], mean_gap=[20], silence=answer.fading_after * 2.01, population=CROWD).state[0]
        == "lapsed"
    )


customers = st.tuples(st.integers(0, 200), st.floats(0.01, 1000), st.floats(0, 20), st.floats(0, 5000))


@settings(deadline=None, max_examples=60)
@given(data=st.lists(customers, max_size=30), own=st.booleans(), alarms=st.floats(0.01, 5.0))
def test_any_customers_get_a_finite_answer(data: list[Any], *, own: bool, alarms: float) -> None:
    count, mean, cv2, silence = (np.array([row[i] for row in data], dtype=float) for i in range(4))
    known: dict[str, Any] = {
        "count": count,
        "mean_gap": mean,
        "cv2": cv2 if own else None,
        "alarms_per_year": alarms,
    }
    answer = fading(**known, silence=silence)
    assert set(answer.state) <= set(STATES)
    assert (np.isfinite(answer.fading_after) & (answer.fading_after > 0)).all()
    assert ((answer.tail >= 0) & (answer.tail <= 1)).all()
    longer = fading(**known, silence=silence + 10)
    assert (longer.tail <= answer.tail + 1e-12).all()
    rank = {"new": 0, "active": 0, "fading": 1, "lapsed": 2}
    assert all(rank[after] >= rank[now] for now, after in zip(answer.state, longer.state, strict=True))


def test_gaps_by_hand() -> None:
    log = gaps(
        customer=[2, 1, 1, 1, 1],
        occurred_at=["2024-05-01", "2024-01-01", "2024-01-11", "2024-01-31", "2024-06-01"],
        end="2024-05-31",
    )
    assert log.customer.tolist() == [1, 2]
    assert log.count.tolist() == [2, 0]
    assert log.mean.tolist() == [15, 0]
    assert log.cv2.tolist() == pytest.approx([50 / 225, 0])
    assert log.last.astype(str).tolist() == ["2024-01-31", "2024-05-01"]
    assert gaps(customer=[], occurred_at=[]).count.size == 0


def test_population_of_a_real_shop(sample: Log) -> None:
    log = gaps(customer=sample.customer, occurred_at=sample.occurred_at)
    crowd = fit_population(count=log.count, mean_gap=log.mean)
    assert crowd.n == int((log.count > 0).sum())
    assert 0.5 < crowd.p < 3
    silence = (log.last.max() - log.last).astype(float)
    answer = fading(count=log.count, mean_gap=log.mean, cv2=log.cv2, silence=silence, last=log.last)
    assert set(answer.state) >= {"active", "fading"}
    assert (np.isnat(answer.fading_since) == ~np.isin(answer.state, ["fading", "lapsed"])).all()


@pytest.mark.parametrize(("count", "mean"), [([], []), ([0, 0], [0, 0]), ([1, 2], [30, 40])])
def test_too_few_customers_are_said(count: list[int], mean: list[float]) -> None:
    crowd = fit_population(count=count, mean_gap=mean)
    assert "too few" in crowd.notes[0]
    assert fading(count=count, mean_gap=mean, silence=[5.0] * len(count)).state.size == len(count)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"silence": [-1]}, "silence is negative"),
        ({"silence": [1, 2]}, "differ in length"),
        ({"mean_gap": [0]}, "mean_gap must be above 0"),
        ({"alarms_per_year": 0}, "alarms_per_year is 0"),
    ],
)
def test_wrong_input_is_refused(terms: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        fading(**({"count": [3], "mean_gap": [10], "silence": [1]} | terms))


@pytest.mark.parametrize("below", [0.02, 0.1, 0.7])
def test_rare_silences_are_those_whose_chance_is_below_the_limit(below: float) -> None:
    draw = np.random.default_rng(3)
    n = 8_000
    count = draw.integers(0, 40, n).astype(float)
    following = next_gap(count, count * draw.lognormal(3, 1, n), draw.gamma(1, 1, n), CROWD)
    silence = np.floor(draw.lognormal(3, 1.5, n))
    silence[:100] = 0.0
    rows, chance = following.rare(silence, below)
    tail = following.tail(silence)
    assert rows.tolist() == np.flatnonzero(tail < below).tolist()
    assert 0 < rows.size < n
    assert chance.tolist() == tail[rows].tolist()


@settings(deadline=None, max_examples=60)
@given(first=st.integers(0, 20_000), years=st.integers(1, 4), shift=st.integers(-60, 60))
def test_two_visits_that_are_a_season_are_close(first: int, years: int, shift: int) -> None:

    steps = np.linspace(0, 1, calendar.BINS + 1)
    other = first + round(years * calendar.TURN) + shift
    for everybody in (calendar.FLAT, tuple(steps**2)):
        if calendar.season([first, other], everybody) is not None:
            assert calendar.close(np.array([first]), np.array([other]), everybody).all()
