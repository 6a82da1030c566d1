"""A place in a schema of a PostgreSQL database: readers from a pool, and one writer that joins waiting writes.

Several processes may hold the same place. Where they must not write at once, an advisory lock lets one transaction in
at a time; it goes with the transaction, however that ends.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout

from shopkeeper.domain.errors import Conflict, StoreAway, StoreBusy
from shopkeeper.stores.sql.address import Address
from shopkeeper.stores.sql.group_commit import GroupCommit
from shopkeeper.stores.sql.postgres_connect import (
    PostgresTransaction,
    connect,
    lock_number,
    settle,
    wanted,
)
from shopkeeper.stores.sql.postgres_migrate import migrate
from shopkeeper.stores.sql.postgres_session import PostgresSession, lost, translated

T = TypeVar("T")
R = TypeVar("R")
W = TypeVar("W")
_READERS: Final = 16
"""Connections for reading, at most."""
_POOL_PATIENCE: Final = 5.0
_SCRUB_PATIENCE: Final = 5.0
"""Seconds in which readers may end before a scrub gives up."""
_VACUUM = sql.SQL("VACUUM (FULL, VERBOSE, ANALYZE) {}")
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1"


class PostgresPlace(Generic[R, W]):
    """A place whose tables are ``migrations/<name>`` in ``schema``; ``reader`` and ``writer`` wrap a session.

    ``alone`` lets only one process write at a time.
    """

    def __init__(
        self,
        address: Address,
        schema: str,
        name: str,
        reader: Callable[[PostgresSession], R],
        writer: Callable[[PostgresSession], W],
        *,
        alone: bool,
    ) -> None:
        self.address = address
        self.schema = schema
        self.name = name
        self._reads = reader
        self._types: dict[str, dict[str, str]] = {}
        self._guard = threading.Lock()
        self._closed = False
        self._connect = partial(connect, address, schema)
        connection = self._connect()
        try:
            with translated():
                migrate(connection, name, schema, lock_number(schema, "migrate"))
        except BaseException:
            connection.close()
            raise
        self._lock = lock_number(schema, "write") if alone else None
        self._pool = self._opened_pool()
        session = PostgresSession(connection, self._types)
        self._session = session
        self._commits: GroupCommit[W] = GroupCommit(
            PostgresTransaction(session, self._connect, self._lock), writer(session), name
        )

    def _opened_pool(self) -> ConnectionPool[psycopg.Connection[Any]]:
        return ConnectionPool(
            kwargs=wanted(self.address),
            configure=partial(settle, schema=self.schema),
            min_size=0,
            max_size=_READERS,
            timeout=_POOL_PATIENCE,
            reconnect_timeout=1.0,
            max_idle=120.0,
            num_workers=1,
            name=f"shopkeeper-{self.name}",
            open=True,
        )

    @contextmanager
    def read(self) -> Iterator[R]:
        """One unchanging state, until the context ends."""
        with self.reading() as session:
            yield self._reads(session)

    @contextmanager
    def reading(self) -> Iterator[PostgresSession]:
        """The same, as a session."""
        self._open()
        connection = self._begun()
        try:
            yield PostgresSession(connection, self._types)
        finally:
            with suppress(psycopg.Error):
                if not lost(connection):
                    connection.execute("ROLLBACK")
            self._pool.putconn(connection)

    def _begun(self) -> psycopg.Connection[Any]:
        """A connection that reads one state; those that a restarted server has left behind are put away."""
        for _ in range(_READERS + 1):
            try:
                connection = self._pool.getconn()
            except PoolTimeout:
                raise self._no_reader() from None
            try:
                with translated():
                    connection.execute(_SNAPSHOT)
            except StoreAway:
                self._pool.putconn(connection)
                continue
            except BaseException:
                self._pool.putconn(connection)
                raise
            return connection
        raise self._no_reader()

    def _no_reader(self) -> Exception:
        """Why nobody can read: the server is away, or all connections are in use."""
        try:
            self._connect().close()
        except Exception as error:  # noqa: BLE001 - it is the answer
            return error
        return StoreBusy("all connections for reading are in use", hint="try again")

    def write(self, work: Callable[[W], T]) -> T:
        """Run ``work`` in a transaction; returns when it is on disk."""
        self._open()
        return self._commits.submit(work)

    def apart(self, *, again: bool = True) -> PostgresTransaction:
        """Transactions on a connection of their own, beside the writer and without its lock.

        Where ``again`` is False a lost connection is not replaced: what it held is gone.
        """
        self._open()
        session = PostgresSession(self._connect(), self._types)
        return PostgresTransaction(session, self._connect if again else None, None)

    def rebuild(self, tables: Sequence[str]) -> bool:
        """Write tables anew without what was deleted. False where somebody still reads an older state, or is in the
        way for longer than a scrub waits.

        Whoever reads or writes one of them waits meanwhile.
        """
        self._open()
        until = time.monotonic() + _SCRUB_PATIENCE
        pause = 0.05
        left = list(tables)
        while left := self._commits.submit(partial(self._rebuilt, left), alone=True):
            if time.monotonic() + pause > until:
                return False
            time.sleep(pause)
            pause *= 2
        return True

    def _rebuilt(self, tables: list[str], _: W) -> list[str]:
        """Rebuild tables; returns those that still hold what was deleted."""
        kept: list[int] = []
        left: list[str] = []

        def heard(notice: psycopg.errors.Diagnostic) -> None:
            # "12 dead row versions cannot be removed yet." comes first, in whatever language
            if found := re.match(r"\D*(\d+)", notice.message_detail or ""):
                kept.append(int(found[1]))

        connection = self._connect()
        try:
            connection.add_notice_handler(heard)
            connection.execute("SET lock_timeout = '1s'")
            for table in tables:
                kept.clear()
                try:
                    with translated():
                        connection.execute(_VACUUM.format(sql.Identifier(table)))
                except StoreBusy:
                    left.append(table)
                else:
                    left += [table] if any(kept) else []
        finally:
            connection.close()
        return left

    def _open(self) -> None:
        if self._closed:
            raise Conflict(f"the {self.name} is closed", hint="open the shop again")

    def check(self) -> list[str]:
        """What is wrong: settings under which a commit is not safe, invalid indexes, pages that were damaged."""
        wrong: list[str] = []
        with self.reading() as session:
            unsafe = session.rows(
                "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'"
            )
            wrong += [
                f"the server runs with {name} = off: a power failure may damage the database"
                for (name,) in unsafe
            ]
            invalid = session.rows(
                "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "WHERE c.relnamespace = to_regnamespace(?) AND NOT i.indisvalid ORDER BY 1",
                (self.schema,),
            )
            wrong += [f"the index {name} is not valid: REINDEX it" for (name,) in invalid]
            failed = session.rows(
                "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"
            )
            if failed and failed[0][0]:
                wrong.append(f"{failed[0][0]} pages of the database failed their checksum")
        return wrong

    def close(self) -> None:
        """Finish waiting writes and let go of the connections."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
        self._commits.stop()
        self._session.connection.close()
        self._pool.close()

    def drop(self) -> None:
        """Delete the schema with all that is in it. There is no way back."""
        connection = self._connect()
        try:
            with translated():
                connection.execute(f'DROP SCHEMA IF EXISTS "{self.schema}" CASCADE')
        finally:
            connection.close()
