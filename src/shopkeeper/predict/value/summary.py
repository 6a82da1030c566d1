"""From a log of orders to one row per customer: frequency, recency, T and average order value.

All orders of a customer on one day count as one purchase, as in Fader, Hardie and Lee (2005). Days are those
of the times given: hand in local times of the shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value.history import Floats, Ints, column, refuse_rows

DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}


@dataclass(frozen=True, slots=True)
class PurchaseDays:
    """One row per customer and day, ordered by customer, then day. ``day`` counts from 1970-01-01."""

    customers: NDArray[Any]
    code: Ints
    day: Ints
    amount: Floats


@dataclass(frozen=True, slots=True)
class Summary:
    """One entry per customer, ordered by customer; times in ``unit``.

    Attributes:
        customer: the customers with a purchase up to ``end``.
        frequency: repeat purchase days.
        recency: time from first to last purchase (0 with one purchase).
        T: time from first purchase to ``end``.
        monetary: mean amount of the repeat purchases (0 where there are none).
        first_amount: amount of the first purchase day.
        log_gaps: sum of the natural logarithms of the gaps between purchases (0 with one purchase).
        end: last day observed.
        unit: D, W, M (a twelfth of a year) or Y (365.25 days).
        after_end: orders later than ``end``, left out.
    """

    customer: NDArray[Any]
    frequency: Floats
    recency: Floats
    T: Floats
    monetary: Floats
    first_amount: Floats
    log_gaps: Floats
    end: np.datetime64
    unit: str
    after_end: int

    @property
    def mean_amount(self) -> Floats:
        """Mean amount of all purchases, the first one included."""
        return (self.first_amount + self.frequency * self.monetary) / (self.frequency + 1.0)


def summarise(
    *,
    customer: ArrayLike,
    occurred_at: ArrayLike,
    amount: ArrayLike | None = None,
    end: Any = None,
    unit: str = "W",
) -> Summary:
    """Summarise orders per customer.

    Args:
        customer: who ordered; whole numbers or text.
        occurred_at: when (numpy datetime64, or text in ISO form).
        amount: revenue or margin of each order, net of returns; without it amounts are 0.
        end: last day observed (default: the day of the latest order). Orders after it are left out and
        counted.
        unit: of the times in the result: D, W, M or Y.

    Raises:
        InvalidInput: arrays of different length, missing times, customers or amounts; says which rows.

    >>> s = summarise(customer=[7, 7, 8], occurred_at=["2024-01-01", "2024-01-15", "2024-01-08"],
    ...               amount=[10, 30, 5], end="2024-01-29")
    >>> s.frequency.tolist(), s.recency.tolist(), s.T.tolist(), s.monetary.tolist()
    ([1.0, 0.0], [2.0, 0.0], [4.0, 3.0], [30.0, 0.0])
    """
    days = purchase_days(customer=customer, occurred_at=occurred_at, amount=amount)
    return summarise_days(days, end=end, unit=unit)


def purchase_days(
    *, customer: ArrayLike, occurred_at: ArrayLike, amount: ArrayLike | None = None
) -> PurchaseDays:
    """Check a log of orders and sum it per customer and day."""
    who = np.asarray(customer)
    day = _days("occurred_at", occurred_at)
    money = np.zeros(day.size) if amount is None else column("amount", amount)
    if who.ndim != 1 or not who.size == day.size == money.size:
        raise InvalidInput(
            f"arrays differ in length: customer {who.size}, occurred_at {day.size}, amount {money.size}",
            hint="give one entry per order in each",
        )
    if who.dtype.kind == "O":
        refuse_rows(np.array([one is None for one in who.tolist()], dtype=np.bool_), "customer is missing")
        who = who.astype(np.str_)
    elif who.dtype.kind == "f":
        refuse_rows(np.isnan(who), "customer is missing")
    if who.size == 0:
        return PurchaseDays(who, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    customers, code = np.unique(who, return_inverse=True)
    first = int(day.min())
    span = int(day.max()) - first + 1
    key = code.astype(np.int64, copy=False) * span + (day - first)
    if not bool((key[1:] >= key[:-1]).all()):
        order = np.argsort(key, kind="stable")
        key, money = key[order], money[order]
    starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    by_customer, offset = np.divmod(key[starts], span)
    return PurchaseDays(customers, by_customer, offset + first, np.add.reduceat(money, starts))


def summarise_days(days: PurchaseDays, *, end: Any = None, unit: str = "W") -> Summary:
    """Summarise purchase days up to ``end`` per customer."""
    if unit not in DAYS_PER_UNIT:
        raise UnknownName("unit", unit, DAYS_PER_UNIT)
    per_unit = DAYS_PER_UNIT[unit]
    newest = int(days.day.max()) if days.day.size else 0
    last_day = newest if end is None else int(_days("end", [end])[0])
    within = days.day <= last_day
    code, day, amount = days.code[within], days.day[within], days.amount[within]
    starts = (
        np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
        if code.size
        else np.empty(0, np.int64)
    )
    counts = np.diff(starts, append=code.size)
    x = counts - 1.0
    first, last = day[starts], day[starts + counts - 1]
    total = np.add.reduceat(amount, starts) if code.size else np.empty(0)
    opening = amount[starts]
    return Summary(
        customer=days.customers[code[starts]],
        frequency=x,
        recency=(last - first) / per_unit,
        T=(last_day - first) / per_unit,
        monetary=np.where(x > 0, (total - opening) / np.maximum(x, 1.0), 0.0),
        first_amount=opening,
        log_gaps=_log_gaps(code, day, starts, per_unit),
        end=np.datetime64(last_day, "D"),
        unit=unit,
        after_end=int(within.size - within.sum()),
    )


def _log_gaps(code: Ints, day: Ints, starts: Ints, per_unit: float) -> Floats:
    """Sum the logarithms of the gaps of each customer; a customer's first day has none."""
    if not code.size:
        return np.empty(0)
    gaps = np.diff(day, prepend=day[:1]) / per_unit
    gaps[starts] = 1.0
    return np.asarray(np.add.reduceat(np.log(gaps), starts))


def _days(name: str, values: ArrayLike) -> Ints:
    """Turn times into whole days since 1970-01-01."""
    try:
        times = np.asarray(values)
        if times.dtype.kind in "iuf" and times.size:
            raise TypeError
        dated = times.astype("datetime64[D]")
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{name} holds values that are not times",
            hint="give datetime64 values or ISO dates such as 2024-01-31",
        ) from error
    if dated.ndim != 1:
        raise InvalidInput(f"{name} has {dated.ndim} dimensions", hint="give one time per order")
    refuse_rows(np.isnat(dated), f"{name} is missing")
    return dated.astype(np.int64)
