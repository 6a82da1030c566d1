"""What was predicted is kept, found again, forgotten with the person, and added up."""

from __future__ import annotations

import math
import sys
from datetime import UTC, date, datetime, timedelta
from random import Random
from types import SimpleNamespace

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events import DAY, NOW, event, order, put

import shopkeeper
from shopkeeper.cli.value import headlines
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from shopkeeper.domain.value import Run
from shopkeeper.predict.value import MBGNBD, GammaGammaFit
from shopkeeper.predict.value.calibration import Learned
from shopkeeper.predict.value.candidates import UNTESTED
from shopkeeper.predict.value.choose import Choice
from shopkeeper.predict.value.interval import Around, Group
from shopkeeper.predict.value.level import Level, Wander, at_levels, mixed
from shopkeeper.predict.value.rules import SteadyFuture
from shopkeeper.predict.value.spend import BY_ORDER, SpendChoice
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.predicting.comparing import ahead
from shopkeeper.shop.predicting.orders import order_days, taken_as
from shopkeeper.shop.predicting.pricing import choice_at
from shopkeeper.shop.predicting.recalling import as_today
from shopkeeper.shop.predicting.worths import deviation, foresee

PEOPLE = 60
FIRST, LAST = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 5, 1, 12, tzinfo=UTC)


def standing(folder, at):
    """The shop at another time."""
    settings = msgspec.structs.replace(shopkeeper.settings.load(folder), now=at.isoformat())
    shopkeeper.settings.save(folder, settings)
    return shopkeeper.open(folder)


