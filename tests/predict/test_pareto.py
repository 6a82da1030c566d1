"""Pareto/NBD: the likelihood and the future agree with the definitions, by plain integration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betainc, gammaln, hyp2f1

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import ParetoNBD, ParetoNBDFit
from shopkeeper.predict.value.history import checked, collapse
from shopkeeper.predict.value.hypergeometric import log_f
from shopkeeper.predict.value.pareto_ends import ParetoEnds
from shopkeeper.predict.value.pareto_future import ParetoFuture
from shopkeeper.predict.value.twoends import Likelihood

from .conftest import Log

shapes = st.floats(0.05, 20.0)
scales = st.floats(0.5, 100.0)
histories = st.tuples(st.integers(0, 40), st.floats(0.01, 1.0), st.floats(0.5, 100.0)).map(
    lambda one: (float(one[0]), one[1] * one[2] if one[0] else 0.0, one[2])
)


def ahead(params: tuple[float, ...], *rows: tuple[float, float, float]) -> ParetoFuture:
    x, t, age = np.array(rows).T
    return ParetoFuture(*params, x, t, age)


def left_before(params: tuple[float, ...], row: tuple[float, float, float]) -> float:
    """What the published likelihood adds for somebody who left in (t_x, T], over somebody alive at T."""
    r, alpha, s, beta = params
    x, t, age = row

    def density(y: float) -> float:
        return float(
            np.exp(
                -(r + x) * np.log((alpha + y) / (alpha + age)) - (s + 1) * np.log((beta + y) / (beta + age))
            )
        )

    return s / (beta + age) * quad(density, t, age, epsabs=0, epsrel=1e-10, limit=200)[0]


@settings(deadline=None, max_examples=100)
@given(st.floats(0.05, 300.0), st.floats(0.05, 60.0), st.floats(0.0, 0.97))
def test_the_fraction_is_the_hypergeometric_function(a: float, gap: float, z: float) -> None:
    assume(a + gap > 1.05)  # the likelihood's c is r + s + x + 1
    found = log_f(np.array([a]), np.array([a + gap]), np.array([z]))
    assert found.value[0] == pytest.approx(np.log(hyp2f1(1.0, a, a + gap, z)), rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(shapes, scales, shapes, scales, histories)
def test_likelihood_and_p_alive_are_those_published(
    r: float, alpha: float, s: float, beta: float, row: tuple[float, float, float]
) -> None:
    params, (x, t, age) = (r, alpha, s, beta), row
    left = left_before(params, row)
    assert ahead(params, row).alive()[0] == pytest.approx(1.0 / (1.0 + left), rel=1e-8)
    published = (
        gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        - (r + x) * np.log(alpha + age) - s * np.log(beta + age) + np.log1p(left)
    )  # fmt: skip
    value, _ = Likelihood(ParetoEnds(), collapse(checked([x], [t], [age])))(np.log(params))
    assert -value == pytest.approx(published, rel=1e-8, abs=1e-8)


@settings(deadline=None, max_examples=25)
@given(shapes, scales, shapes, scales, histories, st.floats(0.5, 200.0), st.floats(0.0005, 0.5))
def test_moments_are_integrals_of_staying(
    r: float, alpha: float, s: float, beta: float, row: tuple[float, float, float], t: float, rate: float
) -> None:
    one = ahead((r, alpha, s, beta), row)
    buys, base = (r + row[0]) / (alpha + row[2]), beta + row[2]

    def over(work: Any, until: float) -> float:
        stays = lambda w: work(base * np.expm1(w)) * np.exp((1.0 - s) * w)  # noqa: E731
        return float(base * quad(stays, 0.0, np.log1p(until / base), epsabs=0, epsrel=1e-9, limit=200)[0])

    alive = one.alive()[0]
    mean = alive * buys * over(lambda _: 1.0, t)
    assert one.mean(t)[0] == pytest.approx(mean, rel=1e-8)
    assert one.discounted(t, rate)[0] == pytest.approx(
        alive * buys * over(lambda u: np.exp(-rate * u), t), rel=1e-7
    )
    assert one.discounted(np.inf, rate)[0] == pytest.approx(
        alive * buys * over(lambda u: np.exp(-rate * u), 60.0 / rate), rel=1e-7
    )
    more = buys + 1.0 / (alpha + row[2])
    assert one.square(t)[0] == pytest.approx(
        mean + alive * buys * more * over(lambda u: 2.0 * u, t), rel=1e-7
    )


@settings(deadline=None, max_examples=15)
@given(shapes, scales, shapes, scales, histories, st.floats(0.5, 100.0))
def test_the_tail_sums_to_the_mean(
    r: float, alpha: float, s: float, beta: float, row: tuple[float, float, float], t: float
) -> None:
    one = ahead((r, alpha, s, beta), row)
    steps = np.arange(1.0, 2001.0)
    tail = ahead((r, alpha, s, beta), *[row] * steps.size).at_least(steps, t)
    assert ((tail >= 0) & (tail <= 1)).all()
    if tail[-1] < 1e-10:
        assert tail.sum() == pytest.approx(one.mean(t)[0], rel=1e-5, abs=1e-6)
        assert ((2 * steps - 1) * tail).sum() == pytest.approx(one.square(t)[0], rel=1e-4, abs=1e-5)


@settings(deadline=None, max_examples=25)
@given(shapes, scales, shapes, scales, histories, st.integers(1, 30), st.floats(0.5, 100.0))
def test_one_tail_is_the_integral_over_leaving(
    r: float, alpha: float, s: float, beta: float, row: tuple[float, float, float], k: int, t: float
) -> None:
    one = ahead((r, alpha, s, beta), row)
    scale, base = alpha + row[2], beta + row[2]

    def before(u: float) -> float:
        return float(betainc(k, r + row[0], u / (scale + u)))

    # The share of those who leave is uniform between S(t) and 1.
    stays = (1.0 + t / base) ** -s
    gone = quad(lambda h: before(base * (h ** (-1.0 / s) - 1.0)), stays, 1.0, epsabs=1e-9, limit=400)[0]
    assert one.at_least(float(k), t)[0] == pytest.approx(
        one.alive()[0] * (gone + stays * before(t)), abs=2e-6
    )


def test_simulated_customers_leave_and_buy_as_expected() -> None:
    rng = np.random.default_rng(5)
    r, alpha, s, beta, t = 0.6, 10.0, 0.6, 12.0, 30.0
    one = ahead((r, alpha, s, beta), (3.0, 20.0, 25.0))
    n = 200_000
    rate = rng.gamma(r + 3, 1 / (alpha + 25.0), n)
    stays = rng.exponential(1.0, n) / rng.gamma(s, 1 / (beta + 25.0), n)
    orders = np.where(rng.random(n) < one.alive()[0], rng.poisson(rate * np.minimum(stays, t)), 0)
    assert orders.mean() == pytest.approx(one.mean(t)[0], abs=5 * orders.std() / n**0.5)
    assert (orders**2).mean() == pytest.approx(one.square(t)[0], rel=0.05)
    for k in (1.0, 2.0, 5.0):
        assert (orders >= k).mean() == pytest.approx(one.at_least(k, t)[0], abs=0.006)


def test_time_ahead_and_number_may_differ_by_customer() -> None:
    some = ahead((0.6, 10.0, 0.6, 12.0), (0, 0, 30), (2, 20, 30), (2, 20, 30), (9, 5, 39))
    t, k = np.array([0.0, 1.0, 20.0, 52.0]), np.array([1.0, 2.0, 1.0, 7.0])
    for figure in (some.mean, some.square, lambda t: some.discounted(t, 0.01)):
        np.testing.assert_allclose(figure(t), [figure(float(one))[i] for i, one in enumerate(t)], rtol=1e-12)
    one_by_one = [some.at_least(float(a), float(b))[i] for i, (a, b) in enumerate(zip(k, t, strict=True))]
    np.testing.assert_allclose(some.at_least(k, t), one_by_one, rtol=1e-12)
    np.testing.assert_allclose(
        some.at_least(k, 20.0), [some.at_least(float(a), 20.0)[i] for i, a in enumerate(k)], rtol=1e-12
    )
    # Who is alike in all of it shares the work; in another order each still has the own answer.
    rows = np.array([3, 1, 1, 2, 0, 3, 2])
    np.testing.assert_array_equal(some.take(rows).at_least(k[rows], t[rows]), some.at_least(k, t)[rows])
    np.testing.assert_array_equal(some.take(rows).square(t[rows]), some.square(t)[rows])


def test_extreme_histories_and_parameters_stay_finite() -> None:
    rows = [(0, 0, 0), (0, 0, 1e4), (1, 1, 1e4), (1e3, 1e3, 1e3), (1e5, 1e3, 1e3), (1e5, 1.0, 1e4)]
    for params in (
        (1e-3, 1e-3, 1e-3, 1e-3), (8e3, 8e3, 8e3, 8e3), (0.5, 1e-4, 8e3, 1e5), (0.5, 1e5, 8e3, 1e-4),
        (0.5, 8.0, 1e-4, 1e5), (8e3, 1e-4, 1.0, 1e-4),
    ):  # fmt: skip
        some = ahead(params, *rows)
        alive = some.alive()
        assert ((alive >= 0) & (alive <= 1)).all()
        before = np.zeros(len(rows))
        for t in (0.0, 1e-6, 1.0, 52.0, 1e6):
            mean = some.mean(t)
            assert np.isfinite(mean).all()
            assert (mean >= before * (1 - 1e-9)).all()
            before = mean
            assert np.isfinite(some.square(t)).all()
            for k in (1.0, 2.0, 300.0):
                tail = some.at_least(k, t)
                assert ((tail >= 0) & (tail <= 1)).all()
        worth = some.discounted(np.inf, 0.002)
        assert np.isfinite(worth).all()
        assert (worth >= some.discounted(52.0, 0.002) * (1 - 1e-9)).all()


def test_leaving_that_is_alike_for_all_is_flagged() -> None:
    """Where customers stay more alike than by one rate of leaving for all, s and beta have no end."""
    rng = np.random.default_rng(11)
    n = 400
    age = rng.integers(20, 60, n).astype(float)
    stays = np.minimum(rng.gamma(4.0, 15.0, n), age)
    x = rng.poisson(0.5 * stays).astype(float)
    recency = np.where(x > 0, np.maximum(stays * rng.beta(np.maximum(x, 1), 1.0), 0.1), 0.0)
    fit = ParetoNBD().fit(frequency=x, recency=recency, T=age)
    assert np.isfinite(list(fit.params.values())).all()
    assert {"s", "beta"} & set(fit.boundary)
    assert any("how customers differ in leaving" in note for note in fit.notes)
    assert set(fit.boundary) == {name for name, error in fit.standard_errors.items() if error is None}
    assert 1 / 200 < fit.s / fit.beta < 1 / 20


def test_what_the_data_do_not_identify_has_no_standard_error() -> None:
    fit = ParetoNBD().fit(frequency=[5], recency=[8.0], T=[10.0])
    assert fit.boundary
    assert set(fit.boundary) == {name for name, error in fit.standard_errors.items() if error is None}


def test_standard_errors_cover_the_truth() -> None:
    """In repeated samples of one shop the parameters vary as the standard errors say."""
    truth = {"r": 0.6, "alpha": 10.0, "s": 0.7, "beta": 12.0}
    away = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n = 3000
        age = rng.integers(100, 300, n) / 7
        left = np.minimum(rng.exponential(1.0, n) / rng.gamma(0.7, 1 / 12.0, n), age)
        x = rng.poisson(rng.gamma(0.6, 1 / 10.0, n) * left).astype(float)
        recency = np.where(x > 0, left * rng.beta(np.maximum(x, 1.0), 1.0), 0.0)
        fit = ParetoNBD().fit(frequency=x, recency=recency, T=age)
        away += [(np.log(fit.params[k] / truth[k])) / (fit.standard_errors[k] / fit.params[k]) for k in truth]
    assert 0.6 < float(np.std(away)) < 1.5


def test_storage_and_wrong_time() -> None:
    fit = ParetoNBD().fit(frequency=[1, 0, 4], recency=[2, 0, 20], T=[5, 50, 30])
    assert ParetoNBDFit.from_json(fit.to_json()) == fit
    with pytest.raises(InvalidInput, match="t must be finite"):
        fit.expected_purchases(np.inf)


def test_a_search_that_begins_at_a_fit_of_like_data_ends_where_any_does(sample: Log) -> None:
    past = sample.calibration()
    known = {"frequency": past.frequency, "recency": past.recency, "T": past.T}
    some = {name: values[:2000] for name, values in known.items()}
    plain, near = ParetoNBD().fit(**known), ParetoNBD().fit(**known, near=ParetoNBD().fit(**some))
    assert near.converged
    for name, value in plain.params.items():
        assert near.params[name] == pytest.approx(value, rel=1e-4)
