"""Gamma-Gamma: published figures, robustness, poor data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import GammaGamma, GammaGammaFit
from shopkeeper.predict.value.summary import PurchaseDays, summarise_days

from .conftest import Log


def test_reaches_the_published_optimum(sample: Log) -> None:
    log = sample.calibration()
    fit = GammaGamma(fence=None).fit(frequency=log.frequency, monetary=log.monetary)
    np.testing.assert_allclose(list(fit.params.values()), (6.2496, 3.7442, 15.4435), atol=6e-5)
    assert fit.log_likelihood == pytest.approx(-4055.92, abs=0.006)
    assert fit.n == 946
    assert fit.converged
    # Nobody in this sample buys wholesale: the fence hardly moves anything.
    fenced = GammaGamma().fit(frequency=log.frequency, monetary=log.monetary)
    assert fenced.n_fenced == 5
    assert fenced.population_mean == pytest.approx(fit.population_mean, rel=2e-3)
    np.testing.assert_allclose(list(fenced.params.values()), list(fit.params.values()), rtol=6e-3)


def test_reaches_the_optimum_on_the_full_cohort(full: Log) -> None:
    log = full.calibration()
    fit = GammaGamma(fence=None).fit(frequency=log.frequency, monetary=log.monetary)
    np.testing.assert_allclose(list(fit.params.values()), (6.275, 3.624, 14.984), atol=6e-4)
    assert fit.notes == ("1 customer with a mean amount of 0 or less was left out of the fit",)


def amounts(n: int = 4000) -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    count = rng.geometric(0.3, n).astype(float)
    mean = rng.gamma(6.0 * count) / count / rng.gamma(4.0, 1 / 15.0, n)
    return count, mean


def test_wholesalers_do_not_decide_the_fit() -> None:
    count, mean = amounts()
    honest = GammaGamma(fence=None).fit(frequency=count, monetary=mean)
    bought = mean.copy()
    bought[:10] = 1e6
    misled = GammaGamma(fence=None).fit(frequency=count, monetary=bought)
    robust = GammaGamma().fit(frequency=count, monetary=bought)
    assert robust.n_fenced >= 10
    off = [abs(np.log(fit.p / honest.p)) for fit in (robust, misled)]
    assert off[0] < 0.25 * off[1]
    off = [abs(fit.population_mean - honest.population_mean) for fit in (robust, misled)]
    assert off[0] < 0.25 * off[1]
    # The wholesaler himself is still expected to spend like one.
    assert robust.expected_average(frequency=[20.0], monetary=[1e6])[0] > 9e5


def test_a_lone_huge_order_does_not_make_a_wholesaler() -> None:
    count, mean = amounts()
    fit = GammaGamma().fit(frequency=count, monetary=mean)
    assert fit.fence_high is not None
    high = fit.fence_high
    at_fence, beyond, twice = fit.expected_average(frequency=[1, 1, 2], monetary=[high, 1e6, 1e6])
    assert at_fence == beyond < high
    assert twice > 5e5
    assert GammaGamma(fence=None).fit(frequency=count, monetary=mean).fence_high is None


def test_next_orders_are_met_better_with_the_fence(retail_days: PurchaseDays) -> None:
    """Online Retail II, orders of 39 weeks after three origins: median absolute error of their mean amount."""
    days, better = retail_days, []
    for end in ("2010-09-10", "2010-12-10", "2011-03-11"):
        log = summarise_days(days, end=end)
        first = int(np.datetime64(end).astype(np.int64))
        later = (days.day > first) & (days.day <= first + 273)
        size, place = days.customers.size, np.searchsorted(days.customers, log.customer)
        worth = np.bincount(days.code[later], weights=days.amount[later], minlength=size)[place]
        orders = np.bincount(days.code[later], minlength=size)[place]
        back = orders > 0
        known = {"frequency": log.frequency + 1, "monetary": log.mean_amount}
        plain, fenced = (
            GammaGamma(fence=fence).fit(**known).expected_average(**known) for fence in (None, 3.0)
        )
        actual = worth[back] / orders[back]
        better.append(np.median(np.abs(fenced[back] - actual)) / np.median(np.abs(plain[back] - actual)))
    assert max(better) < 1.0


def test_standard_errors_say_how_far_estimates_lie_from_the_truth() -> None:
    off = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        count = rng.geometric(0.3, 1500).astype(float)
        mean = rng.gamma(6.0 * count) / count / rng.gamma(4.0, 1 / 15.0, 1500)
        fit = GammaGamma(fence=None).fit(frequency=count, monetary=mean)
        for name, true in (("p", 6.0), ("q", 4.0), ("v", 15.0)):
            error = fit.standard_errors[name]
            assert error is not None
            off.append((fit.params[name] - true) / error)
    # 36 standard normal draws in groups of three: their root mean square lies within these bounds.
    assert 0.6 < np.sqrt(np.mean(np.square(off))) < 1.5
    assert np.abs(off).max() < 4


def test_expectation_lies_between_own_and_population_mean() -> None:
    count, mean = amounts()
    fit = GammaGamma().fit(frequency=count, monetary=mean)
    expected = fit.expected_average(frequency=[0, 1, 100], monetary=[0, 500.0, 500.0])
    assert expected[0] == pytest.approx(fit.population_mean)
    assert expected[0] < expected[1] < expected[2] < 500.0
    assert fit.expected_average(frequency=[50], monetary=[-20.0])[0] < 0


def test_weights_mean_that_many_customers() -> None:
    count, mean = amounts(300)
    by_weight = GammaGamma().fit(frequency=count, monetary=mean, weights=np.full(300, 3.0))
    by_row = GammaGamma().fit(frequency=np.tile(count, 3), monetary=np.tile(mean, 3))
    assert by_weight.n == 900
    assert by_weight.log_likelihood == pytest.approx(by_row.log_likelihood, rel=1e-9)


@pytest.mark.parametrize(
    ("count", "mean"),
    [
        ([], []),
        ([0], [0]),
        ([1], [5.0]),
        ([2] * 30, [5.0] * 30),
        ([1, 2], [-1, -2]),
        ([3, 3], [1e-9, 1e12]),
        ([2, 2, 2], [1.0, 9e-109, 3e-254]),
    ],
)
def test_poor_data_give_an_answer_that_says_so(count: list[float], mean: list[float]) -> None:
    fit = GammaGamma().fit(frequency=count, monetary=mean)
    assert fit.notes
    assert np.isfinite([fit.p, fit.q, fit.v, fit.log_likelihood, fit.population_mean]).all()
    assert np.isfinite(fit.expected_average(frequency=count, monetary=mean)).all()


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 50), st.floats(-1e3, 1e6)), max_size=30))
def test_any_amounts_give_finite_figures(data: list[tuple[int, float]]) -> None:
    count, mean = [float(row[0]) for row in data], [row[1] for row in data]
    fit = GammaGamma().fit(frequency=count, monetary=mean)
    assert np.isfinite([fit.p, fit.q, fit.v, fit.log_likelihood]).all()
    assert np.isfinite(fit.expected_average(frequency=count, monetary=mean)).all()


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InvalidInput, match="fence is 0"):
        GammaGamma(fence=0)
    with pytest.raises(InvalidInput, match="differ in length"):
        GammaGamma().fit(frequency=[1], monetary=[1, 2])
    with pytest.raises(InvalidInput, match="weight is negative"):
        GammaGamma().fit(frequency=[1], monetary=[1], weights=[-1])


def test_a_fit_is_stored_as_json(tmp_path: Path) -> None:
    fit = GammaGamma().fit(frequency=[1, 2], monetary=[10.0, 20.0])
    fit.save(tmp_path / "fit.json")
    assert GammaGammaFit.load(tmp_path / "fit.json") == fit
