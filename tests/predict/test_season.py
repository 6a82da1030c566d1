"""Seasons: found where there are some, not where there are none, and told in operational time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import (
    MBGCNBD,
    MBGNBD,
    ParetoNBD,
    RepeatRate,
    Season,
    Seasonal,
    SeasonalFit,
    summarise,
)
from shopkeeper.predict.value import season as find_season
from shopkeeper.predict.value.origin import hold_out
from shopkeeper.predict.value.summary import PurchaseDays, purchase_days, summarise_days

START = np.datetime64("2021-01-01")
DAYS = 3 * 365 + 1
TRUTH = 1 + 0.8 * np.cos(2 * np.pi * (np.arange(52) - 49) / 52)
WAVE = Season(weeks=tuple((TRUTH / TRUTH.mean()).tolist()), used=True)


def world(index: Season, seed: int, n: int = 2500) -> PurchaseDays:
    """Draw purchase days of customers of three years, at random in the time that ``index`` tells."""
    rng = np.random.default_rng(seed)
    calendar = START.astype(np.int64) + np.arange(DAYS + 1)
    told = index.told(calendar)
    first = rng.integers(0, DAYS - 200, n)
    rate, leaves = rng.gamma(1.2, 1 / 50.0, n), rng.beta(0.8, 5.0, n)
    now, live = told[first].astype(float), np.arange(n)
    who: list[NDArray[Any]] = [live]
    when: list[NDArray[Any]] = [calendar[first]]
    while live.size:
        live = live[rng.random(live.size) > leaves[live]]
        now[live] += rng.exponential(1 / rate[live])
        live = live[now[live] < told[-1]]
        who.append(live)
        when.append(np.floor(np.interp(now[live], told, calendar)).astype(np.int64))
    at = np.concatenate(when).astype("datetime64[D]")
    return purchase_days(customer=np.concatenate(who), occurred_at=at)


@pytest.fixture(scope="module")
def seasonal() -> PurchaseDays:
    return world(WAVE, seed=3)


def test_a_season_is_found_where_there_is_one(seasonal: PurchaseDays) -> None:
    found = find_season(seasonal, end="2023-12-31")
    assert found.used
    assert found.notes == ()
    assert np.mean(found.weeks) == pytest.approx(1.0)
    error = np.array(found.weeks) - WAVE.weeks
    assert np.sqrt((error**2).mean()) < 0.12
    assert np.corrcoef(found.weeks, WAVE.weeks)[0, 1] > 0.97


@pytest.mark.parametrize("seed", range(4))
def test_no_season_is_found_where_there_is_none(seed: int) -> None:
    found = find_season(world(Season(), seed=seed, n=1200), end="2023-12-31")
    assert not found.used
    assert set(found.weeks) == {1.0}
    assert found.notes == ("one year does not foretell the seasons of another; none is used",)


def test_too_short_or_too_poor_a_past_says_so(seasonal: PurchaseDays) -> None:
    short = find_season(seasonal, end="2022-06-30")
    assert not short.used
    assert "only over two years" in short.notes[0]
    few = purchase_days(customer=[1, 1, 2], occurred_at=["2020-01-01", "2022-02-01", "2023-01-05"])
    assert "too few repeat purchases" in find_season(few).notes[0]
    assert not find_season(purchase_days(customer=[], occurred_at=np.empty(0, "datetime64[D]"))).used


def test_with_its_season_the_coming_months_are_foretold_better(seasonal: PurchaseDays) -> None:
    """A quarter at the peak of December and one at the trough of June: without seasons one is missed by a quarter."""
    for end, window in (("2023-09-30", 91), ("2023-03-31", 91)):
        held = hold_out(
            seasonal, end_day=int(np.datetime64(end).astype(np.int64)) + window, window_days=window
        )
        index = find_season(seasonal, end=end)
        assert index.used
        with_it = Seasonal(MBGNBD(), index).fit(seasonal, end=end)
        known = {
            "frequency": held.known.past.frequency,
            "recency": held.known.past.recency,
            "T": held.known.past.T,
        }
        # Both likelihoods are of calendar time: 52 values of an index are worth it.
        assert with_it.log_likelihood > MBGNBD().fit(**known).log_likelihood + 200
        assert (with_it.converged, with_it.boundary, with_it.n) == (True, (), len(held.known.past.T))
        expected = with_it.expected_purchases(window / 7.0, **known)
        np.testing.assert_allclose(expected, with_it.expected_purchases(window / 7.0), rtol=1e-6)
        without = MBGNBD().fit(**known).expected_purchases(window / 7.0)
        actual = held.orders.sum()
        assert abs(expected.sum() / actual - 1) < 0.2
        assert abs(without.sum() / actual - 1) > 0.25
        assert abs(expected.sum() - actual) < 0.5 * abs(without.sum() - actual)
        assert ((expected - held.orders) ** 2).mean() < ((without - held.orders) ** 2).mean()


def test_a_real_retailer_sells_most_before_christmas(retail_days: PurchaseDays) -> None:
    index = find_season(retail_days, end="2011-11-30")
    assert index.used
    assert 44 <= int(np.argmax(index.weeks)) <= 48
    assert max(index.weeks) > 1.5
    assert min(index.weeks[0], index.weeks[-1]) < 0.6
    assert not find_season(retail_days, end="2011-03-11").used


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0.2, 5.0), min_size=52, max_size=52), st.integers(10_000, 30_000), st.floats(0, 900)
)
def test_operational_time_runs_on_and_a_year_stays_a_year(values: list[float], day: int, more: float) -> None:
    index = Season(weeks=tuple((np.array(values) / np.mean(values)).tolist()))
    a, b = index.told(float(day)), index.told(day + more)
    assert b >= a
    later = np.datetime64(day, "D") + 1461  # four years
    assert index.told(later) - index.told(np.datetime64(day, "D")) == pytest.approx(1461, abs=0.6)
    assert (index.index(np.arange(day, day + 400)) > 0).all()


def test_without_a_season_nothing_changes(seasonal: PurchaseDays) -> None:
    log = summarise_days(seasonal, end="2022-12-31")
    known = {"frequency": log.frequency, "recency": log.recency, "T": log.T}
    for model in (MBGNBD(), ParetoNBD()):
        plain, told = model.fit(**known), Seasonal(model, Season()).fit(seasonal, end="2022-12-31")
        assert told.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-3)
        one, other = plain.future(), told.future(**known)
        np.testing.assert_allclose(one.alive(), told.p_alive(), rtol=1e-5)
        np.testing.assert_allclose(one.mean(26.0), other.mean(26.0), rtol=1e-4)
        np.testing.assert_allclose(one.square(26.0), other.square(26.0), rtol=1e-4)
        np.testing.assert_allclose(one.at_least(2.0, 26.0), other.at_least(2.0, 26.0), rtol=1e-4)
        rows = np.arange(5)
        for t in (26.0, 300.0, np.inf):
            few = other.take(rows)
            np.testing.assert_allclose(
                one.discounted(t, 0.002)[rows], few.discounted(t, 0.002), rtol=2e-3
            )  # fmt: skip


def test_purchases_before_the_peak_are_discounted_less_than_after() -> None:
    log = summarise(
        customer=[1, 1, 1, 2, 3], occurred_at=["2021-01-05", "2021-03-05", "2021-08-01"] + ["2021-02-01"] * 2
    )
    assert log.frequency.sum() == 2
    days = purchase_days(
        customer=[1, 1, 1, 2, 3], occurred_at=["2021-01-05", "2021-03-05", "2021-08-01"] + ["2021-02-01"] * 2
    )
    sharp = np.where(np.arange(52) < 13, 3.4, 0.2)
    early = Seasonal(MBGNBD(), Season(weeks=tuple(sharp / sharp.mean()))).fit(days, end="2021-12-31")
    late = Seasonal(MBGNBD(), Season(weeks=tuple(np.roll(sharp, 39) / sharp.mean()))).fit(
        days, end="2021-12-31"
    )
    share = [
        fit.future().discounted(52.0, 0.01) / fit.future().mean(52.0) for fit in (early, late)
    ]  # fmt: skip
    assert (share[0] > share[1]).all()


def test_a_fit_is_stored_and_knows_its_model(tmp_path: Path, seasonal: PurchaseDays) -> None:
    fit = Seasonal(MBGCNBD(k=2), WAVE).fit(seasonal, end="2022-12-31")
    assert fit.name == "MBG/CNBD-2 with seasons"
    fit.save(tmp_path / "fit.json")
    again = SeasonalFit.load(tmp_path / "fit.json")
    known: Any = {"frequency": [0, 2], "recency": [0, 20.0], "T": [30.0, 40.0]}
    assert again.p_alive(**known).tolist() == fit.p_alive(**known).tolist()
    with pytest.raises(InvalidInput, match=r"RepeatRate cannot be told by seasons; give BGNBD\(\)"):
        Seasonal(RepeatRate(observed=3.0), WAVE).fit(seasonal)  # type: ignore[arg-type] # no fit to be had
