"""Receipt numbers that repeat, and orders whose further lines leave blank what the first one told."""

from __future__ import annotations

import random

import pytest

from shopkeeper.collect.files.door import guess

HEAD = "receipt no,date,sku,quantity,price,store,email\n"
TILL = [
    "7,2014-03-01 10:00,A,1,2.00,S1,y1@example.com",
    "7,2014-03-02 11:00,B,1,3.00,S1,y2@example.com",
    "7,2014-03-02 11:00,C,1,4.00,S2,y3@example.com",
]


def file_of(*rows):
    return HEAD + "".join(row + "\n" for row in rows)


def told(brought):
    return {
        event.message_id: (
            [one.value for one in event.identifiers],
            [line.sku for line in event.properties.products],
            event.properties.store,
        )
        for event in brought.events
    }


def test_a_number_of_other_stores_days_and_people_is_as_many_orders(bring):
    brought = bring(file_of(*TILL))
    assert told(brought) == {
        "order:till:7": (["y1@example.com"], ["A"], "S1"),
        "order:till:7 S1 2014-03-02": (["y2@example.com"], ["B"], "S1"),
        "order:till:7 S2 2014-03-02": (["y3@example.com"], ["C"], "S2"),
    }
    assert len({event.properties.order_id for event in brought.events}) == 3
    assert brought.notes == ["receipt numbers repeat: 1 were taken apart by store, day or customer"]
    assert [brought.total(f) for f in ("read", "kept", "orders")] == [3, 3, 3]


@pytest.mark.parametrize("seed", range(4))
def test_what_was_taken_apart_is_known_when_it_comes_again(bring, seed):
    bring(file_of(*TILL))
    again = bring(file_of(*random.Random(seed).sample(TILL, 3)), "again.csv")
    assert (again.events, again.total("repeated")) == ([], 3)
    for row in TILL:
        assert bring(file_of(row), "one.csv").total("repeated") == 1


def test_a_number_that_repeats_in_a_later_file_is_another_order(bring):
    bring(file_of("55,2014-03-01,A,1,2.00,,x1@example.com"))
    later = bring(file_of("55,2014-05-01,A,1,9.00,,x2@example.com"), "later.csv")
    assert told(later) == {"order:till:55 2014-05-01": (["x2@example.com"], ["A"], "")}
    more = bring(file_of("55,2014-05-01,B,1,1.00,,x2@example.com"), "more.csv")
    assert [event.name for event in more.events] == ["Order Lines Added"]
    assert more.events[0].properties.order_id == "55 2014-05-01"


def test_two_people_on_one_receipt_of_one_day_are_linked_to_nobody_else(bring):
    rows = [
        f"7,2014-03-01,{sku},1,2.00,S1,{who}@example.com"
        for sku, who in zip("ABC", ("x", "y", "z"), strict=True)
    ]
    people = sorted(found for found, _, _ in told(bring(file_of(*rows))).values())
    assert people == [["x@example.com"], ["y@example.com"], ["z@example.com"]]
    assert bring(file_of(*reversed(rows)), "again.csv").events == []


def test_the_same_person_on_two_days_and_spelled_in_two_ways_is_one_order(bring):
    rows = ["7,2014-03-01,A,1,2.00,,Anna@Example.com", "7,2014-03-02,B,1,2.00,,anna@example.com"]
    brought = bring(file_of(*rows))
    assert [event.message_id for event in brought.events] == ["order:till:7"]
    assert brought.notes == []


def test_days_are_those_of_the_shop(bring):
    rows = ["7,2014-03-01T22:30:00Z,A,1,2.00,S1,", "7,2014-03-01T23:30:00Z,B,1,2.00,S1,"]
    assert len(bring(file_of(*rows), zone="Europe/London").events) == 1
    assert len(bring(file_of(*rows), zone="Europe/Berlin", source="other").events) == 2


def test_what_is_brought_back_elsewhere_or_later_belongs_to_its_order(bring):
    rows = ["7,2014-03-01,A,2,2.00,S1,a@example.com", "7,2014-03-09,A,-1,2.00,S2,a@example.com"]
    assert told(bring(file_of(*rows))) == {
        "order:till:7": (["a@example.com"], ["A"], "S1"),
        "refund:till:7": (["a@example.com"], ["A"], "S2"),
    }
    assert bring(file_of(*rows), "again.csv").events == []


@pytest.mark.parametrize("seed", range(30))
def test_however_receipts_repeat_each_line_comes_once_and_no_two_people_meet(bring, seed):
    """Parts of a history in which numbers, stores, days and people vary freely, as several files in any order."""
    draw = random.Random(seed)
    stores, people = draw.choice([["S1"], ["S1", "S2"]]), draw.choice([[""], ["a", "b"], ["", "a", "b"]])
    rows = [
        f"{draw.choice('12')},{draw.choice(['2014-03-01 10:00', '2014-03-02', '2014-03-03'])},{draw.choice('AB')},"
        f"{draw.choice([-1, 1, 2])},2.00,{draw.choice(stores)},"
        f"{(who := draw.choice(people)) and who + '@example.com'}"
        for _ in range(draw.randint(1, 14))
    ]
    parts = [rows, draw.sample(rows, len(rows)), draw.sample(rows, len(rows))]
    brought = [bring(file_of(*part), f"{number}.csv", kind="orders") for number, part in enumerate(parts)]
    assert [one.total("kept") for one in brought] == [len(rows), 0, 0]
    assert all(len(event.identifiers) < 2 for event in brought[0].events)


SHOP_HEAD = (
    "Name,Email,Currency,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,"
    "Phone,Id\n"
)
SHOP_ROWS = (
    "#1001,a@example.com,EUR,36.14,2014-01-01 15:00:00 +0100,2,Tea,15.62,A034,,5500000\n"
    "#1002,b@example.com,EUR,99.95,2014-01-01 23:00:00 +0100,3,Cup,4.36,A003,0151 5594870,5500001\n"
    "#1002,,,,,1,Pot,45.41,A002,,\n"
    "#1003,,EUR,2.00,2014-01-03 23:00:00 +0100,1,Cup,2.00,A003,,5500002\n"
)


def test_an_export_with_line_items_is_read_as_it_is_meant(bring):
    brought = bring(SHOP_HEAD + SHOP_ROWS)
    mapping = brought.guess.mapping
    assert (mapping["order_id"], mapping["name"], mapping["unit_price"]) == (
        "Name",
        "Lineitem name",
        "Lineitem price",
    )
    assert "amount" not in mapping
    assert brought.refused == []
    second = brought.events[1]
    assert second.properties.order_id == "#1002"
    assert [line.name for line in second.properties.products] == ["Cup", "Pot"]
    assert {one.value for one in second.identifiers} == {"b@example.com", "0151 5594870"}
    assert brought.events[2].identifiers == ()
    assert brought.total("exact_micros") == 31_240_000 + 13_080_000 + 45_410_000 + 2_000_000


def test_of_two_columns_the_filled_one_is_taken(tmp_path):
    path = tmp_path / "orders.csv"
    rows = "".join(f",R{i},2014-01-0{i},A,1,2.00\n" for i in range(1, 9))
    path.write_text("Invoice,Receipt,date,sku,quantity,price\n" + rows)
    seen = guess(path)
    assert seen.mapping["order_id"] == "Receipt"
    assert seen.refused == 0
    assert "Invoice" in seen.unknown
    assert guess(path, mapping={"order_id": "Invoice"}).doubtful
