"""BG/NBD, MBG/NBD and Pareto/NBD: published figures, gradients, poor data, wrong data, storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import BadFile, InvalidInput
from shopkeeper.predict.value import BGNBD, MBGNBD, BGNBDFit, Discount, MBGNBDFit, ParetoNBD, Summary
from shopkeeper.predict.value.dropout import DropoutEnds
from shopkeeper.predict.value.history import checked, collapse
from shopkeeper.predict.value.origin import hold_out
from shopkeeper.predict.value.pareto_ends import ParetoEnds
from shopkeeper.predict.value.summary import purchase_days
from shopkeeper.predict.value.twoends import Likelihood

from .conftest import Log

MODELS = [BGNBD, MBGNBD, ParetoNBD]
GOLDEN = [
    ("sample", BGNBD, (0.2426, 4.4136, 0.7929, 2.4259), -9582.43),
    ("sample", MBGNBD, (0.5248, 6.1831, 0.8914, 1.6140), -9582.14),
    ("sample", ParetoNBD, (0.5533, 10.5777, 0.6062, 11.6687), -9594.98),
    ("full", ParetoNBD, (0.5974, 11.5857, 0.5222, 8.8278), -95415.12),
    ("full", BGNBD, (0.2516, 4.7889, 0.7234, 2.1611), -95368.44),
    ("full", MBGNBD, (0.6371, 7.3103, 0.8075, 1.2284), -95336.96),
]


def columns(log: Summary) -> dict[str, Any]:
    return {"frequency": log.frequency, "recency": log.recency, "T": log.T}


@pytest.mark.parametrize(("data", "model", "params", "log_likelihood"), GOLDEN)
def test_reaches_the_published_optimum(
    data: str, model: Any, params: tuple[float, ...], log_likelihood: float, request: pytest.FixtureRequest
) -> None:
    log: Log = request.getfixturevalue(data)
    fit = model().fit(**columns(log.calibration()))
    np.testing.assert_allclose(list(fit.params.values()), params, atol=6e-5)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=0.006)
    assert fit.converged
    assert fit.gradient_norm < 1e-5
    assert fit.boundary == ()
    assert fit.notes == ()
    assert all(0 < fit.standard_errors[name] < value for name, value in fit.params.items())


def test_published_conditional_expectation(sample: Log) -> None:
    """Fader, Hardie and Lee (2005) expect 1.226 purchases in 39 weeks of x=2, t_x=30.43, T=38.86."""
    fit = BGNBD().fit(**columns(sample.calibration()))
    expected = fit.expected_purchases(39.0, frequency=[2], recency=[30.43], T=[38.86])
    assert expected[0] == pytest.approx(1.226, abs=5e-4)


def test_predictions_correlate_with_the_next_39_weeks_as_published(sample: Log) -> None:
    days = purchase_days(customer=sample.customer, occurred_at=sample.occurred_at)
    held = hold_out(days, end_day=int(np.datetime64("1998-06-30").astype(np.int64)), window_days=273)
    for model, correlation in ((BGNBD, 0.626), (ParetoNBD, 0.630)):
        predicted = model().fit(**columns(held.known.past)).expected_purchases(39.0)
        assert np.corrcoef(predicted, held.orders)[0, 1] == pytest.approx(correlation, abs=5e-4)


ENDS = [DropoutEnds(at_first=False), DropoutEnds(at_first=True), ParetoEnds()]


@settings(deadline=None, max_examples=40)
@given(logs=st.lists(st.floats(-3, 3), min_size=4, max_size=4), ends=st.sampled_from(ENDS))
def test_gradient_and_curvature_are_slopes(logs: list[float], ends: Any) -> None:
    history = checked([0, 0, 1, 2, 7, 7], [0, 0, 3.5, 20.0, 30.0, 30.0], [10, 30.5, 38, 38, 31, 31])
    likelihood = Likelihood(ends, collapse(history), scale=20.0)
    at = np.array(logs)
    _, gradient = likelihood(at)
    curvature = likelihood.curvature(at)
    step = 1e-5
    for i in range(4):
        away = np.eye(4)[i] * step
        (above, slope_above), (below, slope_below) = likelihood(at + away), likelihood(at - away)
        assert gradient[i] == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(
            curvature[i], (slope_above - slope_below) / (2 * step), rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("model", MODELS)
def test_weights_mean_that_many_customers(model: Any) -> None:
    x, t, age = np.array([0, 1, 2, 5, 3]), np.array([0, 2, 9, 30, 4.0]), np.array([40, 40, 35, 31, 39.0])
    times = np.array([40, 9, 5, 2, 3])
    by_weight = model().fit(frequency=x, recency=t, T=age, weights=times)
    by_row = model().fit(frequency=np.repeat(x, times), recency=np.repeat(t, times), T=np.repeat(age, times))
    assert by_weight.n == by_row.n == times.sum()
    assert by_weight.log_likelihood == pytest.approx(by_row.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_time_unit_only_rescales(model: Any) -> None:
    x, t, age = (
        np.array([0, 0, 1, 2, 5, 3]),
        np.array([0, 0, 2, 9, 30, 4.0]),
        np.array([40, 4, 40, 35, 31, 39]),
    )
    weeks = model().fit(frequency=x, recency=t, T=age)
    days = model().fit(frequency=x, recency=t * 7, T=age * 7)
    assert days.alpha == pytest.approx(weeks.alpha * 7, rel=1e-3)
    left = weeks.expected_purchases(10, frequency=x, recency=t, T=age)
    right = days.expected_purchases(70, frequency=x, recency=t * 7, T=age * 7)
    np.testing.assert_allclose(left, right, rtol=1e-4)


POOR = {
    "nobody": ([], [], []),
    "one who never came back": ([0], [0], [10]),
    "one regular": ([5], [8.0], [10]),
    "only one-time buyers": ([0] * 50, [0] * 50, list(range(50))),
    "all the same": ([3] * 40, [5.0] * 40, [9.0] * 40),
    "all on the last day": ([0] * 3, [0] * 3, [0] * 3),
    "never lost": (list(range(1, 60)), [99.9] * 59, [100.0] * 59),
    "all lost": ([1] * 100, [1.0] * 100, [1000.0] * 100),
    "absurd counts": ([1e5] * 3 + [0] * 3, [99.0] * 3 + [0] * 3, [100.0] * 6),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", POOR)
def test_poor_data_give_an_answer_that_says_so(case: str, model: Any) -> None:
    x, t, age = POOR[case]
    fit = model().fit(frequency=x, recency=t, T=age)
    assert all(np.isfinite(value) and value > 0 for value in fit.params.values())
    assert np.isfinite(fit.log_likelihood)
    assert fit.notes
    alive = fit.p_alive(frequency=x, recency=t, T=age)
    expected = fit.expected_purchases(52.0, frequency=x, recency=t, T=age)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (np.isfinite(expected) & (expected >= 0)).all()


rows = st.tuples(
    st.integers(0, 60), st.floats(0.001, 1.0, allow_nan=False), st.integers(1, 800), st.integers(1, 50)
)


@settings(deadline=None, max_examples=40)
@given(st.lists(rows, min_size=0, max_size=25), st.sampled_from(MODELS))
def test_any_history_gives_finite_figures(data: list[tuple[int, float, int, int]], model: Any) -> None:
    x = np.array([row[0] for row in data], dtype=float)
    age = np.array([row[2] for row in data], dtype=float) / 7
    t = np.where(x > 0, age * np.array([row[1] for row in data]), 0.0)
    known = {"frequency": x, "recency": t, "T": age}
    fit = model().fit(**known, weights=[row[3] for row in data])
    assert np.isfinite([*fit.params.values(), fit.log_likelihood]).all()
    alive = fit.p_alive(**known)
    assert ((alive >= 0) & (alive <= 1)).all()
    soon, later = fit.expected_purchases(4.0, **known), fit.expected_purchases(40.0, **known)
    assert np.isfinite(later).all()
    assert (later >= soon).all()
    assert (soon >= 0).all()


def test_one_time_buyers_only_fade_in_mbgnbd() -> None:
    x, t, age = [0, 0, 3, 1, 0, 2], [0, 0, 30, 4, 0, 8], [40, 10, 38, 39, 20, 33]
    one_timers: dict[str, Any] = {"frequency": [0, 0], "recency": [0, 0], "T": [1.0, 100.0]}
    assert BGNBD().fit(frequency=x, recency=t, T=age).p_alive(**one_timers).tolist() == [1.0, 1.0]
    early, late = MBGNBD().fit(frequency=x, recency=t, T=age).p_alive(**one_timers)
    assert 1 > early > late


@pytest.mark.parametrize(
    ("x", "t", "age", "reason"),
    [
        ([1, -1], [1, 0], [5, 5], "frequency is negative in 1 of 2 rows .row 1."),
        ([2, 0.4], [1, 0], [5, 5], "frequency is no whole number in 1 of 2 rows .row 1.*not a rate"),
        ([1], [6], [5], "recency is later than T"),
        ([0], [3], [5], "recency must be 0 where frequency is 0"),
        ([2], [0], [5], "recency must be above 0"),
        ([1], [np.nan], [5], "recency is not a finite number"),
        ([1, 2], [1], [5], "arrays differ in length: frequency 2, recency 1, T 1"),
        ([[1]], [1], [5], "2 dimensions"),
        (["many"], [1], [5], "not numbers"),
        ([1j], [1], [5], "frequency holds complex numbers"),
    ],
)
def test_wrong_rows_are_named(x: Any, t: Any, age: Any, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        BGNBD().fit(frequency=x, recency=t, T=age)


def test_time_ahead_must_be_a_time() -> None:
    fit = BGNBD().fit(frequency=[1, 0], recency=[2, 0], T=[5, 5])
    with pytest.raises(InvalidInput, match="t must be finite"):
        fit.expected_purchases(-1.0, frequency=[1], recency=[2], T=[5])
    # Days since 1970, and weeks that would be read as days, are numbers to NumPy.
    for when in (np.datetime64("2026-01-01"), np.timedelta64(39, "W"), "2026-01-01"):
        with pytest.raises(InvalidInput, match=r"t is .*not a number"):
            fit.expected_purchases(when)


def test_a_fit_answers_for_its_own_customers() -> None:
    known: dict[str, Any] = {"frequency": [1, 0, 4], "recency": [2, 0, 20], "T": [5, 50, 30]}
    for model in MODELS:
        fit = model().fit(**known)
        assert fit.p_alive().tolist() == fit.p_alive(**known).tolist()
        assert (
            fit.expected_purchases([1, 2, 3]).tolist() == fit.expected_purchases([1, 2, 3], **known).tolist()
        )
        with pytest.raises(InvalidInput, match="recency and T not given"):
            fit.p_alive(frequency=[1])
        with pytest.raises(InvalidInput, match="remembers no customers; give frequency"):
            type(fit).from_json(fit.to_json()).p_alive()


def test_a_new_customer_is_one_without_a_history() -> None:
    fit = BGNBD().fit(frequency=[1, 0, 4], recency=[2, 0, 20], T=[5, 50, 30])
    now = fit.expected_purchases(7.0, frequency=[0], recency=[0], T=[0])
    assert fit.expected_repeats([0.0, 7.0]).tolist() == [0.0, now[0]]


def test_purchases_without_end_are_worth_less_the_later() -> None:
    """A perpetual buyer at rate lambda is worth lambda/rate; who may leave is worth less."""
    known: dict[str, Any] = {"frequency": [1, 0, 4, 9], "recency": [2, 0, 20, 49], "T": [5, 50, 30, 50]}
    for model in MODELS:
        fit = model().fit(**known)
        ever = fit.discounted_purchases(Discount(0.10))
        assert (ever > fit.discounted_purchases(Discount(0.10), 52.0)).all()
        assert (ever > fit.discounted_purchases(Discount(0.20))).all()
        assert fit.discounted_purchases(Discount(0.0), 52.0).tolist() == fit.expected_purchases(52.0).tolist()
        rate = Discount(0.10).continuous("W")
        alive = (fit.params["r"] + np.array(known["frequency"])) / (
            fit.params["alpha"] + np.array(known["T"])
        )
        assert (ever <= alive / rate).all()
        with pytest.raises(InvalidInput, match="t without a discount rate must be finite"):
            fit.discounted_purchases(Discount(0.0))


def test_a_fit_is_stored_as_json_and_cannot_be_changed(tmp_path: Path) -> None:
    fit = BGNBD().fit(frequency=[1, 0, 4], recency=[2, 0, 20], T=[5, 50, 30])
    fit.save(tmp_path / "fit.json")
    assert BGNBDFit.load(tmp_path / "fit.json") == fit
    with pytest.raises(AttributeError):
        fit.r = 1.0  # type: ignore[misc]
    with pytest.raises(BadFile, match="not a saved MBGNBDFit"):
        MBGNBDFit.load(tmp_path / "fit.json")
