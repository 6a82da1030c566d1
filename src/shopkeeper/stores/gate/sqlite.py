"""The gate in one SQLite file beside the ledger: what the doors write never waits for a long ledger transaction."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from shopkeeper.domain.errors import StoreBusy, StoreFailure, StoreFull
from shopkeeper.stores.contract.gate import (
    Backlog,
    Done,
    GateReader,
    GateWriter,
    KeptDelivery,
    NewDelivery,
)
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.gate import sql_inbox
from shopkeeper.stores.gate.appending import LIMIT_OCTETS, Appender
from shopkeeper.stores.gate.parts import SqlReader, SqlWriter
from shopkeeper.stores.sql.sqlite import SqlitePlace, SqliteSession, translated

_CACHE_KIB = 32_768
_PATIENCE = 30.0
_GLANCE = 0.0005
"""Seconds between two tries to become the file's writer. SQLite's own waiting grows to a tenth of a second."""
_CHECKPOINT_PAGES = 4_000


class SqliteGate(SqlitePlace[GateReader, GateWriter]):
    """A gate in one file; ``limit`` octets of deliveries may wait in it."""

    def __init__(self, file: Path, *, limit: int = LIMIT_OCTETS) -> None:
        super().__init__(file, "gate", SqlReader, SqlWriter, _CACHE_KIB)
        self.inbox = SqliteInbox(self, limit)

    def close(self) -> None:
        """Keep what is queued, then let go of the file."""
        self.inbox.close()
        super().close()

    def scrub(self, *, rebuild: bool = False) -> bool:
        """Empty the write-ahead log: in the file itself what was deleted is overwritten already."""
        return super().scrub(rebuild=rebuild)

    @contextlib.contextmanager
    def session(self) -> Iterator[SqliteSession]:
        """One unchanging state, for the inbox."""
        connection = self._reader()
        try:
            with translated():
                connection.execute("BEGIN")
            yield SqliteSession(connection)
        finally:
            self._give_back(connection)

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        connection = super()._connect(cache_kib)
        with translated():
            # What is forgotten here is a request with all that it told: no page of it may lie about, unused.
            connection.execute("PRAGMA secure_delete=ON").fetchall()
        return connection

    def connection(self) -> sqlite3.Connection:
        """A connection of the inbox's own, which tries often and briefly to become the writer."""
        connection = self._connect(_CACHE_KIB)
        with translated():
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        return connection


class SqliteInbox:
    """Deliveries of one gate: appended on one connection, forgotten on another, read on any."""

    ordered = True

    def __init__(self, gate: SqliteGate, limit: int) -> None:
        self._gate = gate
        self._appending: sqlite3.Connection | None = None
        self._forgetting: sqlite3.Connection | None = None
        self._guard = threading.Lock()
        self._appender = Appender(self._keep, self._held, limit=limit)

    def put(self, delivery: NewDelivery, done: Done) -> None:
        """Keep a delivery; see the contract."""
        self._appender.put(delivery, done)

    def waiting(self, after: int, octets: int) -> list[KeptDelivery]:
        """Deliveries after a number."""
        with self._gate.session() as session:
            return sql_inbox.waiting(session, after, octets)

    def begun(self, ids: Sequence[int]) -> None:
        """Note that a worker begins these."""
        with self._guard, self._writing() as session:
            sql_inbox.begun(session, ids)

    def survived(self, ids: Sequence[int]) -> None:
        """Take that back."""
        with self._guard, self._writing() as session:
            sql_inbox.survived(session, ids)

    def settle(self, tx: LedgerWriter, ids: Sequence[int]) -> None:
        """Nothing: the ledger is another file, and keeps the number of the last one."""

    def forget(self, upto: int) -> None:
        """Delete deliveries up to a number, a portion at a time so that the appender never waits long."""
        with self._guard:
            with self._gate.session() as session:
                portions = list(sql_inbox.portions(session, upto))
            for portion in portions:
                with self._writing() as session:
                    sql_inbox.forget(session, portion)

    def backlog(self, after: int) -> Backlog:
        """What waits after a number."""
        with self._gate.session() as session:
            return sql_inbox.backlog(session, after)

    def last(self) -> int:
        """The number given last."""
        with self._gate.session() as session:
            return sql_inbox.last(session)

    def left(self, after: int, upto: int) -> bool:
        """Whether anything between is kept, whoever takes it."""
        with self._gate.session() as session:
            return sql_inbox.left(session, after, upto)

    def begin_after(self, number: int) -> None:
        """Give no number up to this one."""
        with self._gate.session() as session:
            if sql_inbox.last(session) >= number:
                return
        with self._guard, self._writing() as session:
            sql_inbox.begin_after(session, number)

    def close(self) -> None:
        """Keep what is queued and let go."""
        self._appender.stop()
        with self._guard:
            for connection in (self._appending, self._forgetting):
                if connection is not None:
                    connection.close()
            self._appending = self._forgetting = None

    def _keep(self, deliveries: Sequence[NewDelivery]) -> None:
        if self._appending is None:
            self._appending = self._gate.connection()
        try:
            with _transaction(self._appending) as session:
                sql_inbox.append(session, deliveries)
        except StoreFailure as error:
            self._appending = _if_of_use(self._appending, error)
            raise

    def _held(self) -> int:
        with self._gate.session() as session:
            return sql_inbox.held(session)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[SqliteSession]:
        if self._forgetting is None:
            self._forgetting = self._gate.connection()
        try:
            with _transaction(self._forgetting) as session:
                yield session
        except StoreFailure as error:
            self._forgetting = _if_of_use(self._forgetting, error)
            raise


def _if_of_use(connection: sqlite3.Connection, error: StoreFailure) -> sqlite3.Connection | None:
    """The connection, unless its file could not be used: one made while the disk is read-only stays read-only."""
    if isinstance(error, (StoreBusy, StoreFull)):
        return connection
    connection.close()
    return None


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[SqliteSession]:
    """A transaction that writes, begun as soon as nobody else writes. Raises StoreBusy, StoreFull, StoreFailure."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with translated():
                connection.execute("BEGIN IMMEDIATE")
            break
        except StoreBusy:
            if time.monotonic() > until:
                raise
            time.sleep(_GLANCE)
    try:
        yield SqliteSession(connection)
        with translated():
            connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error, StoreFailure):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise
