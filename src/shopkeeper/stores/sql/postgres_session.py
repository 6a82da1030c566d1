"""Statements on one PostgreSQL connection: ``?`` parameters, whole columns at once, and the shop's own errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from shopkeeper.domain.errors import (
    ShopkeeperError,
    StoreAway,
    StoreBusy,
    StoreDamaged,
    StoreFailure,
    StoreFull,
)
from shopkeeper.stores.sql.postgres_values import PACKERS, listed

_ROWS_AT_ONCE = 10_000
"""Rows that travel in one statement: bounds memory on both sides."""
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|\?|\bIN \(\)")
_INSERT = re.compile(
    r"\s*INSERT INTO (\w+) \(([\w, ]+)\) VALUES \(((?:\?, ?)*\?)\)(\s+ON CONFLICT(?: \(([\w, ]+)\))? DO (\w+).*)?\s*",
    re.DOTALL,
)
_LONGEST_KEPT = 2_000


def translate(sql: str) -> str:
    """The statement with ``$1, $2, ...`` for its ``?``; those within quotes and comments stay.

    >>> translate("SELECT '?', a FROM t WHERE b = ? AND c IN ()")
    "SELECT '?', a FROM t WHERE b = $1 AND c IN (NULL)"
    """
    return _kept(sql) if len(sql) <= _LONGEST_KEPT else _translate(sql)


def _translate(sql: str) -> str:
    count = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal count
        part = found[0]
        if part == "?":
            count += 1
            return f"${count}"
        return "IN (NULL)" if part == "IN ()" else part  # SQLite knows the empty list, PostgreSQL does not

    return _TOKEN.sub(mark, sql)


_kept = lru_cache(maxsize=1024)(_translate)


class _Insert(NamedTuple):
    """A statement that puts rows into a table, as one over whole columns."""

    table: str
    columns: tuple[str, ...]
    rest: str
    updates: tuple[int, ...]
    """Places of the columns by which a row that is there is found and changed; empty where none is changed."""


@lru_cache(maxsize=256)
def _insert(sql: str) -> _Insert | None:
    found = _INSERT.fullmatch(sql)
    if found is None:
        return None
    columns = tuple(part.strip() for part in found[2].split(","))
    rest = found[4] or ""
    if found[3].count("?") != len(columns) or "?" in rest:
        return None
    target = [part.strip() for part in (found[5] or "").split(",")] if found[6] == "UPDATE" else []
    return _Insert(found[1], columns, rest, tuple(columns.index(name) for name in target))


class PostgresSession:
    """Runs statements with ``?`` parameters on one connection; ``types`` is shared by the sessions of one place."""

    def __init__(
        self, connection: psycopg.Connection[Any], types: dict[str, dict[str, str]] | None = None
    ) -> None:
        self._types: dict[str, dict[str, str]] = {} if types is None else types
        self.use(connection)

    def use(self, connection: psycopg.Connection[Any]) -> None:
        """Go on with this connection."""
        self.connection = connection
        self._cursor = psycopg.RawCursor(connection)
        self._cursor.format = psycopg.pq.Format.BINARY

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Every row of the answer."""
        with translated():
            cursor = self._cursor.execute(translate(sql).encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        with translated():
            return self._cursor.execute(translate(sql).encode(), parameters).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once per row; rows to be inserted travel as one array a column."""
        every = rows if isinstance(rows, list) else list(rows)
        if not every:
            return
        into = _insert(sql)
        with translated():
            if into is None or (into.updates and _twice(every, into.updates)):
                self._cursor.executemany(translate(sql).encode(), every)
                return
            types = self.types_of(into.table)
            for start in range(0, len(every), _ROWS_AT_ONCE):
                self._insert(into, types, every[start : start + _ROWS_AT_ONCE])

    def listed(self, sql: str, values: Sequence[Any], after: Sequence[Any] = ()) -> tuple[str, Sequence[Any]]:
        """The statement with its ``IN (...)`` standing for these values: one array, so that it is one statement."""
        return sql.replace("IN (...)", "= ANY(?)"), (listed(values), *after)

    def _insert(self, into: _Insert, types: dict[str, str], rows: list[Sequence[Any]]) -> None:
        packers = [PACKERS[types[name]] for name in into.columns]
        columns = [pack(values) for pack, values in zip(packers, zip(*rows, strict=True), strict=True)]
        marks = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        names = ", ".join(into.columns)
        sql = f"INSERT INTO {into.table} ({names}) SELECT * FROM unnest({marks}){into.rest}"
        self._cursor.execute(sql.encode(), columns)

    def types_of(self, table: str) -> dict[str, str]:
        """The type of every column of a table."""
        if table not in self._types:
            sql = (
                b"SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
                b"WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
            )
            self._types[table] = dict(self._cursor.execute(sql, (table,)).fetchall())
        return self._types[table]


def _twice(rows: list[Sequence[Any]], places: tuple[int, ...]) -> bool:
    """Whether two rows would change the same one: PostgreSQL refuses that within one statement."""
    if len(places) == 1:
        place = places[0]
        return len({row[place] for row in rows}) < len(rows)
    return len({tuple(row[place] for place in places) for row in rows}) < len(rows)


@contextmanager
def translated() -> Iterator[None]:
    """Turn PostgreSQL's errors into the shop's, without the values of the statement."""
    try:
        yield
    except psycopg.Error as error:
        raise failure(error) from None


_BUSY = (errors.LockNotAvailable, errors.SerializationFailure, errors.DeadlockDetected, errors.QueryCanceled)
_DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted)
_AWAY = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.IdleInTransactionSessionTimeout,
)
_REFUSED = (
    errors.InvalidAuthorizationSpecification,
    errors.InvalidPassword,
    errors.InvalidCatalogName,
    errors.InsufficientPrivilege,
    errors.ReadOnlySqlTransaction,
)


def failure(error: psycopg.Error) -> ShopkeeperError:
    """The shop's error for PostgreSQL's: its kind and what of the schema it names, and no value.

    >>> type(failure(errors.DiskFull())).__name__
    'StoreFull'
    """
    name = type(error).__name__
    if isinstance(error, errors.DiskFull):
        return StoreFull(
            "no space left for the database", hint="free some space and try again; nothing was kept"
        )
    if isinstance(error, _BUSY):
        return StoreBusy("another process is writing to this shop", hint="try again when it has finished")
    if isinstance(error, errors.TooManyConnections):
        return StoreBusy("the database has no connection left", hint="raise its max_connections")
    if isinstance(error, _DAMAGED):
        return StoreDamaged(f"the database is damaged ({name})", hint="restore a backup")
    if isinstance(error, _REFUSED):
        return StoreFailure(f"the database refuses ({name})", hint="look at its address, user and rights")
    code = error.sqlstate or ("08" if isinstance(error, psycopg.OperationalError) else "")
    if isinstance(error, _AWAY) or code.startswith("08"):
        return _away(error)
    about = error.diag.constraint_name or error.diag.column_name or error.diag.table_name
    return StoreFailure(f"the database refused a statement ({name}{f', {about}' if about else ''})")


def _away(error: psycopg.Error) -> ShopkeeperError:
    """No connection, or none any more. Before a session begins, what a server says has no code: its words are read."""
    words = str(error)
    if "password" in words or "authentication" in words or "pg_hba" in words:
        hint = "give the password in the address, PGPASSWORD or a password file"
        return StoreFailure("the database refuses this user or password", hint=hint)
    if "does not exist" in words:
        return StoreFailure("the database refuses: there is no such database or user", hint="create it first")
    return StoreAway("the database does not answer", hint="try again when it is back")


def lost(connection: psycopg.Connection[Any]) -> bool:
    """Whether the connection is of no more use."""
    return (
        connection.closed
        or connection.broken
        or (connection.info.transaction_status == TransactionStatus.UNKNOWN)
    )
