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
from shopkeeper.predict.value.drawing import Chart, Series, svg
from shopkeeper.predict.value.evidence import Tracking
from shopkeeper.predict.value.figure import Figure
from shopkeeper.predict.value.history import Floats, History, Ints
from shopkeeper.predict.value.seasonal import SeasonalFit
from shopkeeper.predict.value.summary import (
    DAYS_PER_UNIT,
    Summary,
    last_day,
    purchase_days_of,
    summarise_days,
)

_WEEK = 7


class OfNewCustomers(Protocol):
    """A fit that knows what to expect of a new customer."""

    def expected_repeats(self, t: ArrayLike) -> Floats:
        """Give the expected repeat purchases within each ``t`` of the first purchase."""


class Track(Figure, Tracking, frozen=True, kw_only=True):
    """Repeat purchases of all customers who first bought within the calibration, week by week.

    Attributes:
        name: the model's.
        calibrated: weeks of the calibration.
        since: from when weeks count.
    """

    name: str = ""
    calibrated: float = 0.0
    since: str = "the first purchase of all"

    def columns(self) -> dict[str, Any]:
        """Give weeks, actual and expected purchases, and both summed."""
        actual, expected = self.cumulative
        return {
            "week": self.weeks, "actual": self.actual, "expected": self.expected,
            "actual_summed": actual, "expected_summed": expected,
        }  # fmt: skip

    def chart(self, *, cumulative: bool = False) -> Chart:
        """Give the tracking plot, of each week or summed; the end of the calibration is marked."""
        actual, expected = self.cumulative if cumulative else (self.actual, self.expected)
        weeks = np.asarray(self.weeks)
        inside = 0.0 < self.calibrated < len(self.weeks)
        return Chart(
            title=f"Repeat purchases since {self.since}" if cumulative else "Repeat purchases by week",
            x_label=f"weeks from {self.since}",
            y_label="repeat purchases",
            series=(
                Series("came", weeks, np.asarray(actual)),
                Series(f"expected by {self.name}" if self.name else "expected", weeks, np.asarray(expected)),
            ),
            marks=(self.calibrated,) if inside else (),
            marked="end of calibration",
        )

    def svg(self, *, cumulative: bool = False, width: int = 640, height: int = 380) -> str:
        """Draw the tracking plot as SVG, of each week or summed."""
        return svg(self.chart(cumulative=cumulative), width=width, height=height)


