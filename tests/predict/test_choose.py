"""The tournament inside the past, and the pick."""

from __future__ import annotations

import sys

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import UnknownName
from shopkeeper.predict.value import Choice, RepeatRate, choose, forecast
from shopkeeper.predict.value.candidates import DEARER, MODELS, RULES
from shopkeeper.predict.value.choose import COMPARED
from shopkeeper.predict.value.field import entries, fit_entry
from shopkeeper.predict.value.origin import Known, hold_out, plan, some_days
from shopkeeper.predict.value.score import Bootstrap, beaten, in_top, score, scored, simplest
from shopkeeper.predict.value.summary import PurchaseDays, purchase_days

from . import worlds
from .conftest import Log

# Last day of each log; 39 weeks before it are foretold.
LAST = {"sample": "1998-06-30", "full": "1998-06-30", "retail": "2011-12-09"}
# Next 39 weeks: MAE, RMSE, Spearman of the rules and of the model that others have.
NEXT_39 = {
    ("sample", "repeat rate x window"): (0.900, 1.976, 0.488),
    ("sample", "last period = next period"): (1.596, 2.318, 0.488),
    ("sample", "Pareto/NBD"): (0.755, 1.603, 0.460),
    ("full", "repeat rate x window"): (0.914, 1.940, 0.485),
    ("full", "last period = next period"): (1.589, 2.268, 0.485),
    ("full", "Pareto/NBD"): (0.794, 1.726, 0.452),
    ("retail", "repeat rate x window"): (1.446, 2.639, 0.566),
    ("retail", "last period = next period"): (1.528, 2.492, 0.590),
    ("retail", "Pareto/NBD"): (1.530, 2.497, 0.607),
}


def days_of(log: Log | worlds.World) -> PurchaseDays:
    return purchase_days(customer=log.customer, occurred_at=log.occurred_at, amount=log.amount)


def last(days: PurchaseDays) -> int:
    return int(days.day.max())


@pytest.fixture(scope="module")
def chance() -> PurchaseDays:
    return days_of(worlds.chance())


@pytest.fixture(scope="module")
def chosen(chance: PurchaseDays) -> Choice:
    return choose(chance, end_day=last(chance), horizon=26.0)


@pytest.mark.parametrize("data", LAST)
def test_rules_and_pareto_on_real_logs(data: str, request: pytest.FixtureRequest) -> None:
    end = int(np.datetime64(LAST[data]).astype(np.int64))
    held = hold_out(days_of(request.getfixturevalue(data)), end_day=end, window_days=273)
    for name in (name for log, name in NEXT_39 if log == data):
        card = score(name, fit_entry(name, held.known, 39.0).future.mean(39.0), held.orders)
        assert (card.mae, card.rmse, card.spearman) == pytest.approx(NEXT_39[data, name], abs=5e-4), name


def test_a_model_is_picked_where_customers_drop_out(chosen: Choice) -> None:
    assert chosen.pick not in {entry.name for entry in RULES}
    cards = {card.name: card for card in chosen.cards}
    assert cards[chosen.pick].rmse < cards[RepeatRate.name].rmse
    assert [card.picked for card in chosen.cards].count(True) == 1
    assert len(chosen.origins) == 5
    assert chosen.window_days == 26 * 7
    assert {entry.name for entry in entries()} >= {card.name for card in chosen.cards}


def steady_and_once(seed: int = 11) -> worlds.World:
    """Half buy by the clock: their rate is all there is to know. Of the others, who bought once, some return."""
    rng = np.random.default_rng(seed)
    steady, weeks = worlds.clockwork(n=150, weeks=90), 90
    first = rng.integers(0, weeks * 7, 900)
    back = np.flatnonzero(rng.random(900) < 0.35)
    again = first[back] + rng.integers(30, 500, back.size)
    some = again < weeks * 7
    who = np.concatenate([steady.customer, 10_000 + np.arange(900), 10_000 + back[some]])
    day = np.concatenate([first, again[some]]).astype("timedelta64[D]") + worlds.START
    when = np.append(steady.occurred_at.astype("datetime64[D]"), day)
    return worlds.World(who, when, np.full(who.size, 10.0))