def orders(chance, start, end, people=PEOPLE):
    """Orders of people who buy at rates of their own, some of whom stop."""
    for person in range(people):
        at, number = start + chance.random() * 40, 0
        gap = chance.choice([5, 12, 30])
        while at < end and number < chance.choice([1, 3, 40, 40]):
            yield order(
                f"{start}-{person}-{number}", int((at - 485) * DAY), ids={"user_id": f"u{person}"},
                price=f"{chance.randint(5, 60)}.00",
            )  # fmt: skip
            at += gap * (0.6 + 0.8 * chance.random())
            number += 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A shop refreshed twice, three months apart; u1 and u2 turned out to be one in between."""
    folder = tmp_path_factory.mktemp("value") / "shop"
    chance = Random(5)
    with shopkeeper.create(folder, currency="EUR", time_zone="Europe/Berlin", now=FIRST.isoformat()) as shop:
        put(shop, *orders(chance, 0, 396))
        shop.refresh()
    with standing(folder, LAST) as shop:
        put(shop, *orders(chance, 400, 485))
        put(shop, event("Page Viewed", "both", -DAY, ids={"user_id": "u1", "email": "one@example.com"}))
        put(shop, order("usd", -2 * DAY, ids={"user_id": "u9"}, currency="USD"))
        shop.settle("same", "user_id:u1", "user_id:u2")
        shop.refresh()
    return folder


@pytest.fixture
def shop(folder):
    with shopkeeper.open(folder) as shop:
        yield shop


def test_what_was_predicted_then_is_found_by_its_day_and_not_earlier(shop):
    now, then = shop.predicted(), shop.predicted(date(2026, 3, 1))
    assert now.schema.metadata[b"as_of"].decode() == LAST.isoformat()
    assert then.schema.metadata[b"as_of"].decode() == FIRST.isoformat()
    assert shop.predicted(FIRST)["clv_12m"].to_pylist() == then["clv_12m"].to_pylist()
    current = shop.customers(columns=["clv_12m", "p_alive", "state"])
    assert dict(zip(now["customer"].to_pylist(), now["clv_12m"].to_pylist(), strict=True)) == {
        row["id"]: row["clv_12m"] for row in current.to_pylist() if row["clv_12m"] is not None
    }
    with pytest.raises(NotFound, match="that early") as refused:
        shop.predicted(date(2026, 1, 31))
    assert "2026-02-01" in refused.value.hint
    with pytest.raises(InvalidInput, match="zone"):
        shop.predicted(datetime(2026, 3, 1))
    chosen = shop.predicted(date(2026, 3, 1), "orders >= 4")
    assert 0 < chosen.num_rows < then.num_rows


def test_who_was_two_then_is_one_row_whose_values_add_up(shop):
    one = shop.customer("user_id:u1").id
    assert shop.customer("user_id:u2").id == one
    number = int(one[1:])
    file = runs.table(shop.places, runs.runs(shop.places)[0])
    with shop.places.ledger.read() as reader:
        became = reader.aliases([number])
    assert len(became) == 1
    both = [row for row in file.to_pylist() if row["customer"] in {number, *became}]
    assert len(both) == 2
    row = next(row for row in shop.predicted(FIRST).to_pylist() if row["customer"] == number)
    assert row["clv_12m"] == pytest.approx(sum(part["clv_12m"] for part in both))
    assert max(part["p_alive"] for part in both) <= row["p_alive"] <= 1
    assert row["orders_low"] <= row["expected_orders_12m"] <= row["orders_high"]
    assert row["orders_high"] == pytest.approx(sum(part["orders_high"] for part in both))
    assert row["clv_sd"] == pytest.approx(math.hypot(*(part["clv_sd"] for part in both)))
    together = as_today(file, became).filter(pc.field("customer") == number)["orders_28d_mean"]
    assert together.to_pylist() == pytest.approx([sum(part["orders_28d_mean"] for part in both)])
    points = shop.predictions("user_id:u2").points
    assert [(point.as_of, point.merged) for point in points] == [(FIRST, 2), (LAST, 1)]
    assert points[0].clv_12m == pytest.approx(row["clv_12m"])
    with pytest.raises(NotPermitted):
        shop.as_actor(Actor("u7", "analyst")).predictions(one)
    with pytest.raises(NotPermitted):
        shop.as_actor(Actor("u7", "agent")).predicted()


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"discount_rate": 10.0}, "0.1 for 10 %"), ({"discount_rate": -0.5}, "a share"),
        ({"discount_rate": math.nan}, "a share"), ({"horizon_weeks": 10**9}, "at most 520"),
    ],
)  # fmt: skip
def test_settings_of_value_that_would_tell_nonsense_are_refused(wrong, hint):
    with pytest.raises(InvalidInput, match=next(iter(wrong))) as refused:
        shopkeeper.settings.checked(shopkeeper.settings.Settings(currency="EUR", **wrong))
    assert hint in refused.value.hint


def test_of_parts_nothing_was_foretold_of_nothing_is_foretold_together():
    nan = float("nan")
    rows = pa.table({
        "customer": [1, 2, 3], "clv_12m": [None, None, 4.0], "p_alive": [None, None, 0.5],
        "orders_7d_mean": [nan, 0.25, 1.0],
    })  # fmt: skip
    assert as_today(rows, {2: 1}).to_pylist()[0] == {
        "customer": 1, "clv_12m": None, "p_alive": None, "orders_7d_mean": 0.25,
    }  # fmt: skip


def test_value_adds_up_by_tenth_state_and_channel(shop):
    report = shop.value()
    for rows in (report.deciles, report.states, report.channels):
        assert sum(row.value for row in rows) == pytest.approx(report.total.value, abs=0.1)
        assert sum(row.customers for row in rows) == report.total.customers
        assert sum(row.share for row in rows) == pytest.approx(1)
        for row in rows:
            assert row.low <= row.value <= row.high
    risk = [row for row in report.states if row.name in ("fading", "lapsed")]
    assert report.at_risk.customers == sum(row.customers for row in risk)
    assert report.at_risk.value == pytest.approx(sum(row.value for row in risk), abs=0.1)
    assert report.at_risk.low <= report.at_risk.value <= report.at_risk.high
    assert [row.value for row in report.deciles] == sorted(
        (row.value for row in report.deciles), reverse=True
    )
    assert report.concentration[0] == (0.0, 0.0)
    assert report.concentration[-1] == (1.0, pytest.approx(1.0))
    assert all(b[1] >= a[1] for a, b in zip(report.concentration, report.concentration[1:], strict=False))
    assert dict(report.top)[0.1] == pytest.approx(report.deciles[0].share)
    assert [run[0] for run in report.runs] == [FIRST, LAST]


def test_of_customers_who_cost_money_a_loss_is_sure_and_nobody_holds_a_share_of_it(tmp_path):
    chance = Random(3)
    with shopkeeper.create(tmp_path / "shop", currency="EUR", time_zone="UTC", now=LAST.isoformat()) as shop:
        for bought in orders(chance, 430, 485, people=40):
            goods = [{"product_id": "p1", "price": "90.00", "quantity": 1}]
            back = event("Order Refunded", f"back {bought.message_id}", bought.occurred_at - NOW + 1,
                         ids={one.kind: one.value for one in bought.identifiers},
                         order_id=bought.properties.order_id, products=goods)  # fmt: skip
            put(shop, bought, back)
        shop.refresh()
        report = shop.value()
        told = shop.worth().schema.metadata
        said = " ".join(headlines(report))
    assert report.total.low < report.total.value < report.total.high < 0
    assert float(told[b"total_high"]) < 0
    assert report.top == ()
    assert "contribution margin is expected" in said
    assert "most valuable" not in said


def test_what_value_rests_on_is_told(shop):
    """No product has a cost, and one order is in a currency without a rate: neither may pass for knowledge."""
    assumed, foreign, *_ = shop.value().notes
    assert assumed.startswith("the cost of 100% of what was sold is not known: 40% of it is taken as margin")
    assert foreign.startswith("1 customer paid in USD, for which no exchange rate is known")


def test_an_order_without_a_rate_is_an_order_and_takes_nothing_from_what_an_order_is_worth(shop):
    with shop.places.ledger.read() as reader:
        found = order_days(reader, shop.places.scale)
    (at,) = np.flatnonzero(np.isnan(found.margin))
    ninth = found.customer == found.customer[at]
    taken = taken_as(found.customer, found.margin)
    assert taken[at] == pytest.approx(np.nanmean(found.margin[ninth]))
    note = shop.worth().schema.metadata[b"notes"].decode().splitlines()[-1]
    assert note.startswith(f"1 of {found.margin.size} customers' days with an order is in a currency without")


@pytest.mark.parametrize(
    ("margin", "taken"),
    [
        ([2.0, 4.0, 9.0, np.nan, np.nan], [2.0, 4.0, 9.0, 6.0, 6.0]),
        ([2.0, 4.0, 9.0, np.nan, 5.0], [2.0, 4.0, 9.0, 5.0, 5.0]),
        ([np.nan] * 5, [0.0] * 5),
    ],
)
def test_an_unknown_amount_is_what_the_customers_others_are_or_the_average_customers(margin, taken):
    assert taken_as(np.array([1, 1, 2, 3, 3]), np.array(margin)).tolist() == taken


def test_the_second_refresh_says_how_the_first_one_did(shop):
    (drift,) = shop.value().drift
    assert (drift.as_of, drift.days) == (FIRST, 89)
    assert drift.value - drift.value_before == pytest.approx(sum(part.value for part in drift.changes))
    days = shop.places.ledger
    with days.read() as reader:
        known = set(
            as_today(runs.table(shop.places, runs.runs(shop.places)[0]), reader.aliases(None))[
                "customer"
            ].to_pylist()
        )
    since = [
        e for who in known for e in shop.timeline(f"c{who}", limit=500, names=("Order Completed",)).entries
    ]
    came = {
        (e.details["order_id"], (e.occurred_at + timedelta(hours=2)).date())
        for e in since
        if e.occurred_at > FIRST
    }
    assert drift.kept[0].orders <= len(came)
    assert drift.kept[0].orders > 0
    assert sum(one.customers for one in drift.states) == len(known)


def test_an_order_is_worth_the_same_without_end():
    """A rule is replaced by a model there; the form of amounts stays."""
    spend = SpendChoice(pick=BY_ORDER, cards=(), groups=(Group(first=0, n=9),))
    made = Choice(pick="hiatus", cards=(), window_days=70, n=40, spend=spend)
    run = Run(run=1, as_of=FIRST, choice=msgspec.to_builtins(made))
    assert choice_at(run, without_end=False) == made
    endless = choice_at(run, without_end=True)
    assert endless.pick == UNTESTED
    assert endless.spend == SpendChoice(pick=BY_ORDER, cards=())


def test_worth_over_any_horizon_grows_with_it_and_is_discounted(shop):
    quarter, year = shop.worth(horizon=13), shop.worth(horizon=52)
    assert quarter["customer"].to_pylist() == year["customer"].to_pylist()
    assert (np.array(quarter["value"]) <= np.array(year["value"]) + 1e-9).all()
    assert (np.array(year["value_low"]) <= np.array(year["value"]) + 1e-9).all()
    assert sum(shop.worth(discount=0.5)["value"].to_pylist()) < sum(year["value"].to_pylist())
    kept = shop.predicted()
    same = shop.worth()
    assert same["customer"].to_pylist() == kept["customer"].to_pylist()
    assert same["value"].to_pylist() == pytest.approx(kept["clv_12m"].to_pylist(), abs=1e-3)
    endless = shop.worth(horizon=math.inf)
    assert np.isfinite(np.array(endless["value"])).all()
    assert endless.schema.metadata[b"horizon_weeks"] == b"inf"
    assert shop.worth(as_of=date(2026, 2, 1)).num_rows <= same.num_rows
    total = shop.value().total
    assert [float(same.schema.metadata[key]) for key in (b"total", b"total_low", b"total_high")] == pytest.approx(
        [total.value, total.low, total.high], rel=1e-3
    )  # fmt: skip
    metadata = endless.schema.metadata
    assert 0 < float(metadata[b"tested_weeks"]) < 52
    assert b"the history is too short" in metadata[b"notes"]
    assert shop.worth(horizon=1e9)["value"].to_pylist() == endless["value"].to_pylist(), (
        "no further than without end"
    )
    with pytest.raises(InvalidInput, match="not over yet"):
        shop.worth(as_of=date(2026, 5, 2))
    some = shop.worth("orders >= 4")
    assert 0 < some.num_rows < same.num_rows
    with pytest.raises(InvalidInput, match="without end"):
        shop.worth(horizon=math.inf, discount=0.0)
    for nonsense in (-1, "a year", math.nan):
        with pytest.raises(InvalidInput, match="horizon"):
            shop.worth(horizon=nonsense)


def test_a_new_tournament_knows_what_the_run_before_used_unless_that_looked_elsewhere(shop, monkeypatch):
    asked = []

    def held(**how):
        asked.append(how)
        raise Conflict("enough is seen")

    monkeypatch.setattr(sys.modules["shopkeeper.predict.value.forecast"], "forecast", held)
    with shop.places.ledger.read() as reader:
        found = order_days(reader, shop.places.scale)
    elsewhere = SimpleNamespace(
        settings=msgspec.structs.replace(shop.settings, horizon_weeks=13), ledger=shop.places.ledger,
        lake=shop.places.lake, folder=shop.places.folder,
    )  # fmt: skip
    for places in (shop.places, elsewhere):
        with pytest.raises(Conflict):
            foresee(places, found, np.datetime64("2026-05-01"), anew=True)
    assert [how["choice"] for how in asked] == [None, None]
    assert asked[0]["incumbent"].cards
    assert asked[0]["incumbent"].pick == runs.current(shop.places).pick
    assert asked[1]["incumbent"] is None


def test_worth_until_a_day_is_worth_over_as_many_weeks(shop):
    today = date(2026, 5, 1)
    found = shop.worth(until="2026-07-31")
    assert found["value"].equals(shop.worth(horizon=13)["value"])
    assert found.schema.metadata[b"horizon_weeks"] == b"13"
    then = shop.worth(until=today, as_of=date(2026, 4, 24))
    assert then.schema.metadata[b"horizon_weeks"] == b"1", "from the end of as_of"
    for day in (today, today - timedelta(days=1)):
        with pytest.raises(InvalidInput, match=f"{day} is not after 2026-05-01"):
            shop.worth(until=day)
    with pytest.raises(InvalidInput, match="both a horizon and a last day"):
        shop.worth(horizon=13, until="2026-07-31")
    for nonsense in ("soon", datetime(2026, 7, 31, tzinfo=UTC), 13):
        with pytest.raises(InvalidInput, match="until is"):
            shop.worth(until=nonsense)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 4000), min_size=1, max_size=60, unique=True),
    st.integers(0, 60),
    st.integers(1, 9),
)
def test_of_every_day_week_and_month_within_its_time_one_run_stays(ages, weeks, years):
    now = datetime(2026, 5, 1, tzinfo=UTC)
    at = {number: now - timedelta(days=age, hours=number % 5) for number, age in enumerate(ages)}
    stay = runs.kept(at, now, weeks=weeks, years=years)
    for number, moment in at.items():
        age = now - moment
        if age <= timedelta(days=31):
            assert any(at[one].date() == moment.date() for one in stay)
        if age <= timedelta(weeks=weeks):
            assert any(at[one].isocalendar()[:2] == moment.isocalendar()[:2] for one in stay)
        if age > timedelta(days=366 * years) and age > timedelta(weeks=weeks) and age > timedelta(days=31):
            assert number not in stay
    older = [at[one] for one in stay if now - at[one] > max(timedelta(weeks=weeks), timedelta(days=31))]
    assert len({(one.year, one.month) for one in older}) == len(older)


def test_before_a_refresh_there_is_nothing(tmp_path):
    with shopkeeper.create(tmp_path / "shop", now=LAST.isoformat()) as shop:
        with pytest.raises(Conflict):
            shop.value()
        with pytest.raises(NotFound, match="nothing was predicted"):
            shop.predicted()
        assert shop.refresh()
        put(shop, event("Page Viewed", "m", ids={"user_id": "u1"}))
        assert shop.predictions("user_id:u1").points == ()


@pytest.fixture
def leaving(folder, tmp_path):
    """The same shop, restored: something is done to it."""
    with shopkeeper.open(folder) as shop:
        backup = shop.backup(tmp_path / "backup.zip")
    with shopkeeper.restore(backup, tmp_path / "again") as shop:
        yield shop


def rows_of(shop, customers):
    return [
        row
        for run in runs.runs(shop.places)
        for row in pq.read_table(shop.places.folder / "models" / str(run) / runs.PREDICTIONS).to_pylist()
        if row["customer"] in customers
    ]


def test_erasing_a_person_takes_every_row_of_every_id_out_of_every_run_and_backup(leaving):
    number = int(leaving.customer("user_id:u1").id[1:])
    with leaving.places.ledger.read() as reader:
        ids = {number, *reader.aliases([number])}
    assert len(rows_of(leaving, ids)) == 3
    told = leaving.export("user_id:u1")["predicted_earlier"]
    assert [point["merged"] for point in told] == [2, 1]
    before = sum(runs.table(leaving.places, run).num_rows for run in runs.runs(leaving.places))
    saved = leaving.backup()
    receipt = leaving.erase("user_id:u1")
    assert "models" in receipt.places
    assert not rows_of(leaving, ids)
    assert sum(runs.table(leaving.places, run).num_rows for run in runs.runs(leaving.places)) == before - 3
    assert not runs.unsound(leaving.places)
    with shopkeeper.restore(saved, leaving.places.folder.parent / "third") as copy:
        assert not rows_of(copy, ids)
        assert runs.runs(copy.places) == runs.runs(leaving.places)


def test_who_objects_to_profiling_has_no_predictions_earlier_ones_included(leaving):
    number = int(leaving.customer("user_id:u5").id[1:])
    assert len(rows_of(leaving, {number})) == 2
    put(leaving, event("Consent Withdrawn", "no", -1, ids={"user_id": "u5"}, purpose="profiling"))
    assert leaving.predictions("user_id:u5").points == ()
    assert number not in leaving.predicted(FIRST)["customer"].to_pylist()
    assert number not in leaving.worth()["customer"].to_pylist()
    leaving.refresh()
    assert not rows_of(leaving, {number})
    assert leaving.value().total.customers == leaving.predicted().num_rows


def test_how_sure_a_value_is_goes_by_the_distribution_of_its_orders():
    """One around a mean has a mean of its own a little above, and who wanders loses a little where growth slows."""
    mean, amounts = np.array([0.4, 3.0]), GammaGammaFit(
        p=1e12, q=1e12, v=1.0, log_likelihood=0.0, n=2, n_fenced=0, gradient_norm=0.0, converged=True
    )  # fmt: skip

    def sd(future, wander):
        projection = SimpleNamespace(margin_per_order=np.full(2, 10.0))
        learned = SimpleNamespace(learned=Learned(wander=wander))
        return deviation(SimpleNamespace(
            projection=projection, future=future, horizon=40.0, discount=0.0, orders_seen=np.ones(2),
            amounts=amounts, choice=learned,
        ))  # fmt: skip

    floor, spread = np.full(2, 0.02), np.full(2, 1.5)
    around = Around(SteadyFuture(mean, 40.0), floor, spread, np.zeros(2))
    inside = mean + 0.8
    np.testing.assert_allclose(sd(around, Wander()), 10.0 * np.sqrt(inside + inside**2 / 1.5), rtol=1e-5)
    np.testing.assert_allclose(ahead(around, 28 / 40)["orders_28d_variance"], inside + inside**2 / 1.5)
    fit = MBGNBD().fit(frequency=[2, 1, 0, 9], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
    future, wander = fit.future(frequency=[0, 9], recency=[0, 20], T=[20, 20]), Wander(growth=0.3, tested=5.0)
    times = at_levels(40.0, Level(), wander=wander)
    drawn = mixed([future.square(t) for t in times]) - mixed([future.mean(t) for t in times]) ** 2
    np.testing.assert_allclose(sd(future, wander), 10.0 * np.sqrt(drawn), rtol=1e-5)
