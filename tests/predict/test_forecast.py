"""The forecast the shop calls: figures, ranges, evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec import structs
from msgspec.json import decode, encode

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import (
    BGNBD,
    MBGNBD,
    FeatureTable,
    Forecast,
    GammaGamma,
    GammaGammaFit,
    MBGNBDFit,
    Projection,
    RepeatRate,
    choose,
    forecast,
    from_orders,
    project,
)
from shopkeeper.predict.value.candidates import MODELS, RULES, TELLING
from shopkeeper.predict.value.choose import Choice
from shopkeeper.predict.value.conditional import Conditional
from shopkeeper.predict.value.field import LEARNED, entries
from shopkeeper.predict.value.spend import OWN_RATE
from shopkeeper.predict.value.summary import purchase_days, summarise

from . import worlds
from .conftest import Log


def run(log: Log, **terms: Any) -> Forecast:
    return forecast(customer=log.customer, occurred_at=log.occurred_at, margin=log.amount, **terms)


@pytest.fixture(scope="module")
def answer(simulated: Log) -> Forecast:
    """Twelve months ahead, with a tournament."""
    return run(simulated)


def figures(projection: Projection) -> dict[str, Any]:
    return {name: getattr(projection, name) for name in Projection.__slots__}


def test_every_figure_is_finite_and_in_order(simulated: Log, answer: Forecast) -> None:
    for values in figures(answer.projection).values():
        assert values.shape == answer.customer.shape
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    p = answer.projection
    assert (p.p_alive <= 1).all()
    assert (p.orders_low <= p.orders_high).all()
    assert (p.clv_low <= p.clv_high).all()
    assert np.unique(answer.customer).size == 1500
    assert answer.choice.pick in {card.name for card in answer.choice.cards}
    assert answer.end == simulated.occurred_at.max().astype("datetime64[D]")


def test_worth_is_discounted_and_grows_with_the_horizon(simulated: Log, answer: Forecast) -> None:
    near, far = run(simulated, horizon=13.0, choice=answer.choice).projection, answer.projection
    plain = run(simulated, discount=0.0, choice=answer.choice).projection
    assert (far.clv >= near.clv).all()
    assert (plain.clv >= far.clv).all()
    np.testing.assert_allclose(plain.clv, plain.expected_orders * plain.margin_per_order)
    bought = far.clv > 1.0
    assert (far.clv[bought] > plain.clv[bought] / 1.10).all()


def test_totals_and_ranges_hold_on_the_next_39_weeks(full: Log) -> None:
    log = full.calibration()
    known: dict[str, Any] = {"frequency": log.frequency, "recency": log.recency, "T": log.T}
    fit = MBGNBD().fit(**known)
    spend = GammaGamma().fit(frequency=log.frequency + 1, monetary=log.mean_amount)
    ahead = project(
        **known, margin=log.mean_amount, margin_count=log.frequency + 1,
        orders=fit, alive=fit, amounts=spend, horizon=39.0, discount=0.0,
    )  # fmt: skip
    later = full.occurred_at > np.datetime64("1997-09-30")
    rows = np.searchsorted(log.customer, full.customer[later])
    keys = np.unique(
        np.stack([rows, full.occurred_at[later].astype("datetime64[D]").astype(np.int64)]), axis=1
    )
    orders = np.bincount(keys[0], minlength=log.T.size)
    worth = np.bincount(rows, weights=full.amount[later], minlength=log.T.size)
    for low, high in ((0, 0), (1, 1), (2, 4), (5, 9), (10, 1000)):
        group = (log.frequency >= low) & (log.frequency <= high)
        inside = (orders >= ahead.orders_low) & (orders <= ahead.orders_high)
        assert 0.87 < inside[group].mean() <= 1.0, (low, high)
        inside = (worth >= ahead.clv_low - 1e-9) & (worth <= ahead.clv_high + 1e-9)
        assert 0.87 < inside[group].mean() <= 1.0, (low, high)


@pytest.mark.parametrize(("x", "t", "age"), [(0, 0.0, 20.0), (2, 15.0, 30.0), (12, 50.0, 52.0)])
def test_range_of_worth_covers_simulated_customers(x: float, t: float, age: float) -> None:
    """Draw worth from the model itself; the range of level 0.9 leaves about 5 % above."""
    rng = np.random.default_rng(11)
    n, horizon = 100_000, 52.0
    fit = MBGNBDFit(
        r=0.8, alpha=8.0, a=0.8, b=2.5, log_likelihood=0.0, n=1, gradient_norm=0.0, converged=True
    )
    spend = GammaGammaFit(
        p=4.0, q=4.0, v=15.0, log_likelihood=0.0, n=1, n_fenced=0, gradient_norm=0.0, converged=True
    )
    known: dict[str, Any] = {"frequency": [x], "recency": [t], "T": [age]}
    ahead = project(
        **known, margin=[30.0], margin_count=[x + 1], orders=fit, alive=fit, amounts=spend,
        horizon=horizon, discount=0.0,
    )  # fmt: skip
    rate, leaves = rng.gamma(fit.r + x, 1 / (fit.alpha + age), n), rng.beta(fit.a, fit.b + x + 1, n)
    orders = np.minimum(rng.poisson(rate * horizon), rng.geometric(leaves))
    orders = np.where(rng.random(n) < ahead.p_alive[0], orders, 0)
    nu = rng.gamma(spend.q + spend.p * (x + 1), 1 / (spend.v + (x + 1) * 30.0), n)
    worth = np.where(orders > 0, rng.gamma(np.maximum(spend.p * orders, 1e-9)) / nu, 0.0)
    assert worth.mean() == pytest.approx(ahead.clv[0], rel=0.02)
    assert (worth > ahead.clv_high[0]).mean() == pytest.approx(0.05, abs=0.012)
    assert (worth < ahead.clv_low[0]).mean() <= 0.065
    assert (orders > ahead.orders_high[0]).mean() <= 0.052
    assert (orders < ahead.orders_low[0]).mean() <= 0.052


def test_customers_with_the_same_history_share_one_answer() -> None:
    fit = MBGNBD().fit(frequency=[0, 1, 4], recency=[0, 3, 20], T=[30, 20, 25])
    spend = GammaGamma().fit(frequency=[1, 2, 5], monetary=[10, 20, 15])
    ahead = project(
        frequency=[4, 0, 4], recency=[20, 0, 20], T=[25, 30, 25], margin=[15, 10, 30], margin_count=[5, 1, 5],
        orders=fit, alive=fit, amounts=spend,
    )  # fmt: skip
    assert ahead.expected_orders[0] == ahead.expected_orders[2] != ahead.expected_orders[1]
    assert ahead.clv[2] > ahead.clv[0]
    alone = fit.expected_purchases(52.0, frequency=[4], recency=[20], T=[25])
    assert ahead.expected_orders[0] == pytest.approx(alone[0])


def test_a_customer_who_costs_money_has_a_negative_worth() -> None:
    fit = BGNBD().fit(frequency=[0, 1, 4], recency=[0, 3, 20], T=[30, 20, 25])
    spend = GammaGammaFit(
        p=4.0, q=4.0, v=15.0, log_likelihood=0.0, n=1, n_fenced=0, gradient_norm=0.0, converged=True
    )
    ahead = project(
        frequency=[40], recency=[20], T=[21], margin=[-50.0], margin_count=[41],
        orders=fit, alive=fit, amounts=spend,
    )  # fmt: skip
    assert ahead.clv[0] < 0
    assert ahead.clv_low[0] < ahead.clv[0] < ahead.clv_high[0] <= 0


def test_the_rule_projects_too() -> None:
    fit = MBGNBD().fit(frequency=[0, 1, 4], recency=[0, 3, 20], T=[30, 20, 25])
    spend = GammaGamma().fit(frequency=[1, 2, 5], monetary=[10, 20, 15])
    ahead = project(
        frequency=[0, 4], recency=[0, 20], T=[30, 25], margin=[10, 15], margin_count=[1, 5],
        orders=RepeatRate(observed=30.0), alive=fit, amounts=spend, horizon=30.0, discount=0.0,
    )  # fmt: skip
    np.testing.assert_allclose(ahead.expected_orders, [0.0, 4.0])
    assert ahead.orders_high[0] == 0
    assert ahead.orders_low[1] < 4 < ahead.orders_high[1]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_shop_that_just_opened(n: int) -> None:
    answer = forecast(
        customer=["simulated"] * n, occurred_at=["2024-01-01", "2024-02-01"][:n], margin=[5.0, 9.0][:n]
    )
    assert answer.notes
    for values in figures(answer.projection).values():
        assert np.isfinite(values).all()


def test_what_was_left_out_is_said(simulated: Log, answer: Forecast) -> None:
    answer = run(simulated, end="2023-06-30", choice=answer.choice)
    assert any("were left out" in note for note in answer.notes)
    log = summarise(customer=simulated.customer, occurred_at=simulated.occurred_at, end="2023-06-30")
    assert answer.customer.tolist() == log.customer.tolist()


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"horizon": 0}, "horizon is 0"),
        ({"horizon": "26"}, "horizon is '26'; .*until= a day"),
        ({"horizon": np.timedelta64(26, "W")}, "horizon is np.timedelta64"),
        ({"until": "soon"}, "until holds values that are not times"),
        ({"discount": -1}, "rate is -1"),
        ({"discount": 10}, "rate is 10; .*0.1 for 10 % per year"),
        ({"level": 1.0}, "level is 1.0"),
    ],
)
def test_terms_out_of_range_are_refused(terms: dict[str, Any], reason: str, simulated: Log) -> None:
    with pytest.raises(InvalidInput, match=reason):
        run(simulated, **terms)


def test_columns_must_fit_together() -> None:
    fit = BGNBD().fit(frequency=[0, 1], recency=[0, 3], T=[30, 20])
    spend = GammaGamma().fit(frequency=[1, 2], monetary=[10, 20])
    with pytest.raises(InvalidInput, match="margin 1, margin_count 2"):
        project(
            frequency=[0, 1], recency=[0, 3], T=[30, 20], margin=[1], margin_count=[1, 2],
            orders=fit, alive=fit, amounts=spend,
        )  # fmt: skip
    assert isinstance(fit.future(frequency=[0], recency=[0], T=[1]), Conditional)


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_every_entry_can_be_used_if_it_wins(name: str, simulated: Log, answer: Forecast) -> None:
    made = run(simulated, choice=structs.replace(answer.choice, pick=name), horizon=26.0)
    for values in figures(made.projection).values():
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    p = made.projection
    assert (p.orders_low <= p.orders_high).all()
    assert (p.clv_low <= p.clv_high).all()
    assert ((p.p_alive > 0) & (p.p_alive <= 1)).all()
    assert encode(made.orders)
    knows = name in TELLING
    assert any("P(alive) is from" in note for note in made.notes) is not knows


def test_value_agrees_with_orders_whatever_did_better(simulated: Log, answer: Forecast) -> None:
    """Who is hardly a customer any more has hardly a value, and more weeks are worth more."""
    assert answer.choice.spend is not None
    choice = structs.replace(answer.choice, spend=structs.replace(answer.choice.spend, best=OWN_RATE))
    made = run(simulated, choice=choice, discount=0.0)
    p = made.projection
    np.testing.assert_allclose(p.clv, p.expected_orders * p.margin_per_order, rtol=1e-9)
    assert any(OWN_RATE in note for note in made.notes)
    assert (run(simulated, choice=choice).projection.clv <= p.clv + 1e-9).all()
    assert (run(simulated, choice=choice, discount=0.0, horizon=4.0).projection.clv <= p.clv + 1e-9).all()


def test_features_are_asked_for_days_that_are_over(simulated: Log) -> None:
    asked: list[np.datetime64] = []
    days = purchase_days(customer=simulated.customer, occurred_at=simulated.occurred_at)

    def features(as_of: np.datetime64) -> FeatureTable:
        asked.append(as_of)
        return from_orders(days, as_of)

    entrants, end = (RULES[0], MODELS[0], LEARNED[0]), int(days.day.max())
    choice = choose(days, end_day=end, horizon=13.0, features=features, entrants=entrants)
    assert {card.name for card in choice.cards} == {entry.name for entry in entrants}
    assert asked
    assert max(asked) <= np.datetime64(end - 91, "D")


@pytest.mark.parametrize(
    "world",
    [worlds.once(), worlds.tiny(), worlds.one(), worlds.regular(30, 24), worlds.daily()],
    ids=["once", "tiny", "one", "regular", "daily"],
)
def test_every_shop_gets_a_usable_answer(world: worlds.World) -> None:
    made = forecast(customer=world.customer, occurred_at=world.occurred_at, margin=world.amount, discount=0.0)
    for values in figures(made.projection).values():
        assert np.isfinite(values).all()
    assert (made.projection.expected_orders >= 0).all()
    assert (made.projection.clv_low <= made.projection.clv_high).all()
    assert made.customer.tolist() == np.unique(world.customer).tolist()
    assert decode(encode(made.choice), type=Choice) == made.choice
