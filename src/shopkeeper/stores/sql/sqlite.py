"""A place in one SQLite file: WAL, every commit synced, one writer thread that joins waiting writes into one commit."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from shopkeeper.domain.errors import Conflict, StoreBusy, StoreDamaged, StoreFailure, StoreFull, StoreTooNew
from shopkeeper.stores.migrations.steps import latest, steps
from shopkeeper.stores.sql.checkpoints import WRITER_PAGES, Checkpoints
from shopkeeper.stores.sql.group_commit import GroupCommit

T = TypeVar("T")
R = TypeVar("R")
W = TypeVar("W")
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

    def listed(self, sql: str, values: Sequence[Any], after: Sequence[Any] = ()) -> tuple[str, Sequence[Any]]:
        """The statement with a mark for each value."""
        return sql.replace("(...)", f"({','.join('?' * len(values))})"), (*values, *after)


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

    spares = True

    def __init__(self, connection: sqlite3.Connection, committed: Callable[[], None]) -> None:
        self.connection = connection
        self.committed = committed

    def begin(self) -> None:
        """Take the write lock."""
        with translated():
            self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Sync to disk."""
        with translated():
            self.connection.execute("COMMIT")
        self.committed()

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


class SqlitePlace(Generic[R, W]):
    """A place in one file, whose schema is ``migrations/<name>``; ``reader`` and ``writer`` wrap a session.

    The writer connection keeps up to ``cache_kib`` of the file in memory.
    """

    def __init__(
        self,
        file: Path,
        name: str,
        reader: Callable[[SqliteSession], R],
        writer: Callable[[SqliteSession], W],
        cache_kib: int,
    ) -> None:
        self.file = file
        self.name = name
        self._reads = reader
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._closed = False
        self._connection = self._connect(cache_kib)
        self._migrate()
        self._connection.execute(f"PRAGMA wal_autocheckpoint={WRITER_PAGES}").fetchall()
        self._checkpoints = Checkpoints(file)
        self._commits: GroupCommit[W] = GroupCommit(
            SqliteTransaction(self._connection, self._checkpoints.written),
            writer(SqliteSession(self._connection)),
            name,
        )

    @contextlib.contextmanager
    def read(self) -> Iterator[R]:
        """One unchanging state, until the context ends."""
        connection = self._reader()
        try:
            with translated():
                connection.execute("BEGIN")
                connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
            yield self._reads(SqliteSession(connection))
        finally:
            self._give_back(connection)

    def write(self, work: Callable[[W], T]) -> T:
        """Run ``work`` in a transaction; returns when it is on disk."""
        self._open()
        return self._commits.submit(work)

    def scrub(self, *, rebuild: bool = True) -> bool:
        """Rebuild the file without what was deleted, and empty the write-ahead log.

        Whoever still reads holds the log: it is tried again for some seconds, without holding up writes in between.
        Returns False when it could not be emptied; ``rebuild=False`` then tries the log alone.
        """

        def vacuum(_: W) -> None:
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
            raise Conflict(f"the {self.name} is closed", hint="open the shop again")

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
        connection = self._reader()
        try:
            with translated():
                rows = connection.execute("PRAGMA quick_check(20)").fetchall()
        finally:
            self._give_back(connection)
        return [] if rows == [("ok",)] else [str(row[0]) for row in rows]

    def close(self) -> None:
        """Finish waiting writes and let go of the file."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
        self._commits.stop()
        self._checkpoints.stop()
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
            if version > latest(self.name):
                raise StoreTooNew(
                    f"this shop's {self.name} has schema {version}, this Shopkeeper knows up to {latest(self.name)}",
                    hint="install a newer Shopkeeper",
                )
            for number, statements in steps(self.name, after=version):
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    for statement in statements:
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version={number:d}")
                    self._connection.execute("COMMIT")
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
