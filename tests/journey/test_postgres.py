"""The whole journey with the ledger in PostgreSQL: the same customers, report and pages as with files."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from tests.events import NOW
from tests.postgres import Server

import shopkeeper
from shopkeeper.domain.delivery import Delivery
from shopkeeper.domain.errors import Conflict, InvalidInput, StoreDamaged
from shopkeeper.domain.report import Report
from shopkeeper.domain.source import Source
from shopkeeper.shop import Shop
from shopkeeper.shop.demo import build

pytest.importorskip("psycopg", reason="psycopg is not installed")
_CLOCK = "2026-05-01T12:00:00+00:00"


def _told(report: Report) -> dict[str, object]:
    """A report without how long it took."""
    plain = msgspec.to_builtins(report)
    plain.pop("timings")
    for one in plain["imports"]:
        one.pop("seconds", None)
    return plain


def _same(one: Shop, other: Shop) -> None:
    """The same lists, profiles and timelines."""
    for sort in ("value", "margin", "orders", "recent", "fading"):
        ours, theirs = one.find(sort=sort, limit=30), other.find(sort=sort, limit=30)
        assert [(r.id, r.name) for r in ours.rows] == [(r.id, r.name) for r in theirs.rows], sort
    for row in one.find(sort="value", limit=8).rows:
        assert one.customer(row.id) == other.customer(row.id)
        assert one.timeline(row.id, limit=40).entries == other.timeline(row.id, limit=40).entries


def test_the_sample_shop_is_the_same_on_both(
    tmp_path: Path, postgres: str, sample_shop: Shop, sample_report: Report
) -> None:
    shop, report = build(tmp_path / "shop", size=0.01, ledger=postgres)
    with shop:
        assert _told(report) == _told(sample_report)
        _same(shop, sample_shop)
        assert not (tmp_path / "shop" / "ledger.db").exists()
        assert [f.what for f in shop.doctor() if not f.ok and "ledger" in f.what] == []
        made = shop.backup(tmp_path / "backup.zip")
        erased = shop.find(sort="value", limit=1).rows[0].id
        shop.erase(erased)
    with shopkeeper.restore(made, tmp_path / "files") as restored:
        assert restored.settings.ledger == ""
        assert (tmp_path / "files" / "ledger.db").exists()
        with pytest.raises(shopkeeper.ShopkeeperError):
            restored.customer(erased)  # the erasure reached into the backup


def test_a_shop_moves_into_a_database_by_backup_and_restore(
    tmp_path: Path, postgres: str, sample_shop: Shop
) -> None:
    made = sample_shop.backup(tmp_path / "backup.zip")
    with shopkeeper.restore(made, tmp_path / "moved", ledger=postgres) as moved:
        assert moved.settings.ledger == postgres
        _same(moved, sample_shop)
        assert _told(moved.report()) == _told(sample_shop.report())
    assert not list((tmp_path / "moved").glob("*.db*"))
    with pytest.raises(Conflict, match="already"):
        shopkeeper.restore(made, tmp_path / "again", ledger=postgres)
    assert not (tmp_path / "again").exists()


def test_a_database_and_a_folder_must_be_of_one_shop(
    tmp_path: Path, postgres: str, postgres_server: Server
) -> None:
    first = tmp_path / "first"
    shopkeeper.open(postgres, folder=first).close()
    with shopkeeper.open(postgres, folder=first) as again, shopkeeper.open(first) as by_folder:
        assert again.settings.ledger == by_folder.settings.ledger == postgres
    with pytest.raises(Conflict, match="holds a shop already"):
        shopkeeper.open(postgres, folder=tmp_path / "second")
    assert not (tmp_path / "second").exists()
    with pytest.raises(Conflict, match="another database"):
        shopkeeper.open(postgres_server.address(), folder=first)

    stolen = tmp_path / "stolen"
    shopkeeper.create(stolen).close()
    shutil.copy(first / "shop.toml", stolen / "shop.toml")
    with pytest.raises(StoreDamaged, match="secret"):
        shopkeeper.open(stolen)
    shopkeeper.create(tmp_path / "files").close()
    with pytest.raises(Conflict, match="in a file"):
        shopkeeper.open(postgres, folder=tmp_path / "files")

    emptied = first / "shop.toml"
    emptied.write_text(emptied.read_text().replace(postgres, postgres_server.address()))
    with pytest.raises(Conflict, match="empty"):
        shopkeeper.open(first)


def test_a_password_is_not_written_down(tmp_path: Path, postgres: str) -> None:
    secret = postgres.replace("postgres@", "postgres:verysecret@")
    with shopkeeper.open(secret, folder=tmp_path / "shop") as shop:
        assert shop.settings.ledger == postgres
    for file in (tmp_path / "shop").rglob("*"):
        assert not file.is_file() or b"verysecret" not in file.read_bytes()
    with pytest.raises(InvalidInput, match="password"):
        shopkeeper.create(tmp_path / "other", settings=shopkeeper.Settings(ledger=secret))


def test_a_shop_is_opened_by_its_address_alone(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with shopkeeper.open(postgres) as shop:
        assert shop.places.folder.parent == tmp_path / "shopkeeper"
    from typer.testing import CliRunner

    from shopkeeper.cli.app import app

    done = CliRunner().invoke(app, ["doctor", "--shop", postgres])
    assert "the ledger is sound" in done.output, done.output


def test_two_workers_take_every_event_once(tmp_path: Path, postgres: str) -> None:
    from shopkeeper.shop.working import Worker

    folder = tmp_path / "shop"
    first = shopkeeper.create(folder, now=_CLOCK, ledger=postgres)
    second = shopkeeper.open(folder)
    deliveries, calls = 60, 10
    with first, second:
        first.places.gate.write(lambda tx: tx.put_source(Source(name="web-shop", kind="tracking")))
        with Worker(first.places) as one, Worker(second.places) as other:
            kept = _hand_in(second, deliveries, calls)
            assert kept == deliveries
            _wait(lambda: first.places.gate.inbox.backlog(0).deliveries == 0)
        assert one.took.deliveries + other.took.deliveries == deliveries
        with first.places.ledger.read() as reader:
            counts = reader.counts()
            assert counts["events"] == counts["last_seq"] == counts["cursor"] == deliveries * calls
            heard = reader.heard(0)
        assert sum(row.received for row in heard) == sum(row.kept for row in heard) == deliveries * calls
        assert sum(row.repeated for row in heard) == 0
        before = {n: first.customer(f"user_id:u{n}") for n in range(5)}
        first.rebuild()
        assert {n: first.customer(f"user_id:u{n}") for n in range(5)} == before


def test_hearing_waits_for_what_another_worker_holds(tmp_path: Path, postgres: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from shopkeeper.shop.draining import drain
    from shopkeeper.shop.working import Worker

    with shopkeeper.create(tmp_path / "one", ledger=postgres, now=_CLOCK) as shop:
        shop.add_source("web-shop", "tracking")
        with shopkeeper.open(tmp_path / "one") as beside:
            _hand_in(shop, 5, 4)
            assert len(beside.places.gate.inbox.waiting(0, 1 << 20)) == 5  # claimed by the other one
            assert drain(shop.places, patience=0.1).whole is False
            assert shop.health()["events"] == 0
            with ThreadPoolExecutor(1) as pool:
                heard = pool.submit(shop.hear)
                Worker(beside.places).drain()
                assert heard.result(timeout=120).deliveries == 0
            assert shop.health()["events"] == 20


def _hand_in(shop: Shop, deliveries: int, calls: int) -> int:
    """Hand tracking calls in; returns how many deliveries were kept on disk."""
    import threading

    left = threading.Semaphore(0)
    failed: list[Exception] = []

    def done(error: Exception | None) -> None:
        failed.extend([error] if error else [])
        left.release()

    for n in range(deliveries):
        batch = [
            {
                "type": "track", "event": "Product Viewed", "messageId": f"{n}-{i}", "userId": f"u{i % 5}",
                "properties": {"product_id": f"p{n % 7}"},
            }
            for i in range(calls)
        ]  # fmt: skip
        body = msgspec.json.encode({"batch": batch})
        delivery = Delivery(
            source="web-shop", format="tracking", received_at=NOW + n, body=body, topic="batch"
        )
        shop.places.hearing.hand_in(delivery, calls, done)
    for _ in range(deliveries):
        assert left.acquire(timeout=120)
    assert failed == []
    return deliveries


def _wait(ready, seconds: float = 120.0) -> None:
    import time

    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "the workers do not come to an end"
        time.sleep(0.05)
