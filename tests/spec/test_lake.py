"""What every lake must do, told through the contract alone."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopkeeper.domain.clock import micros
from shopkeeper.domain.errors import InvalidInput, TookTooLong, UnknownName
from shopkeeper.domain.patience import waiting

NOW = datetime(2011, 12, 10, tzinfo=UTC)
START = datetime(2011, 1, 3, 9, tzinfo=UTC)


def order(seq, node=1, *, days=0, name="Order Completed", lines=((8340, 12),), **facts):
    products = [
        {"product_id": f"p{i}", "name": "Lamp", "price": "6.95", "quantity": quantity, "amount": amount}
        for i, (amount, quantity) in enumerate(lines)
    ]
    total = sum(amount for amount, _ in lines)
    told = {
        "order_id": f"o{seq}",
        "currency": "GBP",
        "products": products,
        "store": "S1",
        "amount": total,
    } | facts
    return event(seq, name, node, days=days, **told)


def event(seq, name="Product Viewed", node=1, *, days=0, **facts):
    at = micros(START + timedelta(days=days))
    return {
        "seq": seq, "name": name, "version": 1, "source": "till", "brand": "", "channel": "store",
        "occurred_at": at, "received_at": at + 5, "node": node, "payload": json.dumps(facts),
    }  # fmt: skip


def batch(*rows):
    return pa.RecordBatch.from_pylist(list(rows))


def told(lake, *rows):
    with lake.change() as change:
        change.log(batch(*rows))


def everything(lake):
    return {
        table: lake.query(f"SELECT * FROM {table} ORDER BY ALL").to_pylist()
        for table in ("events", "order_lines")
    }


def test_an_empty_lake_has_every_table_with_types(lake):
    for table in ("events", "order_lines", "identities", "customers", "products", "stores", "spend"):
        assert lake.query(f"SELECT * FROM {table}").num_rows == 0
    schema = lake.query("SELECT occurred_at, amount, node FROM events").schema
    assert schema.types == [pa.timestamp("us", tz="UTC"), pa.int64(), pa.int64()]
    assert lake.manifest().generation == lake.manifest().watermark == 0


def test_events_carry_their_facts_and_nothing_else(lake):
    told(
        lake,
        event(1, category="Lamps", product_id="a", machine=True, url="https://shop.example", price="1.00"),
    )
    (row,) = lake.query("SELECT * FROM events").to_pylist()
    assert row["occurred_at"] == START
    assert (row["category"], row["product_id"], row["machine"], row["order_id"]) == ("Lamps", "a", True, None)
    assert not any("shop.example" in str(value) for value in row.values())


def test_an_order_becomes_its_lines_in_their_order(lake):
    told(lake, order(1, 7, lines=((8340, 12), (-500, -1)), country="France"))
    lines = lake.query("SELECT * FROM order_lines ORDER BY line").to_pylist()
    assert [(row["line"], row["product_id"], row["quantity"], row["amount"]) for row in lines] == [
        (1, "p0", 12.0, 8340),
        (2, "p1", -1.0, -500),
    ]
    assert {(row["order_id"], row["node"], row["store"], row["country"]) for row in lines} == {
        ("o1", 7, "S1", "France")
    }
    assert str(lines[0]["price"]) == "6.9500"


def test_what_came_back_is_negative_and_added_lines_count(lake):
    told(
        lake, order(1), order(2, name="Order Refunded"), order(3, name="Order Lines Added", lines=((50, 1),))
    )
    sums = lake.query(
        "SELECT name, sum(quantity) AS units, sum(amount)::BIGINT AS amount FROM order_lines GROUP BY 1 ORDER BY 1"
    )
    assert sums.to_pylist() == [
        {"name": "Order Completed", "units": 12.0, "amount": 8340},
        {"name": "Order Lines Added", "units": 1.0, "amount": 50},
        {"name": "Order Refunded", "units": -12.0, "amount": -8340},
    ]
    assert lake.query("SELECT amount FROM events WHERE name = 'Order Refunded'").to_pylist() == [
        {"amount": 8340}
    ]


def test_a_cancelled_order_adds_no_lines_and_an_updated_one_its_own(lake):
    told(lake, order(1, name="Order Cancelled"), order(2, name="Order Updated"))
    assert lake.query("SELECT seq FROM order_lines").to_pylist() == [{"seq": 2}]


def test_undeclared_events_of_any_shape_are_taken(lake):
    told(
        lake,
        event(1, "Robot Waved", amount="many", machine="perhaps", order_id={"a": 1}, products=5),
        event(2, "Robot Waved", amount=12, category=["x"]),
        {**event(3, "Robot Waved"), "payload": "[]"},
        {**event(4, "Robot Waved"), "payload": "null"},
    )
    rows = lake.query("SELECT seq, amount FROM events ORDER BY seq").to_pylist()
    assert rows == [
        {"seq": 1, "amount": None},
        {"seq": 2, "amount": 12},
        {"seq": 3, "amount": None},
        {"seq": 4, "amount": None},
    ]


def test_a_payload_that_is_not_json_is_refused_without_its_words(lake):
    with pytest.raises(InvalidInput) as caught, lake.change() as change:
        change.log(batch(order(1), {**event(2), "payload": "{secret"}))
    assert "secret" not in str(caught.value)
    assert lake.query("SELECT * FROM events").num_rows == 0


def test_rows_of_another_shape_are_refused_by_name(lake):
    with pytest.raises(InvalidInput, match="payload"), lake.change() as change:
        change.log(batch(event(1)).drop_columns(["payload"]))
    with pytest.raises(InvalidInput, match="other types"), lake.change() as change:
        change.log(pa.RecordBatch.from_pylist([{**event(1), "node": "anna"}]))


def test_a_change_that_raises_leaves_everything_as_before(lake):
    told(lake, order(1))
    before, manifest = everything(lake), lake.manifest()
    with pytest.raises(KeyboardInterrupt), lake.change() as change:  # noqa: PT012
        change.log(batch(order(2), event(3, days=60)))
        change.replace("stores", pa.table({"store_id": ["S1"]}))
        change.reach(3, NOW)
        raise KeyboardInterrupt
    assert everything(lake) == before
    assert lake.manifest() == manifest
    assert lake.query("SELECT * FROM stores").num_rows == 0


def test_an_empty_change_changes_nothing(lake):
    told(lake, order(1))
    before = lake.manifest()
    with lake.change():
        pass
    assert lake.manifest() == before


def test_the_watermark_passes_over_rows_told_before(lake):
    for _ in range(2):
        with lake.change() as change:
            change.log(batch(order(1), order(2)))
            change.reach(2, NOW)
    assert lake.query("SELECT seq FROM events ORDER BY seq").to_pylist() == [{"seq": 1}, {"seq": 2}]
    assert (lake.manifest().watermark, lake.manifest().as_of) == (2, NOW)
    with pytest.raises(InvalidInput, match="row 2"), lake.change() as change:
        change.reach(1, NOW)


def test_snapshots_replace_one_another_and_keep_further_columns(lake):
    for score in (1.0, 2.0):
        with lake.change() as change:
            change.replace(
                "customers", pa.table({"id": [1, 2], "clv_12m": [score, None], "looked": [["a"], []]})
            )
    rows = lake.query("SELECT id, clv_12m, looked, state FROM customers ORDER BY id").to_pylist()
    assert rows[0] == {"id": 1, "clv_12m": 2.0, "looked": ["a"], "state": None}
    with lake.change() as change:  # the last one of a change counts
        change.replace("stores", pa.table({"store_id": ["S1", "S2"]}))
        change.replace("stores", pa.table({"store_id": ["S9"]}))
    assert lake.query("SELECT store_id FROM stores").to_pylist() == [{"store_id": "S9"}]
    assert lake.verify() == []


def test_only_snapshots_with_fitting_columns_can_be_replaced(lake):
    with pytest.raises(UnknownName, match="customers"), lake.change() as change:
        change.replace("custmers", pa.table({"id": [1]}))
    with pytest.raises(InvalidInput, match="made of the log"), lake.change() as change:
        change.replace("events", pa.table({"seq": [1]}))
    with pytest.raises(InvalidInput, match="id as int64"), lake.change() as change:
        change.replace("customers", pa.table({"id": ["anna"]}))
    assert lake.manifest().generation == 0


def test_late_rows_join_their_month_and_compacting_changes_no_row(lake):
    told(lake, order(1), order(2, days=40))
    told(lake, order(3, days=1), event(4, days=41))
    told(lake, order(5, days=2))
    before = everything(lake)
    files = sum(map(len, lake.manifest().tables.values()))
    went = lake.compact()
    assert went > 0
    assert sum(map(len, lake.manifest().tables.values())) == files - went
    assert everything(lake) == before
    assert lake.compact() == 0
    assert {file.month for file in lake.manifest().tables["events"]} == {"2011-01", "2011-02"}


def test_forgetting_takes_the_person_and_leaves_the_books(lake):
    told(
        lake,
        order(1, 7),
        event(2, node=7, campaign_id="winter"),
        order(3, 8),
        event(4, node=8),
        event(5, node=0),
    )
    told(lake, event(6, node=7, days=60), order(7, 7, name="Order Refunded", days=90))
    with lake.change() as change:
        change.replace("identities", pa.table({"node": [7, 8, 9], "customer": [70, 80, 70]}))
        change.replace("customers", pa.table({"id": [70, 80], "orders": [1, 1]}))
    assert lake.forget([7, 9]) == 2 + 2 + 2 + 2 + 1  # views, orders, lines, identities, the customer
    assert lake.query("SELECT seq, node FROM events ORDER BY seq").to_pylist() == [
        {"seq": 1, "node": 0}, {"seq": 3, "node": 8}, {"seq": 4, "node": 8}, {"seq": 5, "node": 0},
        {"seq": 7, "node": 0},
    ]  # fmt: skip
    assert lake.query("SELECT count(*) AS n FROM order_lines WHERE node = 7").to_pylist() == [{"n": 0}]
    assert lake.query("SELECT sum(amount)::BIGINT AS n FROM order_lines").to_pylist() == [{"n": 8340}]
    assert lake.query("SELECT node FROM identities").to_pylist() == [{"node": 8}]
    assert lake.query("SELECT id FROM customers").to_pylist() == [{"id": 80}]
    assert lake.forget([7, 9]) == 0
    assert lake.forget([]) == 0
    assert lake.verify() == []


def test_a_reader_keeps_its_manifest_until_it_looks_again(lake, lake_at, tmp_path):
    told(lake, order(1))
    other = lake_at(tmp_path / "lake")
    count = "SELECT count(*) AS n FROM events"
    assert other.query(count).to_pylist() == [{"n": 1}]
    with lake.change() as change:
        change.log(batch(order(2)))
        assert other.query(count).to_pylist() == [{"n": 1}]
        assert lake.query(count).to_pylist() == [{"n": 1}]
    assert lake.query(count).to_pylist() == [{"n": 2}]
    assert other.query(count).to_pylist() == [{"n": 1}]
    other.manifest()
    assert other.query(count).to_pylist() == [{"n": 2}]


def test_a_reader_outlives_any_number_of_changes_and_an_erasure(lake, lake_at, tmp_path):
    told(lake, order(1, 7), event(2, node=7))
    reader = lake_at(tmp_path / "lake")
    late = lake_at(tmp_path / "lake")  # opened, but asked only after its files are gone
    count = "SELECT count(*) AS n FROM events"
    assert reader.query(count).to_pylist() == [{"n": 2}]
    for seq in range(3, 6):
        told(lake, order(seq, 8))
        lake.compact()
    lake.forget([7])
    assert reader.query(count).to_pylist() == [{"n": 4}]
    assert late.query(count).to_pylist() == [{"n": 4}]


@pytest.mark.parametrize(
    "question",
    [
        "DROP VIEW events", "CREATE TABLE t AS SELECT 1", "SELECT 1; SELECT 2", "", "SET threads = 1", "PRAGMA version",
        "ATTACH 'other.db'", "COPY events TO 'out.parquet'", "INSTALL httpfs", "SELEC 1", "SELECT nothing FROM events",
        "SELECT * FROM nowhere", "SELECT $a", "SELECT CAST('anna' AS INTEGER)",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname.csv'", "SELECT * FROM glob('/etc/*')",
        "WITH x AS (INSERT INTO events VALUES (1)) SELECT 1",
    ],
)  # fmt: skip
def test_only_a_question_about_the_tables_is_answered(lake, question):
    told(lake, order(1))
    with pytest.raises(InvalidInput) as caught:
        lake.query(question)
    assert "anna" not in str(caught.value)
    assert lake.query("SELECT count(*) AS n FROM events").to_pylist() == [{"n": 1}]


def test_parameters_are_bound(lake):
    told(lake, order(1, 7), order(2, 8))
    rows = lake.query("SELECT seq FROM events WHERE node IN (SELECT unnest($nodes)) AND occurred_at <= $at",
                      {"nodes": [8, 9], "at": NOW})  # fmt: skip
    assert rows.to_pylist() == [{"seq": 2}]
    assert lake.query("SELECT $text AS text", {"text": "'; DROP VIEW events; --"}).to_pylist() == [
        {"text": "'; DROP VIEW events; --"}
    ]
    with pytest.raises(InvalidInput, match="Parameter"):
        lake.query("SELECT 1", {"unknown": 1})


ROWS = [
    order(1), order(2, 2, days=31), event(3, days=59), order(4, 3, days=31, name="Order Refunded"), event(5, node=0),
    order(6, 2, days=340, lines=((1, 1), (1, 1), (1, 1))), event(7, days=-400), order(8, 1, lines=()),
]  # fmt: skip


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(ROWS), st.sets(st.integers(1, 7)), st.sets(st.integers(1, 7)), st.booleans())
def test_any_order_and_split_of_the_log_makes_the_same_tables(lake_at, rows, batches, changes, compacted):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        whole, pieces = lake_at(Path(one)), lake_at(Path(other))
        told(whole, *ROWS)
        cuts = [0, *sorted(changes), len(rows)]
        for start, end in pairwise(cuts):
            with pieces.change() as change:
                inner = [start, *sorted(cut for cut in batches if start < cut < end), end]
                for a, b in pairwise(inner):
                    change.log(batch(*rows[a:b]))
        if compacted:
            pieces.compact()
        assert everything(pieces) == everything(whole)
        assert pieces.verify() == []
        whole.close()
        pieces.close()


ENDLESS = "SELECT count(*) AS n FROM range(100000000000) AS a, range(1000) AS b WHERE a.range % 7 = b.range"


def test_a_question_is_stopped_when_nobody_waits_for_it_any_more(lake):
    with waiting(0.3), pytest.raises(TookTooLong, match=r"longer than 0\.3 seconds"):
        lake.query(ENDLESS)
    with waiting(1e-6), pytest.raises(TookTooLong):
        lake.query(ENDLESS)  # even where that is over before the engine has begun
    assert lake.query("SELECT 1 AS n")["n"].to_pylist() == [1]
    for long in (60, 1e12):  # as long as a thread can wait, and longer
        with waiting(long):
            assert lake.query("SELECT 2 AS n")["n"].to_pylist() == [2]


def test_one_question_that_is_stopped_leaves_another_alone(lake):
    slow = "SELECT count(*) AS n FROM range(20000000) AS a WHERE a.range % 7 = 3"
    with ThreadPoolExecutor(2) as pool:

        def impatient():
            with waiting(0.05):
                lake.query(ENDLESS)

        stopped = pool.submit(impatient)
        patient = pool.submit(lake.query, slow)
        with pytest.raises(TookTooLong):
            stopped.result(60)
        assert patient.result(60)["n"].to_pylist() == [2857143]
