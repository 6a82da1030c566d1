"""The future given a history: tail, mean, second moment, discounting and quantiles agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.predict.value.conditional import Conditional, beta_nodes
from shopkeeper.predict.value.interval import quantile
from shopkeeper.predict.value.rules import SteadyFuture

positive = st.floats(0.05, 20.0)
HISTORIES = np.array([0, 1, 3, 8]), np.array([0, 2.0, 30.0, 38.0]), np.array([38.9, 38.9, 31.0, 40.0])


def future(r: float, alpha: float, a: float, b: float, m: int) -> Conditional:
    x, t, age = HISTORIES
    return Conditional(r, alpha, a, b, float(m), x.astype(float), t, age)


@settings(deadline=None, max_examples=60)
@given(positive, positive, positive, positive, st.integers(0, 1), st.floats(0.1, 60.0))
def test_moments_are_the_sums_of_the_tail(
    r: float, alpha: float, a: float, b: float, m: int, t: float
) -> None:
    ahead = future(r, alpha, a, b, m)
    steps = np.arange(1, 4000)
    shapes = [ahead.take(np.array([i])) for i in range(4)]
    for i, one in enumerate(shapes):
        wide = Conditional(
            r,
            alpha,
            a,
            b,
            float(m),
            *(np.full(steps.size, v[0]) for v in (one.frequency, one.recency, one.T)),
        )
        tail = wide.at_least(steps.astype(float), t)
        if tail[-1] > 1e-12:
            continue
        assert ahead.mean(t)[i] == pytest.approx(tail.sum(), rel=1e-6)
        assert ahead.square(t)[i] == pytest.approx(((2 * steps - 1) * tail).sum(), rel=1e-5)


@settings(deadline=None, max_examples=10)
@given(positive, positive, positive, positive, st.integers(0, 1))
def test_discounting_adds_up_over_small_steps(r: float, alpha: float, a: float, b: float, m: int) -> None:
    ahead = future(r, alpha, a, b, m)
    ends = 52.0 * np.linspace(0.0, 1.0, 121) ** 3
    gained = np.diff([ahead.mean(float(end)) for end in ends], axis=0)
    discount = np.exp(-0.002 * (ends[1:] + ends[:-1]) / 2)
    np.testing.assert_allclose(ahead.discounted(52.0, 0.002), discount @ gained, rtol=2e-5)
    assert ahead.discounted(52.0, 0.0).tolist() == ahead.mean(52.0).tolist()
    assert ahead.discounted(0.0, 0.002).tolist() == [0.0] * 4


def test_discounting_without_end_is_the_integral_of_what_comes() -> None:
    from scipy.integrate import quad

    x, t, age = (np.array(v) for v in ([0.0, 3.0, 40.0], [0.0, 30.0, 90.0], [0.5, 31.0, 100.0]))
    for params in ((0.24, 4.4, 0.8, 2.4, 0.0), (0.6, 7.3, 0.8, 1.2, 1.0), (3.0, 2.0, 0.05, 9.0, 1.0)):
        ahead = Conditional(*params, x, t, age)
        for rate in (1e-3, 0.3):
            found = ahead.discounted(np.inf, rate)
            for i in range(3):
                one = ahead.take(np.array([i]))
                # By parts: the integral of rate exp(-rate s) E(Y within s), with s = v/rate.
                whole, _ = quad(lambda v: np.exp(-v) * one.mean(v / rate)[0], 0, 60, epsrel=1e-7)  # noqa: B023
                assert found[i] == pytest.approx(whole, rel=1e-6)
            assert (ahead.discounted(1e9, rate) == found).all()


def test_time_ahead_may_differ_by_customer() -> None:
    ahead = future(0.5, 6.0, 0.8, 2.0, 1)
    t = np.array([0.0, 1.0, 20.0, 52.0])
    for figure in (
        ahead.mean,
        ahead.square,
        lambda t: ahead.discounted(t, 0.01),
        lambda t: ahead.at_least(2.0, t),
    ):
        np.testing.assert_allclose(figure(t), [figure(float(one))[i] for i, one in enumerate(t)], rtol=1e-12)


@settings(deadline=None, max_examples=60)
@given(positive, positive, positive, positive, st.integers(0, 1), st.sampled_from([0.05, 0.5, 0.95]))
def test_quantile_is_the_smallest_number_that_suffices(
    r: float, alpha: float, a: float, b: float, m: int, level: float
) -> None:
    ahead = future(r, alpha, a, b, m)
    k = quantile(ahead, level, 26.0)
    assert (ahead.at_least(k + 1.0, 26.0) <= 1 - level + 1e-12).all()
    more = k > 0
    assert (ahead.at_least(np.maximum(k, 1.0), 26.0)[more] > 1 - level).all()


@pytest.mark.parametrize("m", [0.0, 1.0])
def test_extreme_histories_stay_finite(m: float) -> None:
    x = np.array([0.0, 1.0, 1e3, 1e5, 1e5])
    t = np.array([0.0, 1.0, 1e3, 1e3, 1.0])
    age = np.array([0.0, 1e4, 1e3, 1e3, 1e4])
    for params in ((0.01, 0.01, 0.01, 0.01), (8000.0, 8000.0, 8000.0, 1e-4), (0.2, 4.0, 1.0, 1.0)):
        ahead = Conditional(*params, m, x, t, age)
        previous = np.zeros(5)
        for horizon in (0.0, 1e-6, 1.0, 52.0, 1e3, 1e6):
            mean = ahead.mean(horizon)
            assert np.isfinite(mean).all()
            assert (mean >= previous * (1 - 1e-9)).all()
            previous = mean
        assert np.isfinite(ahead.square(52.0)).all()
        assert ((ahead.alive() >= 0) & (ahead.alive() <= 1)).all()


@settings(deadline=None)
@given(st.floats(0.01, 50.0), st.floats(0.01, 500.0))
def test_nodes_integrate_polynomials_of_beta(a: float, b: float) -> None:
    p, weight = beta_nodes(a, np.array([b]), 12)
    moment = 1.0
    for power in range(1, 8):
        moment *= (a + power - 1) / (a + b + power - 1)
        assert float((weight * p**power).sum()) == pytest.approx(moment, rel=1e-8, abs=1e-14)


def test_simulated_customers_buy_as_expected() -> None:
    """Customers drawn from the model itself, with the same history, buy as the formulas say."""
    rng = np.random.default_rng(3)
    r, alpha, a, b, t = 0.8, 6.0, 0.9, 2.0, 30.0
    one = Conditional(r, alpha, a, b, 1.0, np.array([4.0]), np.array([18.0]), np.array([22.0]))
    n = 200_000
    rate, leaves = rng.gamma(r + 4, 1 / (alpha + 22.0), n), rng.beta(a, b + 5, n)
    orders = np.minimum(rng.poisson(rate * t), rng.geometric(leaves))
    orders = np.where(rng.random(n) < one.alive()[0], orders, 0)
    assert orders.mean() == pytest.approx(one.mean(t)[0], abs=5 * orders.std() / n**0.5)
    for k in (1.0, 2.0, 6.0):
        assert (orders >= k).mean() == pytest.approx(one.at_least(k, t)[0], abs=0.006)


@settings(deadline=None)
@given(st.floats(0.1, 200.0), st.integers(0, 30))
def test_the_rule_is_its_own_mean(t: float, x: int) -> None:
    ahead = SteadyFuture(np.array([float(x)]), 50.0)
    assert ahead.mean(t)[0] == pytest.approx(x * t / 50.0)
    many = SteadyFuture(np.full(5000, float(x)), 50.0)
    tail = many.at_least(np.arange(1.0, 5001.0), t)
    assert tail.sum() == pytest.approx(ahead.mean(t)[0], rel=1e-6)
    assert ahead.discounted(t, 0.01)[0] <= ahead.mean(t)[0]


def test_nothing_is_expected_of_no_time_and_it_is_no_minus_zero() -> None:
    known = np.array([0.0, 3.0]), np.array([0.0, 20.0]), np.array([30.0, 30.0])
    for at_first in (0.0, 1.0):
        expected = Conditional(0.24, 4.4, 0.79, 2.4, at_first, *known).mean(0.0)
        assert not expected.any()
        assert not np.signbit(expected).any()
