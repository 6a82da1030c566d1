"""Writes columns into a SQLite table: each is one blob, which the statement itself cuts into values.

A row that Python binds value by value costs some microseconds; cut by ``INSERT ... SELECT`` it costs a part of that,
and no object is made of it. Whole numbers travel as decimal digits of one width, since SQL reads no binary ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

MOST: Final = 1 << 17
"""Rows that one sheet may have."""
_FOUR: Final = np.frombuffer(b"".join(b"%04d" % n for n in range(10_000)), np.uint8).reshape(-1, 4)


def ready(ledger: sqlite3.Connection) -> None:
    """Make the table of places that every sheet walks along."""
    ledger.execute("CREATE TEMP TABLE place (i INTEGER PRIMARY KEY)")
    ledger.execute(
        "INSERT INTO place WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i FROM n",
        (MOST,),
    )


def digits(values: np.ndarray) -> tuple[bytes, int]:
    """Whole numbers from 0 on as decimal digits, and how many each has.

    >>> digits(np.array([7, 12345]))
    (b'0000000700012345', 8)
    """
    left = values.astype(np.int64)
    groups = -(-len(str(int(left.max(initial=0)))) // 4)
    text = np.empty((len(left), groups, 4), np.uint8)
    for group in range(groups - 1, -1, -1):
        rest = left // 10_000
        text[:, group] = _FOUR[left - rest * 10_000]
        left = rest
    return text.tobytes(), 4 * groups


class Sheet:
    """Some rows of one table. Its methods take a column each and return the SQL that stands for its values."""

    def __init__(self, rows: int) -> None:
        if rows > MOST:
            raise ValueError(f"{rows} rows, expected {MOST} at most")
        self.rows = rows
        self._bound: list[Any] = []

    def same(self, value: Any) -> str:
        """One value in every row."""
        self._bound.append(value)
        return f"?{len(self._bound)}"

    def counted(self, first: int) -> str:
        """Whole numbers, one more from row to row."""
        return f"({self.same(first)} + n.i)"

    def whole(self, values: np.ndarray) -> str:
        """Whole numbers."""
        low = int(values.min(initial=0))
        text, width = digits(values - low if low else values)
        number = f"CAST({self.octets(text, width)} AS INTEGER)"
        return f"({number} + {self.same(low)})" if low else number

    def octets(self, blob: bytes, width: int) -> str:
        """Blobs of one width, one after another."""
        if len(blob) != width * self.rows:
            raise ValueError(f"{len(blob)} octets, expected {width} in each of {self.rows} rows")
        return f"substr({self.same(blob)}, n.i * {width} + 1, {width})"

    def pieces(self, blob: bytes, lengths: np.ndarray) -> str:
        """Blobs of different lengths, one after another."""
        ends = np.cumsum(lengths)
        return f"substr({self.same(blob)}, {self.whole(ends - lengths)} + 1, {self.whole(lengths)})"

    def one_of(self, values: np.ndarray, names: Sequence[str]) -> str:
        """Texts by their number."""
        if len(names) == 1:
            return self.same(names[0])
        cases = " ".join(f"WHEN {number} THEN {self.same(name)}" for number, name in enumerate(names))
        return f"CASE {self.whole(values)} {cases} END"

    def into(
        self, ledger: sqlite3.Connection, table: str, columns: Mapping[str, str], joined: str = ""
    ) -> None:
        """Insert the rows, in their order; ``joined`` looks further values up for each."""
        told = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())}"
        limit = self.same(self.rows)
        ledger.execute(f"{told} FROM temp.place AS n {joined} WHERE n.i < {limit}", self._bound)
