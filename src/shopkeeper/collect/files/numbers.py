"""Texts as numbers in exact millionths: decimal point or comma decided per column, thousands separators understood."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MILLION: Final = 1_000_000
MOST: Final = 10**12
"""Whole units no number of a shop reaches; a million million millionths still fit in 64 bits."""
MISSING: Final = frozenset({"", "nan", "null", "none", "n/a", "#n/a", "na", "-", "nat", "\\n"})
"""Words that stand for nothing where a number, a time or an identifier is expected, in lower case."""

Micros = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_POINT = r"^[+-]?(?P<whole>\d{0,30}|\d{1,3}(?:,\d{3}){1,9})(?:\.(?P<part>\d*))?$"
_COMMA = r"^[+-]?(?P<whole>\d{0,30}|\d{1,3}(?:\.\d{3}){1,9})(?:,(?P<part>\d*))?$"


@dataclass(slots=True)
class NumberEvidence:
    """What the values of one column say about its decimal sign; fill with ``add``, ask with ``comma``."""

    point: int = 0
    comma_sign: int = 0
    unclear: int = 0

    def add(self, values: pa.Array) -> None:
        """Look at further values (distinct ones suffice)."""
        texts = tidy(values)
        both = pc.and_(pc.match_substring(texts, "."), pc.match_substring(texts, ","))
        last_comma = pc.match_substring_regex(texts, r",\d*$")
        self.comma_sign += _count(pc.and_(both, last_comma)) + _count(
            pc.match_substring_regex(
                texts, r"^[+-]?\d+,(\d{1,2}|\d{4,})$|^[+-]?0*,\d+$|^[+-]?0,\d+$|\.\d{3}\."
            )
        )
        self.point += _count(pc.and_not(both, last_comma)) + _count(
            pc.match_substring_regex(texts, r"^[+-]?\d+\.(\d{1,2}|\d{4,})$|^[+-]?0*\.\d+$|,\d{3},")
        )
        self.unclear += _count(pc.match_substring_regex(texts, r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$"))

    def comma(self, *, otherwise: bool = False) -> bool:
        """Whether the decimal sign is a comma; where no value tells, ``otherwise``."""
        if self.point == self.comma_sign:
            return otherwise
        return self.comma_sign > self.point

    def note(self, column: str, *, otherwise: bool = False) -> str:
        """A sentence where the decision was not certain."""
        sign, other = ("comma", "point") if self.comma(otherwise=otherwise) else ("point", "comma")
        if self.point and self.comma_sign:
            return f"{column!r} has decimal points and decimal commas; a {sign} was taken and the others are refused"
        if self.unclear and not self.point and not self.comma_sign:
            return (
                f"{column!r} has only numbers like 1.234 or 1,234; the {sign} was taken as the decimal sign, "
                f"the {other} as thousands"
            )
        return ""


def _count(flags: pa.Array) -> int:
    return int(pc.sum(flags).as_py() or 0)


def tidy(values: pa.Array) -> pa.Array:
    """Number texts without currency signs, blanks and thousands' apostrophes; '(1)' and '1-' as '-1'."""
    texts = pc.fill_null(values, "")
    plain = pc.match_substring_regex(texts, r"^[+-]?[0-9.,]*$")
    if pc.all(plain).as_py() is not False:
        return texts
    texts = pc.replace_substring_regex(texts, r"[\s\x{00a0}\x{202f}\x{2009}'’_]", "")
    texts = pc.replace_substring_regex(texts, "\u2212", "-")
    texts = pc.replace_substring_regex(texts, r"^\((.*)\)$", r"-\1")
    texts = pc.replace_substring_regex(texts, r"^([^-]*[0-9.,][^-]*)-$", r"-\1")
    texts = pc.replace_substring_regex(
        texts, r"^([+-]?)(?:[A-Z]{1,3}[£$€¥]|[A-Z]{3}|[£$€¥₹]|Fr\.|kr\.?)", r"\1"
    )
    texts = pc.replace_substring_regex(texts, r"(?:[A-Z]{3}|[£$€¥₹]|kr\.?|zł)$", "")
    return pc.replace_substring_regex(texts, r"^[£$€¥]-", "-")


def missing(values: pa.Array) -> Flags:
    """Which texts stand for nothing."""
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(values, "")))
    return np.asarray(pc.is_in(lower, pa.array(sorted(MISSING))).to_numpy(zero_copy_only=False))


def to_micros(values: pa.Array, *, comma: bool) -> tuple[Micros, Flags, int]:
    """Number texts as millionths, which of them are none (or too large), and how many had to be rounded.

    >>> to_micros(pa.array(["1,234.5", "£2", "(0.75)", "1e-3", "x"]), comma=False)[0].tolist()
    [1234500000, 2000000, -750000, 1000, 0]
    >>> to_micros(pa.array(["1.234,5", "7"]), comma=True)[0].tolist()
    [1234500000, 7000000]
    """
    texts = tidy(values)
    parts = pc.extract_regex(texts, _COMMA if comma else _POINT)
    matched = np.asarray(pc.is_valid(parts).to_numpy(zero_copy_only=False))
    whole = pc.replace_substring(pc.struct_field(parts, "whole"), "." if comma else ",", "")
    part = pc.struct_field(parts, "part")
    digits = pc.utf8_length(whole).to_numpy(zero_copy_only=False)
    decimals = pc.utf8_length(part).to_numpy(zero_copy_only=False)
    good = matched & (np.nan_to_num(digits) + np.nan_to_num(decimals) > 0) & (np.nan_to_num(digits) <= 12)
    exact = good & (np.nan_to_num(decimals) <= 6)
    units = _integers(whole, exact)
    fraction = _integers(pc.utf8_rpad(part, 6, "0"), exact)
    negative = np.asarray(pc.starts_with(texts, "-").to_numpy(zero_copy_only=False))
    micros = units * MILLION + fraction
    micros[negative] *= -1
    rounded = 0
    for i in np.flatnonzero(~exact).tolist():
        text = str(texts[i].as_py())
        if good[i] or "e" in text.lower():
            number, changed = _slowly(
                text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
            )
            good[i], micros[i] = number is not None, number or 0
            rounded += changed
    return micros, ~good, rounded


def to_floats(values: pa.Array, *, comma: bool) -> tuple[npt.NDArray[np.float64], Flags]:
    """Number texts as floats, for rates and degrees, and which of them are none.

    >>> to_floats(pa.array(["0.00654321", "x"]), comma=False)[0].tolist()
    [0.00654321, 0.0]
    """
    texts = tidy(values)
    matched = np.asarray(
        pc.match_substring_regex(texts, _COMMA if comma else _POINT).to_numpy(zero_copy_only=False)
    )
    plain = pc.replace_substring(
        pc.replace_substring(texts, "." if comma else ",", ""), "," if comma else ".", "."
    )
    good = matched & np.asarray(pc.match_substring_regex(plain, r"\d").to_numpy(zero_copy_only=False))
    scientific = np.asarray(
        pc.match_substring_regex(plain, r"^[+-]?\d*\.?\d+[eE][+-]?\d{1,2}$").to_numpy(zero_copy_only=False)
    )
    good |= scientific
    floats = pc.if_else(pa.array(good), plain, "0").cast(pa.float64())
    return np.asarray(floats.to_numpy(zero_copy_only=False)).copy(), ~good


def _integers(texts: pa.Array, use: Flags) -> Micros:
    chosen = pc.if_else(pa.array(use), texts, "0")
    chosen = pc.if_else(pc.equal(chosen, ""), "0", chosen)
    return np.asarray(chosen.cast(pa.int64()).to_numpy(zero_copy_only=False)).copy()


def _slowly(text: str) -> tuple[int | None, bool]:
    try:
        number = Decimal(text).scaleb(6)
        whole = number.to_integral_value(ROUND_HALF_EVEN)
    except (InvalidOperation, ValueError):
        return None, False
    if not whole.is_finite() or abs(whole) >= MOST * MILLION:
        return None, False
    return int(whole), whole != number


def micros_of_typed(values: pa.Array) -> tuple[Micros, Flags, int]:
    """Integers, floats and decimals of a typed column as millionths, which are none, and how many were rounded."""
    kind = values.type
    if pa.types.is_decimal(kind):
        return _micros_of_decimal(values)
    if pa.types.is_integer(kind):
        whole = np.asarray(pc.fill_null(values, 0).cast(pa.float64()).to_numpy(zero_copy_only=False))
        bad = np.abs(whole) >= MOST
        numbers = (
            pc.if_else(pa.array(bad), 0, pc.fill_null(values, 0))
            .cast(pa.int64())
            .to_numpy(zero_copy_only=False)
        )
        return np.asarray(numbers) * MILLION, bad, 0
    floats = np.asarray(pc.fill_null(values.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False))
    bad = ~np.isfinite(floats) | (np.abs(floats) >= MOST)
    scaled = np.where(bad, 0.0, floats) * MILLION
    micros = np.rint(scaled)
    # a float carries about 15 digits: what it is off by beyond those is noise, more than that was rounded
    off = np.abs(scaled - micros) > np.maximum(np.abs(scaled) * 1e-14, 1e-3)
    return micros.astype(np.int64), bad, int(off.sum())


def _micros_of_decimal(values: pa.Array) -> tuple[Micros, Flags, int]:
    scale = values.type.scale
    rounded = 0
    if scale > 6:
        shorter = pc.round(values, 6, round_mode="half_to_even")
        rounded = _count(pc.not_equal(shorter, values))
        values = shorter
    floats = np.nan_to_num(np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False)))
    bad = np.abs(floats) >= MOST
    zero = pa.scalar(Decimal(0)).cast(values.type)
    safe = pc.if_else(pa.array(bad), zero, pc.fill_null(values, zero)).cast(pa.decimal128(38, 6))
    words = np.frombuffer(safe.buffers()[1], np.int64)[2 * safe.offset : 2 * (safe.offset + len(safe)) : 2]
    return words.copy(), bad, rounded
