"""The table of customers by condition: the lake, and the ledger for those whom the lake does not tell of yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import log, sqrt
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.conditions import DAY, TODAY, TRAITS, conditions, nowadays
from tests.events import NOW, event, order, put
from tests.small_shops import SmallShop, found

from shopkeeper.domain.actor import Actor
from shopkeeper.domain.condition import check
from shopkeeper.domain.condition.profiling import of_those_who_do_not_object
from shopkeeper.domain.errors import (
    BadCondition,
    Conflict,
    InvalidInput,
    NotPermitted,
    TookTooLong,
    UnknownName,
)
from shopkeeper.domain.patience import waiting
from shopkeeper.domain.size import Amounts, difference, proportion, total
from shopkeeper.know.segments import Question, totals
from shopkeeper.predict.traits import TRAITS as FORETOLD
from shopkeeper.shop import asking
from shopkeeper.shop.narrowing import narrowed

PREDICTED = {trait.name for trait in FORETOLD}


def without_predictions(tree):
    """Whether a refresh does not change the answer by itself, and no segment is asked for."""
    understood = check(tree, TRAITS)
    return not understood.traits & PREDICTED and not understood.segments


def ids(table):
    return table["id"].to_pylist()


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(conditions.filter(without_predictions), min_size=12, max_size=12), st.integers(10, 99), nowadays
)
def test_what_happened_since_the_refresh_counts_as_if_the_lake_knew_it(trees, seed, now):
    small = SmallShop(seed, draws_traits=False)
    solo, then = {"anonymous_id": "solo"}, TODAY * DAY - NOW
    put(small.shop, order("o9", then - DAY, ids=solo), event("Product Viewed", "v9", then, ids=solo))
    small.shop.refresh()
    shop, at = small.shop, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)
    # New customers, late events, cancellations, and two customers who turn out to be one.
    small.put(small.draw(customer) for customer in (0, 1, 2, 3, 50, 51) for _ in range(6))
    put(shop, event("Page Viewed", "both", then, ids={"user_id": "u4", **solo}))
    texts = [check(tree, TRAITS).text for tree in trees]
    ahead = [shop.customers(text, columns=["orders", "revenue"], as_of=at) for text in texts]
    sizes = [shop.size(text, as_of=at).customers for text in texts]
    shop.refresh()
    for text, before, size in zip(texts, ahead, sizes, strict=True):
        assert (
            before.to_pylist() == shop.customers(text, columns=["orders", "revenue"], as_of=at).to_pylist()
        ), text
        assert size == before.num_rows, text
    shop.close()


@pytest.fixture
def asked():
    shop = found()
    then = TODAY * DAY - NOW
    put(shop, *(order(f"o{n}", then - n * DAY, ids={"anonymous_id": f"b{n}"}) for n in range(1, 6)))
    shop.refresh()
    yield shop
    shop.close()


def test_the_table_has_the_wanted_columns_and_says_as_of(asked):
    table = asked.customers("orders >= 1", columns=["orders", "days_since_order"], limit=2)
    assert table.schema.names == ["id", "orders", "days_since_order"]
    assert table.num_rows == 2
    assert table.schema.metadata == {
        b"as_of": asked.clock.now().isoformat().encode(),
        b"condition": b"orders >= 1",
    }
    assert ids(asked.customers("orders >= 1", after=ids(table)[-1])) == ids(asked.customers())[2:]


def test_days_that_pass_are_as_of_then(asked):
    later = asked.clock.now() + timedelta(days=30)
    now, then = (
        asked.customers("orders > 0", columns=["days_since_order"], as_of=at) for at in (None, later)
    )
    assert [n + 30 for n in now["days_since_order"].to_pylist()] == then["days_since_order"].to_pylist()


def test_a_customer_merged_into_another_is_gone_from_the_answer(asked):
    before = ids(asked.customers("orders >= 1"))
    put(
        asked, *(event("Page Viewed", f"m{n}", ids={"user_id": "u", "anonymous_id": f"b{n}"}) for n in (1, 2))
    )
    after = asked.customers("orders >= 1", columns=["orders"])
    assert len(before) == 5
    assert sorted(after["orders"].to_pylist()) == [1, 1, 1, 2]
    assert asked.size("orders = 2").customers == 1


def test_who_objects_to_profiling_meets_no_condition_and_has_no_predictions(asked):
    who = {"anonymous_id": "b1"}
    one = asked.customer("b1").id
    assert asked.customer("b1").traits["p_alive"] is not None

    def objecting():
        table = asked.customers().to_pylist()
        return [f"c{row['id']}" for row in table if row["p_alive"] is None]

    put(asked, event("Consent Withdrawn", "no", TODAY * DAY - NOW, ids=who, purpose="profiling"))
    named = {row.id for row in asked.report().most_valuable}
    assert (one in named, len(named)) == (False, 4)
    for _ in ("told by the ledger", "and by the lake"):
        assert f"{one}" not in [f"c{n}" for n in ids(asked.customers("true"))]
        assert asked.customers("orders >= 1 or objects_to_profiling or not (orders > 1)").num_rows == 4
        assert (
            asked.size("true").customers,
            asked.size("true").of,
            asked.size("true", estimate=True).of,
        ) == (4, 5, 5)
        assert objecting() == [one]
        assert asked.customer("b1").traits["p_alive"] is None
        asked.refresh()
    assert asked.size("true", estimate=True).customers == 4
    put(asked, event("Consent Given", "yes", TODAY * DAY - NOW + 1, ids=who, purpose="profiling"))
    assert asked.size("true").customers == 5


def test_where_too_many_changed_the_lake_alone_is_asked(asked, monkeypatch):
    put(asked, order("new", ids={"user_id": "new"}))
    assert asked.size("orders >= 1").customers == 6
    monkeypatch.setattr(asking, "MOST_CHANGED", 0)
    assert asked.size("orders >= 1").customers == 5
    who = {"anonymous_id": "b1"}
    put(asked, event("Consent Withdrawn", "no", TODAY * DAY - NOW, ids=who, purpose="profiling"))
    assert asked.size("orders >= 1").customers == 4, "an objection is heard at once"
    assert asked.customers("orders >= 1").num_rows == 4
    without = [f"c{row['id']}" for row in asked.customers().to_pylist() if row["p_alive"] is None]
    assert without == [asked.customer("b1").id]


def test_what_cannot_be_asked_is_said(asked, shop):
    with pytest.raises(BadCondition, match="ordres"):
        asked.customers("ordres > 1")
    with pytest.raises(UnknownName, match="ordres"):
        asked.customers("orders > 1", columns=["ordres"])
    with pytest.raises(BadCondition, match="vip"):
        asked.customers("segment('vip')")
    with pytest.raises(InvalidInput, match="time zone"):
        asked.size("orders > 1", as_of=datetime(2025, 1, 1))
    with pytest.raises(InvalidInput, match="limit"):
        asked.customers("orders > 1", limit=-1)
    with pytest.raises(Conflict, match="asked about"):
        shop.customers("orders > 1")
    for verb in (
        asked.as_actor(Actor("u1", "associate")).customers,
        asked.as_actor(Actor("u1", "associate")).size,
    ):
        with pytest.raises(NotPermitted):
            verb("orders > 1")


@pytest.mark.parametrize(
    "text",
    [
        "country = 'x''; DROP TABLE customers; --'",
        "country in ('$p0', ''') OR 1=1 --', '{joins}', '\\', 'a\nb')",
        "country like '%''%' or has(looked_not_bought, '\"; SELECT 1')",
        "events(custom('x'') UNION SELECT 1 --')) > 0 or events('Product Viewed', category => '''}') > 0",
    ],
)
def test_texts_of_a_condition_are_only_ever_values(asked, text):
    assert asked.customers(text).num_rows == 0
    assert asked.size(f"not ({text})").of == 5


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/Sao_Paulo"])
def test_what_is_far_or_deep_has_a_defined_answer(asked, zone):
    deep = "(" * 15 + "orders" + ")" * 15
    chain = " + ".join(["revenue / (margin - margin)"] * 50)
    days = "last_order" + " - interval '1 year'" * 99
    for text, number in (
        (f"{deep} > 0", 5),
        (f"({chain}) is null", 5),
        (f"{days} is null or {days} < today()", 5),
        ("1 / (1 / (1 / (1 / (1 / (1 / (orders - orders)))))) is null", 5),
        (" and ".join(["orders >= 1"] * 400), 5),
        ("orders in (" + ", ".join(map(str, range(900))) + ")", 5),
    ):
        assert asked.size(text).customers == number, text[:60]


def amounts(values) -> Amounts:
    some = [value for value in values if value > 0]
    roots = [(sqrt(value), log(value)) for value in some]
    return Amounts(
        len(some), sum(some), sum(v * v for v in some), sum(r for r, _ in roots),
        sum(r * one for r, one in roots), sum(r * one * one for r, one in roots),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("draw", "least"), [(lambda c: c.paretovariate(1.8), 0.93), (lambda c: c.lognormvariate(0, 1.5), 0.93)]
)
def test_the_intervals_hold_the_truth_about_as_often_as_they_say(draw, least):
    chance = Random(3)
    people = [(chance.random() < 0.03, draw(chance)) for _ in range(5_000)]
    true = sum(kept for kept, _ in people), sum(value for kept, value in people if kept)
    hits = [0, 0]
    for _ in range(200):
        drawn = chance.sample(people, 500)
        low, high = proportion(sum(kept for kept, _ in drawn), 500, 5_000)
        hits[0] += low * 5_000 <= true[0] <= high * 5_000
        seen, everybody = (amounts(v for kept, v in drawn if kept or every) for every in (False, True))
        low, high = total(seen, everybody, 500, 5_000)
        hits[1] += low <= true[1] <= high
    assert hits[0] >= 0.92 * 200
    assert hits[1] >= least * 200


@given(
    st.lists(st.floats(0.01, 1e6), min_size=1, max_size=30),
    st.integers(0, 30),
    st.integers(31, 10_000),
)
def test_an_interval_of_money_holds_its_estimate_and_all_that_was_seen(values, inside, of):
    seen, everybody = amounts(values[:inside]), amounts(values)
    low, high = total(seen, everybody, len(values), of)
    assert seen.total * (1 - 1e-9) <= low
    assert low <= max(seen.total * of / len(values), seen.total) * (1 + 1e-9)
    assert high >= seen.total * of / len(values) * (1 - 1e-9)
    more, less = (seen.total, low, high), (1.0, 0.5, 3.0)
    least, most = difference(more, less)
    assert least <= seen.total - 1.0 <= most or high < seen.total


def test_nobody_drawn_is_not_nothing():
    low, high = total(Amounts(), amounts([10.0] * 40), 1_000, 50_000)
    assert low == 0.0
    assert 0.0 < high < 400.0 * 50


def test_the_lake_tells_of_amounts_what_they_come_to(asked):
    put(asked, order("again", TODAY * DAY - NOW - DAY // 2, ids={"anonymous_id": "b1"}))
    asked.refresh()
    everybody = asked.customers(columns=["clv_12m", "orders"]).to_pylist()
    declared = {trait.name: trait for trait in asked.traits()}
    with asked.places.ledger.read() as reader:
        setting = asking.setting_of(asked.places, reader, declared)
    question = totals(check("orders >= 2", declared), setting, amounts=True)
    (row,) = asked.places.lake.query(question.sql, question.parameters).to_pylist()
    for whose, some in (("", [one for one in everybody if one["orders"] >= 2]), ("all_", everybody)):
        for way, sign in (("more", 1), ("less", -1)):
            told = amounts(sign * (one["clv_12m"] or 0.0) for one in some)
            for name, value in structs.asdict(told).items():
                assert row[f"{whose}{way}_{name}"] == pytest.approx(value)
                assert type(row[f"{whose}{way}_{name}"]) is float
    assert row["all_more_count"] > 0


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("orders() >= 2", "say since when in orders(), such as days => 365"),
        ("events('Product Viewed', days => 30) > 3", "with a trait that few have"),
        ("orders >= 2 and spend(days => 90) > 10", "shorten the time"),
        (None, "ask from Python"),
    ],
)
def test_whoever_waits_no_longer_is_told_what_to_narrow(text, hint):
    condition = None if text is None else of_those_who_do_not_object(check(text, TRAITS))
    with pytest.raises(TookTooLong, match="too long") as refused, narrowed(condition):
        raise TookTooLong("too long")
    assert hint in refused.value.hint


def test_a_count_is_not_waited_for_longer_than_whoever_asks_will(asked, monkeypatch):
    endless = Question(
        "SELECT count(*) AS n FROM range(100000000000) AS a, range(1000) AS b WHERE a.range % 7 = b.range", {}
    )
    with monkeypatch.context() as slow, waiting(0.2):
        slow.setattr(asking, "totals", lambda *_, **__: endless)
        for options in ({}, {"estimate": True}):
            with pytest.raises(TookTooLong) as refused:
                asked.size("orders() >= 1", **options)
            assert "say since when in orders()" in refused.value.hint
    assert asked.size("orders() >= 1").customers == 5