def test_a_rule_that_expects_nothing_of_all_who_bought_once_is_not_used_however_small_its_error() -> None:
    days = days_of(steady_and_once())
    found = choose(days, end_day=last(days), horizon=13.0, entrants=(RULES[0], MODELS[0]))
    rule, model = found.cards
    assert rule.loss <= model.loss, "by its errors the rule would be used"
    assert found.pick == model.name
    assert any("wrong about all customers with 0 repeat purchases" in note for note in found.notes)
    alone = choose(days, end_day=last(days), horizon=13.0, entrants=(RULES[0],))
    assert alone.pick == rule.name, "where all are wrong none loses by it"


def test_who_is_alive_is_told_by_the_simplest_model_that_can_tell_and_is_as_good() -> None:
    """Of two models within noise one wins this week and the other the next: P(alive) would turn with them."""
    world = worlds.chance(seed=5)
    days = days_of(world)
    found = choose(days, end_day=last(days), horizon=13.0, entrants=(*MODELS, DEARER[0]))
    simple, blind, other = found.cards
    assert found.pick == blind.name == "BG/NBD"
    assert other.loss < simple.loss, "by a hair"
    assert found.alive == simple.name == "MBG/NBD"
    foreseen = forecast(
        customer=world.customer,
        occurred_at=world.occurred_at,
        margin=world.amount,
        horizon=13.0,
        choice=found,
    )
    assert "BG/NBD takes every one-time buyer as alive: P(alive) is from MBG/NBD" in foreseen.notes


def test_the_choice_is_the_same_again_and_survives_json(chance: PurchaseDays, chosen: Choice) -> None:
    assert msgspec.json.decode(msgspec.json.encode(chosen), type=Choice) == chosen
    few = (RULES[0], MODELS[0])
    one, other = (choose(chance, end_day=last(chance), horizon=26.0, entrants=few) for _ in range(2))
    assert one == other


def test_nothing_after_the_last_day_is_seen(chance: PurchaseDays) -> None:
    end = last(chance) - 140
    before = chance.day <= end
    cut = PurchaseDays(chance.customers, chance.code[before], chance.day[before], chance.amount[before])
    some = (RULES[0], MODELS[0])
    assert choose(chance, end_day=end, horizon=13.0, entrants=some) == choose(
        cut, end_day=end, horizon=13.0, entrants=some
    )


def test_figures_for_the_plots_add_up(chance: PurchaseDays, chosen: Choice) -> None:
    shown = chosen.evidence
    assert shown is not None
    held = hold_out(chance, end_day=last(chance), window_days=chosen.window_days)
    assert sum(shown.tracking.actual) == held.orders.sum()
    assert shown.tracking.cumulative[1][-1] == pytest.approx(sum(shown.tracking.expected))
    assert sum(bar.actual for bar in shown.repeats) == len(held.known)
    assert sum(bar.expected for bar in shown.repeats) == pytest.approx(len(held.known))
    assert sum(decile.n for decile in shown.deciles) == sum(one.n for one in chosen.origins)
    assert sum(one.n * one.actual[-1] for one in shown.cohorts) == pytest.approx(held.orders.sum())
    assert 0.5 < sum(shown.tracking.expected) / sum(shown.tracking.actual) < 2.0
    for one in shown.cohorts:
        assert one.actual[0] == one.expected[0] == 0.0
        assert list(one.expected) == sorted(one.expected)


def test_intervals_of_the_figures_hold_them(chosen: Choice) -> None:
    for card in chosen.cards:
        for name, held in card.intervals.items():
            assert held.low <= getattr(card, name) <= held.high, (card.name, name)


def test_how_far_customers_wander_is_learned_beyond_the_window_tested(chosen: Choice) -> None:
    """These customers' rates stay, so it is less than is usual."""
    assert chosen.learned.wander.tested == chosen.window_days / 7
    assert 0.0 < chosen.learned.wander.growth < 0.1
    assert chosen.spend is not None
    assert all(0.0 <= group.follows < 0.5 for group in chosen.spend.groups)


