"""Time: one injectable clock for every "now", and instants as whole microseconds since 1970 in UTC.

Integers compare, sort and store alike in Python, SQLite, PostgreSQL, DuckDB and Parquet.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from shopkeeper.domain.errors import InvalidInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
DAY = 86_400 * SECOND


class Clock(Protocol):
    """Anything that knows what time it is."""

    def now(self) -> datetime:
        """The present instant, with zone UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, with zone UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still: for tests, for replays, and for the sample shop, whose data ends in 2011.

    >>> FixedClock(datetime(2011, 12, 10, tzinfo=UTC)).now().isoformat()
    '2011-12-10T00:00:00+00:00'
    """

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise InvalidInput("a clock needs an instant with a time zone", hint="add tzinfo=UTC")
        self.at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The instant the clock was set to."""
        return self.at


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970 in UTC.

    >>> micros(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    if instant.tzinfo is None:
        raise InvalidInput("an instant without a time zone", hint="say which zone it was measured in")
    return (instant - EPOCH) // MICROSECOND


def instant(at: int) -> datetime:
    """The instant that many microseconds after 1970, in UTC.

    >>> instant(86_400_000_000).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return EPOCH + timedelta(microseconds=at)


def day_number(at: int) -> int:
    """Days since 1970 of an instant in microseconds (UTC).

    >>> day_number(86_400_000_000)
    1
    """
    return at // DAY


def day_of(number: int) -> date:
    """The date that many days after 1970.

    >>> day_of(1).isoformat()
    '1970-01-02'
    """
    return date.fromordinal(719_163 + number)
