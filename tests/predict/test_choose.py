"""The test inside the past, and the pick."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import Choice, choose
from shopkeeper.predict.value.choose import CANDIDATES, hold_out, model, score
from shopkeeper.predict.value.summary import PurchaseDays, purchase_days

from .conftest import Log

LAST = int(np.datetime64("1998-06-30").astype(np.int64))

# Next 39 weeks: MAE, RMSE, Spearman of "repeat rate x window".
RULE = {"sample": (0.900, 1.976, 0.488), "full": (0.914, 1.940, 0.485)}


def days_of(log: Log) -> PurchaseDays:
    return purchase_days(customer=log.customer, occurred_at=log.occurred_at, amount=log.amount)


@pytest.mark.parametrize("data", RULE)
def test_the_rule_and_the_models_on_cdnow(data: str, request: pytest.FixtureRequest) -> None:
    held = hold_out(days_of(request.getfixturevalue(data)), end_day=LAST, window_days=273)
    past = held.before
    cards = {}
    for name in CANDIDATES:
        ahead = model(name, past).future(frequency=past.frequency, recency=past.recency, T=past.T)
        cards[name] = score(name, ahead.mean(held.window), held.actual)
    rule = cards["repeat rate x window"]
    assert (rule.mae, rule.rmse, rule.spearman) == pytest.approx(RULE[data], abs=6e-4)
    assert cards["MBG/NBD"].rmse < 0.9 * rule.rmse
    assert cards["BG/NBD"].rmse < 0.9 * rule.rmse


def test_a_model_is_picked_where_customers_drop_out(sample: Log) -> None:
    choice = choose(days_of(sample), end_day=LAST)
    assert choice.pick == "MBG/NBD"
    assert [card.name for card in choice.cards] == list(CANDIDATES)
    assert [card.picked for card in choice.cards] == [False, True, False]
    assert choice.window_days == 91
    assert choice == choose(days_of(sample), end_day=LAST)
    assert msgspec.json.decode(msgspec.json.encode(choice), type=Choice) == choice


def test_the_rule_stays_where_nobody_drops_out_and_all_are_watched_from_the_start() -> None:
    """Clockwork customers who all began on day one: their rate so far says everything."""
    rng = np.random.default_rng(2)
    gap = rng.integers(5, 40, 400)
    orders = [np.arange(0, 700, step) for step in gap]
    who = np.repeat(np.arange(400), [own.size for own in orders])
    when = np.datetime64("2022-01-01") + np.concatenate(orders)
    days = purchase_days(customer=who, occurred_at=when)
    choice = choose(days, end_day=int(days.day.max()))
    assert choice.pick == "repeat rate x window"
    assert choice.cards[0].picked
    assert choice.cards[1].beats_simpler < 0.84


@pytest.mark.parametrize("n", [0, 1, 10])
def test_too_little_history_is_said(n: int) -> None:
    when = np.datetime64("2024-01-01") + np.arange(n) * 20
    days = purchase_days(customer=np.arange(n), occurred_at=when)
    choice = choose(days, end_day=int(days.day.max()) if n else 0)
    assert choice.cards == ()
    assert choice.pick == "MBG/NBD"
    assert "untested" in choice.notes[0]


def test_a_short_history_gets_a_short_window(simulated: Log) -> None:
    early = simulated.occurred_at < np.datetime64("2022-05-01")
    days = purchase_days(customer=simulated.customer[early], occurred_at=simulated.occurred_at[early])
    assert choose(days, end_day=int(days.day.max())).window_days == int(
        (days.day.max() - days.day.min()) * 0.25
    )


def test_scores_by_hand() -> None:
    card = score("x", np.array([3.0, 1.0, 0.0, 0.0]), np.array([5.0, 0.0, 0.0, 0.0]))
    assert card.mae == 0.75
    assert card.rmse == pytest.approx((5 / 4) ** 0.5)
    assert card.bias == -0.25
    assert card.top_decile == 1.0
    assert card.spearman == pytest.approx(0.8165, abs=1e-4)
    flat = score("x", np.zeros(3), np.zeros(3))
    assert (flat.mae, flat.spearman, flat.top_decile) == (0.0, 0.0, 0.0)


def test_an_unknown_model_is_named(simulated: Log) -> None:
    held = hold_out(days_of(simulated), end_day=19_300, window_days=30)
    with pytest.raises(InvalidInput, match="unknown model"):
        model("ARIMA", held.before)
