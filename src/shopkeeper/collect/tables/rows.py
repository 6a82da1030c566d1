"""Rows of a database as the table that the file door reads: typed columns, so that nothing has to be guessed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from shopkeeper.collect.files.delimited import named
from shopkeeper.collect.files.rows import Chunk

_ROWS: Final = 50_000
_MOST: Final = 2**63


class RowsTable:
    """Some rows of a database. ``first`` is the number of the first one, for messages about refused rows."""

    format = "table"

    def __init__(
        self, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], name: str, first: int = 1
    ) -> None:
        self.notes: list[str] = []
        self.columns = named(list(columns), name)
        self._count = len(rows)
        self._first = first
        told = zip(*rows, strict=True) if rows else iter([()] * len(self.columns))
        self._arrays = {
            column: array_of(list(values)) for column, values in zip(self.columns, told, strict=True)
        }

    def chunks(self, only: Sequence[str] | None = None) -> Iterator[Chunk]:
        """All rows."""
        wanted = self.columns if only is None else tuple(only)
        for start in range(0, max(self._count, 1), _ROWS):
            stop = min(start + _ROWS, self._count)
            lines = np.arange(self._first + start, self._first + stop, dtype=np.int64)
            columns = {column: self._arrays[column].slice(start, stop - start) for column in wanted}
            yield Chunk(columns, lines, [], stop / max(self._count, 1))


def array_of(values: list[Any]) -> pa.Array:
    """A column of a database's values, typed where all are of one type, else as text.

    >>> array_of([Decimal("1.10"), None, Decimal("2")]).type, array_of([1, "a"]).to_pylist()
    (Decimal128Type(decimal128(3, 2)), ['1', 'a'])
    """
    kinds = {_kind(value) for value in values if value is not None}
    if len(kinds) == 1:
        (kind,) = kinds
        try:
            if kind == "text":
                return pa.array(values, pa.string()).dictionary_encode()
            if kind == "aware":
                return pa.array(values, pa.timestamp("us", tz="UTC"))
            if kind in _TYPES:
                return pa.array(values, _TYPES[kind])
            if kind == "decimal":
                return pa.array(values)
        except (pa.ArrowException, OverflowError, ValueError):
            pass
    return pa.array(
        [None if value is None else as_text(value) for value in values], pa.string()
    ).dictionary_encode()


_TYPES: Final[dict[str, pa.DataType]] = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "naive": pa.timestamp("us"),
    "date": pa.date32(),
}


def _kind(value: Any) -> str:
    """Which column a value can stand in."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -_MOST <= value < _MOST else "big"
    if isinstance(value, float):
        return "float"
    if isinstance(value, Decimal):
        return "decimal" if value.is_finite() else "odd"
    if isinstance(value, datetime):
        return "aware" if value.tzinfo is not None else "naive"
    return "date" if isinstance(value, date) else "other"


def as_text(value: Any) -> str:
    """A database's value as text: whole numbers without a point, times in ISO form, structures as JSON.

    >>> as_text(5.0), as_text({"a": [1]}), as_text(b"ab"), as_text(True)
    ('5', '{"a":[1]}', '6162', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return msgspec.json.encode(value, enc_hook=str).decode()
    return str(value)
