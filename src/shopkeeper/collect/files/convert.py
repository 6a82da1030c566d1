"""Columns of text (or typed ones) as typed values, many rows at a time, with the rows that cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.files import dates, numbers
from shopkeeper.collect.files.cells import READERS, Styles, Values
from shopkeeper.collect.files.kinds import Field, Kind
from shopkeeper.collect.files.rows import Chunk, Flags, Lines, refuse
from shopkeeper.domain.batch import Refused

_NUMERIC: Final = frozenset({"money", "quantity", "float"})
_DATED: Final = frozenset({"time", "date", "month"})
_EXPECTED: Final = {
    "money": ("bad_number", "an amount, such as 6.95"),
    "quantity": ("bad_number", "a number, such as 12"),
    "float": ("bad_number", "a number, such as 0.85"),
    "time": ("bad_time", "a time, such as 2011-12-09 12:50"),
    "date": ("bad_time", "a date, such as 2011-12-09"),
    "month": ("bad_time", "a month, such as 2011-03"),
    "bool": ("bad_value", "yes or no"),
    "currency": ("bad_currency", "an ISO 4217 code, such as EUR"),
    "id": ("bad_identifier", "an identifier as it was issued, not one cut short by a spreadsheet (5.01E+12)"),
    "text": ("bad_value", "a text"),
}


@dataclass(slots=True)
class Typed:
    """The usable rows of a chunk as typed values, and the refused ones."""

    values: dict[str, Values]
    lines: Lines
    refused: list[Refused]
    rounded: dict[str, int]
    kept: Lines
    """Which rows of the chunk these are."""

    def rows(self, *fields: str) -> list[tuple[Any, ...]]:
        """Tuples of the values of those fields, row by row; None for a field the file does not have."""
        nothing = [None] * len(self.lines)
        return list(
            zip(*(self.values[f].to_list() if f in self.values else nothing for f in fields), strict=True)
        )


def survey(
    chunks: Iterable[Chunk],
    kind: Kind,
    mapping: Mapping[str, str],
    *,
    day_first: bool | None = None,
    decimal_comma: bool | None = None,
    usual_day_first: bool = True,
) -> Styles:
    """Decide per column, on every value, the decimal sign and the order of day and month; what was given is obeyed.

    Where a column does not tell, the file's other columns do, and where none does, dates are as ``usual_day_first``.
    """
    by_column = {column: kind.field(name).type for name, column in mapping.items()}
    signs = {column: numbers.NumberEvidence() for column, t in by_column.items() if t in _NUMERIC}
    orders = {column: dates.DateEvidence() for column, t in by_column.items() if t in _DATED}
    floats = {column: [0, 0] for column, t in by_column.items() if t == "id"}
    for chunk in chunks:
        for column, array in chunk.columns.items():
            texts = _distinct_texts(array)
            if texts is None:
                continue
            evidence = signs.get(column) or orders.get(column)
            if evidence is not None:
                evidence.add(texts)
            elif column in floats:
                _count_floats(texts, floats[column])
    vote = sum((s.comma_sign > s.point) - (s.point > s.comma_sign) for s in signs.values()) > 0
    leaning = sum((o.day_first > o.month_first) - (o.month_first > o.day_first) for o in orders.values())
    usual = leaning > 0 or (leaning == 0 and usual_day_first)
    styles = Styles(whole_ids={column for column, (whole, other) in floats.items() if whole and not other})
    for column, sign in signs.items():
        styles.comma[column] = sign.comma(otherwise=vote) if decimal_comma is None else decimal_comma
        styles.notes.append(sign.note(column, otherwise=vote) if decimal_comma is None else "")
    for column, order in orders.items():
        styles.day_first[column] = order.first(otherwise=usual) if day_first is None else day_first
        styles.notes.append(order.note(column, otherwise=usual) if day_first is None else "")
    styles.notes = [note for note in styles.notes if note]
    styles.notes.extend(
        f"{column!r} holds numbers like 13085.0; the '.0' was left out" for column in styles.whole_ids
    )
    return styles


def _distinct_texts(array: pa.Array) -> pa.Array | None:
    if isinstance(array, pa.DictionaryArray):
        return (
            array.dictionary
            if pa.types.is_string(array.dictionary.type)
            else array.dictionary.cast(pa.string())
        )
    return pc.unique(array).cast(pa.string()) if pa.types.is_string(array.type) else None


def _count_floats(texts: pa.Array, counts: list[int]) -> None:
    whole = pc.sum(pc.match_substring_regex(texts, r"^\s*\d+\.0\s*$")).as_py() or 0
    counts[0] += whole
    counts[1] += len(texts) - whole - int(numbers.missing(texts).sum())


def convert(chunk: Chunk, kind: Kind, mapping: Mapping[str, str], styles: Styles, zone: str) -> Typed:
    """The rows of a chunk as typed values; rows that cannot be are refused with the first field that fails."""
    size = len(chunk.lines)
    failed = np.zeros(size, np.int64)
    reasons: list[tuple[str, str]] = []
    values: dict[str, Values] = {}
    rounded: dict[str, int] = {}
    for name, column in mapping.items():
        told = kind.field(name)
        got, bad, count = _field(chunk.columns[column], told, column, styles, zone)
        values[name] = got
        if count:
            rounded[column] = count
        if bad.any():
            reason, expected = _EXPECTED[told.type]
            reasons.append((reason, f"column {column!r} ({name}): expected {expected}"))
            failed[bad & (failed == 0)] = len(reasons)
    for group in kind.needs:
        there = np.zeros(size, bool)
        for name in group:
            if name in values:
                there |= values[name].present
        if not there.all():
            columns = ", ".join(repr(mapping[name]) for name in group if name in mapping)
            reasons.append(
                ("missing_value", f"nothing in {columns} ({' or '.join(n for n in group if n in mapping)})")
            )
            failed[~there & (failed == 0)] = len(reasons)
    refused = list(chunk.refused)
    keep = failed == 0
    if not keep.all():
        for i in np.flatnonzero(~keep).tolist():
            reason, detail = reasons[failed[i] - 1]
            refused.append(refuse_row(chunk, i, reason, detail))
        values = {name: one.filtered(keep) for name, one in values.items()}
    return Typed(values, chunk.lines[keep], refused, rounded, np.flatnonzero(keep))


def refuse_row(chunk: Chunk, row: int, reason: str, detail: str) -> Refused:
    """Row number ``row`` of a chunk as a refused one, with the cells that were read."""
    return refuse(
        int(chunk.lines[row]), reason, detail, [column[row].as_py() for column in chunk.columns.values()]
    )


def _field(array: pa.Array, told: Field, column: str, styles: Styles, zone: str) -> tuple[Values, Flags, int]:
    """Values, which rows are bad, how many numbers were rounded."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.DictionaryArray):
        inner, bad, rounded = _field(array.dictionary, told, column, styles, zone)
        codes = pc.fill_null(array.indices, -1).to_numpy(zero_copy_only=False)
        return _spread(inner, codes), np.append(bad, False)[codes], rounded
    kind = array.type
    if pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return _field(array.cast(pa.string()), told, column, styles, zone)
    if pa.types.is_string(kind):
        if len(array) > 64 and told.type in _NUMERIC | _DATED:
            encoded = array.dictionary_encode()
            if len(encoded.dictionary) < 0.7 * len(array):
                return _field(encoded, told, column, styles, zone)
        return READERS[told.type](array, column, styles, zone)
    return _typed(array, told, column, styles, zone)


