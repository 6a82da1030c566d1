"""Seasons: how much more or less than usual is bought in each week of the year, and time told by that.

A shop that sells twice as much in December lets two weeks pass in one. `season` estimates the index: repeat purchases
per week over what a model without seasons expects from the customers known by then, smooth over the year, shrunk to 1,
and only as far as one year foretells another. In the time the index tells (operational time) any model of orders works
as it is: `Seasonal` tells histories and horizons in it. Its mean over a year is 1, so a year stays a year.

Idea: time transformation of a Poisson process (Cox and Lewis, 1966, The Statistical Analysis of Series of Events);
smoothing: P-splines of degree 0 (Eilers and Marx, 1996).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.mbgnbd import MBGNBD
from shopkeeper.predict.value.model import SavedFit
from shopkeeper.predict.value.summary import DAYS_PER_UNIT, PurchaseDays, Summary, summarise_days
from shopkeeper.predict.value.weekly import weekly

WEEKS = 52
_YEAR = 365.25
_LEAST_WEEKS = 100
_LEAST_PURCHASES = 500
_STIFF = (0.3, 3.0, 30.0, 300.0)
_TO_ONE = 0.03
_CLEAR = 12.0
_ROUNDS = 50
_FAR = 1e6


class Season(SavedFit, frozen=True, kw_only=True):
    """The index over the year.

    Attributes:
        weeks: 52 values of mean 1, one per week of the year from January on; all 1 where there is no season.
        used: whether one year foretold another clearly better with the index than without.
        gain: by how much, in units of log-likelihood (scaled for clustering of purchases); 0 where not tested.
        weeks_seen: weeks of purchases the index rests on.
        notes: what a reader should know, in plain words.
    """

    weeks: tuple[float, ...] = (1.0,) * WEEKS
    used: bool = False
    gain: float = 0.0
    weeks_seen: int = 0
    notes: tuple[str, ...] = ()

    def index(self, day: Any) -> Floats:
        """Give the index at days counted from 1970-01-01 (or dates)."""
        place = (_of_year(_as_days(day)) * WEEKS - 0.5) % WEEKS
        values = np.array([*self.weeks, self.weeks[0]])
        return np.asarray(np.interp(place, np.arange(WEEKS + 1), values))

    def told(self, day: Any) -> Floats:
        """Give operational days since 1970-01-01 at calendar days (which may have fractions, or be infinite).

        >>> bool(abs(float(Season().told(19_000.25)) - 19_000.25) < 1e-9)
        True
        """
        days = _as_days(day)
        near = np.abs(days) < _FAR
        grid = np.linspace(0.0, 1.0, WEEKS * 8 + 1)
        values = np.interp((grid * WEEKS - 0.5) % WEEKS, np.arange(WEEKS + 1), [*self.weeks, self.weeks[0]])
        more = np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2.0 - 1.0)]) / (WEEKS * 8)
        more -= grid * more[-1]
        ahead = _YEAR * np.interp(_of_year(np.where(near, days, 0.0)), grid, more)
        return np.asarray(days + np.where(near, ahead, 0.0))

    def summarise(self, days: PurchaseDays, *, end: Any = None, unit: str = "W") -> Summary:
        """Summarise purchase days per customer, with recency, T and gaps in operational time."""
        from dataclasses import replace

        plain = summarise_days(days, end=end, unit=unit)
        last_day = plain.end.astype(np.int64)
        inside = days.day <= last_day
        code, told = days.code[inside], self.told(days.day[inside]) / DAYS_PER_UNIT[unit]
        starts = (
            np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
            if code.size
            else np.empty(0, np.int64)
        )
        if not starts.size:
            return plain
        ends = np.append(starts[1:], code.size) - 1
        gaps = np.diff(told, prepend=told[:1])
        gaps[starts] = 1.0
        now = self.told(last_day) / DAYS_PER_UNIT[unit]
        return replace(
            plain,
            recency=told[ends] - told[starts],
            T=np.maximum(now - told[starts], told[ends] - told[starts]),
            log_gaps=np.add.reduceat(np.log(gaps), starts),
        )


def season(days: PurchaseDays, *, end: Any = None) -> Season:
    """Estimate the index from purchase days up to ``end``; where it does not hold, it is 1 and the notes say why.

    It needs about two years: one to see a season, another to see it again.
    """
    log = summarise_days(days, end=end, unit="D")
    last = int(log.end.astype(np.int64))
    fit = MBGNBD().fit(frequency=log.frequency, recency=log.recency, T=log.T)
    table = weekly(days, last=last, fit=fit, unit=1.0)
    count, expected, middle = table.count, table.expected, table.middle
    seen = int(count.size)
    if seen < _LEAST_WEEKS:
        note = f"{seen} weeks of purchases: a season shows itself only over two years; none is used"
        return Season(weeks_seen=seen, notes=(note,))
    if count.sum() < _LEAST_PURCHASES:
        return Season(weeks_seen=seen, notes=("too few repeat purchases to see a season; none is used",))
    week = np.minimum((_of_year(middle) * WEEKS).astype(np.int64), WEEKS - 1)
    blocks = np.minimum((np.arange(seen)[::-1] // WEEKS), max(seen // WEEKS, 2) - 1)
    whole = _fit(count, expected, week, np.inf)
    scale = max(1.0, float(((count - whole.mean) ** 2 / whole.mean).sum()) / max(seen - 2, 1))
    best, gain = np.inf, 0.0
    for stiff in _STIFF:
        better = _foretold(count, expected, week, blocks, stiff, scale)
        if better > gain:
            best, gain = stiff, better
    if gain < _CLEAR:
        note = "one year does not foretell the seasons of another; none is used"
        return Season(weeks_seen=seen, gain=gain, notes=(note,))
    found = np.exp(_fit(count, expected, week, best, scale).season)
    return Season(weeks=tuple((found / found.mean()).tolist()), used=True, gain=gain, weeks_seen=seen)


class _Fitted:
    """Log season by week of the year, and the mean count it gives each week seen."""

    def __init__(self, season: Floats, mean: Floats) -> None:
        self.season, self.mean = season, mean


def _fit(
    count: Floats, expected: Floats, week: Ints, stiff: float, scale: float = 1.0, given: Floats | None = None
) -> _Fitted:
    """Fit counts with a log-linear drift and a penalised log season (none for ``stiff`` infinite, or ``given``)."""
    seen = np.arange(count.size, dtype=np.float64)
    drift = np.stack([np.ones(count.size), (seen - seen.mean()) / WEEKS], axis=1)
    free = given is None and np.isfinite(stiff)
    design = np.hstack([drift, np.eye(WEEKS)[week]]) if free else drift
    size = design.shape[1]
    penalty = np.zeros((size, size))
    if free:
        twice = np.eye(WEEKS) * 2.0 - np.roll(np.eye(WEEKS), 1, axis=0) - np.roll(np.eye(WEEKS), -1, axis=0)
        level = count.sum() / WEEKS / scale
        penalty[2:, 2:] = level * (stiff * twice.T @ twice + _TO_ONE * np.eye(WEEKS))
    penalty[0, 0] = penalty[1, 1] = 1e-6
    offset = np.log(expected) + (given[week] if given is not None else 0.0)
    at = np.zeros(size)
    at[0] = np.log(max(count.sum(), 0.5) / np.exp(offset).sum())
    for _ in range(_ROUNDS):
        mean = np.exp(np.clip(offset + design @ at, -30.0, 30.0))
        slope = design.T @ (count - mean) / scale - penalty @ at
        step = np.linalg.solve(design.T @ (design * (mean / scale)[:, None]) + penalty, slope)
        at += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-8:
            break
    mean = np.exp(np.clip(offset + design @ at, -30.0, 30.0))
    return _Fitted(at[2:] if free else np.zeros(WEEKS), mean)


def _foretold(count: Floats, expected: Floats, week: Ints, blocks: Ints, stiff: float, scale: float) -> float:
    """Give how much better each year is described with the season of the others than with none (log-likelihood)."""
    total = 0.0
    for block in np.unique(blocks):
        held, rest = blocks == block, blocks != block
        learned = _fit(count[rest], expected[rest], week[rest], stiff, scale).season
        told = _fit(count[held], expected[held], week[held], np.inf, given=learned).mean
        plain = _fit(count[held], expected[held], week[held], np.inf).mean
        y = count[held]
        total += float((y * np.log(told / plain) - (told - plain)).sum()) / scale
    return total


def _as_days(day: Any) -> Floats:
    values = np.asarray(day)
    if values.dtype.kind == "M":
        values = values.astype("datetime64[D]").astype(np.int64)
    if values.dtype.kind not in "iuf":
        raise InvalidInput(
            "days hold values that are no dates", hint="give datetime64 values or days since 1970-01-01"
        )
    return values.astype(np.float64)


def _of_year(days: Floats) -> Floats:
    """Give the part of its calendar year that has passed at each day."""
    whole = np.floor(days)
    dated = whole.astype(np.int64).astype("datetime64[D]")
    year = dated.astype("datetime64[Y]")
    start = year.astype("datetime64[D]").astype(np.int64)
    length = (year + 1).astype("datetime64[D]").astype(np.int64) - start
    return np.asarray((days - start) / length)
