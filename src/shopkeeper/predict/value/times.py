"""Days of orders from times in any form: arrays, columns of data frames, text, with zones or without.

A day is a day of the shop. Times without a zone are taken as the shop's own; times with a zone count in
``time_zone`` if that is given, else in their own, which then must be one and the same.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.history import Ints, refuse_rows

_OFFSET = re.compile(r"(Z|[+-]\d{2}(:?\d{2})?)$")
_QUARTER = np.timedelta64(15, "m")


def days_of(name: str, values: Any, time_zone: str | None = None) -> Ints:
    """Turn times into whole days since 1970-01-01.

    Raises:
        InvalidInput: what is missing or no time, with and without a zone together, or in several zones without
        ``time_zone``; the message names the rows.

    >>> days_of("occurred_at", ["1970-01-02T23:30+00:00"], "Europe/Berlin").tolist()
    [2]
    """
    zone = None if time_zone is None else _zone(time_zone)
    own = _zone_of(values)
    times = _array(values)
    if times.ndim != 1:
        raise InvalidInput(f"{name} has {times.ndim} dimensions", hint="give one time per order")
    if times.dtype.kind == "M":
        refuse_rows(np.isnat(times), f"{name} is missing")
        local = times if own is None else _local(times, own if zone is None else zone)
        return local.astype("datetime64[D]").astype(np.int64)
    if times.size == 0:
        return np.empty(0, dtype=np.int64)
    if times.dtype.kind in "biufc":
        raise InvalidInput(
            f"{name} holds values that are not times",
            hint="give datetime64 values or ISO dates such as 2024-01-31",
        )
    return _one_by_one(name, times, zone)


def _array(values: Any) -> NDArray[Any]:
    """Give a numpy array; times with a zone as UTC where the column says so."""
    if _zone_of(values) is not None and hasattr(values, "dt") and hasattr(values, "isna"):
        return np.asarray(values.to_numpy(dtype="datetime64[us]"))
    return np.asarray(plain(values))


def plain(values: Any) -> Any:
    """Give the NumPy array of a column of a data frame; anything else as it is.

    >>> plain([1, 2])
    [1, 2]
    """
    to_numpy = getattr(values, "to_numpy", None)
    if to_numpy is None:
        return values
    # A lone Arrow array refuses to copy unless it is told to.
    return to_numpy(zero_copy_only=False) if type(values).__module__ == "pyarrow.lib" else to_numpy()


def _zone_of(values: Any) -> tzinfo | None:
    """The zone that the type of a column carries (pandas, Polars, Arrow)."""
    kind = getattr(values, "dtype", None) or getattr(values, "type", None)
    found = getattr(kind, "tz", None) or getattr(kind, "time_zone", None)
    if found is None:
        return None
    return _zone(found) if isinstance(found, str) else found


def _zone(name: str) -> tzinfo:
    if (offset := re.fullmatch(r"([+-])(\d{2}):?(\d{2})", name)) is not None:
        sign, hours, minutes = offset.groups()
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-ahead if sign == "-" else ahead)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(
            f"unknown time zone {name!r}", hint="give a name such as Europe/Berlin or UTC"
        ) from error


def _local(times: NDArray[Any], zone: tzinfo) -> NDArray[Any]:
    """From UTC to the wall clock of ``zone``; offsets are looked up once per quarter of an hour."""
    seconds = times.astype("datetime64[s]")
    quarters, where = np.unique((seconds - np.datetime64(0, "s")) // _QUARTER, return_inverse=True)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    offsets = [
        (epoch + timedelta(minutes=15) * quarter).astimezone(zone).utcoffset() or timedelta(0)
        for quarter in quarters.tolist()
    ]
    ahead = np.array([int(offset.total_seconds()) for offset in offsets], dtype="timedelta64[s]")
    return np.asarray(seconds + ahead[where])


def _one_by_one(name: str, values: NDArray[Any], zone: tzinfo | None) -> Ints:
    """Days of text and of Python's own dates and times."""
    if values.dtype.kind == "U" and (plain := _plain_text(values)) is not None:
        refuse_rows(np.isnat(plain), f"{name} is missing")
        return plain.astype(np.int64)
    read = [_read(value) for value in values.tolist()]
    refuse_rows(_where(one is None for one in read), f"{name} is missing")
    refuse_rows(_where(one is NotImplemented for one in read), f"{name} holds values that are not times")
    aware = _where(isinstance(one, datetime) and one.tzinfo is not None for one in read)
    if aware.any() and not aware.all():
        refuse_rows(aware, f"{name} has a time zone while other rows have none")
    if aware.any() and zone is None:
        offsets = [one.tzinfo if isinstance(one.tzinfo, ZoneInfo) else one.utcoffset() for one in read]
        # Rows that differ from the first in their zone.
        refuse_rows(
            _where(offset != offsets[0] for offset in offsets),
            f"{name} is in another time zone than row 0",
            hint="say which days count: time_zone='Europe/Berlin', for example",
        )
    days = [
        (one.astimezone(zone) if zone is not None and isinstance(one, datetime) and one.tzinfo else one)
        for one in read
    ]
    start = date(1970, 1, 1).toordinal()
    return np.array([day.toordinal() - start for day in days], dtype=np.int64)


def _plain_text(values: NDArray[Any]) -> NDArray[Any] | None:
    """Days of ISO text without zones, all at once; None where it is something else."""
    shape = np.ascontiguousarray(values).view(np.uint32).reshape(values.size, -1)
    # A zone starts with +, Z or with a minus behind the time of day.
    if (shape == ord("+")).any() or (shape == ord("Z")).any() or (shape[:, 10:] == ord("-")).any():
        return None
    try:
        return values.astype("datetime64[D]")
    except ValueError:
        return None


def _read(value: Any) -> Any:
    """A date or datetime; None where it is missing, NotImplemented where it is something else."""
    # NaT and NaN differ from themselves; pandas.NA does not say.
    if value is None or type(value).__name__ == "NAType" or value != value:  # noqa: PLR0124
        return None
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        text = value.strip()
        if text in {"", "NaT"}:
            return None
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
        try:
            return np.datetime64(text, "us").item() if not _OFFSET.search(text[10:]) else NotImplemented
        except ValueError:
            return NotImplemented
    return NotImplemented


def _where(flags: Any) -> NDArray[np.bool_]:
    return np.fromiter(flags, dtype=np.bool_)