def _typed(array: pa.Array, told: Field, column: str, styles: Styles, zone: str) -> tuple[Values, Flags, int]:
    """A column of numbers, dates or flags; where text is asked for it goes through text."""
    kind = array.type
    present = np.asarray(pc.is_valid(array).to_numpy(zero_copy_only=False))
    if pa.types.is_floating(kind):
        present &= ~np.asarray(pc.fill_null(pc.is_nan(array), True).to_numpy(zero_copy_only=False))
    if told.type in ("money", "quantity") and _is_number(kind):
        micros, bad, rounded = numbers.micros_of_typed(array)
        return Values(micros, None, present), bad & present, rounded
    if told.type == "float" and _is_number(kind):
        floats = np.asarray(pc.fill_null(array.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False))
        return Values(floats, None, present), ~np.isfinite(floats) & present, 0
    if told.type == "time" and (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        at, bad = dates.instants_of_typed(array, zone=zone)
        return Values(at, None, present), bad & present, 0
    return READERS[told.type](_as_text(array, present), column, styles, zone)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _as_text(array: pa.Array, present: Flags) -> pa.Array:
    """A typed column as text: floats that are whole without a point."""
    if pa.types.is_floating(array.type):
        texts = [
            None if not there else str(int(v)) if v == int(v) and abs(v) < 1e15 else repr(v)
            for v, there in zip(array.to_pylist(), (present & _finite(array)).tolist(), strict=True)
        ]
        return pa.array(texts, pa.string())
    return array.cast(pa.string())


def _finite(array: pa.Array) -> Flags:
    floats = np.asarray(pc.fill_null(array.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False))
    return np.asarray(np.isfinite(floats))


def _spread(inner: Values, codes: npt.NDArray[Any]) -> Values:
    """Values of a dictionary at the rows that point to them; -1 is absent."""
    present = np.append(inner.present, False)[codes]
    if inner.texts is not None:
        own = inner.texts.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        rows = np.append(own, -1)[codes].astype(np.int32)
        return Values(
            None,
            pa.DictionaryArray.from_arrays(pa.array(rows, mask=rows < 0), inner.texts.dictionary),
            present,
        )
    assert inner.numbers is not None  # noqa: S101
    return Values(np.append(inner.numbers, inner.numbers.dtype.type(0))[codes], None, present)
