"""Brings in a table of another system's database: like a file, but only what came since the last time.

Rows are taken in the order of the cursor, some hundred thousand in a transaction of the ledger; the cursor's value is
kept in the same transaction, so that after a crash it goes on where it stood, and nothing is lost or taken twice. What
a reading sees again counts as repeated. Address and password are never kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import msgspec
from msgspec import Struct

from shopkeeper.collect.files.door import Guess, guess, load
from shopkeeper.collect.files.zone import zone_of
from shopkeeper.collect.tables import cursor as marks
from shopkeeper.collect.tables.rows import RowsTable
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.reading import Reading
from shopkeeper.domain.report import ImportSummary
from shopkeeper.shop.bringing import carry, named_well
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.tables import Database, Row, Select
from shopkeeper.stores.tables.address import table_of, with_environment
from shopkeeper.stores.tables.sqlalchemy import open_database

ROUND: Final = 200_000
"""Rows of one transaction, about: what belongs together, and rows of one cursor value, stay together."""
_SAMPLE: Final = 2_000
"""Rows looked at to tell the kind and the columns."""
TIMEOUT: Final = 600.0
"""Seconds that one statement may take in the other database."""


class TableAsked(Struct, frozen=True, kw_only=True):
    """What is to be read, and how."""

    query: str
    kind: str | None = None
    cursor: str = ""
    """The column that grows with every change; without one everything is read every time."""
    source: str = ""
    """Name of the system; that of the table where left out."""
    mapping: dict[str, str] = msgspec.field(default_factory=dict)
    reading: Reading = Reading()
    numbering: str | None = None
    zone: str = ""
    """Zone of times without one; the shop's where left out."""
    overlap: float | None = None
    """Seconds (numbers, for a cursor of numbers) before the last value at which a reading begins."""
    anew: bool = False
    """Read from the beginning, whatever was read before."""
    timeout: float = TIMEOUT


def preview_table(places: Places, url: str, asked: TableAsked) -> Guess:
    """What a table seems to be and how its columns would be read; nothing is brought in."""
    with open_database(url, timeout=asked.timeout) as database:
        return _recognised(places, database, asked)[1]


def bring_table(
    places: Places, url: str, asked: TableAsked, progress: Progress | None = None, *, size: int = ROUND
) -> ImportSummary:
    """Bring in what a table has beyond the last reading."""
    began = perf_counter()
    zone_of(asked.zone or places.settings.time_zone)
    source = asked.source or table_of(asked.query)
    named_well(source, asked.numbering)
    with open_database(url, timeout=asked.timeout) as database:
        columns, seen = _recognised(places, database, asked)
        of = marks.digest(database.name, asked.query, asked.cursor)
        setting = f"table:{source}"
        with places.ledger.read() as reader:
            kept = None if asked.anew or not asked.cursor else marks.read(reader.setting(setting), of)
        select = Select(
            query=asked.query,
            cursor=asked.cursor,
            after=None if kept is None else marks.before(kept.value, asked.overlap),
            whole=seen.mapping.get("order_id", "") if seen.kind == "orders" else "",
        )
        run = _Reading(places, asked, seen, columns, source, setting, of, progress)
        run.known = kept is not None
        for rows, last in rounds(database.rows(select), size, cut=bool(asked.cursor)):
            run.take(rows, last)
    return run.summary(perf_counter() - began)


def rounds(
    blocks: Iterable[list[tuple[Row, Any]]], size: int, *, cut: bool
) -> Iterator[tuple[list[Row], Any]]:
    """Rows in portions of at least ``size`` that end where the cursor's value changes, each with its last value.

    >>> list(rounds([[("a", 1), ("b", 1)], [("c", 1), ("d", 2)]], 2, cut=True))
    [(['a', 'b', 'c'], 1), (['d'], 2)]
    """
    rows: list[Row] = []
    last: Any = None
    for row, value in chain.from_iterable(blocks):
        if cut and len(rows) >= size and value != last and value is not None and last is not None:
            yield rows, last
            rows = []
        rows.append(row)
        if value is not None:
            last = value
    if rows:
        yield rows, last


