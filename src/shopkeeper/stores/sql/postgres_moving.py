"""Moves a whole place between PostgreSQL and a SQLite file of one schema: backups of either restore into either."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from shopkeeper.domain.errors import Conflict, StoreTooNew
from shopkeeper.stores.migrations.steps import latest, steps
from shopkeeper.stores.sql.postgres_session import PostgresSession, translated
from shopkeeper.stores.sql.sqlite import translated as from_sqlite

_ROWS_AT_ONCE: Final = 10_000


class _Table(Struct, frozen=True):
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


def dump(session: PostgresSession, place: str, to: Path) -> None:
    """Copy what a session reads into a new SQLite file."""
    try:
        with from_sqlite(), closing(sqlite3.connect(to, isolation_level=None)) as target:
            target.execute(
                "PRAGMA journal_mode=OFF"
            )  # a copy that fails is no copy: there is nothing to go back to
            target.execute("BEGIN")
            for number, statements in steps(place, after=0):
                for statement in statements:
                    target.execute(statement)
                target.execute(f"PRAGMA user_version={number:d}")
            indexes = _taken_away(target)
            for table in _tables(target):
                target.execute(
                    f"DELETE FROM {table.name}"
                )  # rows that a schema begins with come with the rest
            session.run("SET LOCAL enable_seqscan = on")  # here every row is wanted
            for table in _tables(target):
                _out(session, table, target)
            for statement in indexes:  # once at the end costs less than row by row
                target.execute(statement)
            target.execute("COMMIT")
    except BaseException:
        to.unlink(missing_ok=True)
        raise


def load(session: PostgresSession, place: str, file: Path) -> None:
    """Fill the empty tables of a place from a SQLite file, within the session's transaction."""
    with from_sqlite(), closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
        version = source.execute("PRAGMA user_version").fetchall()[0][0]
        if version != latest(place):
            raise StoreTooNew(
                f"the file holds schema {version} of the {place}, not {latest(place)}",
                hint="open it with this Shopkeeper first",
            )
        tables = _tables(source)
        begun = _begun_with(place)
        for table in tables:
            if table.name in begun:
                session.run(f"DELETE FROM {table.name}")
            elif session.rows(f"SELECT 1 FROM {table.name} LIMIT 1"):
                raise Conflict(
                    "the database holds a shop already", hint="choose an empty one, or another schema"
                )
        indexes = session.rows(
            "SELECT x.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i "
            "JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace "
            "WHERE n.nspname = current_schema() "
            "AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY 1"
        )
        for name, _ in indexes:
            session.run(f'DROP INDEX "{name}"')
        for table in tables:
            _in(session, table, source)
        for _, definition in indexes:
            session.run(definition)
    _number_on(session)
    for table in tables:
        session.run(f"ANALYZE {table.name}")


def _begun_with(place: str) -> set[str]:
    """Tables into which the schema itself puts rows."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        for _, statements in steps(place, after=0):
            for statement in statements:
                fresh.execute(statement)
        return {t.name for t in _tables(fresh) if fresh.execute(f"SELECT 1 FROM {t.name} LIMIT 1").fetchall()}


def _tables(file: sqlite3.Connection) -> list[_Table]:
    names = file.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"
    ).fetchall()
    found = []
    for (name,) in names:
        info = file.execute("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", (name,)).fetchall()
        key = tuple(column for column, place in sorted(info, key=lambda row: row[1]) if place)
        found.append(_Table(name, tuple(column for column, _ in info), key))
    return found


def _taken_away(file: sqlite3.Connection) -> list[str]:
    """Drop the indexes of an empty file that are no table's own; returns how to make them again."""
    rows = file.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in rows:
        file.execute(f'DROP INDEX "{name}"')
    return [statement for _, statement in rows]


def _out(session: PostgresSession, table: _Table, target: sqlite3.Connection) -> None:
    """In the order of the key, so that the file grows at its end only."""
    query = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key or ('1',))}"
    types = session.types_of(table.name)
    marks = ", ".join("?" * len(table.columns))

    def rows() -> Iterator[tuple[Any, ...]]:
        with (
            translated(),
            session.connection.cursor() as cursor,
            cursor.copy(_stated(f"COPY ({query}) TO STDOUT (FORMAT BINARY)")) as copy,
        ):
            copy.set_types([types[column] for column in table.columns])
            yield from copy.rows()

    target.executemany(f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})", rows())


def _in(session: PostgresSession, table: _Table, source: sqlite3.Connection) -> None:
    names = ", ".join(table.columns)
    types = session.types_of(table.name)
    found = source.execute(f"SELECT {names} FROM {table.name}")
    with (
        translated(),
        session.connection.cursor() as cursor,
        cursor.copy(_stated(f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)")) as copy,
    ):
        copy.set_types([types[column] for column in table.columns])
        while rows := found.fetchmany(_ROWS_AT_ONCE):
            for row in rows:
                copy.write_row(row)


def _number_on(session: PostgresSession) -> None:
    """Let columns that number themselves go on after the highest number there is."""
    numbered = session.rows(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attidentity <> ''"
    )
    for table, column in numbered:
        session.rows(
            f"SELECT setval(pg_get_serial_sequence(?, ?), coalesce(max({column}), 0) + 1, false) FROM {table}",
            (table, column),
        )


def _stated(text: str) -> str:
    return text
