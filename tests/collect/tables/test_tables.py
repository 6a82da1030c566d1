"""Tables of real databases: what comes in, what comes again, what came late, and what a crash leaves."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest
import sqlalchemy

from shopkeeper.domain.errors import InvalidInput, NotFound, StoreFailure, UnknownName
from shopkeeper.shop import tables as room
from shopkeeper.shop.tables import TableAsked, bring_table

T = "2026-04-20T10:00:00+00:00"


def at(minute: int, day: int = 20) -> str:
    return f"2026-04-{day}T10:{minute:02d}:00+00:00"


def told(shop, *names):
    """What the log knows of orders: by number, the lines as (product, quantity, minor units)."""
    shop.advance()
    with shop.places.ledger.read() as reader:
        rows = reader.log_after(0, 10_000)
    from shopkeeper.domain.event import Logged

    found = {}
    for row in rows:
        if row.name in ("Order Completed", "Order Lines Added", *names):
            order = Logged.read(row.name, row.version, row.payload)
            found.setdefault(order.order_id, []).extend(
                (x.product_id, x.quantity, x.amount) for x in order.products
            )
    return {number: sorted(lines) for number, lines in found.items()}


def test_a_table_is_read_like_a_file_with_its_types(shop, other, orders):
    orders(("A1", "p1", 2, "6.95", T, T), ("A1", "p2", 1, "0.10", T, T), ("A2", "p1", 1, "6.95", T, T))
    summary = shop.collect_table(other.url, "lines", source="erp")
    assert (summary.kind, summary.read, summary.kept, summary.orders) == ("orders", 3, 3, 2)
    assert Decimal(summary.exact) == Decimal("20.95")
    assert told(shop) == {"A1": [("p1", 2, 1390), ("p2", 1, 10)], "A2": [("p1", 1, 695)]}
    assert shop.customer("A1@example.com").traits["orders"] == 1


def test_only_what_came_since_is_read_and_ties_are_neither_lost_nor_doubled(shop, other, orders):
    how = {"cursor": "updated_at", "source": "erp", "overlap": 0}
    orders(("A1", "p1", 1, "1.00", at(0), at(0)), ("A2", "p1", 1, "2.00", at(5), at(5)))
    assert shop.collect_table(other.url, "lines", **how).kept == 2
    orders(("A3", "p1", 1, "3.00", at(5), at(5)), ("A4", "p1", 1, "4.00", at(9), at(9)))
    again = shop.collect_table(other.url, "lines", **how)
    assert (again.read, again.kept, again.repeated) == (3, 2, 1)  # A2 and A3 share the last value
    assert sorted(told(shop)) == ["A1", "A2", "A3", "A4"]
    nothing = shop.collect_table(other.url, "lines", **how)
    assert (nothing.read, nothing.kept) == (1, 0)


def test_late_rows_within_the_overlap_are_found(shop, other, orders):
    how = {"cursor": "updated_at", "source": "erp"}
    orders(("A1", "p1", 1, "1.00", at(30), at(30)))
    shop.collect_table(other.url, "lines", **how)
    orders(("A2", "p1", 1, "2.00", at(27), at(27)))  # taken its time before, visible after
    assert shop.collect_table(other.url, "lines", **how).kept == 1
    orders(("A3", "p1", 1, "2.00", at(0), at(0)))
    assert shop.collect_table(other.url, "lines", **how).kept == 0
    assert shop.collect_table(other.url, "lines", **how, overlap=3600).kept == 1
    assert sorted(told(shop)) == ["A1", "A2", "A3"]


def test_a_line_like_another_that_is_added_to_an_order_later_counts(shop, other, orders):
    how = {"cursor": "updated_at", "source": "erp", "overlap": 0}
    orders(("A1", "p1", 1, "1.00", at(0), at(0)), ("A2", "p1", 1, "1.00", at(1), at(1)))
    shop.collect_table(other.url, "lines", **how)
    orders(
        ("A1", "p1", 1, "1.00", at(0), at(20))
    )  # the same again: without the first it would look like a repeat
    assert shop.collect_table(other.url, "lines", **how).kept == 1
    shop.advance()
    anna = shop.customer("A1@example.com").traits
    assert (anna["orders"], anna["revenue"]) == (1, 2.0)
    assert shop.collect_table(other.url, "lines", **how).kept == 0


def test_a_line_that_was_changed_or_deleted_counts_as_it_is_now(shop, other, orders):
    how = {"cursor": "updated_at", "source": "erp"}
    orders(("A1", "p1", 5, "1.00", at(0), at(0)), ("A1", "p2", 1, "3.00", at(0), at(0)))
    shop.collect_table(other.url, "lines", **how)
    shop.advance()
    assert shop.customer("A1@example.com").traits["revenue"] == 8.0
    other.run(
        f"UPDATE lines SET quantity = 2, updated_at = '{at(9)}' WHERE product_id = 'p1'",
        "DELETE FROM lines WHERE product_id = 'p2'",
    )
    assert shop.collect_table(other.url, "lines", **how).kept == 1
    shop.advance()
    anna = shop.customer("A1@example.com").traits
    assert (anna["orders"], anna["revenue"], anna["units"]) == (1, 2.0, 2)
    assert shop.collect_table(other.url, "lines", **how).kept == 0
    orders(("A1", "p1", -1, "1.00", at(10), at(10)))
    again = shop.collect_table(other.url, "lines", **how)
    assert (again.kept, again.returns) == (1, 1)
    shop.advance()
    assert shop.customer("A1@example.com").traits["revenue"] == 1.0


def test_rounds_end_between_orders_and_values(shop, other, orders):
    orders(*((f"A{n // 3}", f"p{n}", 1, "1.00", at(n // 6), at(n // 6)) for n in range(60)))
    asked = TableAsked(query="lines", cursor="updated_at", source="erp")
    summary = bring_table(shop.places, other.url, asked, size=7)
    assert (summary.read, summary.kept, summary.orders) == (60, 60, 20)
    with shop.places.ledger.read() as reader:
        assert len(reader.imports()) > 3
    assert all(len(lines) == 3 for lines in told(shop).values())


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_crash_in_between_loses_nothing_and_doubles_nothing(shop, other, orders, monkeypatch, broken):
    orders(*((f"A{n}", "p1", 1, "1.00", at(n), at(n)) for n in range(20)))
    asked = TableAsked(query="lines", cursor="updated_at", source="erp", overlap=0)
    real, calls = room.carry, []

    def crash(*args, **values):
        calls.append(1)
        if len(calls) > broken + 1:
            raise StoreFailure("the lights went out")
        return real(*args, **values)

    monkeypatch.setattr(room, "carry", crash)
    with pytest.raises(StoreFailure):
        bring_table(shop.places, other.url, asked, size=5)
    monkeypatch.setattr(room, "carry", real)
    before = len(told(shop))
    assert before == 5 * (broken + 1)
    summary = bring_table(shop.places, other.url, asked, size=5)
    assert summary.kept == 20 - before
    assert summary.repeated == 1  # the row that the cursor stood at
    assert len(told(shop)) == 20


def test_the_cursor_moves_with_the_rows_or_not_at_all(shop, other, orders, monkeypatch):
    orders(("A1", "p1", 1, "1.00", T, T))

    def full(*_):
        raise StoreFailure("no space left")

    writer = type(shop.places.ledger.write(lambda tx: tx))
    with monkeypatch.context() as patch:
        patch.setattr(writer, "note_import", full)
        with pytest.raises(StoreFailure):
            shop.collect_table(other.url, "lines", cursor="updated_at", source="erp")
    with shop.places.ledger.read() as reader:
        assert reader.setting("table:erp") is None
    assert shop.collect_table(other.url, "lines", cursor="updated_at", source="erp").kept == 1


def test_rows_that_come_while_it_is_read_come_with_the_next_reading(shop, other, orders):
    orders(*((f"A{n}", "p1", 1, "1.00", at(n), at(n)) for n in range(10)))
    if other.kind == "sqlite":
        other.run("PRAGMA journal_mode = wal")
    grown = []

    def grow(_step, _done):
        if not grown:
            grown.append(1)
            orders(("B1", "p1", 1, "1.00", at(3), at(3)), ("B2", "p1", 1, "1.00", at(40), at(40)))

    asked = TableAsked(query="lines", cursor="updated_at", source="erp", overlap=600)
    first = bring_table(shop.places, other.url, asked, grow, size=4)
    assert first.kept == 10
    second = bring_table(shop.places, other.url, asked, size=4)
    assert second.kept == 2
    assert len(told(shop)) == 12


def test_rows_without_a_cursor_value_are_never_lost(shop, other, orders):
    how = {"cursor": "updated_at", "source": "erp"}
    orders(("A1", "p1", 1, "1.00", T, T), ("A2", "p1", 1, "1.00", T, None))
    assert shop.collect_table(other.url, "lines", **how).kept == 2
    orders(("A3", "p1", 1, "1.00", T, None))
    assert shop.collect_table(other.url, "lines", **how).kept == 1


def test_a_serial_number_is_a_cursor_too_and_other_kinds_are_read(shop, other):
    other.run("CREATE TABLE people (id BIGINT PRIMARY KEY, email TEXT, first_name TEXT, birthday DATE)")
    people = [{"id": 5_000_000_000 + n, "email": f"p{n}@example.com"} for n in range(30)]
    insert = "INSERT INTO people VALUES (:id, :email, 'Rosa', '1980-05-02')"
    other.run(insert, rows=people[:20])
    query = "SELECT id, id AS customer_id, email, first_name, birthday FROM people WHERE email LIKE '%:%' OR id > 0"
    how = {"cursor": "id", "source": "crm", "overlap": 3}
    first = shop.collect_table(other.url, query, "customers", mapping={"customer_id": "customer_id"}, **how)
    assert first.kept == 20
    other.run(insert, rows=people[20:])
    second = shop.collect_table(other.url, query, "customers", mapping={"customer_id": "customer_id"}, **how)
    assert (second.read, second.kept) == (14, 10)
    shop.advance()
    assert shop.export("p29@example.com")


def test_naive_times_are_read_in_the_zone_that_is_given(shop, other):
    kind = "timestamp" if other.kind == "postgresql" else "text"
    other.run(f"CREATE TABLE happened (event TEXT, at {kind}, email TEXT, id TEXT)")
    other.run("INSERT INTO happened VALUES ('Store Visited', '2026-04-20 10:00:00', 'r@example.com', 'e1')")
    mapping = {"event": "event", "time": "at", "email": "email", "message_id": "id"}
    shop.collect_table(other.url, "happened", "events", mapping=mapping, zone="America/New_York", cursor="at")
    shop.advance()
    (one,) = shop.timeline("r@example.com").entries
    assert one.occurred_at.isoformat() == "2026-04-20T14:00:00+00:00"


def test_a_row_that_cannot_be_used_stops_nothing_once_the_table_is_known(shop, other, orders):
    how = {"cursor": "updated_at", "source": "erp", "overlap": 0}
    orders(("A1", "p1", 1, "1.00", at(0), at(0)))
    shop.collect_table(other.url, "lines", **how)
    other.run("DELETE FROM lines")
    orders(("A2", "p1", 1, "1.00", None, at(8)))
    summary = shop.collect_table(other.url, "lines", **how)
    assert (summary.read, summary.quarantined) == (1, 1)
    assert shop.quarantine()[0].source == "erp"
    assert shop.collect_table(other.url, "SELECT * FROM lines WHERE 1 = 0", **how).read == 0


def test_nothing_is_changed_in_the_other_database(shop, other, orders):
    orders(("A1", "p1", 1, "1.00", T, T))
    with pytest.raises(InvalidInput, match="SELECT or WITH"):
        shop.collect_table(other.url, "DELETE FROM lines", "orders")
    with pytest.raises(InvalidInput, match="one statement"):
        shop.collect_table(other.url, "SELECT 1; DELETE FROM lines", "orders")
    with pytest.raises(StoreFailure):
        shop.collect_table(
            other.url, "WITH gone AS (DELETE FROM lines RETURNING *) SELECT * FROM gone", "orders"
        )
    with other.engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM lines")).scalar() == 1


def test_a_statement_that_takes_too_long_is_stopped(shop, other):
    endless = (
        "SELECT a.n FROM (WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 100000000) "
        "SELECT n FROM many) a WHERE a.n < 0"
    )
    with pytest.raises(StoreFailure, match="cannot"):
        shop.collect_table(other.url, endless, "orders", timeout=0.3)


def test_the_password_is_neither_kept_nor_told(shop, other, monkeypatch, caplog):
    secret = "geheim/1@x"
    monkeypatch.setenv("TABLE_PASSWORD", secret)
    url = "postgresql://reader:${TABLE_PASSWORD}@127.0.0.1:1/shop?connect_timeout=1"
    with pytest.raises(StoreFailure) as failed:
        shop.collect_table(url, "orders")
    assert secret not in str(failed.value) + caplog.text
    assert "geheim" not in str(failed.value)
    assert "reader@127.0.0.1:1/shop" in str(failed.value)
    monkeypatch.delenv("TABLE_PASSWORD")
    with pytest.raises(InvalidInput, match="TABLE_PASSWORD"):
        shop.collect_table(url, "orders")
    with pytest.raises(InvalidInput) as wrong:
        shop.collect_table(f"not an address {secret}", "orders")
    assert secret not in str(wrong.value)


def test_wrong_names_are_told_with_the_nearest(shop, other, orders, tmp_path):
    orders(("A1", "p1", 1, "1.00", T, T))
    with pytest.raises(UnknownName, match="'updated_at'"):
        shop.collect_table(other.url, "lines", cursor="update_at")
    with pytest.raises(StoreFailure, match="lynes"):
        shop.collect_table(other.url, "lynes")
    with pytest.raises(NotFound):
        shop.collect_table(f"sqlite:///{tmp_path / 'nowhere.db'}", "lines")
    with pytest.raises(InvalidInput, match="no driver"):
        shop.collect_table("nosuchbase://host/x", "lines")


def test_another_query_under_the_same_source_begins_anew(shop, other, orders):
    orders(("A1", "p1", 1, "1.00", at(0), at(0)), ("A2", "p2", 1, "1.00", at(50), at(50)))
    only = "SELECT * FROM lines WHERE product_id = 'p2'"
    assert shop.collect_table(other.url, only, cursor="updated_at", source="erp").kept == 1
    assert shop.collect_table(other.url, "lines", cursor="updated_at", source="erp").kept == 1


def test_without_the_extra_it_is_said_which_one(shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(InvalidInput, match=r"shopkeeper\[tables\]"):
        shop.collect_table("sqlite://", "lines")
