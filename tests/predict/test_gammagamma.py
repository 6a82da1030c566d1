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

from .conftest import Log


def test_reaches_the_published_optimum(sample: Log) -> None:
    log = sample.calibration()
    fit = GammaGamma(fence=None).fit(frequency=log.frequency, monetary=log.monetary)
    np.testing.assert_allclose(list(fit.params.values()), (6.2496, 3.7442, 15.4435), atol=6e-5)
    assert fit.log_likelihood == pytest.approx(-4055.92, abs=0.006)
    assert fit.n == 946
    assert fit.converged
    # Nobody in this sample buys wholesale: the fence changes nothing.
    assert GammaGamma().fit(frequency=log.frequency, monetary=log.monetary).params == fit.params


def test_reaches_the_optimum_on_the_full_cohort(full: Log) -> None:
    log = full.calibration()
    fit = GammaGamma(fence=None).fit(frequency=log.frequency, monetary=log.monetary)
    np.testing.assert_allclose(list(fit.params.values()), (6.275, 3.624, 14.984), atol=6e-4)
    assert fit.notes == ("1 customers with a mean amount of 0 or less were left out of the fit",)


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
    [([], []), ([0], [0]), ([1], [5.0]), ([2] * 30, [5.0] * 30), ([1, 2], [-1, -2]), ([3, 3], [1e-9, 1e12])],
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
