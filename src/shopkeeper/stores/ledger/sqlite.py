"""The ledger on SQLite: WAL, every commit synced, one writer thread that joins waiting writes into one commit."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from shopkeeper.domain.errors import Conflict, StoreBusy, StoreDamaged, StoreFailure, StoreFull, StoreTooNew
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.ledger.group_commit import GroupCommit
from shopkeeper.stores.ledger.sql_identities import IdentityReads, IdentityWrites
from shopkeeper.stores.ledger.sql_log import LogReads, LogWrites
from shopkeeper.stores.ledger.sql_memory import MemoryReads, MemoryWrites
from shopkeeper.stores.migrations.steps import LATEST, steps

T = TypeVar("T")
_WRITER_CACHE_KIB = 262_144
_READER_CACHE_KIB = 16_384
_IDLE_READERS = 8
"""Readers kept for the next who asks; the others are closed, and their memory with them."""
_PATIENCE_MS = 30_000
_GLANCE_MS = 50
"""How long a checkpoint waits for readers: it stands in the way of every write."""
_SCRUB_PATIENCE = 5.0
"""Seconds in which readers may end before a scrub gives up on the write-ahead log."""


class SqliteSession:
    """Statements on one SQLite connection; engine errors become the shop's own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Every row of the answer."""
        with translated():
            return self.connection.execute(sql, parameters).fetchall()

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        with translated():
            return self.connection.execute(sql, parameters).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once per row."""
        with translated():
            self.connection.executemany(sql, rows)


class SqliteReader(LogReads, IdentityReads, MemoryReads):
    """Reads one state of the ledger."""

    def __init__(self, session: SqliteSession) -> None:
        self.session = session


class SqliteWriter(LogWrites, IdentityWrites, MemoryWrites):
    """Reads and writes in one transaction."""

    def __init__(self, session: SqliteSession) -> None:
        self.session = session


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn SQLite's errors into the shop's, without the values of the statement."""
    try:
        yield
    except sqlite3.Error as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise StoreFull(
                "no space left for the ledger", hint="free some space and try again; nothing was kept"
            ) from None
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreBusy(
                "another process is writing to this shop", hint="try again when it has finished"
            ) from None
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise StoreDamaged(
                "the ledger's file is damaged", hint="run 'shopkeeper doctor', then restore a backup"
            ) from None
        if code in (
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_PERM,
        ):
            name = getattr(error, "sqlite_errorname", "I/O error")
            raise StoreFailure(
                f"the ledger's file cannot be used ({name})", hint="check the disk and its rights"
            ) from None
        raise


class SqliteTransaction:
    """A transaction on the one writing connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def begin(self) -> None:
        """Take the write lock."""
        with translated():
            self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Sync to disk."""
        with translated():
            self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo, if SQLite has not done so by itself."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def alive(self) -> bool:
        """Whether the transaction still stands."""
        return self.connection.in_transaction

    def savepoint(self) -> None:
        """Begin one caller's part."""
        self.connection.execute("SAVEPOINT part")

    def release(self, *, undo: bool) -> None:
        """End one caller's part."""
        if undo:
            self.connection.execute("ROLLBACK TO part")
        self.connection.execute("RELEASE part")


class SqliteLedger:
    """A ledger in one file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._closed = False
        self._connection = self._connect(_WRITER_CACHE_KIB)
        self._migrate()
        writer = SqliteWriter(SqliteSession(self._connection))
        self._commits: GroupCommit[LedgerWriter] = GroupCommit(SqliteTransaction(self._connection), writer)

    @contextlib.contextmanager
    def read(self) -> Iterator[LedgerReader]:
        """One unchanging state, until the context ends."""
        connection = self._reader()
        try:
            with translated():
                connection.execute("BEGIN")
                connection.execute("SELECT 1 FROM setting LIMIT 1").fetchall()
            yield SqliteReader(SqliteSession(connection))
        finally:
            self._give_back(connection)

    def write(self, work: Callable[[LedgerWriter], T]) -> T:
        """Run ``work`` in a transaction; returns when it is on disk."""
        self._open()
        return self._commits.submit(work)

    def scrub(self, *, rebuild: bool = True) -> bool:
        """Rebuild the file without what was deleted, and empty the write-ahead log.

        Whoever still reads holds the log: it is tried again for some seconds, without holding up writes in between.
        Returns False when it could not be emptied; ``rebuild=False`` then tries the log alone.
        """

        def vacuum(_: LedgerWriter) -> None:
            with translated():
                self._connection.execute("PRAGMA temp_store=FILE")  # a large ledger does not fit into memory
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA temp_store=MEMORY")

        self._open()
        self._drop_idle()
        if rebuild:
            self._commits.submit(vacuum, alone=True)
        until = time.monotonic() + _SCRUB_PATIENCE
        pause = 0.02
        while not self._commits.submit(lambda _: self._emptied(), alone=True):
            if time.monotonic() + pause > until:
                return False
            time.sleep(pause)
            pause *= 2
        return True

    def _emptied(self) -> bool:
        """Move the log into the file and cut it to nothing; False where a reader is in the way."""
        with translated():
            self._connection.execute(f"PRAGMA busy_timeout={_GLANCE_MS}")
            try:
                busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
            finally:
                self._connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        return not busy

    def _open(self) -> None:
        if self._closed:
            raise Conflict("the ledger is closed", hint="open the shop again")

    def backup(self, to: Path) -> None:
        """A consistent copy, made while others read and write."""
        self._open()
        source = self._connect(_READER_CACHE_KIB)
        try:
            with translated(), contextlib.closing(sqlite3.connect(to)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")
        finally:
            source.close()

    def check(self) -> list[str]:
        """What SQLite finds wrong."""
        with self.read() as reader:
            rows = reader.session.rows("PRAGMA quick_check(20)")  # type: ignore[attr-defined]
        return [] if rows == [("ok",)] else [str(row[0]) for row in rows]

    def close(self) -> None:
        """Finish waiting writes and let go of the file."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
        self._commits.stop()
        self._drop_idle()
        with contextlib.suppress(StoreFailure, sqlite3.Error):
            self._emptied()
        self._connection.close()

    def _reader(self) -> sqlite3.Connection:
        self._open()
        with self._guard:
            if self._idle:
                return self._idle.pop()
        return self._connect(_READER_CACHE_KIB)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:  # a broken connection is nobody's
            connection.close()
            return
        with self._guard:
            if not self._closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()

    def _drop_idle(self) -> None:
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        with translated():
            connection = sqlite3.connect(
                self.file,
                isolation_level=None,
                check_same_thread=False,
                timeout=_PATIENCE_MS / 1000,
                cached_statements=256,
            )
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA cache_size=-{cache_kib}")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA secure_delete=FAST").fetchall()
        return connection

    def _migrate(self) -> None:
        with translated():
            version = int(self._connection.execute("PRAGMA user_version").fetchall()[0][0])
            if version > LATEST:
                raise StoreTooNew(
                    f"this shop's ledger has schema {version}, this Shopkeeper knows up to {LATEST}",
                    hint="install a newer Shopkeeper",
                )
            for number, statements in steps(after=version):
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    for statement in statements:
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version={number:d}")
                    self._connection.execute("COMMIT")
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
