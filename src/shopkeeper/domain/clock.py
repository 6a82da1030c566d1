"""Time: one injectable clock for every "now", and instants as whole microseconds since 1970 in UTC.

Integers compare, sort and store alike in Python, SQLite, PostgreSQL, DuckDB and Parquet.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
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


def day_or_instant(as_of: object) -> date | datetime:
    """What somebody gave as a day or as an instant: Python's own, NumPy's or pandas', or text of ISO 8601.

    Raises InvalidInput: what is neither, an instant without a zone, a year that no shop has seen.

    >>> day_or_instant("2025-03-01")
    datetime.date(2025, 3, 1)
    >>> day_or_instant("2025-03-01T12:00:00Z").isoformat()
    '2025-03-01T12:00:00+00:00'
    """
    given = as_of
    if isinstance(as_of, str):
        for read in (date.fromisoformat, datetime.fromisoformat):
            try:
                given = read(as_of.strip())
            except ValueError:
                continue
            break
    elif hasattr(as_of, "astype"):  # numpy.datetime64: a day stays one
        given = as_of.astype("datetime64[D]").item()
    if not isinstance(given, date):
        raise InvalidInput(
            f"as_of is {as_of!r}"[:80], hint="give a day such as 2025-03-01, or an instant with its zone"
        )
    if not MINYEAR < given.year < MAXYEAR:
        raise InvalidInput(f"the year {given.year} in as_of", hint="give a day on which there was a shop")
    if isinstance(given, datetime) and given.tzinfo is None:
        raise InvalidInput("an instant without a time zone", hint="add tzinfo=UTC, or give a day")
    return given


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
