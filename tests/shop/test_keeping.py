"""Backups, restoring, the doctor, and shops of another version."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.domain.actor import ROLES, Actor, Permission
from shopkeeper.domain.errors import (
    BadFile,
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    StoreDamaged,
    StoreFull,
    StoreTooNew,
    UnknownName,
)
from shopkeeper.shop import Shop, backups
from shopkeeper.stores.sql import sqlite


def tell(shop: Shop) -> object:
    """Everything a shop shows, as plain data."""
    page = shop.find(sort="margin", limit=500)
    everybody = [msgspec.to_builtins(shop.customer(row.id)) for row in page.rows]
    report = msgspec.to_builtins(shop.report())
    return page.rows, everybody, report, shop.customers().to_pylist(), shop.health()


def test_a_backup_restored_elsewhere_is_the_same_shop(sample_shop: Shop, tmp_path: Path) -> None:
    file = sample_shop.backup(tmp_path / "b.zip")
    with shopkeeper.restore(file, tmp_path / "elsewhere") as restored:
        assert tell(restored) == tell(sample_shop)
        assert restored.doctor()[3].what == "the ledger is sound"
        someone = sample_shop.find(sort="margin", limit=1).rows[0]
        assert restored.timeline(someone.id) == sample_shop.timeline(someone.id)


def test_a_backup_never_overwrites(shop: Shop, tmp_path: Path) -> None:
    file = shop.backup(tmp_path / "b.zip")
    with pytest.raises(Conflict):
        shop.backup(file)
    assert shop.backup() != shop.backup()


def test_a_backup_on_a_full_disk_leaves_nothing(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull):
        shop.backup(tmp_path / "b.zip")
    assert not list(tmp_path.glob("*.zip*"))
    assert not list(tmp_path.glob(".*"))
    monkeypatch.undo()
    assert shop.backup(tmp_path / "b.zip").exists()


def test_a_backup_taken_while_others_refresh_lives_on(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shop, order("1", -DAY, ids={"user_id": "7"}))
    shop.refresh()
    copy = shop.places.ledger.backup

    def in_a_lively_shop(to: Path) -> None:
        for moment in ("before", "after"):
            with shopkeeper.open(shop.places.folder) as other:
                put(other, order(f"{moment}", -DAY, ids={"user_id": "7"}))
                other.refresh()
            if moment == "before":
                copy(to)

    monkeypatch.setattr(shop.places.ledger, "backup", in_a_lively_shop)
    file = shop.backup(tmp_path / "b.zip")
    with shopkeeper.restore(file, tmp_path / "restored") as restored:
        assert restored.customer("user_id:7").traits["orders"] == 2
        put(restored, order("new", -DAY, ids={"user_id": "7"}, price="70.00"))
        restored.refresh()
        assert (restored.report().trade.orders, restored.report().trade.amount) == (3, 90.0)
        assert [f for f in restored.doctor() if not f.ok and "backup" not in f.advice] == []


def test_a_backup_of_a_lake_that_is_rewritten_meanwhile_is_whole(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shop, *(order(str(n), -DAY, ids={"user_id": str(n)}) for n in range(4)))
    shop.refresh()
    lake = shop.places.lake
    look = lake.manifest
    looked = 0

    def manifest() -> object:
        nonlocal looked
        looked += 1
        seen = look()
        if looked == 1:
            with shopkeeper.open(shop.places.folder) as other:
                other.erase("user_id:3")  # its files go at once
        return seen

    monkeypatch.setattr(lake, "manifest", manifest)
    monkeypatch.setattr(backups, "PATIENCE", 0.0)
    file = shop.backup(tmp_path / "b.zip")
    with shopkeeper.restore(file, tmp_path / "restored") as restored:
        assert [f for f in restored.doctor() if not f.ok and "backup" not in f.advice] == []
        assert restored.report().trade.orders == 4


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_a_backup_and_a_restored_shop_are_their_owners_alone(shop: Shop, tmp_path: Path) -> None:
    def open_to_others(*places: Path) -> list[str]:
        return [place.name for place in places if place.stat().st_mode & 0o077]

    before = os.umask(0o022)
    try:
        put(shop, order("1", ids={"user_id": "7"}))
        shop.refresh()
        file = shop.backup(tmp_path / "b.zip")
        shopkeeper.restore(file, tmp_path / "new").close()
        (tmp_path / "there").mkdir()
        shopkeeper.restore(file, tmp_path / "there").close()
        shop.erase("user_id:7")
        assert open_to_others(file, shop.places.folder, tmp_path / "new") == []
        for name in ("new", "there"):
            assert (
                open_to_others(*(f for f in (tmp_path / name).rglob("*") if f.name != "ledger.db-wal")) == []
            )
    finally:
        os.umask(before)


_BACKUP = """
import sys, time, shopkeeper
with shopkeeper.open(sys.argv[1]) as shop:
    copy = shop.places.ledger.backup
    def stuck(to):
        copy(to)
        print("copied", flush=True)
        sys.stdin.readline()
    shop.places.ledger.backup = stuck
    shop.backup(sys.argv[2])
