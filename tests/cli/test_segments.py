"""customers and segment count: who meets a condition, and how many they are."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import shopkeeper
from shopkeeper.cli.handout import write


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


def test_no_text_of_theirs_is_a_formula_in_a_spreadsheet(tmp_path):
    texts = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "a=1", "", None]
    lists = [["=1"], ["a", "=1"], [], None, *[["b"]] * 5]
    table = pa.table({"id": range(9), "country": texts, "looked_not_bought": lists})
    write(table, tmp_path / "out.csv")
    convert = pyarrow.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    read = pyarrow.csv.read_csv(tmp_path / "out.csv", convert_options=convert, parse_options=parse)
    assert read["country"].to_pylist() == ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "'\r=1", "a=1", "", None]
    assert read["looked_not_bought"].to_pylist() == ["'=1", "a|=1", "", None, *"bbbbb"]


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


def test_flows_between_segments(cli, known):
    assert cli("segment", "save", "buyers", "orders >= 1", "--shop", known).exit_code == 0
    told = cli("segment", "flows", "buyers", "--per", "week", "--shop", known)
    assert told.exit_code == 0, told.output
    with shopkeeper.open(known) as shop:
        size = shop.segment("buyers").segment.size
    assert f"{size:,} customer" in told.stdout
    assert "at its end" in told.stdout
    assert "did you mean 'buyers'" in cli("segment", "flows", "buyer", "--shop", known).output
