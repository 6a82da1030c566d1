"""Gamma-Gamma by each order: the likelihood, what it finds, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gamma

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import GammaGamma, GammaGammaFit, choose, forecast, summarise
from shopkeeper.predict.value.candidates import MODELS
from shopkeeper.predict.value.choose import Choice
from shopkeeper.predict.value.eachorder import Amounts
from shopkeeper.predict.value.spend import BY_ORDER, MODEL, amounts_note
from shopkeeper.predict.value.summary import purchase_days

from . import worlds
from .conftest import Log


def sizes(n: int = 2500, beta: float = 0.0, seed: int = 3) -> dict[str, Any]:
    """Orders of p = 4, q = 3.5, v = 30 n^beta, summed by customer."""
    rng = np.random.default_rng(seed)
    count = rng.geometric(0.3, n)
    who = np.repeat(np.arange(n), count)
    rate = rng.gamma(3.5, 1.0 / (30.0 * count**beta))
    amount = rng.gamma(4.0, 1.0 / rate[who])
    logs = np.bincount(who, weights=np.log(amount))
    return {
        "frequency": count.astype(float), "monetary": np.bincount(who, weights=amount) / count, "log_amounts": logs,
    }  # fmt: skip


def test_the_likelihood_is_that_of_each_amount() -> None:
    """Against the integral over the customer's own rate, for customers of one, two and five orders."""
    p, q, v, beta = 3.0, 2.5, 20.0, 0.2
    at = np.array([np.log(p), np.log(q), 0.0, beta])
    for amount in ([12.0], [30.0, 8.0], [5.0, 9.0, 40.0, 22.0, 11.0]):
        n, own = float(len(amount)), np.array(amount)
        one = Amounts(np.array([n]), own.mean(keepdims=True), np.log(own).sum(keepdims=True), np.ones(1))
        at[2] = np.log(v / one.scale)

        def joint(rate: float, own: Any = own, scale: float = 1.0 / (v * n**beta)) -> float:
            return float(gamma.pdf(own, p, scale=1 / rate).prod() * gamma.pdf(rate, q, scale=scale))

        density, _ = quad(joint, 0.0, np.inf, epsabs=0.0)
        assert -one(at)[0] - n * np.log(one.scale) == pytest.approx(np.log(density), abs=1e-7)


