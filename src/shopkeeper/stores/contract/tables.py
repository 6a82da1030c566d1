"""The contract of somebody else's database: rows are read from it, and nothing else is done to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from msgspec import Struct

Row = tuple[Any, ...]


class Select(Struct, frozen=True, kw_only=True):
    """What is read: a query, and from where on."""

    query: str
    """A SELECT, or the name of a table."""
    cursor: str = ""
    """The column that grows with every change: a time or a number. Rows come in its order."""
    after: Any = None
    """Rows from this value of the cursor on, that value included; all where None."""
    whole: str = ""
    """A column whose rows belong together, such as the order's number: of what one row changed, all rows come."""
    most: int = 0
    """Only so many rows; all where 0."""


class Database(Protocol):
    """A database that is read from."""

    name: str
    """Where it is, without a password."""

    def columns(self, query: str) -> tuple[str, ...]:
        """Names of the columns that a query gives."""
        ...

    def rows(self, select: Select) -> Iterator[list[tuple[Row, Any]]]:
        """Blocks of rows, each with the cursor's value: its own, or the last one of what belongs together."""
        ...


class OpenDatabase(Protocol):
    """Opens a database by its address."""

    def __call__(self, url: str, *, timeout: float) -> AbstractContextManager[Database]:
        """The database, read-only; no statement in it may take longer than ``timeout`` seconds."""
        ...
