"""Instants as days of a shop's zone, many at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from shopkeeper.domain.clock import DAY, instant, micros
from shopkeeper.know.features.asked import Ints

_STEP = DAY // 48
"""Clocks change on the half hour, seen from UTC."""


def local_days(at: Ints, zone: str) -> Ints:
    """Day numbers since 1970 in the zone of instants in microseconds.

    >>> local_days(np.array([0, 85_000_000_000]), "Europe/Paris").tolist()
    [0, 1]
    """
    if not at.size:
        return at
    first = int(at.min()) // _STEP
    here = ZoneInfo(zone)
    steps = np.unique(at // _STEP - first)
    offsets = np.zeros(int(steps[-1]) + 1, dtype=np.int64)
    for step in steps.tolist():
        ahead = instant((first + step) * _STEP).astimezone(here).utcoffset() or timedelta()
        offsets[step] = ahead // timedelta(microseconds=1)
    return np.asarray((at + offsets[at // _STEP - first]) // DAY, dtype=np.int64)


def end_of(as_of: date | datetime, zone: str) -> int:
    """The first microsecond after ``as_of``: after a day of the zone, or an instant itself.

    >>> instant(end_of(date(2024, 7, 1), "Europe/Paris")).isoformat()
    '2024-07-01T22:00:00+00:00'
    """
    if isinstance(as_of, datetime):
        return micros(as_of)
    after = datetime.combine(as_of + timedelta(days=1), time(), ZoneInfo(zone))
    return micros(after.astimezone(UTC))
