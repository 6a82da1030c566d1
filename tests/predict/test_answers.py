"""What every fitted model is asked: how many purchases, how likely each number, who stays how long, how sure."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc, betaln

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import (
    BGNBD,
    MBGCNBD,
    MBGNBD,
    CovariateFit,
    Discount,
    GammaGamma,
    MBGNBDFit,
    ParetoNBD,
    Season,
    Seasonal,
    WithCovariates,
)
from shopkeeper.predict.value.cnbd_future import CNBDFuture
from shopkeeper.predict.value.pareto_future import ParetoFuture
from shopkeeper.predict.value.summary import purchase_days

KNOWN: dict[str, Any] = {
    "frequency": [0, 1, 3, 8, 0, 2], "recency": [0, 2.0, 30.0, 38.0, 0, 9], "T": [38.9, 38.9, 31.0, 40.0, 5, 20]
}  # fmt: skip
MODELS = [BGNBD(), MBGNBD(), ParetoNBD(), MBGCNBD(k=2)]
positive = st.floats(0.1, 20.0)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), positive, positive, positive, positive, st.integers(0, 1), st.floats(0.0, 300.0))
def test_who_stays_bought_some_number_of_times_and_stayed_each_time(
    k: int, r: float, alpha: float, a: float, b: float, m: int, t: float
) -> None:
    """Summed over the number of purchases, each with its chance that none of them was the last: no average over p."""
    x, last, age = (np.array(KNOWN[name], float) for name in ("frequency", "recency", "T"))
    future = CNBDFuture(k, r, alpha, a, b, float(m), x, last, age)
    i, n, c, s = np.arange(0.0, 3000.0)[:, None], r + k * x, b + x + m, t / (alpha + age)
    chance = np.zeros((i.size + 1, x.size))
    for j, weight in enumerate(future._phase_weights()):
        chance[0] += weight
        chance[1:] += weight * betainc(k * (i + 1) - j, n + j, s / (1 + s))
    if chance[-1].max() > 1e-9:
        return
    expected = future.alive() * ((chance[:-1] - chance[1:]) * np.exp(betaln(a, c + i) - betaln(a, c))).sum(0)
    np.testing.assert_allclose(future.alive_after(t), expected, atol=2e-6)
    if k == 1:
        from shopkeeper.predict.value.conditional import Conditional

        known = Conditional(r, alpha, a, b, float(m), x, last, age)
        np.testing.assert_allclose(known.alive_after(t), expected, atol=2e-6)


def test_under_pareto_nbd_who_stays_outlives_a_rate_of_leaving() -> None:
    rng = np.random.default_rng(1)
    future = ParetoFuture(0.6, 10.0, 0.7, 12.0, np.array([2.0]), np.array([10.0]), np.array([20.0]))
    leaving = rng.gamma(0.7, 1.0 / 32.0, 400_000)
    expected = future.alive()[0] * np.exp(-leaving * 26.0).mean()
    assert future.alive_after(26.0)[0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_the_answers_agree_with_each_other(model: Any) -> None:
    fit = model.fit(**KNOWN)
    by_number = np.array([fit.purchase_probability(n, 26.0) for n in range(60)])
    rest = fit.purchase_probability(60, 26.0, at_least=True)
    np.testing.assert_allclose(by_number.sum(axis=0) + rest, 1.0, atol=1e-6)
    assert (by_number >= 0).all()
    np.testing.assert_allclose((np.arange(60) @ by_number)[rest < 1e-9], fit.expected_purchases(26.0)[rest < 1e-9],
                               rtol=1e-4)  # fmt: skip
    np.testing.assert_allclose(fit.p_alive_after(0.0), fit.p_alive(), atol=1e-7)
    path = np.array([fit.p_alive_after(t) for t in (0.0, 1.0, 26.0, 520.0)])
    assert (np.diff(path, axis=0) <= 1e-9).all()
    each = fit.expected_purchases(np.arange(6.0))
    assert each[3] == pytest.approx(fit.expected_purchases(3.0)[3])
    one = {name: values[:1] for name, values in KNOWN.items()}
    np.testing.assert_allclose(
        fit.expected_purchases([1.0, 5.0], **one), [fit.expected_purchases(t, **one)[0] for t in (1.0, 5.0)]
    )
    with pytest.raises(InvalidInput, match="3 entries for 6 customers"):
        fit.expected_purchases([1.0, 2.0, 3.0])
    for wrong in (-1, 0.5, "1"):
        with pytest.raises(InvalidInput, match="n is"):
            fit.purchase_probability(wrong, 26.0)
    with pytest.raises(InvalidInput, match="finite"):
        fit.p_alive_after(np.inf)
    same = fit.discounted_purchases(Discount(0.1), np.full(6, np.inf))
    np.testing.assert_allclose(same, fit.discounted_purchases(Discount(0.1)), rtol=1e-9)


def test_a_time_ahead_is_a_number_in_the_unit_of_the_histories() -> None:
    """The number inside a date or a length of time is of its own unit."""
    fit = BGNBD().fit(**KNOWN)
    for wrong, said in (
        (np.timedelta64(26, "W"), "length of time"), (np.full(6, 182, "timedelta64[D]"), "length of time"),
        (np.datetime64("2025-12-31"), "is a date"), (timedelta(weeks=26), "not a number"),
        (date(2025, 12, 31), "not a number"), ("26", "not a number"), (["26"] * 6, "not a number"),
    ):  # fmt: skip
        for ask in (
            fit.expected_purchases, fit.p_alive_after, partial(fit.purchase_probability, 1),
            partial(fit.discounted_purchases, Discount(0.1)),
        ):  # fmt: skip
            with pytest.raises(InvalidInput, match=said):
                ask(wrong)
    with pytest.raises(InvalidInput, match="such as Discount"):
        fit.discounted_purchases(0.1)  # type: ignore[arg-type]


def test_models_of_seasons_and_of_covariates_answer_the_same_questions() -> None:
    when = ["2024-01-01", "2024-03-01", "2024-02-01", "2024-05-01"]
    seasonal = Seasonal(MBGNBD(), Season()).fit(purchase_days(customer=[1, 1, 2, 3], occurred_at=when))
    plain = seasonal.fit
    assert isinstance(plain, MBGNBDFit)
    grouped = WithCovariates(MBGNBD()).fit(**KNOWN, covariates={"channel": list("aabbab")})
    told: dict[str, Any] = {**KNOWN, "covariates": {"channel": list("aabbab")}}
    for fit, known in ((seasonal, {}), (seasonal, KNOWN), (grouped, told)):
        assert (fit.p_alive_after(9.0, **known) <= fit.p_alive(**known) + 1e-9).all()
        assert (
            fit.discounted_purchases(Discount(0.1), 26.0, **known) <= fit.expected_purchases(26.0, **known)
        ).all()
        none, some = (fit.purchase_probability(n, 9.0, at_least=bool(n), **known) for n in (0, 1))
        np.testing.assert_allclose(none + some, 1.0)
    assert grouped.p_alive().tolist() == grouped.p_alive(**told).tolist()
    assert grouped.p_alive().tolist() != grouped.p_alive(**KNOWN).tolist()
    read = CovariateFit.from_json(grouped.to_json())
    assert read == grouped
    with pytest.raises(InvalidInput, match="remembers no customers"):
        read.p_alive()
    with pytest.raises(InvalidInput, match="not all given"):
        grouped.p_alive(covariates={"channel": list("aabbab")})
    daily = Seasonal(MBGNBD(), Season()).fit(purchase_days(customer=[1, 1, 2, 3], occurred_at=when), unit="D")
    weekly = seasonal.discounted_purchases(Discount(0.1), 52.0)
    np.testing.assert_allclose(daily.discounted_purchases(Discount(0.1), 364.0), weekly, rtol=1e-4)
    with pytest.raises(InvalidInput, match="unit is W, and the fit's histories are in D"):
        daily.discounted_purchases(Discount(0.1), unit="W")


def test_parameters_have_intervals_where_the_data_give_any() -> None:
    fit = MBGNBD().fit(**{name: np.tile(values, 50) for name, values in KNOWN.items()})
    wide, narrow = fit.intervals(0.95), fit.intervals(0.5)
    for name, value in fit.params.items():
        one, other = wide[name], narrow[name]
        if fit.standard_errors[name] is None:
            assert one is other is None
        else:
            assert one is not None
            assert other is not None
            assert 0 < one[0] < other[0] < value < other[1] < one[1]
    assert any(one is not None for one in wide.values())
    with pytest.raises(InvalidInput, match="level"):
        fit.intervals(95)
    amounts = GammaGamma().fit(frequency=[2, 1, 3, 4] * 20, monetary=[20.0, 35.0, 18.0, 60.0] * 20)
    assert set(amounts.intervals()) == {"p", "q", "v"}
    less_an_order = msgspec.structs.replace(amounts, beta=-0.3, standard_errors={"p": 1e9, "beta": 0.1})
    told = less_an_order.intervals()
    assert told["beta"] == pytest.approx((-0.496, -0.104), abs=1e-3)
    assert told["p"] is not None
    assert 0 <= told["p"][0] < amounts.p < told["p"][1]
