"""What the purchase models need of each customer: three numbers, and few distinct rows of them.

``frequency`` is the number of repeat purchases, ``recency`` the time from the first to the last purchase and
``T`` the time from the first purchase to the end of observation; all times in one unit of the caller's
choice. A shop with a million customers has far fewer distinct rows, so models work on distinct rows with
weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Times usually are whole days told in days, weeks, months or years; then rows get their key without a sort
# per column.
_PER_UNIT = (1.0, 7.0, 365.25 / 12, 365.25)
_KEY_LIMIT = 2**62
_SLACK = 1e-9
_BLOCK = 16_384


@dataclass(frozen=True, slots=True)
class History:
    """Checked purchase histories, one entry per customer (or per distinct row, with weights)."""

    frequency: Floats
    recency: Floats
    T: Floats
    weights: Floats | None = None

    def __len__(self) -> int:
        """Give the number of rows."""
        return int(self.frequency.shape[0])

    @property
    def total(self) -> float:
        """The number of customers: the sum of the weights."""
        return float(len(self) if self.weights is None else self.weights.sum())


def checked(
    frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
) -> History:
    """Check histories and return them as arrays of floats.

    Raises:
        InvalidInput: arrays of different length, values that are not finite, counts that are negative or not whole, a
            recency beyond T or one that contradicts the frequency. The message names the first rows and the reason.

    >>> len(checked([0, 2], [0.0, 3.5], [10.0, 12.0]))
    2
    """
    x = column("frequency", frequency)
    t_x = column("recency", recency)
    age = column("T", T)
    w = None if weights is None else column("weights", weights)
    sizes = {"frequency": x.size, "recency": t_x.size, "T": age.size}
    if w is not None:
        sizes["weights"] = w.size
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise InvalidInput(f"arrays differ in length: {shown}", hint="give one entry per customer in each")
    refuse_rows(x < 0, "frequency is negative")
    refuse_rows(
        np.rint(x) != x,
        "frequency is no whole number",
        hint="give the number of repeat purchases, not a rate",
    )
    refuse_rows(t_x < 0, "recency is negative")
    refuse_rows(t_x > age * (1 + _SLACK) + _SLACK, "recency is later than T")
    refuse_rows((x == 0) & (t_x > 0), "recency must be 0 where frequency is 0")
    refuse_rows((x > 0) & (t_x <= 0), "recency must be above 0 where frequency is above 0")
    if w is not None:
        refuse_rows(w < 0, "weight is negative")
    return History(x, np.minimum(t_x, age), age, w)


def column(name: str, values: ArrayLike) -> Floats:
    """Turn ``values`` into a one-dimensional array of finite floats, or say which rows are not numbers."""
    given = np.asarray(values)
    if given.dtype.kind == "U" and not isinstance(values, np.ndarray):
        given = np.asarray(values, dtype=np.object_)  # one text among numbers made all of them text
    if given.dtype.kind in "USMmc" or (given.dtype.kind == "O" and given.ndim == 1):
        _refuse_other_kinds(name, given)
    try:
        array = given.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{name} holds values that are not numbers", hint="give an array of numbers"
        ) from error
    if array.ndim != 1:
        raise InvalidInput(f"{name} has {array.ndim} dimensions", hint="give one value per customer")
    refuse_rows(~np.isfinite(array), f"{name} is not a finite number")
    return array


def _refuse_other_kinds(name: str, given: NDArray[Any]) -> None:
    """Refuse text, times and complex numbers: none is silently read as a number."""
    if given.dtype.kind in "Mm":
        raise InvalidInput(
            f"{name} holds times, not numbers", hint="divide by one unit, as in x / np.timedelta64(7, 'D')"
        )
    if given.dtype.kind == "c":
        raise InvalidInput(f"{name} holds complex numbers", hint="give an array of real numbers")
    text = given.dtype.kind != "O"
    rows = (text or isinstance(one, str | bytes) for one in given.ravel().tolist())
    refuse_rows(
        np.fromiter(rows, dtype=np.bool_), f"{name} is text, not numbers,", hint="give an array of numbers"
    )


def dot(left: Floats, right: Floats) -> float:
    """Sum of products. Not ``@``: for long rows that wakes all cores, which costs CPU and gains no time."""
    return float(np.einsum("i,i->", left, right))


def refuse_rows(wrong: NDArray[np.bool_], reason: str, hint: str = "correct or drop them") -> None:
    """Raise InvalidInput naming the first wrong rows; do nothing when there is none."""
    if wrong.any():
        rows = np.flatnonzero(wrong)
        shown = ", ".join(str(row) for row in rows[:5]) + (", ..." if rows.size > 5 else "")
        raise InvalidInput(f"{reason} in {rows.size} of {wrong.size} rows (row {shown})", hint=hint)


@dataclass(frozen=True, slots=True)
class Distinct:
    """Distinct histories, how many customers share each, and which one each customer has (if asked for)."""

    history: History
    weights: Floats
    inverse: Ints


def collapse(history: History, *, inverse: bool = False) -> Distinct:
    """Collapse ``history`` to its distinct rows through one int64 key per row.

    With ``inverse`` the result says for each input row where its distinct row is (costs an indirect sort).
    Rows are left as they are when a key would not fit 62 bits.

    >>> distinct = collapse(checked([1, 1, 0], [2.0, 2.0, 0.0], [5.0, 5.0, 5.0]))
    >>> distinct.weights.tolist()
    [1.0, 2.0]
    """
    n = len(history)
    columns = history.frequency, history.recency, history.T
    if n and not inverse and history.weights is None:
        units = [_unit(values) for values in columns]
        widths = [_width(values, unit) for values, unit in zip(columns, units, strict=True)]
        if 0 not in widths and math.prod(widths) < _KEY_LIMIT:
            return _tally(columns, [unit or 1.0 for unit in units], widths)
    own = np.ones(n) if history.weights is None else history.weights
    codes, read, width = zip(*(_codes(values) for values in columns), strict=True)
    if n == 0 or math.prod(width) >= _KEY_LIMIT:
        return Distinct(history, own, np.arange(n, dtype=np.int64))
    rows, place = np.unique((codes[0] * width[1] + codes[1]) * width[2] + codes[2], return_inverse=True)
    weights = np.bincount(place, weights=own, minlength=rows.size).astype(np.float64)
    rest, age = np.divmod(rows, width[2])
    x, t = np.divmod(rest, width[1])
    return Distinct(
        History(read[0](x), read[1](t), read[2](age)), weights, place.astype(np.int64, copy=False)
    )


def _tally(columns: Sequence[Floats], units: Sequence[float], widths: Sequence[int]) -> Distinct:
    """Count distinct rows of columns that are whole in their units, without arrays of everybody's codes.

    Keys of one-time buyers are the lowest, and many: they are counted, the others sorted.
    """
    width_t, width_age = widths[1:]
    few = width_age if width_age <= _BLOCK else 0
    kind = np.int32 if math.prod(widths) < 2**31 else np.int64
    counts = np.zeros(few, dtype=np.int64)
    others = []
    for start in range(0, columns[0].size, _BLOCK):
        x, t, age = (
            np.rint(values[start : start + _BLOCK] * unit).astype(np.int64)
            for values, unit in zip(columns, units, strict=True)
        )
        key = (x * width_t + t) * width_age + age
        first = key < few
        counts += np.bincount(key[first], minlength=few)
        others.append(key[~first].astype(kind))
    rest = np.concatenate(others)
    rest.sort()
    starts = np.flatnonzero(np.diff(rest, prepend=rest[:1] - 1))
    seen = np.flatnonzero(counts)
    rows = np.concatenate((seen, rest[starts].astype(np.int64)))
    weights = np.concatenate((counts[seen], np.diff(starts, append=rest.size))).astype(np.float64)
    rows, age = np.divmod(rows, width_age)
    parts = (*np.divmod(rows, width_t), age)
    history = History(*(part / unit for part, unit in zip(parts, units, strict=True)))
    return Distinct(history, weights, np.empty(0, dtype=np.int64))


def table(values: Floats) -> tuple[Floats, Ints]:
    """Give the distinct values, sorted, and for each entry the index of its value."""
    codes, read, width = _codes(values)
    if values.size == 0 or width > 8 * values.size + 1_000_000:
        distinct, where = np.unique(values, return_inverse=True)
        return distinct, where.astype(np.int64, copy=False)
    present, where = _present(codes, width)
    return read(present), where


def pairs(first: Floats, second: Floats) -> tuple[Floats, Floats, Ints]:
    """Give the distinct pairs of two columns (both parts), and for each entry the index of its pair.

    >>> first, second, where = pairs(np.array([1.0, 0.0, 1.0]), np.array([5.0, 5.0, 5.0]))
    >>> first.tolist(), second.tolist(), where.tolist()
    ([0.0, 1.0], [5.0, 5.0], [1, 0, 1])
    """
    left, by_left = table(first)
    right, by_right = table(second)
    key = by_left * right.size + by_right
    width = left.size * right.size
    if width > 8 * key.size + 1_000_000:
        found, where = np.unique(key, return_inverse=True)
        where = where.astype(np.int64, copy=False)
    else:
        found, where = _present(key, width)
    at_left, at_right = np.divmod(found, max(right.size, 1))
    return left[at_left], right[at_right], where


def together(first: Floats, *others: Floats) -> tuple[list[Floats], Ints]:
    """Give the distinct rows of some columns, column by column, and for each entry the index of its row.

    >>> columns, where = together(np.array([1.0, 0.0, 1.0]), np.array([5.0, 5.0, 5.0]), np.array([2.0, 2.0, 2.0]))
    >>> [column.tolist() for column in columns], where.tolist()
    ([[0.0, 1.0], [5.0, 5.0], [2.0, 2.0]], [1, 0, 1])
    """
    one, where = table(first)
    found = [one]
    for other in others:
        row, values, where = pairs(where.astype(np.float64), other)
        at = row.astype(np.int64)
        found = [*(column[at] for column in found), values]
    return found, where


def _present(codes: Ints, width: int) -> tuple[Ints, Ints]:
    """Give the codes that occur, sorted, and for each entry the index of its code; codes are below width."""
    present = np.zeros(width, dtype=np.bool_)
    present[codes] = True
    return np.flatnonzero(present), (np.cumsum(present, dtype=np.int64) - 1)[codes]


def _codes(values: Floats) -> tuple[Ints, Callable[[Any], Floats], int]:
    """Give whole numbers that stand for the values, the way back, and one more than the largest number."""
    unit = _unit(values)
    if unit is None:
        distinct, where = np.unique(values, return_inverse=True)
        return where.astype(np.int64, copy=False), lambda code: np.asarray(distinct[code]), int(distinct.size)
    found = np.empty(values.size, dtype=np.int64)
    for start in range(0, values.size, _BLOCK):
        np.rint(values[start : start + _BLOCK] * unit, out=found[start : start + _BLOCK], casting="unsafe")
    return found, lambda code: np.asarray(code) / unit, _width(values, unit)


def _unit(values: Floats) -> float | None:
    """The first usual unit in which all values are whole numbers; tried in blocks that stay in the cache."""
    top = float(values.max()) if values.size else 0.0
    for unit in _PER_UNIT:
        if top * unit >= 2**40:
            break
        if all(_are_whole(values[start : start + _BLOCK] * unit) for start in range(0, values.size, _BLOCK)):
            return unit
    return None


def _are_whole(scaled: Floats) -> bool:
    return bool((np.abs(scaled - np.rint(scaled)) <= _SLACK * (1.0 + scaled)).all())


def _width(values: Floats, unit: float | None) -> int:
    """One more than the largest value in ``unit``; 0 where there is no unit."""
    return 0 if unit is None else int(float(values.max(initial=0.0)) * unit + 0.5) + 1
