"""Two cuts through a log of orders: what was known by a day and what came after it, and one customer day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.summary import (
    DAYS_PER_UNIT,
    Summary,
    day_in,
    last_day,
    purchase_days_of,
    summarise_days,
)
from shopkeeper.predict.value.times import days_of


@dataclass(frozen=True, slots=True)
class Split:
    """Customers known by the end of calibration, and what they bought in the holdout after it.

    Attributes:
        known: their histories by then.
        t: length of the holdout, in ``known.unit``.
        orders: purchase days of each customer within it.
        amounts: what they came to.
        until: last day of the holdout.
        newcomers: customers who first bought within it; they are in no other figure.
    """

    known: Summary
    t: float
    orders: Floats
    amounts: Floats
    until: np.datetime64
    newcomers: int


def split(
    orders: Any = None,
    *,
    end: Any,
    until: Any = None,
    unit: str = "W",
    customer: Any = None,
    occurred_at: Any = None,
    amount: Any = None,
    order: Any = None,
    time_zone: str | None = None,
    returns: str = "refuse",
    duplicates: str = "refuse",
) -> Split:
    """Cut a log after the day ``end``: fit to what came by then, judge by what came after it, up to ``until``.

    Args:
        orders: a data frame, or None with arrays; see `summarise` for these and the arguments not told here.
        end: last day of calibration.
        until: last day of the holdout (default: the day of the latest order).
        unit: of the times in the result: D, W, M or Y.
        customer: see `summarise`.
        occurred_at: see `summarise`.
        amount: see `summarise`.
        order: see `summarise`.
        time_zone: see `summarise`.
        returns: see `summarise`. A return within the holdout lowers the holdout's amounts, not what was known before.
        duplicates: see `summarise`.

    Raises:
        InvalidInput: as `summarise`, and a holdout that ends before it begins.

    >>> when = ["2024-01-01", "2024-01-08", "2024-03-01", "2024-02-01", "2024-03-02"]
    >>> cut = split({"customer": [1, 1, 1, 2, 3], "date": when}, end="2024-02-05", until="2024-03-04")
    >>> cut.known.frequency.tolist(), cut.orders.tolist(), cut.t, cut.newcomers
    ([1.0, 0.0], [1.0, 0.0], 4.0, 1)
    """
    given = {"customer": customer, "occurred_at": occurred_at, "amount": amount, "order": order}
    how = {"time_zone": time_zone, "returns": returns, "duplicates": duplicates}
    end, until = day_in(time_zone, end), day_in(time_zone, until, "until")
    by_then = purchase_days_of(orders, given, end=end, **how)
    whole = purchase_days_of(orders, given, end=until, **how)
    if until is None and whole.day.size:
        until = np.datetime64(int(whole.day.max()), "D")
        if returns == "net":  # what came back after that day is not of the holdout either
            whole = purchase_days_of(orders, given, end=until, **how)
    known = summarise_days(by_then, end=end, unit=unit)
    first, last = last_day(end), 0 if until is None else last_day(until)
    if last <= first:
        raise InvalidInput(
            f"the holdout ends on {np.datetime64(last, 'D')}, the calibration on {known.end}",
            hint="give an earlier end, or a later until",
        )
    within = (whole.day > first) & (whole.day <= last)
    place = np.searchsorted(known.customer, whole.customers)
    old = (
        np.isin(whole.customers, known.customer)
        if known.customer.size
        else np.zeros(whole.customers.size, np.bool_)
    )
    row = np.where(old, place, -1)[whole.code[within]]
    theirs = row >= 0
    bought, money = row[theirs], whole.amount[within][theirs]
    before = _sum_by(known.customer, by_then.customers[by_then.code], by_then.amount, by_then.day <= first)
    after = _sum_by(known.customer, whole.customers[whole.code], whole.amount, whole.day <= first)
    amounts = np.bincount(bought, weights=money, minlength=known.customer.size) + (after - before)
    return Split(
        known=known,
        t=(last - first) / DAYS_PER_UNIT[unit],
        orders=np.bincount(bought, minlength=known.customer.size).astype(np.float64),
        amounts=np.asarray(amounts, dtype=np.float64),
        until=np.datetime64(last, "D"),
        newcomers=int(np.unique(whole.code[within][~theirs]).size),
    )


def _sum_by(customers: NDArray[Any], who: NDArray[Any], amount: Floats, which: NDArray[np.bool_]) -> Floats:
    """Sum some amounts by customer; all of these customers are among ``customers``."""
    row = np.searchsorted(customers, who[which])
    sums = np.bincount(row, weights=amount[which], minlength=customers.size)
    return np.asarray(sums, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Days:
    """One customer's history as it was at the end of each of some days; times in one unit, as in `Summary`."""

    day: NDArray[np.datetime64]
    frequency: Floats
    recency: Floats
    T: Floats

    @property
    def history(self) -> dict[str, Floats]:
        """What models take: ``fit.p_alive(**days.history)`` is the path of P(alive)."""
        return {"frequency": self.frequency, "recency": self.recency, "T": self.T}


def day_by_day(
    occurred_at: ArrayLike, *, end: Any = None, unit: str = "W", time_zone: str | None = None
) -> Days:
    """Follow one customer from the first order to ``end`` (default: the latest order), day by day.

    >>> path = day_by_day(["2024-01-01", "2024-01-03"], end="2024-01-04", unit="D")
    >>> path.frequency.tolist(), path.recency.tolist(), path.T.tolist()
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 2.0], [0.0, 1.0, 2.0, 3.0])
    """
    if unit not in DAYS_PER_UNIT:
        raise UnknownName("unit", unit, DAYS_PER_UNIT)
    bought = np.unique(days_of("occurred_at", occurred_at, time_zone))
    if not bought.size:
        raise InvalidInput("no orders were given", hint="give the times of one customer's orders")
    last = int(bought[-1]) if end is None else last_day(end, time_zone)
    days = np.arange(bought[0], last + 1)
    seen = np.searchsorted(bought, days, side="right")
    per = DAYS_PER_UNIT[unit]
    return Days(
        day=days.astype("datetime64[D]"),
        frequency=np.asarray(seen - 1, dtype=np.float64),
        recency=(bought[seen - 1] - bought[0]) / per,
        T=(days - bought[0]) / per,
    )
