"""The rhythm in force: what a refresh learns of everybody, by which each customer is then judged live.

``learn`` fits the population's rhythm and its year, and then calibrates: among gaps that ended with a purchase (long
ones count more, since fewer of them had the time to end) it is counted how often an alarm would have been raised, and
the level is moved until there are as many a year as are accepted, for customers with and without a rhythm of their own.
Little evidence moves it little.

A new fit that judges like the one in force stays out of force: nobody's state changes because of noise (``kept``).
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shopkeeper.predict.fading import calendar
from shopkeeper.predict.fading.purchases import Purchases
from shopkeeper.predict.fading.rhythm import OWN_FROM, YEAR, Next, Population, fit_population, next_gap
from shopkeeper.predict.fading.tail import ALARMS_PER_YEAR, COMMON, accepted, unusual_after
from shopkeeper.predict.value.history import Floats

_LEVELS: Final = (0.05, 20.0)
_EVIDENCE: Final = 20.0
"""Alarms that being right already counts as."""
_MOST_WEIGHT: Final = 20.0
_SAME: Final = 0.05
"""Relative difference of days up to which two fits judge alike."""
_ALIKE: Final = np.array(
    [[0, 0, 0], [2, 60, 0.5], [3, 21, 1.0], [10, 140, 0.2], [10, 600, 1.0], [50, 350, 0.1]]
)
"""Customers by whom two fits are compared: gaps, their sum and their squared coefficient of variation."""


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters in force.

    ``own`` and ``crowd``: the level by which ``alarms_per_year`` is multiplied for customers with and without a rhythm
    of their own. ``year``: how visits fall over the year (``calendar.everybodys``).
    """

    population: Population
    alarms_per_year: float = ALARMS_PER_YEAR
    own: float = 1.0
    crowd: float = 1.0
    year: tuple[float, ...] = calendar.FLAT
    notes: tuple[str, ...] = ()

    def after(self, following: Next, count: Floats) -> Floats:
        """Days of silence after which it is unusual, of customers with so many gaps."""
        level = np.where(count >= OWN_FROM, self.own, self.crowd)
        return unusual_after(following, self.alarms_per_year * level)


def learn(bought: Purchases, *, alarms_per_year: float = ALARMS_PER_YEAR) -> Rhythm:
    """Learn the rhythm from all purchases. Raises InvalidInput for a number of alarms that cannot be aimed at."""
    accepted(alarms_per_year)
    last = bought.last
    count = bought.count[last]
    mean = bought.total[last] / np.maximum(count, 1.0)
    everyone = fit_population(count=count, mean_gap=mean)
    level = {"own": 1.0, "crowd": 1.0}
    notes = list(everyone.notes)
    if bought.day.size:
        for name, group in (("own", bought.count >= OWN_FROM), ("crowd", bought.count < OWN_FROM)):
            level[name] = _level(bought, group, everyone, alarms_per_year)
            if level[name] in _LEVELS:
                notes.append(f"the level of {name} alarms is at its bound of {level[name]:g}")
    year = calendar.everybodys(bought.day[bought.begins].astype(float))
    return Rhythm(
        population=everyone, alarms_per_year=alarms_per_year, year=year, notes=tuple(notes), **level
    )


def kept(before: Rhythm | None, found: Rhythm) -> Rhythm:
    """The rhythm to be in force: the one before, where the new one judges like it."""
    if before is None or before.alarms_per_year != found.alarms_per_year:
        return found
    count, total, cv2 = _ALIKE.T
    was, is_ = (one.after(next_gap(count, total, cv2, one.population), count) for one in (before, found))
    shifted = max(abs(a - b) for a, b in zip(before.year, found.year, strict=True))
    alike = np.all(np.abs(is_ / was - 1.0) < _SAME) and shifted < _SAME
    return before if alike else found


def _level(bought: Purchases, group: NDArray[np.bool_], everyone: Population, aim: float) -> float:
    """By how much to multiply the aim so that it is met by the gaps of a group that ended.

    A gap is only seen to end where it began early enough: each counts for all that began, over those of them that began
    early enough for it.
    """
    begun = np.sort(bought.day[group])
    closed = group.copy()
    closed[bought.last] = False
    rows = np.flatnonzero(closed)
    if not rows.size:
        return 1.0
    gap = bought.gap[rows + 1]
    in_time = np.searchsorted(begun, bought.day.max() - gap, side="right")
    weight = np.minimum(begun.size / np.maximum(in_time, 1), _MOST_WEIGHT)
    following = next_gap(bought.count[rows], bought.total[rows], bought.cv2[rows], everyone)
    tail = following.tail(gap.astype(float))
    wanted = aim * float((weight * gap).sum()) / YEAR
    may = tail < COMMON
    needed = (tail / (aim * following.typical / YEAR))[may]
    if not needed.size:
        return 1.0
    order = np.argsort(needed)
    raised = np.cumsum(weight[may][order])
    found = needed[order[min(int(np.searchsorted(raised, wanted)), order.size - 1)]]
    trust = wanted / (wanted + _EVIDENCE)
    return float(np.clip(max(found, 1e-9) ** trust, *_LEVELS))
