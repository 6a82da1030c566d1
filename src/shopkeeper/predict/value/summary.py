"""From a log of orders to one row per customer: frequency, recency, T and average order value.

All orders of a customer on one day count as one purchase, as in Fader, Hardie and Lee (2005). Days are those
of the times given: hand in local times of the shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.orders import from_table, net_returns, read_orders
from shopkeeper.predict.value.times import days_of

if TYPE_CHECKING:
    import pyarrow as pa

DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}


@dataclass(frozen=True, slots=True)
class PurchaseDays:
    """One row per customer and day, ordered by customer, then day. ``day`` counts from 1970-01-01."""

    customers: NDArray[Any]
    code: Ints
    day: Ints
    amount: Floats
    returns_left_out: int = 0


@dataclass(frozen=True, slots=True, repr=False)
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
        after_end: purchase days later than ``end``, left out.
        returns_left_out: returns that were dropped, or that no purchase came before.
        log_amounts: sum of the natural logarithms of the amounts of all purchases, the first one included; minus
            infinity where one is 0 or less.
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
    returns_left_out: int
    log_amounts: Floats

    def __repr__(self) -> str:
        """Say how many customers and repeat purchases there are, and up to when."""
        back = int((self.frequency > 0).sum())
        return (
            f"<Summary: {self.T.size:,} customers up to {self.end}, times in {self.unit}; {back:,} came back, "
            f"{int(self.frequency.sum()):,} repeat purchases>"
        )

    @property
    def history(self) -> dict[str, Floats]:
        """What models of orders are fitted to: ``BGNBD().fit(**log.history)``."""
        return {"frequency": self.frequency, "recency": self.recency, "T": self.T}

    def table(self) -> pa.Table:
        """Give it as an Arrow table, a row per customer: ``log.table().to_pandas()``."""
        import pyarrow as pa

        names = ("customer", "frequency", "recency", "T", "monetary", "first_amount", "log_gaps")
        told = {"end": str(self.end), "unit": self.unit}
        return pa.table({name: getattr(self, name) for name in names}).replace_schema_metadata(told)

    @property
    def spending(self) -> dict[str, Floats]:
        """What `GammaGamma` takes: purchases, the first one included, and their mean amount."""
        return {"frequency": self.frequency + 1.0, "monetary": self.mean_amount}

    def until(self, day: Any) -> Any:
        """Give the time from ``end`` to a day (or to each of some days), in ``unit``.

        ``fit.expected_purchases(log.until("2025-12-31"))`` are the purchases up to that day.

        Raises:
            InvalidInput: no day, or one before ``end``.

        >>> log = summarise(customer=[7], occurred_at=["2024-01-01"], end="2024-01-29")
        >>> log.until("2024-02-05"), log.until(["2024-01-29", "2024-02-12"]).tolist()
        (1.0, [0.0, 2.0])
        """
        return time_until(int(self.end.astype(np.int64)), self.unit, day)

    @property
    def mean_amount(self) -> Floats:
        """Mean amount of all purchases, the first one included."""
        return (self.first_amount + self.frequency * self.monetary) / (self.frequency + 1.0)


def summarise(
    orders: Any = None,
    *,
    customer: Any = None,
    occurred_at: Any = None,
    amount: Any = None,
    order: Any = None,
    end: Any = None,
    unit: str = "W",
    time_zone: str | None = None,
    returns: str = "refuse",
    duplicates: str = "refuse",
) -> Summary:
    """Summarise orders per customer, in any order.

    Args:
        orders: a data frame (pandas, Polars, an Arrow table, a dict of arrays); then the next four are names of
            its columns, or None where those have usual names. Without it they are arrays.
        customer: who ordered; whole numbers or text.
        occurred_at: when: times of the shop, or times with a zone.
        amount: revenue or margin of each order; without it amounts are 0.
        order: order ids; only used to find repeated ones.
        end: last day observed (default: the day of the latest order). Orders after it are left out and
            counted.
        unit: of the times in the result: D, W, M or Y.
        time_zone: of the shop, needed where times come in more than one zone.
        returns: what a negative amount is: ``refuse`` says which rows; ``net`` a return, taken off that day or off
            the purchase before, and no purchase; ``drop`` leaves the row out; ``keep`` a purchase at a loss.
        duplicates: what a repeated order id is: ``refuse`` says which rows; ``sum`` lines of one order; ``first``
            a row given twice.

    Raises:
        InvalidInput: arrays of different length, missing times, customers or amounts; says which rows.

    >>> s = summarise(customer=[7, 7, 8], occurred_at=["2024-01-01", "2024-01-15", "2024-01-08"],
    ...               amount=[10, 30, 5], end="2024-01-29")
    >>> s.frequency.tolist(), s.recency.tolist(), s.T.tolist(), s.monetary.tolist()
    ([1.0, 0.0], [2.0, 0.0], [4.0, 3.0], [30.0, 0.0])
    >>> log = {"customer_id": ["a", "a"], "date": ["2024-01-01", "2024-01-08"], "total": [20, -5]}
    >>> summarise(log, returns="net", end="2024-01-15").first_amount.tolist()
    [15.0]
    """
    given = {"customer": customer, "occurred_at": occurred_at, "amount": amount, "order": order}
    end = day_in(time_zone, end)
    days = purchase_days_of(
        orders, given, end=end, time_zone=time_zone, returns=returns, duplicates=duplicates
    )
    return summarise_days(days, end=end, unit=unit)


def purchase_days_of(orders: Any, given: dict[str, Any], **how: Any) -> PurchaseDays:
    """Check and sum orders from a data frame, of which ``given`` names columns, or from the arrays in ``given``."""
    if orders is not None:
        given = from_table(orders, given)
    elif given["customer"] is None or given["occurred_at"] is None:
        raise InvalidInput(
            "no orders were given", hint="give a data frame, or customer= and occurred_at= as arrays"
        )
    return purchase_days(**given, **how)


def purchase_days(
    *,
    customer: Any,
    occurred_at: Any,
    amount: Any = None,
    order: Any = None,
    end: Any = None,
    time_zone: str | None = None,
    returns: str = "keep",
    duplicates: str = "refuse",
) -> PurchaseDays:
    """Check a log of orders and sum it per customer and day; see `summarise` for the arguments.

    A return later than ``end`` is not yet known and takes nothing off.
    """
    read = read_orders(
        customer=customer, occurred_at=occurred_at, amount=amount, order=order, time_zone=time_zone,
        returns=returns, duplicates=duplicates,
    )  # fmt: skip
    who, day, money = read.customer, read.day, read.amount
    if returns == "net" and end is not None:
        known = (day <= last_day(end)) | (money >= 0)
        who, day, money = who[known], day[known], money[known]
    if who.size == 0:
        return PurchaseDays(who, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), read.dropped)
    customers, code = np.unique(who, return_inverse=True)
    first = int(day.min())
    span = int(day.max()) - first + 1
    key = code.astype(np.int64, copy=False) * span + (day - first)
    if not bool((key[1:] >= key[:-1]).all()):
        sorting = np.argsort(key, kind="stable")
        key, money = key[sorting], money[sorting]
    starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    by_customer, offset = np.divmod(key[starts], span)
    total = np.add.reduceat(money, starts)
    if returns != "net":
        return PurchaseDays(customers, by_customer, offset + first, total, read.dropped)
    stay, total, lost = net_returns(by_customer, total, np.maximum.reduceat(money, starts) >= 0)
    return PurchaseDays(customers, by_customer[stay], (offset + first)[stay], total, lost)


def summarise_days(days: PurchaseDays, *, end: Any = None, unit: str = "W") -> Summary:
    """Summarise purchase days up to ``end`` per customer."""
    if unit not in DAYS_PER_UNIT:
        raise UnknownName("unit", unit, DAYS_PER_UNIT)
    per_unit = DAYS_PER_UNIT[unit]
    newest = int(days.day.max()) if days.day.size else 0
    ends = newest if end is None else last_day(end)
    within = days.day <= ends
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
        T=(ends - first) / per_unit,
        monetary=np.where(x > 0, (total - opening) / np.maximum(x, 1.0), 0.0),
        first_amount=opening,
        log_gaps=_log_gaps(code, day, starts, per_unit),
        end=np.datetime64(ends, "D"),
        unit=unit,
        after_end=int(within.size - within.sum()),
        returns_left_out=days.returns_left_out,
        log_amounts=_log_amounts(amount, starts),
    )


def _log_amounts(amount: Floats, starts: Ints) -> Floats:
    if not amount.size:
        return np.empty(0)
    logs = np.log(amount, out=np.full(amount.size, -np.inf), where=amount > 0)
    return np.asarray(np.add.reduceat(logs, starts))


def _log_gaps(code: Ints, day: Ints, starts: Ints, per_unit: float) -> Floats:
    """Sum the logarithms of the gaps of each customer; a customer's first day has none."""
    if not code.size:
        return np.empty(0)
    gaps = np.diff(day, prepend=day[:1]) / per_unit
    gaps[starts] = 1.0
    return np.asarray(np.add.reduceat(np.log(gaps), starts))


def last_day(end: Any, time_zone: str | None = None, name: str = "end") -> int:
    """Give a day as a number since 1970-01-01; of an instant with a zone the day in ``time_zone``, where that is given.

    >>> last_day("1970-01-02"), last_day("1970-01-02T23:30+00:00", "Europe/Berlin")
    (1, 2)
    """
    return int(days_of(name, [end], time_zone)[0])


def day_in(time_zone: str | None, given: Any, name: str = "end") -> np.datetime64 | None:
    """Give the day that somebody named, by a day or by an instant; None where none was."""
    return None if given is None else np.datetime64(last_day(given, time_zone, name), "D")


def time_until(end: int, unit: str, day: Any) -> Any:
    """Give the time from the day ``end`` (since 1970-01-01) to a day, or to each of some, in ``unit``."""
    one = isinstance(day, str) or np.ndim(day) == 0
    days = days_of("day", [day] if one else day)
    if (days < end).any():
        raise InvalidInput(
            f"the day {np.datetime64(int(days.min()), 'D')} is before {np.datetime64(end, 'D')}, the last one observed",
            hint="give a later day; what was known on an earlier one is summarise(..., end=...)",
        )
    times = (days - end) / DAYS_PER_UNIT[unit]
    return float(times[0]) if one else times
