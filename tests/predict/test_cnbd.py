"""BG/CNBD-k and MBG/CNBD-k: k = 1 is the model known, golden figures, gradients, simulation, poor data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import BGCNBD, BGNBD, MBGCNBD, MBGNBD, BGCNBDFit, MBGCNBDFit
from shopkeeper.predict.value.cnbd_future import CNBDFuture
from shopkeeper.predict.value.cnbd_likelihood import CNBDLikelihood
from shopkeeper.predict.value.conditional import beta_nodes
from shopkeeper.predict.value.history import checked, collapse
from shopkeeper.predict.value.origin import hold_out
from shopkeeper.predict.value.score import score
from shopkeeper.predict.value.summary import PurchaseDays

from .conftest import Log
from .test_purchase_models import POOR, columns

PAIRS = [(BGCNBD, BGNBD), (MBGCNBD, MBGNBD)]
X, LAST, AGE = np.array([0.0, 0, 1, 3, 8]), np.array([0.0, 0, 2, 30, 38]), np.array([0.0, 38.9, 38.9, 31, 40])


@pytest.mark.parametrize(("regular", "known"), PAIRS)
def test_one_phase_is_the_model_known(sample: Log, regular: Any, known: Any) -> None:
    log = sample.calibration()
    one, other = regular(k="auto").fit(**columns(log), log_gaps=log.log_gaps), known().fit(**columns(log))
    assert one.k == 1
    assert one.by_k[1] > one.by_k[2]
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(list(one.params.values()), list(other.params.values()), rtol=1e-4)
    np.testing.assert_allclose(
        list(one.standard_errors.values()), list(other.standard_errors.values()), rtol=1e-3
    )
    ahead, expected = one.future(), other.future()
    np.testing.assert_allclose(ahead.alive(), expected.alive(), atol=1e-4)
    np.testing.assert_allclose(ahead.mean(39.0), expected.mean(39.0), rtol=2e-4)


def test_the_full_cohort_is_not_regular_either(full: Log) -> None:
    log = full.calibration()
    fit = MBGCNBD().fit(**columns(log), log_gaps=log.log_gaps)
    assert (fit.name, fit.converged, fit.boundary) == ("MBG/CNBD-1", True, ())
    assert fit.log_likelihood == pytest.approx(-95336.96, abs=0.006)


def test_a_real_retailer_with_regular_buyers(retail_days: PurchaseDays) -> None:
    """Online Retail II, 39 weeks from 2011-03-11.

    The figures of the prototype (MAE 1.411, RMSE 2.480, Spearman .603) are of an approximate expectation that takes
    purchases as random after T; it expects 7 % too few. The exact expectation is off by 1 %.
    """
    held = hold_out(retail_days, end_day=int(np.datetime64("2011-12-09").astype(np.int64)), window_days=273)
    assert str(held.known.past.end) == "2011-03-11"
    fit = MBGCNBD().fit(**columns(held.known.past), log_gaps=held.known.past.log_gaps)
    assert fit.name == "MBG/CNBD-2"
    assert sorted(fit.by_k) == [1, 2, 3]
    assert fit.log_likelihood == pytest.approx(-47271.75, abs=0.006)
    exact = score(fit.name, fit.expected_purchases(39.0), held.orders)
    assert (exact.mae, exact.rmse, exact.spearman) == pytest.approx((1.459, 2.490, 0.597), abs=6e-4)
    assert abs(exact.bias) < 0.03
    x, s = held.known.past.frequency, 39.0 / (fit.alpha + held.known.past.T)
    p, weight = beta_nodes(fit.a, fit.b + x + 1.0, 24)
    at_random = -np.expm1(-(fit.r + fit.k * x)[:, None] * np.log1p(p * s[:, None] / fit.k)) / p
    rough = score("rough", fit.p_alive() * (weight * at_random).sum(axis=1), held.orders)
    assert (rough.mae, rough.rmse, rough.spearman) == pytest.approx((1.411, 2.4805, 0.603), abs=6e-4)
    assert rough.bias < -0.14


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.booleans(), st.integers(1, 6))
def test_gradient_is_the_slope_of_the_likelihood(logs: list[float], at_first: bool, k: int) -> None:  # noqa: FBT001
    history = checked([0, 0, 1, 2, 7, 7], [0, 0, 3.5, 20.0, 30.0, 30.0], [10, 30.5, 38, 38, 31, 31])
    likelihood = CNBDLikelihood(collapse(history), k=k, at_first=at_first, scale=20.0)
    at = np.array(logs)
    _, gradient = likelihood(at)
    for i in range(4):
        away = np.eye(4)[i] * 1e-5
        slope = (likelihood(at + away)[0] - likelihood(at - away)[0]) / 2e-5
        assert gradient[i] == pytest.approx(slope, rel=1e-4, abs=1e-6)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.floats(-2, 2), min_size=4, max_size=4),
    st.integers(0, 1),
    st.integers(1, 6),
    st.floats(0.1, 60),
)
def test_moments_are_the_sums_of_the_exact_tail(logs: list[float], m: int, k: int, t: float) -> None:
    r, alpha, a, b = np.exp(logs)
    ahead = CNBDFuture(k, r, alpha, a, b, float(m), X, LAST, AGE)
    mean, square = ahead.mean(t), ahead.square(t)
    steps = np.arange(1.0, 3001.0)
    for i in range(X.size):
        tail = ahead.take(np.full(steps.size, i)).at_least(steps, t)
        if tail[-1] > 1e-14:
            continue
        assert mean[i] == pytest.approx(tail.sum(), rel=1e-6, abs=1e-12)
        assert square[i] == pytest.approx(((2 * steps - 1) * tail).sum(), rel=1e-6, abs=1e-12)


@settings(deadline=None, max_examples=3)
@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4), st.integers(0, 1), st.integers(1, 4))
def test_discounting_adds_up_over_small_steps_and_to_infinity(logs: list[float], m: int, k: int) -> None:
    r, alpha, a, b = np.exp(logs)
    ahead = CNBDFuture(k, r, alpha, a, b, float(m), X, LAST, AGE)
    ends = 60.0 * np.linspace(0.0, 1.0, 31) ** 2
    gained = np.diff([ahead.mean(float(end)) for end in ends], axis=0)
    by_steps = np.exp(-0.02 * (ends[1:] + ends[:-1]) / 2) @ gained
    np.testing.assert_allclose(ahead.discounted(60.0, 0.02), by_steps, rtol=3e-3)
    by_steps = np.exp(-0.003 * (ends[1:] + ends[:-1]) / 2) @ gained
    np.testing.assert_allclose(ahead.discounted(60.0, 0.003), by_steps, rtol=1e-3)
    np.testing.assert_allclose(ahead.discounted(np.inf, 0.02), ahead.discounted(1990.0, 0.02), rtol=1e-3)
    each = np.linspace(0.0, 60.0, X.size)
    one = [ahead.discounted(float(t), 0.02)[i] for i, t in enumerate(each)]
    np.testing.assert_allclose(ahead.discounted(each, 0.02), one, rtol=1e-6, atol=1e-15)
    assert ahead.discounted(7.0, 0.0).tolist() == ahead.mean(7.0).tolist()


def test_the_most_regular_buyers_get_the_largest_k_and_a_note() -> None:
    x, t, age = POOR["all the same"]
    fit = MBGCNBD().fit(frequency=x, recency=t, T=age, log_gaps=[3 * np.log(5 / 3)] * 40)
    assert fit.k == 12
    assert fit.notes


def test_without_end_only_those_are_finite_who_surely_leave() -> None:
    for a, least in ((0.8, np.inf), (3.0, 0.0)):
        ahead = CNBDFuture(2, 0.9, 4.5, a, 4.3, 1.0, X, LAST, AGE)
        mean = ahead.mean(np.inf)
        assert (mean >= least).all()
        if a > 1:
            np.testing.assert_allclose(ahead.mean(1e9), mean, rtol=1e-5)
            np.testing.assert_allclose(ahead.at_least(1.0, np.inf), ahead.alive(), rtol=1e-12)


def test_who_is_surely_lost_buys_nothing_without_end() -> None:
    lost = CNBDFuture(3, 706.0, 0.148, 0.77, 3.5e-4, 0.0, np.array([300.0]), np.array([1.0]), np.array([1e4]))
    assert (lost.alive(), lost.mean(np.inf), lost.mean(5.0)) == (0.0, 0.0, 0.0)


def simulate(k: int, at_first: bool, n: int, seed: int) -> dict[str, NDArray[np.float64]]:  # noqa: FBT001
    """Draw histories of 40 weeks and the purchases of 30 more from r .9, alpha 4.5, a .5, b 2.5."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(0.9, 1 / 4.5, n), rng.beta(0.5, 2.5, n)
    x, last, later, gaps, now, live = (*(np.zeros(n) for _ in range(5)), np.arange(n))
    if at_first:
        live = live[rng.random(n) > leaves]
    while live.size:
        gap = rng.gamma(k, 1 / rate[live])
        now[live] += gap
        inside = now[live] < 40.0
        rows = live[inside]
        x[rows] += 1
        gaps[rows] += np.log(gap[inside])
        last[rows] = now[rows]
        later[live[(now[live] >= 40.0) & (now[live] < 70.0)]] += 1
        live = live[now[live] < 70.0]
        live = live[rng.random(live.size) > leaves[live]]
    return {"frequency": x, "recency": last, "T": np.full(n, 40.0), "log_gaps": gaps, "later": later}


