"""Who buys in the same part of every year: gift buyers, seen by the calendar and not by their gaps.

Purchases that follow each other within 90 days are one visit. Under the null hypothesis visits fall like everybody's
over the year; by everybody's distribution function they are then uniform on a circle, and the chance that some ``k`` of
``N`` lie within an arc of ``w`` is at most N C(N-1, k-1) w^(k-1) (Stevens 1939 for k = N). A customer has a season
where that is below 5 % for at least two thirds of the visits, these fall in different years, and no more than a quarter
of the years between were left out. Two visits must lie within days of each other, three within weeks: that somebody
happened to buy in December once, or in two Decembers when everybody does, is no season.

The next season has passed on the day after the upper end of where its first purchase is expected: a predictive
t-interval of the earlier ones, their spread shrunk to two weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, comb, floor, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.predict.value.history import Floats

TURN: Final = 365.2425
"""Days of a year."""
VISIT: Final = 90
"""A gap of more days begins another visit."""
BINS: Final = 24
FLAT: Final = tuple(i / BINS for i in range(BINS + 1))
"""Everybody's distribution over the year, cumulative by half months, where it is not known."""
_CHANCE: Final = 0.05
_ROUNDING: Final = 1e-9
_MOST_VISITS: Final = 40
_SPREAD: Final = 14.0
_COUNTED: Final = 2.0
"""Visits that the spread of two weeks counts as."""
_LEAST: Final = 14.0
SOONEST: Final = 2 * int(_LEAST)
"""Days from a purchase to the first on which a season can have passed."""
_KEPT: Final = 0.75


class Season(NamedTuple):
    """When somebody buys: the middle of one season, a day number; and how far the first purchase may lie behind it."""

    middle: float
    late: float
    visits: int

    def coming(self, day: int) -> float:
        """The middle of the first season that a purchase on a day does not belong to."""
        turn = round((day - self.middle) / TURN)
        middle = self.middle + TURN * turn
        return middle if day < middle - self.late else middle + TURN


def season(firsts: Sequence[int], everybody: Sequence[float] = FLAT) -> Season | None:
    """The season of somebody whose visits began on these days (numbers since 1970, ascending), or None.

    >>> decembers = [(np.datetime64(f"{year}-12-{day}") - np.datetime64("1970-01-01")).astype(int)
    ...              for year, day in ((2019, 10), (2020, 14), (2021, 12))]
    >>> season(decembers).visits, season(decembers[:1])
    (3, None)
    """
    n = len(firsts)
    if not 2 <= n <= _MOST_VISITS or firsts[-1] - firsts[0] < TURN / 2:
        return None
    placed = sorted((_mass((day % TURN) / TURN, everybody), day) for day in firsts)
    masses = [mass for mass, _ in placed]
    masses += [mass + 1.0 for mass in masses]
    for k in range(n, max(2, ceil(2 * n / 3)) - 1, -1):
        width, start = min((masses[i + k - 1] - masses[i], i) for i in range(n))
        if n * comb(n - 1, k - 1) * width ** (k - 1) <= _CHANCE:
            inside = [placed[(start + i) % n][1] for i in range(k)]
            if (found := _season(inside)) is not None:
                return found
    return None


def close(
    one: NDArray[np.int64], other: NDArray[np.int64], everybody: Sequence[float] = FLAT
) -> NDArray[np.bool_]:
    """Of many customers with two visits: whether ``season`` may find one. Most are told apart by this.

    >>> close(np.array([0, 0]), np.array([367, 500])).tolist()
    [True, False]
    """
    places = [np.interp(days % TURN / TURN * BINS, np.arange(BINS + 1), everybody) for days in (one, other)]
    apart = np.abs(places[0] - places[1])
    return np.asarray(np.minimum(apart, 1.0 - apart) <= _CHANCE / 2 + _ROUNDING)


def _season(inside: Sequence[int]) -> Season | None:
    """The season of visits within an arc, the first of it before the others; None where these are not of every year."""
    k = len(inside)
    begin = inside[0] % TURN
    ahead = [(day % TURN - begin) % TURN for day in inside]
    mean = sum(ahead) / k
    middle = begin + mean
    years = {round((day - middle) / TURN) for day in inside}
    if len(years) < k or k < _KEPT * (max(years) - min(years) + 1):
        return None
    squares = _COUNTED * _SPREAD**2 + sum((one - mean) ** 2 for one in ahead)
    freedom = _COUNTED + k - 1
    late = max(_LEAST, _t(freedom) * sqrt(squares / freedom * (1 + 1 / k)))
    return Season(middle, late, k)


def limits(found: Season, day: int) -> tuple[int, int, float]:
    """After a purchase on a day: the day from which silence is unusual, from which it has lasted two seasons, and the
    middle of the season expected.
    """
    middle = found.coming(day)
    return floor(middle + found.late) + 1, floor(middle + TURN + found.late) + 1, middle


def everybodys(first_days: Floats) -> tuple[float, ...]:
    """How visits fall over the year, cumulative by half months, from the days on which they began.

    Each half month counts per time that it was observed; with less than a year of days nothing is known.
    """
    if not first_days.size or first_days.max() - first_days.min() < TURN:
        return FLAT
    low, high = int(first_days.min()), int(first_days.max())
    seen = _binned(np.arange(low, high + 1, dtype=float))
    rate = _binned(first_days) / np.maximum(seen, 1.0)
    mean = first_days.size / (high - low + 1)
    rate = (rate * seen + mean * TURN / BINS) / (seen + TURN / BINS)  # shrunk to flat by one year
    steps = np.concatenate(([0.0], np.cumsum(rate)))
    return tuple(float(step) for step in steps / steps[-1])


def _binned(days: Floats) -> Floats:
    place = np.minimum(((days % TURN) / TURN * BINS).astype(np.int64), BINS - 1)
    return np.bincount(place, minlength=BINS).astype(float)


def _mass(phase: float, everybody: Sequence[float]) -> float:
    place = min(int(phase * BINS), BINS - 1)
    return everybody[place] + (phase * BINS - place) * (everybody[place + 1] - everybody[place])


def _t(freedom: float) -> float:
    """The upper tenth of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.9))
