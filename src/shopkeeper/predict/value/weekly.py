"""Repeat purchases of all customers week by week, beside what a model of orders expects of them by their first days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.model import OrderFit
from shopkeeper.predict.value.summary import PurchaseDays

_WEEK = 7
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Weekly:
    """Weeks back from the last day, the oldest first; what is expected knows nothing but who came when.

    Attributes:
        count: repeat purchases.
        expected: what the model expects of those who had come.
        middle: day in the middle of each week, since 1970-01-01.
        ahead: what the model expects of the same customers in each week to come.
    """

    count: Floats
    expected: Floats
    middle: Floats
    ahead: Floats


def weekly(days: PurchaseDays, *, last: int, fit: OrderFit, unit: float, ahead: int = 0) -> Weekly:
    """Count repeat purchases up to day ``last``, and what ``fit`` expects, its time in units of so many days.

    >>> from shopkeeper.predict.value import MBGNBD
    >>> from shopkeeper.predict.value.summary import purchase_days
    >>> fit = MBGNBD().fit(frequency=[0, 2], recency=[0, 4.0], T=[9.0, 8.0])
    >>> log = purchase_days(customer=[1, 1, 2], occurred_at=["2024-01-01", "2024-01-10", "2024-01-02"])
    >>> weekly(log, last=int(log.day[1]), fit=fit, unit=7.0).count.tolist()
    [1.0]
    """
    inside = days.day <= last
    code, day = days.code[inside], days.day[inside]
    if not code.size:
        return Weekly(np.empty(0), np.empty(0), np.empty(0), np.full(ahead, _LEAST))
    first = np.concatenate(([True], code[1:] != code[:-1]))
    weeks = (last - int(day.min())) // _WEEK
    start = last - _WEEK * weeks + 1
    old, at = day < start, (day - start) // _WEEK
    repeats = np.bincount(at[~first & ~old], minlength=weeks).astype(np.float64)
    new = np.bincount(np.maximum(at[first], 0), minlength=max(weeks, 1)).astype(np.float64)
    # Who comes in a week is on average there for half of it.
    ages = _WEEK / unit * np.maximum(np.arange(weeks + ahead + 1) - 0.5, 0.0)
    steps = np.diff(fit.expected_repeats(ages)) if weeks + ahead else np.empty(0)
    expected = np.convolve(new, steps)[: weeks + ahead] if steps.size else np.empty(0)
    expected = np.maximum(expected, _LEAST).astype(np.float64)
    middle = start + _WEEK * np.arange(weeks, dtype=np.float64) + _WEEK / 2.0
    return Weekly(repeats, expected[:weeks], middle, expected[weeks:])