@pytest.mark.parametrize(("k", "at_first"), [(2, True), (3, False)])
def test_a_simulated_world_is_found_again_and_foretold(k: int, at_first: bool) -> None:  # noqa: FBT001
    world = simulate(k, at_first, 15_000, seed=11)
    later = world.pop("later")
    fit = (MBGCNBD() if at_first else BGCNBD()).fit(**{name: column[:5000] for name, column in world.items()})
    assert fit.k == k
    for name, true in (("r", 0.9), ("alpha", 4.5), ("a", 0.5), ("b", 2.5)):
        error = fit.standard_errors[name]
        assert error is not None
        assert abs(fit.params[name] - true) < 4 * error
    # The true model foretells each group of customers within what chance allows.
    x, last, age = (world[name] for name in ("frequency", "recency", "T"))
    ahead = CNBDFuture(k, 0.9, 4.5, 0.5, 2.5, float(at_first), x, last, age)
    mean, square, some = ahead.mean(30.0), ahead.square(30.0), ahead.at_least(1.0, 30.0)
    for chosen in (x == 0, (x == 1) & (last < 20), (x == 1) & (last >= 20), (x > 1) & (last < 32), x > 5):
        n = chosen.sum()
        assert n > 50
        error = np.sqrt((square - mean**2)[chosen].sum())
        assert abs(later[chosen].sum() - mean[chosen].sum()) < 4 * error
        spread = np.sqrt((some * (1 - some))[chosen].sum())
        assert abs((later[chosen] > 0).sum() - some[chosen].sum()) < 4 * spread


