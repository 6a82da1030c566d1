"""The whole record against orders alone: a world where browsing says who will buy, and one where it says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shopkeeper.predict.value import MBGNBD, Summary, choose, learn
from shopkeeper.predict.value.candidates import MODELS
from shopkeeper.predict.value.features import FeatureTable, from_orders
from shopkeeper.predict.value.field import LEARNED
from shopkeeper.predict.value.origin import hold_out
from shopkeeper.predict.value.summary import PurchaseDays, purchase_days

WEEKS, CUSTOMERS = 104, 1200
START = np.datetime64("2022-01-03", "D")
LAST = int((START + 7 * WEEKS - 1).astype(np.int64))


class World:
    """Where browsing tells, interest comes and goes for months; who is interested looks around more and buys more.

    Where it does not, people look around as they like, and buy at a rate of their own until they leave after an order.
    """

    def __init__(self, *, tells: bool, seed: int = 11) -> None:
        rng = np.random.default_rng(seed)
        rate = rng.gamma(2.0, 0.02, CUSTOMERS)
        interest = np.zeros((WEEKS, CUSTOMERS), dtype=bool)
        interest[0] = rng.random(CUSTOMERS) < 0.3
        for week in range(1, WEEKS):
            turns = rng.random(CUSTOMERS) < np.where(interest[week - 1], 0.04, 0.017)
            interest[week] = interest[week - 1] ^ turns
        buys = rng.random(interest.shape) < rate * np.where(interest, 3.0, 0.15)
        if not tells:
            buys = rng.random(interest.shape) < rate
            leaves = buys & (rng.random(interest.shape) < 0.1)
            buys &= np.cumsum(leaves, axis=0) - leaves == 0
        week, customer = np.nonzero(buys)
        self.days: PurchaseDays = purchase_days(customer=customer, occurred_at=START + 7 * week)
        self.views = rng.poisson(np.where(interest, 3.0, 0.1)).cumsum(axis=0)

    def features(self, day: np.datetime64) -> FeatureTable:
        """What the orders say, and what was looked at in the last four weeks."""
        table = from_orders(self.days, day)
        week = min(int((day - START).astype(int)) // 7, WEEKS - 1)
        recent = self.views[week] - self.views[max(week - 4, 0)]
        views = recent[table.customer].astype(float)
        return FeatureTable(
            table.customer, (*table.names, "views_4w"), np.column_stack([table.values, views]), {}, table.as_of,
            {**table.words, "views_4w": "products looked at in the last 4 weeks"},
        )  # fmt: skip

    def held_out(self, features: Any) -> tuple[float, float, dict[str, float]]:
        """RMSE over the last 13 weeks of the model and of the learner on it, and what the trees look at."""
        held = hold_out(self.days, end_day=LAST, window_days=91)
        past, day = held.known.past, np.datetime64(held.known.end_day, "D")
        fit = learn(
            held.known.days, end_day=held.known.end_day, window_days=91, foretell=foretell, features=features
        )
        offset = foretell(past, 13.0)
        table = (features or (lambda at: from_orders(self.days, at)))(day).rows_of(past.customer)
        errors = [np.sqrt(((one - held.orders) ** 2).mean()) for one in (offset, fit.expected(table, offset))]
        return float(errors[0]), float(errors[1]), fit.importance


def foretell(past: Summary, weeks: float) -> NDArray[np.float64]:
    history = {"frequency": past.frequency, "recency": past.recency, "T": past.T}
    return MBGNBD().fit(**history).expected_purchases(weeks, **history)


def test_where_browsing_says_who_will_buy_the_learner_gains_from_it_and_is_chosen() -> None:
    world = World(tells=True)
    model, learner, importance = world.held_out(world.features)
    _, orders_alone, _ = world.held_out(None)
    assert learner < 0.97 * model
    assert learner < 0.98 * orders_alone
    assert importance["views_4w"] > 0.15
    entrants = (MODELS[0], LEARNED[-1])
    choice = choose(world.days, end_day=LAST, horizon=13.0, features=world.features, entrants=entrants)
    assert choice.pick == "learner"


def test_where_it_says_nothing_nothing_is_made_of_it() -> None:
    world = World(tells=False)
    model, learner, importance = world.held_out(world.features)
    _, orders_alone, _ = world.held_out(None)
    assert learner == pytest.approx(orders_alone, rel=0.01)
    assert learner == pytest.approx(model, rel=0.02)
    assert importance.get("views_4w", 0.0) < 0.1