def test_the_rule_stays_where_nobody_drops_out() -> None:
    """Clockwork customers who all began on day one: their rate so far says everything."""
    days = days_of(worlds.clockwork(n=120, weeks=60))
    choice = choose(days, end_day=last(days), horizon=13.0, entrants=(*RULES, MODELS[0]))
    assert choice.pick in {entry.name for entry in RULES}


@pytest.mark.parametrize("world", [worlds.once(), worlds.tiny(), worlds.one()], ids=["once", "tiny", "one"])
def test_poor_shops_get_a_usable_answer(world: worlds.World) -> None:
    days = days_of(world)
    choice = choose(days, end_day=last(days))
    assert choice.cards == ()
    assert choice.window_days == 0
    assert "untested" in choice.notes[-1]
    mean = fit_entry(choice.pick, Known(days, last(days)), 52.0).future.mean(52.0)
    assert np.isfinite(mean).all()
    assert (mean >= 0).all()


@pytest.mark.parametrize("n", [0, 1, 10])
def test_too_little_history_is_said(n: int) -> None:
    when = np.datetime64("2024-01-01") + np.arange(n) * 20
    days = purchase_days(customer=np.arange(n), occurred_at=when)
    choice = choose(days, end_day=last(days) if n else 0)
    assert choice.cards == ()
    assert "untested" in choice.notes[-1]


def test_of_many_customers_some_are_compared(monkeypatch: pytest.MonkeyPatch, chance: PurchaseDays) -> None:
    monkeypatch.setattr(sys.modules[choose.__module__], "COMPARED", 100)
    choice = choose(chance, end_day=last(chance), horizon=13.0, entrants=MODELS)
    assert COMPARED > 1000
    assert choice.n <= 100
    assert "100 of 700 customers" in choice.notes[0]


def test_a_level_that_fell_lately_is_in_the_ranges(chance: PurchaseDays) -> None:
    """A third of the repeat purchases of the last 26 weeks are struck out, so that the coming weeks are low as well."""
    again = np.concatenate(([False], chance.code[1:] == chance.code[:-1]))
    late = again & (chance.day > last(chance) - 182) & (np.random.default_rng(1).random(again.size) < 0.33)
    before, after = (
        choose(some_days(chance, rows), end_day=last(chance), horizon=26.0, entrants=MODELS[:1]).learned
        for rows in (np.ones(again.size, bool), ~late)
    )
    assert after.level.mean < before.level.mean - 0.05
    assert all(one.level is not None and one.level.deviation > 0.1 for one in after.groups)


