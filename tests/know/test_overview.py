"""The overview's figures, on small shops that can be reckoned by hand, and against the fold."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.catalogue import Catalogue, Goods
from shopkeeper.domain.clock import DAY, micros
from shopkeeper.domain.event import parse
from shopkeeper.domain.money import Rates
from shopkeeper.domain.ordering import place
from shopkeeper.domain.report import Report
from shopkeeper.know.fold import fold
from shopkeeper.know.overview import Overview, overview
from shopkeeper.stores.contract.rows import Folded
from shopkeeper.stores.lake import open_lake

AS_OF = datetime(2011, 12, 10, tzinfo=UTC)


def lines(*of):
    keys = ("product_id", "quantity", "amount", "category")
    return [{"price": "1.00", **dict(zip(keys, line, strict=False))} for line in of]


def sale(at, node, products, *, name="Order Completed", discount=0, channel="store", **facts):
    total = sum(line["amount"] for line in products)
    told = {
        "order_id": "",
        "currency": "GBP",
        "store": "S1",
        "amount": total - discount,
        "products": products,
    } | facts
    return name, at, node, channel, told


@pytest.fixture
def shop(tmp_path):
    """Tells a new lake what happened, and asks for its overview."""
    lake = open_lake(tmp_path / "lake")

    def told(
        *events, as_of=AS_OF, currency="GBP", assumed=0.4, top=10, zone="UTC", rates=(), **tables
    ) -> Overview:
        with lake.change() as change:
            if events:
                change.log(logged(events))
            for table, rows in tables.items():
                change.replace(table, pa.Table.from_pylist(rows))
        return overview(
            lake.query,
            as_of=as_of,
            currency=currency,
            assumed_margin=assumed,
            rates=rates,
            time_zone=zone,
            top=top,
        )

    yield told
    lake.close()


def logged(events):
    rows = [
        {
            "seq": seq, "name": name, "version": 1, "source": "", "brand": "", "channel": channel,
            "occurred_at": micros(at), "received_at": 0, "node": node,
            "payload": msgspec.json.encode(parse(name, facts)[0]).decode(),  # as the intake writes it
        }
        for seq, (name, at, node, channel, facts) in enumerate(events, 1)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(rows)


def on(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


PRODUCTS = [
    {"product_id": "a", "name": "Lamp", "category": "Lamps", "unit_cost": 2.0, "kind": "product"},
    {"product_id": "b", "name": "Mug", "category": "Mugs", "unit_cost": None, "kind": "product"},
    {"product_id": "post", "name": "Postage", "category": "", "unit_cost": 1.0, "kind": "postage"},
]


def test_an_empty_shop_has_an_overview(shop):
    empty = shop()
    assert (empty.trade.orders, empty.trade.amount, empty.trade.first) == (0, 0.0, None)
    assert (empty.months, empty.categories, empty.places, empty.channels, empty.most_valuable) == (
        (),
        (),
        (),
        (),
        (),
    )
    assert (empty.states, empty.value_total, empty.value_top_tenth, empty.fading_value) == (
        {},
        None,
        None,
        0.0,
    )
    assert set(Overview.__struct_fields__) <= set(Report.__struct_fields__)


def test_trade_counts_what_was_sold_given_back_and_cancelled(shop):
    seen = shop(
        sale(on("2011-03-01"), 1, lines(("a", 3, 1500), ("b", 1, 1000)), order_id="o1", discount=100),
        sale(on("2011-03-02"), 0, lines(("a", 1, 500)), order_id="o2"),
        sale(on("2011-05-01"), 1, lines(("a", 1, 500)), order_id="o1", name="Order Refunded"),
        sale(on("2011-05-02"), 2, lines(("a", 9, 9900)), order_id="o3"),
        ("Order Cancelled", on("2011-05-03"), 2, "web", {"order_id": "o3"}),
        sale(on("2011-05-04"), 1, lines(("post", 1, 300)), order_id="o1", name="Order Lines Added"),
        products=PRODUCTS,
    )
    assert (seen.trade.orders, seen.trade.returns) == (2, 1)
    assert seen.trade.amount == 24.0 + 5.0 - 5.0 + 3.0
    assert seen.trade.margin == pytest.approx((15 - 6) + 0.4 * 10 - 1 + 3 - (5 - 2) + 2)
    assert (seen.trade.returned, seen.trade.unassigned_amount) == (5.0, 5.0)
    assert (seen.trade.first, seen.trade.last) == (on("2011-03-01"), on("2011-05-02"))
    assert [(month, amount, orders) for month, amount, _, orders in seen.months] == [
        ("2011-03", 29.0, 2), ("2011-04", 0.0, 0), ("2011-05", -2.0, 0),
    ]  # fmt: skip
    assert sum(margin for _, _, margin, _ in seen.months) == pytest.approx(seen.trade.margin)


def test_months_begin_in_the_shop_s_time_zone(shop):
    late = sale(datetime(2011, 3, 31, 23, 30, tzinfo=UTC), 1, lines(("a", 1, 100)))
    assert shop(late, zone="Europe/London").months[0][0] == "2011-04"
    assert shop(zone="UTC").months[0][0] == "2011-03"


def test_rankings_tell_of_a_year_and_of_its_growth(shop):
    seen = shop(
        sale(on("2009-12-01"), 9, lines(("a", 1, 100))),
        sale(on("2010-03-01"), 1, lines(("a", 1, 1000), ("b", 1, 500))),
        sale(on("2011-03-01"), 1, lines(("a", 1, 1500), ("new", 1, 300, "As sold"), ("post", 1, 9000))),
        sale(on("2011-04-01"), 2, lines(("a", 1, 500)), store="S2", order_id="o4"),
        sale(on("2011-04-02"), 2, lines(("a", 1, 500)), store="", channel="web"),
        sale(on("2011-04-03"), 2, lines(("a", 1, 100)), store="S1", order_id="o4", name="Order Refunded"),
        products=PRODUCTS,
        stores=[{"store_id": "S1", "name": "High Street", "city": "Leeds"}],
        identities=[{"node": 1, "customer": 10}, {"node": 2, "customer": 10}],
    )
    first, sold, *rest = seen.categories
    assert (first.name, first.amount, first.orders, first.customers) == ("Lamps", 24.0, 3, 1)
    assert first.growth == pytest.approx(24.0 / 10.0 - 1)
    assert first.share == pytest.approx(24 / 27)
    assert (sold.name, sold.growth) == ("As sold", None)
    assert [(row.name, row.amount, row.growth) for row in rest] == [("Mugs", 0.0, -1.0)]
    assert [(row.name, row.amount, row.extra["place"]) for row in seen.places] == [
        ("High Street", 108.0, "S1"), ("web", 5.0, "web"), ("S2", 4.0, "S2"),
    ]  # fmt: skip
    assert [(row.orders, row.customers) for row in seen.places] == [(1, 1), (1, 1), (1, 1)]


def test_growth_is_not_told_where_the_year_before_is_not_covered(shop):
    seen = shop(
        sale(on("2010-06-01"), 1, lines(("a", 1, 100))), sale(on("2011-06-01"), 1, lines(("a", 1, 900)))
    )
    assert seen.places[0].amount == 9.0
    assert seen.places[0].growth is None


def test_an_old_shop_is_ranked_by_its_last_year(shop):
    seen = shop(sale(on("2011-06-01"), 1, lines(("a", 1, 900))), as_of=on("2026-02-28"))
    assert seen.places[0].amount == 9.0
    assert shop(as_of=datetime(2012, 2, 29, tzinfo=UTC)).places[0].amount == 9.0


def test_amounts_in_other_currencies_are_converted_by_their_day(shop):
    day = micros(on("2011-03-01")) // DAY
    rates = [("EUR", day, 0.8), ("EUR", day + 1, 0.5), ("JPY", day, 0.01)]
    events = [
        sale(on("2010-03-01"), 1, lines(("b", 1, 1000)), currency="EUR"),
        sale(on("2011-03-01") + timedelta(hours=23), 1, lines(("b", 1, 1000)), currency="EUR"),
        sale(on("2011-03-02"), 1, lines(("b", 1, 1000)), currency="EUR"),
        sale(on("2011-03-02"), 1, lines(("b", 1, 1000)), currency="JPY"),
        sale(on("2011-03-02"), 1, lines(("b", 1, 1000)), currency=""),
    ]
    assert shop(*events, rates=rates).trade.amount == pytest.approx(8 + 8 + 5 + 10 + 10)
    unknown = shop(rates=rates[:2]).trade
    assert (unknown.orders, unknown.amount) == (5, pytest.approx(8 + 8 + 5 + 10)), (
        "counted, without an amount"
    )
    assert unknown.margin == pytest.approx(0.4 * unknown.amount)


def test_an_order_told_again_counts_once_and_as_it_was_told_last(shop):
    seen = shop(
        sale(on("2011-03-01"), 1, lines(("b", 1, 1000)), order_id="o1", store="S1"),
        sale(on("2011-03-01"), 1, lines(("b", 1, 50)), order_id="o1", name="Order Lines Added"),
        sale(on("2011-04-01"), 2, lines(("b", 1, 700)), order_id="o1", store="", channel="web"),
        sale(on("2011-04-02"), 2, lines(("b", 1, 30)), order_id="o1", name="Order Lines Added"),
        sale(on("2011-04-03"), 2, [], order_id="o1", name="Order Updated"),
        sale(on("2011-04-01"), 3, lines(("b", 1, 100)), order_id="o1", store="S2"),
        sale(on("2011-04-01"), 0, lines(("b", 1, 10)), order_id="o1", store="S2"),
        sale(on("2011-04-02"), 1, lines(("b", 1, 200)), order_id="o1", name="Order Refunded", store="S9"),
        identities=[{"node": 1, "customer": 10}, {"node": 2, "customer": 10}, {"node": 3, "customer": 11}],
    )
    assert (seen.trade.orders, seen.trade.amount) == (3, 6.4)
    assert [(month, amount, orders) for month, amount, _, orders in seen.months] == [
        ("2011-03", 7.0, 1), ("2011-04", -0.6, 2),
    ]  # fmt: skip
    assert {row.extra["place"]: row.amount for row in seen.places} == {"S1": 5.3, "S2": 1.1}


def test_a_cancelled_order_counts_nowhere_whatever_comes_after_it(shop):
    seen = shop(
        sale(on("2011-03-01"), 1, lines(("b", 1, 1000)), order_id="o1"),
        ("Order Cancelled", on("2011-03-02"), 1, "web", {"order_id": "o1"}),
        sale(on("2011-03-03"), 1, lines(("b", 1, 1000)), order_id="o1", name="Order Refunded"),
        sale(on("2011-03-03"), 2, lines(("b", 1, 500)), order_id="o1"),
    ).trade
    assert (seen.orders, seen.returns, seen.amount, seen.returned) == (1, 0, 5.0, 0.0)


PEOPLE = [
    {"id": n, "orders": 1, "revenue": 10.0 * n, "margin": 4.0 * n, "clv_12m": 10.0 if n == 7 else 1.0,
     "state": "active", "first_order": on("2011-01-05"), "acquisition_channel": "search",
     "store_orders": 1, "web_orders": n % 2}
    for n in range(1, 12)
]  # fmt: skip


def test_value_is_concentrated_in_the_top_tenth(shop):
    seen = shop(customers=[*PEOPLE, {**PEOPLE[0], "id": 99, "clv_12m": None}])
    assert seen.value_total == 20.0
    assert seen.value_top_tenth == pytest.approx(11 / 20)  # two of eleven who have a value
    assert [row.id for row in seen.most_valuable][:3] == ["7", "11", "10"]
    assert seen.most_valuable[0].channels == ("store", "web")
    assert len(shop(top=2).most_valuable) == 2


def test_the_most_valuable_who_fade(shop):
    fading = [{**person, "state": "fading", "clv_12m": float(person["id"])} for person in PEOPLE[:3]]
    seen = shop(customers=fading + PEOPLE[3:])
    assert [row.id for row in seen.fading] == ["3", "2", "1"]
    assert seen.fading_value == 6.0
    assert seen.states == {"active": 8, "fading": 3}


def test_customers_without_predictions_are_ranked_by_margin(shop):
    plain = [
        {key: value for key, value in person.items() if key not in ("clv_12m", "state")} for person in PEOPLE
    ]
    seen = shop(customers=plain)
    assert [row.id for row in seen.most_valuable][:2] == ["11", "10"]
    assert (seen.value_total, seen.states) == (None, {})


def test_channels_say_what_a_customer_cost_and_is_worth(shop):
    people = [
        {**PEOPLE[0], "id": 1, "margin": 30.0, "clv_12m": 10.0},
        {**PEOPLE[0], "id": 2, "margin": 20.0, "clv_12m": None},
        {**PEOPLE[0], "id": 3, "margin": 10.0, "clv_12m": 0.0, "first_order": on("2010-06-01")},
        {**PEOPLE[0], "id": 4, "acquisition_channel": ""},
        {**PEOPLE[0], "id": 5, "orders": 0, "first_order": None},
    ]
    spend = [
        {"month": "2011-01", "channel": "search", "spend": 20.0, "currency": "GBP"},
        {"month": "2011-02", "channel": "search", "spend": 5.0, "currency": "EUR"},
        {"month": "2011-01", "channel": "radio", "spend": 7.0, "currency": ""},
    ]
    seen = shop(customers=people, spend=spend, rates=[("EUR", 0, 2.0)])
    search, unknown, radio = seen.channels
    assert (search.name, search.customers, search.margin, search.extra["expected_12m"]) == (
        "search",
        3,
        60.0,
        10.0,
    )
    assert (search.extra["spend"], search.extra["acquired"], search.extra["cac"]) == (30.0, 2, 15.0)
    assert search.extra["value_to_cac"] == pytest.approx(70 / 3 / 15, abs=0.0001)
    assert (unknown.name, unknown.customers, unknown.extra["cac"]) == ("", 1, None)
    assert (radio.name, radio.customers, radio.extra["spend"], radio.extra["value"]) == (
        "radio",
        0,
        7.0,
        None,
    )
    assert search.share == pytest.approx(30 / 40)


GOODS = Catalogue(
    goods={
        "a": Goods("Lamps", "", 200.0, tangible=True),
        "b": Goods("Mugs", "", None, tangible=True),
        "post": Goods("", "", 100.0, tangible=False),
    },
    rates=Rates("GBP"),
)
LINE = st.tuples(st.sampled_from(["a", "b", "post", "new"]), st.integers(1, 5), st.integers(0, 5000))
NAMES = ["Order Completed", "Order Updated", "Order Refunded", "Order Cancelled", "Order Lines Added"]
ORDER = st.tuples(
    st.integers(0, 70).map(lambda day: 10 * day),
    st.sampled_from(["Order Completed", *NAMES]),
    st.integers(0, 5),
    st.lists(LINE, max_size=3),
    st.sampled_from(["S1", "S2", "web", ""]),
    st.integers(0, 50),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(ORDER, max_size=14))
def test_the_lake_and_the_fold_agree(orders):
    """One customer's record, folded event by event, and the lake's figures for the same log are the same."""
    events, known = [], set()
    for day, name, number, items, store, discount in sorted(
        orders, key=lambda row: (row[0], place(row[1], b""))
    ):
        order_id = f"o{number}"
        facts = {}
        if name in ("Order Refunded", "Order Lines Added") and order_id not in known:
            continue  # what refers to an unknown order is another story
        if name == "Order Completed":
            known.add(order_id)
        elif name == "Order Updated":  # by its amount alone
            facts["amount"] = sum(line["amount"] for line in lines(*items)) - discount
            known |= {order_id} if facts["amount"] else set()
        at = on("2009-12-20") + timedelta(days=day)
        currency = "EUR" if number == 5 else "GBP"
        facts |= {"order_id": order_id, "store": store, "currency": currency}
        sold = [] if name == "Order Updated" else lines(*items)
        events.append(sale(at, 1, sold, name=name, discount=discount, **facts))
    record = fold(
        [
            Folded(1, row["occurred_at"], b"%d" % row["seq"], row["name"], 1, row["channel"], "", 1, "",
                   row["payload"].encode())
            for row in (logged(events).to_pylist() if events else [])
        ],
        GOODS,
    )  # fmt: skip
    assert not record.failed
    assert len(record.days) == len(record.day_margin)
    if record.orders:
        assert sum(record.day_margin) == pytest.approx(record.margin)
    with tempfile.TemporaryDirectory() as folder:
        lake = open_lake(Path(folder))
        with lake.change() as change:
            if events:
                change.log(logged(events))
            change.replace("products", pa.Table.from_pylist(PRODUCTS))
        seen = overview(lake.query, as_of=AS_OF, currency="GBP", assumed_margin=GOODS.assumed_margin)
        lake.close()
    trade = seen.trade
    assert (trade.orders, trade.returns) == (record.orders, record.returns)
    assert (trade.amount, trade.returned) == (record.amount / 100, record.returned / 100)
    assert trade.margin == pytest.approx(record.margin / 100, abs=0.0051)  # shown to the cent
    assert sum(row[1] for row in seen.months) == pytest.approx(trade.amount)
    assert msgspec.json.decode(msgspec.json.encode(seen), type=Overview) == seen


def test_the_lines_of_an_update_count_in_the_margin(shop):
    seen = shop(
        sale(on("2011-03-01"), 1, lines(("a", 3, 1500)), order_id="o1"),
        sale(on("2011-03-02"), 1, lines(("a", 1, 500)), order_id="o1", name="Order Updated"),
        products=PRODUCTS,
    )
    assert (seen.trade.orders, seen.trade.amount, seen.trade.margin) == (1, 5.0, 3.0)
    assert [(row.name, row.amount) for row in seen.categories] == [("Lamps", 5.0)]
