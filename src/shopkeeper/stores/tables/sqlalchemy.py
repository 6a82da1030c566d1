"""Reads tables of any database that SQLAlchemy knows: read-only, in blocks, under a time limit.

A query is put into a subquery, so that it may be anything that SELECT can be; the cursor's condition and order stand
around it. Rows of what belongs together (an order's lines) come together, in the order of their last change.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.domain.errors import InvalidInput, StoreFailure, UnknownName
from shopkeeper.stores.contract.tables import Row, Select
from shopkeeper.stores.tables.address import alchemy, checked_query, parsed, shown, without_secrets

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, TextClause

BLOCK: Final = 10_000
"""Rows fetched at a time."""
_LAST: Final = "shopkeeper_last"
_SAFE: Final = (
    "ProgrammingError",
    "OperationalError",
    "InterfaceError",
    "NotSupportedError",
    "InternalError",
)
"""Errors whose words are about names and places; those about data may repeat a row."""


@contextmanager
def open_database(url: str, *, timeout: float = 600.0) -> Iterator[SqlDatabase]:
    """A database by its address, for reading. Raises InvalidInput for a wrong address, StoreFailure for no answer."""
    address = parsed(url)
    sqlalchemy = alchemy()
    from sqlalchemy.pool import NullPool

    try:
        engine = sqlalchemy.create_engine(address, poolclass=NullPool, hide_parameters=True)
    except (ImportError, sqlalchemy.exc.ArgumentError) as error:
        extra = "'shopkeeper[postgres]'" if "psycopg" in str(error) else "its driver"
        raise InvalidInput(
            f"no driver for {address.drivername} is installed", hint=f"pip install {extra}"
        ) from None
    try:
        with _reported(address, "reach"), engine.connect() as connection:
            _only_reading(connection, timeout)
            try:
                yield SqlDatabase(connection, address)
            finally:
                connection.rollback()
    finally:
        engine.dispose()


class SqlDatabase:
    """An open database; see the contract."""

    def __init__(self, connection: Connection, address: URL) -> None:
        self.name = shown(address)
        self._connection = connection
        self._address = address

    def columns(self, query: str) -> tuple[str, ...]:
        """Names of the columns that a query gives."""
        sql = f"SELECT * FROM ({_escaped(query)}\n) shopkeeper_q WHERE 1 = 0"
        with _reported(self._address, "ask"), self._connection.execute(_text(sql)) as result:
            return tuple(result.keys())

    def rows(self, select: Select) -> Iterator[list[tuple[Row, Any]]]:
        """Blocks of rows with the cursor's value."""
        columns = self.columns(select.query)
        quote = self._connection.dialect.identifier_preparer.quote
        cursor = quote(_known(select.cursor, columns)) if select.cursor else ""
        whole = quote(_known(select.whole, columns)) if select.whole else ""
        statement = _statement(select, cursor, whole)
        at = (
            len(columns)
            if cursor and whole
            else columns.index(_known(select.cursor, columns))
            if cursor
            else -1
        )
        with _reported(self._address, "read"):
            options = {"stream_results": True, "max_row_buffer": BLOCK}
            with self._connection.execute(statement, execution_options=options) as result:
                blocks = _blocks(result, at, len(columns), select.most)
                yield from list(blocks) if self._blocks_writers() else blocks

    def _blocks_writers(self) -> bool:
        """Whether an unfinished read keeps others from writing: then all is read before anything is done with it."""
        if self._connection.dialect.name != "sqlite":
            return False
        mode = self._connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        return str(mode).lower() != "wal"


def _blocks(result: Any, at: int, width: int, most: int) -> Iterator[list[tuple[Row, Any]]]:
    left = most or sys.maxsize
    while left and (rows := result.fetchmany(min(BLOCK, left))):
        left -= len(rows)
        yield [(tuple(row[:width]), row[at] if at >= 0 else None) for row in rows]


def _known(name: str, columns: Sequence[str]) -> str:
    """The column of that name, in whatever case the database spells it."""
    if name in columns:
        return name
    alike = [column for column in columns if column.lower() == name.lower()]
    if len(alike) != 1:
        raise UnknownName("column", name, columns)
    return alike[0]


def _statement(select: Select, cursor: str, whole: str) -> TextClause:
    query = _escaped(select.query)
    if not cursor:
        order = f" ORDER BY {whole}" if whole else ""
        return _text(f"SELECT * FROM ({query}\n) shopkeeper_q{order}")
    beyond = "" if select.after is None else f" WHERE c.{cursor} >= :after OR c.{cursor} IS NULL"
    if not whole:
        sql = f"SELECT c.* FROM ({query}\n) c{beyond} ORDER BY c.{cursor}"
    else:
        some = f" WHERE q.{whole} IN (SELECT c.{whole} FROM ({query}\n) c{beyond})" if beyond else ""
        last = f"MAX(q.{cursor}) OVER (PARTITION BY q.{whole}) AS {_LAST}"
        inner = f"SELECT q.*, {last} FROM ({query}\n) q{some}"
        sql = f"SELECT t.* FROM ({inner}) t ORDER BY t.{_LAST}, t.{whole}"
    statement = _text(sql)
    return statement if select.after is None else statement.bindparams(_bound(select.after))


def _bound(value: Any) -> Any:
    """The cursor's value with its type: some drivers must be told it."""
    from sqlalchemy import BigInteger, Date, DateTime, Numeric, bindparam

    kind: Any = None
    if isinstance(value, datetime):
        kind = DateTime(timezone=value.tzinfo is not None)
    elif isinstance(value, date):
        kind = Date()
    elif isinstance(value, Decimal):
        kind = Numeric()
    elif isinstance(value, int):
        kind = BigInteger()
    return bindparam("after", value, kind) if kind is not None else bindparam("after", value)


def _escaped(query: str) -> str:
    """The query with its colons kept from being taken for parameters."""
    return checked_query(query).replace(":", "\\:")


def _text(sql: str) -> TextClause:
    text: TextClause = alchemy().text(sql)
    return text


def _only_reading(connection: Connection, timeout: float) -> None:
    """Let the database itself refuse to change anything, and to take too long, as far as it knows how."""
    name = connection.dialect.name
    milliseconds = max(1, round(timeout * 1000))
    if name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
    elif name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        until = time.monotonic() + timeout
        raw: Any = connection.connection.dbapi_connection
        raw.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    elif name in ("mysql", "mariadb"):
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        limit = (
            f"max_execution_time = {milliseconds}" if name == "mysql" else f"max_statement_time = {timeout}"
        )
        connection.exec_driver_sql(f"SET SESSION {limit}")


@contextmanager
def _reported(address: URL, verb: str) -> Iterator[None]:
    """Turns the errors of databases into ours: without passwords, and without rows."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        kind = type(error).__name__
        why = without_secrets(str(error.orig), address) if kind in _SAFE else kind
        hint = (
            "check address, user and password"
            if verb == "reach"
            else "check the query, and that the user may read all of it"
        )
        raise StoreFailure(f"cannot {verb} {shown(address)}: {why}", hint=hint) from None
    except SQLAlchemyError as error:
        raise StoreFailure(f"cannot {verb} {shown(address)}: {type(error).__name__}") from None