@settings(deadline=None)
@given(span=st.integers(0, 3000), horizon=st.floats(1, 300))
def test_a_plan_leaves_a_past_at_each_origin(span: int, horizon: float) -> None:
    window, ends = plan(span, horizon)
    assert window <= horizon * 7
    assert window * 3 <= span
    assert list(ends) == sorted(set(ends))
    for end in ends:
        assert span - end - window >= min(window, 7)
    assert not ends or ends[0] == 0


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_the_top_tenth_is_a_tenth_and_equals_share(values: list[int]) -> None:
    predicted = np.array(values, dtype=np.float64)
    share = in_top(predicted)
    assert share.sum() == pytest.approx(max(1, len(values) // 10))
    for value in set(values):
        assert np.ptp(share[predicted == value]) == 0.0
    assert (np.diff(share[np.argsort(predicted)]) >= 0).all()


def test_the_simplest_that_is_not_clearly_worse_wins() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, 401)
    plain, near, best = 1.0 + noise, 0.81 + noise + rng.normal(0, 0.02, 401), 0.80 + noise
    place, worse = simplest([plain, near, best])
    assert place == 1
    assert worse[0] == 1.0
    assert worse[2] == 0.0
    assert simplest([plain, 1.0 + noise])[0] == 0


def test_how_often_the_choice_beats_another_is_counted_by_the_error_that_is_shown() -> None:
    rng = np.random.default_rng(1)
    actual = rng.poisson(2.0, 400).astype(np.float64)
    bootstrap, everybody = Bootstrap.of(400, seed=0), np.arange(400)
    exact, near, far = (
        [scored(actual + off, actual, everybody, bootstrap)]
        for off in (rng.normal(0, 0.5, 400), rng.normal(0, 0.5, 400), rng.normal(0, 0.9, 400))
    )
    assert beaten(exact, far) == 1.0
    assert beaten(far, exact) == 0.0
    assert 0.02 < beaten(exact, near) < 0.98
    assert beaten(exact, exact) == 0.5


def test_scores_by_hand() -> None:
    card = score("x", np.array([3.0, 1.0, 0.0, 0.0]), np.array([5.0, 0.0, 0.0, 0.0]))
    assert card.mae == 0.75
    assert card.rmse == pytest.approx((5 / 4) ** 0.5)
    assert card.bias == -0.25
    assert card.top_decile == 1.0
    assert card.spearman == pytest.approx(0.8165, abs=1e-4)
    flat = score("x", np.zeros(3), np.zeros(3))
    assert (flat.mae, flat.spearman, flat.top_decile) == (0.0, 0.0, 0.0)


def test_the_bootstrap_gives_the_error_of_the_mean() -> None:
    rng = np.random.default_rng(3)
    error = rng.normal(0.3, 1.0, 4000)
    figures = scored(error, np.zeros(4000), np.arange(4000), Bootstrap.of(4000, 1)).figures
    assert figures["bias"][:-1].std() == pytest.approx(1 / np.sqrt(4000), rel=0.15)
    assert figures["bias"][-1] == pytest.approx(error.mean())


def test_an_unknown_model_is_named(chance: PurchaseDays) -> None:
    with pytest.raises(UnknownName, match="model"):
        fit_entry("ARIMA", Known(chance, last(chance)), 13.0)


def test_within_the_band_what_was_used_before_stays() -> None:
    rng = np.random.default_rng(0)
    best = 1.0 + rng.normal(0, 0.01, 401)

    def worse(share: float, by: float = 0.01) -> np.ndarray:
        """Worse than the best in so many samples, and as they are."""
        behind = np.full(401, by)
        behind[: round(400 * (1.0 - share))] = -by
        return best + behind

    # From the simplest: the line without an incumbent lies at .84, the band around it from .70 to .93.
    assert simplest([worse(0.80), best])[0] == 0
    assert simplest([worse(0.80), best], before=1)[0] == 1, "the simpler one is not near enough to return"
    assert simplest([worse(0.60), best], before=1)[0] == 0
    assert simplest([worse(0.90), best])[0] == 1
    assert simplest([worse(0.90), best], before=0)[0] == 0, "not clearly worse enough to leave"
    assert simplest([worse(0.96), best], before=0)[0] == 1
    assert simplest([worse(0.96, by=0.004), best])[0] == 1
    assert simplest([worse(0.96, by=0.004), best], before=0)[0] == 0, "surely worse, and by a hair"
    assert simplest([worse(0.80), worse(0.96), best], before=1)[0] == 0, "who leaves has no say"
    assert simplest([worse(0.80), best, best], np.array([0, 1]), before=2)[0] == 0, "who may not be chosen"


def test_a_choice_knows_the_one_before_and_says_where_it_follows_it() -> None:
    days = days_of(worlds.chance(seed=10))
    alone = choose(days, end_day=last(days), horizon=13.0, entrants=MODELS)
    simple, other = alone.cards
    assert alone.pick == other.name
    assert 0.84 <= simple.clearly_worse < 0.93, "a world in which the line is near"
    used = msgspec.structs.replace(alone, pick=simple.name)
    again = choose(days, end_day=last(days), horizon=13.0, entrants=MODELS, incumbent=used)
    assert again.pick == simple.name
    assert again.notes[-1] == "MBG/NBD was used before and stays: BG/NBD is as good within noise"
    untested = Choice(pick=simple.name, cards=(), window_days=0, n=0)
    gone = msgspec.structs.replace(alone, pick="Pareto/NBD")
    for nobody in (untested, gone):
        assert choose(days, end_day=last(days), horizon=13.0, entrants=MODELS, incumbent=nobody) == alone
