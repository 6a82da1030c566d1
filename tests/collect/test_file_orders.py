"""Order files: lines become orders and returns, exactly, once, whatever the file's order and format."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.conftest import NOW

from shopkeeper.collect.files.door import guess, load
from shopkeeper.domain.clock import instant
from shopkeeper.domain.identifier import Identifier
from shopkeeper.domain.money import line_amount

HEAD = "InvoiceNo,InvoiceDate,StockCode,Description,Quantity,UnitPrice,Customer ID,Country\n"
ROWS = [
    "1,01/12/2009 08:26,p1,Lamp,6,2.55,100,UK",
    "1,01/12/2009 08:26,p2,Cup,2,3.39,100,UK",
    "C2,01/12/2009 09:41,p1,Lamp,-1,2.55,100,UK",
    "1,01/12/2009 08:26,p1,Lamp,6,2.55,100,UK",
    "3,13/12/2009 10:00,p3,Mug,1,-4.00,,UK",
    "3,13/12/2009 10:05,p3,Mug,-2,1.25,,UK",
]


def file_of(rows):
    return HEAD + "".join(row + "\n" for row in rows)


def test_lines_become_orders_and_returns(bring):
    brought = bring(file_of(ROWS), zone="Europe/London")
    told = {event.message_id: event for event in brought.events}
    assert set(told) == {"order:till:1", "refund:till:C2", "order:till:3", "refund:till:3"}
    first = told["order:till:1"]
    assert first.name == "Order Completed"
    assert first.identifiers == (Identifier("user_id", "100"),)
    assert [line.product_id for line in first.properties.products] == ["p1", "p2", "p1"]
    assert [line.amount for line in first.properties.products] == [1530, 678, 1530]
    assert first.properties.amount == 3738
    assert first.properties.country == "UK"
    assert (first.channel, first.properties.store, first.properties.currency) == (
        "",
        "",
        "GBP",
    )  # not known where
    assert instant(first.occurred_at).isoformat() == "2009-12-01T08:26:00+00:00"
    back = told["refund:till:C2"]
    assert (back.name, back.properties.amount) == ("Order Refunded", 255)
    assert (back.properties.products[0].quantity, back.properties.products[0].amount) == (1, 255)
    assert told["order:till:3"].properties.amount == -400
    assert told["refund:till:3"].properties.amount == 250
    assert told["order:till:3"].identifiers == ()


def test_counts_reconcile(bring):
    brought = bring(file_of(ROWS))
    assert [brought.total(f) for f in ("read", "kept", "repeated", "orders", "returns")] == [6, 6, 0, 2, 2]
    exact = Decimal("2.55") * 11 + Decimal("3.39") * 2 - Decimal("4.00") - Decimal("2.50")
    assert Decimal(brought.total("exact_micros")).scaleb(-6) == exact
    assert brought.total("rounded_minor") == int(exact * 100)


def test_the_same_file_twice_adds_nothing(bring):
    first = bring(file_of(ROWS))
    again = bring(file_of(random.Random(1).sample(ROWS, len(ROWS))), "again.csv")
    assert len(first.events) == 4
    assert again.events == []
    assert [again.total(f) for f in ("read", "kept", "repeated", "orders", "exact_micros")] == [6, 0, 6, 0, 0]


def test_the_same_lines_in_another_format_add_nothing(bring, tmp_path):
    bring(file_of(ROWS))
    cells = [row.split(",") for row in ROWS]
    times = ["2009-12-01T08:26:00Z"] * 2 + ["2009-12-01T09:41:00Z", "2009-12-01T08:26:00Z"]
    times += ["2009-12-13T10:00:00Z", "2009-12-13T10:05:00Z"]
    table = pa.table(
        {
            "order_id": [c[0] for c in cells],
            "ts": pa.array(times).cast(pa.timestamp("us", "UTC")),
            "product_id": [c[2] for c in cells],
            "quantity": [float(c[4]) for c in cells],
            "unit_price": pa.array([Decimal(c[5]) for c in cells], pa.decimal128(12, 3)),
            "email": [None] * 6,
        }
    )
    pq.write_table(table, tmp_path / "orders.parquet")
    assert bring(tmp_path / "orders.parquet").total("repeated") == 6


def test_true_duplicates_in_a_file_stay_and_one_more_of_them_is_new(bring):
    line = "7,01/12/2009 08:26,p1,Lamp,1,2.00,100,UK"
    assert bring(file_of([line, line, line])).events[0].properties.amount == 600
    more = bring(file_of([line] * 4), "more.csv")
    assert [more.total(f) for f in ("kept", "repeated", "orders")] == [1, 3, 1]
    (event,) = more.events
    assert event.name == "Order Lines Added"
    assert event.message_id.startswith("order:till:7:")
    assert event.properties.amount == 200


def test_later_lines_of_a_known_order_are_added_and_a_later_return_is_a_refund(bring):
    bring(file_of(ROWS[:2]))
    later = bring(file_of([*ROWS[:2], "1,02/12/2009 12:00,p1,Lamp,-1,2.55,100,UK"]), "later.csv")
    (refund,) = later.events
    assert (refund.name, refund.message_id) == ("Order Refunded", "refund:till:1")
    again = bring(file_of([*ROWS[:2], "1,03/12/2009 12:00,p1,Lamp,-1,2.55,100,UK"]), "again.csv")
    (second,) = again.events
    assert second.message_id.startswith("refund:till:1:")
    assert [again.total(f) for f in ("kept", "repeated", "returns", "orders")] == [1, 2, 1, 0]
    only_back = bring(file_of(["9,03/12/2009 12:00,p1,Lamp,-1,2.55,,UK"]), "back.csv")
    assert only_back.events[0].message_id == "refund:till:9"
    sold = bring(file_of(["9,02/12/2009 12:00,p1,Lamp,1,2.55,,UK"]), "sold.csv")
    assert (sold.events[0].name, sold.events[0].message_id) == ("Order Completed", "order:till:9")


def test_an_identity_that_was_filled_in_later_is_no_new_line(bring):
    bring(file_of(["3,13/12/2009 10:00,p3,Mug,1,4.00,,UK"]))
    assert bring(file_of(["3,13/12/2009 10:00,p3,Mug,1,4.00,100,UK"]), "b.csv").total("repeated") == 1


def test_the_same_number_from_another_source_is_another_order(bring):
    bring(file_of(ROWS))
    assert len(bring(file_of(ROWS), source="web").events) == 4


def test_what_was_not_taken_is_not_remembered(tmp_path, memory):
    path = tmp_path / "orders.csv"
    path.write_text(file_of(ROWS))
    how = {"source": "till", "now": NOW, "zone": "UTC", "currency": "GBP", "lines": memory}
    batches = load(path, guess=guess(path), **how)
    first = next(batches)
    batches.close()
    assert memory.lines == {}
    (again,) = load(path, guess=guess(path), **how)
    assert [e.message_id for e in again.events] == [e.message_id for e in first.events]
    assert len(memory.lines) == 3


def test_stores_channels_people_and_weights(bring):
    head = "receipt no;date;article;menge;preis;filiale;kundenkarte;card token;e-mail;staff;coupon;currency\n"
    rows = [
        "1;1.12.2009;p1;0,352;9,99;S1;LC1;tok1;anna@example.com;st-4;SPRING;EUR",
        "1;1.12.2009;p2;1;2,00;S1;LC1;;;st-4;;EUR",
        "2;1.12.2009;p1;1;1000;Web;;;b@example.com;;;JPY",
        "3;1.12.2009;p1;1;5,00;;;;;;;EUR",
        "4;1.12.2009;p1;1;5,00;S1;;;;;;EUR",
        "4;1.12.2009;p1;1;5,00;S1;;;;;;USD",
    ]
    brought = bring(head + "\n".join(rows) + "\n")
    told = {event.properties.order_id: event for event in brought.events}
    first = told["1"]
    assert (first.channel, first.properties.store, first.properties.staff_id) == ("store", "S1", "st-4")
    assert (first.properties.coupon, first.properties.currency) == ("SPRING", "EUR")
    assert [line.quantity for line in first.properties.products] == [0.352, 1]
    assert [line.amount for line in first.properties.products] == [352, 200]
    assert {i.kind: i.value for i in first.identifiers} == {
        "loyalty_card": "LC1", "payment_token": "tok1", "email": "anna@example.com",
    }  # fmt: skip
    assert (told["2"].channel, told["2"].properties.store, told["2"].properties.amount) == (
        "web",
        "web",
        1000,
    )
    assert (told["3"].channel, told["3"].properties.store) == ("", "")
    assert brought.reasons == {7: "mixed_currency"}
    assert [(b.currency, b.read) for b in brought.batches if b.events] == [("EUR", 4), ("JPY", 1)]


def test_line_totals_serve_where_there_is_no_unit_price(bring):
    head = "order id,date,product,quantity,line total\n"
    brought = bring(head + "1,2011-12-09,p1,3,10.00\n2,2011-12-09,p1,-1,3.33\n")
    line = brought.events[0].properties.products[0]
    assert (line.price, line.amount) == (Decimal("3.333333"), 1000)
    assert brought.total("exact_micros") == 10_000_000 - 3_330_000
    assert any("no sign" in note for note in brought.notes)


def test_account_numbers_that_became_floats_are_put_right(bring):
    brought = bring(
        file_of(["1,01/12/2009 08:26,p1,Lamp,1,2,13085.0,UK", "2,01/12/2009 08:26,p1,Lamp,1,2,,UK"])
    )
    assert brought.events[0].identifiers == (Identifier("user_id", "13085"),)
    assert any("13085.0" in note for note in brought.notes)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "2", "C3"]),
            st.sampled_from(["2009-12-01 08:26", "2009-12-02"]),
            st.sampled_from(["p1", "p2"]),
            st.integers(-2, 3).filter(bool),
            st.decimals(-5, 5, places=3),
        ),
        min_size=1,
        max_size=30,
    ),
    st.data(),
)
def test_however_a_file_is_cut_and_repeated_the_same_lines_are_there(tmp_path, rows, data):
    """Any overlapping parts of a history, in any order of rows, bring each line as often as the fullest part has it."""
    from tests.collect.conftest import Memory

    parts = [rows, *(data.draw(st.lists(st.sampled_from(rows), min_size=1)) for _ in range(2))]
    parts = data.draw(st.permutations([*parts, data.draw(st.permutations(rows))]))
    memory, kept, lines = Memory(), 0, Counter()
    expected: Counter = Counter()
    for part in parts:
        out = io.StringIO(newline="")
        csv.writer(out).writerows([["order_id", "date", "product_id", "quantity", "unit_price"], *part])
        path = tmp_path / "orders.csv"
        path.write_text(out.getvalue(), newline="")
        for batch in load(
            path, guess=guess(path, "orders"), source="s", now=NOW, zone="UTC", currency="GBP", lines=memory
        ):
            kept += batch.kept
            assert batch.read == batch.kept + batch.repeated
            for event in batch.events:
                sign = -1 if event.name == "Order Refunded" else 1
                for line in event.properties.products:
                    lines[
                        event.properties.order_id.split(" ")[0],
                        line.product_id,
                        sign * line.quantity,
                        line.price,
                    ] += 1
                    assert line.amount == sign * line_amount(line.price, sign * line.quantity, "GBP")
        expected |= Counter(part)
    assert kept == sum(expected.values())
    by_value: Counter = Counter()
    for (order, _, product, quantity, price), count in expected.items():
        by_value[order, product, quantity, price.normalize() + 0] += count
    assert Counter({(o, p, q, x.normalize() + 0): n for (o, p, q, x), n in lines.items()}) == by_value


def test_the_real_orders_reconcile(test_data, memory):
    path = test_data / "online_retail_II.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not there; set SHOPKEEPER_TEST_DATA to the folder with it")
    totals: Counter = Counter()
    seen = guess(path)
    assert seen.kind == "orders"
    for batch in load(
        path, guess=seen, source="till", now=NOW, zone="Europe/London", currency="GBP", lines=memory
    ):
        for field in ("read", "kept", "repeated", "orders", "returns", "exact_micros"):
            totals[field] += getattr(batch, field)
        totals["events"] += len(batch.events)
    assert totals == {
        "read": 1_044_847, "kept": 1_044_847, "repeated": 0, "orders": 41_944, "returns": 11_684,
        "exact_micros": 18_909_744_118_000, "events": 53_628,
    }  # fmt: skip