def test_the_gradient_is_the_slope() -> None:
    known = sizes(300, beta=0.3)
    amounts = Amounts(known["frequency"], known["monetary"], known["log_amounts"], np.arange(1.0, 301.0))
    at = np.array([0.7, 1.1, 0.2, 0.15])
    slope = [(amounts(at + away)[0] - amounts(at - away)[0]) / 2e-6 for away in np.eye(4) * 1e-6]
    np.testing.assert_allclose(amounts(at)[1], slope, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(amounts(at[:3])[1], amounts(np.array([0.7, 1.1, 0.2, 0.0]))[1][:3])


def test_one_order_each_is_the_likelihood_of_means(sample: Log) -> None:
    log = sample.calibration()
    once = np.ones(log.frequency.size)
    amount = np.maximum(log.first_amount, 1.0)
    by_means = GammaGamma(fence=None).fit(frequency=once, monetary=amount)
    by_order = GammaGamma(fence=None).fit(frequency=once, monetary=amount, log_amounts=np.log(amount))
    assert by_order.log_likelihood == pytest.approx(by_means.log_likelihood, rel=1e-7)
    assert by_order.beta == 0.0


@pytest.mark.parametrize("beta", [0.0, 0.3, -0.3])
def test_finds_what_the_orders_were_drawn_from(beta: float) -> None:
    fit = GammaGamma(fence=None).fit(**sizes(beta=beta))
    assert fit.converged
    assert fit.by_order
    true = {"p": 4.0, "q": 3.5, "v": 30.0} | ({"beta": beta} if beta else {})
    assert fit.params.keys() == true.keys()  # unrelated to frequency: nothing is estimated
    for name, value in true.items():
        error = fit.standard_errors[name]
        assert error is not None
        assert abs(fit.params[name] - value) < 4 * error, name
    often, seldom = fit.expected_average(frequency=[10.0, 1.0], monetary=[40.0, 40.0])
    plain = GammaGammaFit.from_json(fit.to_json().replace(b'"beta"', b'"unknown"'))
    assert plain.beta == 0.0
    at_rest = plain.expected_average(frequency=[10.0, 1.0], monetary=[40.0, 40.0])
    assert np.sign(round(often - at_rest[0], 9)) == np.sign(beta)
    assert seldom == at_rest[1]


def test_the_calibration_log_of_cdnow(sample: Log) -> None:
    """Who buys more often spends more: the likelihood says so, by more than five standard errors."""
    log = sample.calibration()
    known = {"frequency": log.frequency + 1.0, "monetary": log.mean_amount}
    fit = GammaGamma().fit(**known, log_amounts=log.log_amounts)
    error = fit.standard_errors["beta"]
    assert error is not None
    assert fit.beta == pytest.approx(0.16, abs=0.03)
    assert fit.beta > 5 * error
    # One order tells far less than the likelihood of means takes it to.
    weigh = [fit.p / (fit.p + fit.q - 1.0) for fit in (fit, GammaGamma().fit(**known))]
    assert weigh[0] < 0.6 < 0.75 < weigh[1]


def test_who_had_an_order_of_nothing_is_left_out_and_named() -> None:
    known = sizes(200)
    whole = GammaGamma().fit(**known)
    told = {
        name: np.append(values, extra)
        for (name, values), extra in zip(known.items(), (2.0, 7.0, -np.inf), strict=True)
    }
    fit = GammaGamma().fit(**told)
    assert fit.params == whole.params
    assert fit.notes[0] == "1 customer with an amount of 0 or less was left out of the fit"


def test_what_losses_left_is_taken_off_what_all_have_in_common() -> None:
    fit = GammaGamma().fit(**sizes(400))
    less = fit.less(0.9)
    assert less.population_mean == pytest.approx(0.9 * fit.population_mean)
    assert less.standard_errors["v"] == pytest.approx(0.9 * (fit.standard_errors["v"] or np.nan))
    assert fit.less(1.0) is fit


def test_sums_of_logarithms_that_cannot_be_are_refused() -> None:
    for logs, reason in (
        ([9.0, 1.0], "larger than amounts of that mean can have"),
        ([np.nan, 1.0], "NaN or infinite in 1 of 2 rows"),
        ([1.0], "differ in length"),
        (["a", "b"], "not numbers"),
    ):
        with pytest.raises(InvalidInput, match=reason):
            GammaGamma().fit(frequency=[2, 1], monetary=[10.0, 20.0], log_amounts=logs)
    with pytest.raises(InvalidInput, match="finite where the mean amount is 0 or less"):
        GammaGamma().fit(frequency=[2], monetary=[-1.0], log_amounts=[1.0])


@settings(deadline=None, max_examples=15)
@given(st.lists(st.lists(st.floats(-1e3, 1e6, width=32), min_size=1, max_size=6), min_size=1, max_size=20))
def test_any_orders_give_finite_figures(orders: list[list[float]]) -> None:
    who = np.repeat(np.arange(len(orders)), [len(own) for own in orders])
    amount = np.concatenate(orders)
    day = np.datetime64("2024-01-01") + np.arange(amount.size)
    log = summarise(customer=who, occurred_at=day, amount=amount, returns="keep")
    known = {"frequency": log.frequency + 1.0, "monetary": log.mean_amount}
    fit = GammaGamma().fit(**known, log_amounts=log.log_amounts)
    assert np.isfinite([fit.p, fit.q, fit.v, fit.beta, fit.log_likelihood]).all()
    assert np.isfinite(fit.expected_average(**known)).all()


def test_logarithms_are_summed_per_customer() -> None:
    log = summarise(
        customer=["a", "a", "b", "c"], occurred_at=["2024-01-01", "2024-01-05", "2024-01-02", "2024-01-03"],
        amount=[np.e, np.e**2, 1.0, -4.0], returns="keep",
    )  # fmt: skip
    assert log.log_amounts.tolist() == pytest.approx([3.0, 0.0, -np.inf])


def chosen(world: worlds.World, amount: Any) -> Choice:
    days = purchase_days(customer=world.customer, occurred_at=world.occurred_at, amount=amount)
    return choose(days, end_day=int(days.day.max()), horizon=26.0, entrants=MODELS[:1])


def test_the_form_of_amounts_that_did_better_is_used() -> None:
    """Where who orders often spends more, amounts go with frequency; where first orders are dearest, they seem to."""
    world = worlds.chance(500)
    count = np.bincount(world.customer)[world.customer]
    often = chosen(world, world.amount * np.sqrt(count))
    _, first = np.unique(world.customer, return_index=True)
    dearer = world.amount.copy()
    dearer[first] *= 3.0
    for choice, pick in ((often, BY_ORDER), (chosen(world, dearer), MODEL)):
        assert choice.spend is not None
        assert choice.spend.pick == pick
        assert [card.name for card in choice.spend.cards if card.picked] == [pick]
    terms: dict[str, Any] = {"customer": world.customer, "occurred_at": world.occurred_at, "horizon": 26.0}
    answer = forecast(**terms, margin=world.amount * np.sqrt(count), choice=often)
    assert answer.amounts.beta > 0.2
    assert answer.amounts.by_order
    assert any("ten times as often goes with" in note for note in answer.notes)
    p = forecast(**terms, margin=world.amount * np.sqrt(count), choice=often, discount=0.0).projection
    np.testing.assert_allclose(p.clv, p.expected_orders * p.margin_per_order)


def test_the_sentence_says_which_and_why() -> None:
    known = sizes(400)
    means = GammaGamma().fit(frequency=known["frequency"], monetary=known["monetary"])
    assert amounts_note(BY_ORDER, GammaGamma().fit(**known)).endswith(
        "unrelated to how often customers order"
    )
    assert amounts_note(MODEL, means).endswith("clearly better on the past's money than each order by itself")
    assert amounts_note(BY_ORDER, means).endswith("customers' means")
