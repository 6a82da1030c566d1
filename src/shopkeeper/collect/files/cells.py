"""Columns of text as typed columns: one reader per type of field, each with the rows that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.files import dates, numbers
from shopkeeper.collect.files.rows import Flags
from shopkeeper.domain.clock import DAY

LONGEST_ID: Final = 512
YES: Final = [
    "true",
    "t",
    "yes",
    "y",
    "1",
    "ja",
    "j",
    "oui",
    "si",
    "sí",
    "s",
    "given",
    "granted",
    "opt-in",
    "optin",
    "opted-in",
    "subscribed",
    "active",
    "allowed",
    "in",
    "on",
    "x",
    "wahr",
    "vrai",
    "verdadero",
    "accepted",
    "agreed",
    "consented",
]
NO: Final = [
    "false",
    "f",
    "no",
    "n",
    "0",
    "nein",
    "non",
    "withdrawn",
    "revoked",
    "denied",
    "opt-out",
    "optout",
    "opted-out",
    "unsubscribed",
    "inactive",
    "refused",
    "out",
    "off",
    "falsch",
    "faux",
    "falso",
    "declined",
    "objected",
]


@dataclass(slots=True)
class Styles:
    """How the columns of one file write numbers and dates, decided on all their values."""

    comma: dict[str, bool] = field(default_factory=dict)
    day_first: dict[str, bool] = field(default_factory=dict)
    whole_ids: set[str] = field(default_factory=set)
    """Columns of identifiers that some program turned into floats: 13085.0."""
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Values:
    """The values of one field: texts (dictionary-encoded, null where absent) or numbers with a mask."""

    numbers: npt.NDArray[Any] | None
    texts: pa.DictionaryArray | None
    present: Flags

    def filtered(self, keep: Flags) -> Values:
        """Only the rows where ``keep`` is true."""
        return Values(
            None if self.numbers is None else self.numbers[keep],
            None if self.texts is None else self.texts.filter(pa.array(keep)),
            self.present[keep],
        )

    def to_list(self) -> list[Any]:
        """Python values, None where absent."""
        if self.texts is not None:
            return list(self.texts.to_pylist())
        assert self.numbers is not None  # noqa: S101  (one of the two is always there)
        return [v if p else None for v, p in zip(self.numbers.tolist(), self.present.tolist(), strict=True)]


def encode(texts: pa.Array) -> pa.DictionaryArray:
    """Texts as a dictionary array without doubles in the dictionary."""
    return texts if isinstance(texts, pa.DictionaryArray) else texts.dictionary_encode()


def _text(array: pa.Array, _column: str, _styles: Styles, _zone: str) -> tuple[Values, Flags, int]:
    texts = pc.utf8_trim_whitespace(array)
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    present = np.asarray(pc.is_valid(texts).to_numpy(zero_copy_only=False))
    return Values(None, encode(texts), present), np.zeros(len(texts), bool), 0


def _id(array: pa.Array, column: str, styles: Styles, _zone: str) -> tuple[Values, Flags, int]:
    texts = pc.utf8_trim_whitespace(array)
    if column in styles.whole_ids:
        texts = pc.replace_substring_regex(texts, r"\.0$", "")
    absent = numbers.missing(texts)
    texts = pc.if_else(pa.array(absent), pa.scalar(None, pa.string()), texts)
    mangled = pc.match_substring_regex(texts, r"^\d([.,]\d+)?E\+\d+$")
    bad = pc.fill_null(pc.or_(mangled, pc.greater(pc.utf8_length(texts), LONGEST_ID)), False)
    return Values(None, encode(texts), ~absent), np.asarray(bad.to_numpy(zero_copy_only=False)), 0


def _micros(array: pa.Array, column: str, styles: Styles, _zone: str) -> tuple[Values, Flags, int]:
    absent = numbers.missing(array)
    micros, bad, rounded = numbers.to_micros(array, comma=styles.comma.get(column, False))
    return Values(micros, None, ~absent), bad & ~absent, rounded


def _float(array: pa.Array, column: str, styles: Styles, _zone: str) -> tuple[Values, Flags, int]:
    absent = numbers.missing(array)
    floats, bad = numbers.to_floats(array, comma=styles.comma.get(column, False))
    return Values(floats, None, ~absent), bad & ~absent, 0


def _time(array: pa.Array, column: str, styles: Styles, zone: str) -> tuple[Values, Flags, int]:
    absent = numbers.missing(array)
    at, bad = dates.to_instants(array, day_first=styles.day_first.get(column, True), zone=zone)
    return Values(at, None, ~absent), bad & ~absent, 0


def _date(array: pa.Array, column: str, styles: Styles, _zone: str) -> tuple[Values, Flags, int]:
    absent = numbers.missing(array)
    at, bad = dates.to_instants(array, day_first=styles.day_first.get(column, True), zone="UTC")
    days = pa.array((at // DAY).astype(np.int32), pa.int32(), mask=absent | bad).cast(pa.date32())
    return Values(None, encode(days.cast(pa.string())), ~absent), bad & ~absent, 0


def _month(array: pa.Array, column: str, styles: Styles, zone: str) -> tuple[Values, Flags, int]:
    texts = pc.utf8_trim_whitespace(pc.fill_null(array, ""))
    texts = pc.replace_substring_regex(texts, r"^(\d{4})[-/.](\d{1,2})$", r"\1-\2-01")
    texts = pc.replace_substring_regex(texts, r"^(\d{1,2})[-/.](\d{4})$", r"\2-\1-01")
    texts = pc.replace_substring_regex(texts, r"^(\p{L}+)\.?[\s-]+(\d{4})$", r"1 \1 \2")
    values, bad, _ = _date(texts, column, styles, zone)
    assert values.texts is not None  # noqa: S101
    months = pc.utf8_slice_codeunits(values.texts.cast(pa.string()), 0, 7)
    return Values(None, encode(months), values.present), bad, 0


def _bool(array: pa.Array, _column: str, _styles: Styles, _zone: str) -> tuple[Values, Flags, int]:
    words = pc.replace_substring(pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(array, ""))), " ", "-")
    absent = np.asarray(pc.equal(words, "").to_numpy(zero_copy_only=False))
    yes = np.asarray(pc.is_in(words, pa.array(YES)).to_numpy(zero_copy_only=False))
    no = np.asarray(pc.is_in(words, pa.array(NO)).to_numpy(zero_copy_only=False))
    return Values(yes, None, ~absent), ~absent & ~yes & ~no, 0


def _currency(array: pa.Array, _column: str, _styles: Styles, _zone: str) -> tuple[Values, Flags, int]:
    words = pc.utf8_upper(pc.utf8_trim_whitespace(array))
    words = pc.replace_substring(pc.replace_substring(words, "£", "GBP"), "€", "EUR")
    absent = numbers.missing(words)
    bad = ~np.asarray(
        pc.fill_null(pc.match_substring_regex(words, r"^[A-Z]{3}$"), False).to_numpy(zero_copy_only=False)
    )
    words = pc.if_else(pa.array(absent | bad), pa.scalar(None, pa.string()), words)
    return Values(None, encode(words), ~absent & ~bad), bad & ~absent, 0


_Reader = Callable[[pa.Array, str, Styles, str], tuple[Values, Flags, int]]
READERS: Final[dict[str, _Reader]] = {
    "text": _text,
    "id": _id,
    "money": _micros,
    "quantity": _micros,
    "float": _float,
    "time": _time,
    "date": _date,
    "month": _month,
    "bool": _bool,
    "currency": _currency,
}
"""Type of a field -> its reader: values, which rows are bad, how many numbers were rounded."""
