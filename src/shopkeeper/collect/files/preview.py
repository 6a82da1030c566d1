"""The first rows of a file: which columns they fill, how they are written, and how many of them cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct, field

from shopkeeper.collect.files.cells import Styles
from shopkeeper.collect.files.columns import Columns, has_line_items, prefer_filled
from shopkeeper.collect.files.convert import convert, survey
from shopkeeper.collect.files.kinds import Kind
from shopkeeper.collect.files.lineitems import carried, filled
from shopkeeper.collect.files.rows import Chunk, Table
from shopkeeper.domain.reading import Reading

__all__ = ["TOO_LONG", "Preview", "Reading", "follows", "look", "styles_of"]

TOO_LONG = "line_too_long"
"""Reason of rows that say nothing about the others, however many of them there are."""


class Preview(Struct):
    """What the first rows tell."""

    columns: Columns
    notes: list[str]
    rows: int = 0
    refused: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Sentence -> how many rows cannot be used for it."""


def look(table: Table, columns: Columns, kind: Kind, how: Reading, given: Collection[str]) -> Preview:
    """Look at the first rows. Fields in ``given`` keep their columns even where those are empty."""
    spare = [column for others in columns.ambiguous.values() for column in others]
    head, too_long = None, Counter[str]()
    for chunk in table.chunks(list(dict.fromkeys([*columns.fields.values(), *spare]))):
        too_long.update(row.detail for row in chunk.refused if row.reason == TOO_LONG)
        if len(chunk.lines) or any(row.reason != TOO_LONG for row in chunk.refused):
            head = chunk
            break
    if head is None:
        return Preview(columns, [], too_long.total(), too_long.total(), dict(too_long))
    if len(head.lines):
        columns = _prefer_filled(columns, head, table, given)
    if follows(kind, columns.fields, table):
        (head,) = carried([head], columns.fields)
    styles = styles_of([head], kind, columns.fields, how)
    refused = convert(head, kind, columns.fields, styles, "UTC").refused
    reasons = too_long + Counter(row.detail for row in refused if row.reason != TOO_LONG)
    rows = len(head.lines) + len(head.refused)
    early = too_long.total() - sum(row.reason == TOO_LONG for row in head.refused)
    return Preview(columns, styles.notes, rows + early, reasons.total(), dict(reasons.most_common()))


def styles_of(chunks: Iterable[Chunk], kind: Kind, mapping: Mapping[str, str], how: Reading) -> Styles:
    """How the columns write numbers and dates."""
    return survey(
        chunks,
        kind,
        mapping,
        day_first=how.day_first,
        decimal_comma=how.decimal_comma,
        usual_day_first=how.usual_day_first,
    )


def follows(kind: Kind, mapping: Mapping[str, str], table: Table) -> bool:
    """Whether lines of an order may leave blank what its first line told."""
    return kind.name == "orders" and has_line_items(table.columns) and "order_id" in mapping


def _prefer_filled(columns: Columns, head: Chunk, table: Table, given: Collection[str]) -> Columns:
    if not columns.ambiguous:
        return columns
    shares = {name: float(filled(array).mean()) for name, array in head.columns.items()}
    return prefer_filled(columns, shares, given, table.columns)