def _recognised(places: Places, database: Database, asked: TableAsked) -> tuple[tuple[str, ...], Guess]:
    """The columns and what the first rows seem to be."""
    columns = database.columns(asked.query)
    name = table_of(asked.query)
    sample = [row for block in database.rows(Select(query=asked.query, most=_SAMPLE)) for row, _ in block]
    how = asked.reading
    if not how.region:
        how = msgspec.structs.replace(how, region=places.settings.region)
    table = RowsTable(columns, sample, name)
    if asked.cursor and asked.cursor.lower() not in {column.lower() for column in columns}:
        raise UnknownName("column", asked.cursor, columns)
    return columns, guess(Path(name), kind=asked.kind, mapping=asked.mapping, reading=how, table=table)


class _Reading:
    """One reading of a table, in rounds."""

    def __init__(
        self,
        places: Places,
        asked: TableAsked,
        seen: Guess,
        columns: tuple[str, ...],
        source: str,
        setting: str,
        of: str,
        progress: Progress | None,
    ) -> None:
        self.places = places
        self.asked = asked
        self.seen = seen
        self.columns = columns
        self.source = source
        self.setting = setting
        self.of = of
        self.progress = progress
        self.known = False
        """Whether rows of it were taken before: then one that cannot be used is refused and stops nothing."""
        self.done: list[ImportSummary] = []
        self._read = 0
        self._mark: marks.Mark | None = None

    def take(self, rows: list[Row], last: Any) -> None:
        """Take one round, in a transaction with the cursor's value."""
        name = table_of(self.asked.query)
        table = RowsTable(self.columns, rows, name, first=self._read + 1)
        self._read += len(rows)
        mark = marks.mark(last, self.of) if self.asked.cursor and last is not None else None

        def batches(tx: LedgerWriter, heard: Progress, notes: list[str]) -> Iterator[Batch]:
            return load(
                Path(name),
                guess=self.seen,
                source=self.source,
                now=self.places.now(),
                zone=self.asked.zone or self.places.settings.time_zone,
                currency=self.places.settings.currency,
                lines=tx,
                progress=heard,
                notes=notes,
                table=table,
                known=self.known,
                whole=True,
            )

        def keep(tx: LedgerWriter) -> None:
            if mark is not None:
                tx.keep(self.setting, marks.written(mark))

        summary = carry(
            self.places,
            self.seen,
            batches,
            source=self.source,
            numbering=self.asked.numbering,
            name=name,
            progress=self.progress,
            beside=keep,
        )
        self.done.append(summary)
        self.known = True

    def summary(self, seconds: float) -> ImportSummary:
        """The counts of all rounds together."""
        if not self.done:
            return ImportSummary(
                file=table_of(self.asked.query), kind=self.seen.kind, read=0, kept=0,
                mapping=dict(self.seen.mapping), seconds=round(seconds, 3), notes=("nothing new since the last time",),
            )  # fmt: skip
        first = self.done[0]
        if len(self.done) == 1:
            return first
        counts = {
            name: sum(getattr(one, name) for one in self.done)
            for name in ("read", "kept", "repeated", "quarantined", "events", "orders", "returns")
        }
        sums = {
            name: _sum(getattr(one, name) for one in self.done) for name in ("exact", "rounded", "difference")
        }
        reasons: dict[str, int] = {}
        for one in self.done:
            for reason, count in one.reasons.items():
                reasons[reason] = reasons.get(reason, 0) + count
        notes = tuple(dict.fromkeys(note for one in self.done for note in one.notes))
        return msgspec.structs.replace(
            first, **counts, **sums, reasons=reasons, notes=notes, seconds=round(seconds, 3)
        )


def _sum(texts: Iterable[str]) -> str:
    given = [text for text in texts if text]
    return str(sum(map(Decimal, given))) if given else ""


def asked_of(told: Mapping[str, Any]) -> TableAsked:
    """What is asked, from plain data. Raises InvalidInput."""
    try:
        return msgspec.convert(told, TableAsked)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"a table cannot be read so: {error}") from None


__all__ = ["ROUND", "TableAsked", "asked_of", "bring_table", "preview_table", "rounds", "with_environment"]
