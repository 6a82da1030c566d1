"""Wall-clock times to UTC, many at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from shopkeeper.domain.clock import DAY, MICROSECOND
from shopkeeper.domain.errors import InvalidInput

Micros = npt.NDArray[np.int64]
_QUARTER = 900_000_000
_ZERO = datetime(1970, 1, 1)  # noqa: DTZ001  (a wall clock has no zone; that is the point of this file)


@lru_cache(maxsize=32)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises InvalidInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"no time zone is called {name[:40]!r}", hint="use one such as Europe/London"
        ) from None


def _offset(zone: ZoneInfo, wall: int, fold: int = 0) -> int:
    """Microseconds the wall clock is ahead of UTC at that reading."""
    at = (_ZERO + timedelta(microseconds=wall)).replace(tzinfo=zone, fold=fold)
    return (at.utcoffset() or timedelta()) // MICROSECOND


def to_utc(wall: Micros, zone: str) -> Micros:
    """Readings of a wall clock (microseconds since 1970 on that clock) as microseconds since 1970 in UTC.

    A reading that occurs twice, when summer time ends, is taken as the first of the two. A reading that does not
    exist, when summer time begins, counts with the offset before the change: 01:30 becomes 02:30 summer time.

    >>> to_utc(np.array([0, 180 * DAY]), "Europe/Berlin") // 3_600_000_000
    array([  -1, 4319])
    """
    place = zone_of(zone)
    days, where = np.unique(wall // DAY, return_inverse=True)
    offsets = np.zeros(len(days), np.int64)
    changing = np.zeros(len(days), bool)
    for i, day in enumerate(days.tolist()):
        start, end = day * DAY, (day + 1) * DAY
        seen = {_offset(place, at, fold) for at in (start, end) for fold in (0, 1)}
        offsets[i], changing[i] = _offset(place, start), len(seen) > 1
    result = wall - offsets[where]
    for i in np.flatnonzero(changing[where]).tolist():
        result[i] = wall[i] - _offset(place, int(wall[i]))
    return result


def local_days(at: Micros, zone: str) -> Micros:
    """Days since 1970 that the calendar of that zone shows at those instants.

    >>> local_days(np.array([0, 23 * 3_600_000_000]), "Europe/Berlin")
    array([0, 1])
    """
    place = zone_of(zone)
    quarters, where = np.unique(
        at // _QUARTER, return_inverse=True
    )  # no zone changes its clock within a quarter
    offsets = np.array(
        [
            (datetime.fromtimestamp(quarter * 900, place).utcoffset() or timedelta()) // MICROSECOND
            for quarter in quarters.tolist()
        ],
        np.int64,
    )
    return (at + offsets[where]) // DAY


def to_local(at: int, zone: str) -> datetime:
    """An instant as the wall clock of that zone shows it."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(zone_of(zone))
