"""A customer asks to be forgotten: nothing that names her is left in any file, and the books still add up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import pytest
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.collect.intake import Outcome
from shopkeeper.domain.errors import Conflict, NotFound
from shopkeeper.know import memory
from shopkeeper.shop import Shop, backups
from shopkeeper.stores.contract.lake import LakeChange
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.sql import sqlite

PERSON = {
    "first_name": "Zaphodia",
    "last_name": "Beeblebrox",
    "street": "42 Galaxy Road",
    "city": "Magratheaville",
    "postcode": "ZZ9 9ZA",
    "birthday": "1980-05-02",
}
TRACES = (
    b"zaphodia", b"Zaphodia", b"Beeblebrox", b"Galaxy", b"Magrathea", b"ZZ9", b"1980-05-02", b"customer-4711",
    b"LC4711", b"TOK4711", b"cookie-4711", b"+442079460958", b"020 7946 0958", b"towel", b"Milliways",
)  # fmt: skip


def live(shop: Shop) -> None:
    """A life in every channel, and somebody else beside it."""
    ids = {"user_id": "customer-4711", "email": "zaphodia@example.com", "loyalty_card": "LC4711"}
    put(
        shop,
        event("Identified", "i", -9 * DAY, ids=ids, phone="020 7946 0958", **PERSON),
        order(
            "1",
            -8 * DAY,
            ids={"loyalty_card": "LC4711", "payment_token": "TOK4711"},
            channel="store",
            store="S1",
        ),
        event(
            "Identified", "login", -7 * DAY, ids={"user_id": "customer-4711", "anonymous_id": "cookie-4711"}
        ),
        event("Product Viewed", "v", -7 * DAY, ids={"anonymous_id": "cookie-4711"}, product_id="p1"),
        event(
            "Contact Opened",
            "k",
            -6 * DAY,
            ids={"email": "zaphodia@example.com"},
            contact_id="K",
            subject="My towel",
        ),
        event("Robot Waved", "r", -5 * DAY, ids={"user_id": "customer-4711"}, note="met at Milliways"),
        event(
            "Product Viewed", "late", 3 * DAY, ids={"email": "zaphodia@example.com"}, product_id="p1"
        ),  # refused
        order("2", -8 * DAY, ids={"user_id": "somebody-else"}),
    )
    shop.refresh()


def traces(folder: Path) -> list[str]:
    """Where any trace stands in the folder's files, those inside backups too."""
    found = []
    for file in folder.rglob("*"):
        if not file.is_file():
            continue
        bodies = {file.name: file.read_bytes()}
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                bodies |= {f"{file.name}:{name}": archive.read(name) for name in archive.namelist()}
        found += [
            f"{trace!r} in {name}" for name, body in bodies.items() for trace in TRACES if trace in body
        ]
    return found


def nodes_of(shop: Shop) -> list[int]:
    with shop.places.ledger.read() as reader:
        return [m.node for m in reader.nodes_of([int(shop.customer("zaphodia@example.com").id[1:])])]


def personal_bytes(shop: Shop) -> list[bytes]:
    """Salts and sealed values of the person, as they lie in the ledger."""
    nodes = nodes_of(shop)
    with shop.places.ledger.read() as reader:
        rows = reader.identifiers(nodes)
        return [r.salt for r in rows] + [r.sealed for r in rows] + [r.sealed for r in reader.sealed(nodes)]


def in_lake(shop: Shop, nodes: list[int]) -> int:
    """Rows of the lake that tell of some nodes."""
    shop.places.lake.manifest()
    tables = ("events", "order_lines", "identities")
    sql = " UNION ALL ".join(f"SELECT node FROM {t} WHERE list_contains($nodes, node)" for t in tables)
    return shop.query(sql, {"nodes": nodes}).num_rows


def test_nothing_is_left_of_an_erased_person(shop: Shop, tmp_path: Path) -> None:
    live(shop)
    exported = shop.export("zaphodia@example.com")
    assert {e["event"] for e in exported["events"]} >= {
        "Identified",
        "Order Completed",
        "Contact Opened",
        "Robot Waved",
    }
    assert "met at Milliways" in str(exported)
    before = shop.report()
    inside, outside = shop.backup(), shop.backup(tmp_path / "outside.zip")
    gone = shop.backup(tmp_path / "taken-away.zip")
    shutil.move(gone, tmp_path / "elsewhere.zip")

    receipt = shop.erase("zaphodia@example.com")

    assert (receipt.events_removed, receipt.orders_kept) == (5, 1)
    backups = {f"backup {file.name}" for file in (inside, outside)}
    assert set(receipt.places) == {"gate", "ledger", "lake", "models", *backups}
    assert receipt.unreachable == ("taken-away.zip",)
    for who in ("zaphodia@example.com", "loyalty_card:LC4711", "payment_token:TOK4711", receipt.customer):
        with pytest.raises(NotFound):
            shop.customer(who)
    assert shop.find("Beeblebrox").rows == ()
    assert shop.quarantine() == []
    shop.refresh()
    after = shop.report()
    assert (after.trade.orders, after.trade.amount) == (before.trade.orders, before.trade.amount)
    assert after.people.buyers == before.people.buyers - 1
    shop.close()
    assert traces(tmp_path / "shop") == []

    for backup in (inside, outside):
        with shopkeeper.restore(backup, tmp_path / backup.stem) as restored:
            with pytest.raises(NotFound):
                restored.customer("zaphodia@example.com")
            assert restored.customer("user_id:somebody-else").traits["orders"] == 1
        assert traces(tmp_path / backup.stem) == []


