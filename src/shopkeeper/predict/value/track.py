"""Repeat purchases week by week beside what a model expects of them: the tracking plot of the literature.

What is expected of a customer is what the model expects of anybody who first bought on that day, whatever came after
(Fader and Hardie 2002, A Note on Implementing the Pareto/NBD Model in MATLAB, and 2005): a check of the model, where
`split` with `score` checks its forecasts.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.evidence import Tracking
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.summary import DAYS_PER_UNIT, last_day, purchase_days_of, summarise_days

_WEEK = 7


class OfNewCustomers(Protocol):
    """A fit that knows what to expect of a new customer."""

    def expected_repeats(self, t: ArrayLike) -> Floats:
        """Give the expected repeat purchases within each ``t`` of the first purchase."""


def track(
    fit: OfNewCustomers,
    orders: Any = None,
    *,
    end: Any = None,
    until: Any = None,
    unit: str = "W",
    customer: Any = None,
    occurred_at: Any = None,
    time_zone: str | None = None,
) -> Tracking:
    """Give repeat purchases by week, and what ``fit`` expects, of customers who first bought up to ``end``.

    Weeks count from the first purchase of all up to ``until``; a week that is not over is left out. ``.cumulative`` of
    the answer has both added up.

    Args:
        fit: a fitted model of orders.
        orders: a data frame, or None with arrays; see `summarise`.
        end: last day of the calibration (default: ``until``).
        until: last day looked at (default: the day of the latest order).
        unit: of the histories that ``fit`` was fitted to: D, W, M or Y.
        customer: see `summarise`.
        occurred_at: see `summarise`.
        time_zone: see `summarise`.

    Raises:
        InvalidInput: as `summarise`, and where there is no whole week.

    >>> from shopkeeper.predict.value import MBGNBD, summarise
    >>> when = ["2024-01-01", "2024-01-20", "2024-01-08", "2024-02-10", "2024-01-03"]
    >>> log = {"customer": [1, 1, 2, 2, 3], "date": when}
    >>> found = track(MBGNBD().fit(**summarise(log).history), log, end="2024-01-31")
    >>> len(found.weeks), found.actual
    (5, (0.0, 0.0, 1.0, 0.0, 0.0))
    """
    given = {"customer": customer, "occurred_at": occurred_at, "amount": None, "order": None}
    days = purchase_days_of(orders, given, time_zone=time_zone)
    newest = int(days.day.max(initial=0))
    last = newest if until is None else last_day(until)
    known = summarise_days(days, end=np.datetime64(last if end is None else last_day(end), "D"), unit="D")
    first = (known.end - known.T.astype(np.int64)).astype(np.int64)
    weeks = (last - int(first.min()) + 1) // _WEEK if first.size else 0
    if weeks < 1:
        raise InvalidInput("there is no whole week to look at", hint="give more orders, or a later until")
    begin, span = int(first.min()), weeks * _WEEK
    began = np.bincount(first - begin, minlength=span)[:span].astype(np.float64)
    # Of who begins on day d nothing is expected within it, and m(w - d) by the end of day w.
    expects = fit.expected_repeats(np.arange(span) / DAYS_PER_UNIT[unit])
    total = np.convolve(began, expects)[:span]
    mine = np.isin(days.customers, known.customer)[days.code]
    again = np.concatenate(([False], days.code[1:] == days.code[:-1])) if days.day.size else mine
    bought = days.day[mine & again & (days.day < begin + span)] - begin
    actual = np.bincount(bought // _WEEK, minlength=weeks)
    return Tracking(
        weeks=tuple(np.arange(1.0, weeks + 1.0).tolist()),
        actual=tuple(actual.astype(float).tolist()),
        expected=tuple(np.diff(total[_WEEK - 1 :: _WEEK], prepend=0.0).tolist()),
    )
