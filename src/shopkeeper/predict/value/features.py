"""What was known of each customer at the end of one day, as a table of numbers for a learner.

`from_orders` builds it from the log of orders alone; the shop builds a wider one from the whole record. Nothing that
happened after ``as_of`` can change a row: the log is cut at that day before anything is counted. Times are in weeks,
amounts in the currency units of the log; NaN means unknown (a customer with one order has no gap).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.summary import PurchaseDays, last_day

WINDOWS = (4, 13, 26, 52)
"""Weeks up to ``as_of`` within which orders and amounts are counted."""
_WEEK = 7.0

ORDER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "frequency": "days with an order after the first",
        "recency": "weeks from the first to the last order",
        "T": "weeks since the first order",
        "silence": "weeks since the last order",
        "gap_mean": "mean weeks between orders",
        "gap_last": "weeks between the last two orders",
        "gap_max": "longest gap between orders, weeks",
        "gap_cv": "irregularity of the gaps: their deviation over their mean",
        "silence_over_gap": "present silence over the own mean gap",
        "orders_trend": "orders of the last 13 weeks less those of the 13 before",
        "orders_season": "orders in the 13 weeks that began a year ago",
        "amount_mean": "mean amount of an order day",
        "amount_first": "amount of the first order day",
        "amount_last": "amount of the last order day",
        "amount_max": "largest amount of an order day",
        "amount_cv": "how much the amounts differ: their deviation over their mean",
        "weekend": "share of order days on Saturday or Sunday",
        "last_weekday": "weekday of the last order (0 Monday)",
        "first_month": "month of the first order",
        **{f"orders_{w}w": f"order days in the last {w} weeks" for w in WINDOWS},
        **{f"amount_{w}w": f"amount of the last {w} weeks" for w in WINDOWS},
    }
)
"""Each column of `from_orders` in words."""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row per customer, one column per feature.

    Attributes:
        customer: who; ordered, without duplicates, unless the table was stacked.
        names: of the columns.
        values: float64, customers x names; NaN is unknown; a text is the number of its place in ``categories``.
        categories: by column, the texts its numbers stand for.
        as_of: the last day that was looked at.
        words: what a column means, for people; a name without words stands for itself.
    """

    customer: NDArray[Any]
    names: tuple[str, ...]
    values: Floats
    categories: Mapping[str, tuple[str, ...]]
    as_of: np.datetime64
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the shape.

        Raises:
            InvalidInput: rows or columns that do not fit customers and names.
        """
        wanted = (self.customer.size, len(self.names))
        if self.values.shape != wanted:
            raise InvalidInput(
                f"values have the shape {self.values.shape}, expected {wanted}",
                hint="give one row per customer and one column per name",
            )

    def column(self, name: str) -> Floats:
        """One column by its name."""
        return np.asarray(self.values[:, self.names.index(name)])

    def rows_of(self, customers: ArrayLike) -> FeatureTable:
        """The rows of these customers in this order; one who is not in the table knows nothing (NaN).

        >>> one = FeatureTable(np.array([3, 5]), ("T",), np.array([[1.0], [2.0]]), {}, np.datetime64("2024-01-01"))
        >>> one.rows_of([5, 4]).values.tolist()
        [[2.0], [nan]]
        """
        wanted = np.asarray(customers)
        values = np.full((wanted.size, len(self.names)), np.nan)
        if self.customer.size and wanted.size:
            place = np.minimum(np.searchsorted(self.customer, wanted), self.customer.size - 1)
            known = self.customer[place] == wanted
            values[known] = self.values[place[known]]
        return FeatureTable(wanted, self.names, values, self.categories, self.as_of, self.words)

    def columns_of(self, customers: ArrayLike) -> Iterator[tuple[str, Floats]]:
        """The same column by column, with their names: for a table that takes them up one after the other."""
        wanted = np.asarray(customers)
        known = np.zeros(wanted.size, dtype=bool)
        place = np.zeros(wanted.size, dtype=np.int64)
        if self.customer.size:
            place = np.minimum(np.searchsorted(self.customer, wanted), self.customer.size - 1)
            known = self.customer[place] == wanted
        for number, name in enumerate(self.names):
            column = np.full(wanted.size, np.nan)
            column[known] = self.values[place[known], number]
            yield name, column

    def named(self, names: Sequence[str], categories: Mapping[str, tuple[str, ...]]) -> Floats:
        """The values under these names and codes of texts; what this table lacks is NaN."""
        here = {name: place for place, name in enumerate(self.names)}
        values = np.full((self.customer.size, len(names)), np.nan, order="F")
        for place, name in enumerate(names):
            if name in here:
                values[:, place] = self._recoded(here[name], name, categories.get(name))
        return values

    def _recoded(self, place: int, name: str, wanted: tuple[str, ...] | None) -> Floats:
        own = np.asarray(self.values[:, place])
        texts = self.categories.get(name)
        if wanted is None or texts is None or wanted == texts:
            return own
        numbers = {text: float(number) for number, text in enumerate(wanted)}
        codes = np.array([*(numbers.get(text, np.nan) for text in texts), np.nan])
        return np.asarray(codes[np.where(np.isnan(own), len(texts), own).astype(np.int64)])


def stacked(tables: Sequence[FeatureTable]) -> FeatureTable:
    """Tables of several days under one another; ``as_of`` is the latest, texts get common numbers.

    >>> first, later = (FeatureTable(np.array([1]), ("k",), np.array([[0.0]]), {"k": (text,)}, np.datetime64(day))
    ...                 for text, day in (("web", "2024-01-01"), ("shop", "2024-02-01")))
    >>> stacked([first, later]).values.tolist(), stacked([first, later]).categories
    ([[0.0], [1.0]], {'k': ('web', 'shop')})
    """
    if not tables:
        raise InvalidInput("no table of features was given", hint="give the table of at least one day")
    names = tuple(dict.fromkeys(name for table in tables for name in table.names))
    categories: dict[str, tuple[str, ...]] = {}
    words: dict[str, str] = {}
    for table in tables:
        words |= table.words
        for name, texts in table.categories.items():
            categories[name] = tuple(dict.fromkeys((*categories.get(name, ()), *texts)))
    return FeatureTable(
        customer=np.concatenate([table.customer for table in tables]),
        names=names,
        values=np.vstack([table.named(names, categories) for table in tables]),
        categories=categories,
        as_of=max(tables, key=_day).as_of,
        words=words,
    )


def _day(table: FeatureTable) -> int:
    return int(table.as_of.astype("datetime64[D]").astype(np.int64))


def from_orders(days: PurchaseDays, as_of: Any) -> FeatureTable:
    """What the log of orders said at the end of the day ``as_of``, for all who had ordered by then.

    >>> from shopkeeper.predict.value.summary import purchase_days
    >>> log = purchase_days(customer=[7, 7, 8], occurred_at=["2024-01-01", "2024-01-15", "2024-03-01"],
    ...                     amount=[10, 30, 5])
    >>> table = from_orders(log, np.datetime64("2024-01-29"))
    >>> table.customer.tolist(), table.column("silence").tolist(), table.column("amount_4w").tolist()
    ([7], [2.0], [30.0])
    """
    last = last_day(as_of)
    within = days.day <= last
    code, day, amount = days.code[within], days.day[within], days.amount[within]
    starts = np.flatnonzero(np.diff(code, prepend=-1)) if code.size else np.empty(0, np.int64)
    count = np.diff(starts, append=code.size)
    log = _Log(starts, count, np.repeat(np.arange(starts.size), count), last - day, amount)
    columns = _rhythm(log) | _windows(log) | _amounts(log) | _calendar(log, day)
    names = tuple(ORDER_WORDS)
    values = np.empty((starts.size, len(names)), order="F")
    for place, name in enumerate(names):
        values[:, place] = columns[name]
    return FeatureTable(
        days.customers[code[starts]], names, values, {}, np.datetime64(last, "D"), ORDER_WORDS
    )


@dataclass(frozen=True, slots=True)
class _Log:
    """Order days up to ``as_of``: where each customer's begin, how many, whose, days ago, amounts."""

    starts: Ints
    count: Ints
    owner: Ints
    ago: Ints
    amount: Floats

    def total(self, of: Floats, where: NDArray[np.bool_] | None = None) -> Floats:
        """Sums per customer."""
        owner, weights = (self.owner, of) if where is None else (self.owner[where], of[where])
        return np.asarray(np.bincount(owner, weights=weights, minlength=self.starts.size))


