"""Days of the shop: which day an instant falls on, and when a day begins, daylight saving and all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.clock import DAY, micros
from shopkeeper.domain.condition.tree import Period, Unit

_FIRST: Final = date(1970, 1, 1).toordinal()
LAST_DAY: Final = date(9000, 1, 1).toordinal() - _FIRST
"""After it, time changes nothing any more: the calendar ends soon."""


class Zone:
    """The shop's calendar. Days are numbers since 1970."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._offset = Catalogue(zone=name).offset
        self.start = lru_cache(maxsize=10_000)(self._start)

    def day(self, at: int) -> int:
        """The day on which an instant falls.

        >>> Zone("Europe/Berlin").day(-1), Zone("Europe/Berlin").day(-3_600_000_001)
        (0, -1)
        """
        return (at + self._offset(at)) // DAY

    def _start(self, day: int) -> int:
        """The first instant of a day; where clocks are put forward at midnight, that of its first hour there is."""
        try:
            found = date.fromordinal(_FIRST + day)
            return micros(datetime(found.year, found.month, found.day, tzinfo=ZoneInfo(self.name)))
        except (ValueError, OverflowError):  # beyond the calendar's years clocks are not put forward
            return day * DAY


def number_of(day: date) -> int:
    """Days since 1970.

    >>> number_of(date(1970, 1, 2))
    1
    """
    return day.toordinal() - _FIRST


def moved(day: int, amount: int, unit: Unit) -> int | None:
    """A day so many days, weeks, months or years on; the last of a month that is too short. None beyond the calendar.

    >>> moved(number_of(date(2024, 1, 31)), 1, "month") == number_of(date(2024, 2, 29))
    True
    """
    if unit in ("day", "week"):
        return day + amount * (7 if unit == "week" else 1)
    months = amount * (12 if unit == "year" else 1)
    try:
        was = date.fromordinal(_FIRST + day)
        year, month = divmod(was.year * 12 + was.month - 1 + months, 12)
        last = (date(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(1)).day
        return number_of(date(year, month + 1, min(was.day, last)))
    except (ValueError, OverflowError):
        return None


def first_of(day: int, period: Period) -> int:
    """The first day of the period in which a day lies; weeks begin on Monday.

    >>> first_of(number_of(date(2024, 5, 17)), "quarter") == number_of(date(2024, 4, 1))
    True
    """
    if period == "day":
        return day
    was = date.fromordinal(_FIRST + day)
    if period == "week":
        return day - was.weekday()
    month = {"month": was.month, "quarter": (was.month - 1) // 3 * 3 + 1, "year": 1}[period]
    return number_of(date(was.year, month, 1))


def next_of(day: int, period: Period) -> int:
    """The first day of the next such period."""
    if period in ("day", "week"):
        return first_of(day, period) + (1 if period == "day" else 7)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    found = moved(first_of(day, period), months, "month")
    if found is None:
        raise OverflowError
    return found


Days = Callable[[int], int | None]
"""A day as a function of today."""
