"""customers and segment count: who meets a condition, and how many they are."""

from __future__ import annotations

import pyarrow.csv
import pyarrow.parquet
import pytest

import shopkeeper


@pytest.fixture
def known(new_shop, orders_file, cli):
    """A refreshed shop."""
    for words in (("import", orders_file, "--kind", "orders"), ("refresh",)):
        done = cli(*words, "--shop", new_shop)
        assert done.exit_code == 0, done.output
    return new_shop


def test_customers_are_shown(cli, known):
    with shopkeeper.open(known) as shop:
        expected = [f"c{i}" for i in shop.customers("orders >= 1")["id"].to_pylist()]
    shown = cli("customers", "orders >= 1", "--shop", known)
    assert shown.exit_code == 0, shown.output
    assert expected
    assert all(who in shown.stdout for who in expected)
    one = cli("customers", "orders >= 1", "--columns", "orders, last_order", "--limit", "1", "--shop", known)
    assert "last_order" in one.stdout
    assert "p_alive" not in one.stdout
    assert "Nobody" in cli("customers", "orders > 1000", "--shop", known).stdout


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_they_are_written_to_a_file(cli, known, tmp_path, ending):
    file = tmp_path / "new" / f"out.{ending}"
    done = cli("customers", "orders >= 1", "--out", file, "--shop", known)
    assert done.exit_code == 0, done.output
    read = pyarrow.csv.read_csv if ending == "csv" else pyarrow.parquet.read_table
    with shopkeeper.open(known) as shop:
        expected = shop.customers("orders >= 1")
    assert read(file)["id"].to_pylist() == expected["id"].to_pylist()
    assert read(file).schema.names == expected.schema.names
    wrong = cli("customers", "orders >= 1", "--out", tmp_path / "out.xls", "--shop", known)
    assert wrong.exit_code == 2
    assert ".csv or .parquet" in wrong.output


def test_they_are_counted(cli, known):
    with shopkeeper.open(known) as shop:
        size = shop.size("orders >= 1")
    counted = cli("segment", "count", "orders >= 1", "--shop", known)
    assert counted.exit_code == 0, counted.output
    assert f"{size.customers} customer" in counted.stdout
    assert "as of" in counted.stdout


def test_a_mistake_is_pointed_at(cli, known):
    wrong = cli("customers", "ordres >= 1", "--shop", known)
    assert wrong.exit_code == 2
    assert "orders" in wrong.output