def track(
    fit: OfNewCustomers | SeasonalFit,
    orders: Any = None,
    *,
    end: Any = None,
    until: Any = None,
    unit: str = "W",
    customer: Any = None,
    occurred_at: Any = None,
    amount: Any = None,
    order: Any = None,
    time_zone: str | None = None,
    returns: str = "refuse",
    duplicates: str = "refuse",
) -> Track:
    """Give repeat purchases by week, and what ``fit`` expects, of customers who first bought up to ``end``.

    Weeks count from the first purchase of all up to ``until``; a week that is not over is left out. ``.cumulative`` of
    the answer has both added up; it draws itself (`Figure`). A model with covariates is followed level by level:
    ``track(fit.of_levels({"channel": "web"}), orders_of_web, ...)``.

    Args:
        fit: a fitted model of orders.
        orders: a data frame, or None with arrays; see `summarise`.
        end: last day of the calibration (default: ``until``).
        until: last day looked at (default: the day of the latest order).
        unit: of the histories that ``fit`` was fitted to: D, W, M or Y; a seasonal fit knows its own.
        customer: see `summarise`.
        occurred_at: see `summarise`.
        amount: see `summarise`; only used to find returns.
        order: see `summarise`.
        time_zone: see `summarise`.
        returns: see `summarise`: with ``net`` and ``drop`` a return is no purchase.
        duplicates: see `summarise`.

    Raises:
        InvalidInput: as `summarise`, where there is no whole week, and where ``unit`` is not that of the fit.

    >>> from shopkeeper.predict.value import MBGNBD, summarise
    >>> when = ["2024-01-01", "2024-01-20", "2024-01-08", "2024-02-10", "2024-01-03"]
    >>> log = {"customer": [1, 1, 2, 2, 3], "date": when}
    >>> found = track(MBGNBD().fit(**summarise(log).history), log, end="2024-01-31")
    >>> len(found.weeks), found.actual
    (5, (0.0, 0.0, 1.0, 0.0, 0.0))
    """
    if not isinstance(fit, SeasonalFit) and not hasattr(fit, "expected_repeats"):
        raise InvalidInput(
            f"a {type(fit).__name__} says nothing of new customers in general",
            hint="give a fitted model; of one with covariates fit.of_levels({...}) with the orders of that level",
        )
    given = {"customer": customer, "occurred_at": occurred_at, "amount": amount, "order": order}
    days = purchase_days_of(orders, given, time_zone=time_zone, returns=returns, duplicates=duplicates)
    newest = int(days.day.max(initial=0))
    last = newest if until is None else last_day(until, time_zone)
    known = summarise_days(
        days, end=np.datetime64(last if end is None else last_day(end, time_zone), "D"), unit="D"
    )
    refuse_other_unit(fit, known.T, unit)
    first = (known.end - known.T.astype(np.int64)).astype(np.int64)
    weeks = (last - int(first.min()) + 1) // _WEEK if first.size else 0
    if weeks < 1:
        raise InvalidInput("there is no whole week to look at", hint="give more orders, or a later until")
    begin = int(first.min())
    mine = np.isin(days.customers, known.customer)[days.code]
    again = np.concatenate(([False], days.code[1:] == days.code[:-1])) if days.day.size else mine
    bought = days.day[mine & again & (days.day < begin + weeks * _WEEK)] - begin
    actual = np.bincount(bought // _WEEK, minlength=weeks)
    return Track(
        name=str(getattr(fit, "name", "")),
        weeks=tuple(np.arange(1.0, weeks + 1.0).tolist()),
        actual=tuple(actual.astype(float).tolist()),
        expected=tuple(np.diff(_expected(fit, first, begin, weeks, unit), prepend=0.0).tolist()),
        calibrated=(int(known.end.astype(np.int64)) - begin + 1) / _WEEK,
    )


def _expected(fit: OfNewCustomers | SeasonalFit, first: Ints, begin: int, weeks: int, unit: str) -> Floats:
    """Give the repeat purchases expected by the end of each week of customers who began on the days ``first``."""
    span = weeks * _WEEK
    began = np.bincount(first - begin, minlength=span)[:span].astype(np.float64)
    if not isinstance(fit, SeasonalFit):
        # Of who begins on day d nothing is expected within it, and m(w - d) by the end of day w.
        expects = fit.expected_repeats(np.arange(span) / DAYS_PER_UNIT[unit])
        return np.asarray(np.convolve(began, expects)[:span][_WEEK - 1 :: _WEEK])
    day = np.arange(span)
    told = fit.season.told(begin + day)
    longest = int(np.ceil(told[-1] - told[0])) + 1
    # m is smooth: by days of operational time, straight between them.
    expects = fit.fit.expected_repeats(np.arange(longest + 1) / DAYS_PER_UNIT[fit.unit])
    starts = np.flatnonzero(began)
    found = np.empty(weeks)
    for week in range(weeks):
        now = (week + 1) * _WEEK - 1
        here = starts[starts <= now]
        found[week] = began[here] @ np.interp(told[now] - told[here], np.arange(longest + 1), expects)
    return found


def refuse_other_unit(fit: Any, days: Floats, unit: str) -> None:
    """Refuse a unit that is not the fit's, where the fit remembers the customers that were observed ``days``."""
    history: History | None = getattr(fit, "__dict__", {}).get("_history")
    if unit not in DAYS_PER_UNIT or history is None or len(history) != days.size or not days.size:
        return
    for own, per in DAYS_PER_UNIT.items():
        if np.allclose(history.T * per, days, rtol=1e-6, atol=1e-6) and own != unit and days.max() > 0:
            raise InvalidInput(
                f"the fit knows these customers in the unit {own}, and unit is {unit}",
                hint=f"give unit={own!r}",
            )


def refuse_other_table(fit: Any, log: Summary) -> None:
    """Refuse a table of customers in another unit than the fit's, and of another day where the fit knows seasons."""
    if isinstance(fit, SeasonalFit) and (fit.unit, fit.end) != (log.unit, int(log.end.astype(np.int64))):
        raise InvalidInput(
            f"{fit.name} knows customers up to {np.datetime64(fit.end, 'D')} in the unit {fit.unit}, and these are up "
            f"to {log.end} in {log.unit}",
            hint="fit to the same day and unit",
        )
    refuse_other_unit(fit, log.T * DAYS_PER_UNIT[log.unit], log.unit)
