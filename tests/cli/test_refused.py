"""What could not be used is listed by place and reason, and what an import refused is not mixed with older rows."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import shopkeeper
from shopkeeper.cli.refused import show_refused

HEAD = "order_id,order_date,product_id,quantity,unit_price,email\n"
GOOD = "{n},2024-03-01 10:15,A1,2,4.50,anna@example.com\n"
BAD = "{n},the day after,A1,2,4.50,carla@example.com\n"


def squeezed(words: str) -> str:
    return " ".join(words.split())


def written(path, rows):
    path.write_text(HEAD + "".join(row.format(n=n) for n, row in enumerate(rows, 1)), encoding="utf-8")
    return path


@pytest.fixture
def shop(new_shop):
    with shopkeeper.open(new_shop) as opened:
        yield opened


def told(shop, *done):
    out = Console(file=io.StringIO(), width=110, markup=False, highlight=False)
    show_refused(out, shop, done)
    return squeezed(out.file.getvalue())


def test_an_import_tells_of_its_own_rows_only(shop, tmp_path):
    first = shop.collect(written(tmp_path / "first.csv", [GOOD, BAD, GOOD, BAD]), "orders")
    second = shop.collect(written(tmp_path / "second.csv", [GOOD] * 30 + [BAD]), "orders")
    assert (first.quarantined, second.quarantined) == (2, 1)
    page = told(shop, second)
    assert "second.csv 1" in page
    assert " 32" in page
    assert "first.csv" not in page
    assert "carla" not in page
    both = told(shop, first, second)
    assert both.index("first.csv 2") < both.index(" 3, 5 ") < both.index("second.csv 1") < both.index(" 32")


def test_a_file_of_which_much_stayed_outside_is_said_to_be_so(shop, tmp_path):
    much = shop.collect(written(tmp_path / "much.csv", [GOOD, BAD, BAD]), "orders")
    assert "much.csv: 2 of 3 rows (67 %) stayed outside." in told(shop, much)
    little = shop.collect(written(tmp_path / "little.csv", [GOOD] * 39 + [BAD]), "orders")
    assert little.quarantined == 1
    assert "stayed outside" not in told(shop, little)
    assert told(shop, shop.collect(written(tmp_path / "good.csv", [GOOD]), "orders")) == ""


def test_the_quarantine_is_listed_latest_first(cli, new_shop, tmp_path):
    assert "Nothing is in quarantine." in cli("quarantine", "--shop", new_shop).stdout
    with shopkeeper.open(new_shop) as shop:
        shop.collect(written(tmp_path / "orders.csv", [BAD, GOOD, BAD, BAD]), "orders", source="till 4")
        ids = [row.id for row in shop.quarantine()]
    done = cli("quarantine", "--shop", new_shop)
    assert done.exit_code == 0, done.output
    page = squeezed(done.stdout)
    assert "In quarantine: 3 rows" in page
    assert "till 4 orders 5" in page
    assert page.index(f" {ids[0]} 2") < page.index(f" {ids[-1]} 2")
    assert "carla" not in page
    one = cli("quarantine", "--limit", "1", "--shop", new_shop).stdout
    assert "till 4 orders 5" in squeezed(one)
    assert "till 4 orders 4" not in squeezed(one)
    assert "--limit 3 lists all" in one
    assert cli("quarantine", "--limit", "0", "--shop", new_shop).exit_code == 2
