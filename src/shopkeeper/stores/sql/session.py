"""A session: the few things in which database engines differ, so that the SQL around it is written once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

CHUNK = 5_000
"""How many values are bound in one list."""


class Session(Protocol):
    """Runs statements with ``?`` parameters on one connection."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Every row of the answer."""
        ...

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        ...

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once per row of parameters."""
        ...

    def listed(self, sql: str, values: Sequence[Any], after: Sequence[Any] = ()) -> tuple[str, Sequence[Any]]:
        """A statement whose ``IN (...)`` stands for a list of values, and its parameters, ``after`` behind the list."""
        ...


def chunks(values: Sequence[Any], size: int = CHUNK) -> Iterator[Sequence[Any]]:
    """The values in pieces.

    >>> [list(c) for c in chunks([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    for start in range(0, len(values), size):
        yield values[start : start + size]


def among(session: Session, sql: str, values: Sequence[Any], *after: Any) -> list[Any]:
    """Rows of ``sql`` whose ``IN (...)`` stands for a list of values; long lists are asked in pieces."""
    found: list[Any] = []
    for piece in chunks(values):
        found += session.rows(*session.listed(sql, piece, after))
    return found


def change_among(session: Session, sql: str, values: Sequence[Any]) -> int:
    """Run a statement over a list of values in pieces; returns how many rows changed."""
    changed = 0
    for piece in chunks(values):
        changed += session.run(*session.listed(sql, piece))
    return changed
