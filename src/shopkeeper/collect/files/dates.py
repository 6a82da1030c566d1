"""Texts as instants: ISO, day-first, month-first, dotted, with month names, Excel serials and Unix times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.files.zone import to_utc
from shopkeeper.domain.clock import DAY, SECOND

Micros = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_CLOCK = (
    r"(?:(?:[T,]\s*|\s+)(?P<H>\d{1,2})[:.](?P<M>\d{2})(?:[:.](?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<p>[AaPp]\.?[Mm]\.?)?)?\s*(?P<z>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
_ISO: Final = r"^(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})" + _CLOCK
_COMPACT: Final = (
    r"^(?P<y>(?:19|20|21)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:T?(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?)?(?P<z>Z)?$"
)
_SLASHED: Final = r"^(?P<a>\d{1,2})(?P<s>[-/.])(?P<b>\d{1,2})[-/.](?P<y>\d{4}|\d{2})" + _CLOCK
_WORDED: Final = (
    r"^(?P<d>\d{1,2})(?:\.|st|nd|rd|th)?[-\s/]+(?P<n>\p{L}{3,10})\.?[-\s/,]+(?P<y>\d{4}|\d{2})" + _CLOCK
)
_WORD_FIRST: Final = r"^(?P<n>\p{L}{3,10})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})" + _CLOCK
_NUMBER: Final = r"^\d{4,16}(?:\.\d+)?$"
_MONTHS: Final = {
    word: number
    for number, words in enumerate(
        (
            "jan januar january janvier enero ene",
            "feb februar february février févr fév fevr febrero",
            "mar mär märz march mars marzo mrz",
            "apr april avril avr abril abr",
            "may mai mayo",
            "jun juni june juin junio",
            "jul juli july juillet juil julio",
            "aug august août aout agosto ago",
            "sep sept september septembre septiembre",
            "oct okt oktober october octobre octubre",
            "nov november novembre noviembre",
            "dec dez dezember december décembre déc diciembre dic",
        ),
        1,
    )
    for word in words.split()
}
_EXCEL_ZERO: Final = -25_569 * DAY
_FIRST, _LAST = -2_208_988_800 * SECOND, 7_258_118_400 * SECOND  # 1900 and 2200


@dataclass(slots=True)
class DateEvidence:
    """What the values of one column say about the order of day and month."""

    day_first: int = 0
    month_first: int = 0
    unclear: int = 0

    def add(self, values: pa.Array) -> None:
        """Look at further values (distinct ones suffice)."""
        parts = pc.extract_regex(pc.utf8_trim_whitespace(pc.fill_null(values, "")), _SLASHED)
        first, second = _whole(parts, "a"), _whole(parts, "b")
        dotted = np.asarray(
            pc.fill_null(pc.equal(pc.struct_field(parts, "s"), "."), False).to_numpy(zero_copy_only=False)
        )
        valid = np.asarray(pc.is_valid(parts).to_numpy(zero_copy_only=False))
        by_day = valid & ((first > 12) | (dotted & (second <= 12)))
        by_month = valid & (second > 12) & (first <= 12)
        self.day_first += int(by_day.sum())
        self.month_first += int(by_month.sum())
        self.unclear += int((valid & ~by_day & ~by_month & (first != second)).sum())

    def first(self, *, otherwise: bool = True) -> bool:
        """Whether the day stands before the month; where no value tells, ``otherwise``."""
        if self.day_first == self.month_first:
            return otherwise
        return self.day_first > self.month_first

    def note(self, column: str, *, otherwise: bool = True) -> str:
        """A sentence where the decision was not certain."""
        order, other = ("day", "month") if self.first(otherwise=otherwise) else ("month", "day")
        if self.day_first and self.month_first:
            return (
                f"{column!r} has the {order} first and the {other} first; "
                f"{order} first was taken, the others are refused"
            )
        if self.unclear and not self.day_first and not self.month_first:
            return (
                f"{column!r} does not tell day from month (as in 03/04/2011); the {order} was taken to come first; "
                f"if that is wrong, say that dates are {other}-first"
            )
        return ""


def to_instants(values: pa.Array, *, day_first: bool, zone: str) -> tuple[Micros, Flags]:
    """Texts as microseconds since 1970 in UTC, and which of them are no time. Times without zone are read in ``zone``.

    >>> to_instants(pa.array(["2011-12-09 12:50", "12/9/2011", "13/9/2011"]), day_first=False, zone="UTC")[1]
    array([False, False,  True])
    """
    texts = pc.utf8_trim_whitespace(pc.fill_null(values, ""))
    wall = np.zeros(len(texts), np.int64)
    good = np.zeros(len(texts), bool)
    zoned = np.zeros(len(texts), bool)
    for pattern in (_ISO, _SLASHED, _COMPACT, _WORDED, _WORD_FIRST):
        todo = np.flatnonzero(~good)
        if not len(todo):
            break
        parts = pc.extract_regex(texts.take(pa.array(todo)) if len(todo) < len(texts) else texts, pattern)
        if parts.null_count == len(parts):
            continue
        at, fine, known = _assemble(parts, day_first=day_first)
        wall[todo], good[todo], zoned[todo] = at, fine, known
    _numbers(texts, wall, good, zoned)
    naive = good & ~zoned
    if naive.any():
        wall[naive] = to_utc(wall[naive], zone)
    good &= (wall >= _FIRST) & (wall < _LAST)
    return np.where(good, wall, 0), ~good


def instants_of_typed(values: pa.Array, *, zone: str) -> tuple[Micros, Flags]:
    """Dates and timestamps of a typed column as microseconds since 1970 in UTC."""
    with_zone = pa.types.is_timestamp(values.type) and values.type.tz is not None
    stamps = values.cast(pa.timestamp("us", tz=values.type.tz if with_zone else None), safe=False)
    wall = np.asarray(pc.fill_null(stamps.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)).copy()
    bad = (wall < _FIRST) | (wall >= _LAST)
    wall[bad] = 0
    if with_zone:
        return wall, bad
    distinct, where = np.unique(wall, return_inverse=True)
    return to_utc(distinct, zone)[where], bad


def _whole(parts: pa.Array, field: str, otherwise: int = 0) -> Micros:
    """A captured group as integers; ``otherwise`` where it did not take part."""
    if parts.type.get_field_index(field) < 0:
        return np.full(len(parts), otherwise, np.int64)
    texts = pc.fill_null(pc.struct_field(parts, field), "")
    return np.asarray(
        pc.if_else(pc.equal(texts, ""), str(otherwise), texts).cast(pa.int64()).to_numpy(zero_copy_only=False)
    )


def _text(parts: pa.Array, field: str) -> pa.Array:
    if parts.type.get_field_index(field) < 0:
        return pa.array([""] * len(parts), pa.string())
    return pc.fill_null(pc.struct_field(parts, field), "")


def _assemble(parts: pa.Array, *, day_first: bool) -> tuple[Micros, Flags, Flags]:
    """Captured parts as wall-clock (or, with a zone, UTC) microseconds, which are valid, which had a zone."""
    good = np.asarray(pc.is_valid(parts).to_numpy(zero_copy_only=False)).copy()
    year = _whole(parts, "y")
    short = np.asarray(pc.equal(pc.utf8_length(_text(parts, "y")), 2).to_numpy(zero_copy_only=False))
    year = np.where(short, year + np.where(year < 70, 2000, 1900), year)
    if parts.type.get_field_index("a") >= 0:
        dotted = np.asarray(pc.equal(_text(parts, "s"), ".").to_numpy(zero_copy_only=False))
        first, second = _whole(parts, "a"), _whole(parts, "b")
        by_day = dotted | day_first
        day, month = np.where(by_day, first, second), np.where(by_day, second, first)
    else:
        day, month = _whole(parts, "d"), _whole(parts, "m")
    if parts.type.get_field_index("n") >= 0:
        words = pc.utf8_lower(_text(parts, "n")).to_pylist()
        month = np.array([_MONTHS.get(word, 0) for word in words], np.int64)
    hour, minute, second_ = _whole(parts, "H"), _whole(parts, "M"), _whole(parts, "S")
    fraction = _whole_padded(parts)
    half = pc.utf8_lower(pc.utf8_slice_codeunits(_text(parts, "p"), 0, 1))
    noon = np.asarray(pc.equal(half, "p").to_numpy(zero_copy_only=False))
    morning = np.asarray(pc.equal(half, "a").to_numpy(zero_copy_only=False))
    good &= ~((noon | morning) & ((hour < 1) | (hour > 12)))
    hour = np.where(noon & (hour < 12), hour + 12, np.where(morning & (hour == 12), 0, hour))
    good &= (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1900) & (year < 2200)
    good &= (hour < 24) & (minute < 60) & (second_ < 60)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first_day = months.astype("datetime64[D]").astype(np.int64)
    good &= day <= (months + 1).astype("datetime64[D]").astype(np.int64) - first_day
    at = (first_day + day - 1) * DAY + ((hour * 60 + minute) * 60 + second_) * SECOND + fraction
    offset, zoned = _offsets(_text(parts, "z"))
    return np.where(good, at - offset, 0), good, good & zoned


def _whole_padded(parts: pa.Array) -> Micros:
    texts = pc.utf8_slice_codeunits(pc.utf8_rpad(_text(parts, "f"), 6, "0"), 0, 6)
    return np.asarray(texts.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _offsets(zones: pa.Array) -> tuple[Micros, Flags]:
    """Microseconds ahead of UTC, and whether a zone was told."""
    encoded = zones.dictionary_encode()
    table = np.zeros((len(encoded.dictionary), 2), np.int64)
    for i, zone in enumerate(encoded.dictionary.to_pylist()):
        if zone:
            digits = "".join(letter for letter in zone if letter.isdigit())
            minutes = int(digits[:2] or 0) * 60 + int(digits[2:] or 0)
            table[i] = (-1 if zone[0] == "-" else 1) * minutes * 60 * SECOND, 1
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return table[codes, 0], table[codes, 1] > 0


def _numbers(texts: pa.Array, wall: Micros, good: Flags, zoned: Flags) -> None:
    """Excel serials (days since 1900, wall clock) and Unix times in seconds, milliseconds or microseconds."""
    numeric = np.asarray(pc.match_substring_regex(texts, _NUMBER).to_numpy(zero_copy_only=False)) & ~good
    for i in np.flatnonzero(numeric).tolist():
        number = float(texts[i].as_py())
        if 18_000 <= number < 110_000:
            wall[i] = _EXCEL_ZERO + round(number * 86_400) * SECOND
            good[i] = True
            continue
        for least, scale in ((1e14, 1), (1e11, 1_000), (1e8, SECOND)):
            if number >= least:
                wall[i], good[i], zoned[i] = round(number * scale), True, True
                break
