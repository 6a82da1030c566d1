"""The rhythm in force: what a refresh learns of everybody, by which each customer is then judged live.

``learn`` fits the population's rhythm and its year, and then calibrates: among gaps that ended with a purchase (long
ones count more, since fewer of them had the time to end) it is counted how often an alarm would have been raised, and
the level is moved until there are as many a year as are accepted; little evidence moves it little. Alarms are spent
where they are worth most: the tail that is unusual is in proportion to the odds that such customers leave.

A new fit that judges like the one in force stays out of force: nobody's state changes because of noise (``kept``).
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shopkeeper.predict.fading import calendar
from shopkeeper.predict.fading.purchases import Purchases
from shopkeeper.predict.fading.rhythm import YEAR, Next, Population, fit_population, next_gap
from shopkeeper.predict.fading.tail import ALARMS_PER_YEAR, COMMON, accepted, unusual_after
from shopkeeper.predict.value.history import Floats

_LEVELS: Final = (0.05, 20.0)
_EVIDENCE: Final = 20.0
"""Alarms that being right already counts as."""
STAGES: Final = (0, 1, 2, 3, 5, 8, 14, 29)
"""Gaps from which on customers are asked together how many of them leave; a rhythm of their own begins with a stage."""
_LONG: Final = 180
_FEW: Final = 10.0
_TIMES: Final = (0.1, 10.0)
_MOST_WEIGHT: Final = 20.0
_SAME: Final = 0.05
"""Relative difference of days up to which two fits judge alike."""
_ALIKE: Final = np.array(
    [[0, 0, 0], [2, 60, 0.5], [3, 21, 1.0], [10, 140, 0.2], [10, 600, 1.0], [50, 350, 0.1]]
)
"""Customers by whom two fits are compared: gaps, their sum and their squared coefficient of variation."""


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters in force.

    ``level``: by what ``alarms_per_year`` is multiplied to be met. ``leaving``: how much likelier than all customers
    leave after so many gaps (``STAGES``). ``most``: the largest tail that is unusual. ``year``: how visits fall over
    the year (``calendar.everybodys``). ``begins``: the first day of which purchases count, a number since 1970; one
    dated earlier (1901, say) is of an unknown day. Everything counts where it is None.
    """

    population: Population
    alarms_per_year: float = ALARMS_PER_YEAR
    most: float = COMMON
    level: float = 1.0
    leaving: tuple[float, ...] = (1.0,) * len(STAGES)
    year: tuple[float, ...] = calendar.FLAT
    notes: tuple[str, ...] = ()
    begins: int | None = None

    def after(self, following: Next, count: Floats) -> Floats:
        """Days of silence after which it is unusual, of customers with so many gaps."""
        odds = np.asarray(self.leaving)[_stage(count)]
        return unusual_after(following, self.alarms_per_year * self.level * odds, self.most)


def learn(bought: Purchases, *, alarms_per_year: float = ALARMS_PER_YEAR) -> Rhythm:
    """Learn the rhythm from all purchases. Raises InvalidInput for a number of alarms that cannot be aimed at."""
    accepted(alarms_per_year)
    last = bought.last
    count = bought.count[last]
    mean = bought.total[last] / np.maximum(count, 1.0)
    everyone = fit_population(count=count, mean_gap=mean, cv2=bought.cv2[last])
    level = 1.0
    leaving = np.ones(len(STAGES))
    notes = list(everyone.notes)
    if bought.day.size:
        leaving = _leaving(bought)
        level = _level(bought, everyone, alarms_per_year, leaving)
        if level in _LEVELS:
            notes.append(f"the level of alarms is at its bound of {level:g}")
    year = calendar.everybodys(bought.day[bought.begins].astype(float))
    return Rhythm(
        population=everyone, alarms_per_year=alarms_per_year, level=level, year=year,
        leaving=tuple(round(float(one), 4) for one in leaving), notes=tuple(notes),
    )  # fmt: skip


def kept(before: Rhythm | None, found: Rhythm) -> Rhythm:
    """The rhythm to be in force: the one before, where the new one judges like it."""
    if before is None or before.alarms_per_year != found.alarms_per_year:
        return found
    count, total, cv2 = _ALIKE.T
    was, is_ = (one.after(next_gap(count, total, cv2, one.population), count) for one in (before, found))
    shifted = max(abs(a - b) for a, b in zip(before.year, found.year, strict=True))
    alike = np.all(np.abs(is_ / was - 1.0) < _SAME) and shifted < _SAME
    if not alike:
        return found
    return before if before.begins == found.begins else msgspec.structs.replace(before, begins=found.begins)


def _leaving(bought: Purchases) -> Floats:
    """The odds that a purchase was the last one, by its stage, over those of all.

    Counted are purchases made half a year, or half the log, before its end.
    """
    last = np.zeros(bought.day.size, dtype=bool)
    last[bought.last] = True
    low, high = int(bought.day.min()), int(bought.day.max())
    early = bought.day <= high - min(_LONG, (high - low) // 2)
    stage = _stage(bought.count)
    gone = np.bincount(stage[early & last], minlength=len(STAGES)).astype(float)
    made = np.bincount(stage[early], minlength=len(STAGES)).astype(float)
    days = np.bincount(stage[~last], weights=bought.gap[1:][~last[:-1]], minlength=len(STAGES))
    share = (gone + _FEW * (gone.sum() + 1) / (made.sum() + 2)) / (made + _FEW)
    odds = share / (1 - share)
    return np.asarray(np.clip(odds / np.average(odds, weights=days + 1e-9), *_TIMES))


def _stage(count: Floats) -> NDArray[np.int64]:
    return np.asarray(np.searchsorted(STAGES, count, side="right") - 1)


def _level(bought: Purchases, everyone: Population, aim: float, leaving: Floats) -> float:
    """By how much to multiply the aim so that it is met by the gaps that ended.

    A gap is only seen to end where it began early enough: each counts for all that began, over those of them that began
    early enough for it. Stages count as they do among the latest quarter of purchases.
    """
    begun = np.sort(bought.day)
    closed = np.ones(bought.day.size, dtype=bool)
    closed[bought.last] = False
    rows = np.flatnonzero(closed)
    if not rows.size:
        return 1.0
    gap = bought.gap[rows + 1]
    in_time = np.searchsorted(begun, bought.day.max() - gap, side="right")
    weight = np.minimum(begun.size / np.maximum(in_time, 1), _MOST_WEIGHT)
    stage = _stage(bought.count)
    recent = bought.day > begun[-1] - (begun[-1] - begun[0]) // 4
    now, ever = (np.bincount(one, minlength=len(STAGES)) + 1.0 for one in (stage[recent], stage))
    weight *= (now / now.sum() / (ever / ever.sum()))[stage[rows]]
    following = next_gap(bought.count[rows], bought.total[rows], bought.cv2[rows], everyone)
    wanted = aim * float((weight * gap).sum()) / YEAR
    may, tail = following.rare(gap.astype(float), COMMON)
    needed = tail / (aim * leaving[stage[rows[may]]] * following.take(may).typical / YEAR)
    if not needed.size:
        return 1.0
    order = np.argsort(needed)
    raised = np.cumsum(weight[may][order])
    found = needed[order[min(int(np.searchsorted(raised, wanted)), order.size - 1)]]
    trust = wanted / (wanted + _EVIDENCE)
    return float(np.clip(max(found, 1e-9) ** trust, *_LEVELS))
