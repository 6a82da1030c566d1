"""What the gate's SQLite file does beyond what every gate does."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shopkeeper.domain.errors import Conflict, StoreBusy, StoreFailure, StoreFull
from shopkeeper.stores.contract.gate import NewDelivery
from shopkeeper.stores.gate.appending import Appender
from shopkeeper.stores.gate.sqlite import SqliteGate


def delivery(body: bytes) -> NewDelivery:
    return NewDelivery(1, "web", "tracking", "batch", 1, b"salt" * 4, body)


def put(inbox: object, *bodies: bytes) -> list[Exception | None]:
    """What each was told."""
    heard: dict[int, Exception | None] = {}
    everybody = threading.Semaphore(0)

    def telling(place: int) -> Callable[[Exception | None], None]:
        def done(error: Exception | None) -> None:
            heard[place] = error
            everybody.release()

        return done

    for place, body in enumerate(bodies):
        inbox.put(delivery(body), telling(place))  # type: ignore[attr-defined]
    for _ in bodies:
        assert everybody.acquire(timeout=120)
    return [heard[place] for place in range(len(bodies))]


class SmallDisk(SqliteGate):
    """A gate whose disk has room for so many pages more, as far as its appender can tell."""

    pages: int | None = None
    read_only = False
    """Whether SQLite can only read now; whoever connects meanwhile can only read for ever."""

    def connection(self) -> sqlite3.Connection:
        made = super().connection()
        if self.read_only:
            made.execute("PRAGMA query_only=ON")
        self.appending = made
        return made

    def room(self, pages: int) -> None:
        self.appending.execute(f"PRAGMA max_page_count={pages}").fetchall()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[SqliteGate]:
    place = SqliteGate(tmp_path / "gate.db", limit=200_000)
    yield place
    place.close()


def test_no_byte_of_what_was_forgotten_stays_in_the_files(gate: SqliteGate, tmp_path: Path) -> None:
    secret = os.urandom(30)
    kept = os.urandom(30)
    assert put(gate.inbox, secret, secret * 900, kept) == [None] * 3
    lies_in = lambda bytes_: [f.name for f in tmp_path.iterdir() if bytes_ in f.read_bytes()]  # noqa: E731
    assert lies_in(secret)
    gate.inbox.forget(2)
    assert gate.scrub() is True
    assert lies_in(secret) == []
    assert lies_in(kept)


def test_too_much_on_disk_is_busy_until_some_is_forgotten(gate: SqliteGate) -> None:
    big = os.urandom(60_000)
    with pytest.raises(StoreBusy):  # noqa: PT012 - one of many
        for _ in range(1_000):
            assert put(gate.inbox, big) == [None]
    waiting = gate.inbox.backlog(0)
    assert 200_000 < waiting.octets < 2_000_000
    gate.inbox.forget(waiting.deliveries)

    def again() -> bool:
        try:
            return put(gate.inbox, b"small") == [None]
        except StoreBusy:
            return False

    assert any(again() for _ in iter(lambda: threading.Event().wait(0.02), True))
    assert gate.inbox.backlog(0).deliveries == 1


def test_a_full_disk_is_told_and_once_there_is_room_all_is_well_again(tmp_path: Path) -> None:
    gate = SmallDisk(tmp_path / "gate.db")
    assert put(gate.inbox, b"first") == [None]
    gate.room(1)  # SQLite takes it for as many pages as there are
    (told,) = put(gate.inbox, os.urandom(500_000))
    assert isinstance(told, StoreFull)
    gate.room(1_000_000)
    assert put(gate.inbox, b"second") == [None]
    rows = gate.inbox.waiting(0, 1_000_000)
    assert [(row.id, row.body) for row in rows] == [(1, b"first"), (2, b"second")]
    gate.close()


def test_a_file_that_cannot_be_written_is_told_to_everybody_who_waits(tmp_path: Path) -> None:
    gate = SmallDisk(tmp_path / "gate.db")
    assert put(gate.inbox, b"first") == [None]
    gate.read_only = True
    gate.appending.execute("PRAGMA query_only=ON")
    told = put(gate.inbox, b"a", b"b")
    assert all(isinstance(error, StoreFailure) for error in told)
    gate.read_only = False
    assert put(gate.inbox, b"second") == [None]
    gate.close()


def test_who_connected_while_the_disk_could_only_be_read_writes_once_it_is_well(tmp_path: Path) -> None:
    gate = SmallDisk(tmp_path / "gate.db")
    gate.read_only = True
    (told,) = put(gate.inbox, b"lost")
    assert isinstance(told, StoreFailure)
    gate.read_only = False
    assert put(gate.inbox, b"kept") == [None]
    gate.read_only = True
    with pytest.raises(StoreFailure):
        gate.inbox.forget(1)
    gate.read_only = False
    gate.inbox.forget(1)
    assert gate.inbox.backlog(0).deliveries == 0
    gate.close()


def test_two_processes_append_and_forget_side_by_side(tmp_path: Path) -> None:
    """Two gates on one file stand for two processes: each has connections of its own."""
    server, worker = SqliteGate(tmp_path / "gate.db"), SqliteGate(tmp_path / "gate.db")
    told: list[Exception | None] = []
    taken: list[int] = []
    ended = threading.Event()

    def take() -> None:
        while not (ended.is_set() and worker.inbox.backlog(taken[-1] if taken else 0).deliveries == 0):
            taken.extend(row.id for row in worker.inbox.waiting(taken[-1] if taken else 0, 10_000))
            if taken:
                worker.inbox.forget(taken[-1])

    thread = threading.Thread(target=take)
    thread.start()
    for _ in range(20):
        told += put(server.inbox, *[os.urandom(300)] * 25)
    ended.set()
    thread.join()
    assert told == [None] * 500
    assert taken == list(range(1, 501))
    server.close()
    worker.close()


def test_the_queue_in_memory_is_bounded_and_empties_again() -> None:
    go, kept = threading.Event(), []

    def keep(deliveries: object) -> None:
        go.wait(120)
        kept.extend(deliveries)  # type: ignore[call-overload]

    appender = Appender(keep, lambda: 0, queued=10_000)
    heard: list[Exception | None] = []
    taken = 0
    with pytest.raises(StoreBusy):  # noqa: PT012 - one of many
        for _ in range(100):
            appender.put(delivery(b"x" * 1_000), heard.append)
            taken += 1
    assert 0 < taken < 12
    go.set()
    appender.stop()
    assert heard == [None] * taken
    assert len(kept) == taken
    with pytest.raises(Conflict):
        appender.put(delivery(b""), heard.append)


def test_one_who_hangs_up_does_not_keep_the_others_from_hearing() -> None:
    heard: list[Exception | None] = []

    def gone(_: Exception | None) -> None:
        raise RuntimeError("the event loop is closed")

    appender = Appender(lambda _: None, lambda: 0)
    appender.put(delivery(b"1"), gone)
    appender.put(delivery(b"2"), heard.append)
    appender.stop()
    assert heard == [None]
