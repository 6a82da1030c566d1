"""What is PostgreSQL's own: addresses, several processes, a server that goes away, deleted bytes, moving in and out."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import pytest
from tests.postgres import Server, server

from shopkeeper.domain.errors import (
    Conflict,
    InvalidInput,
    ShopkeeperError,
    StoreAway,
    StoreFailure,
    StoreTooNew,
)
from shopkeeper.stores.contract.rows import Edge, NewEvent, NewNode, Sealed
from shopkeeper.stores.ledger.sqlite import SqliteLedger
from shopkeeper.stores.sql.address import address

pytest.importorskip("psycopg", reason="psycopg is not installed")

from shopkeeper.stores.gate.postgres import PostgresGate
from shopkeeper.stores.ledger.postgres import PostgresLedger

T = TypeVar("T")


@pytest.fixture
def ledger(postgres: str) -> Iterator[PostgresLedger]:
    place = PostgresLedger(address(postgres))
    yield place
    place.close()


def event(number: int, name: str = "Product Viewed", payload: bytes = b"{}") -> NewEvent:
    return NewEvent(name, 1, "test", "", "web", 0, 0, 0, "", number.to_bytes(16), payload, b"8 bytes.")


def until(work: Callable[[], T], seconds: float = 120.0) -> T:
    """Try until the store is back."""
    end = time.monotonic() + seconds
    while True:
        try:
            return work()
        except StoreFailure:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://anna:pa%3Ass@db/shop",
        "postgresql://anna@db/shop?password=pa:ss",
        "postgres://anna:pa%3Ass@db/shop?sslmode=require&schema=outlet",
        "postgresql://anna:pa%3Ass@/shop?host=/run/postgresql",
    ],
)
def test_a_password_is_never_shown(text: str) -> None:
    where = address(text)
    assert dict(where.secrets) == {"password": "pa:ss"}
    for shown in (where.shown, where.url, str(where), repr(where)):
        assert "pa:ss" not in shown
        assert "pa%3Ass" not in shown
    assert address(where.shown) == address(where.shown)
    assert (address(where.shown).database, address(where.shown).schema) == ("shop", where.schema)


@pytest.mark.parametrize(
    "text",
    [
        "my-shop",
        "mysql://db/shop",
        "postgresql://db/shop?schema=Robert'); DROP",
        "postgresql://db/shop?schema=pg_x",
    ],
)
def test_a_bad_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        address(text)


def test_a_server_that_is_not_there_says_so_without_the_password(tmp_path: Path) -> None:
    where = address(f"postgresql://anna:verysecret@/shop?host={tmp_path}")
    with pytest.raises(StoreAway) as caught:
        PostgresLedger(where)
    assert "verysecret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.retry


def test_errors_hold_no_values(ledger: PostgresLedger) -> None:
    ledger.write(lambda tx: tx.append([event(1, payload=b"anna@example.com")]))
    with pytest.raises(StoreFailure) as caught:
        ledger.write(lambda tx: tx.append([event(1, payload=b"anna@example.com")]))
    assert "UniqueViolation" in str(caught.value)
    assert "anna" not in str(caught.value)
    assert (1).to_bytes(16).hex() not in str(caught.value)


def test_a_statement_that_failed_does_not_take_the_next_write_along(ledger: PostgresLedger) -> None:
    ledger.write(lambda tx: tx.append([event(1)]))
    with ThreadPoolExecutor(4) as pool:
        bad = [pool.submit(ledger.write, lambda tx: tx.append([event(1)])) for _ in range(3)]
        good = [pool.submit(ledger.write, lambda tx, n=n: tx.append([event(n)])) for n in range(2, 8)]
        for one in good:
            one.result(30)
        for one in bad:
            with pytest.raises(StoreFailure):
                one.result(30)
    with ledger.read() as reader:
        assert reader.counts()["events"] == 7


def test_a_swallowed_error_undoes_the_write_rather_than_losing_it_silently(ledger: PostgresLedger) -> None:
    ledger.write(lambda tx: tx.append([event(1)]))

    def swallow(tx):
        try:
            tx.append([event(1)])
        except StoreFailure:
            tx_broken.append(True)

    tx_broken: list[bool] = []
    with pytest.raises(StoreFailure):
        ledger.write(swallow)
    assert tx_broken
    ledger.write(lambda tx: tx.append([event(2)]))


def test_texts_with_the_character_nul_are_kept(ledger: PostgresLedger) -> None:
    ledger.write(lambda tx: tx.append([event(1, name="a\0b")]))
    with ledger.read() as reader:
        assert reader.event_names() == {"a␀b": 1}
    ledger.write(lambda tx: tx.keep("odd\0", "ünï — 漢字 😀 % ? $1"))
    with ledger.read() as reader:
        assert reader.setting("odd\0") == "ünï — 漢字 😀 % ? $1"


def test_one_batch_may_tell_of_one_row_twice(ledger: PostgresLedger) -> None:
    ledger.write(
        lambda tx: tx.link([Edge(1, 2, 50, 1, "later"), Edge(1, 2, 20, 2, "earlier"), Edge(1, 2, 90, 3, "x")])
    )
    with ledger.read() as reader:
        assert reader.edges([1]) == [Edge(1, 2, 20, 2, "earlier")]


def test_large_batches_and_numbers_travel_whole(ledger: PostgresLedger) -> None:
    big = (1 << 63) - 1
    rows = [
        event(n, payload=bytes([n % 256]) * (n % 300))._replace(occurred_at=big - n) for n in range(25_000)
    ]
    ledger.write(lambda tx: tx.append(rows))
    with ledger.read() as reader:
        log = reader.log_after(0, 30_000)
    assert [(e.key, e.payload, e.occurred_at) for e in log] == [
        (r.key, r.payload, r.occurred_at) for r in rows
    ]


def test_processes_that_start_at_once_make_one_schema(postgres: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        places = list(pool.map(lambda _: PostgresLedger(address(postgres)), range(6)))
    for place in places:
        assert place.check() == []
        place.close()


def test_several_processes_write_one_after_the_other(postgres: str) -> None:
    code = (
        "import sys\n"
        "from shopkeeper.stores.ledger.postgres import PostgresLedger\n"
        "from shopkeeper.stores.sql.address import address\n"
        "from tests.stores.test_postgres import event\n"
        "ledger = PostgresLedger(address(sys.argv[1]))\n"
        "for n in range(30):\n"
        "    ledger.write(lambda tx: tx.append([event(int(sys.argv[2]) * 1000 + 10 * n + i) for i in range(5)]))\n"
        "ledger.close()\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, postgres, str(n)], cwd=Path(__file__).parents[2])
        for n in range(3)
    ]
    assert [child.wait(240) for child in children] == [0, 0, 0]
    ledger = PostgresLedger(address(postgres))
    with ledger.read() as reader:
        log = reader.log_after(0, 10_000)
        assert reader.setting("last_seq") == "450"
    assert [e.seq for e in log] == list(range(1, 451))
    assert len({e.key for e in log}) == 450
    ledger.close()


def test_a_newer_schema_is_refused(ledger: PostgresLedger) -> None:
    ledger.write(lambda tx: tx.session.run("UPDATE schema_version SET version = 9999"))  # type: ignore[attr-defined]
    with pytest.raises(StoreTooNew):
        PostgresLedger(ledger.address)


def test_deleted_bytes_leave_the_files_once_nobody_reads_an_older_state(
    ledger: PostgresLedger, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = b"deleted-must-be-gone-" + ledger.schema.encode()

    def on_disk() -> bool:
        ledger.write(lambda tx: tx.session.run("CHECKPOINT"))  # type: ignore[attr-defined]
        return any(
            mark in file.read_bytes()
            for file in (postgres_server.folder / "base").rglob("*")
            if file.is_file()
        )

    def work(tx) -> int:
        placed = tx.add_nodes([NewNode(b"hash", "email", b"salt", b"sealed", 0)])
        tx.seal([Sealed(placed[b"hash"], 1, 0, "Identified", mark)], [])
        return placed[b"hash"]

    node = ledger.write(work)
    assert on_disk()
    with ledger.read() as reader:
        assert reader.sealed([node])
        ledger.write(lambda tx: tx.forget([node], [], [], [], 5))
        with monkeypatch.context() as hasty:
            hasty.setattr("shopkeeper.stores.sql.postgres._SCRUB_PATIENCE", 0.2)
            assert not ledger.scrub(), "somebody reads what was deleted"
        assert reader.sealed([node])
    assert ledger.scrub()
    assert not on_disk()


def test_a_ledger_moves_from_sqlite_and_back_without_a_change(
    postgres: str, tmp_path: Path, sample_shop
) -> None:
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    sample_shop.places.ledger.backup(first)
    SqliteLedger(first).close()
    ledger = PostgresLedger(address(postgres))
    ledger.load(first)
    assert ledger.check() == []
    with pytest.raises(Conflict):
        ledger.load(first)
    ledger.write(lambda tx: tx.note_import(b"{}"))
    ledger.write(lambda tx: tx.session.run("DELETE FROM import WHERE summary = ?", (b"{}",)))  # type: ignore[attr-defined]
    ledger.backup(second)
    ledger.close()
    assert _rows(first) == _rows(second)


def _rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(file)) as one:
        tables = [name for (name,) in one.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = {table: sorted(one.execute(f"SELECT * FROM {table}")) for table in tables}
        found["indexes"] = sorted(
            one.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index'"), key=str
        )
    return found


def test_a_claim_of_a_dead_worker_is_free_and_counts_as_an_attempt(postgres: str) -> None:
    from tests.spec.test_gate import delivery, put

    first, second = PostgresGate(address(postgres)), PostgresGate(address(postgres))
    put(first, *[delivery(b"%d" % n) for n in range(4)])
    held = first.inbox.waiting(0, 1)
    assert len(held) == 1
    rest = second.inbox.waiting(0, 1 << 40)
    assert len(rest) == 3
    assert first.inbox.waiting(0, 1 << 40) == held, "what another holds is passed over"
    job = first.write(lambda tx: tx.add_job(_job()))
    first.write(lambda tx: tx.begin_job(1))
    assert second.write(lambda tx: tx.resume_jobs(1)) == [], "its worker lives"
    first.close()
    again = until(lambda: _at_least(second, 4))
    assert [(k.id, k.attempts) for k in again if k.id == held[0].id] == [(held[0].id, 1)]
    assert second.write(lambda tx: tx.resume_jobs(1)) == [job]
    second.close()


def _at_least(gate: PostgresGate, count: int):
    waiting = gate.inbox.waiting(0, 1 << 40)
    if len(waiting) < count:
        raise StoreFailure("the server has not noticed yet")
    return waiting


def _job():
    from tests.spec.test_gate import job

    return job()


def test_what_another_worker_took_is_not_taken_twice(postgres: str) -> None:
    from tests.spec.test_gate import delivery, put

    gate, ledger = PostgresGate(address(postgres)), PostgresLedger(address(postgres))
    put(gate, delivery(), delivery())
    ids = [k.id for k in gate.inbox.waiting(0, 1 << 40)]

    def take(tx) -> None:
        tx.append([event(int(tx.setting("last_seq") or 0) + 1)])
        gate.inbox.settle(tx, ids)

    ledger.write(take)
    with pytest.raises(StoreFailure, match="another worker"):
        ledger.write(take)
    with ledger.read() as reader:
        assert reader.counts()["events"] == 1
    assert gate.inbox.waiting(0, 1 << 40) == []
    gate.close()
    ledger.close()


class Load:
    """Three threads that write and one that reads, through every failure of the store, until stopped."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self.ledger = ledger
        self.acknowledged: list[int] = []
        self.failures: list[ShopkeeperError] = []
        self.surprises: list[BaseException] = []
        self._stop = threading.Event()
        works = [*(partial(self._write, n) for n in range(3)), self._read]
        self._threads = [threading.Thread(target=self._repeat, args=(work,)) for work in works]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[int], None]) -> None:
        n = 0
        while not self._stop.is_set():
            n += 1
            try:
                work(n)
            except StoreFailure as error:
                self.failures.append(error)
                time.sleep(0.01)
            except BaseException as error:  # noqa: BLE001 - anything else is a fault
                self.surprises.append(error)
                return

    def _write(self, thread: int, n: int) -> None:
        number = thread * 1_000_000 + n
        self.ledger.write(lambda tx: tx.append([event(number)]))
        self.acknowledged.append(number)

    def _read(self, _: int) -> None:
        with self.ledger.read() as reader:
            reader.counts()


def test_a_server_that_crashes_under_load_loses_nothing_that_was_acknowledged() -> None:
    with server() as running:
        ledger = PostgresLedger(address(running.address()))
        with Load(ledger) as load:
            for _ in range(2):
                _more(load.acknowledged, 50)
                running.crash()
                _more(load.failures, 1)
                running.start()
                _more(load.acknowledged, 50)
        assert load.surprises == []
        kept = until(lambda: _numbers(ledger))
        assert len(kept) == len(set(kept))
        assert set(load.acknowledged) <= set(kept)
        assert until(ledger.check) == []
        ledger.close()


def _more(of: Sequence[object], count: int) -> None:
    """Wait until there are so many more."""
    target, end = len(of) + count, time.monotonic() + 120
    while len(of) < target:
        assert time.monotonic() < end, "it does not go on"
        time.sleep(0.02)


def _numbers(ledger: PostgresLedger) -> list[int]:
    with ledger.read() as reader:
        return [int.from_bytes(e.key) for e in reader.log_after(0, 1_000_000)]