"""


def test_a_killed_backup_leaves_nothing_behind(shop: Shop, tmp_path: Path) -> None:
    put(shop, order("1", ids={"user_id": "7"}))
    outside = tmp_path / "outside"
    for target in (outside / "b.zip", shop.places.folder / "backups" / "b.zip"):
        child = subprocess.Popen(
            [sys.executable, "-c", _BACKUP, str(shop.places.folder), str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"copied\n"
            shopkeeper.open(shop.places.folder).close()
            assert list(target.parent.rglob("ledger.db")), "a backup that is being written was swept away"
            os.kill(child.pid, signal.SIGKILL)
        assert list(target.parent.rglob("ledger.db"))
        shopkeeper.open(shop.places.folder).close()
        assert not list(target.parent.rglob("ledger.db"))
        assert not list(target.parent.glob(".*"))
        assert shop.erase(shop.find(limit=1, sort="recent").rows[0].id).unreachable == ()
        put(shop, order(f"{target.parent.name}", ids={"user_id": "8"}))
        assert shop.backup(target) == target


def test_a_restored_shop_leaves_the_backups_of_the_other_alone(shop: Shop, tmp_path: Path) -> None:
    put(shop, order("1", ids={"user_id": "7"}))
    file = shop.backup(tmp_path / "b.zip")
    later = shop.backup(tmp_path / "later.zip")
    before = file.read_bytes()
    with shopkeeper.restore(later, tmp_path / "clone") as clone:
        receipt = clone.erase("user_id:7")
        assert receipt.places == ("gate", "ledger", "lake", "models")
        assert receipt.unreachable == ()
    assert file.read_bytes() == before
    assert shop.erase("user_id:7").places == (
        "gate",
        "ledger",
        "lake",
        "models",
        "backup b.zip",
        "backup later.zip",
    )


def test_readers_are_few_and_end_with_the_ledger(shop: Shop) -> None:
    ledger = shop.places.ledger
    with ExitStack() as many:
        readers = [many.enter_context(ledger.read()) for _ in range(20)]
        sizes = {r.session.rows("PRAGMA cache_size")[0][0] for r in readers}  # type: ignore[attr-defined]
        assert sizes == {-16_384}
    assert len(ledger._idle) == 8  # type: ignore[attr-defined]
    with ledger.read() as reader:
        shop.close()
        assert reader.counts()["events"] == 0
    assert ledger._idle == []  # type: ignore[attr-defined]
    with pytest.raises(Conflict, match="closed"), ledger.read():
        pass


def test_a_scrub_that_waits_for_a_reader_holds_up_no_write(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shop, order("1", ids={"user_id": "7"}))
    monkeypatch.setattr(sqlite, "_SCRUB_PATIENCE", 60.0)
    tried = threading.Event()
    glance = shop.places.ledger._emptied  # type: ignore[attr-defined]

    def emptied() -> bool:
        done: bool = glance()
        tried.set()
        return done

    monkeypatch.setattr(shop.places.ledger, "_emptied", emptied)
    with ThreadPoolExecutor(1) as pool:
        with shop.places.ledger.read():
            scrubbed = pool.submit(shop.places.ledger.scrub)
            tried.wait()
            shop.places.ledger.write(lambda tx: tx.keep("told", "meanwhile"))
            assert not scrubbed.done()
        assert scrubbed.result() is True


@pytest.mark.parametrize("body", [b"", b"no zip at all"])
def test_what_is_no_backup_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(body)
    with pytest.raises(BadFile):
        shopkeeper.restore(tmp_path / "b.zip", tmp_path / "new")
    with pytest.raises(NotFound):
        shopkeeper.restore(tmp_path / "missing.zip", tmp_path / "new2")


@pytest.mark.parametrize(
    ("leave_out", "add"),
    [
        ("secret.key", {}),
        ("shop.toml", {}),
        ("ledger.db", {}),
        ("shop.toml", {"shop.toml": b"nonsense = true"}),
        ("ledger.db", {"ledger.db": b"this is no database, it only looks long enough" * 100}),
        ("secret.key", {"secret.key": b"short"}),
        ("", {"lake/../../evil": b"x"}),
        ("", {"evil.sh": b"x"}),
        ("", {"models/a": b"x", "models/a/b": b"y"}),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_an_odd_archive_is_refused_and_leaves_nothing(
    shop: Shop, tmp_path: Path, leave_out: str, add: dict[str, bytes], *, there: bool
) -> None:
    with zipfile.ZipFile(shop.backup()) as whole, zipfile.ZipFile(tmp_path / "odd.zip", "w") as odd:
        for name in whole.namelist():
            if name != leave_out:
                odd.writestr(name, whole.read(name))
        for name, body in add.items():
            odd.writestr(name, body)
    target = tmp_path / "deep" / "new"
    if there:
        target.mkdir(parents=True)
    with pytest.raises(BadFile):
        shopkeeper.restore(tmp_path / "odd.zip", target)
    assert list(target.parent.iterdir()) == ([target] if there else [])
    assert not there or list(target.iterdir()) == []


def test_restoring_over_something_is_refused(shop: Shop, tmp_path: Path) -> None:
    file = shop.backup(tmp_path / "b.zip")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "keep.txt").write_text("mine")
    with pytest.raises(Conflict):
        shopkeeper.restore(file, tmp_path / "full")


def test_the_doctor_is_content_with_a_refreshed_shop_and_says_what_to_do_with_another(shop: Shop) -> None:
    put(shop, order("1", ids={"user_id": "7"}))
    behind = [f for f in shop.doctor() if not f.ok]
    assert any("refresh" in f.advice for f in behind)
    shop.refresh()
    shop.backup()
    assert [f for f in shop.doctor() if not f.ok] == []


def test_a_ledger_of_a_newer_version_is_not_touched(shop: Shop) -> None:
    folder = shop.places.folder
    shop.close()
    with sqlite3.connect(folder / "ledger.db") as connection:
        connection.execute("PRAGMA user_version=9999")
    connection.close()
    with pytest.raises(StoreTooNew):
        shopkeeper.open(folder)


def test_a_damaged_ledger_says_so(shop: Shop) -> None:
    folder = shop.places.folder
    shop.close()
    (folder / "ledger.db").write_bytes(b"this is no database, it only looks long enough" * 100)
    with pytest.raises(StoreDamaged):
        shopkeeper.open(folder)


def test_a_missing_secret_says_so(shop: Shop) -> None:
    folder = shop.places.folder
    shop.close()
    (folder / "secret.key").unlink()
    with pytest.raises(StoreDamaged, match=r"secret\.key"):
        shopkeeper.open(folder)


def test_settings_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="currency"):
        shopkeeper.create(tmp_path / "a", currency="pounds")
    with pytest.raises(InvalidInput, match="time zone"):
        shopkeeper.create(tmp_path / "b", time_zone="Mars/Olympus")
    with shopkeeper.create(tmp_path / "c"):
        pass
    file = tmp_path / "c" / "shop.toml"
    file.write_text(file.read_text().replace("currency", "curency"))
    with pytest.raises(UnknownName, match="currency"):
        shopkeeper.open(tmp_path / "c")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_verb_asks_for_a_permission(shop: Shop, role: str) -> None:
    put(
        shop,
        event(
            "Identified",
            "i",
            ids={"user_id": "7", "email": "anna@example.com"},
            first_name="Anna",
            last_name="Berg",
        ),
    )
    shop.refresh()
    seen = shop.as_actor(Actor("somebody", role))
    verbs = {
        "report": seen.report,
        "look_up": lambda: seen.customer("user_id:7"),
        "collect": lambda: seen.preview("missing.csv"),
        "refresh": seen.refresh,
        "export": lambda: seen.export("user_id:7"),
        "administer": seen.doctor,
        "accounts": seen.users,
        "audit": seen.audit,
        "forget": lambda: seen.erase("user_id:8"),
        "resolve": seen.review,
        "segment": lambda: seen.save_segment("vip", "orders >= 2"),
    }
    assert set(verbs) == set(Permission)
    for permission, verb in verbs.items():
        if permission in ROLES[role].may:
            try:
                verb()
            except NotPermitted:
                pytest.fail(f"{role} may {permission}")
            except (NotFound, BadFile):
                pass
        else:
            with pytest.raises(NotPermitted):
                verb()
    if "look_up" in ROLES[role].may:
        sees = ROLES[role].sees
        assert (seen.customer("user_id:7").name == "Anna Berg") is ("name" in sees)
        assert ("anna@example.com" in str(seen.customer("user_id:7"))) is ("contact" in sees)
