"""Repeat purchases by age, cohort by cohort, beside the one curve that a model expects of all of them.

A model takes customers who begin in March and in December for draws from the same population. Where the curves of
cohorts lie apart, they are not: fit to the younger ones, or say where customers came from (`WithCovariates`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value.drawing import Chart, Series
from shopkeeper.predict.value.figure import Figure
from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.summary import DAYS_PER_UNIT, last_day, purchase_days_of, summarise_days
from shopkeeper.predict.value.track import refuse_other_unit

_WEEK = 7
_MONTHS = {"M": 1, "Q": 3, "Y": 12}


@dataclass(frozen=True, slots=True)
class CohortCurves(Figure):
    """Repeat purchases per customer up to each age, by cohort.

    Attributes:
        cohorts: names: 2024-01, 2024-Q1 or 2024.
        customers: how many are in each.
        weeks: ages.
        actual: a row per cohort; NaN where not all of it are that old yet.
        expected: of a new customer, whatever the cohort.
        name: the model's.
    """

    cohorts: tuple[str, ...]
    customers: Ints
    weeks: Floats
    actual: Floats
    expected: Floats
    name: str

    def columns(self) -> dict[str, Any]:
        """Give a row per cohort and age that all of it have reached."""
        row, age = np.nonzero(np.isfinite(self.actual))
        return {
            "cohort": [self.cohorts[one] for one in row], "customers": self.customers[row], "week": self.weeks[age],
            "actual": self.actual[row, age], "expected": self.expected[age],
        }  # fmt: skip

    def chart(self) -> Chart:
        """Give the curves, the model's first."""
        lines = [Series(self.name, self.weeks, self.expected)]
        lines += [Series(name, self.weeks, self.actual[row]) for row, name in enumerate(self.cohorts)]
        return Chart(
            title="Repeat purchases per customer, by cohort",
            x_label="weeks from a customer's first purchase",
            y_label="repeat purchases each",
            series=tuple(lines),
        )


def cohort_curves(
    fit: Any,
    orders: Any = None,
    *,
    by: str = "Q",
    until: Any = None,
    unit: str = "W",
    customer: Any = None,
    occurred_at: Any = None,
    amount: Any = None,
    time_zone: str | None = None,
    returns: str = "refuse",
) -> CohortCurves:
    """Give repeat purchases per customer by age, of customers who began in one month, quarter or year.

    Args:
        fit: a fitted model of orders without seasons; of one with covariates ``fit.of_levels({...})``.
        orders: a data frame, or None with arrays; see `summarise`.
        by: M, Q or Y: month, quarter or year of the first purchase.
        until: last day looked at (default: the day of the latest order).
        unit: of the histories that ``fit`` was fitted to: D, W, M or Y.
        customer: see `summarise`.
        occurred_at: see `summarise`.
        amount: see `summarise`; only used to find returns.
        time_zone: see `summarise`.
        returns: see `summarise`: with ``net`` and ``drop`` a return is no purchase.

    Raises:
        InvalidInput: as `summarise`, and where no cohort is a week old.

    >>> from shopkeeper.predict.value import MBGNBD, summarise
    >>> when = ["2024-01-01", "2024-01-20", "2024-01-08", "2024-05-10", "2024-04-03"]
    >>> log = {"customer": [1, 1, 2, 2, 3], "date": when}
    >>> found = cohort_curves(MBGNBD().fit(**summarise(log).history), log, until="2024-06-30")
    >>> found.cohorts, found.actual[:, 12].tolist()
    (('2024-Q1', '2024-Q2'), [0.5, 0.0])
    """
    if by not in _MONTHS:
        raise UnknownName("by", by, _MONTHS)
    if not hasattr(fit, "expected_repeats"):
        raise InvalidInput(
            f"a {type(fit).__name__} has no one curve of new customers",
            hint="give a fit without seasons; of one with covariates fit.of_levels({...})",
        )
    given = {"customer": customer, "occurred_at": occurred_at, "amount": amount, "order": None}
    days = purchase_days_of(orders, given, time_zone=time_zone, returns=returns)
    last = int(days.day.max(initial=0)) if until is None else last_day(until, time_zone)
    known = summarise_days(days, end=np.datetime64(last, "D"), unit="D")
    refuse_other_unit(fit, known.T, unit)
    first = last - known.T.astype(np.int64)
    period = first.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // _MONTHS[by]
    names, where, count = np.unique(period, return_inverse=True, return_counts=True)
    youngest = np.array([first[where == place].max() for place in range(names.size)], dtype=np.int64)
    whole = (last - youngest) // _WEEK
    if not whole.size or whole.max() < 1:
        raise InvalidInput("no cohort is a week old", hint="give more orders, or a later until")
    inside = days.day <= last
    code = np.searchsorted(known.customer, days.customers[days.code[inside]])
    age = days.day[inside] - first[code]
    weeks = np.arange(int(whole.max()) + 1)
    # A repeat at an age of 1 to 7 days is one by the first week.
    place = np.minimum((age + _WEEK - 1) // _WEEK, weeks.size)
    repeats = np.zeros((names.size, weeks.size + 1))
    np.add.at(repeats, (where[code[age > 0]], place[age > 0]), 1.0)
    actual = repeats[:, :-1].cumsum(axis=1) / count[:, None]
    actual[weeks[None, :] > whole[:, None]] = np.nan
    return CohortCurves(
        cohorts=tuple(_name(start * _MONTHS[by], by) for start in names.tolist()),
        customers=count,
        weeks=weeks.astype(np.float64),
        actual=actual,
        expected=fit.expected_repeats(weeks * (_WEEK / DAYS_PER_UNIT[unit])),
        name=fit.name,
    )


def _name(month: int, by: str) -> str:
    said = str(np.datetime64(month, "M"))
    return {"M": said, "Q": f"{said[:4]}-Q{(int(said[5:]) + 2) // 3}", "Y": said[:4]}[by]