@pytest.mark.parametrize("model", [BGCNBD(k=2), MBGCNBD(k=3)], ids=["BG/CNBD-2", "MBG/CNBD-3"])
@pytest.mark.parametrize("case", POOR)
def test_poor_data_give_an_answer_that_says_so(case: str, model: Any) -> None:
    x, t, age = POOR[case]
    alike = [count * np.log(last / count) if count else 0.0 for count, last in zip(x, t, strict=True)]
    fit = model.fit(frequency=x, recency=t, T=age, log_gaps=alike)
    assert all(np.isfinite(value) and value > 0 for value in fit.params.values())
    assert np.isfinite(fit.log_likelihood)
    assert fit.notes
    alive, ahead = fit.p_alive(), fit.future()
    assert ((alive >= 0) & (alive <= 1)).all()
    for expected in (ahead.mean(52.0), ahead.discounted(52.0, 0.002), ahead.discounted(np.inf, 0.002)):
        assert (np.isfinite(expected) & (expected >= 0)).all()


@pytest.mark.parametrize("m", [0.0, 1.0])
def test_extreme_histories_stay_finite(m: float) -> None:
    x = np.array([0.0, 1.0, 1e3, 1e5, 1e5])
    t, age = np.array([0.0, 1.0, 1e3, 1e3, 1.0]), np.array([0.0, 1e4, 1e3, 1e3, 1e4])
    for params in ((0.01, 0.01, 0.01, 0.01), (8000.0, 8000.0, 8000.0, 1e-4), (0.2, 4.0, 1.0, 1.0)):
        ahead = CNBDFuture(3, *params, m, x, t, age)
        assert ((ahead.alive() >= 0) & (ahead.alive() <= 1)).all()
        previous = np.zeros(5)
        for horizon in (0.0, 1e-6, 1.0, 52.0, 1e3, 1e6):
            mean = ahead.mean(horizon)
            assert np.isfinite(mean).all()
            assert (mean >= previous * (1 - 1e-6) - 1e-9).all()
            previous = mean
        assert np.isfinite(ahead.square(52.0)).all()


def test_what_cannot_be_used_is_refused() -> None:
    known: dict[str, Any] = {"frequency": [1, 0], "recency": [2, 0], "T": [5, 5]}
    for k in (0, 13, 1.5, True, "high"):
        with pytest.raises(InvalidInput, match="k is"):
            MBGCNBD(k=k)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=r"log_gaps was not given.*summary\.log_gaps"):
        MBGCNBD().fit(**known)
    with pytest.raises(
        InvalidInput, match=r"log_gaps must be 0 where frequency is 0 in 1 of 2 rows \(row 1\)"
    ):
        MBGCNBD().fit(**known, log_gaps=[0.1, 0.2])
    with pytest.raises(InvalidInput, match=r"log_gaps is more than gaps within recency can have.*row 0"):
        MBGCNBD().fit(**known, log_gaps=[0.8, 0.0])
    with pytest.raises(InvalidInput, match="differ in length"):
        MBGCNBD().fit(**known, log_gaps=[0.1])
    assert "does not compare" in MBGCNBD(k=2).fit(**known).notes[-1]


def test_a_fit_is_stored_as_json(tmp_path: Path) -> None:
    known: dict[str, Any] = {"frequency": [1, 0, 4], "recency": [2, 0, 20], "T": [5, 50, 30]}
    fit = BGCNBD(k=2).fit(**known)
    fit.save(tmp_path / "fit.json")
    assert BGCNBDFit.load(tmp_path / "fit.json") == fit
    with pytest.raises(InvalidInput, match="not a saved MBGCNBDFit"):
        MBGCNBDFit.load(tmp_path / "fit.json")
