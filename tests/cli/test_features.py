"""The command for the team's own models."""

from __future__ import annotations

from datetime import date

import pyarrow.parquet as pq
import pytest

import shopkeeper


@pytest.fixture
def known(cli, new_shop, orders_file):
    """A shop with two customers, refreshed."""
    for words in (("import", orders_file, "--yes"), ("refresh",)):
        done = cli(*words, "--shop", new_shop)
        assert done.exit_code == 0, done.output
    return new_shop


def test_features_are_written_as_parquet(cli, known, tmp_path):
    out = tmp_path / "march.parquet"
    done = cli("features", "--as-of", "2024-03-05", "--horizon", 4, "--out", out, "--shop", known)
    assert done.exit_code == 0, done.output
    table = pq.read_table(out)
    assert table["label_orders"].to_pylist() == [
        0.0
    ]  # bela's first order was later: nothing was known of her
    assert table["units"].to_pylist() == [3.0]
    assert f"1 customer with {table.num_columns - 1} columns written to" in done.stdout
    with shopkeeper.open(known) as shop:
        assert shop.features(as_of=date(2024, 3, 5), horizon=4).equals(table)


def test_a_file_without_a_known_ending_is_refused(cli, known, tmp_path):
    done = cli("features", "--as-of", "2024-03-05", "--out", tmp_path / "march.xls", "--shop", known)
    assert done.exit_code == 2
    assert ".csv or .parquet" in done.output
