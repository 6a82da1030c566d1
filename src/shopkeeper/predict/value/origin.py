"""What was known at the end of a day, what came after it, and from which days to look ahead.

The tournament stands at several days of the past, the *origins*. All that a candidate may use there is in `Known`,
which is cut at its day before anything is counted; what it has to foretell is in `Held`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from shopkeeper.predict.value import stray
from shopkeeper.predict.value.features import FeatureTable, from_orders
from shopkeeper.predict.value.history import Distinct, Floats, History, Ints, collapse
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.summary import PurchaseDays, Summary, summarise_days

Features = Callable[[np.datetime64], FeatureTable]
"""Gives the features of all customers as known at the end of a day."""

WEEK = 7
ORIGINS = 5
_LEAST_WEEKS = 6


class Known:
    """Purchases up to the end of ``end_day`` (days since 1970-01-01), one row per customer who bought by then.

    Attributes:
        days: the purchases up to that day. ``customers`` holds all customers of the log, so that codes stay the same.
        end_day: the last day known.
        lookup: gives the features of a day, where there are others than those of orders.
        near: fits at the origins before, by name: a search may begin there.
    """

    def __init__(
        self,
        days: PurchaseDays,
        end_day: int,
        features: Features | None = None,
        near: dict[str, Any] | None = None,
    ) -> None:
        within = days.day <= end_day
        self.days = days if within.all() else some_days(days, within)
        self.end_day = end_day
        self.lookup = features
        self.near: dict[str, Any] = {} if near is None else near
        self._fits: dict[str, Any] = {}

    @cached_property
    def past(self) -> Summary:
        """Histories, times in weeks."""
        return summarise_days(self.days, end=np.datetime64(self.end_day, "D"), unit="W")

    @cached_property
    def rows(self) -> Ints:
        """The code of each row's customer."""
        return np.unique(self.days.code)

    @cached_property
    def distinct(self) -> Distinct:
        """The distinct histories, and which one each row has."""
        past = self.past
        return collapse(History(past.frequency, past.recency, past.T), inverse=True)

    @cached_property
    def span(self) -> float:
        """Weeks from the first purchase of all to the end."""
        return (self.end_day - int(self.days.day.min())) / WEEK if self.days.day.size else 0.0

    @cached_property
    def features(self) -> FeatureTable:
        """What is known of each row's customer, for a learner."""
        day = np.datetime64(self.end_day, "D")
        table = from_orders(self.days, day) if self.lookup is None else self.lookup(day)
        return table.rows_of(self.past.customer)

    def __len__(self) -> int:
        """Give the number of customers."""
        return int(self.rows.size)

    def earlier(self, weeks: float) -> Known:
        """Give what was known so many weeks before."""
        return Known(self.days, self.end_day - round(weeks * WEEK), self.lookup)

    def fitted(self, name: str, fit: Callable[[], Any]) -> Any:
        """Give the fit of that name, made once."""
        if name not in self._fits:
            self._fits[name] = fit()
        return self._fits[name]

    def counts(self, *, after: int, until: int) -> Floats:
        """Give each row's purchases after day ``after`` up to day ``until``."""
        return self._sums(self.days, after, until, None)

    def money(self, *, after: int, until: int) -> Floats:
        """Give each row's amounts after day ``after`` up to day ``until``."""
        return self._sums(self.days, after, until, self.days.amount)

    def later(self, days: PurchaseDays, until: int) -> Floats:
        """Give each row's purchases in ``days`` after the last day known, up to day ``until``."""
        return self._sums(days, self.end_day, until, None)

    def _sums(self, days: PurchaseDays, after: int, until: int, amount: Floats | None) -> Floats:
        here = (days.day > after) & (days.day <= until)
        weights = None if amount is None else amount[here]
        sums = np.bincount(days.code[here], weights=weights, minlength=len(days.customers))
        return sums[self.rows].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Held:
    """An origin: what was known, and what came in the ``window`` weeks after it, row by row.

    Attributes:
        known: the state of knowledge.
        window: weeks after it.
        orders: purchases within them.
        money: amounts within them.
        day: of each purchase within them, days after the origin (1 is the first).
        row: of each purchase within them.
    """

    known: Known
    window: float
    orders: Floats
    money: Floats
    day: Ints
    row: Ints


