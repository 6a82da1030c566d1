"""Days and instants of a condition that depend on now alone, worked out before the lake is asked."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shopkeeper.domain.clock import DAY, EPOCH, SECOND, instant, micros
from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.tree import Unit, Value

MICROSECONDS: Final[dict[Unit, int]] = {
    "minute": 60 * SECOND, "hour": 3600 * SECOND, "day": DAY, "week": 7 * DAY,
}  # fmt: skip
"""Units of a fixed length."""
MONTHS: Final[dict[Unit, int]] = {"month": 1, "year": 12}
_FIRST, _LAST = micros(datetime.min.replace(tzinfo=UTC)), micros(datetime.max.replace(tzinfo=UTC))


class Moments:
    """The present, in microseconds, and the shop's zone.

    >>> Moments(0, "Asia/Tokyo").constant(tree.Call("day", (tree.Now(),)))
    datetime.date(1970, 1, 1)
    """

    def __init__(self, now: int, zone: str) -> None:
        self.now = now
        self.zone = ZoneInfo(zone)

    def constant(self, node: Value) -> date | int | None:
        """A day as a date; an instant or a length of time in microseconds. None beyond the calendar's years.

        Raises TypeError for what is not made of these, or depends on a customer.
        """
        match node:
            case tree.Day(value):
                return date.fromisoformat(value)
            case tree.Time(value):
                return value
            case tree.Now():
                return self.now
            case tree.Today(period):
                return _first_of(self._day(self.now), period)
            case tree.Span(amount, unit) if unit in MICROSECONDS:
                return amount * MICROSECONDS[unit]
            case tree.Arithmetic(sign, left, right):
                return self._arithmetic(sign, left, right)
            case tree.Call("day", (inner,)):
                found = self.constant(inner)
                return self._day(found) if isinstance(found, int) else None
            case tree.Call("least" | "greatest" | "coalesce" as name, arguments):
                known = [one for one in map(self.constant, arguments) if one is not None]
                if not known:
                    return None
                pick = {"least": min, "greatest": max}.get(name)
                return pick(known) if pick else known[0]
        raise TypeError(type(node).__name__)

    def _arithmetic(self, sign: str, left: Value, right: Value) -> date | int | None:
        begin = self.constant(left)
        way = 1 if sign == "+" else -1
        if isinstance(begin, date) or (begin is None and isinstance(right, tree.Span)):
            if not isinstance(right, tree.Span):
                raise TypeError("a number of days")
            return None if begin is None else moved(begin, right, way)
        length = self.constant(right)
        if isinstance(begin, int) and isinstance(length, int) and sign in ("+", "-"):
            return begin + way * length
        raise TypeError("numbers")

    def _day(self, at: int) -> date | None:
        if not _FIRST <= at <= _LAST:
            return None
        try:
            return instant(at).astimezone(self.zone).date()
        except OverflowError:
            return None

    def begins(self, node: Value) -> int | None:
        """The instant that an end of a window is: of a day, its first one in the shop's zone."""
        found = self.constant(node)
        if not isinstance(found, date):
            return found
        try:
            return micros(datetime(found.year, found.month, found.day, tzinfo=self.zone))
        except OverflowError:
            return (datetime(found.year, found.month, found.day, tzinfo=UTC) - EPOCH) // timedelta(
                microseconds=1
            )


def _first_of(day: date | None, period: tree.Period) -> date | None:
    if day is None:
        return None
    match period:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


def moved(day: date, by: tree.Span, way: int) -> date | None:
    """A day moved by days or months; at the end of a shorter month its last day.

    >>> moved(date(2024, 3, 31), tree.Span(1, "month"), -1)
    datetime.date(2024, 2, 29)
    """
    try:
        if by.unit not in MONTHS:
            return day + timedelta(days=way * by.amount * (7 if by.unit == "week" else 1))
        months = day.year * 12 + day.month - 1 + way * by.amount * MONTHS[by.unit]
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError):
        return None


def at(moment: int) -> datetime:
    """An instant as the lake takes it; one beyond the calendar's years is its first or last.

    >>> at(10**18).year
    9999
    """
    return instant(max(_FIRST, min(_LAST, moment)))
