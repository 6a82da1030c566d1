"""Purchase days of many customers, one after another, with what was known of each customer's gaps on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.predict.fading.calendar import VISIT
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.summary import purchase_days

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Purchases:
    """One row per customer and purchase day, days ascending within a customer.

    ``first`` is, for each row, the row of the customer's first day; ``gap`` the days since the day before (0 on the
    first); ``count``, ``total`` and ``cv2`` the gaps up to this day: how many, their sum, and their squared coefficient
    of variation.
    """

    customer: NDArray[Any]
    """One entry per customer, in the order of their rows."""
    starts: Ints
    day: Ints
    first: Ints
    gap: Ints
    count: Floats
    total: Floats
    cv2: Floats

    @property
    def last(self) -> Ints:
        """The row of each customer's last day."""
        return np.append(self.starts[1:], self.day.size) - 1 if self.starts.size else self.starts

    @property
    def begins(self) -> NDArray[np.bool_]:
        """Whether a row begins a visit (``calendar``)."""
        return np.asarray((self.gap > VISIT) | (self.first == np.arange(self.day.size)), dtype=bool)


def purchases(*, customer: ArrayLike, occurred_at: ArrayLike, end: Any = None) -> Purchases:
    """Of a log of orders in any order, up to a day.

    >>> purchases(customer=["a", "b", "a"], occurred_at=["2024-01-05", "2024-01-01", "2024-01-02"]).gap.tolist()
    [0, 3, 0]
    """
    found = purchase_days(customer=customer, occurred_at=occurred_at)
    keep = slice(None) if end is None else found.day <= int(np.datetime64(end, "D").astype(np.int64))
    code = found.code[keep]
    starts = np.flatnonzero(np.concatenate((np.ones(min(code.size, 1), dtype=bool), code[1:] != code[:-1])))
    return of_days(found.customers[code[starts]], starts, found.day[keep].astype(np.int64))


def of_days(customer: NDArray[Any], starts: Ints, day: Ints) -> Purchases:
    """Of days that stand in order already; ``starts`` are the rows where customers begin, none without a day."""
    row = np.arange(day.size)
    first = np.repeat(starts, np.diff(starts, append=day.size))
    gap = np.zeros(day.size, dtype=np.int64)
    gap[1:] = np.diff(day)
    gap[starts] = 0
    count = (row - first).astype(float)
    total = (day - day[first]).astype(float)
    squares = np.cumsum(gap * gap)  # whole numbers, so that a customer's do not depend on who stands before
    square = (squares - squares[first]).astype(float)
    some = np.maximum(count, 1.0)
    variance = (square - total * total / some) / np.maximum(count - 1.0, 1.0)
    mean = total / some
    cv2 = np.divide(variance, mean * mean, out=np.zeros_like(mean), where=count > 1)
    return Purchases(customer, starts, day, first, gap, count, total, np.maximum(cv2, 0.0))
