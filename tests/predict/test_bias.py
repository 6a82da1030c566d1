"""Who is wrong about a whole group of customers cannot win, however small the errors."""

from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.predict.value import choose, forecast
from shopkeeper.predict.value.bias import allowed, bias_by_group, clearly_biased
from shopkeeper.predict.value.candidates import MODELS, RULES
from shopkeeper.predict.value.choose import Choice
from shopkeeper.predict.value.origin import Held, Known
from shopkeeper.predict.value.score import Bootstrap, simplest
from shopkeeper.predict.value.spend import OWN_RATE
from shopkeeper.predict.value.summary import purchase_days

from . import worlds

ENTRANTS = (RULES[0], MODELS[0], MODELS[1])


@pytest.fixture(scope="module")
def choice() -> Choice:
    world = worlds.chance(400)
    days = purchase_days(customer=world.customer, occurred_at=world.occurred_at, amount=world.amount)
    return choose(days, end_day=int(days.day.max()), horizon=26.0, entrants=ENTRANTS)


def test_money_of_one_time_buyers_is_no_zero(choice: Choice) -> None:
    """Their rate so far is 0, and that has a small error; but some of them do come back."""
    assert choice.spend is not None
    cards = {card.name: card for card in choice.spend.cards}
    assert "0" in cards[OWN_RATE].wrong_about
    assert not cards[choice.spend.best].wrong_about
    world = worlds.chance(400)
    made = forecast(
        customer=world.customer, occurred_at=world.occurred_at, margin=world.amount, choice=choice
    )
    once = made.orders_seen == 1
    p = made.projection
    assert p.expected_orders[once].sum() > 1
    per_order = p.clv[once].sum() / p.expected_orders[once].sum()
    assert 0.5 < per_order / p.margin_per_order[once].mean() < 1.1


def held_of(frequency: np.ndarray, orders: np.ndarray) -> Held:
    who = np.repeat(np.arange(frequency.size), frequency.astype(int) + 1)
    at = np.concatenate([np.arange(n + 1) for n in frequency.astype(int)])
    days = purchase_days(customer=who, occurred_at=np.datetime64("2024-01-01") + at)
    none = np.empty(0, np.int64)
    return Held(Known(days, int(days.day.max())), 4.0, orders, orders * 10.0, none, none)


def test_wrong_is_half_or_twice_of_a_group_and_beyond_chance() -> None:
    frequency = np.repeat([0.0, 5.0], 200)
    held = held_of(frequency, np.repeat([0.2, 2.0], 200))
    bootstrap = Bootstrap.of(400, 1)

    def wrong(once: float, often: float) -> tuple[str, ...]:
        foretold = np.repeat([once, often], 200) * 10.0
        return clearly_biased([foretold], [held.money], [held], bootstrap)

    assert wrong(0.2, 2.0) == wrong(0.15, 3.0) == ()
    assert wrong(0.0, 2.0) == wrong(0.6, 2.0) == ("0-3",)
    assert wrong(0.2, 0.9) == ("4+",)
    off = bias_by_group(np.repeat([0.3, 1.9], 200), held.orders, held, bootstrap)
    assert off[-1] == pytest.approx(200 * 0.1 + 200 * 0.1)
    nobody = held_of(frequency, np.repeat([0.0, 2.0], 200))
    some = np.repeat([0.004, 2.0], 200) * 10.0
    assert clearly_biased([some], [nobody.money], [nobody], bootstrap) == ()


def test_the_choice_is_among_those_wrong_about_the_fewest() -> None:
    assert allowed([("0",), (), ()]).tolist() == [1, 2]
    assert allowed([("0",), ("1", "2")]).tolist() == [0]
    flat = np.zeros(401)
    place, worse = simplest([flat, flat + 2.0, flat + 1.0], np.array([1, 2]))
    assert place == 2
    assert worse.tolist() == [0.0, 1.0, 0.0]


def test_who_bought_once_is_not_alive_for_certain(choice: Choice) -> None:
    """BG/NBD lets nobody leave before the first repeat."""
    from msgspec.structs import replace

    world = worlds.chance(400)
    made = forecast(
        customer=world.customer, occurred_at=world.occurred_at, margin=world.amount,
        choice=replace(choice, pick="BG/NBD"),
    )  # fmt: skip
    assert made.projection.p_alive.max() < 1
    assert any("takes every one-time buyer as alive" in note for note in made.notes)
