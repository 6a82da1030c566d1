"""What the purchase models need of each customer: three numbers, and few distinct rows of them.

``frequency`` is the number of repeat purchases, ``recency`` the time from the first to the last purchase and
``T`` the time from the first purchase to the end of observation; all times in one unit of the caller's
choice. A shop with a million customers has far fewer distinct rows, so models work on distinct rows with
weights.
"""

from __future__ import annotations

from collections.abc import Callable
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
        InvalidInput: arrays of different length, values that are not finite, negative counts, a recency
        beyond T or
            one that contradicts the frequency. The message names the first rows and the reason.

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
    if given.dtype.kind in "USMm" or (given.dtype.kind == "O" and given.ndim == 1):
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
    """Refuse text and times: neither is silently read as a number."""
    if given.dtype.kind in "Mm":
        raise InvalidInput(
            f"{name} holds times, not numbers", hint="divide by one unit, as in x / np.timedelta64(7, 'D')"
        )
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
    own = np.ones(n) if history.weights is None else history.weights
    x, read_x, width_x = _codes(history.frequency)
    t, read_t, width_t = _codes(history.recency)
    age, read_age, width_age = _codes(history.T)
    if n == 0 or width_x * width_t * width_age >= _KEY_LIMIT:
        return Distinct(history, own, np.arange(n, dtype=np.int64))
    key = (x * width_t + t) * width_age + age
    place = np.empty(0, dtype=np.int64)
    if inverse or history.weights is not None:
        rows, found = np.unique(key, return_inverse=True)
        weights = np.bincount(found, weights=own, minlength=rows.size).astype(np.float64)
        place = found.astype(np.int64, copy=False)
    else:
        rows, weights = _tally(key, width_age, width_x * width_t * width_age)
    rest, age = np.divmod(rows, width_age)
    x, t = np.divmod(rest, width_t)
    return Distinct(History(read_x(x), read_t(t), read_age(age)), weights, place)


def _tally(key: Ints, few: int, width: int) -> tuple[Ints, Floats]:
    """Give the distinct keys, sorted, and how often each occurs. Keys below ``few`` are many: one-time buyers."""
    first = key < few
    counts = np.bincount(key[first])
    rest = key[~first].astype(np.int32 if width < 2**31 else np.int64)
    rest.sort()
    starts = np.flatnonzero(np.diff(rest, prepend=rest[:1] - 1))
    seen = np.flatnonzero(counts)
    rows = np.concatenate((seen, rest[starts].astype(np.int64)))
    weights = np.concatenate((counts[seen], np.diff(starts, append=rest.size)))
    return rows, weights.astype(np.float64)


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


def _present(codes: Ints, width: int) -> tuple[Ints, Ints]:
    """Give the codes that occur, sorted, and for each entry the index of its code; codes are below width."""
    present = np.zeros(width, dtype=np.bool_)
    present[codes] = True
    return np.flatnonzero(present), (np.cumsum(present, dtype=np.int64) - 1)[codes]


def _codes(values: Floats) -> tuple[Ints, Callable[[Any], Floats], int]:
    """Give whole numbers that stand for the values, the way back, and one more than the largest number."""
    top = float(values.max()) if values.size else 0.0
    for per_unit in _PER_UNIT:
        if top * per_unit >= 2**40:
            break
        whole = _whole(values, per_unit)
        if whole is not None:
            return whole, lambda code, k=per_unit: np.asarray(code) / k, int(top * per_unit + 0.5) + 1
    distinct, where = np.unique(values, return_inverse=True)
    return where.astype(np.int64, copy=False), lambda code: np.asarray(distinct[code]), int(distinct.size)


def _whole(values: Floats, per_unit: float) -> Ints | None:
    """Give the values times ``per_unit`` where all of those are whole numbers, in blocks that stay in the cache."""
    found = np.empty(values.size, dtype=np.int64)
    for start in range(0, values.size, _BLOCK):
        scaled = values[start : start + _BLOCK] * per_unit
        near = np.rint(scaled)
        if not bool((np.abs(scaled - near) <= _SLACK * (1.0 + scaled)).all()):
            return None
        found[start : start + _BLOCK] = near.astype(np.int64)
    return found
