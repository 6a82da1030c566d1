"""The power goes out, the disk fills up: nothing is half there, and the same command again completes it."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import shopkeeper
from shopkeeper.domain.errors import StoreFull
from shopkeeper.shop import Shop

_IMPORT = """
import sys, shopkeeper
def print_that(*what):
    print(*what, flush=True)
with shopkeeper.open(sys.argv[1]) as shop:
    print("ready", flush=True)
    shop.collect(sys.argv[2], progress=print_that)
    shop.advance()
"""
_LINES = 30_000


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("orders") / "orders.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["order_id", "date", "product_id", "quantity", "unit_price", "customer_id"])
        for n in range(_LINES):
            writer.writerow([n // 3, "2026-04-01 10:00:00", f"p{n % 500}", 1, "1.25", 1 + n // 9])
    return file


@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_import_that_is_killed_leaves_nothing_or_everything(
    tmp_path: Path, orders: Path, after: int
) -> None:
    """Killed at the beginning, on the way, and when the last line was read."""
    folder = tmp_path / "shop"
    shopkeeper.create(folder, now="2026-05-01T12:00:00+00:00").close()
    child = subprocess.Popen(
        [sys.executable, "-c", _IMPORT, str(folder), str(orders)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    told = [child.stdout.readline() for _ in range(1 + after)]
    assert all(told), "there was less on the way than waited for"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with shopkeeper.open(folder) as shop:
        assert shop.health()["events"] in (0, _LINES // 3)
        summary = shop.collect(orders)
        assert summary.kept + summary.repeated == _LINES
        shop.refresh()
        report = shop.report()
        assert (report.trade.orders, report.trade.amount) == (_LINES // 3, _LINES * 1.25)
        assert report.people.buyers == -(-_LINES // 9)
        assert [f for f in shop.doctor() if not f.ok and "backup" not in f.advice] == []


def test_a_full_disk_keeps_nothing_of_the_import_and_the_shop_lives_on(shop: Shop, orders: Path) -> None:
    ledger = shop.places.ledger
    connection = ledger._connection  # type: ignore[attr-defined]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(
        f"PRAGMA max_page_count={pages + 200}"
    )  # SQLite itself then says that the disk is full
    with pytest.raises(StoreFull, match="nothing was kept"):
        shop.collect(orders)
    assert shop.health() | {"as_of": ""} == {
        "status": "ok", "events": 0, "customers": 0, "lag": 0, "quarantined": 0, "as_of": "",
    }  # fmt: skip
    connection.execute("PRAGMA max_page_count=1000000000")
    assert shop.collect(orders).kept == _LINES
    shop.advance()
    assert shop.health()["events"] == _LINES // 3
