"""Derived facts, on a shop small enough to be told by hand; and columns as the lake has them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from tests.know.insight.test_channels import told
from tests.know.insight.worlds import lake_of, trait
from tests.know.test_overview import lines, on, sale

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.know.insight.comparison import compare
from shopkeeper.know.insight.derived import DEEDS, LABELS, derived
from shopkeeper.know.insight.people import Lists, People


def pairs(people, **more):
    """Each derived fact as sorted (customer, level)."""
    return {
        key: sorted(
            (int(people.ids[row]), lists.levels[code])
            for row, code in zip(lists.rows, lists.codes, strict=True)
        )
        for key, lists in derived(people, currency="GBP", **more)
    }


def test_facts_are_those_of_what_happened():
    lamp, mug, gift = ("a", 1, 900, "Lamps"), ("b", 1, 300, "Mugs"), ("c", 1, 100, "Gifts")
    events = [
        # Customer 1: a mug and a lamp first, in a store on a Saturday afternoon; then online on two Sunday evenings.
        sale(on("2011-09-03T15:00:00"), 1, lines(mug, lamp), order_id="o1"),
        sale(on("2011-09-11T19:30:00"), 1, lines(gift), order_id="o2", channel="web", store=""),
        sale(on("2011-09-18T20:30:00"), 1, lines(gift), order_id="o3", channel="web", store=""),
        sale(on("2011-09-20"), 1, lines(mug), order_id="o1", name="Order Refunded"),
        # Customer 2: an order called off, and one from a file that knows days only.
        sale(on("2011-09-05T10:00:00"), 2, lines(gift), order_id="o4"),
        sale(on("2011-09-06T10:00:00"), 2, lines(), order_id="o4", name="Order Cancelled", amount=0),
        sale(on("2011-09-07"), 2, lines(mug), order_id="o5", store="S2"),
        # Customer 3 looks and clicks; a machine opens mail; the shop's own mail is nobody's deed.
        ("Product Viewed", on("2011-09-08"), 3, "web", {"product_id": "a", "category": "Lamps"}),
        ("Email Link Clicked", on("2011-09-08"), 3, "email", {"campaign_id": "autumn"}),
        ("Email Opened", on("2011-09-08"), 2, "email", {"machine": True}),
        ("Email Delivered", on("2011-09-08"), 1, "email", {"campaign_id": "autumn"}),
        ("Social Post Liked", on("2011-09-09"), 1, "social", {}),
    ]
    with told(events, 4) as people:
        seen = pairs(people)
        assert set(seen) == set(LABELS)
        assert seen["bought"] == [(1, "Gifts"), (1, "Lamps"), (1, "Mugs"), (2, "Mugs")]
        assert seen["bought_first"] == [(1, "Lamps"), (2, "Mugs")], "of one order, what weighs most"
        assert seen["bought_at"] == [(1, "S1"), (1, "web"), (2, "S2")]
        assert seen["weekday"] == [(1, "Sunday"), (2, "Wednesday")]
        assert seen["daypart"] == [(1, "evening")], "midnight sharp tells a day, not an hour"
        assert seen["channel"] == [(1, "social"), (3, "email"), (3, "web")]
        assert seen["looked_at"] == [(3, "Lamps")]
        assert seen["clicked"] == [(3, "autumn")]
        for key, levels in seen.items():
            assert pairs(people, only={key}) == {key: levels}, "asked of alone, which may be another question"
        assert pairs(people, time_zone="Asia/Tokyo")["weekday"] == [(1, "Monday"), (2, "Wednesday")]
    assert "Email Delivered" not in DEEDS


def test_columns_come_as_numbers_texts_and_lists():
    at = datetime(1970, 1, 11, 12, tzinfo=UTC)
    columns = {
        "n": ("int", [3, None, 0]), "yes": ("bool", [True, False, None]), "when": ("time", [at, None, at]),
        "word": ("text", ["b", "", None]), "words": ("texts", [["x", "y"], [], None]),
    }  # fmt: skip
    with lake_of(columns) as (lake, people):
        order = people.rows([1, 2, 3])
        assert order.min() == 0
        assert people.rows([99]).tolist() == [-1]
        number = people.column("n")
        assert np.isnan(number[1])
        assert (number[0], number[2]) == (3.0, 0.0)
        assert people.column("yes")[:2].tolist() == [1.0, 0.0]
        assert people.column("when")[0] == 10.5
        assert people.column("word").codes.tolist() == [0, -1, -1]
        listed = people.column("words")
        assert isinstance(listed, Lists)
        assert listed.rows.tolist() == [0, 0]
        assert [listed.levels[code] for code in listed.codes] == ["x", "y"]
        assert People(lake.query, [trait("absent", "int")]).traits == ()


def test_an_engine_may_hand_rows_out_in_any_order():
    with lake_of({"a": ("float", np.arange(500.0))}) as (lake, people):
        draw = np.random.default_rng(1)

        def shuffled(sql, parameters=None):
            table = lake.query(sql, parameters)
            return table.take(pa.array(draw.permutation(table.num_rows)))

        other = People(shuffled, people.traits)
        expected = dict(zip(people.ids.tolist(), people.column("a").tolist(), strict=True))
        assert dict(zip(other.ids.tolist(), other.column("a").tolist(), strict=True)) == expected


def test_a_table_that_changes_or_tells_twice_is_refused():
    with lake_of({"a": ("float", np.arange(5.0))}) as (lake, people):

        def shrunk(sql, parameters=None):
            table = lake.query(sql, parameters)
            return table.slice(0, 3) if '"a"' in sql else table

        with pytest.raises(InvalidInput, match="changed while it was read"):
            People(shrunk, people.traits).column("a")
        with lake.change() as change:
            change.replace("customers", pa.table({"id": pa.array([1, 1], pa.int64())}))
        with pytest.raises(InvalidInput, match="tells of somebody twice"):
            People(lake.query, ())


def test_what_tells_of_our_knowledge_is_left_out_unless_asked_for():
    columns = {"events": ("int", list(range(100))), "reach": ("int", list(range(100)))}
    with lake_of(columns) as (_, people):
        group = people.column("events") >= 50
        assert {fact.about for fact in compare(people, group).facts} == {"reach"}
        assert {fact.about for fact in compare(people, group, without=()).facts} == {"reach", "events"}
        assert compare(people, group, definition={"events"}).facts == ()


def test_in_the_sample_shop_the_best_customers_have_much_in_common(sample_shop):
    people = People(sample_shop.query, sample_shop.traits())
    facts = list(derived(people, currency="GBP", time_zone="Europe/London"))
    assert pairs(people, only={"bought_first"})["bought_first"] == pairs(people)["bought_first"]
    value = people.column("clv_12m")
    told_ = compare(people, value >= np.nanquantile(value, 0.8), derived=facts, definition={"clv_12m"})
    assert told_.tested > 50
    assert any("known usual gap" in sentence for sentence in told_.headlines(40)), "they come back"
    assert {"clv_12m", "expected_orders_12m"} <= {fact.about for fact in told_.by_definition}
    for fact in told_.facts:
        assert fact.low <= fact.difference <= fact.high
        assert (fact.certain == 0) == (fact.low <= 0 <= fact.high)
        assert fact.q <= 0.05
        assert abs(fact.effect) >= 0.1
