"""A sample of the customers: the same ones everywhere, all of theirs and nothing of others."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.stores.contract.lake import SAMPLE_CUSTOMERS
from shopkeeper.stores.lake import open_lake

MANY = 50_000
NOW = datetime(2011, 12, 10, tzinfo=UTC)


def log(first, count):
    """One event of every customer; customer n has the nodes 2n and 2n + 1 and is seen on one of them."""
    seq = pa.array(range(first, first + count))
    n = [s % MANY + 1 for s in range(first, first + count)]
    fixed = {"name": "Product Viewed", "source": "web", "brand": "", "channel": "web", "payload": "{}"}
    at = pa.array([1_300_000_000_000_000 + s for s in range(first, first + count)])
    return pa.RecordBatch.from_pydict(
        {"seq": seq, "version": pa.array([1] * count), "occurred_at": at, "received_at": at,
         "node": pa.array([2 * c + c % 2 for c in n]), **{k: pa.array([v] * count) for k, v in fixed.items()}}
    )  # fmt: skip


@pytest.fixture
def lake(tmp_path):
    lake = open_lake(tmp_path / "lake")
    ids = list(range(1, MANY + 1))
    with lake.change() as change:
        change.log(log(1, MANY))
        change.replace("customers", pa.table({"id": ids, "orders": [i % 7 for i in ids]}))
        nodes = [2 * i + k for i in ids for k in (0, 1)]
        change.replace("identities", pa.table({"node": nodes, "customer": [n // 2 for n in nodes]}))
        change.replace("products", pa.table({"product_id": ["a"], "category": ["Lighting"]}))
        change.reach(MANY, NOW, 12)
    yield lake
    lake.close()


def one(lake, sql, **parameters):
    return lake.query(sql, parameters or None, sample=True).to_pylist()[0]["n"]


def test_it_holds_about_as_many_as_it_says_and_all_of_theirs(lake):
    chosen = set(lake.query("SELECT id FROM customers", sample=True)["id"].to_pylist())
    assert len(chosen) == pytest.approx(SAMPLE_CUSTOMERS, rel=0.02)
    assert set(lake.query("SELECT customer FROM identities", sample=True)["customer"].to_pylist()) == chosen
    assert one(lake, "SELECT count(*) AS n FROM identities") == 2 * len(chosen)
    seen = lake.query("SELECT node FROM events", sample=True)["node"].to_pylist()
    assert sorted(node // 2 for node in seen) == sorted(chosen)
    assert one(lake, "SELECT count(*) AS n FROM products WHERE category = $c", c="Lighting") == 1
    assert lake.query("SELECT count(*) AS n FROM events").to_pylist() == [{"n": MANY}]


def test_it_is_spread_evenly(lake):
    counts = lake.query("SELECT orders, count(*) AS n FROM customers GROUP BY orders", sample=True)[
        "n"
    ].to_pylist()
    assert len(counts) == 7
    assert max(counts) < 1.03 * min(counts)


def test_it_is_as_safe_as_the_lake(lake):
    for question in ("DROP TABLE events", "SELECT 1; SELECT 2", "SELECT * FROM read_csv('/etc/passwd')"):
        with pytest.raises(InvalidInput):
            lake.query(question, sample=True)


def test_nothing_of_the_forgotten_stays_in_it_and_a_change_makes_it_anew(lake):
    assert lake.manifest().turn == 12
    chosen = sorted(lake.query("SELECT id FROM customers", sample=True)["id"].to_pylist())
    gone = chosen[:3]
    lake.forget([2 * i + k for i in gone for k in (0, 1)])
    left = set(lake.query("SELECT id FROM customers", sample=True)["id"].to_pylist())
    # One customer fewer: the same ones, and perhaps another in the place of those that went.
    assert set(chosen) - set(gone) <= left
    assert not left & set(gone)
    assert len(left) <= len(chosen)
    assert one(lake, "SELECT count(*) AS n FROM events WHERE node < $n", n=2 * gone[-1] + 2) == sum(
        1 for i in left if i <= gone[-1]
    )
    with lake.change() as change:
        change.log(log(MANY + 1, MANY))
        change.reach(2 * MANY, NOW, 12)
    assert one(lake, "SELECT count(*) AS n FROM events") == 2 * len(left)


def test_a_small_shop_is_asked_whole(tmp_path):
    with_few = open_lake(tmp_path / "lake")
    with with_few.change() as change:
        change.replace("customers", pa.table({"id": list(range(100))}))
    assert one(with_few, "SELECT count(*) AS n FROM customers") == 100
    with_few.close()