def hold_out(
    days: PurchaseDays,
    *,
    end_day: int,
    window_days: int,
    features: Features | None = None,
    near: dict[str, Any] | None = None,
) -> Held:
    """Set the ``window_days`` up to ``end_day`` (days since 1970-01-01) aside; ``near`` as in `Known`."""
    cut = end_day - window_days
    known = Known(days, cut, features, near)
    later = (days.day > cut) & (days.day <= end_day)
    place = np.full(len(days.customers), -1, dtype=np.int64)
    place[known.rows] = np.arange(len(known))
    row, amount, day = place[days.code[later]], days.amount[later], days.day[later] - cut
    old = row >= 0
    row, amount, day = row[old], amount[old], day[old]
    return Held(
        known=known,
        window=window_days / WEEK,
        orders=np.bincount(row, minlength=len(known)).astype(np.float64),
        money=np.bincount(row, weights=amount, minlength=len(known)).astype(np.float64),
        day=day,
        row=row,
    )


def plan(span_days: int, horizon: float) -> tuple[int, tuple[int, ...]]:
    """Give the window and the ends of the windows, both in days; ends count back from the last day known.

    The window is what is asked for, or a third of the history where that is shorter, so that customers have a past at
    each origin. Five origins are spread over the part of the history that has at least as much before it as the window
    is long; windows overlap where they must. Nothing where the history is shorter than six weeks.

    >>> plan(39 * 7, 39.0)
    (91, (0, 21, 42, 63, 84))
    >>> plan(156 * 7, 13.0)
    (91, (0, 91, 182, 273, 364))
    >>> plan(10, 13.0)
    (0, ())
    """
    span = span_days // WEEK
    if span < _LEAST_WEEKS:
        return 0, ()
    window = max(1, min(int(horizon), span // 3))
    step = max(1, min(window, (span - 2 * window) // (ORIGINS - 1)))
    ends = tuple(WEEK * step * place for place in range(ORIGINS))
    return WEEK * window, tuple(end for end in ends if span_days - end - WEEK * window >= WEEK)


def some_days(days: PurchaseDays, which: Any) -> PurchaseDays:
    """Give some of the purchases; the list of customers stays, and with it the codes."""
    return PurchaseDays(days.customers, days.code[which], days.day[which], days.amount[which])


@dataclass(frozen=True, slots=True)
class Shared:
    """The future of customers of whom many share one history: all work is done per distinct history."""

    base: Future
    where: Ints
    means: dict[float, Floats] = field(default_factory=dict, repr=False, compare=False)
    """What was asked before: the same forecast is asked for when it is judged, summed up and plotted."""

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``."""
        if np.ndim(t) > 0:
            return self._each.mean(t)
        time = float(t)
        if time not in self.means:
            self.means[time] = self.base.mean(time)
        return self.means[time][self.where]

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit."""
        if np.ndim(t) == 0:
            return self.base.discounted(t, rate)[self.where]
        return self._each.discounted(t, rate)

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t``."""
        return self.base.square(t)[self.where] if np.ndim(t) == 0 else self._each.square(t)

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""
        if np.ndim(t) == 0 and np.ndim(k) == 0:
            return self.base.at_least(k, t)[self.where]
        return self._each.at_least(k, t)

    def take(self, rows: Ints) -> Shared:
        """Give the future of some of the customers."""
        return Shared(self.base, self.where[rows], self.means)

    @property
    def _each(self) -> Future:
        return self.base.take(self.where)


def believable(days: PurchaseDays, end_day: int) -> tuple[PurchaseDays, tuple[str, ...]]:
    """Leave out purchases so long before all others that their dates cannot be right, and say so."""
    upto = days.day[days.day <= end_day]
    first = stray.believed(upto)[0] if upto.size else end_day
    early = days.day < first
    if not early.any():
        return days, ()
    return some_days(days, ~early), (stray.note(int(early.sum()), first),)