def _rhythm(log: _Log) -> dict[str, Floats]:
    repeats = log.count - 1.0
    first, last = log.ago[log.starts] / _WEEK, log.ago[log.starts + log.count - 1] / _WEEK
    gap = np.zeros(log.ago.size)
    gap[1:] = (log.ago[:-1] - log.ago[1:]) / _WEEK
    gap[log.starts] = 0.0
    some = repeats > 0
    mean = np.where(some, (first - last) / np.maximum(repeats, 1.0), np.nan)
    longest = np.maximum.reduceat(gap, log.starts) if log.starts.size else np.empty(0)
    squares = log.total(gap**2) / np.maximum(repeats, 1.0)
    deviation = np.sqrt(np.maximum(squares - mean**2, 0.0))
    return {
        "frequency": repeats,
        "recency": first - last,
        "T": first,
        "silence": last,
        "gap_mean": mean,
        "gap_last": np.where(some, gap[log.starts + log.count - 1], np.nan),
        "gap_max": np.where(some, longest, np.nan),
        "gap_cv": np.where(repeats > 1, deviation / mean, np.nan),
        "silence_over_gap": last / mean,
    }


def _windows(log: _Log) -> dict[str, Floats]:
    one = np.ones(log.ago.size)
    columns: dict[str, Floats] = {}
    for weeks in WINDOWS:
        recent = log.ago < weeks * 7
        columns[f"orders_{weeks}w"] = log.total(one, recent)
        columns[f"amount_{weeks}w"] = log.total(log.amount, recent)
    columns["orders_trend"] = 2.0 * columns["orders_13w"] - columns["orders_26w"]
    columns["orders_season"] = log.total(one, (log.ago >= 39 * 7) & (log.ago < 52 * 7))
    return columns


def _amounts(log: _Log) -> dict[str, Floats]:
    mean = log.total(log.amount) / log.count
    spread = np.sqrt(np.maximum(log.total(log.amount**2) / log.count - mean**2, 0.0))
    return {
        "amount_mean": mean,
        "amount_first": log.amount[log.starts],
        "amount_last": log.amount[log.starts + log.count - 1],
        "amount_max": np.maximum.reduceat(log.amount, log.starts) if log.starts.size else np.empty(0),
        "amount_cv": np.where((log.count > 1) & (mean > 0), spread / np.where(mean > 0, mean, 1.0), np.nan),
    }


def _calendar(log: _Log, day: Ints) -> dict[str, Floats]:
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    first = day[log.starts].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return {
        "weekend": log.total((weekday >= 5).astype(np.float64)) / log.count,
        "last_weekday": weekday[log.starts + log.count - 1].astype(np.float64),
        "first_month": (first % 12 + 1).astype(np.float64),
    }
