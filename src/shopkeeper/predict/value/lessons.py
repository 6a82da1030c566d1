"""The days in the past from which a learner learns, and the fit on all of them.

A lesson is a day, what was known of every customer at its end, what a probability model fitted to the time before
foretold for the weeks after it, and what was then bought. All lie at or before ``end_day``: neither features nor
targets look past it. On Online Retail II and both CDNOW logs three lessons were steadier than one (docs/why/0017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.features import FeatureTable, from_orders
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.learner import Learner, LearnerFit
from shopkeeper.predict.value.summary import PurchaseDays, Summary, summarise_days

_SHARES = (4, 3, 2)  # a quarter, a third and half of the past lie after the days learnt from

Foretell = Callable[[Summary, float], Floats]
"""A probability model, fitted to a summary in weeks, and its forecast for so many weeks after it, per customer."""
Features = Callable[[np.datetime64], FeatureTable]
"""What was known of the customers at the end of a day."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A day to learn from, and the days after it whose purchases are the answer (days since 1970-01-01)."""

    day: int
    window: int


def lessons(first_day: int, end_day: int, window_days: int) -> tuple[Lesson, ...]:
    """The days to learn from, so that forecasts over ``window_days`` can be made at ``end_day``.

    Windows are as long as that where the past is long enough, else shorter; at least half the past stays before. They
    are a day at least: of less than that nothing can be counted.

    >>> [(one.day, one.window) for one in lessons(0, 728, 91)]
    [(637, 91), (546, 91), (455, 91)]
    >>> [(one.day, one.window) for one in lessons(0, 272, 273)]
    [(204, 68), (182, 90), (136, 136)]
    >>> lessons(0, 272, 0) == lessons(0, 272, 1)
    True
    """
    window_days = max(window_days, 1)
    span = end_day - first_day
    gaps = dict.fromkeys(min(span // part, step * window_days) for step, part in enumerate(_SHARES, 1))
    return tuple(Lesson(end_day - gap, min(gap, window_days)) for gap in gaps if gap >= 1)


def learn(
    days: PurchaseDays,
    *,
    end_day: int,
    window_days: int,
    foretell: Foretell,
    features: Features | None = None,
    spend: bool = False,
    learner: Learner | None = None,
) -> LearnerFit:
    """Fit a learner on the past up to ``end_day``, for forecasts over the ``window_days`` after it.

    Args:
        days: the log of orders, one row per customer and day.
        end_day: last day that may be looked at, days since 1970-01-01.
        window_days: how far the forecasts will reach.
        foretell: gives a probability model's forecast, fitted to the summary it is handed.
        features: what was known at the end of a day (default: what the log of orders says).
        spend: learn amounts instead of orders; ``foretell`` then foretells amounts.
        learner: settings (default: those of the target).

    Raises:
        InvalidInput: there is no order up to ``end_day``, a forecast does not fit, or LightGBM is not installed.
    """
    if not days.day.size or int(days.day.min()) > end_day:
        raise InvalidInput("no order lies in the past to learn from", hint="give orders up to end_day")
    tables, offsets, targets = [], [], []
    for lesson in lessons(int(days.day.min()), end_day, window_days):
        day = np.datetime64(lesson.day, "D")
        past = summarise_days(days, end=day, unit="W")
        table = from_orders(days, day) if features is None else features(day)
        tables.append(table.rows_of(past.customer))
        offsets.append(foretell(past, lesson.window / 7))
        targets.append(bought(days, past, day=lesson.day, window=lesson.window, spend=spend))
    if not tables:
        raise InvalidInput("the past is shorter than four days", hint="give a longer log of orders")
    if learner is None:
        learner = Learner(objective="tweedie" if spend else "poisson")
    return learner.fit(tables, offset=offsets, target=targets)


def bought(days: PurchaseDays, past: Summary, *, day: int, window: int, spend: bool = False) -> Floats:
    """Order days (or their amounts) of the customers of ``past`` within the ``window`` days after ``day``."""
    later = (days.day > day) & (days.day <= day + window)
    weights = days.amount[later] if spend else None
    sums = np.bincount(days.code[later], weights=weights, minlength=days.customers.size)
    return np.asarray(sums[np.searchsorted(days.customers, past.customer)], dtype=np.float64)
