"""What each customer is: new, active, fading, lapsed or won back, since when, and when that will change next.

A pure function of the purchase days, the rhythm in force and the day. After each purchase it is known from which day
on silence is unusual (fading) and from which day it has lasted twice as long, or two seasons (lapsed): by the purchases
until then, so that a later one does not rewrite the past. A purchase

* after a lapse makes a customer won back, until a gap within the rhythm makes them active again;
* while fading makes an active customer active again and leaves one won back won back, from that day;
* in rhythm changes nothing but a new customer, who becomes active.

The next order is expected on the day by which half of those still to come would have ordered: the median of the next
gap; once it has passed, the median of those longer than that; for a calendar buyer the middle of the next season.
Nothing is expected of who has lapsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.predict.fading import calendar
from shopkeeper.predict.fading.force import Rhythm
from shopkeeper.predict.fading.purchases import Ints, Purchases, of_days
from shopkeeper.predict.fading.rhythm import OWN_FROM, YEAR, Next, next_gap
from shopkeeper.predict.fading.tail import (
    ACTIVE,
    CALENDAR,
    FADING,
    LAPSED,
    LAPSED_TIMES,
    NEW,
    OWN,
    POPULATION,
    WON_BACK,
)

NEVER: Final = 1 << 40
"""Stands for a day that does not come."""
_FAR: Final = 100 * YEAR
_MOST_HALVES: Final = 30
_ROUNDING: Final = 1e-9
_NEAR: Final = 1.1
"""A tail so many times the largest that is unusual is not worth working out."""


@dataclass(frozen=True, slots=True)
class Stands:
    """One entry per customer; days are numbers since 1970.

    ``state`` is empty for customers who have not bought yet on that day. ``next_order`` is ``NEVER`` where none is
    expected. ``turns`` is the first day on which anything here will be otherwise if nothing is bought, ``NEVER`` where
    there is none.
    """

    state: NDArray[np.str_]
    since: Ints
    basis: NDArray[np.str_]
    unusual: Ints
    next_order: Ints
    turns: Ints

    def __len__(self) -> int:
        """How many customers."""
        return self.state.size


@dataclass(frozen=True, slots=True)
class Limits:
    """Of each purchase, as if it was the last: the days from which silence is unusual, and a lapse."""

    fading: Ints
    lapsed: Ints
    season: NDArray[np.float64]
    """The middle of the season expected; NaN for who has none."""


def stand(bought: Purchases, rhythm: Rhythm, today: int) -> Stands:
    """Where each customer stands on a day; purchases after it are not known yet, but turn what they turn. Those dated
    before the rhythm ``begins`` are passed over.

    >>> from shopkeeper.predict.fading.purchases import purchases
    >>> from shopkeeper.predict.fading.rhythm import Population
    >>> days = purchases(customer=[1, 1, 1, 1], occurred_at=["2024-01-01", "2024-01-15", "2024-01-30", "2024-02-12"])
    >>> rhythm = Rhythm(population=Population(p=1.5, q=2.0, v=40.0, n=500))
    >>> stand(days, rhythm, int(days.day[-1]) + 14).state.tolist()
    ['active']
    """
    n = bought.starts.size
    ahead = np.full(n, NEVER, dtype=np.int64)
    there = np.arange(n)
    known = bought.day <= today
    if rhythm.begins is not None:
        known &= bought.day >= rhythm.begins
    if not known.all():
        row = np.where(bought.day > today, bought.day, NEVER)
        ahead = np.minimum.reduceat(row, bought.starts)
        size = np.add.reduceat(known.astype(np.int64), bought.starts)
        there = np.flatnonzero(size)
        starts = np.concatenate(([0], np.cumsum(size[there])))[:-1].astype(np.int64)
        bought = of_days(bought.customer[there], starts, bought.day[known])
    found = _stand(bought, rhythm, today)
    if there.size == n:
        return Stands(
            found.state, found.since, found.basis, found.unusual, found.next_order,
            np.minimum(found.turns, ahead),
        )  # fmt: skip
    state, basis = np.full(n, "", dtype="<U8"), np.full(n, "", dtype="<U10")
    since, unusual, expected, turns = (np.full(n, NEVER, dtype=np.int64) for _ in range(4))
    state[there], basis[there] = found.state, found.basis
    since[there], unusual[there] = found.since, found.unusual
    expected[there], turns[there] = found.next_order, found.turns
    return Stands(state, since, basis, unusual, expected, np.minimum(turns, ahead))


def _stand(bought: Purchases, rhythm: Rhythm, today: int) -> Stands:
    last = bought.last
    following = next_gap(bought.count, bought.total, bought.cv2, rhythm.population)
    upto = limits(bought, rhythm, every=False)
    phase, since = _phases(bought, upto)
    state, since = phase[last].astype("<U8"), since[last]
    fading, lapsed, season = upto.fading[last], upto.lapsed[last], upto.season[last]
    for name, begins in ((FADING, fading), (LAPSED, lapsed)):
        state[today >= begins], since = name, np.where(today >= begins, begins, since)
    seasonal = ~np.isnan(season)
    basis = np.where(bought.count[last] >= OWN_FROM, OWN, POPULATION).astype("<U10")
    basis[seasonal] = CALENDAR
    expected = _expected(bought.day[last], following.take(last), today)
    if seasonal.any():
        # The first season whose middle, as a whole day, has not passed.
        middle = season[seasonal]
        years = np.ceil(np.maximum(today - 0.5 - middle, 0.0) / calendar.TURN)
        expected[seasonal] = np.floor(middle + years * calendar.TURN + 0.5).astype(np.int64)
    expected[state == LAPSED] = NEVER
    turns = np.where(today < fading, fading, np.where(today < lapsed, lapsed, NEVER))
    turns = np.minimum(turns, np.where(expected < NEVER, np.maximum(expected, today) + 1, NEVER))
    return Stands(state, since, basis, fading, expected, turns)


def limits(bought: Purchases, rhythm: Rhythm, *, every: bool = True) -> Limits:
    """What each purchase sets. Without ``every`` it is right only for the last ones and before long gaps."""
    following = next_gap(bought.count, bought.total, bought.cv2, rhythm.population)
    size = bought.day.size
    needed = (bought.count < OWN_FROM) | every
    needed[bought.last] = True
    rest = np.flatnonzero(~needed)
    if rest.size:
        unusual, _ = following.take(rest).rare(bought.gap[rest + 1].astype(float), _NEAR * rhythm.most)
        needed[rest[unusual]] = True
    after = np.full(size, _FAR)
    rows = np.flatnonzero(needed)
    if rows.size:
        for few in range(OWN_FROM):  # alike for all, as they have no rhythm of their own
            crowd = rows[bought.count[rows] == few]
            if crowd.size:
                after[crowd] = rhythm.after(following.take(crowd[:1]), bought.count[crowd[:1]])[0]
        own = rows[bought.count[rows] >= OWN_FROM]
        after[own] = rhythm.after(following.take(own), bought.count[own])
    fading, lapsed = (
        bought.day + np.minimum(np.floor(times * after) + 1.0, _FAR).astype(np.int64)
        for times in (1.0, LAPSED_TIMES)
    )
    season = np.full(size, np.nan)
    for start, stop in _may_be_seasonal(bought, rhythm.year):
        firsts: list[int] = []
        found: calendar.Season | None = None
        asked = False
        for row in range(start, stop):
            day = int(bought.day[row])
            if row == start or bought.gap[row] > calendar.VISIT:
                firsts.append(day)
                asked = False
            if not every and row < stop - 1 and bought.gap[row + 1] < calendar.SOONEST:
                continue
            if not asked:
                found, asked = calendar.season(firsts, rhythm.year), True
            if found is not None:
                fading[row], lapsed[row], season[row] = calendar.limits(found, day)
    return Limits(fading, lapsed, season)


def _may_be_seasonal(bought: Purchases, year: Sequence[float]) -> list[tuple[int, int]]:
    """Rows of the customers worth a look at the calendar: few visits over more than half a year, and of two that they
    lie close on the circle of the year.
    """
    if not bought.starts.size:
        return []
    last = bought.last
    visits = np.add.reduceat(bought.begins.astype(np.int64), bought.starts)
    span = bought.total[last]
    worth = (visits >= 2) & (span > calendar.TURN / 2) & (visits <= 3.0 * (span / calendar.TURN + 1.0))
    pairs = np.flatnonzero(worth & (visits == 2))
    if pairs.size:
        again = np.flatnonzero(bought.begins & (bought.gap > calendar.VISIT))
        second = again[np.searchsorted(again, bought.starts[pairs])]
        worth[pairs] = calendar.close(bought.day[bought.starts[pairs]], bought.day[second], year)
    return [(int(bought.starts[i]), int(last[i]) + 1) for i in np.flatnonzero(worth)]


def _phases(bought: Purchases, upto: Limits) -> tuple[NDArray[np.str_], Ints]:
    """After each purchase: what the customer is as long as silence is not unusual, and since which day."""
    row = np.arange(bought.day.size)
    begins = row == bought.first
    before = np.maximum(row - 1, 0)
    lapsed = ~begins & (bought.day >= upto.lapsed[before])
    faded = ~begins & ~lapsed & (bought.day >= upto.fading[before])
    decides = np.maximum.accumulate(np.where(faded, bought.first, row))
    # The latest purchase that was not made while fading decides; the first one of a customer always is such.
    back = lapsed[decides]
    new = begins
    active = ~back & ~new
    breaks = ~active | faded | ~active[before] | begins
    run = np.maximum.accumulate(np.where(breaks, row, 0))
    phase = np.where(new, NEW, np.where(back, WON_BACK, ACTIVE))
    return phase, bought.day[np.where(active, run, row)]


def _expected(last: Ints, following: Next, today: int) -> Ints:
    """The day by which half of those would order who have not until the day before."""
    passed = np.maximum(today - last - 1, 0).astype(float)
    part, power = np.frexp(np.maximum(following.tail(passed), 2.0**-_MOST_HALVES))
    halves = np.where(part == 0.5, 2.0 - power, 1.0 - power)  # one more than a tail is halved from 1, exactly
    # A quantile that is a whole day but for rounding is that day: the day after would already be beyond its tail.
    days = np.minimum(np.ceil(following.quantile(0.5**halves) * (1.0 - _ROUNDING)), _FAR)
    return last + np.maximum(days, passed + 1.0).astype(np.int64)
