"""What the choice looked like on purchases set aside: the figures behind the plots of the score card.

Tracking, calibration by decile, frequency of repeats and cohort curves, as they are usual in the field since Fader,
Hardie and Lee (2005), here over the days after an origin, which the forecast did not see.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.origin import WEEK, Held

_POINTS = 13
_BARS = 8
_COHORTS = 12


class Tracking(msgspec.Struct, frozen=True, kw_only=True):
    """Purchases of all customers known at the origin, week by week after it; cumulative sums are up to that week."""

    weeks: tuple[float, ...]
    actual: tuple[float, ...]
    expected: tuple[float, ...]

    @property
    def cumulative(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Actual and expected, summed from the first week."""
        return tuple(np.cumsum(self.actual).tolist()), tuple(np.cumsum(self.expected).tolist())


class Decile(msgspec.Struct, frozen=True, kw_only=True):
    """Customers with like forecasts: how many, mean of predicted and actual purchases."""

    n: int
    predicted: float
    actual: float


class Repeats(msgspec.Struct, frozen=True, kw_only=True):
    """Customers with so many purchases within the window (the last bar: so many and more)."""

    purchases: int
    actual: float
    expected: float


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """Customers who began in one month or quarter: cumulative purchases per customer, ``weeks`` after the origin."""

    name: str
    n: int
    weeks: tuple[float, ...]
    actual: tuple[float, ...]
    expected: tuple[float, ...]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The figures for the plots, of one candidate. ``deciles`` are over all origins, the rest of the latest."""

    name: str
    origin: str
    tracking: Tracking
    deciles: tuple[Decile, ...]
    repeats: tuple[Repeats, ...]
    cohorts: tuple[Cohort, ...]


def evidence(
    name: str, held: Sequence[Held], means: Sequence[Floats], ahead: Future, shaped: Future
) -> Evidence:
    """Make the figures: ``means`` at each origin, the future at the latest (the first), and its distribution."""
    latest = held[0]
    points = np.unique(np.round(np.linspace(0.0, latest.window, min(_POINTS, int(latest.window)) + 1)))
    paths = np.array([np.zeros(len(latest.known)), *(ahead.mean(float(t)) for t in points[1:])])
    return Evidence(
        name=name,
        origin=str(np.datetime64(latest.known.end_day, "D")),
        tracking=_tracking(latest, points, paths.sum(axis=1)),
        deciles=_deciles(np.concatenate(means), np.concatenate([one.orders for one in held])),
        repeats=_repeats(latest, shaped),
        cohorts=_cohorts(latest, points, paths),
    )


def _tracking(held: Held, points: Floats, total: Floats) -> Tracking:
    """Expected totals are smooth in time: taken at some weeks, drawn through by a monotone cubic."""
    from scipy.interpolate import PchipInterpolator

    weeks = np.arange(1, round(held.window) + 1)
    at = np.concatenate(([0.0], weeks))
    expected = np.diff(PchipInterpolator(points, total)(at) if points.size > 1 else np.zeros(at.size))
    actual = np.bincount((held.day - 1) // WEEK, minlength=weeks.size)[: weeks.size]
    return Tracking(
        weeks=tuple(weeks.astype(float).tolist()),
        actual=tuple(actual.astype(float).tolist()),
        expected=tuple(expected.tolist()),
    )


def _deciles(predicted: Floats, actual: Floats) -> tuple[Decile, ...]:
    order = np.argsort(predicted, kind="stable")
    return tuple(
        Decile(n=int(part.size), predicted=float(predicted[part].mean()), actual=float(actual[part].mean()))
        for part in np.array_split(order, 10)
        if part.size
    )


def _repeats(held: Held, shaped: Future) -> tuple[Repeats, ...]:
    n = float(len(held.known))
    above = [n, *(float(shaped.at_least(float(k), held.window).sum()) for k in range(1, _BARS)), 0.0]
    actual = np.bincount(np.minimum(held.orders, _BARS - 1).astype(np.int64), minlength=_BARS)
    return tuple(
        Repeats(purchases=k, actual=float(actual[k]), expected=above[k] - above[k + 1]) for k in range(_BARS)
    )


def _cohorts(held: Held, points: Floats, paths: Floats) -> tuple[Cohort, ...]:
    """By month of the first purchase; by quarter, then year, where that would be more than a dozen."""
    past = held.known.past
    first = (past.end - np.rint(past.T * WEEK).astype(np.int64)).astype("datetime64[M]").astype(np.int64)
    for months in (1, 3, 12):
        began = first // months
        names, where = np.unique(began, return_inverse=True)
        if names.size <= _COHORTS:
            break
    found = []
    for place, start in enumerate(names.tolist()):
        here = where == place
        mine: Ints = held.day[here[held.row]]
        seen = np.searchsorted(np.sort(mine), points * WEEK, side="right") / here.sum()
        found.append(
            Cohort(
                name=_period(start, months),
                n=int(here.sum()),
                weeks=tuple(points.tolist()),
                actual=tuple(seen.tolist()),
                expected=tuple(paths[:, here].mean(axis=1).tolist()),
            )
        )
    return tuple(found)


def _period(start: int, months: int) -> str:
    month = str(np.datetime64(start * months, "M"))
    if months == 1:
        return month
    return month[:4] if months == 12 else f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"