def test_pseudonyms_and_sealed_values_of_an_erased_person_are_gone_too(shop: Shop) -> None:
    """Without its salt a sealed value is noise; but the very bytes must go, wherever SQLite had moved them."""
    live(shop)
    bytes_ = personal_bytes(shop)
    assert len(bytes_) > 10
    shop.erase("zaphodia@example.com")
    shop.close()
    for file in Path(shop.places.folder).rglob("*"):
        if file.is_file():
            body = file.read_bytes()
            assert not [b for b in bytes_ if b in body], file.name


_ERASE = """
import sys, shopkeeper
with shopkeeper.open(sys.argv[1]) as shop:
    places = shop.places
    def stuck(*_, **__):
        print("stuck", flush=True)
        sys.stdin.readline()
    setattr(getattr(places, sys.argv[2]), sys.argv[3], stuck)
    shop.erase("zaphodia@example.com")
"""


@pytest.mark.parametrize(("place", "deed"), [("ledger", "scrub"), ("lake", "forget")])
def test_an_erasure_that_is_killed_is_finished_when_the_shop_opens(
    shop: Shop, tmp_path: Path, place: str, deed: str
) -> None:
    live(shop)
    nodes = nodes_of(shop)
    outside = shop.backup(tmp_path / "outside.zip")
    shop.close()
    folder = shop.places.folder
    with subprocess.Popen(
        [sys.executable, "-c", _ERASE, str(folder), place, deed],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"stuck\n"
        os.kill(child.pid, signal.SIGKILL)
    with shopkeeper.open(folder) as again:
        with pytest.raises(NotFound):
            again.erase("zaphodia@example.com")
        assert in_lake(again, nodes) == 0
        assert [f for f in again.doctor() if "erasure" in f.what and not f.ok] == []
    assert traces(folder) == []
    with shopkeeper.restore(outside, tmp_path / "restored") as restored:
        assert in_lake(restored, nodes) == 0
    assert traces(tmp_path / "restored") == []


def test_an_erasure_beside_a_busy_lake_is_finished_later(shop: Shop, tmp_path: Path) -> None:
    live(shop)
    nodes = nodes_of(shop)
    shop.places.lake._patience = 0.0  # type: ignore[attr-defined]
    with shopkeeper.open(shop.places.folder) as other, other.places.lake.change():
        receipt = shop.erase("zaphodia@example.com")
        assert receipt.unreachable == ("lake",)
        meanwhile = shop.backup(tmp_path / "meanwhile.zip")
        assert in_lake(shop, nodes) > 0
        assert [f.ok for f in shop.doctor() if "erasure" in f.what] == [False]
    shop.refresh()
    assert in_lake(shop, nodes) == 0
    assert [f.ok for f in shop.doctor() if "erasure" in f.what] == [True]
    with zipfile.ZipFile(meanwhile) as archive:
        archive.extractall(tmp_path / "unpacked")
    left = duckdb.connect().execute(
        "SELECT count(*) FROM read_parquet($files, union_by_name = true) WHERE list_contains($nodes, node)",
        {"files": [str(f) for f in (tmp_path / "unpacked/lake/events").rglob("*.parquet")], "nodes": nodes},
    )
    assert left.fetchall() == [(0,)]


_READ = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM event").fetchall()
print("reading", flush=True)
sys.stdin.readline()
"""


def test_who_reads_an_older_state_is_named_and_the_log_is_emptied_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(shop)
    names = personal_bytes(shop)
    ledger = shop.places.folder / "ledger.db"
    with subprocess.Popen(
        [sys.executable, "-c", _READ, str(ledger)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"reading\n"
        with monkeypatch.context() as hasty:
            hasty.setattr(sqlite, "_SCRUB_PATIENCE", 0.1)
            receipt = shop.erase("zaphodia@example.com")
        assert receipt.unreachable == ("ledger log",)
        assert "ledger" not in receipt.places
        put(shop, order("3", ids={"user_id": "somebody-else"}))
        child.communicate(b"\n")
    shop.refresh()
    assert [f.ok for f in shop.doctor() if "erasure" in f.what] == [True]
    for file in (ledger, ledger.with_name("ledger.db-wal")):
        body = file.read_bytes()
        assert not [name for name in names if name in body], file.name


def test_feeding_holds_no_old_state_while_it_waits_for_the_lake(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(shop)
    reading = 0
    read, change = shop.places.ledger.read, shop.places.lake.change

    @contextmanager
    def counted() -> Iterator[LedgerReader]:
        nonlocal reading
        with read() as reader:
            reading += 1
            yield reader
            reading -= 1

    at_the_door: list[int] = []

    def asked() -> AbstractContextManager[LakeChange]:
        at_the_door.append(reading)
        return change()

    monkeypatch.setattr(shop.places.ledger, "read", counted)
    monkeypatch.setattr(shop.places.lake, "change", asked)
    shop.refresh()
    assert at_the_door == [0]


@pytest.mark.parametrize("moment", ["before the ledger", "after the ledger"])
def test_a_backup_that_is_written_during_an_erasure_is_clean(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    live(shop)
    nodes = nodes_of(shop)
    monkeypatch.setattr(backups, "PATIENCE", 0.0)
    copy = shop.places.ledger.backup
    receipts = []

    def meanwhile(to: Path) -> None:
        def erase() -> None:
            if not receipts:
                with shopkeeper.open(shop.places.folder) as other:
                    receipts.append(other.erase("zaphodia@example.com"))

        if moment == "before the ledger":
            erase()
        copy(to)
        erase()

    monkeypatch.setattr(shop.places.ledger, "backup", meanwhile)
    file = shop.backup(tmp_path / "b.zip")
    assert receipts[0].unreachable == ("backups, while one is being written or cleaned",)
    with shopkeeper.restore(file, tmp_path / "restored") as restored:
        with pytest.raises(NotFound):
            restored.customer("zaphodia@example.com")
        assert in_lake(restored, nodes) == 0
        assert restored.customer("user_id:somebody-else").traits["orders"] == 1
    assert traces(tmp_path / "restored") == []


def test_in_a_backup_only_the_erased_person_goes_and_not_whom_they_were_merged_with(
    shop: Shop, tmp_path: Path
) -> None:
    """Two people on one tablet look like one, until a second login says otherwise."""
    tablet = {"anonymous_id": "tablet"}
    put(
        shop,
        event("Identified", "1", -9 * DAY, ids={"email": "zaphodia@example.com"} | tablet, **PERSON),
        event("Identified", "2", -8 * DAY, ids={"phone": "+442079460000"} | tablet, first_name="Ford"),
        order("z", -8 * DAY, ids={"email": "zaphodia@example.com"}),
        order("f", -7 * DAY, ids={"phone": "+442079460000"}),
    )
    shop.refresh()
    assert shop.customer("zaphodia@example.com").id == shop.customer("+442079460000").id
    file = shop.backup(tmp_path / "b.zip")
    put(
        shop,
        event("Identified", "3", -6 * DAY, ids={"user_id": "z", "email": "zaphodia@example.com"} | tablet),
        event("Identified", "4", -5 * DAY, ids={"user_id": "f", "phone": "+442079460000"} | tablet),
    )
    assert shop.customer("zaphodia@example.com").id != shop.customer("+442079460000").id
    shop.erase("zaphodia@example.com")
    assert shop.customer("+442079460000").traits["orders"] == 1
    with shopkeeper.restore(file, tmp_path / "restored") as restored:
        ford = restored.customer("+442079460000")
        assert (ford.name, ford.traits["orders"]) == ("Ford", 1)
        with pytest.raises(NotFound):
            restored.customer("zaphodia@example.com")
        restored.refresh()
        assert restored.report().trade.orders == 2
        assert restored.customers().num_rows == restored.health()["customers"]


def test_nobody_waits_to_be_forgotten_because_events_cannot_be_folded(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(shop)
    outcome = Outcome()
    news = [
        event("Identified", "more", -DAY, ids={"user_id": "customer-4711", "anonymous_id": "cookie-4712"}),
        event("Product Viewed", "w", -DAY, ids={"anonymous_id": "cookie-4712"}, product_id="p1"),
    ]
    shop.places.ledger.write(lambda tx: shop.places.intake.append(tx, news, outcome))

    def broken(*_: object, **__: object) -> None:
        raise OverflowError

    with monkeypatch.context() as patched:
        patched.setattr(memory, "extend", broken)
        patched.setattr(memory, "refold", broken)
        file = shop.backup()
        receipt = shop.erase("zaphodia@example.com")
        assert f"backup {file.name}" in receipt.places
        assert receipt.events_removed == 7
    shop.refresh()
    for who in ("zaphodia@example.com", "anonymous_id:cookie-4712"):
        with pytest.raises(NotFound):
            shop.customer(who)
    assert shop.customer("user_id:somebody-else").traits["orders"] == 1
    shop.close()
    assert traces(shop.places.folder) == []


def test_a_shared_address_does_not_say_who_is_to_be_forgotten_and_goes_with_the_last_of_them(
    shop: Shop,
) -> None:
    for person in ("ann", "bob"):
        put(shop, order(person, -9 * DAY, ids={"user_id": person, "email": "family@example.com"}))
    with pytest.raises(Conflict, match="2 customers share"):
        shop.erase("family@example.com")
    shop.erase("user_id:ann")
    assert shop.customer("family@example.com").identifiers
    assert shop.customer("user_id:bob").traits["orders"] == 1
    shop.erase("user_id:bob")
    with pytest.raises(NotFound):
        shop.customer("family@example.com")
