"""Money in the window: the ways to foretell it, the choice, and the range."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from shopkeeper.predict.value import GammaGammaFit, choose
from shopkeeper.predict.value.candidates import MODELS, RULES
from shopkeeper.predict.value.choose import Choice
from shopkeeper.predict.value.field import fit_entry
from shopkeeper.predict.value.interval import Group
from shopkeeper.predict.value.level import Level
from shopkeeper.predict.value.origin import Known, hold_out
from shopkeeper.predict.value.score import Bootstrap
from shopkeeper.predict.value.spend import (
    BY_ORDER,
    LAST_PERIOD,
    MEAN,
    MODEL,
    OWN_RATE,
    SPENDS,
    Spend,
    spend_card,
    spend_figures,
)
from shopkeeper.predict.value.summary import PurchaseDays, purchase_days
from shopkeeper.predict.value.worth import UnsureWorth, Worth, learn_worth, worth, worth_coverage

from . import worlds


def test_on_a_real_log_value_is_nearer_to_what_came_than_the_best_rule(retail_days: PurchaseDays) -> None:
    """Online Retail II, money in the 39 weeks from 2011-03-11: the last period again is off by 807."""
    held = hold_out(retail_days, end_day=int(np.datetime64("2011-12-09").astype(np.int64)), window_days=273)
    orders = fit_entry("MBG/CNBD-k", held.known, held.window).future.mean(held.window)
    spend = Spend(held.known, orders, held.window, BY_ORDER)
    off = {name: np.abs(SPENDS[name](spend) - held.money).mean() for name in (LAST_PERIOD, BY_ORDER)}
    assert off[LAST_PERIOD] == pytest.approx(807, abs=0.5)
    assert off[BY_ORDER] < off[LAST_PERIOD] - 20


def known(rows: list[tuple[int, str, float]], end: str) -> Known:
    who, when, amount = zip(*rows, strict=True)
    days = purchase_days(customer=who, occurred_at=when, amount=amount)
    return Known(days, int(np.datetime64(end, "D").astype(np.int64)))


def test_each_way_by_hand() -> None:
    past = known([(1, "2024-01-01", 10.0), (1, "2024-01-15", 30.0), (2, "2024-01-22", 8.0)], "2024-01-29")
    spend = Spend(past, np.array([0.5, 0.25]), 2.0)
    assert SPENDS[LAST_PERIOD](spend).tolist() == [0.0, 8.0]
    assert SPENDS[OWN_RATE](spend).tolist() == [1 * 2 / 4 * 20.0, 0.0]
    np.testing.assert_allclose(SPENDS[MODEL](spend), spend.orders * spend.per_order)
    rate, model = SPENDS[OWN_RATE](spend), SPENDS[MODEL](spend)
    np.testing.assert_allclose(SPENDS[MEAN](spend), [(rate[0] + model[0]) / 2, model[1]])


def test_what_came_back_is_a_loss() -> None:
    rows = [
        (1, "2024-01-01", 10.0),
        (1, "2024-01-20", -30.0),
        (2, "2024-01-22", 8.0),
        (2, "2024-02-20", -5.0),
    ]
    days = known(rows, "2024-03-01").days
    held = hold_out(days, end_day=int(np.datetime64("2024-02-26").astype(np.int64)), window_days=28)
    assert held.money.tolist() == [0.0, -5.0]
    past = held.known
    spend = Spend(past, np.array([1.0, 1.0]), 4.0)
    assert SPENDS[LAST_PERIOD](spend)[0] < 0
    figures = spend_figures(np.array([-3.0, 4.0]), held, Bootstrap.of(2, 0))
    card = spend_card("x", [figures])
    assert (card.mae, card.bias) == (6.0, 3.0)
    assert np.isfinite(card.loss)


@pytest.fixture(scope="module")
def choice() -> Choice:
    world = worlds.wholesalers()
    days = purchase_days(customer=world.customer, occurred_at=world.occurred_at, amount=world.amount)
    return choose(days, end_day=int(days.day.max()), horizon=26.0, entrants=(RULES[0], MODELS[0]))


def test_money_is_chosen_with_wholesalers_about(choice: Choice) -> None:
    spend = choice.spend
    assert spend is not None
    cards = {card.name: card for card in spend.cards}
    assert list(cards) == list(SPENDS)
    assert [card.name for card in spend.cards if card.picked] == [spend.pick] == [BY_ORDER]
    assert cards[spend.best].mae <= cards[LAST_PERIOD].mae
    assert cards[spend.best].loss <= min(card.loss for card in spend.cards) + 0.1
    for card in spend.cards:
        for name, held in card.intervals.items():
            assert held.low <= getattr(card, name) <= held.high
    assert msgspec.json.decode(msgspec.json.encode(choice), type=Choice) == choice


AMOUNTS = GammaGammaFit(
    p=4.0, q=4.0, v=15.0, log_likelihood=0.0, n=1, n_fenced=0, gradient_norm=0.0, converged=True
)


def some_worth(n: int, mean: float = 2.0) -> Worth:
    return worth(
        some=np.full(n, 0.7), number=np.full(n, mean), square=np.full(n, mean**2 * 2.0), per_order=np.full(n, 20.0),
        orders_seen=np.full(n, 3.0), amounts=AMOUNTS,
    )  # fmt: skip


def test_quantile_and_probability_of_worth_are_inverse() -> None:
    one = some_worth(3)
    for level in (0.35, 0.5, 0.9):
        np.testing.assert_allclose(one.transforms(one.at(level))[1], level)
    assert one.at(0.2).tolist() == [0.0] * 3
    below, up_to = one.transforms(np.array([0.0, 10.0, -4.0]))
    assert below[0] == below[2] == up_to[2] == 0.0
    assert up_to[0] == pytest.approx(0.3)
    assert below[1] == up_to[1]
    hardly = worth(
        some=np.full(1, 1e-310), number=np.full(1, 1e-310), square=np.full(1, 1e-310), per_order=np.full(1, 20.0),
        orders_seen=np.ones(1), amounts=AMOUNTS,
    )  # fmt: skip
    assert hardly.at(0.9).tolist() == [0.0], "and no overflow, which is an error in tests"


def test_an_uncertain_level_and_a_correction_keep_quantiles_inverse() -> None:
    at_level = [some_worth(4, 2.0 * factor) for factor in Level(mean=0.1, deviation=0.3).factors]
    learned = (Group(first=0, n=9, levels=(0.0, 0.2, 0.8, 1.0), reached=(0.0, 0.3, 0.6, 1.0)),)
    unsure = UnsureWorth(at_level, np.zeros(4, np.int64), learned)
    for level in (0.5, 0.9):
        np.testing.assert_allclose(unsure.transforms(unsure.at(level))[1], level, atol=1e-3)
    lost = UnsureWorth([replace(one, scale=-one.scale) for one in at_level], unsure.group, learned)
    assert not np.signbit([lost.at(0.1), lost.at_level[0].at(0.1)]).any(), "nothing of a loss is 0, not -0"


def test_learned_ranges_of_worth_hold() -> None:
    rng = np.random.default_rng(8)
    n = 6_000
    frequency = rng.integers(0, 3, n).astype(np.float64)

    def came() -> np.ndarray:
        return np.where(rng.random(n) < 0.5, rng.lognormal(3.0, 1.5, n), 0.0)

    learned = learn_worth([some_worth(n)], [came()], [frequency])
    unsure = UnsureWorth([some_worth(n)] * 3, frequency.astype(np.int64), learned)
    for one in worth_coverage(unsure, came()):
        assert one.expected == pytest.approx(0.8, abs=0.03), one


def test_origins_that_had_other_groups_are_learned_from() -> None:
    """Half of them buy every six weeks: seven times at the latest origin, six times at the one before."""
    slow, fast = np.arange(0, 400, 45), np.arange(0, 400, 15)
    days = PurchaseDays(
        customers=np.arange(220),
        code=np.repeat(np.arange(220), [slow.size] * 110 + [fast.size] * 110),
        day=np.concatenate([np.tile(slow, 110), np.tile(fast, 110)]),
        amount=np.random.default_rng(5).lognormal(3.0, 0.5, 110 * (slow.size + fast.size)),
    )
    found = choose(days, end_day=400, horizon=8.0)
    assert found.spend is not None
    assert [group.first for group in found.spend.groups] == [0, 7]
    assert sum(one.n for one in found.spend.coverage) == 220
